"""An incident's facts as people read them: rows of plain English. Durations are in `durations`.

Each family of facts has its sentences in a file beside this one. Rows contain no markup, and foreign text unescaped; whoever
shows them escapes it. Times are UTC.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import ActorKind
from bot.core.record.entry_facts import MessageAdded
from bot.core.record.fact import Body, Evidenced, Fact, OfComponent, OfComponents, Reasoned
from bot.core.record.kinds import BODIES
from bot.core.record.provider_facts import NoticeSeen
from bot.timeline import (
    components,
    course,
    drills,
    effects,
    entries,
    flags,
    incident,
    itself,
    paging,
    providers,
    rehearsals,
    sinks,
    tasks,
)
from bot.timeline.words import evidence, more_than_who

FAMILIES = (incident, course, drills, entries, tasks, paging, flags, rehearsals, sinks, components, providers, effects, itself)


@dataclass(frozen=True)
class Change:
    """A change of an entry by people: `how` (`corrected by ana`), when, and its text or time before."""

    how: str
    at: datetime
    was: str = ""
    was_at: datetime | None = None


@dataclass(frozen=True)
class Row:
    """One line of a timeline.

    `seq` counts rows from 1; `stream` and `fact_seq` identify the fact in the ledger. `source` is who knew about it: `probe`,
    `vendor`, `alert`, `person` (including operators), `rule` or `slack`. `component` holds ids, separated by commas. `text`
    ends with the lines of `evidence`. `links` are names with addresses. In `bot.timeline.story`, `entry` identifies what
    people may correct, and `changes` what they changed.
    """

    seq: int
    at: datetime
    kind: str
    who: str
    source: str
    text: str
    component: str
    reason: str
    stream: str
    fact_seq: int
    links: tuple[tuple[str, str], ...] = ()
    evidence: tuple[str, ...] = ()
    entry: int = 0
    changes: tuple[Change, ...] = ()

    @property
    def sentence(self) -> str:
        """The text with its reason."""
        return f"{self.text}: {self.why}" if self.why else self.text

    @property
    def brief(self) -> str:
        """The text without its evidence."""
        return self.text.removesuffix(evidence(self.evidence))

    @property
    def why(self) -> str:
        """The reason for people, without repeating who it was; json and csv have it as recorded."""
        return more_than_who(self.reason, self.who)

    @property
    def bookkeeping(self) -> bool:
        """Whether the story for people leaves it out; json and csv include it, marked."""
        return BODIES[self.kind].BOOKKEEPING


def rows(facts: Sequence[Fact], names: Mapping[str, str] | None = None) -> list[Row]:
    """Every fact as a row, in the given order; `names` maps ids of components and providers to display names."""
    known = names or {}
    return [
        Row(
            seq=n, at=fact.at, kind=fact.kind, who=fact.actor.name or fact.actor.id, source=_source(fact),
            text=_text(fact, known), component=_component(fact.body), stream=fact.stream, fact_seq=fact.seq,
            reason=fact.body.reason if isinstance(fact.body, Reasoned) else "",
            links=entries.links(fact.body.message) if isinstance(fact.body, MessageAdded) else (),
            evidence=fact.body.evidence if isinstance(fact.body, Evidenced) else (),
        )
        for n, fact in enumerate(facts, 1)
    ]  # fmt: skip


def _source(fact: Fact) -> str:
    """Who knew about it: as its kind says, else the actor. An operator counts as a person."""
    return fact.body.SOURCE or (ActorKind.PERSON if fact.actor.kind is ActorKind.OPERATOR else fact.actor.kind)


def _component(body: Body) -> str:
    match body:
        case NoticeSeen(notice=notice):
            return ",".join(notice.components)
        case OfComponents(components=components):
            return ",".join(components)
        case OfComponent(component=component):
            return component
    return ""


def _text(fact: Fact, names: Mapping[str, str]) -> str:
    said = (family.sentence(fact, names) for family in FAMILIES)
    return next(filter(None, said), fact.kind)
