"""The vendor's own notices, and failures that are no incident."""

from typing import Any

from bot.core.record.flag_facts import Engaged
from bot.core.record.incident_facts import Declared
from tests.dialogs.talk import Talk
from tests.house import House, settings

CHANNEL = "inc-20260320-0001-claude"


def notice(id: str, title: str, *updates: tuple[str, str, str], component: str = "p-api") -> dict[str, Any]:
    """One incident of the vendor's page; an update is (status, body, time of day)."""
    return {
        "id": id, "name": title, "status": updates[-1][0], "impact": "major", "components": [{"id": component}],
        "shortlink": f"https://stspg.example/{id}",
        "incident_updates": [
            {
                "id": f"{id}-{n}", "status": status, "body": body, "created_at": f"2026-03-20T{at}:00Z",
                "affected_components": [{"code": component}],
            }
            for n, (status, body, at) in enumerate(updates)
        ],
    }  # fmt: skip


async def test_vendors_updates_are_quoted_in_the_channel(outage: Talk) -> None:
    """Each once, with the vendor's own time and a link; card and alert show them too."""
    house = outage.house
    await house.passes(minutes=18)
    first = ("investigating", "We are seeing elevated errors.", "12:20")
    house.vendor.page["incidents"] = [notice("n1", "API errors", first)]
    await house.passes(minutes=20)
    house.vendor.page["incidents"] = [notice("n1", "API errors", first, ("identified", "A database failed over.", "12:40"))]
    await house.passes(minutes=4)
    await house.quiet()
    words = [outage.shows(message) for message in outage.said(CHANNEL, "Claude's status page (")]

    assert [
        "Claude's status page (12:20 UTC): API errors (investigating, major)\n> We are seeing elevated errors.\nOn the page",
        "Claude's status page (12:40 UTC): API errors (identified, major)\n> A database failed over.\nOn the page",
    ] == words
    assert "“API errors” (identified, 2026-03-20 12:40 UTC): A database failed over." in outage.evidence()
    assert "The vendor's first word came 19 min after the first failure." in outage.evidence()
    assert 1 == len(outage.alerts())


async def test_vendors_notice_that_does_not_affect_us_is_a_quiet_thread(talk: Talk) -> None:
    """One line in #ops, later updates under it, and no incident."""
    house = talk.house
    first = ("investigating", "Logins to the console fail.", "12:01")
    house.vendor.page["incidents"] = [notice("n2", "Console logins", first, component="p-console")]
    await house.passes(minutes=3)
    over = notice("n2", "Console logins", first, ("resolved", "Fixed.", "12:03"), component="p-console")
    house.vendor.page["incidents"] = [over]
    await house.passes(minutes=3)
    await house.quiet()

    [root] = talk.said("ops")
    assert "Console logins (investigating, major)\n> Logins to the console fail." in talk.shows(root)
    assert "It names nothing we check. We have no incident open for it." in talk.shows(root)
    assert "(resolved, major)\n> Fixed." in talk.thread("ops", "Console logins")
    assert [] == list(await talk.facts(Declared))


async def test_degraded_component_is_a_quiet_thread_with_a_button(empty_house: House) -> None:
    """One of two checks fails: #ops is told once and can declare an incident; the recovery is posted in the thread."""
    house = empty_house
    providers = settings(house.workspace, house.vendor)["providers"]
    [check] = providers["anthropic"]["components"]["api"]["checks"]
    providers["anthropic"]["components"]["api"]["checks"] = [check, {**check, "name": "batch", "url": f"{check['url']}/batch"}]
    house.changes = {"providers": providers}
    await house.start()
    await house.passes(minutes=1)
    talk = Talk(house)
    await house.fails("anthropic.api.batch")
    await house.quiet()

    [root] = talk.said("ops")
    for words in (
        "🟠 Claude API is degraded (since 12:01 UTC). ",
        "atch: 3 of 5 checks failed in 60 s: HTTP 502",
        "Evidence: /health anthropic.api",
        "It's Claude, not us.",
        "No incident opens for this by configuration; declare one if you need it.",
        "[Declare incident]",
    ):
        assert words in talk.shows(root)
    assert [] == list(await talk.facts(Declared))
    await house.recovers("anthropic.api.batch")
    await house.quiet()
    assert "🟢 Claude API is operational again (since 12:03 UTC)." in talk.thread("ops", "degraded")
    assert 1 == len(talk.said("ops"))


async def test_refused_api_key_is_our_fault_and_no_incident(talk: Talk) -> None:
    """A 401 says nothing about the vendor: the state is unknown, one quiet line says what to do, and nobody is paged."""
    await talk.house.fails("anthropic.api", status=401)
    await talk.house.quiet()
    seen = await talk.asks(talk.house.ana, "/health claude")

    assert "Claude API: unknown since" in seen
    assert "our key was not accepted" in seen
    assert "It's us: Claude refuses our key." in seen
    [line] = talk.said("ops")
    for words in (
        "⚪ Claude API is unknown (since 12:01 UTC). ",
        "ront: 3 of 5 checks failed in 60 s: HTTP 401",
        "It's us: Claude refuses our key.\nWas this check's key revoked, or does it lack a permission?",
        "No incident opens: the provider may be operational.",
    ):
        assert words in talk.shows(line)
    assert [] == list(await talk.facts(Declared, Engaged))
    assert "Claude: Claude API unknown; claude.ai operational" == talk.whispers(talk.house.ana)[-1].text
