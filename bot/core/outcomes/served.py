"""Customers served in an incident: pure arithmetic over counts by minute.

Counts belong to the incident if they name one of its flags. Services that name no flag are counted by provider, unless they
also named one of those flags: then their other requests are unrelated, or would be counted twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import NamedTuple

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.counts import Route


class RouteTotal(NamedTuple):
    """The total of one route over a span of time."""

    route: Route
    ok: int
    failed: int


@dataclass(frozen=True)
class VariantShare:
    """What one variant of a flag did for customers; if no flag was named, what one provider did."""

    flag: str
    variant: str
    provider: str
    ok: int
    failed: int


@dataclass(frozen=True)
class Served:
    """How many requests customers made during an incident, up to `until`, and who served them."""

    until: datetime
    shares: tuple[VariantShare, ...]  # largest server first
    lost_before: int = 0  # failed on a default before its flag was switched; included in `failed`
    saved: int = 0  # served by fallbacks while their default failed; included in `ok`
    switched: Mapping[str, datetime] = field(default_factory=dict)  # when each flag was first switched

    @property
    def ok(self) -> int:
        """Requests that succeeded."""
        return sum(share.ok for share in self.shares)

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(share.failed for share in self.shares)

    @property
    def total(self) -> int:
        """All requests."""
        return self.ok + self.failed

    @property
    def share(self) -> float:
        """The share that succeeded, 0 to 1."""
        return self.ok / self.total if self.total else 0.0

    @property
    def without_switch(self) -> float:
        """The share that would have succeeded without any switch: leaves out requests saved by fallbacks."""
        return (self.ok - self.saved) / self.total if self.total else 0.0


@dataclass(frozen=True)
class CountingScope:
    """What an incident is about, for counting: flags with their defaults, and the providers behind them."""

    defaults: Mapping[str, str]
    providers: frozenset[str]
    failing: str  # the incident's provider


def served(
    concerned: CountingScope, until: datetime, whole: Sequence[RouteTotal], unwell: Sequence[RouteTotal],
    before: Mapping[str, tuple[datetime, Sequence[RouteTotal]]],
) -> Served | None:  # fmt: skip
    """Combine counts: `whole` over the entire incident, `unwell` while one of its components failed, and `before`.

    `before` holds, by flag, when it was first switched and the counts until then. None if nothing was reported.
    """
    found = _shares(concerned, whole)
    if not found:
        return None
    flagged = _flagged(concerned, whole)
    saved = sum(one.ok for one in _mine(concerned, unwell, flagged) if not _on_default(concerned, one.route))
    lost = 0
    for flag, (_, sums) in before.items():
        mine = [one for one in sums if one.route.flag == flag]
        lost += sum(one.failed for one in mine if _on_default(concerned, one.route))
    if before:  # for services that name no flag: what the failing provider lost before the first switch
        first = min(before.values(), key=lambda one: one[0])[1]
        unnamed = (one for one in _mine(concerned, first, flagged) if not one.route.flag)
        lost += sum(one.failed for one in unnamed if _on_default(concerned, one.route))
    return Served(until, found, lost, saved, {flag: at for flag, (at, _) in sorted(before.items())})


def _on_default(concerned: CountingScope, route: Route) -> bool:
    if route.flag:
        return route.variant in ("", concerned.defaults[route.flag])
    return route.provider == concerned.failing


def _flagged(concerned: CountingScope, sums: Sequence[RouteTotal]) -> set[str]:
    """The services that name one of the flags."""
    return {one.route.service for one in sums if one.route.flag in concerned.defaults}


def _mine(concerned: CountingScope, sums: Sequence[RouteTotal], flagged: Collection[str]) -> list[RouteTotal]:
    return [
        one
        for one in sums
        if one.route.flag in concerned.defaults
        or (not one.route.flag and one.route.provider in concerned.providers and one.route.service not in flagged)
    ]


def _shares(concerned: CountingScope, whole: Sequence[RouteTotal]) -> tuple[VariantShare, ...]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for route, ok, failed in _mine(concerned, whole, _flagged(concerned, whole)):
        key = (route.flag, route.variant, "" if route.variant else route.provider)
        held = found.setdefault(key, [0, 0])
        held[0] += ok
        held[1] += failed
    shares = (VariantShare(*key, ok, failed) for key, (ok, failed) in found.items())
    return tuple(sorted(shares, key=lambda one: (-one.ok, -one.failed, one.flag, one.variant, one.provider)))
