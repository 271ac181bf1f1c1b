"""Failures that alert nobody: a small part, a check that we must fix, a mute, a parent that is down."""

from typing import Any

from bot.core.record.flag_facts import Engaged
from bot.core.record.incident_facts import Declared
from tests.dialogs.talk import Talk
from tests.house import House, settings

CHANNEL = "inc-20260320-0001-claude"


async def opened(house: House, providers: dict[str, Any]) -> Talk:
    """A deployment with these providers, after one round of checks."""
    house.changes = {"providers": providers}
    await house.start()
    await house.passes(minutes=1)
    return Talk(house)


async def test_small_failure_is_an_advisory_that_is_withdrawn(empty_house: House) -> None:
    """With one of four checks failing: one thread and a note on the board, but no incident."""
    house = empty_house
    providers = settings(house.workspace, house.vendor)["providers"]
    api = providers["anthropic"]["components"]["api"]
    [front] = api["checks"]
    api["checks"] = [front, *({**front, "name": n, "url": f"{front['url']}/{n}"} for n in ("batch", "files", "models"))]
    talk = await opened(house, providers)
    await house.fails("anthropic.api.batch")
    await house.passes(minutes=12)
    await house.quiet()

    [root] = talk.said("ops")
    alert_text = talk.shows(root)
    for words in (
        "🟠 Advisory for Claude API: batch fails since 12:01 UTC (1 of 4 checks).\n",
        "Not enough to open an incident or switch a flag.",
        "; front, files, models: 5 of 5 checks passed. ",
        "• batch: status 502",
    ):
        assert words in alert_text
    seen = await talk.asks(house.ana, "/health claude")
    assert "🟢 Claude API: operational · advisory: batch fails since 12:01 UTC" in seen
    assert " Batch: " in seen
    await talk.asks(house.ana, "/health")
    assert "3 of 3 components are operational. Advisory for Claude API." == talk.whispers(house.ana)[-1].text

    await house.recovers("anthropic.api.batch")
    await house.quiet()
    assert "Claude API: the advisory is over, all of it is operational again (it was: batch" in talk.thread("ops", "Advisory")
    assert 1 == len(talk.said("ops"))
    assert [] == list(await talk.facts(Declared, Engaged))


async def test_forbidden_address_is_reported_with_the_remedy(empty_house: House) -> None:
    """Nothing is sent there; the operator reads what to list, and the component does not stay "no result yet"."""
    house = empty_house
    providers = settings(house.workspace, house.vendor)["providers"]
    inner = {"type": "tcp", "name": "inner", "host": "10.1.2.3", "port": 9}
    providers["openai"]["components"]["files"] = {"name": "OpenAI files", "checks": [inner]}
    talk = await opened(house, providers)
    await house.passes(minutes=2)
    await house.quiet()

    [root] = talk.said("ops")
    for words in (
        "⚪ OpenAI files is unknown (since 12:00 UTC). Inner: 3 of 3 checks failed in 60 s: "
        "the address is not one that checks may reach (10.1.2.3 is private; list its network under allow_private).\n"
        "It's us: our request or its address is wrong.",
        "No incident opens: the provider may be operational.",
    ):
        assert words in talk.shows(root)


async def test_mute_holds_the_alert_back_until_it_is_ended(talk: Talk) -> None:
    """The board says who muted it and why; afterwards a rule declares the incident, not that person."""
    house = talk.house
    await talk.asks(house.ana, "/understudy mute claude api for 1h load test")
    await house.fails("anthropic.api")
    await house.quiet()
    assert [] == talk.said("ops", "INC-")
    seen = await talk.asks(house.bob, "/health claude")
    muted = "muted until 13:01 UTC by @ana (load test), and its alert is held back by that"
    assert muted in seen
    assert 1 == seen.count("held back")
    assert 1 == len(talk.said("ops", "Claude API is down (muted by ana: load test, until 13:01 UTC)."))
    assert "Undo the mute: /understudy unmute anthropic.api" in house.bob.sees("ops")

    assert "Alerts about Claude API are on again." == await talk.asks(house.bob, "/understudy unmute claude api")
    await house.quiet()
    assert talk.said("ops", "Alerts about Claude API are on again (by @bob).")
    assert "Since 12:01 UTC" in talk.alert()
    assert "declared at 12:03 UTC (automatic)" in talk.card(house.incident_channel)


async def test_dependent_component_is_a_line_in_its_parents_incident(empty_house: House) -> None:
    """The child's alert waits and links to the parent's; it follows five minutes after the parent recovers."""
    house = empty_house
    providers = settings(house.workspace, house.vendor)["providers"]
    providers["openai"]["components"]["api"]["depends_on"] = ["anthropic.api"]
    talk = await opened(house, providers)
    await house.fails("anthropic.api")
    await house.fails("openai.api")
    await house.quiet()
    [line] = talk.said(CHANNEL, "OpenAI API fails too")
    own = "It gets no incident of its own (automatic)."
    assert f"OpenAI API fails too: it depends on Claude API, see INC-1. {own}" == talk.shows(line)
    board = await talk.asks(house.ana, "/health")
    assert "its alert is held back: it depends on Claude API, see INC-1 · p50" in board

    await house.recovers("anthropic.api")
    alert_text = await talk.asks(house.ana, "/incident timeline INC-1")
    assert "The alert about OpenAI API is held back until 2026-03-20 12:1" in alert_text
    await house.passes(minutes=6)
    await house.quiet()
    assert "SEV2 · OpenAI API" in talk.alert()
