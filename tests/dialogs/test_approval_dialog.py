"""A switch that needs approval: who may approve, how many approvals it takes, a rejection, and no answer at all."""

import pytest

from bot.core.record.steering.steering_facts import AnswerOverdue, SwitchApproved
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, settings

CHANNEL = "inc-20260320-0001-claude"
YES, NO = "Switch support chat to gpt", "Leave support chat as it is"


async def asked(house: House, **flag: object) -> Talk:
    """The Claude API fails, and automation proposes a switch to GPT."""
    flags = settings(house.workspace, house.vendor)["flags"]
    flags[FLAG] |= {"automation": "propose", **flag}
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


async def test_only_approvers_may_approve(empty_house: House) -> None:
    """The message mentions the approvers; anyone else who presses is told who may, and the button stays."""
    talk = await asked(empty_house, approvers=[empty_house.ana.id])
    assert "May answer: @ana" in talk.shows(talk.said(CHANNEL, "switch to gpt?")[-1])

    refused = await talk.presses(talk.house.bob, YES, channel=CHANNEL)
    assert f"Only the approvers of {FLAG} may answer that: @ana. Nothing was changed." == refused
    assert "claude" == serving(talk)
    await talk.presses(talk.house.ana, YES, channel=CHANNEL)
    assert "gpt" == serving(talk)


async def test_two_approvals_are_counted_over_a_restart(empty_house: House) -> None:
    """The message shows who approved first and keeps its button for the second approval, also after a restart."""
    talk = await asked(empty_house, quorum=2)
    first = await talk.presses(talk.house.ana, YES, channel=CHANNEL, message_containing="Nothing is switched yet")
    await talk.house.quiet()
    assert "Your yes counts: 1 of 2. Nothing switches until 2 people say yes." == first
    assert "claude" == serving(talk)
    proposal = talk.shows(talk.said(CHANNEL, "switch to gpt?")[-1])
    assert f"[{YES}]" in proposal
    assert f"“{YES}” was pressed by @ana" in proposal
    assert "waits for another yes (1 of 2 given)" in talk.alert()

    await talk.house.stop()
    await talk.house.start()
    again = await talk.presses(talk.house.ana, YES, channel=CHANNEL, message_containing="Nothing is switched yet")
    assert "You have already said yes: 1 of 2. Somebody else must say it too." == again
    await talk.presses(talk.house.bob, YES, channel=CHANNEL, message_containing="Nothing is switched yet")
    assert ("gpt", 2) == (serving(talk), len(await talk.facts(SwitchApproved)))


@pytest.mark.parametrize("typed", [False, True])
async def test_rejection_is_announced_and_ends_the_proposal(empty_house: House, typed: bool) -> None:
    """By a button or by typing; an approval that comes later is answered with the current state."""
    talk = await asked(empty_house)
    ana, bob = talk.house.ana, talk.house.bob
    said = await (talk.asks(ana, f"/fallback reject {FLAG} we look first") if typed else talk.presses(ana, NO, channel=CHANNEL))
    await talk.house.quiet()

    assert said.startswith("Support chat stays as it is; no rule asks again until its default has recovered.")
    assert talk.said(CHANNEL, "Support chat is not switched to gpt (by @ana).")
    late = await talk.asks(bob, f"/fallback approve {FLAG}")
    assert "That was decided in the meantime; nothing was switched." in late
    assert "claude" == serving(talk)


async def test_unanswered_proposal_keeps_paging(empty_house: House) -> None:
    """Ana has acknowledged the incident, but customers still wait: the channel and the alert's thread are reminded."""
    talk = await asked(empty_house, approve_within="3m")
    await talk.presses(talk.house.ana, "Acknowledge", channel="ops")
    await talk.house.passes(minutes=4)
    await talk.house.quiet()

    assert 1 == len(await talk.facts(AnswerOverdue))
    assert talk.said(CHANNEL, "Support chat: switch to gpt? Nobody has answered for 3 min (automatic).")
    assert any("Nobody has answered for 3 min" in reply for reply in talk.pushed())
    await talk.presses(talk.house.bob, YES, channel=CHANNEL)
    assert "gpt" == serving(talk)
