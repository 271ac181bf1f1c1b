"""What is to be done, by whom and by when, from what people type: `Call support @ana in 30m`, `... due Friday`. Pure.

A time without a zone is on the asker's clock. A time without a day is the next such time, a day without a time means its late
afternoon, and a weekday is the next one.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from bot.core.model import Actor
from bot.verbs.verb import Assignment
from commands.parsing.parse import Mention, MentionKind, Misunderstood, duration
from commands.parsing.times import WEEKDAYS, ZONE, both_times, time_of_day, zone_of_text

LATE_AFTERNOON = time(17)
A_WEEK = 7
HOW = "Write `in 30m`, `due 15:00`, `tomorrow 10:00`, `due Friday` or `due 2026-03-24 14:00`."
ONE_PERSON = "A task is for one person: mention them, such as `@ana`."

_DAYS = {day[:3]: n for n, day in enumerate(WEEKDAYS)}
_WEEKDAY = rf"(?:(?:this|next)\s+)?(?:{'|'.join(WEEKDAYS)}|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)"
_DAY = rf"(?:today|tomorrow|{_WEEKDAY}|\d{{4}}-\d{{2}}-\d{{2}})"
_TIME = rf"(?:\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s*(?:am|pm))?|\d{{1,2}}\s*(?:am|pm)|noon){ZONE}"
_IN = r"in\s+(?:(?P<amount>\d{1,5}|an?)\s*(?P<unit>m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?))"
_BY = r"(?:due|by|until|till|before|at|on)"
_WHEN = rf"(?:{_DAY}(?:(?:\s*,|\s+at|t)?\s*{_TIME})?|{_TIME}(?:,?\s+(?:on\s+)?{_DAY})?)"
_BARE = rf"(?:{_DAY}(?:\s*,|\s+at|t)?\s*{_TIME}|{_TIME}(?:,?\s+(?:on\s+)?{_DAY})?|tomorrow)"
_SOME_TIME = r"(?:day|night|morning|afternoon|evening|week|weekend|month|sprint|quarter|year)"
_VAGUE = rf"(?:(?:the\s+)?(?:next|end\s+of|this)\s+(?:the\s+)?{_SOME_TIME}|eod|eow)"  # meant as a time, but not a usable one
# As the last words: after `due` there must be a time; other words only may be one. `what we did today` has none.
_LAST = re.compile(
    rf"(?<!\S)(?:(?:due\s+)?{_IN}|(?:{_BY}\s+){{1,3}}(?P<when>{_WHEN})|(?P<bare>{_BARE})|due\s+(?P<span>\d{{1,6}}[smhd])"
    rf"|(?:due|by)\s+(?P<wrong>{_VAGUE})|due\s+(?P<wrong_word>\S+))[.!]?$",
    re.IGNORECASE,
)
_FIND_DAY, _FIND_TIME = re.compile(_DAY, re.IGNORECASE), re.compile(rf"(?<![\d-]){_TIME}", re.IGNORECASE)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def assignment(text: str, mentions: Sequence[Mention], me: Actor, now: datetime, zone: tzinfo) -> Assignment:
    """Split due time and owner off the end (the owner off the start too). Raises Misunderstood.

    People mentioned elsewhere are part of the task's text.
    """
    left, owner, due_at = " ".join(text.split()), None, None
    for _ in range(2):  # in either order
        if due_at is None and (match := _LAST.search(left)):
            left, due_at = left[: match.start()].strip(), _moment(match, now, zone)
        if owner is None:
            left, owner = _owner_at_the_end(left, mentions, me)
    if owner is None:
        left, owner = _owner_first(left, mentions)
    return Assignment(left.strip(" ,;:-–"), owner, due_at)


def person(word: str, mentions: Sequence[Mention], me: Actor) -> Actor | None:
    """`@ana`, `me`; None for `none`. Raises Misunderstood."""
    if word.lower() in ("me", "none", "nobody"):
        return me if word.lower() == "me" else None
    found = next((one for one in mentions if one.shown == word), None)
    if found is None or found.kind is not MentionKind.PERSON:
        raise Misunderstood(f"Who is that? {ONE_PERSON} Or write `me` or `none`.")
    return _actor(found)


def _owner_at_the_end(text: str, mentions: Sequence[Mention], me: Actor) -> tuple[str, Actor | None]:
    if match := re.search(r"(?:^|\s)for\s+me$", text, re.IGNORECASE):
        return text[: match.start()].strip(), me
    for one in mentions:
        if text.endswith(one.shown) and one.kind is MentionKind.GROUP:
            raise Misunderstood(ONE_PERSON)
        if one.kind is MentionKind.PERSON and (match := re.search(rf"(?:^|\s)(?:for\s+)?{re.escape(one.shown)}$", text)):
            return text[: match.start()].strip(), _actor(one)
    return text, None


def _owner_first(text: str, mentions: Sequence[Mention]) -> tuple[str, Actor | None]:
    first, _, rest = text.partition(" ")
    found = next((one for one in mentions if one.kind is MentionKind.PERSON and one.shown == first.rstrip(",:")), None)
    return (rest.strip(), _actor(found)) if found else (text, None)


def _actor(mention: Mention) -> Actor:
    return Actor.person(mention.id, mention.shown.removeprefix("@"))


def _moment(match: re.Match[str], now: datetime, zone: tzinfo) -> datetime:
    if wrong := match["wrong"] or match["wrong_word"]:
        raise Misunderstood(f"I cannot read `{wrong[:40]}` as a time. {HOW}")
    if match["span"]:
        return now + duration(match["span"])
    if match["unit"]:
        amount = int(match["amount"]) if match["amount"].isdigit() else 1
        return now + amount * _UNITS[match["unit"][0].lower()]
    return _clock(match["when"] or match["bare"], now, zone)


def _clock(text: str, now: datetime, zone: tzinfo) -> datetime:
    day_match, rest = _FIND_DAY.search(text), text
    if day_match:
        rest = text[: day_match.start()] + " " + text[day_match.end() :]
    time_match = _FIND_TIME.search(rest)
    at = time_of_day(time_match[0]) if time_match else LATE_AFTERNOON
    own = zone_of_text(rest, zone)
    today = now.astimezone(own).date()
    if day_match is None:
        first = _on(today, at, own, now)
        return first if first > now else _on(today + timedelta(days=1), at, own, now)
    word = day_match[0].lower().split()[-1]
    if word in ("today", "tomorrow"):
        return _on(today + timedelta(days=word == "tomorrow"), at, own, now)
    if word[0].isdigit():
        try:
            return _on(date.fromisoformat(word), at, own, now)
        except ValueError:
            raise Misunderstood(f"`{word}` is not a day. {HOW}") from None
    ahead = (_DAYS[word[:3]] - today.weekday()) % A_WEEK
    ahead = ahead or (A_WEEK if day_match[0].lower().startswith("next") else 0)
    found = _on(today + timedelta(days=ahead), at, own, now)
    return found if found > now else _on(today + timedelta(days=ahead + A_WEEK), at, own, now)


def _on(day: date, at: time, zone: tzinfo, now: datetime) -> datetime:
    """The time in UTC; if the clock shows it twice, the first that is still to come. Raises Misunderstood."""
    try:
        first, second = both_times(day, at, zone)
    except OverflowError:
        raise Misunderstood(f"That is beyond any calendar. {HOW}") from None
    return first if first > now else second
