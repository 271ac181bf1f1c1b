"""Customers served in an incident: pure arithmetic over counts by minute.

What counts is what services told of the flags that the incident concerns. A service that names no flag is counted by its
providers, unless it named one of those flags too: then its other requests are not about them, or would be counted twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import NamedTuple

from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.counts import Route


class Sum(NamedTuple):
    """What one way of requests came to over a span of time."""

    route: Route
    ok: int
    failed: int


@dataclass(frozen=True)
class Share:
    """What one variant of a flag, or where no flag was named one provider, did for customers."""

    flag: str
    variant: str
    provider: str
    ok: int
    failed: int


@dataclass(frozen=True)
class Served:
    """How many requests of customers an incident saw, up to `until`, and by whom they were served."""

    until: datetime
    shares: tuple[Share, ...]  # the one that served most first
    lost_before: int = 0  # failed on a default before its flag was switched; part of `failed`
    saved: int = 0  # served by fallbacks while their default failed; part of `ok`
    switched: Mapping[str, datetime] = field(default_factory=dict)  # when each flag was first switched

    @property
    def ok(self) -> int:
        """Requests that were served."""
        return sum(share.ok for share in self.shares)

    @property
    def failed(self) -> int:
        """Requests that were not."""
        return sum(share.failed for share in self.shares)

    @property
    def total(self) -> int:
        """All requests."""
        return self.ok + self.failed

    @property
    def share(self) -> float:
        """The part of them that was served, 0 to 1."""
        return self.ok / self.total if self.total else 0.0

    @property
    def without_switch(self) -> float:
        """The part that would have been served had no flag been switched: without those whom fallbacks saved."""
        return (self.ok - self.saved) / self.total if self.total else 0.0


@dataclass(frozen=True)
class Concerned:
    """What an incident is about, for those who count: flags with their defaults, and the providers behind them."""

    defaults: Mapping[str, str]
    providers: frozenset[str]
    failing: str  # the provider of the incident


def served(
    concerned: Concerned, until: datetime, whole: Sequence[Sum], unwell: Sequence[Sum],
    before: Mapping[str, tuple[datetime, Sequence[Sum]]],
) -> Served | None:  # fmt: skip
    """What it came to: `whole` over all of the incident, `unwell` while a component of it failed, and for each flag that was
    switched when, with what was counted `before`. None where nothing was told.
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
    if before:  # of those who name no flag, what the failing provider lost before the first switch
        first = min(before.values(), key=lambda one: one[0])[1]
        unnamed = (one for one in _mine(concerned, first, flagged) if not one.route.flag)
        lost += sum(one.failed for one in unnamed if _on_default(concerned, one.route))
    return Served(until, found, lost, saved, {flag: at for flag, (at, _) in sorted(before.items())})


def _on_default(concerned: Concerned, route: Route) -> bool:
    if route.flag:
        return route.variant in ("", concerned.defaults[route.flag])
    return route.provider == concerned.failing


def _flagged(concerned: Concerned, sums: Sequence[Sum]) -> set[str]:
    """The services that name one of the flags."""
    return {one.route.service for one in sums if one.route.flag in concerned.defaults}


def _mine(concerned: Concerned, sums: Sequence[Sum], flagged: Collection[str]) -> list[Sum]:
    return [
        one
        for one in sums
        if one.route.flag in concerned.defaults
        or (not one.route.flag and one.route.provider in concerned.providers and one.route.service not in flagged)
    ]


def _shares(concerned: Concerned, whole: Sequence[Sum]) -> tuple[Share, ...]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for route, ok, failed in _mine(concerned, whole, _flagged(concerned, whole)):
        key = (route.flag, route.variant, "" if route.variant else route.provider)
        held = found.setdefault(key, [0, 0])
        held[0] += ok
        held[1] += failed
    shares = (Share(*key, ok, failed) for key, (ok, failed) in found.items())
    return tuple(sorted(shares, key=lambda one: (-one.ok, -one.failed, one.flag, one.variant, one.provider)))
