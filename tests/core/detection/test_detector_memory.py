"""What a check remembers in special cases: a clock set back, a long silence, a ledger that knows more or less."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.detection.detector import (
    NEW,
    Condition,
    Judgement,
    Track,
    from_ledger,
    knows_of,
    may_hurry,
    next_look,
    observe,
    settled,
    undoubted,
)
from bot.core.detection.gauge import REST, Gauge
from bot.core.model import Fault, Level, Sample
from tests.core.detection.test_detector import EVERY, RULE, at, fold, look, outage, run
from tests.desk import START

FLAPPING = "fffooooofff"  # the third change within half an hour
SELDOM = timedelta(minutes=10)


def shifted(samples: list[Sample], by: timedelta) -> list[Sample]:
    return [replace(sample, at=sample.at + by) for sample in samples]


def often(until: datetime) -> Gauge:
    """A gauge at rest that changed three times just before."""
    return replace(REST, changes=tuple(until - timedelta(minutes=n) for n in (3, 2, 1)))


# --- a clock that was set back


@pytest.mark.parametrize("gap", [30, 4])
@pytest.mark.parametrize("word", ["o", "f", "s", "?"])
@pytest.mark.parametrize(
    "before", ["ooooo", "oooof", "ooos", "ooofff", "ooofffoo", "fffoof" + "o" * 9, "ooosss", "sssooo", FLAPPING + "oo"]
)
def test_clock_set_back_moves_everything_remembered(before: str, word: str, gap: float) -> None:
    """Later results are judged as if every earlier one had been dated by the new clock."""
    earlier = [look(7200 + gap * n, what) for n, what in enumerate(before)]
    now = look(3600, word)

    assert fold([*shifted(earlier, now.at - earlier[-1].at), now]) == fold([*earlier, now])


def test_window_works_across_a_clock_set_back() -> None:
    """The earlier failure is in the future by the new clock, and counts as the first of two."""
    rule = replace(RULE, failures=2)
    track = run("ff", rule, run("ooooof", rule, begins=3600), begins=154)

    assert Condition.FAILING is track.judgement.condition
    assert "window" == track.judgement.spoke


def test_late_result_is_no_clock_set_back() -> None:
    """Within an interval its way was long, and nothing is moved."""
    late = observe(run("ooooo"), look(100, "o"), RULE, every=EVERY)

    assert at(0) == late.judgement.began_at


def test_out_of_order_run_costs_no_more_than_one() -> None:
    """However late it arrives."""
    assert 1.0 == observe(run("ooooo"), look(100, "o"), RULE, every=EVERY).spent


# --- a long silence


def test_old_failure_is_no_longer_shown() -> None:
    """One failure, twenty minutes of silence, one good result."""
    track = fold([look(0, "f"), look(1230, "o")])

    assert "the first check passed" == track.judgement.reason
    assert not track.suspect


def test_old_slow_answer_is_no_longer_shown() -> None:
    """As with failures."""
    assert "the first check passed" == fold([look(0, "o"), look(30, "s"), look(1260, "o")]).judgement.reason


def test_rare_check_remembers_its_doubts_for_longer() -> None:
    """Every ten minutes, with one run missing: the third failure is the third."""
    track = NEW
    for seconds, word in [(0, "o"), (600, "f"), (1200, "f"), (2400, "f")]:
        track = observe(track, look(seconds, word), RULE, every=SELDOM)

    assert Condition.FAILING is track.judgement.condition


def test_inconclusive_results_are_no_silence() -> None:
    """Two failures, twenty inconclusive minutes, and two more make four."""
    track = run("ff" + "?" * 40 + "ff", track=run("ooooo"), begins=150)

    assert Condition.FAILING is track.judgement.condition


def test_silence_does_not_reset_the_flap_count() -> None:
    """Three changes within half an hour, twenty minutes of it silent, and down again."""
    track = run("fffooooo", track=run("ooooof"), begins=180)
    again = run("ffff", track=track, begins=390 + 1000)

    assert "it changed 3 times within 30 min" in again.judgement.reason


def test_doubt_after_a_silence_has_the_full_budget() -> None:
    """The cost of an earlier doubt does not count."""
    tired = replace(run("ooooof"), quick=float(RULE.quick_most))

    assert 0.0 == undoubted(tired).quick


# --- a ledger that knows of an outage


@pytest.mark.parametrize(("level", "condition"), [(Level.DOWN, Condition.FAILING), (Level.DEGRADED, Condition.SLOW)])
def test_outage_from_the_ledger_keeps_reason_fault_and_start(level: Level, condition: Condition) -> None:
    """After a restart the same is shown as before it."""
    held = from_ledger(level, "key refused", Fault.OURS_KEY, at(150))

    assert Judgement(condition, "key refused", Fault.OURS_KEY, at(150), spoke="ledger") == held.judgement


@pytest.mark.parametrize(("level", "condition"), [(Level.DOWN, Condition.FAILING), (Level.DEGRADED, Condition.SLOW)])
def test_outage_from_the_ledger_is_unchanged_after_one_good_result(level: Level, condition: Condition) -> None:
    """Slow stays slow; its fault and its recovery are shown."""
    judgement = run("o", track=from_ledger(level, "key refused", Fault.OURS_KEY, at(-60))).judgement
    said = {Condition.FAILING: "no failure", Condition.SLOW: "no slow answer"}[condition]

    assert judgement == Judgement(
        condition, f"{said} in the last check, not yet counted as recovered", Fault.OURS_KEY, at(-60), None, "ledger", True
    )


@pytest.mark.parametrize(
    ("level", "track"),
    [(Level.DOWN, replace(NEW, failing=often(at(0)))), (Level.DEGRADED, replace(NEW, slow=often(at(0))))],
)
def test_outage_from_the_ledger_is_held_if_the_check_flapped(level: Level, track: Track) -> None:
    """Otherwise five good results would end it."""
    held = run("ooooo", track=from_ledger(level, "HTTP 502", Fault.THEIRS, at(0), track), begins=30)

    assert "it changed 3 times within 30 min" in held.judgement.reason


@pytest.mark.parametrize("before", ["o", "f"])
def test_late_answer_counts_if_there_were_later_results(before: str) -> None:
    """An answer from before the outage is only ignored while no run has followed its start."""
    held = run(before, track=from_ledger(Level.DOWN, "HTTP 502", Fault.THEIRS, at(150)), begins=160)

    assert held is not observe(held, look(149, "o"), RULE, every=EVERY)


@pytest.mark.parametrize(
    ("track", "knows"),
    [
        (run("ssss"), True),
        (replace(NEW, slow=replace(REST, changes=(at(150),))), True),
        (replace(NEW, failing=replace(REST, changes=(at(149),))), False),
    ],
    ids=["slow", "ended as it began", "ended before"],
)
def test_remembered_slowness_is_not_taken_over_again(track: Track, knows: bool) -> None:
    """A degraded component is taken over only if nothing of it is remembered."""
    assert knows == knows_of(track, at(150))


# --- a ledger that has it as well


def test_state_taken_from_the_ledger_has_its_reason_and_start() -> None:
    """As if the check had found it by itself."""
    behind = settled(run("oo", track=outage(), begins=170), at(240))

    assert Judgement(Condition.WELL, "5 of 5 checks passed", began_at=at(240)) == behind.judgement
    assert Condition.WELL is run("f", track=behind, begins=270).judgement.condition


def test_state_taken_from_the_ledger_after_one_good_result_says_so() -> None:
    """Taken over from the ledger, and one good look."""
    behind = settled(run("o", track=from_ledger(Level.DOWN, "HTTP 502", Fault.THEIRS, at(-60))), at(30))

    assert "the first check passed" == behind.judgement.reason


def test_slowness_from_the_ledger_keeps_the_doubt_about_failures() -> None:
    """An earlier failure still counts from its own time."""
    slow = run("sss", track=run("ooooo"), begins=150)
    behind = settled(replace(run("ff", track=slow, begins=240, gap=4), slow=replace(slow.slow, good=1)), at(270))

    assert Condition.WELL is behind.judgement.condition
    assert "2 of 2 checks failed in 30 s, too few to judge" == behind.judgement.reason


def test_state_taken_from_the_ledger_is_held_if_it_flaps() -> None:
    """The ledger does not reset the flap count."""
    back = run("oo", track=run(FLAPPING, track=run("ooooo"), begins=150), begins=480)
    again = run("ffff", track=settled(back, at(540)), begins=570)

    assert "it changed 4 times within 30 min" in again.judgement.reason


@pytest.mark.parametrize("track", [run("ooooo"), run("ooooof"), NEW], ids=["well", "in doubt", "new"])
def test_healthy_track_ignores_the_ledger(track: Track) -> None:
    """There is nothing to settle."""
    assert track is settled(track, at(240))


def test_later_slowness_is_kept() -> None:
    """It failed before and was slow after, which the ledger does not know yet."""
    track = run("so", track=run("ffff", track=run("ooooo"), begins=150, gap=4), begins=250)

    assert track is settled(track, at(240))


def test_result_at_the_very_moment_is_part_of_the_verdict() -> None:
    """The verdict in the ledger rests on it too."""
    track = run("o", track=outage(), begins=170)

    assert Condition.WELL is settled(track, at(162)).judgement.condition


# --- the budget of quick looks


def quick_looks(seconds: float, words: str) -> int:
    """How many early runs there are over so many seconds, as `words` repeat."""
    track, quick, now, due, turn = run("ooooo"), 0, 150.0, 150.0, 0
    while now < 150 + seconds:
        track = observe(track, look(now, words[turn % len(words)]), RULE, every=EVERY)
        turn += 1
        quick, due = (quick, due + 30) if now == due else (quick + 1, due)
        now = min(due, now + next_look(track, RULE, EVERY, at(now)).total_seconds())
    return quick


def test_one_doubt_has_a_limited_number_of_early_runs() -> None:
    """One failure in twelve keeps it in doubt for hours; a fifth of the schedule would be 72 more."""
    assert RULE.quick_most == quick_looks(3 * 3600, "f" + "o" * 11)


def test_later_doubt_has_early_runs_again() -> None:
    """Calm in between refills the budget."""
    tired = replace(run("ooooof"), quick=float(RULE.quick_most), spent=float(RULE.quick_most), spent_at=at(150))
    later = run("o" * 400 + "f", track=tired, begins=180)

    assert EVERY == next_look(tired, RULE, EVERY, at(150))
    assert RULE.recheck == next_look(later, RULE, EVERY, at(180 + 400 * 30))


def test_doubt_without_early_runs_left_goes_on_as_scheduled() -> None:
    """Although the budget would allow more."""
    assert EVERY == next_look(replace(run("ooooof"), quick=float(RULE.quick_most), spent=0.0), RULE, EVERY, at(180))


@pytest.mark.parametrize(("spent", "may"), [(RULE.quick_most - 1.0, True), (RULE.quick_most - 0.9, False)])
def test_early_run_needs_a_whole_unit_of_budget(spent: float, may: bool) -> None:
    """A whole one must be left."""
    track = replace(run("ooooof"), spent=spent, spent_at=at(180))

    assert may == may_hurry(track, RULE, EVERY, at(180))
    assert may == (RULE.recheck == next_look(track, RULE, EVERY, at(180)))


def test_early_run_of_yesterday_no_longer_counts() -> None:
    """One a day costs one, whatever came before."""
    track = NEW
    for day in range(3):
        track = run("oo", track=track, begins=86_400 * day, gap=3)

    assert 1 - 3 / 30 == pytest.approx(track.spent)


def test_check_as_frequent_as_its_rechecks_needs_no_budget() -> None:
    """No run is early."""
    assert not may_hurry(run("ooooof"), RULE, RULE.recheck, START)
