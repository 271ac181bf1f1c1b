"""Series in a calendar that would take long to expand: refused, or begun close to the time asked for.

The library expands a series from its first event on: one that repeats every hour since 1970 has half a million.
"""

from datetime import date, datetime, timedelta
from typing import Any

from bot.on_call.shifts import SourceError

A_DAY = timedelta(days=1)
STEPS = {"HOURLY": timedelta(hours=1), "DAILY": A_DAY, "WEEKLY": 7 * A_DAY}
MOST_AT_ONCE = 40_000  # events of a series that last at the same time; reading as many takes three seconds
ENOUGH_YEARS = 100


def prepare(event: Any, now: datetime) -> None:
    """Make an event quick to expand around `now`. Raises SourceError if that is impossible."""
    _end_in_time(event, now.year + ENOUGH_YEARS)
    rules = event.get("RRULE") or []
    rules = rules if isinstance(rules, list) else [rules]
    times = _times(event)
    for rule in rules:
        _refuse_floods(rule, times)
    if times and len(rules) == 1 and "EXRULE" not in event and "RECURRENCE-ID" not in event:
        _begin_late(event, rules[0], *times, now)


def _end_in_time(event: Any, last_year: int) -> None:
    """An event without an end is often written with one in the year 9999: the library looks back as far as an event is long."""
    end = event.get("DTEND")
    if end is not None and end.dt.year > last_year:
        end.dt = end.dt.replace(year=last_year, day=min(end.dt.day, 28))


def _times(event: Any) -> tuple[date | datetime, timedelta] | None:
    """When it starts, and how long it is; None if that cannot be read, as then the library leaves out this event alone."""
    try:
        return event["DTSTART"].dt, _length(event)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _refuse_floods(rule: Any, times: tuple[date | datetime, timedelta] | None) -> None:
    every = str(rule.get("FREQ", [""])[0])
    if every in {"SECONDLY", "MINUTELY"} or len(rule.get("BYSECOND", [])) > 1 or len(rule.get("BYMINUTE", [])) > 1:
        raise SourceError("one of its events repeats every minute or second, as no rota does")
    step = _step(rule)
    if step and times and times[1] * max(len(rule.get("BYHOUR", [])), 1) > MOST_AT_ONCE * step:
        raise SourceError("one of its events repeats thousands of times before it ends, as no rota does")


def _begin_late(event: Any, rule: Any, start: date | datetime, length: timedelta, now: datetime) -> None:
    """Leave out the part of a series that was over days ago. Whole steps keep its rhythm, by the clock on the wall."""
    step = _step(rule)
    if not step or (rule.get("COUNT") and any(part.startswith("BY") for part in rule)):
        return  # how many of a count are left out cannot be told where other parts choose some
    if not isinstance(start, datetime):
        step *= 24  # whole days, also under an hourly rule
    skipped = (_plain(now) - 3 * A_DAY - length - _plain(start)) // step
    if rule.get("COUNT"):
        skipped = min(skipped, rule["COUNT"][0] - 1)
    if skipped <= 0:
        return
    for name in ("DTSTART", "DTEND"):
        if name in event:
            event[name].dt += skipped * step
    if rule.get("COUNT"):
        rule["COUNT"] = [rule["COUNT"][0] - skipped]


def _step(rule: Any) -> timedelta | None:
    step = STEPS.get(str(rule.get("FREQ", [""])[0]))
    return step and step * int(rule.get("INTERVAL", [1])[0])


def _length(event: Any) -> timedelta:
    if "DTEND" in event:
        return abs(_plain(event["DTEND"].dt) - _plain(event["DTSTART"].dt))
    return abs(event["DURATION"].dt) if "DURATION" in event else A_DAY


def _plain(at: date | datetime) -> datetime:
    """The time on the wall, as a series is counted by; a day counts from its midnight."""
    return at.replace(tzinfo=None) if isinstance(at, datetime) else datetime(at.year, at.month, at.day)  # noqa: DTZ001
