"""Lost alerts, cards and channels: posted again once, and reported where people look."""

import pytest

from bot.core import signals as s
from bot.core.answers import base
from bot.core.answers.base import Answer
from bot.core.decide.draft import Step
from bot.core.effects import EffectBody, OpenChannel, PinCard, PostAlert, PostCard, PostLine, PostRefusal, TellPerson
from bot.core.model import Level, Phase
from bot.core.record.room.room_facts import ChannelRefused, PostGone
from tests.desk import ANA, RULE, Table, Written

POSTS = (PostAlert, PostCard, PinCard)


def posted() -> Table:
    """An incident whose alert stands in the ops channel, and whose card stands in a channel of its own."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    done(table, OpenChannel, "C7", "")
    done(table, PostAlert, "COPS", "1.1")
    done(table, PostCard, "C7", "2.1")
    return table


def done(table: Table, kind: type[EffectBody], channel: str, ts: str) -> None:
    table.send(s.EffectDone(actor=RULE, key="k", kind=kind, incident=1, channel=channel, ts=ts, name="inc-1"))


def lost(table: Table, what: type[EffectBody], ts: str, *, with_channel: bool = False) -> Step:
    signal = s.PostLost(actor=RULE, incident=1, what=what, ts=ts, reason="message_not_found", with_channel=with_channel)
    return table.send(signal)


def sent(step: Step) -> list[EffectBody]:
    return [effect.body for effect in step.effects if isinstance(effect.body, POSTS)]


def test_deleted_alert_is_posted_again() -> None:
    """Ops must not lose sight of an incident."""
    assert [PostAlert(2)] == sent(lost(posted(), PostAlert, "1.1"))


def test_deleted_card_is_posted_and_pinned_again() -> None:
    """The pin went with it."""
    assert [PostCard(2), PinCard(2)] == sent(lost(posted(), PostCard, "2.1"))


def test_deletion_of_the_alert_is_recorded_with_its_position() -> None:
    """The record says that it is posted again, and why."""
    table = posted()
    lost(table, PostAlert, "1.1")

    assert [Written(PostGone("alert.post", "COPS", "1.1", "message_not_found", again=True), 1, RULE)] == (
        table.written(PostGone)
    )


def test_deletion_of_the_card_is_recorded_with_its_position() -> None:
    """In its own channel."""
    table = posted()
    lost(table, PostCard, "2.1")

    assert [Written(PostGone("card.post", "C7", "2.1", "message_not_found", again=True), 1, RULE)] == (table.written(PostGone))


def test_post_deleted_twice_is_not_posted_again() -> None:
    """Somebody means it."""
    table = posted()
    lost(table, PostAlert, "1.1")
    done(table, PostAlert, "COPS", "1.2")

    assert [] == sent(lost(table, PostAlert, "1.2"))


def test_post_lost_with_its_channel_is_posted_again_each_time() -> None:
    """Nobody deleted it: the channel was archived, a second time."""
    table = posted()
    lost(table, PostCard, "2.1")
    done(table, PostCard, "COPS", "2.2")

    assert [PostCard(3), PinCard(3)] == sent(lost(table, PostCard, "2.2", with_channel=True))


def test_deleted_post_of_an_ended_incident_is_not_posted_again() -> None:
    """Nor if its channel is archived as well."""
    table = posted()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))

    assert [] == sent(lost(table, PostAlert, "1.1", with_channel=True))


def test_late_deletion_of_a_replaced_post_is_ignored() -> None:
    """The current one is another message."""
    table = posted()

    assert base.KnownAlready(incident=1) == lost(table, PostAlert, "1.0").answer


def test_lost_alert_does_not_affect_the_card() -> None:
    """Each has its own place: the card's moment is no alert's."""
    assert base.KnownAlready(incident=1) == lost(posted(), PostAlert, "2.1").answer


def test_lost_post_is_answered_to_the_outbox() -> None:
    """The answer goes to the outbox."""
    assert base.Noted(incident=1, changed=True) == lost(posted(), PostAlert, "1.1").answer


# --- the channel


def channel_lost(table: Table) -> Answer:
    return table.send(s.ChannelLost(actor=RULE, incident=1, reason="is_archived")).answer


def test_lost_channel_is_reported_in_ops() -> None:
    """The incident goes on in the alert's thread."""
    table = posted()
    channel_lost(table)

    assert PostRefusal() in [effect.body for effect in table.steps[-1].effects]


def test_lost_channel_is_recorded_with_its_reason() -> None:
    """Archived, deleted, or the bot was removed."""
    table = posted()
    channel_lost(table)

    assert [Written(ChannelRefused("is_archived", "C7"), 1, RULE)] == table.written(ChannelRefused)


def test_loss_of_a_channel_is_recorded_once() -> None:
    """Although each post to it fails."""
    table = posted()
    channel_lost(table)

    assert base.KnownAlready(incident=1) == channel_lost(table)


def test_lost_channel_is_answered_to_the_outbox() -> None:
    """The answer goes to the outbox."""
    assert base.Noted(incident=1, changed=True) == channel_lost(posted())


def test_declarer_is_told_that_there_is_no_channel() -> None:
    """In a direct message, because they wait for it."""
    table = Table()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))
    step = table.send(s.EffectRefused(actor=RULE, key="k", kind=OpenChannel, incident=1, reason="restricted_action"))

    assert TellPerson(ANA.id) in [effect.body for effect in step.effects]


def test_missing_channel_of_a_rules_incident_is_reported_in_ops_only() -> None:
    """A rule reads no direct messages; ops are told."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    step = table.send(s.EffectRefused(actor=RULE, key="k", kind=OpenChannel, incident=1, reason="restricted_action"))

    assert TellPerson not in [type(effect.body) for effect in step.effects]


@pytest.mark.parametrize(
    ("again", "answer"), [(False, base.Noted(incident=1, changed=True)), (True, base.KnownAlready(incident=1))]
)
def test_taken_channel_name_is_handled_once(again: bool, answer: Answer) -> None:
    """A second report finds the next name recorded already."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    taken = s.NameTaken(actor=RULE, incident=1, name=table.incident().room.name)
    if again:
        table.send(taken)

    assert answer == table.send(taken).answer


def test_each_lost_line_is_reported() -> None:
    """Only failing edits in place are reported once."""
    table = posted()
    steps = [
        table.send(s.EffectRefused(actor=RULE, key=key, kind=PostLine, incident=1, reason="is_archived"))
        for key in ("INC-1/line/1", "INC-1/line/2")
    ]

    assert 2 == len({effect.key for step in steps for effect in step.effects if isinstance(effect.body, PostLine)})
