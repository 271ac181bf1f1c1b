"""Shifts from an iCalendar file (RFC 5545), as exported by Google, Outlook, PagerDuty and Opsgenie.

An event is a shift of everybody it names: by an attendee's address, or by a word in its title. The libraries handle
recurrences, exceptions and time zones.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.on_call.series import prepare
from bot.on_call.shifts import AHEAD, Shift, SourceError
from bot.on_call.web import Asker

A_DAY = timedelta(days=1)


class Calendar:
    """A calendar at an address. `users` maps its names to people; the file is cached and requested by its ETag."""

    def __init__(self, asker: Asker, url: str, users: Mapping[str, str]) -> None:
        self._asker = asker
        self._url = url
        self._users = users
        self._etag = ""
        self._body = b""

    async def shifts(self, now: datetime) -> Sequence[Shift]:
        """The events from now to two weeks ahead. Raises SourceError."""
        headers = {"accept": "text/calendar"} | ({"if-none-match": self._etag} if self._etag else {})
        answer = await self._asker.get(self._url, headers, follow=True)
        body = self._body if answer.status == 304 else answer.body
        shifts = await asyncio.to_thread(read, body, self._users, now)
        if answer.status == 200:
            self._etag, self._body = answer.etag, body
        return shifts


def read(body: bytes, users: Mapping[str, str], now: datetime) -> tuple[Shift, ...]:
    """The shifts in a calendar from `now` on. Raises SourceError if it is not one."""
    import icalendar  # these two take a third of a second, and most starts need neither
    import recurring_ical_events

    try:
        calendar = icalendar.Calendar.from_ical(body)
        zone = _zone(calendar)
        calendar.pop("X-WR-TIMEZONE", None)  # the library knows no Windows zone names and fails at one
        for event in calendar.walk("VEVENT"):
            prepare(event, now)
        # The library takes all-day events as UTC days, which end hours early in America.
        events = recurring_ical_events.of(calendar, skip_bad_series=True).between(now - A_DAY, now + AHEAD)
        shifts = _shifts(events, {key.casefold(): id for key, id in users.items()}, zone)
        return tuple(shift for shift in shifts if shift.ends is None or now < shift.ends)
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 # the parsers promise no exception types; a broken calendar must not break paging
        raise SourceError(f"the answer is not a readable calendar ({type(error).__name__})") from None


def _shifts(events: Sequence[Any], users: Mapping[str, str], zone: ZoneInfo) -> Iterator[Shift]:
    for event in events:
        starts, ends = _moment(event.start, zone), _moment(event.end, zone)
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        named = list(_named(event, users))
        people = tuple(dict.fromkeys(users[name] for name in named if name in users))
        unknown = () if people else tuple(dict.fromkeys(named)) or (str(event.get("SUMMARY", "an event without a title")),)
        yield Shift(people, starts, ends, unknown)


def _named(event: Any, users: Mapping[str, str]) -> Iterator[str]:
    """Attendees who did not decline, by address, and known names that appear as separate words in the title."""
    attendees = event.get("ATTENDEE") or []
    for attendee in attendees if isinstance(attendees, list) else [attendees]:
        if str(getattr(attendee, "params", {}).get("PARTSTAT", "")).upper() != "DECLINED":
            yield re.sub(r"^mailto:", "", str(attendee), flags=re.IGNORECASE).casefold()
    title = str(event.get("SUMMARY", "")).casefold()
    yield from (name for name in users if re.search(rf"(?<![\w.@-]){re.escape(name)}(?![\w@-])", title))


def _zone(calendar: Any) -> ZoneInfo:
    """The calendar's own zone, or if it names none that of its events, also under Windows names; else UTC."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    described = [zone.get("TZID") for zone in calendar.walk("VTIMEZONE")]
    name = str(calendar.get("X-WR-TIMEZONE") or (described[0] if len(described) == 1 else "UTC"))
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(name, name))
    except (ValueError, KeyError, OSError):
        return ZoneInfo("UTC")


def _moment(at: date | datetime, zone: ZoneInfo) -> datetime:
    """All-day events, and times without a zone, are in the calendar's own zone."""
    moment = at if isinstance(at, datetime) else datetime.combine(at, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
