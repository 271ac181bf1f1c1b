"""When somebody says that it was: `since 14:00`, `from 14:00 to 15:30 yesterday`, `30 min ago`. Pure.

A time without a zone is one of the person's own clock. Without a day it is the last such time within twelve hours; where there
is none, today's, which core then refuses as the future.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.core.lazy_dataclass import dataclass
from commands.parse import Misunderstood

WITHOUT_A_DAY = timedelta(hours=12)
HOW = "Write `14:00`, `2:30 pm`, `14:00 yesterday`, `2026-03-19 14:00` or `30 min ago`."

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DAY = rf"(?:today|yesterday|(?:last\s+)?(?:{'|'.join(WEEKDAYS)})|\d{{4}}-\d{{2}}-\d{{2}})"
_TIME = r"(?:\d{1,2}:\d{2}(?::\d{2})?\s*(?:am|pm)?|\d{1,2}\s*(?:am|pm))"
_ZONE = r"(?:\s*(?:utc|gmt|z)\b)?"
_AGO = r"\d{1,5}\s*(?:m|min|mins|minutes?|h|hours?|d|days?)\s+ago"
_AT = rf"(?:(?:on\s+)?{_DAY}(?:\s*,|\s+at|t)?\s*{_TIME}{_ZONE}|{_TIME}{_ZONE}(?:,?\s+(?:on\s+)?{_DAY})?|{_AGO})(?!\w)"
_TO = r"\s*(?:to|until|till|and|-|–)\s*"  # what phones make of a dash

_PAST = rf"(?:(?:yesterday|today)(?:\s*,|\s+at)?\s*{_TIME}{_ZONE}|{_TIME}{_ZONE},?\s+(?:yesterday|today)|{_AGO})"

# In a title: a range anywhere, `since` anywhere, and as its last words a lone `from` or `at`, or what can only be the past.
_IN_TEXT = tuple(
    re.compile(rf"(?<!\w){pattern}", re.IGNORECASE)
    for pattern in (
        rf"(?P<day>(?:on\s+)?{_DAY},?\s+)?(?:from|between)\s+(?P<began>{_AT}){_TO}(?P<ended>{_AT})",
        rf"(?P<day>(?:on\s+)?{_DAY},?\s+)?since\s+(?P<began>{_AT})",
        rf"(?P<day>(?:on\s+)?{_DAY},?\s+)?(?:from|at|for)\s+(?P<began>{_AT})(?=\W*$)",
        rf"(?P<began>{_PAST})(?=\W*$)",
    )
)
_ALONE = re.compile(
    rf"\W*(?P<day>(?:on\s+)?{_DAY},?\s+)?(?:(?:from|between|since|at)\s+)?(?P<began>{_AT})(?:{_TO}(?P<ended>{_AT}))?\W*",
    re.IGNORECASE,
)
_PARTS = re.compile(
    rf"(?P<day>{_DAY})|(?P<hour>\d{{1,2}})(?::(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?)?\s*(?P<half>am|pm)?(?P<utc>{_ZONE})",
    re.IGNORECASE,
)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True)
class Span:
    """When it was. Both None = now; `ended_at` None = it is not over."""

    began_at: datetime | None = None
    ended_at: datetime | None = None


def zone_of(name: str) -> tzinfo:
    """A person's time zone by its name; UTC for none, or one that nobody knows."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def taken_from(text: str, now: datetime, zone: tzinfo) -> tuple[str, Span]:
    """A title without when it was, and when that is. Raises Misunderstood for a time that no clock shows."""
    for pattern in _IN_TEXT:
        if match := pattern.search(text):
            span = _span(match, now, zone)
            title = " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())
            return title.strip(" .,;:-") or text, span
    return text, Span()


def read(text: str, now: datetime, zone: tzinfo) -> Span:
    """The same, where a form asks for nothing else; empty means now. Raises Misunderstood."""
    if not text.strip():
        return Span()
    match = _ALONE.fullmatch(text)
    if not match:
        raise Misunderstood(f"I cannot read that as a time. {HOW}")
    return _span(match, now, zone)


def _span(match: re.Match[str], now: datetime, zone: tzinfo) -> Span:
    found = match.groupdict()
    first, last = found["began"], found.get("ended") or ""
    day = _day_in(found.get("day") or "", now, zone) or _day_in(first, now, zone)
    end_day = _day_in(last, now, zone)
    began = _moment(first, day or end_day, now, zone)
    if not last:
        return Span(began)
    ended = _moment(last, end_day or began.astimezone(zone_of_text(last, zone)).date(), now, zone)
    if ended <= began and not end_day:
        ended = _moment(last, began.astimezone(zone).date() + timedelta(days=1), now, zone)
    if ended <= began and not day:  # `from 23:30 to 00:30 today`
        began = _moment(first, began.astimezone(zone).date() - timedelta(days=1), now, zone)
    return Span(began, ended)


def _moment(text: str, day: date | None, now: datetime, zone: tzinfo) -> datetime:
    """One moment in UTC, on this day; None = the last such time within twelve hours, else today's."""
    if ago := re.match(r"(\d+)\s*([mhd])\w*\s+ago", text, re.IGNORECASE):
        return now - int(ago[1]) * UNITS[ago[2].lower()]
    at, own = time_of_day(text), zone_of_text(text, zone)
    if day is not None:
        return datetime.combine(day, at, own).astimezone(UTC)
    today = datetime.combine(now.astimezone(own).date(), at, own).astimezone(UTC)
    before = datetime.combine(now.astimezone(own).date() - timedelta(days=1), at, own).astimezone(UTC)
    return before if today > now and now - before <= WITHOUT_A_DAY else today


def time_of_day(text: str) -> time:
    match = next(one for one in _PARTS.finditer(text) if one["hour"])
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").lower()
    try:
        if half and not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        return time(hour % 12 + (12 if half == "pm" else 0) if half else hour, minute, int(match["second"] or 0))
    except ValueError:
        raise Misunderstood(f"`{match[0].strip()}` is no time of a day. {HOW}") from None


def zone_of_text(text: str, zone: tzinfo) -> tzinfo:
    return UTC if any(one["utc"] for one in _PARTS.finditer(text) if one["hour"]) else zone


def _day_in(text: str, now: datetime, zone: tzinfo) -> date | None:
    """The day that is named; of a weekday the last one, today included."""
    match = re.search(_DAY, text, re.IGNORECASE)
    if not match:
        return None
    word, today = match[0].lower(), now.astimezone(zone).date()
    if word == "today":
        return today
    if word == "yesterday":
        return today - timedelta(days=1)
    if word[0].isdigit():
        try:
            return date.fromisoformat(word)
        except ValueError:
            raise Misunderstood(f"`{word}` is no day. {HOW}") from None
    back = (today.weekday() - WEEKDAYS.index(word.split()[-1])) % 7
    return today - timedelta(days=back or (7 if word.startswith("last") else 0))
