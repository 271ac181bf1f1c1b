"""What a check remembers where the way was not straight: a clock set back, a long silence, a ledger that knows more or less."""

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
def test_a_clock_set_back_moves_all_that_is_remembered(before: str, word: str, gap: float) -> None:
    """What follows is judged, told and timed as if every earlier look had been by the new clock."""
    earlier = [look(7200 + gap * n, what) for n, what in enumerate(before)]
    now = look(3600, word)

    assert fold([*shifted(earlier, now.at - earlier[-1].at), now]) == fold([*earlier, now])


def test_a_window_that_reaches_over_a_clock_set_back_speaks() -> None:
    """The failure from before, by the clock of before in the future, counts as the first of two."""
    rule = replace(RULE, failures=2)
    track = run("ff", rule, run("ooooof", rule, begins=3600), begins=154)

    assert Condition.FAILING is track.judgement.condition
    assert "window" == track.judgement.spoke


def test_an_answer_that_comes_in_late_is_no_clock_set_back() -> None:
    """Within an interval it is the way that took long: nothing moves."""
    late = observe(run("ooooo"), look(100, "o"), RULE, every=EVERY)

    assert at(0) == late.judgement.began_at


def test_a_look_before_the_last_one_costs_no_more_than_one() -> None:
    """However late it comes in."""
    assert 1.0 == observe(run("ooooo"), look(100, "o"), RULE, every=EVERY).spent


# --- a long silence


def test_a_failure_of_long_ago_is_not_told_any_more() -> None:
    """One failure, twenty minutes of silence, one good look: nobody reads of a failure."""
    track = fold([look(0, "f"), look(1230, "o")])

    assert "the first check passed" == track.judgement.reason
    assert not track.suspect


def test_a_slow_answer_of_long_ago_is_not_told_any_more() -> None:
    """The same for slowness."""
    assert "the first check passed" == fold([look(0, "o"), look(30, "s"), look(1260, "o")]).judgement.reason


def test_a_check_that_runs_seldom_remembers_its_doubts_for_longer() -> None:
    """Every ten minutes, with one look that did not come: the third failure is the third."""
    track = NEW
    for seconds, word in [(0, "o"), (600, "f"), (1200, "f"), (2400, "f")]:
        track = observe(track, look(seconds, word), RULE, every=SELDOM)

    assert Condition.FAILING is track.judgement.condition


def test_looks_that_say_nothing_are_no_silence() -> None:
    """Two failures, twenty minutes in which nobody could tell, and two more: those are four."""
    track = run("ff" + "?" * 40 + "ff", track=run("ooooo"), begins=150)

    assert Condition.FAILING is track.judgement.condition


def test_a_silence_does_not_make_it_forget_that_it_flaps() -> None:
    """Three changes within half an hour, twenty minutes of silence within it, and down again."""
    track = run("fffooooo", track=run("ooooof"), begins=180)
    again = run("ffff", track=track, begins=390 + 1000)

    assert "it changed 3 times within 30 min" in again.judgement.reason


def test_a_doubt_after_a_silence_may_look_as_often_as_any() -> None:
    """What an earlier doubt cost is not held against it."""
    tired = replace(run("ooooof"), quick=float(RULE.quick_most))

    assert 0.0 == undoubted(tired).quick


# --- a ledger that knows of an outage


@pytest.mark.parametrize(("level", "condition"), [(Level.DOWN, Condition.FAILING), (Level.DEGRADED, Condition.SLOW)])
def test_what_the_ledger_has_stands_with_its_reason_fault_and_beginning(level: Level, condition: Condition) -> None:
    """A restart tells what was told before it."""
    held = from_ledger(level, "key refused", Fault.OURS_KEY, at(150))

    assert Judgement(condition, "key refused", Fault.OURS_KEY, at(150), spoke="ledger") == held.judgement


@pytest.mark.parametrize(("level", "condition"), [(Level.DOWN, Condition.FAILING), (Level.DEGRADED, Condition.SLOW)])
def test_what_the_ledger_has_is_no_worse_and_no_better_after_one_good_look(level: Level, condition: Condition) -> None:
    """Slow stays slow; whose fault it is, and that it comes back, is told."""
    judgement = run("o", track=from_ledger(level, "key refused", Fault.OURS_KEY, at(-60))).judgement
    said = {Condition.FAILING: "no failure", Condition.SLOW: "no slow answer"}[condition]

    assert judgement == Judgement(
        condition, f"{said} in the last check, not yet counted as recovered", Fault.OURS_KEY, at(-60), None, "ledger", True
    )


@pytest.mark.parametrize(
    ("level", "track"),
    [(Level.DOWN, replace(NEW, failing=often(at(0)))), (Level.DEGRADED, replace(NEW, slow=often(at(0))))],
)
def test_an_outage_from_the_ledger_is_held_where_the_check_flapped(level: Level, track: Track) -> None:
    """Five good looks end it elsewhere."""
    held = run("ooooo", track=from_ledger(level, "HTTP 502", Fault.THEIRS, at(0), track), begins=30)

    assert "it changed 3 times within 30 min" in held.judgement.reason


@pytest.mark.parametrize("before", ["o", "f"])
def test_a_late_answer_counts_once_others_were_seen_since_the_ledger(before: str) -> None:
    """Only while nobody looked since the outage began, an answer from before it says nothing against it."""
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
def test_slowness_is_known_of_as_well(track: Track, knows: bool) -> None:
    """A degraded component is taken over only where nobody remembers it."""
    assert knows == knows_of(track, at(150))


# --- a ledger that has it as well


def test_what_is_settled_says_how_it_was_and_since_when() -> None:
    """As a check that found it out by itself."""
    behind = settled(run("oo", track=outage(), begins=170), at(240))

    assert Judgement(Condition.WELL, "5 of 5 checks passed", began_at=at(240)) == behind.judgement
    assert Condition.WELL is run("f", track=behind, begins=270).judgement.condition


def test_what_is_settled_after_its_first_look_says_so() -> None:
    """Taken over from the ledger, and one good look."""
    behind = settled(run("o", track=from_ledger(Level.DOWN, "HTTP 502", Fault.THEIRS, at(-60))), at(30))

    assert "the first check passed" == behind.judgement.reason


def test_slowness_that_is_settled_leaves_the_doubt_about_failures() -> None:
    """One failure before that is counted from when it was."""
    slow = run("sss", track=run("ooooo"), begins=150)
    behind = settled(replace(run("ff", track=slow, begins=240, gap=4), slow=replace(slow.slow, good=1)), at(270))

    assert Condition.WELL is behind.judgement.condition
    assert "2 of 2 checks failed in 30 s, too few to judge" == behind.judgement.reason


def test_what_is_settled_is_held_where_it_flaps() -> None:
    """What the ledger says does not make it forget."""
    back = run("oo", track=run(FLAPPING, track=run("ooooo"), begins=150), begins=480)
    again = run("ffff", track=settled(back, at(540)), begins=570)

    assert "it changed 4 times within 30 min" in again.judgement.reason


@pytest.mark.parametrize("track", [run("ooooo"), run("ooooof"), NEW], ids=["well", "in doubt", "new"])
def test_what_is_in_no_trouble_has_nothing_to_settle(track: Track) -> None:
    """It says what it said."""
    assert track is settled(track, at(240))


def test_slowness_since_then_is_not_settled() -> None:
    """It failed before, and was slow after: the ledger does not know that yet."""
    track = run("so", track=run("ffff", track=run("ooooo"), begins=150, gap=4), begins=250)

    assert track is settled(track, at(240))


def test_a_sign_at_the_very_moment_is_not_since_then() -> None:
    """The verdict that has it as well was about that look too."""
    track = run("o", track=outage(), begins=170)

    assert Condition.WELL is settled(track, at(162)).judgement.condition


# --- the budget of quick looks


def quick_looks(seconds: float, words: str) -> int:
    """How many quick ones it takes over so many seconds, as `words` go round."""
    track, quick, now, due, turn = run("ooooo"), 0, 150.0, 150.0, 0
    while now < 150 + seconds:
        track = observe(track, look(now, words[turn % len(words)]), RULE, every=EVERY)
        turn += 1
        quick, due = (quick, due + 30) if now == due else (quick + 1, due)
        now = min(due, now + next_look(track, RULE, EVERY, at(now)).total_seconds())
    return quick


def test_one_doubt_takes_so_many_quick_looks_and_no_more() -> None:
    """One failure in twelve looks leaves it in doubt for hours; a fifth on top of the schedule would be 72 more."""
    assert RULE.quick_most == quick_looks(3 * 3600, "f" + "o" * 11)


def test_a_later_doubt_may_look_quickly_again() -> None:
    """Calm between them gives the budget back."""
    tired = replace(run("ooooof"), quick=float(RULE.quick_most), spent=float(RULE.quick_most), spent_at=at(150))
    later = run("o" * 400 + "f", track=tired, begins=180)

    assert EVERY == next_look(tired, RULE, EVERY, at(150))
    assert RULE.recheck == next_look(later, RULE, EVERY, at(180 + 400 * 30))


def test_a_doubt_that_took_all_its_quick_looks_goes_on_as_scheduled() -> None:
    """Though the budget would pay for more."""
    assert EVERY == next_look(replace(run("ooooof"), quick=float(RULE.quick_most), spent=0.0), RULE, EVERY, at(180))


@pytest.mark.parametrize(("spent", "may"), [(RULE.quick_most - 1.0, True), (RULE.quick_most - 0.9, False)])
def test_the_last_quick_look_is_one_that_can_be_paid_for(spent: float, may: bool) -> None:
    """A whole one must be left."""
    track = replace(run("ooooof"), spent=spent, spent_at=at(180))

    assert may == may_hurry(track, RULE, EVERY, at(180))
    assert may == (RULE.recheck == next_look(track, RULE, EVERY, at(180)))


def test_a_quick_look_of_yesterday_is_paid_off() -> None:
    """One a day costs one, whatever the days before had."""
    track = NEW
    for day in range(3):
        track = run("oo", track=track, begins=86_400 * day, gap=3)

    assert 1 - 3 / 30 == pytest.approx(track.spent)


def test_a_check_as_quick_as_its_rechecks_needs_no_budget() -> None:
    """Nothing comes before its time."""
    assert not may_hurry(run("ooooof"), RULE, RULE.recheck, START)
