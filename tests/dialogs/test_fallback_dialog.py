"""`/fallback`: viewing and switching flags by hand, and what is refused."""

import pytest

from bot.core.record.flag_facts import Engaged
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, settings

CHANNEL = "inc-20260320-0001-claude"

SWITCH_BACK = "Switch support chat back to claude"


@pytest.fixture
async def proposed(empty_house: House) -> Talk:
    """The Claude API fails, and automation only proposes a switch."""
    house = empty_house
    flags = settings(house.workspace, house.vendor)["flags"]
    flags[FLAG]["automation"] = "propose"
    house.changes = {"flags": flags}
    await house.start()
    await house.passes(minutes=1)
    await house.fails("anthropic.api")
    await house.quiet()
    return Talk(house)


def serving(talk: Talk) -> str | None:
    """The variant that services get."""
    assert talk.house.app is not None
    return talk.house.app.board.evaluate(FLAG, {"targetingKey": "client-1"}).variant  # type: ignore[union-attr] # it exists


async def test_status_shows_what_each_flag_serves_and_why(talk: Talk) -> None:
    """Before and after a switch: since when, by whom, why, until when, and how to undo it."""
    before = await talk.asks(talk.house.ana, "/fallback status")
    assert "🟢 support chat: on its default claude." in before
    assert f"{FLAG} · 0 readers in 15 min · fallbacks: gpt and cached · automation: auto" in before

    await talk.asks(talk.house.ana, f"/fallback engage {FLAG} cached for 2h a load test & more")
    after = await talk.asks(talk.house.bob, "/fallback status")
    for words in (
        "on cached since 12:01 UTC (by @ana), instead of claude. Why: a load test & more.",
        f"until 14:01 UTC · undo: /fallback release {FLAG}",
        "[Switch support chat back to claude]",
    ):
        assert words in after


async def test_engaging_without_a_variant_takes_the_first_healthy_one(talk: Talk) -> None:
    """Outside an incident, #ops is told who switched what, why, and how to undo it."""
    answer = await talk.asks(talk.house.ana, f"/fallback engage {FLAG}")
    await talk.house.quiet()

    assert f"Support chat serves gpt now. Undo: /fallback release {FLAG}" == answer
    assert "gpt" == serving(talk)
    line = talk.shows(talk.said("ops", "switched to")[-1])
    assert line.startswith("Support chat switched to gpt at 12:01 UTC (by @ana), instead of claude.\nWhy: no reason given.\n")
    assert line.endswith(f"Undo: /fallback release {FLAG}\n[Switch support chat back to claude]")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("engage", f"Which flag? There are: {FLAG}."),
        ("engage support-chat.lm", f"There is no flag support-chat.lm. Did you mean {FLAG}? There are: {FLAG}."),
        (f"engage {FLAG} gtp", f"{FLAG} has no variant gtp. Did you mean gpt? It has: cached, claude, gpt. Nothing was"),
        (f"engage {FLAG} claude", f"claude is the default of support chat. To go back to it: /fallback release {FLAG}"),
        (f"engage {FLAG} gpt for 2x test", "2x is not a duration. Write 30m, 2h or 1d."),
        ("release", f"Which flag? There are: {FLAG}."),
        (f"release {FLAG}", "Support chat already serves its default."),
        ("stauts", "/fallback stauts is not known. Did you mean status? /fallback help shows what is."),
        ("rmap", "/fallback rmap is not known. Did you mean ramp? /fallback help shows what is."),
        ("", "• /fallback engage FLAG [VARIANT] [25%] [force] [for 2h] [scope env=eu] [REASON]: switch services to a fallback"),
        ("help", "• /fallback release FLAG [force] [REASON]: switch back to the default at once"),
    ],
)
async def test_mistyped_fallback_command_is_answered_and_switches_nothing(talk: Talk, words: str, expected: str) -> None:
    """A typo gets the nearest command, and nobody is moved to a fallback by mistake."""
    assert expected in await talk.asks(talk.house.ana, f"/fallback {words}")
    assert "claude" == serving(talk)
    assert [] == list(await talk.facts(Engaged))


async def test_words_unlike_any_variant_are_the_reason(talk: Talk) -> None:
    """A word that is no variant, and not close to one, starts the reason; a variant's case does not matter."""
    await talk.asks(talk.house.ana, f"/fallback engage {FLAG} Claude is slow today")
    await talk.asks(talk.house.ana, f"/fallback release {FLAG}")
    await talk.asks(talk.house.ana, f"/fallback engage {FLAG} Cached costs less")
    engaged = [fact.body for fact in await talk.facts(Engaged)]

    assert [("gpt", "Claude is slow today"), ("cached", "costs less")] == [
        (body.variant, body.reason) for body in engaged if isinstance(body, Engaged)
    ]


async def test_engaging_a_failing_fallback_is_refused(talk: Talk) -> None:
    """Customers must not be moved from one outage into another; the reply names what fails."""
    await talk.house.fails("openai.api")
    answer = await talk.asks(talk.house.ana, f"/fallback engage {FLAG} gpt")

    assert answer.startswith("gpt needs OpenAI API, which is down: front: 3 of 5 checks failed in 60 s: HTTP 502")
    assert answer.endswith(" got no valid answer from its backend. Nothing was switched.")
    assert "claude" == serving(talk)
    assert "Support chat serves cached now." in await talk.asks(talk.house.ana, f"/fallback engage {FLAG}")


async def test_releasing_onto_a_failing_default_needs_force(outage: Talk) -> None:
    """The refusal shows how to force it; a forced release is announced as forced."""
    ana = outage.house.ana
    refused = await outage.asks(ana, f"/fallback release {FLAG}")
    insist = f"To switch support chat back anyway: /fallback release {FLAG} force"
    assert f"Not switched back, since Claude API is down. {insist}" == refused
    assert "gpt" == serving(outage)

    assert "Support chat serves claude again." == await outage.asks(ana, f"/fallback release {FLAG} force we take the errors")
    await outage.house.quiet()
    assert "claude" == serving(outage)
    line = outage.shows(outage.said(CHANNEL, "went back to claude")[-1])
    assert line.endswith("(by @ana).\nWhy: we take the errors (forced although Claude API is down).")


async def test_button_that_releases_onto_a_failing_default_is_refused(outage: Talk) -> None:
    """A press does not force anything; the reply says what to type instead."""
    answer = await outage.presses(outage.house.bob, SWITCH_BACK, channel=CHANNEL)

    assert f"back anyway: /fallback release {FLAG} force" in answer
    assert "gpt" == serving(outage)
    assert "[Switch support chat back to claude]" in outage.shows(outage.said(CHANNEL, "instead of claude")[-1])


async def test_proposal_switches_only_after_approval(proposed: Talk) -> None:
    """Afterwards everybody reads who approved, and services get the fallback."""
    proposal = proposed.shows(proposed.said(CHANNEL, "switch to gpt?")[-1])
    assert "Support chat: switch to gpt? Nothing is switched yet (automatic)." in proposal
    assert "Why: Claude API is down. The flag decides: “Which provider answers the support chat”." in proposal
    assert "claude" == serving(proposed)
    assert "Support chat is failing. A switch to gpt waits for your yes." in proposed.alert()
    assert "Support chat is failing" not in proposed.said("ops")[0].text

    answer = await proposed.presses(proposed.house.bob, "Switch support chat to gpt", channel=CHANNEL)
    await proposed.house.quiet()
    assert f"Support chat serves gpt now. Undo: /fallback release {FLAG}" == answer
    assert "gpt" == serving(proposed)
    assert proposed.said(CHANNEL, "Support chat switched to gpt at 12:03 UTC (approved by @bob), instead of claude.")
    proposal = proposed.shows(proposed.said(CHANNEL, "switch to gpt?")[-1])
    assert proposal.endswith("“Switch support chat to gpt” was pressed by @bob, 2026-03-20 12:03 UTC.")


async def test_proposal_is_withdrawn_when_the_default_recovers(proposed: Talk) -> None:
    """A late approval is answered with the current state and switches nothing."""
    await proposed.house.recovers("anthropic.api")
    await proposed.house.quiet()
    assert proposed.said(CHANNEL, "Support chat no longer needs to be switched (automatic).")

    answer = await proposed.presses(proposed.house.bob, "Switch support chat to gpt", channel=CHANNEL)
    decided = "That was decided in the meantime; nothing was switched."
    assert f"{decided} To switch anyway: /fallback engage {FLAG} gpt REASON" == answer
    assert "claude" == serving(proposed)


async def test_update_asks_for_the_missing_approval(proposed: Talk) -> None:
    """After an hour the proposal is still open, and the update says how to answer it."""
    await proposed.house.passes(minutes=61)
    await proposed.house.quiet()
    update = proposed.shows(proposed.said(CHANNEL, "Update 1 of INC-1")[-1])

    assert f"To switch support chat to gpt: /fallback engage {FLAG} gpt." in update


async def test_engaging_again_without_a_variant_keeps_the_current_one(outage: Talk) -> None:
    """A rule has already switched to GPT; the same command must not move customers on to canned answers."""
    answer = await outage.asks(outage.house.ana, f"/fallback engage {FLAG}")

    assert ("No fallback of support chat would be better: cached would be worse.", "gpt") == (answer, serving(outage))


async def test_flag_can_be_typed_as_messages_name_it(talk: Talk) -> None:
    """As two words, or as the first part of its key."""
    ana = talk.house.ana
    engaged = await talk.asks(ana, "/fallback engage support chat gpt for 2h answers are wrong")
    assert engaged == f"Support chat serves gpt now. Undo: /fallback release {FLAG}"
    assert await talk.asks(ana, "/fallback release support-chat we tested it") == "Support chat serves claude again."
    assert "There is no flag support-chats." in await talk.asks(ana, "/fallback release support-chats")


# --- who reads it


def reads_all(talk: Talk, *names: str) -> None:
    """These services fetch all flags at once, as the client kit does."""
    assert talk.house.app is not None
    for name in names:
        talk.house.app.board.rules(name)


async def test_status_names_clients_and_the_variant_they_have(talk: Talk) -> None:
    """Those without the switch come first; clients that ask each time always have it."""
    reads_all(talk, "web-1", "web-2")
    await talk.asks(talk.house.ana, f"/fallback engage {FLAG} cached a test")
    reads_all(talk, "web-1")
    serving(talk)
    answer = await talk.asks(talk.house.bob, "/fallback clients support chat")

    first, *lines = answer.splitlines()
    assert "🟠 support chat is read by 3 clients; 1 of 2 have its last switch." == first
    assert "🟠 web-2 has an older copy, heard 0 s ago" == lines[0]
    assert {"🟢 web-1 0 s ago", "🟢 client-1 asks each time, 0 s ago"} == set(lines[1:])


async def test_flag_without_readers_says_so(talk: Talk) -> None:
    """Switching it would change nothing."""
    assert "Nobody has read support chat in the last 15 minutes." == await talk.asks(
        talk.house.ana, f"/fallback clients {FLAG}"
    )


async def test_ops_is_told_which_clients_lack_a_switch(talk: Talk) -> None:
    """After fifteen seconds, and again once everybody has it."""
    house = talk.house
    reads_all(talk, "web-1", "web-2")
    await talk.asks(house.ana, f"/fallback engage {FLAG} cached a test")
    reads_all(talk, "web-1")
    await house.passes(seconds=20)
    await house.quiet()
    assert "🟠 1 of 2 readers of support chat are on cached.\nNot yet: web-2" == talk.shows(talk.said("ops", "readers of")[-1])

    reads_all(talk, "web-2")
    await house.passes(seconds=10)
    await house.quiet()
    assert "Every reader of support chat is on cached now (2 of 2, 30 s after the switch)." == talk.shows(
        talk.said("ops", "Every reader")[-1]
    )


async def test_clients_get_time_to_reconnect_after_a_restart(talk: Talk) -> None:
    """Nobody may claim that all have a switch before they had time to come back."""
    house = talk.house
    reads_all(talk, "web-1", "web-2")
    await talk.asks(house.ana, f"/fallback engage {FLAG} cached a test")
    await house.stop()
    await house.start()
    reads_all(talk, "web-1")
    await house.passes(seconds=10)
    await house.quiet()

    assert house.app is not None
    facts = await house.app.ledger.read(lambda store: store.all_facts())
    assert [] == [fact for fact in facts if fact.kind == "flag.readers_saw"]
