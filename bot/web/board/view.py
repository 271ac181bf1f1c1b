"""The content of the board, from the committed world; templates only lay it out. Everything here is plain text."""

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.core.decide.cadence import next_update_at
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Level, Phase
from bot.core.policy import ComponentPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.views.component_messages import held_words
from bot.views.flags.serving import frozen_line
from bot.views.in_short import customers_of, lead_words
from bot.views.names import blame, page_words
from bot.views.text import capital, count, is_web, plain, span, spoken, stop, utc, words
from bot.web.board.charts import Bars, Lines, bars, duration, lines
from bot.web.board.history import DAY, HOUR, PastLatency

MOST_NAMED = 8
MOST_PAST = 15
LONGEST_NAME, IN_A_ROW = 120, 60
MENTION = re.compile(r"<@([A-Z0-9]{1,40})>")


@dataclass(frozen=True)
class IncidentLine:
    """One incident as a line that links to its timeline."""

    number: int
    name: str
    title: str
    drill: bool
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Headline:
    """The problems of one provider: them or us, whether customers are served, and who works on it."""

    level: str
    what: str
    since: datetime | None
    lasts: str
    sentences: tuple[str, ...]
    incidents: tuple[IncidentLine, ...]


@dataclass(frozen=True)
class ComponentLine:
    """One component: its state, the reason unless it is simply well, and its history."""

    name: str
    level: str
    since: datetime | None
    reason: str
    beside: tuple[str, ...]
    on_record: ComponentState | None
    day: Bars
    days: Bars
    lines: Lines | None
    latency: str


@dataclass(frozen=True)
class ProviderGroup:
    """A provider's components, worst first, and what its own page says."""

    name: str
    page: str
    page_url: str
    components: tuple[ComponentLine, ...]


@dataclass(frozen=True)
class View:
    """The whole board, except flags."""

    headlines: tuple[Headline, ...]
    calm: str  # instead of headlines: that all is well, or what is known
    calm_level: str
    rest: str  # after the headlines: the state of all others
    others: tuple[IncidentLine, ...]  # open incidents without a headline
    frozen: str
    groups: tuple[ProviderGroup, ...]
    past: tuple[IncidentLine, ...]
    any_incident: bool  # ever, however long ago

    @property
    def in_short(self) -> str:
        """The page's title."""
        return "; ".join(one.what for one in self.headlines) or self.calm.rstrip(".") or "No components"


def view(world: World, policy: Policy, now: datetime, on_record: Mapping[str, ComponentState], past: PastLatency) -> View:
    """The board's content, from one state of the world and the known history."""
    names = _Names(world, policy)
    groups = sorted(names.by_provider.items(), key=lambda item: -max(_rank(world, c) for c in item[1]))
    headlines = [_headline(bad, world, policy, names, now) for _, own in groups if (bad := _bad(own, world))]
    told = {line.number for one in headlines for line in one.incidents}
    calm, level = _calm(world, policy, names)
    return View(
        headlines=tuple(headlines),
        calm="" if headlines else calm,
        calm_level=level,
        rest=_rest(world, policy, names) if headlines else "",
        others=tuple(_open(i, policy, names, now) for i in world.open_incidents() if i.number not in told),
        frozen=names.plainly(frozen_line(world, now)),
        groups=tuple(_group(id, own, world, policy, names, now, on_record, past) for id, own in groups),
        past=tuple(_over(incident, now) for incident in _ended(world)),
        any_incident=bool(world.last_incident),
    )


def lines_of(incidents: Sequence[Incident], world: World, policy: Policy, now: datetime) -> list[IncidentLine]:
    """Each of these incidents in a line, open or over."""
    names = _Names(world, policy)
    return [_open(one, policy, names, now) if one.phase.open else _over(one, now) for one in incidents]


def unmarked(mrkdwn: str) -> str:
    """Text worded for Slack, without mentions, as plain text."""
    return html.unescape(spoken(mrkdwn).replace("`", ""))


class _Names:
    """Names of things and people for a page, without mentions or markup."""

    def __init__(self, world: World, policy: Policy) -> None:
        self._often = Counter(one.name for one in policy.components.values())
        self._people = {a.id: a.name for f in world.flags.values() if f.engagement and (a := f.engagement.actor)}
        self._people |= {a.id: a.name for c in world.components.values() if c.mute and (a := c.mute.by)}
        self._people |= {a.id: a.name for a in [world.freeze.by] if a}
        self.by_provider: dict[str, list[ComponentPolicy]] = {}
        for one in policy.components.values():
            self.by_provider.setdefault(one.provider, []).append(one)

    def of(self, one: ComponentPolicy) -> str:
        """The component's name, with its provider's if two have the same name."""
        name = one.name if self._often[one.name] == 1 else f"{one.provider_name} {one.name}"
        return plain(name, LONGEST_NAME)

    def listed(self, some: Sequence[ComponentPolicy]) -> str:
        return words([plain(self.of(one), IN_A_ROW) for one in some], most=MOST_NAMED)

    def plainly(self, mrkdwn: str) -> str:
        """Text worded for Slack, as plain text."""
        return unmarked(MENTION.sub(lambda match: plain(self._people.get(match[1], "somebody"), 80), mrkdwn))


def _headline(bad: Sequence[ComponentPolicy], world: World, policy: Policy, names: _Names, now: datetime) -> Headline:
    ids = [one.id for one in bad]
    began = min((at for id in ids if (at := since(world.component(id)))), default=None)
    levels = sorted({world.component(id).level for id in ids}, key=lambda level: -level.rank)
    groups = [(level, [one for one in bad if world.component(one.id).level is level]) for level in levels]
    what = ", ".join(f"{names.listed(some)} {'is' if len(some) == 1 else 'are'} {level}" for level, some in groups)
    found = (customers_of(flag, world, policy, now) for flag in policy.flags.values() if set(ids) & set(flag.depends_on))
    customers = [said for _, said in sorted((one for one in found if one), key=lambda one: one[0])]
    sentences = [names.plainly(said) for said in (blame(ids, bad[0].provider, world, policy), *customers) if said]
    concerned = {i.number: i for id in ids if (i := world.concerned(id))}
    lines = tuple(_open(i, policy, names, now, titled=False) for _, i in sorted(concerned.items()))
    lasts = span(now - began) if began else ""
    return Headline(levels[0].value, what, began, lasts, tuple(sentences), lines)


def since(state: ComponentState) -> datetime | None:
    """Since when it has its current state: by the evidence, or else by the verdict."""
    return state.began_at or state.since


def _calm(world: World, policy: Policy, names: _Names) -> tuple[str, str]:
    every = len(policy.components)
    unknown = _unknown(world, policy)
    if not every:
        return "", Level.UNKNOWN.value
    if not unknown:
        return ("The only component is" if every == 1 else f"All {every} components are") + " operational.", "operational"
    if len(unknown) == every:
        return "Nothing is known of any component yet.", Level.UNKNOWN.value
    well = every - len(unknown)
    verb = "is" if well == 1 else "are"
    return f"{well} of {every} components {verb} operational. Nothing is known of {names.listed(unknown)}.", "unknown"


def _rest(world: World, policy: Policy, names: _Names) -> str:
    well = sum(world.component(id).level is Level.OPERATIONAL for id in policy.components)
    unknown = _unknown(world, policy)
    said = [f"{count(well, 'other component is', 'other components are')} operational."] if well else []
    return " ".join([*said, *([f"Nothing is known of {names.listed(unknown)}."] if unknown else [])])


def _unknown(world: World, policy: Policy) -> list[ComponentPolicy]:
    return [one for id, one in policy.components.items() if world.component(id).level is Level.UNKNOWN]


def _bad(own: Sequence[ComponentPolicy], world: World) -> list[ComponentPolicy]:
    return [one for one in own if world.component(one.id).level.bad]


def _rank(world: World, one: ComponentPolicy) -> int:
    return world.component(one.id).level.rank


def _group(
    provider: str, own: Sequence[ComponentPolicy], world: World, policy: Policy, names: _Names, now: datetime,
    on_record: Mapping[str, ComponentState], past: PastLatency,
) -> ProviderGroup:  # fmt: skip
    url = next((one.page_url for one in own if is_web(one.page_url)), "")
    read = bool(url or world.provider(provider).notices)
    page = names.plainly(page_words(provider, list(world.provider(provider).notices), world, policy)) if read else ""
    ordered = sorted(own, key=lambda one: -_rank(world, one))
    bad = _bad(own, world)  # a headline for a single component already says since when
    found = tuple(
        _component(one, world, names, now, on_record.get(one.id), past, alone=bad == [one]) for one in ordered
    )  # fmt: skip
    return ProviderGroup(plain(own[0].provider_name, LONGEST_NAME), page, url, found)


def _component(
    one: ComponentPolicy, world: World, names: _Names, now: datetime, held: ComponentState | None, past: PastLatency, *,
    alone: bool,
) -> ComponentLine:  # fmt: skip
    state, level = world.component(one.id), world.component(one.id).level
    well = level is Level.OPERATIONAL
    began = None if well or alone else since(state)
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [found.get(one.id) if found else None for found in past.hours]
    days = [found.get(one.id) if found else None for found in past.days]
    picture = past.day.get(one.id)
    latency = ""
    if picture and picture.p50_ms is not None and picture.p95_ms is not None:
        latency = f"p50 {duration(picture.p50_ms)}, p95 {duration(picture.p95_ms)}"
    return ComponentLine(
        name=plain(one.name, LONGEST_NAME), level=level.value, since=began,
        reason="" if well else stop(capital(plain(state.reason, 300))),
        beside=tuple(stop(capital(names.plainly(said))) for said in held_words(state, now)),
        on_record=held,
        day=bars(hours, hour, HOUR, level),
        # One bad hour does not make the day down: what is down now makes it degraded, until the roll-ups say more.
        days=bars(days, hour.replace(hour=0), DAY, Level.DEGRADED if level.bad else level),
        lines=lines(hours), latency=latency,
    )  # fmt: skip


def _open(incident: Incident, policy: Policy, names: _Names, now: datetime, *, titled: bool = True) -> IncidentLine:
    due = next_update_at(incident, policy)
    facts = [incident.severity.value, incident.phase.value]
    if incident.mitigation and incident.phase is not Phase.MITIGATED:
        facts.append(f"mitigated since {utc(incident.mitigation.at, now)}")
    facts += [f"since {utc(incident.began_at, now)}"] if titled else []
    facts.append(names.plainly(lead_words(incident)))
    facts += [f"next update by {utc(due, now)}"] if due else []
    title = plain(incident.title, 150) if titled else ""
    return IncidentLine(incident.number, incident.name, title, incident.drill is not None, tuple(facts))


def _over(incident: Incident, now: datetime) -> IncidentLine:
    end = incident.ending.at or incident.began_at
    facts = (
        incident.severity.value, f"{incident.began_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", span(end - incident.began_at),
        incident.phase.value,
    )  # fmt: skip
    return IncidentLine(incident.number, incident.name, plain(incident.title, 150), incident.drill is not None, facts)


def _ended(world: World) -> list[Incident]:
    """The newest finished incidents in memory, which keeps them for thirty days."""
    over = [one for one in world.incidents.values() if one.ending.at and not one.phase.open]
    return sorted(over, key=lambda one: (one.ending.at, one.number), reverse=True)[:MOST_PAST]
