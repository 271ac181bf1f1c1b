"""Commits for tests of ledgers: small ones by hand, and a whole realistic incident from signals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core import signals as s
from bot.core.codec import encode
from bot.core.effects import EditCard, Effect, OpenChannel, PostAlert, PostLine, TellPerson
from bot.core.model import Actor, FeedReport, FeedState, Level, Notice, Phase, Severity
from bot.core.record.fact import Body
from bot.core.record.incident_facts import Declared, NoteAdded
from bot.core.record.world import World
from bot.engine.world_reading import changed_states
from bot.ports import Commit, NewFact, StateRow
from tests.desk import ANA, RULE, Table

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class OfTomorrow:
    """Replaces the body of a fact of an unknown kind or a later version."""

    KIND: str
    VERSION: int = 1


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def fact(stream: str, seq: int, body: Body | None = None, incident: int | None = None) -> NewFact:
    return NewFact(stream, seq, ANA, incident, body or NoteAdded(f"note {seq}"))


def commit(
    *facts: NewFact,
    signal: str = "",
    states: Sequence[StateRow] = (),
    effects: Sequence[Effect] = (),
    at: datetime = NOON,
) -> Commit:
    return Commit(signals=(signal,) if signal else (), at=at, facts=facts, states=tuple(states), effects=tuple(effects))


def effect(key: str, lane: str = "incident/1", slot: str = "", text: str = "") -> Effect:
    return Effect(key, lane, EditCard() if slot else TellPerson(text) if text else PostLine(), 1, "incident/1", 1, slot)


def queued(*effects: Effect, at: datetime = NOON) -> Commit:
    return commit(effects=effects, at=at)


def declared(number: int, dedup: str = "anthropic") -> Commit:
    """Open an incident, as the engine would."""
    body = Declared(
        number=number, title="Claude API is down", severity=Severity.SEV2, provider="anthropic", dedup=dedup,
        components=("anthropic.api",), began_at=NOON, reason="5 of 5 runs failed", alerts_channel="#ops",
    )  # fmt: skip
    stream = f"incident/{number}"
    state = StateRow(stream, 1, "incident", dedup, encode(body))
    return commit(
        fact(stream, 1, body, number), signal=f"declare/{number}", states=(state,), effects=(effect(f"INC-{number}"),)
    )


def an_incident() -> list[Commit]:
    """Four hours of an incident with verdicts, vendor posts, flags, people, effects and a reopening."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.passes(3)
    table.send(s.EffectDone(
        actor=RULE, key="INC-1/alert", kind=PostAlert, incident=1, channel="C0OPS", ts="1742472000.000100"
    ))  # fmt: skip
    table.send(s.EffectDone(actor=RULE, key="INC-1/channel", kind=OpenChannel, incident=1, channel="C0INC", name="inc-1"))
    table.send(FEED)
    table.send(s.Acknowledge(actor=ANA, incident=1))
    table.send(s.AddNote(actor=ANA, incident=1, text="Anfrage läuft \ud83d & <!channel> \x00"))
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="Support chat answers with the fallback."))
    table.sees("anthropic.web", Level.DEGRADED)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV1, reason="everybody is hit"))
    table.send(s.EffectRefused(actor=RULE, key="INC-1/x", kind=PostLine, incident=1, reason="channel_not_found"))
    table.passes(125)
    table.all_well()
    table.passes(60)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, reason="well for an hour", force=True))
    table.passes(5)
    table.sees("anthropic.api", Level.DOWN)
    table.passes(5)
    return commits(table)


FEED = s.FeedRead(
    actor=Actor.vendor("anthropic"),
    report=FeedReport("anthropic", NOON, FeedState.FRESH, notices=(
        Notice("anthropic", "n1", "u1", "Elevated errors", "We look.", "investigating", "major", after(60)),
        Notice("anthropic", "n1", "u2", "Elevated errors", "Found \ud800.", "identified", "major", after(120)),
    )),
)  # fmt: skip


def commits(table: Table) -> list[Commit]:
    """What the engine would have committed for the table's steps."""
    world, found = World(), []
    for number, step in enumerate(table.steps):
        if step.facts:
            found.append(Commit(
                signals=(f"signal/{number}",),
                at=step.facts[0].at,
                facts=tuple(NewFact(x.stream, x.seq, x.actor, x.incident, x.body) for x in step.facts),
                states=changed_states(world, step.world),
                effects=step.effects,
            ))  # fmt: skip
        world = step.world
    return found


def texts(facts: Sequence[Any]) -> list[str]:
    """The texts of notes."""
    return [item.body.text for item in facts]
