"""Times across clock changes, with named time zones, and in hostile texts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from commands.parsing.due import assignment
from commands.parsing.parse import Misunderstood
from commands.parsing.times import NoTime, Span, read, spoken, taken_from, zone_of
from tests.desk import ANA

BERLIN, NEW_YORK = zone_of("Europe/Berlin"), zone_of("America/New_York")
MINUTE = timedelta(minutes=1)
FRIDAY = datetime(2026, 3, 20, 15, 10, tzinfo=UTC)  # 16:10 in Berlin

# Zones, and the moments of 2026 at which their clocks go forward or back, by an hour or by half an hour.
CHANGES = [
    ("Europe/Berlin", (3, 29, 1)), ("Europe/Berlin", (10, 25, 1)), ("America/New_York", (11, 1, 6)),
    ("America/Havana", (11, 1, 5)), ("Australia/Lord_Howe", (4, 4, 15)),
    ("Pacific/Chatham", (4, 4, 14)), ("Pacific/Chatham", (9, 26, 14)),
]  # fmt: skip


@st.composite
def nights(draw: st.DrawFn) -> tuple[datetime, tzinfo]:
    """A moment in the night of a clock change, and its time zone."""
    zone, change = draw(st.sampled_from(CHANGES))
    return datetime(2026, *change, tzinfo=UTC) + draw(st.integers(-90, 240)) * MINUTE, zone_of(zone)


def shows(clock: str, at: datetime, zone: tzinfo) -> bool:
    return f"{at.astimezone(zone):%H:%M}" == clock


@given(nights(), st.integers(0, 240))
def test_start_time_is_the_latest_past_moment_with_that_clock_time(night: tuple[datetime, tzinfo], ago: int) -> None:
    """Also in the repeated hour, in either pass."""
    now, zone = night
    clock = f"{(now - ago * MINUTE).astimezone(zone):%H:%M}"
    last = next(now - n * MINUTE for n in range(720) if shows(clock, now - n * MINUTE, zone))

    assert last == read(clock, now, zone).began_at


@given(nights(), st.integers(1, 240))
def test_due_time_is_the_next_moment_with_that_clock_time(night: tuple[datetime, tzinfo], ahead: int) -> None:
    """Also in the repeated hour."""
    now, zone = night
    clock = f"{(now + ahead * MINUTE).astimezone(zone):%H:%M}"
    upcoming = next(now + n * MINUTE for n in range(1, 1_441) if shows(clock, now + n * MINUTE, zone))

    assert upcoming == assignment(f"Call support due {clock}", (), ANA, now, zone).due_at


@given(nights(), st.integers(0, 3_000), st.none() | st.integers(0, 3_000))
def test_forms_time_is_read_back_unchanged(night: tuple[datetime, tzinfo], ago: int, lasted: int | None) -> None:
    """To the minute, on either side of a clock change."""
    now, zone = night
    began = now - ago * MINUTE
    ended = None if lasted is None else began + lasted * MINUTE
    assume(ended is None or began < ended <= now)
    span = Span(began, ended)

    assert span == read(spoken(span, now, zone), now, zone)


@pytest.mark.parametrize(
    ("text", "began"),
    [
        ("claude is slow since 14:00+02:00", "12:00"),
        ("claude is slow since 14:00 UTC+2", "12:00"),
        ("claude is slow since 9:00 utc-4", "13:00"),
        ("claude is slow since 2026-03-20T14:00:00+05:30", "08:30"),
        ("claude is slow since 2026-03-20T08:00:00.123-05:00", "13:00"),
        ("claude is slow since 2026-03-20 14:00:00.123456Z", "14:00"),
        ("claude is slow since 14:00 CET", "13:00"),
        ("claude is slow since 2pm cest", "13:00"),  # Berlin's own abbreviation in summer
    ],
)
def test_zone_after_a_time_counts(text: str, began: str) -> None:
    """People paste times from logs."""
    left, span = taken_from(text, FRIDAY, BERLIN)

    assert ("claude is slow", began) == (left, f"{span.began_at:%H:%M}")


def test_abbreviations_of_the_persons_own_zone_are_known() -> None:
    """`ET` is what New York says all year."""
    found = [read(f"9:00 {name}", FRIDAY, NEW_YORK).began_at for name in ("ET", "EST", "edt")]

    assert [datetime(2026, 3, 20, 13, 0, tzinfo=UTC)] * 3 == found


@pytest.mark.parametrize(
    "text", ["slow since 9am PT", "slow since 14:00 EST", "slow from 14:00 to 15:00 IST", "slow since 9:00 cst"]
)
def test_abbreviation_of_another_zone_is_asked_about(text: str) -> None:
    """Read as the person's own it would be hours off unnoticed, and many abbreviations stand for several zones."""
    with pytest.raises(Misunderstood, match="Which zone is"):
        taken_from(text, FRIDAY, BERLIN)


def test_unknown_zone_of_a_due_time_is_asked_about() -> None:
    """With the zone left in its text, the task would have no due time."""
    with pytest.raises(Misunderstood, match="Which zone is `PT`"):
        assignment("Call support due 14:00 PT", (), ANA, FRIDAY, BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "since 0001-01-01 00:00", "since 9999-12-31 23:00-", "from 9999-12-31 23:00 to 22:00", "since 14:00 UTC+99",
        "since 2026-03-20T25:00:00Z", "since 9999-12-31T23:00:00-05:00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
def test_times_at_the_ends_of_the_calendar_are_answered(text: str, zone: tzinfo) -> None:
    """With a time that the rules can refuse, or with words; never with an internal error."""
    try:
        _, span = taken_from(text, FRIDAY, zone)
    except Misunderstood as wrong:
        assert "Write `14:00`" in str(wrong)
    else:
        assert span.began_at is not None


def outcome(work: Callable[[], object]) -> object:
    """The time that was read, or the question in return."""
    try:
        return work()
    except Misunderstood as wrong:
        return str(wrong)


@pytest.mark.parametrize("text", ["from 1:00{}x", "x{}from 1:00{}", "10:00 -{}x", "since{}1:00{},{}x", "yesterday,{}x"])
def test_long_gap_between_words_is_read_quickly(text: str) -> None:
    """A pattern that tries every way to split the spaces would take for ever."""
    near, far = (text.format(*[" " * length] * 3) for length in (1, 40_000))

    assert outcome(lambda: taken_from(near, FRIDAY, BERLIN)) == outcome(lambda: taken_from(far, FRIDAY, BERLIN))
    assert outcome(lambda: read(near, FRIDAY, BERLIN)) == outcome(lambda: read(far, FRIDAY, BERLIN))


@pytest.mark.parametrize("text", ["call due 1:00{}x", "call{}due 1:00", "call in 1{}x", "call due Friday{}at{}x"])
def test_long_gap_in_a_task_is_read_quickly(text: str) -> None:
    """The same, for adding a task."""
    near, far = (text.format(*[" " * length] * 2) for length in (1, 40_000))

    assert outcome(lambda: assignment(near, (), ANA, FRIDAY, BERLIN)) == outcome(
        lambda: assignment(far, (), ANA, FRIDAY, BERLIN)
    )


def test_endless_repeated_words_are_read_in_one_pass() -> None:
    """`on on on ...`, where each word could precede a time."""
    words = "call" + " on" * 10_000

    assert words == assignment(words, (), ANA, FRIDAY, BERLIN).text


NIGHT = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)  # at 01:00 UTC, clocks in Berlin went back from 03:00 to 02:00


@pytest.mark.parametrize("typed", ["from 02:40 to 02:20", "2026-10-25 02:40 to 2026-10-25 02:20", "02:40 - 02:20 today"])
def test_range_may_end_in_the_repeated_hour(typed: str) -> None:
    """The second 02:20 is later than the first 02:40."""
    assert Span(NIGHT.replace(hour=0, minute=40), NIGHT.replace(hour=1, minute=20)) == read(typed, NIGHT, BERLIN)


def test_range_in_the_repeated_hour_lies_in_the_past() -> None:
    """At the second 02:30 it can only run from the first 02:20 to the first 02:40."""
    now = NIGHT.replace(hour=1, minute=30)

    assert Span(NIGHT.replace(hour=0, minute=20), NIGHT.replace(hour=0, minute=40)) == read("02:20 to 02:40", now, BERLIN)


@pytest.mark.parametrize(
    ("typed", "said", "title"),
    [
        ("Chat is slow since 14:00 tomorrow", "since 14:00 tomorrow", "Chat is slow"),
        ("Chat is slow since tomorrow 14:00", "since tomorrow 14:00", "Chat is slow"),
        ("Chat is slow since tomorrow", "since tomorrow", "Chat is slow"),
        ("Chat is slow tomorrow from 14:00 to 15:30", "tomorrow from 14:00 to 15:30", "Chat is slow"),
        ("from 14:00 to 15:30 next Monday Chat is slow", "from 14:00 to 15:30 next Monday", "Chat is slow"),
    ],
)
def test_future_start_is_asked_about(typed: str, said: str, title: str) -> None:
    """It never means today."""
    with pytest.raises(NoTime, match=f"`{said}` is still to come") as asked:
        taken_from(typed, FRIDAY, UTC)

    assert (said, title) == (asked.value.said, asked.value.title)


def test_title_may_mention_tomorrow() -> None:
    """A certificate that expires tomorrow is worth an incident now."""
    title = "The certificate expires at 14:00 tomorrow"
    at_two = Span(FRIDAY.replace(hour=14, minute=0))

    assert (title, Span()) == taken_from(title, FRIDAY, UTC)
    assert ("Chat fails, tomorrow is the launch", at_two) == taken_from(
        "Chat fails since 14:00, tomorrow is the launch", FRIDAY, UTC
    )
    assert ("Chat blocks tomorrow's launch", at_two) == taken_from("Chat blocks since 14:00 tomorrow's launch", FRIDAY, UTC)
