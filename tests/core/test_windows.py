"""Windows of our own maintenance: once, daily, weekly, across midnight and across an hour's change."""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.core.maintenance_windows import Recurrence, Window

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)  # a Friday


def at(day: int, hour: float) -> datetime:
    """A moment of March 2026 in UTC."""
    return datetime(2026, 3, day, tzinfo=UTC) + timedelta(hours=hour)


def test_a_single_window_holds_from_its_start_to_before_its_end() -> None:
    """The moment of its end belongs to the time after."""
    window = Window(starts=at(20, 12), ends=at(20, 14))

    assert [None, at(20, 14), at(20, 14), None] == [window.until(at(20, h)) for h in (11.9, 12, 13.9, 14)]


def test_a_window_without_an_end_never_holds() -> None:
    """It would hold alerts back for ever."""
    assert None is Window(starts=at(20, 12)).until(at(20, 13))


def test_a_daily_window_crosses_midnight() -> None:
    """From 23:00 for three hours."""
    window = Window(recurrence=Recurrence(time(23), timedelta(hours=3)))

    assert [None, at(21, 2), at(21, 2), None] == [window.until(when) for when in (at(20, 22), at(20, 23), at(21, 1), at(21, 2))]


def test_a_weekly_window_holds_on_its_days() -> None:
    """Fridays and Sundays; a Friday's window that runs into Saturday belongs to Friday."""
    window = Window(recurrence=Recurrence(time(22), timedelta(hours=4), frozenset({4, 6})))

    held = [bool(window.until(at(day, 23))) for day in (20, 21, 22, 23)] + [bool(window.until(at(21, 1)))]
    assert [True, False, True, False, True] == held


@pytest.mark.parametrize(("day", "starts_utc"), [(27, 1.5), (30, 0.5)])
def test_a_window_keeps_to_its_zones_wall_clock(day: int, starts_utc: float) -> None:
    """02:30 in Berlin is 01:30 UTC in winter and 00:30 in summer; in between the clock was put forward."""
    window = Window(recurrence=Recurrence(time(2, 30), timedelta(hours=1), zone=BERLIN))

    assert [None, at(day, starts_utc + 1)] == [window.until(at(day, starts_utc - 0.1)), window.until(at(day, starts_utc))]


def test_a_window_is_as_long_as_it_says_when_an_hour_is_lost() -> None:
    """Three hours are three hours, although the wall clock shows four."""
    window = Window(recurrence=Recurrence(time(1), timedelta(hours=3), zone=BERLIN))

    assert at(29, 3) == window.until(at(29, 0.5))


def test_a_series_is_bounded_by_its_start_and_end() -> None:
    """The occurrence that the end cuts is shorter."""
    window = Window(starts=at(20, 0), ends=at(21, 9.5), recurrence=Recurrence(time(9), timedelta(hours=1)))

    assert [None, at(20, 10), at(21, 9.5), None] == [window.until(at(day, 9.2)) for day in (19, 20, 21, 22)]


def test_a_series_begins_at_each_occurrence() -> None:
    """The one that runs is no news, the next one is."""
    window = Window(recurrence=Recurrence(time(9), timedelta(hours=1)))

    assert [at(20, 9), at(21, 9), at(21, 9)] == [window.begins(at(20, hour)) for hour in (8, 9, 9.5)]


def test_a_weekly_series_begins_within_the_week() -> None:
    """However long ago the last one was."""
    window = Window(recurrence=Recurrence(time(9), timedelta(hours=1), frozenset({4})))

    assert at(27, 9) == window.begins(at(20, 9))


def test_a_series_begins_between_its_start_and_end() -> None:
    """Its start may fall into an occurrence."""
    window = Window(starts=at(20, 9.5), ends=at(21, 9.5), recurrence=Recurrence(time(9), timedelta(hours=1)))

    assert [at(20, 9.5), at(21, 9), None] == [window.begins(now) for now in (at(18, 9.2), at(20, 9.6), at(21, 9.2))]


def test_a_single_window_begins_once() -> None:
    """Nothing comes after it."""
    window = Window(starts=at(20, 9), ends=at(20, 10))

    assert [at(20, 9), None] == [window.begins(at(20, hour)) for hour in (8, 9)]


def test_a_window_of_days_is_found_on_its_last_day() -> None:
    """A monthly move that takes a long weekend."""
    window = Window(recurrence=Recurrence(time(18), timedelta(days=2, hours=12), frozenset({4})))

    assert at(23, 6) == window.until(at(23, 5))


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)), UTC])
def test_zones_a_day_away_are_found_too(zone: timezone) -> None:
    """Whatever day it is there."""
    start = NOON.astimezone(zone).timetz().replace(tzinfo=None)

    assert NOON + timedelta(hours=1) == Window(recurrence=Recurrence(start, timedelta(hours=1), zone=zone)).until(NOON)


@pytest.mark.parametrize(
    ("names", "covers"), [((), True), (("anthropic.api",), True), (("anthropic",), True), (("openai", "anthropic.web"), False)]
)
def test_a_window_covers_components_providers_or_everything(names: tuple[str, ...], covers: bool) -> None:
    """By id."""
    assert covers == Window(names, NOON, NOON).covers("anthropic.api")
