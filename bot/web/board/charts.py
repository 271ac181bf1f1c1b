"""Bars and lines as SVG paths, small enough for hundreds of components: equal neighbours share a path."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Level
from bot.ports import LatencyPicture
from bot.timeline.words import percent

PARTLY, HALF = 0.01, 0.5  # shares of failed checks above which a bar is degraded, and down
HEIGHTS = {Level.UNKNOWN: 1, Level.OPERATIONAL: 5, Level.DEGRADED: 8, Level.DOWN: 10}  # of ten, so colour is not needed
LINE_HEIGHT = 20

Pictures = Sequence[LatencyPicture | None]


@dataclass(frozen=True)
class Bar:
    """Neighbouring bars of one level as one path; bad ones are separate, and `title` says when and how much."""

    level: str
    path: str
    height: int
    title: str = ""


@dataclass(frozen=True)
class Bars:
    """`count` bars in a row, and the same in words. `uptime` is the share of checks that succeeded, empty if none ran."""

    count: int
    runs: tuple[Bar, ...]
    uptime: str
    words: str


@dataclass(frozen=True)
class Lines:
    """Hourly percentiles as two lines, and the same in words."""

    p50: str
    p95: str
    words: str


def bars(pictures: Pictures, newest: datetime, each: timedelta, now_level: Level) -> Bars:
    """One bar per span, oldest first; the last is still running, and at least as bad as the current state."""
    levels = [_level(one) for one in pictures]
    levels[-1] = max(levels[-1], now_level, key=lambda level: HEIGHTS[level])
    starts = [newest - each * back for back in reversed(range(len(levels)))]
    runs = [run for level, group in groupby(range(len(levels)), levels.__getitem__)
            for run in _runs(level, list(group), pictures, starts, each)]  # fmt: skip
    measured = [one for one in pictures if one and one.count]
    total, failed = sum(one.count for one in measured), sum(one.failed for one in measured)
    uptime = percent((total - failed) / total) if total else ""
    return Bars(len(levels), tuple(runs), uptime, _in_words(levels, uptime, "day" if each >= timedelta(days=1) else "hour"))


def lines(pictures: Pictures) -> Lines | None:
    """Hourly durations of checks; None if fewer than two hours are known."""
    longest = max((one.p95_ms for one in pictures if one and one.p95_ms), default=0.0)
    if not longest or sum(bool(one and one.p95_ms) for one in pictures) < 2:
        return None
    p50 = [one.p50_ms if one else None for one in pictures]
    p95 = [one.p95_ms if one else None for one in pictures]
    known = [value for value in p95 if value]
    said = f"p95 by the hour, from {duration(min(known))} to {duration(max(known))}"
    return Lines(_line(p50, longest), _line(p95, longest), said)


def duration(ms: float) -> str:
    """`480 ms`, `1.2 s`."""
    return f"{ms:.0f} ms" if ms < 999.5 else f"{ms / 1000:.1f} s"


def _level(picture: LatencyPicture | None) -> Level:
    if not picture or not picture.count:
        return Level.UNKNOWN
    failed = picture.failed / picture.count
    return Level.DOWN if failed >= HALF else Level.DEGRADED if failed >= PARTLY else Level.OPERATIONAL


def _runs(
    level: Level, places: list[int], pictures: Pictures, starts: Sequence[datetime], each: timedelta
) -> Iterator[Bar]:  # fmt: skip
    height = HEIGHTS[level]
    y = f"{10 - height / 2:g}"
    if not level.bad:
        yield Bar(level.value, f"M{places[0]} {y}h{len(places)}", height)
        return
    for place in places:
        at = f"{starts[place]:%Y-%m-%d}" if each >= timedelta(days=1) else f"{starts[place]:%H:%M} UTC"
        yield Bar(level.value, f"M{place} {y}h1", height, f"{at}: {_how_much(pictures[place], level)}")


def _how_much(picture: LatencyPicture | None, level: Level) -> str:
    if not picture or not picture.failed:
        return f"{level.value} now"
    return f"{picture.failed:,} of {picture.count:,} checks failed"


def _in_words(levels: Sequence[Level], uptime: str, unit: str) -> str:
    if not uptime and not any(level.bad for level in levels):
        return "not measured"
    bad = [(level, levels.count(level)) for level in (Level.DOWN, Level.DEGRADED) if level in levels]
    said = ", ".join(f"{level.value} in {number} {unit}{'' if number == 1 else 's'}" for level, number in bad)
    return "; ".join(part for part in (f"{uptime} of checks succeeded" if uptime else "", said or "no trouble") if part)


def _line(values: Sequence[float | None], longest: float) -> str:
    """Points one unit apart, with gaps where nothing is known."""
    path, pen_down = [], False
    for x, value in enumerate(values):
        if value:
            path.append(f"{'L' if pen_down else 'M'}{x} {LINE_HEIGHT - round(value / longest * LINE_HEIGHT)}")
        pen_down = bool(value)
    return "".join(path)
