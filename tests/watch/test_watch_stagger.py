"""Checks of one provider take turns, at offsets that depend only on the checks."""

from datetime import timedelta

from bot.watch.stagger import phases
from tests.engine.stand import Check


def laid_out(*every_s: float, provider: str = "anthropic") -> list[float]:
    """When checks of these intervals run within two minutes, counted from the first run."""
    checks = [Check(f"{provider}.c{n}.front", timedelta(seconds=every)) for n, every in enumerate(every_s)]
    found = phases(checks, {check.id: check.every.total_seconds() for check in checks})
    looks = sorted(
        found[check.id] + n * every for check, every in zip(checks, every_s, strict=True) for n in range(round(120 / every))
    )
    return [round(at - looks[0], 3) for at in looks]


def test_single_check_runs_once_per_interval() -> None:
    """Nothing to take turns with."""
    assert [0.0, 30.0, 60.0, 90.0] == laid_out(30)


def test_checks_of_one_interval_are_spread_over_it() -> None:
    """Each gets the middle of the longest gap."""
    assert [0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0, 105.0] == laid_out(30, 30)
    assert [0.0, 7.5, 15.0, 22.5] == laid_out(30, 30, 30, 30)[:4]


def test_checks_of_different_intervals_take_turns() -> None:
    """Models every half minute, an answer and a website every minute: one of them every quarter."""
    assert [15.0 * n for n in range(8)] == laid_out(30, 60, 60)


def test_offsets_lie_within_any_interval() -> None:
    """A tenth of a second beside a day."""
    every = (0.1, 86_400.0, 3_600.0, 7.0, 30.0)
    checks = [Check(f"a.c{n}.front", timedelta(seconds=s)) for n, s in enumerate(every)]
    found = phases(checks, {check.id: check.every.total_seconds() for check in checks})

    assert all(0 <= found[check.id] < check.every.total_seconds() for check in checks)


def test_ten_thousand_checks_of_one_provider_are_spread_too() -> None:
    """Beyond the first few by their names, quickly, and the same at every start."""
    checks = [Check(f"a.c{n % 5}.k{n}") for n in range(10_000)]
    every = {check.id: 30.0 for check in checks}
    found = phases(checks, every)

    assert phases(checks[::-1], every) == found
    by_second = [sum(int(at) == second for at in found.values()) for second in range(30)]
    assert 250 < min(by_second) <= max(by_second) < 420


def test_providers_start_at_different_offsets() -> None:
    """Each has its own."""
    first = [phases([Check(f"{name}.api.front")], {f"{name}.api.front": 30.0}) for name in ("anthropic", "openai", "gemini")]

    assert 3 == len({round(at, 1) for found in first for at in found.values()})
