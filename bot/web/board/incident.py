"""The page of one incident: its state, and what happened. Everything here is plain text."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise

from bot.core.decide.cadence import next_update_at
from bot.core.lazy_dataclass import dataclass
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.timeline.rows import Row
from bot.timeline.story import story
from bot.views.in_short import customers_of, lead_words
from bot.views.incident.customers import plain_served
from bot.views.names import blame, plain_names, state_words
from bot.views.text import capital, cut, plain, span, stop, utc
from bot.web.board.rendering import moment
from bot.web.board.view import unmarked

MOST_ROWS = 500
MOST_EVIDENCE = 30  # lines
SHOWN, LONGEST = 300, 400  # characters shown before a row is folded, and the length up to which it is not folded
MOST_TEXT, MOST_OF_A_LINE = 2000, 300


@dataclass(frozen=True)
class Line:
    """One event. `rest` is the continuation of a long text; `key` identifies it permanently."""

    key: str
    text: str
    rest: str
    evidence: tuple[str, ...]
    more_evidence: int  # number of further lines
    asides: tuple[str, ...]  # who wrote it, and later changes


@dataclass(frozen=True)
class Minute:
    """The events of one minute."""

    at: datetime
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class IncidentView:
    """Its state in sentences (what fails, whose fault, whether customers are served, who works on it), and what happened.

    `level` is that of the worst failing component, empty if none fails. `more` counts the lines before those in `minutes`.
    """

    level: str
    standing: tuple[str, ...]
    lasts: str
    minutes: tuple[Minute, ...]
    more: int


def incident_view(
    incident: Incident, facts: Sequence[Fact], world: World, policy: Policy, now: datetime
) -> IncidentView:  # fmt: skip
    """The page's content, from the incident, its facts and the current world."""
    rows = story(facts, plain_names(policy))
    worst = max((one.level for one in incident.failing), key=lambda level: level.rank, default=None)
    return IncidentView(
        level=worst.value if worst and incident.phase.open else "",
        standing=_standing(incident, world, policy, now),
        lasts=span((incident.ending.at or now) - incident.began_at),
        minutes=_minutes(rows[-MOST_ROWS:]),
        more=max(len(rows) - MOST_ROWS, 0),
    )


def _standing(incident: Incident, world: World, policy: Policy, now: datetime) -> tuple[str, ...]:
    """What is broken, and its effect on customers; for a finished one in reverse order, since all is well again."""
    state = stop(capital(unmarked(state_words(incident, policy)))) if incident.affected else ""
    impact = " ".join(_impact(incident, world, policy, now))
    said = (state, impact) if incident.phase.open else (impact, state)
    return tuple(filter(None, (*said, _people(incident, policy, now))))


def _impact(incident: Incident, world: World, policy: Policy, now: datetime) -> list[str]:
    """Whose fault it is, and whether customers are served; for a finished incident only what services reported."""
    told = [stop(plain_served(incident.served, policy))] if incident.served else []
    if not incident.phase.open:
        return told
    concerned = [flag for flag in policy.flags.values() if set(incident.affected) & set(flag.depends_on)]
    customers = sorted(said for flag in concerned if (said := customers_of(flag, world, policy, now)))
    whose = blame([one.id for one in incident.failing], incident.provider, world, policy)
    return [*(unmarked(said) for said in (whose, *(said for _, said in customers)) if said), *told]


def _people(incident: Incident, policy: Policy, now: datetime) -> str:
    due = next_update_at(incident, policy)
    said = stop(capital(unmarked(lead_words(incident))))
    return f"{said} Next update by {utc(due, now)}." if due else said


def _minutes(rows: Sequence[Row]) -> tuple[Minute, ...]:
    again = {row.seq for before, row in pairwise(rows) if (row.at, row.why) == (before.at, before.why)}
    groups = (list(group) for _, group in groupby(rows, lambda row: moment(row.at)))
    return tuple(Minute(group[0].at, tuple(_line(row, row.seq not in again) for row in group)) for group in groups)


def _line(row: Row, with_reason: bool) -> Line:
    """A row of the timeline, without its reason if the row before has the same."""
    whole = plain(f"{row.brief}: {row.why}" if row.why and with_reason else row.brief, MOST_TEXT)
    shown = whole if len(whole) <= LONGEST else cut(whole, SHOWN)
    rest = whole[len(shown) - 1 :].strip() if shown != whole else ""
    by = [plain(row.who, 60)] if row.source == "person" and row.who and row.who not in row.sentence else []
    return Line(
        key=f"{row.stream}/{row.fact_seq}", text=shown, rest=rest,
        evidence=tuple(plain(one, MOST_OF_A_LINE) for one in row.evidence[:MOST_EVIDENCE]),
        more_evidence=max(len(row.evidence) - MOST_EVIDENCE, 0),
        asides=(*by, *dict.fromkeys(plain(change.how, 120) for change in row.changes)),
    )  # fmt: skip
