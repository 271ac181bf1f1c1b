"""More of `/fallback` in Slack: plans, shares, halts, time limits, pins and a freeze."""

import pytest

from bot.core.record.steering.steering_facts import Extended
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, settings

CHANNEL = "inc-20260320-0001-claude"
READERS = [f"customer-{n}" for n in range(200)]


@pytest.fixture
async def on_a_quarter(talk: Talk) -> Talk:
    """Ana has switched a quarter of the readers to GPT, with nothing wrong."""
    await talk.asks(talk.house.ana, f"/fallback engage {FLAG} gpt 25% for 2h we try it")
    await talk.house.quiet()
    return talk


def on_gpt(talk: Talk) -> set[str]:
    """The readers who get GPT now."""
    assert talk.house.app is not None
    board = talk.house.app.board
    return {one for one in READERS if board.evaluate(FLAG, {"targetingKey": one}).variant == "gpt"}  # type: ignore[union-attr] # it exists


async def test_plan_says_what_would_change_and_changes_nothing(talk: Talk) -> None:
    """For how many readers, how healthy both variants are, and what to type."""
    on_gpt(talk)
    answer = await talk.asks(talk.house.ana, f"/fallback plan {FLAG} gpt 25%")

    assert answer == (
        "Plan for support chat; nothing was changed. Now: everybody gets claude. "
        "Then: 25 % get gpt (about 50 of 200 readers); the others get claude. "
        "Claude API is operational; OpenAI API is operational. "
        f"To do it: /fallback engage {FLAG} gpt 25% REASON"
    )
    assert set() == on_gpt(talk)


async def test_growing_share_moves_no_reader_twice(on_a_quarter: Talk) -> None:
    """The channel is told who moved how many, and why."""
    quarter = on_gpt(on_a_quarter)
    answer = await on_a_quarter.asks(on_a_quarter.house.bob, f"/fallback ramp {FLAG} 50 quality is fine")
    await on_a_quarter.house.quiet()

    assert (
        "50 % of support chat gets gpt now, the others claude. This holds until somebody changes it or claude fails." == answer
    )
    assert quarter < on_gpt(on_a_quarter)
    line = on_a_quarter.shows(on_a_quarter.said("ops", "50 %")[-1])
    assert line.startswith("50 % of support chat is on gpt (by @bob); it was 25 %.\nWhy: quality is fine.")


async def test_share_survives_a_restart(on_a_quarter: Talk) -> None:
    """The same readers, and the same share in the status."""
    before = on_gpt(on_a_quarter)
    await on_a_quarter.house.stop()
    await on_a_quarter.house.start()

    assert before == on_gpt(on_a_quarter)
    assert "25 % on gpt" in await on_a_quarter.asks(on_a_quarter.house.bob, "/fallback status")


async def test_alert_says_that_only_a_share_is_served(on_a_quarter: Talk) -> None:
    """The pin keeps rules from switching the rest: three quarters fail with Claude."""
    await on_a_quarter.asks(on_a_quarter.house.ana, f"/fallback pin {FLAG} we measure")
    await on_a_quarter.house.fails("anthropic.api")
    await on_a_quarter.house.quiet()

    assert "Support chat is failing. 75 % of it is on claude, 25 % on gpt." in on_a_quarter.alert()


async def test_halted_hand_back_goes_on_with_a_button(outage: Talk) -> None:
    """The message about the halt has the button."""
    await outage.house.passes(minutes=10)
    await outage.house.recovers("anthropic.api")
    await outage.house.quiet()
    await outage.presses(outage.house.ana, "Send 10 % back to claude", channel=CHANNEL)
    answer = await outage.asks(outage.house.bob, f"/fallback hold {FLAG} we watch it first")
    assert f"Support chat stays as it is: 10 % on its default. To continue: /fallback resume {FLAG}" == answer
    await outage.house.passes(minutes=12)
    assert "90 % on gpt, halted there" in await outage.asks(outage.house.bob, "/fallback status")

    answer = await outage.presses(outage.house.ana, "Go on switching back", channel=CHANNEL)
    assert "Switching support chat back continues, from 10 %." == answer
    await outage.house.passes(minutes=6)
    await outage.house.quiet()
    assert outage.said(CHANNEL, "25 % of support chat is back on claude")


async def test_expiring_switch_can_be_kept_with_a_button(on_a_quarter: Talk) -> None:
    """#ops is asked before the switch expires, and one press extends it."""
    await on_a_quarter.house.passes(minutes=105)
    await on_a_quarter.house.quiet()
    asked = on_a_quarter.shows(on_a_quarter.said("ops", "Keep it for longer")[-1])
    assert "Support chat is on gpt until 14:01" in asked

    await on_a_quarter.presses(on_a_quarter.house.ana, "Keep it 4 h longer", channel="ops")
    await on_a_quarter.house.quiet()
    assert 1 == len(await on_a_quarter.facts(Extended))
    assert on_a_quarter.said("ops", "Support chat stays on gpt until 18:01")
    await on_a_quarter.house.passes(minutes=20)
    await on_a_quarter.house.quiet()
    assert not on_a_quarter.said("ops", "longer than planned")


async def test_pin_is_shown_wherever_a_switch_is_offered(outage: Talk) -> None:
    """In the status and on the card; and no rule hands back."""
    await outage.asks(outage.house.ana, f"/fallback pin {FLAG} gpt we test the prompts")
    await outage.house.quiet()

    assert "📌 Pinned since 12:03 UTC (by @ana): no rule moves it." in await outage.asks(outage.house.bob, "/fallback status")
    assert "📌 pinned (by @ana)" in outage.card(CHANNEL)
    await outage.house.passes(minutes=10)
    await outage.house.recovers("anthropic.api")
    await outage.house.passes(minutes=10)
    await outage.house.quiet()
    assert not outage.said(CHANNEL, "back to claude?")
    assert "Support chat is no longer pinned." in await outage.asks(outage.house.bob, f"/fallback unpin {FLAG}")


async def test_freeze_turns_automatic_switches_into_questions(talk: Talk) -> None:
    """The alert has the question with a button; ending the freeze switches at once."""
    frozen = await talk.asks(talk.house.ana, "/fallback freeze the board lies")
    assert "Automation of all flags is frozen: rules only ask. Undo: /fallback thaw" == frozen
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()
    assert set() == on_gpt(talk)
    assert "❄️ Automation of flags is frozen (since 12:01 UTC, by @ana): nothing switches by itself." in talk.alert()
    assert talk.said(CHANNEL, "Why: Claude API is down, and automation is frozen by ana.")

    await talk.asks(talk.house.bob, "/fallback thaw it is repaired")
    assert set(READERS) == on_gpt(talk)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ramp support chat", f"Which share is to be on the fallback? Such as /fallback ramp {FLAG} 50%."),
        (f"ramp {FLAG} 50%", "Support chat serves its default; switch it first."),
        (f"extend {FLAG}", f"By how long? Such as /fallback extend {FLAG} 2h."),
        (f"extend {FLAG} 2x", "2x is not a duration. Write 30m, 2h or 1d."),
        (f"unpin {FLAG} now", f"now is one word too many after {FLAG}. Nothing was changed."),
        (f"unpin {FLAG}", "Support chat is not pinned."),
        (f"pin {FLAG} gtp", f"{FLAG} has no variant gtp. Did you mean gpt?"),
        (f"engage {FLAG} gpt 0% test", "A share is 1 to 100 %."),
        ("thaw", "Automation of flags is not frozen."),
        (f"plan {FLAG} claude", "It cannot be switched: claude is the default of support chat."),
    ],
)
async def test_mistyped_steering_command_changes_nothing(talk: Talk, words: str, expected: str) -> None:
    """The reply says what to type."""
    assert expected in await talk.asks(talk.house.ana, f"/fallback {words}")


async def test_person_who_may_not_switch_may_ask_for_a_plan(empty_house: House) -> None:
    """Viewing needs a lower level than acting."""
    house = empty_house
    house.changes = {"people": {**settings(house.workspace, house.vendor).get("people", {}), "commanders": [house.ana.id]}}
    await house.start()
    await house.passes(minutes=1)
    talk = Talk(house)

    assert "nothing was changed" in await talk.asks(house.bob, f"/fallback plan {FLAG}")
    assert "commanders" in await talk.asks(house.bob, f"/fallback pin {FLAG}")
