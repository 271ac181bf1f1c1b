"""What real requests say about a component: how fast they use up its error budget. Pure.

The multiwindow rule of the SRE workbook ("Alerting on SLOs"): a short window with a high burn rate reacts fast; a long one
with a lower rate finds slow burns, but only while the short one burns too, so that it stops when the trouble does.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.detection.verdict import TRAFFIC, SourceReport
from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Level
from bot.core.outcomes.counts import MINUTE, OTHER, Counts, MinuteCount, Route
from bot.core.outcomes.known import components_of
from bot.core.policy import BurnWindow, Policy, RealTraffic

MOST_NAMED = 2
ROUNDING = 1e-6  # so that three of a hundred counts as three per cent


@dataclass(frozen=True)
class _Window:
    """The counts within one window."""

    counts: Counts
    first_bad: datetime | None

    def burns(self, rule: RealTraffic, rate: float) -> bool:
        """Whether enough requests failed, of enough requests."""
        total = self.counts.total
        return total >= rule.minimum and self.counts.failed >= rate * (1 - rule.objective) * total - ROUNDING


def judge(minutes: Sequence[MinuteCount], rule: RealTraffic, now: datetime, down_share: float) -> SourceReport | None:
    """The judgement of one component's counts; None if they show nothing bad. It is down if `down_share` of them fail."""
    fast, slow = _window(minutes, rule.fast, now), _window(minutes, rule.slow, now)
    if fast.burns(rule, rule.fast.burn):
        level = Level.DOWN if fast.counts.failed >= down_share * fast.counts.total else Level.DEGRADED
        return SourceReport(TRAFFIC, level, _words(fast.counts, rule.fast.window), fast.first_bad or now)
    if slow.burns(rule, rule.slow.burn) and fast.burns(rule, rule.slow.burn):
        return SourceReport(TRAFFIC, Level.DEGRADED, _words(slow.counts, rule.slow.window), slow.first_bad or now)
    return None


def by_component(minutes: Sequence[MinuteCount], policy: Policy) -> dict[str, list[MinuteCount]]:
    """The counts by the components behind their variants and providers; counts that match no component are left out."""
    places: dict[Route, tuple[str, ...]] = {}
    found: dict[str, list[MinuteCount]] = {}
    for one in minutes:
        if one.route not in places:
            places[one.route] = _components(one.route, policy)
        for component in places[one.route]:
            found.setdefault(component, []).append(one)
    return found


def _components(route: Route, policy: Policy) -> tuple[str, ...]:
    """A variant's component; for a provider alone, the components that flags need of it, or else its only one."""
    flag = policy.flags.get(route.flag)
    if flag and route.variant:
        needs = components_of(flag, route.variant)
        theirs = tuple(id for id in needs if ComponentId(id).provider == route.provider)
        return theirs or (needs if not route.provider else ())
    if not route.provider:
        return ()
    mine = [id for id, one in policy.components.items() if one.provider == route.provider]
    needed = {id for one in policy.flags.values() for variant in one.variants for id in components_of(one, variant)}
    return tuple(id for id in mine if id in needed) or (tuple(mine) if len(mine) == 1 else ())


def _window(minutes: Sequence[MinuteCount], window: BurnWindow, now: datetime) -> _Window:
    counts, since = Counts(), now - window.window
    bad: list[datetime] = []
    for one in minutes:
        if one.at >= since - MINUTE and one.at <= now:
            counts.add(one.counts)
            if one.counts.failed:
                bad.append(one.at)
    return _Window(counts, min(bad, default=None))


def _words(counts: Counts, window: timedelta) -> str:
    """`1,240 of 3,000 real requests failed in 5 min (HTTP 529, timeout)`."""
    named = sorted((kind for kind in counts.errors if kind != OTHER), key=lambda kind: (-counts.errors[kind], kind))
    why = f" ({', '.join(named[:MOST_NAMED])})" if named else ""
    minutes = int(window.total_seconds()) // 60
    return f"{counts.failed:,} of {counts.total:,} real requests failed in {minutes} min{why}"
