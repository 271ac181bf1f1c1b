"""Recurring events that began long ago are expanded only around the time asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from test_calendar import NOW, USERS, calendar

from bot.on_call.ical import read
from bot.on_call.series import prepare
from bot.on_call.shifts import SourceError, on_duty

HOURLY = "DTSTART:19700101T000000Z|DTEND:19700101T010000Z|RRULE:FREQ=HOURLY|SUMMARY:Ben"

SERIES = [
    "DTSTART:20250101T000000Z|DTEND:20250101T010000Z|RRULE:FREQ=HOURLY",
    "DTSTART;TZID=Europe/Berlin:20250101T003000|DTEND;TZID=Europe/Berlin:20250101T123000|RRULE:FREQ=HOURLY;INTERVAL=12",
    "DTSTART;TZID=Europe/Berlin:20250101T023000|DTEND;TZID=Europe/Berlin:20250101T090000|RRULE:FREQ=HOURLY;INTERVAL=7",
    "DTSTART:20250101T000000|DURATION:PT8H|RRULE:FREQ=DAILY;BYHOUR=0,8,16",
    "DTSTART;TZID=Europe/Berlin:20250101T023000|DTEND;TZID=Europe/Berlin:20250102T023000|RRULE:FREQ=DAILY;INTERVAL=4",
    "DTSTART;VALUE=DATE:20250106|DTEND;VALUE=DATE:20250113|RRULE:FREQ=WEEKLY;INTERVAL=2",
    "DTSTART;VALUE=DATE:20250106|RRULE:FREQ=HOURLY;INTERVAL=36",
    "DTSTART:20250106T090000Z|DTEND:20250206T090000Z|RRULE:FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,WE;WKST=SU",
    "DTSTART:20250101T090000Z|DTEND:20250101T170000Z|RRULE:FREQ=DAILY;UNTIL=20260325T000000Z",
    "DTSTART:20250101T090000Z|DTEND:20250101T170000Z|RRULE:FREQ=DAILY;COUNT=450",
    "DTSTART:20250101T090000Z|DTEND:20250101T170000Z|RRULE:FREQ=DAILY;COUNT=100",
    "DTSTART:20250101T090000Z|DTEND:20250101T170000Z|RRULE:FREQ=DAILY;COUNT=325;BYDAY=MO,TU,WE,TH,FR",
    "DTSTART:20250101T090000Z|DTEND:20250101T170000Z|RRULE:FREQ=DAILY|EXDATE:20260321T090000Z|RDATE:20260322T040000Z",
]


def expanded(body: bytes, now: datetime, *, prepared: bool) -> list[tuple[Any, Any]]:
    found = icalendar.Calendar.from_ical(body)
    for event in found.walk("VEVENT") if prepared else ():
        prepare(event, now)
    events = recurring_ical_events.of(found).between(now - timedelta(days=1), now + timedelta(days=14))
    return sorted((event.start, event.end) for event in events)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("now", [NOW, datetime(2026, 4, 2, 3, 0, tzinfo=UTC), datetime(2026, 10, 26, 0, 0, tzinfo=UTC)])
def test_series_has_the_same_shifts_wherever_expansion_starts(series: str, now: datetime) -> None:
    """The first event sets its rhythm, also over a clock change."""
    body = calendar(f"{series}|SUMMARY:Ben")

    assert expanded(body, now, prepared=False) == expanded(body, now, prepared=True)


def test_series_since_1970_is_expanded_from_last_week() -> None:
    """An hourly series would have half a million events."""
    [event] = icalendar.Calendar.from_ical(calendar(HOURLY)).walk("VEVENT")
    prepare(event, NOW)

    assert NOW - timedelta(days=7) < event.start < NOW - timedelta(days=1)


@pytest.mark.parametrize("broken", ["DTSTART:soon", "DTSTART:20260101T000000Z|DURATION:long"])
def test_unreadable_series_does_not_affect_other_shifts(broken: str) -> None:
    """A rota tool may write one event badly."""
    body = calendar(f"{broken}|RRULE:FREQ=DAILY", "DTSTART:20260320T000000Z|DTEND:20260321T000000Z|SUMMARY:Ben")

    assert ("U0BEN",) == on_duty(read(body, USERS, NOW), NOW)


def test_series_of_endless_events_is_refused() -> None:
    """An hourly series would have half a million people on call at once."""
    with pytest.raises(SourceError, match="repeats thousands of times before it ends, as no rota does"):
        read(calendar(HOURLY.replace("DTEND:1970", "DTEND:9999")), USERS, NOW)
