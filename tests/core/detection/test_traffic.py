"""What real requests say about a component, and how that changes its verdict."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.detector import Condition, Judgement
from bot.core.detection.traffic import by_component, judge
from bot.core.detection.verdict import CheckView, SourceReport, reach
from bot.core.model import Fault, Level, Verdict
from bot.core.outcomes.counts import OTHER, Counts, MinuteCount, Route
from bot.core.policy import BurnWindow, RealTraffic
from tests.desk import CHAT_FLAG, START, policy

FLAG, API = CHAT_FLAG.key, "anthropic.api"
CLAUDE = Route("chat", FLAG, "claude", "anthropic")
RULE, DOWN_SHARE = RealTraffic(), 2 / 3


def minutes(*told: tuple[int, int, int], route: Route = CLAUDE, error: str = "HTTP 529") -> list[MinuteCount]:
    """Counts by (minutes ago, served, failed)."""
    return [
        MinuteCount(START - timedelta(minutes=ago), route, Counts(ok, failed, {error: failed} if failed else {}))
        for ago, ok, failed in told
    ]


def said(found: Sequence[MinuteCount]) -> SourceReport | None:
    return judge(found, RULE, START, DOWN_SHARE)


# --- the windows


@pytest.mark.parametrize(
    ("ok", "failed", "level"),
    [
        (930, 70, Level.DEGRADED),  # 14 times 0.5 %
        (931, 69, None),
        (34, 66, Level.DEGRADED),
        (33, 67, Level.DOWN),  # two thirds
        (42, 7, None),  # 14 %, but of fewer than fifty
        (43, 7, Level.DEGRADED),
        (0, 0, None),
    ],
)
def test_short_window_detects_a_high_failure_rate(ok: int, failed: int, level: Level | None) -> None:
    """With enough requests; from two thirds on the component is down."""
    alone = replace(RULE, slow=BurnWindow(timedelta(hours=1), 1_000))
    found = judge(minutes((1, ok, failed)), alone, START, DOWN_SHARE)

    assert level is (found.level if found else None)


def test_long_window_detects_a_low_persistent_rate() -> None:
    """Three per cent for an hour, in words that name the hour."""
    found = said(minutes(*((ago, 97, 3) for ago in range(60))))

    assert found and (Level.DEGRADED, "in 60 min" in found.reason) == (found.level, True)


def test_long_window_needs_more_than_a_short_burst() -> None:
    """Five minutes at five per cent are no slow burn of an hour."""
    assert None is said(minutes(*((ago, 100, 0) for ago in range(5, 60)), *((ago, 95, 5) for ago in range(5))))


def test_persistent_failures_begin_with_the_first() -> None:
    """Not when they were noticed."""
    found = said(minutes(*((ago, 95, 5) for ago in range(50)), *((ago, 100, 0) for ago in range(50, 60))))

    assert found and START - timedelta(minutes=49) == found.at


def test_minutes_that_a_window_touches_count() -> None:
    """Counts are by the minute, and none is dropped."""
    assert said(minutes((5, 0, 100)))


def test_minutes_in_the_future_do_not_count() -> None:
    """The reporter's clock is wrong."""
    assert None is said(minutes((-1, 0, 100)))


def test_long_window_is_silent_once_failures_have_ended() -> None:
    """Those of forty minutes ago affect nobody now."""
    assert said(minutes((40, 0, 600), *((ago, 100, 0) for ago in range(6)))) is None


def test_counts_older_than_a_window_do_not_count() -> None:
    """Nor do those of another hour."""
    assert said(minutes((90, 0, 600), (1, 100, 0))) is None


def test_failures_are_reported_in_plain_words() -> None:
    """How many of how many, in which time, and the main error."""
    found = said(minutes((2, 1_760, 1_240)))

    assert found and found.reason == "1,240 of 3,000 real requests failed in 5 min (HTTP 529)"


def test_most_frequent_errors_are_named_first() -> None:
    """Two of them, by name if they are equally frequent."""
    errors = {"timeout": 20, "HTTP 500": 20, "HTTP 400": 5, "HTTP 529": 55}
    found = said([MinuteCount(START - timedelta(minutes=2), CLAUDE, Counts(0, 100, errors))])

    assert found and found.reason.endswith("(HTTP 529, HTTP 500)")


def test_unnamed_errors_are_counted_but_not_named() -> None:
    """The number of failures is shown anyway."""
    found = said(minutes((2, 0, 100), error=OTHER))

    assert found and found.reason == "100 of 100 real requests failed in 5 min"


def test_failures_begin_with_the_first_failed_request() -> None:
    """Not with the window."""
    found = said(minutes((4, 100, 0), (3, 50, 50), (2, 50, 50)))

    assert found and START - timedelta(minutes=3) == found.at


# --- whose they are


@pytest.mark.parametrize(
    ("route", "components"),
    [
        (CLAUDE, {API}),
        (CLAUDE._replace(variant="gpt", provider="openai"), {"openai.api"}),
        (Route("chat", FLAG, "gpt"), {"openai.api"}),
        (Route("chat", FLAG, "gpt", "anthropic"), set()),
        (Route("chat", FLAG, provider="anthropic"), {API}),
        (Route("chat", FLAG, "cached"), set()),
        (Route("mail", provider="anthropic"), {API}),
        (Route("mail"), set()),
    ],
)
def test_requests_count_for_what_their_variant_needs(route: Route, components: set[str]) -> None:
    """With a provider only, for what flags need of it; unknown ones do not count."""
    assert components == by_component(minutes((1, 1, 1), route=route), policy()).keys()


@pytest.mark.parametrize(("provider", "components"), [("openai", {"openai.api"}), ("anthropic", set())])
def test_requests_to_an_unused_provider_count_for_its_only_component(provider: str, components: set[str]) -> None:
    """With several components nobody knows which one answered."""
    free = policy(fallbacks=(), depends_on=())

    assert components == by_component(minutes((1, 1, 1), route=Route("mail", provider=provider)), free).keys()


# --- the verdict


def check(condition: Condition) -> CheckView:
    return CheckView({"local": Judgement(condition, "5 of 5 checks")})


WELL, FAILS, SILENT = check(Condition.WELL), check(Condition.FAILING), check(Condition.UNKNOWN)
SOME = SourceReport("traffic", Level.DEGRADED, "70 of 1,000 real requests failed in 5 min", START)
MOST = SourceReport("traffic", Level.DOWN, "900 of 1,000 real requests failed in 5 min", START)


def verdict(heard: SourceReport, *checks: CheckView) -> Verdict:
    return reach(API, {f"check-{n}": view for n, view in enumerate(checks)}, heard=[heard], now=START)


@pytest.mark.parametrize(
    ("heard", "checks", "level"),
    [
        (MOST, (WELL, WELL), Level.DEGRADED),
        (SOME, (WELL,), Level.DEGRADED),
        (SOME, (FAILS, WELL, WELL, WELL), Level.DEGRADED),
        (MOST, (FAILS, WELL), Level.DOWN),
        (SOME, (FAILS, WELL), Level.DEGRADED),
        (SOME, (FAILS, FAILS), Level.DOWN),
        (MOST, (SILENT,), Level.DOWN),
        (SOME, (), Level.DEGRADED),
    ],
)
def test_real_requests_worsen_a_verdict(heard: SourceReport, checks: tuple[CheckView, ...], level: Level) -> None:
    """Alone to degraded if checks pass; to down if checks fail too or there is no result. Never below the checks' verdict."""
    assert level is verdict(heard, *checks).level


def test_failing_requests_beside_passing_checks_are_nobodys_fault_yet() -> None:
    """It may be our own service; the reason names both."""
    found = verdict(SOME, WELL)

    assert found.fault is Fault.UNCLEAR
    assert "our services: 70 of 1,000 real requests failed in 5 min; our checks: check-0: 5 of 5 checks" == found.reason
