"""Who outside of an incident is told of it, when, and of what."""

from dataclasses import replace

import pytest

from bot.core import signals as s
from bot.core.effects import About, EditBroadcast, EffectBody, PostBroadcast, PostLine, ReplyBroadcast
from bot.core.model import Actor, Level, Phase, Severity
from bot.core.policy import BroadcastPolicy
from bot.core.record.incident import Post
from bot.core.record.incident_facts import UpdateWritten
from bot.core.record.room.room_facts import BroadcastBegun
from bot.core.record.standing import FoundPieces
from tests.desk import ANA, Table, policy, told

OUTBOX = Actor.rule("outbox")
HIGH = BroadcastPolicy("#stakeholders", frozenset({Severity.SEV1, Severity.SEV2}))
TOP = BroadcastPolicy("#board", frozenset({Severity.SEV1}), full=True)


def down(*entries: BroadcastPolicy) -> Table:
    """Claude is down, a SEV2."""
    table = Table(replace(policy(), broadcast=entries or (HIGH, TOP))).all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


def posted(table: Table, to: str = "#stakeholders") -> None:
    """Its message stands."""
    key = PostBroadcast(to).key(About("incident/1", 1, 1))
    table.send(s.EffectDone(
        actor=OUTBOX, id=f"done/{key}", key=key, kind=PostBroadcast, incident=1, body=PostBroadcast(to), channel="C0ALL",
        ts="9.1",
    ))  # fmt: skip


def refused(table: Table, body: EffectBody, key: str) -> None:
    reason = "the channel is archived: unarchive it in Slack (a bot cannot)"
    table.send(s.EffectRefused(
        actor=OUTBOX, id=f"refused/{key}", key=key, kind=type(body), incident=1, body=body, stream="incident/1", seq=1,
        reason=reason,
    ))  # fmt: skip


def severity(table: Table, to: Severity) -> None:
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=to, reason="we looked again"))


def test_an_incident_is_told_where_its_severity_concerns_people() -> None:
    """Once, under a key that is unique for ever."""
    table = down()
    table.passes(130)

    assert ["INC-1/broadcast/#stakeholders"] == table.effects(PostBroadcast)


def test_one_that_is_raised_is_told_then() -> None:
    """In the channels that the new severity concerns."""
    table = down()
    severity(table, Severity.SEV1)

    assert ["INC-1/broadcast/#stakeholders", "INC-1/broadcast/#board"] == table.effects(PostBroadcast)
    assert [BroadcastBegun("#stakeholders"), BroadcastBegun("#board")] == table.kinds(BroadcastBegun)


def test_one_that_is_lowered_is_kept_true_and_not_told_twice() -> None:
    """Whoever read it once wants to know how it goes on."""
    table = down()
    severity(table, Severity.SEV4)
    lowered = table.steps[-1]
    severity(table, Severity.SEV2)

    assert [EditBroadcast("#stakeholders")] == [one.body for one in lowered.effects if isinstance(one.body, EditBroadcast)]
    assert 1 == len(table.effects(PostBroadcast))


def test_what_a_person_writes_is_a_reply_and_what_the_bot_writes_is_not() -> None:
    """The message itself shows what the bot knows."""
    table = down(HIGH)
    posted(table)
    table.passes(61)
    own = len(table.effects(ReplyBroadcast))
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We serve from the fallback"))

    assert 0 == own
    assert 1 == len(table.effects(ReplyBroadcast))


@pytest.mark.parametrize(("phase", "reason"), [(Phase.RESOLVED, "over"), (Phase.CANCELED, "drill")])
def test_the_end_and_a_reopening_are_replies(phase: Phase, reason: str) -> None:
    """In the same lane as the edit, so that they come in order."""
    table = down(HIGH)
    posted(table)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=phase, reason=reason, force=True))
    ended = table.steps[-1]
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.INVESTIGATING, reason="not over"))

    lanes = [(type(one.body), one.lane) for one in ended.effects if one.lane.startswith("broadcast/")]
    assert [(EditBroadcast, "broadcast/1/#stakeholders"), (ReplyBroadcast, "broadcast/1/#stakeholders")] == lanes
    assert (2 if phase is Phase.RESOLVED else 1) == len(table.effects(ReplyBroadcast))


def test_what_is_over_when_it_is_declared_is_not_told() -> None:
    """Nobody has to be alarmed of yesterday."""
    table = Table(replace(policy(), broadcast=(HIGH,))).all_well()
    began, ended = table.now.replace(hour=9), table.now.replace(hour=10)
    table.send(s.Declare(actor=ANA, title="It was slow", began_at=began, ended_at=ended))

    assert [] == table.effects(PostBroadcast)


def test_what_slack_does_not_take_is_said_once_for_each_channel() -> None:
    """And the message is left alone from then on."""
    table = down(HIGH)
    refused(table, PostBroadcast("#stakeholders"), "INC-1/broadcast/#stakeholders")
    refused(table, EditBroadcast("#stakeholders"), "INC-1/broadcast/#stakeholders/incident/1/9")
    before = len(table.effects(EditBroadcast))
    severity(table, Severity.SEV1)

    said = {key for key in table.effects(PostLine) if "broadcast" in key}
    assert {"given-up/INC-1/broadcast/#stakeholders"} == said
    assert before == len(table.effects(EditBroadcast))


def test_a_repair_tells_a_channel_again_that_took_nothing() -> None:
    """Its message first, then what was said under it; from then on it is kept true again."""
    table = down(HIGH)
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="We look into it"))
    written = next(fact for fact in table.facts if isinstance(fact.body, UpdateWritten))
    refused(table, PostBroadcast("#stakeholders"), "INC-1/broadcast/#stakeholders")
    refused(table, ReplyBroadcast("#stakeholders"), f"INC-1/broadcast/#stakeholders/reply/{written.stream}/{written.seq}")
    done = table.send(s.Repair(actor=ANA, incident=1, found=FoundPieces(table.incident().room, table.incident().repairs)))
    again = next(one for one in done.effects if type(one.body) is PostBroadcast)
    table.send(s.EffectDone(
        actor=OUTBOX, key=again.key, kind=PostBroadcast, incident=1, body=again.body, channel="C0ALL", ts="1.2",
        stream=again.stream, seq=again.seq,
    ))  # fmt: skip

    lane = [type(one.body) for one in done.effects if one.lane == "broadcast/1/#stakeholders"]
    assert [PostBroadcast, ReplyBroadcast, EditBroadcast] == lane
    assert "telling the broadcast channels again." in told(done.answer)
    assert Post("C0ALL", "1.2") == table.incident().broadcasts["#stakeholders"]


def test_nobody_is_told_where_nobody_is_configured() -> None:
    """As before there was a broadcast."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)

    assert [] == table.kinds(BroadcastBegun)
