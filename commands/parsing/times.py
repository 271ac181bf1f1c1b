"""When something happened, from what people type: `since 14:00`, `from 14:00 to 15:30 yesterday`, `30 min ago`. Pure.

A time without a zone is on the person's clock. Without a day it is the last such time within twelve hours, else today's, which
core refuses if it is in the future. Words meant as a time that cannot be read, such as `since yesterday`, are asked about;
they never mean now. So are short names of zones other than the person's own: `CST` may mean any of four.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.core.lazy_dataclass import dataclass
from commands.parsing.parse import Misunderstood

WITHOUT_A_DAY = timedelta(hours=12)
HOW = "Write `14:00`, `2:30 pm`, `14:00 yesterday`, `2026-03-19 14:00` or `30 min ago`."
IN_A_TITLE = "Write `since 14:00`, `since yesterday 14:00` or `from 14:00 to 15:30`; `/incident declare` alone opens a form."

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DAY = rf"(?:today|yesterday|(?:last\s+)?(?:{'|'.join(WEEKDAYS)})|\d{{4}}-\d{{2}}-\d{{2}})"
_WORDS = {"noon": time(12), "midday": time(12), "midnight": time(0)}
_CLOCK = rf"(?:\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s*(?:am|pm))?|\d{{1,2}}\s*(?:am|pm)|{'|'.join(_WORDS)})"
_NEARLY = r"(?:(?:about|around|~)\s*)?"
_TIME = rf"{_NEARLY}{_CLOCK}"
_SHORT = (
    "EST|EDT|CST|CDT|MST|MDT|PST|PDT|AKST|AKDT|HST|BRT|BST|CET|CEST|EET|EEST|MSK|SAST|PKT|WIB|SGT|HKT|JST|KST|AWST|ACST|ACDT|AEST"
    "|AEDT|NZST|NZDT|(?-i:ET|CT|MT|PT|IST|WET|GST)"  # these would be ordinary words, or other short names, in lower case
)
ZONE = rf"(?:\s*(?:utc|gmt)[+-]\d{{1,2}}(?::?\d{{2}})?\b|\s*(?:utc|gmt|z)\b|\+\d{{2}}:?\d{{2}}\b|\s*(?:{_SHORT})\b)?"
# As logs write it. Without seconds a minus is more likely the dash of `14:00-15:30`.
_STAMP = r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?(?:z|[+-]\d{2}:?\d{2})|\+\d{2}:?\d{2})"
_SPAN = r"(?:\d{1,5}\s*|an?\s+|half\s+an\s+)(?:m|min|mins|minutes?|h|hrs?|hours?|d|days?)"
_AGO = rf"{_NEARLY}{_SPAN}\s+ago"
_DOTTED = rf"{_NEARLY}\d{{1,2}}\.\d{{2}}(?!\.?\d){ZONE}"  # a time, if nothing else is likely
_AT = rf"(?:{_STAMP}|(?:on\s+)?{_DAY}(?:\s*,|\s+at|t)?\s*{_TIME}{ZONE}|{_TIME}{ZONE}(?:,?\s+(?:on\s+)?{_DAY})?|{_AGO})(?!\w)"
_DASH = r"\s*(?:to|until|till|-|–)\s*"  # phones turn hyphens into other dashes
_TO = rf"(?:{_DASH}|\s*and\s*)"
_ON = rf"(?P<day>(?:on\s+)?{_DAY},?\s+)?"
_LAST = r"(?=[\s.,;:!?)]*$)"

_PAST = rf"(?:(?:yesterday|today)(?:\s*,|\s+at)?\s*{_TIME}{ZONE}|{_TIME}{ZONE},?\s+(?:yesterday|today)|{_AGO})"

# In a title: a range or `since` anywhere; as its last words also `from` or `at`, or anything that can only be the past.
_IN_TEXT = tuple(
    re.compile(rf"(?<!\w){pattern}", re.IGNORECASE)
    for pattern in (
        rf"{_ON}(?:from|between)\s+(?P<began>{_AT}){_TO}(?P<ended>{_AT})",
        rf"{_ON}(?:from|between)\s+(?P<began>\d{{1,2}}){_TO}(?P<ended>\d{{1,2}}{ZONE}\s+(?:on\s+)?{_DAY})(?!\w)",
        rf"{_ON}since\s+(?P<began>{_AT}|{_DOTTED})",
        rf"(?:since|for)\s+(?:the\s+last\s+)?(?P<began>{_SPAN}){_LAST}",
        rf"{_ON}(?P<began>{_AT}){_DASH}(?P<ended>{_AT}){_LAST}",
        rf"^(?P<began>{_AT}){_DASH}(?P<ended>{_AT})",
        rf"{_ON}(?:from|at|for)\s+(?P<began>{_AT}){_LAST}",
        rf"(?P<began>{_PAST}){_LAST}",
    )
)
# `at 14:00 tomorrow` may be part of what is wrong: a certificate that expires then. `since 14:00 tomorrow` is a mistake.
_TO_COME = rf"(?:tomorrow|next\s+(?:week|{'|'.join(WEEKDAYS)}))"
_TO_COME_BEFORE = re.compile(rf"(?<!\w)(?:on\s+)?{_TO_COME},?\s+$", re.IGNORECASE)
_TO_COME_BEHIND = re.compile(rf"\s+(?:on\s+)?{_TO_COME}(?![\w'’])", re.IGNORECASE)
_SINCE_TO_COME = re.compile(rf"(?<!\w)since\s+{_TO_COME}(?:(?:\s*,|\s+at)?\s*{_TIME}{ZONE})?(?![\w'’])", re.IGNORECASE)
# Times that no clock shows. `since this morning's deploy` names the deploy; `from 2 to 11` may be errors.
_PART = rf"(?:(?:this|last|yesterday|{'|'.join(WEEKDAYS)})\s+(?:morning|noon|afternoon|evening|night)|tonight)"
_VAGUE = rf"(?:earlier(?:\s+today)?|(?:early\s+)?{_PART}|(?:this|last)\s+week(?:end)?|{_DAY})"
_SOME = rf"(?:{_AT}|{_VAGUE}|\d{{1,2}}(?:\.\d{{2}})?)"
_UNCLEAR = tuple(
    re.compile(rf"(?<![\w.:-]){pattern}(?![\w'’:-])", re.IGNORECASE)
    for pattern in (
        rf"since\s+{_NEARLY}(?:{_VAGUE}|\d{{1,2}}{_LAST})",
        rf"(?:from|between)\s+{_SOME}{_TO}(?:{_SOME}|now){_LAST}",
        rf"(?<!of\s)(?<!for\s)(?<!from\s)(?:{_PART}|yesterday){_LAST}",
        rf"^(?:{_PART}|yesterday)",
        rf"{_CLOCK}\s*[-–]\s*{_CLOCK}",
    )
)
_ALONE = tuple(
    re.compile(rf"\W*{_ON}(?:(?:from|between|since|at|for)\s+)?{pattern}\W*", re.IGNORECASE)
    for pattern in (
        rf"(?P<began>{_AT}|{_DOTTED}|{_SPAN})(?:{_TO}(?P<ended>{_AT}|{_DOTTED}))?",
        rf"(?P<began>\d{{1,2}}){_TO}(?P<ended>\d{{1,2}}{ZONE}(?:\s+(?:on\s+)?{_DAY})?)",
    )
)
_PARTS = re.compile(
    rf"(?P<day>{_DAY})|(?:(?P<hour>\d{{1,2}})(?:[:.](?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?)?\s*(?P<half>am|pm)?"
    rf"|(?P<word>{'|'.join(_WORDS)}))(?P<zone>{ZONE})",
    re.IGNORECASE,
)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class NoTime(Misunderstood):
    """The words `said` in a title are meant as a time but cannot be read; `title` is the rest."""

    def __init__(self, why: str, said: str, title: str) -> None:
        super().__init__(why)
        self.said = said
        self.title = title


@dataclass(frozen=True)
class Span:
    """When it happened. Both None = now; `ended_at` None = not over yet."""

    began_at: datetime | None = None
    ended_at: datetime | None = None


def zone_of(name: str) -> tzinfo:
    """A person's time zone by name; UTC if it is empty or unknown."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def taken_from(text: str, now: datetime, zone: tzinfo) -> tuple[str, Span]:
    """A title without its time, and that time; the title is empty if nothing else was said.

    Raises NoTime for words meant as a time that cannot be read.
    """
    text = " ".join(text.split())
    if ahead := _SINCE_TO_COME.search(text):
        raise _to_come(text, ahead.start(), ahead.end())
    for pattern in _IN_TEXT:
        if match := pattern.search(text):
            _refuse_to_come(match)
            title = _beside(match)
            try:
                return title, _span(match, now, zone)
            except Misunderstood as wrong:
                raise NoTime(str(wrong), match[0], title) from None
    if unclear := next(filter(None, (pattern.search(text) for pattern in _UNCLEAR)), None):
        said = unclear[0].strip()
        raise NoTime(f"`{said}`: when was that? {IN_A_TITLE} Nothing was declared.", said, _beside(unclear))
    return text, Span()


def _refuse_to_come(match: re.Match[str]) -> None:
    text = match.string
    before, behind = _TO_COME_BEFORE.search(text[: match.start()]), _TO_COME_BEHIND.match(text[match.end() :])
    if before or behind:
        raise _to_come(text, before.start() if before else match.start(), match.end() + (behind.end() if behind else 0))


def _to_come(text: str, start: int, end: int) -> NoTime:
    said, title = text[start:end].strip(), " ".join(f"{text[:start]} {text[end:]}".split())
    return NoTime(f"`{said}` is still to come. {IN_A_TITLE} Nothing was declared.", said, title)


def _beside(match: re.Match[str]) -> str:
    text = match.string
    left = " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())
    return re.sub(r" (?=[,;.!?])", "", left).strip(" .,;:-")


def read(text: str, now: datetime, zone: tzinfo) -> Span:
    """Like `taken_from`, for a form field that holds nothing else; empty means now. Raises Misunderstood."""
    text = " ".join(text.split())
    if not text:
        return Span()
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _ALONE)), None)
    if not match:
        raise Misunderstood(f"I cannot read that as a time. {HOW}")
    return _span(match, now, zone)


def spoken(span: Span, now: datetime, zone: tzinfo) -> str:
    """The span as text that `read` understands, to the minute; empty for now."""
    moments = [at.astimezone(zone) for at in (span.began_at, span.ended_at) if at]
    if any(at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset() for at in moments):  # the clock shows it twice
        return " to ".join(f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for at in moments)
    today = now.astimezone(zone)
    clock_alone = all(at.date() == today.date() and at <= today for at in moments)  # else the end would take the first day
    return " to ".join(f"{at:%H:%M}" if clock_alone else f"{at:%Y-%m-%d %H:%M}" for at in moments)


def _span(match: re.Match[str], now: datetime, zone: tzinfo) -> Span:
    try:
        return _meant(match, now, zone)
    except OverflowError:
        raise Misunderstood(f"`{match[0].strip()}` is beyond any calendar. {HOW}") from None


def _meant(match: re.Match[str], now: datetime, zone: tzinfo) -> Span:
    found = match.groupdict()
    first, last = found["began"], found.get("ended") or ""
    day = _day_in(found.get("day") or "", now, zone) or _day_in(first, now, zone)
    end_day = _day_in(last, now, zone)
    began = _moment(first, day or end_day, now, zone)
    if not last:
        return Span(began)
    ended = _moment(last, end_day or began.astimezone(zone_of_text(last, zone)).date(), now, zone)
    if ended <= began and (in_order := _both_ways(first, began, last, ended, now, zone)):
        return in_order
    if ended <= began and not end_day:
        ended = _moment(last, began.astimezone(zone).date() + timedelta(days=1), now, zone)
    if ended <= began and not day:  # `from 23:30 to 00:30 today`
        began = _moment(first, began.astimezone(zone).date() - timedelta(days=1), now, zone)
    return Span(began, ended)


def _both_ways(first: str, began: datetime, last: str, ended: datetime, now: datetime, zone: tzinfo) -> Span | None:
    """The newest past span where the clock shows one of the times twice: `from 02:40 to 02:20` in the night it goes back."""
    begins, ends = _shown_at(first, began, zone), _shown_at(last, ended, zone)
    spans = [(end, begin) for begin in begins for end in ends if begin < end <= now]
    return Span(max(spans)[1], max(spans)[0]) if spans else None


def _shown_at(text: str, at: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Every moment of that day at which a clock shows this; one if the text is not a time on a clock."""
    if re.fullmatch(rf"{_STAMP}|{_NEARLY}{_SPAN}(?:\s+ago)?", text, re.IGNORECASE):
        return (at,)
    own = zone_of_text(text, zone)
    local = at.astimezone(own)
    return both_times(local.date(), local.time(), own)


def _moment(text: str, day: date | None, now: datetime, zone: tzinfo) -> datetime:
    """A time in UTC, on this day; None = the last such time within twelve hours, else today's."""
    if ago := re.fullmatch(rf"{_NEARLY}(\d+|an?|half\s+an)\s*([mhd])[a-z]*(?:\s+ago)?", text, re.IGNORECASE):
        amount = int(ago[1]) if ago[1].isdigit() else 1
        return now - amount * UNITS[ago[2].lower()] / (2 if ago[1].lower().startswith("half") else 1)
    if re.fullmatch(_STAMP, text, re.IGNORECASE):
        return _stamped(text)
    at, own = time_of_day(text), zone_of_text(text, zone)
    if day is not None:
        return _on_that_day(day, at, own, now)
    day = now.astimezone(own).date()
    today, before = _on_that_day(day, at, own, now), _on_that_day(day - timedelta(days=1), at, own, now)
    return before if today > now and now - before <= WITHOUT_A_DAY else today


def _stamped(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except ValueError:
        raise Misunderstood(f"`{text}` is not a time. {HOW}") from None


def _on_that_day(day: date, at: time, zone: tzinfo, now: datetime) -> datetime:
    """The time in UTC; if the clock shows it twice on that day, the last that is not in the future, else the first."""
    first, second = both_times(day, at, zone)
    return second if second <= now else first


def both_times(day: date, at: time, zone: tzinfo) -> tuple[datetime, datetime]:
    """Both times in UTC when a clock of that zone shows this on that day: two in the night when it goes back, else equal.

    Raises OverflowError at the ends of the calendar.
    """
    first, second = (datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1))
    return first, max(first, second)  # for a time that the clock skips, the order is reversed


def time_of_day(text: str) -> time:
    match = next(one for one in _PARTS.finditer(text) if one["hour"] or one["word"])
    if match["word"]:
        return _WORDS[match["word"].lower()]
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").lower()
    try:
        if half and not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        return time(hour % 12 + (12 if half == "pm" else 0) if half else hour, minute, int(match["second"] or 0))
    except ValueError:
        raise Misunderstood(f"`{match[0].strip()}` is not a time of day. {HOW}") from None


def zone_of_text(text: str, zone: tzinfo) -> tzinfo:
    """The zone named beside a time, else the person's own. Raises Misunderstood."""
    name = next((one["zone"].strip() for one in _PARTS.finditer(text) if one["zone"]), "")
    if not name or name.upper() in _own_names(zone):
        return zone
    if ahead := re.search(r"([+-])(\d{1,2}):?(\d{2})?$", name):
        minutes = int(ahead[2]) * 60 + int(ahead[3] or 0)
        if minutes >= 24 * 60 or int(ahead[3] or 0) >= 60:
            raise Misunderstood(f"`{name}` is not a time zone. {HOW}")
        return timezone(timedelta(minutes=-minutes if ahead[1] == "-" else minutes))
    if name.lower() in ("utc", "gmt", "z"):
        return UTC
    raise Misunderstood(f"Which zone is `{name}`? Write `14:00 UTC`, `14:00+02:00`, or the time on your own clock.")


def _own_names(zone: tzinfo) -> set[str]:
    """The short names of the person's own zone, in summer and in winter: `CET` and `CEST`, `EST` and `ET`."""
    names = {datetime(2026, month, 1, tzinfo=zone).tzname() or "" for month in (1, 7)}
    return names | {f"{name[0]}T" for name in names if re.fullmatch(r"[ECMP][SD]T", name)}


def _day_in(text: str, now: datetime, zone: tzinfo) -> date | None:
    """The day that is named; for a weekday the last one, including today."""
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
            raise Misunderstood(f"`{word}` is not a day. {HOW}") from None
    back = (today.weekday() - WEEKDAYS.index(word.split()[-1])) % 7
    return today - timedelta(days=back or (7 if word.startswith("last") else 0))
