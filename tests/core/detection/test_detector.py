"""The detector: how it judges a check's results, when it runs the check again, and what survives a restart."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.detection.detector import (
    NEW,
    Condition,
    Judgement,
    Rule,
    Track,
    from_ledger,
    knows_of,
    next_look,
    observe,
    seeded,
    settled,
)
from bot.core.model import Fault, Level, Outcome, Sample
from bot.store.samples.sqlite import InlineSamples
from tests.desk import START

RULE = Rule()
EVERY = timedelta(seconds=30)
WORDS = {"o": Outcome.OK, "f": Outcome.FAIL, "s": Outcome.SLOW, "?": Outcome.INCONCLUSIVE}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def look(seconds: float, word: str, fault: Fault = Fault.THEIRS, ms: float = 40.0) -> Sample:
    """A result at that second: o good, f failed, s slow, ? inconclusive."""
    outcome = WORDS[word]
    bad = outcome in (Outcome.FAIL, Outcome.SLOW)
    reason = f"HTTP 502 after {ms:.0f} ms" if bad else ""
    return Sample("a.b.c", "a.b", at(seconds), outcome, None, fault if bad else Fault.NONE, reason, {"total": ms})


def fold(samples: Iterable[Sample], rule: Rule = RULE, track: Track = NEW) -> Track:
    for sample in samples:
        track = observe(track, sample, rule, every=EVERY)
    return track


def run(results: str, rule: Rule = RULE, track: Track = NEW, *, begins: float = 0, gap: float = 30) -> Track:
    """A history such as `ooff?o`, by default one result every 30 seconds."""
    return fold((look(begins + gap * n, word) for n, word in enumerate(results)), rule, track)


def outage(track: Track | None = None, begins: float = 150) -> Track:
    """Four failures within twelve seconds, after five good results."""
    return run("ffff", track=track or run("ooooo"), begins=begins, gap=4)


# --- when it speaks


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("", Condition.UNKNOWN),
        ("?", Condition.UNKNOWN),
        ("o", Condition.WELL),
        ("f", Condition.UNKNOWN),
        ("ff", Condition.UNKNOWN),
        ("fo", Condition.WELL),
        ("ooooof", Condition.WELL),
        ("oooooff", Condition.WELL),
        ("ooofff", Condition.FAILING),
        ("oofofof", Condition.FAILING),
        ("oooofofoof", Condition.WELL),
        ("fff", Condition.FAILING),
        ("f?f?f", Condition.FAILING),
        ("ooosss", Condition.SLOW),
        ("ooosfs", Condition.SLOW),
        ("ooss", Condition.WELL),
        ("ooofff???", Condition.FAILING),
        ("fffoooo", Condition.FAILING),
        ("fffooooo", Condition.WELL),
        ("fffoofooooo", Condition.FAILING),
        ("fffoof" + "o" * 32, Condition.FAILING),
        ("fffoof" + "o" * 33, Condition.WELL),
        ("fffsssss", Condition.SLOW),
        ("fffsssssooooo", Condition.WELL),
        ("ssssooooo", Condition.WELL),
    ],
)
def test_histories_are_judged(results: str, expected: Condition) -> None:
    """One blip is no outage, one lucky answer ends none, slow is not down, inconclusive results do not count."""
    assert expected == run(results).judgement.condition


def test_full_outage_is_detected_within_seconds() -> None:
    """By early runs: four failures in twelve seconds, and the reason says so."""
    judgement = outage().judgement

    assert Judgement(
        Condition.FAILING, "4 of 4 checks failed in 12 s: HTTP 502 after 40 ms", Fault.THEIRS, at(150),
        look(162, "f"), "sequential test",
    ) == judgement  # fmt: skip


def test_burst_of_failures_within_one_blip_is_no_outage() -> None:
    """Ten failures within nine seconds are one hiccup."""
    blip = run("f" * 10, track=run("ooooo"), begins=150, gap=1)

    assert Condition.WELL is blip.judgement.condition
    assert "10 of 10 checks failed in 9 s, too few to judge" == blip.judgement.reason


BURST = ((0, "f"), (3, "f"), (6, "f"), (9, "f"))  # four failures in a row within nine seconds
ANSWERED = tuple((10.5 + 1.5 * n, "o") for n in range(5))


def after_health(*looks: tuple[float, str], rule: Rule = RULE) -> Track:
    """Five good results, and then these, by second and letter."""
    return fold((look(150 + second, word) for second, word in looks), rule, run("ooooo", rule))


def test_stray_failure_after_a_hiccup_is_no_outage() -> None:
    """The hiccup was too short, and five good results followed."""
    hiccup = after_health(*BURST, *ANSWERED)

    assert not hiccup.suspect
    assert Condition.WELL is observe(hiccup, look(168, "f"), RULE, every=EVERY).judgement.condition


def test_burst_with_too_few_good_results_after_it_is_not_over() -> None:
    """What fails again within seconds lasted longer than a hiccup."""
    assert Condition.FAILING is after_health(*BURST, *ANSWERED[:4], (168, "f")).judgement.condition


def test_failures_with_good_results_between_them_are_no_hiccup() -> None:
    """A partial outage comes and goes, and is remembered as long as any."""
    in_part = ((0, "f"), (1.5, "o"), (3, "f"), (4.5, "f"), (6, "f"))
    assert Condition.FAILING is after_health(*in_part, *ANSWERED, (168, "f")).judgement.condition


def test_second_hiccup_soon_after_the_first_counts() -> None:
    """Bursts of six seconds, four times a minute, are a partial outage."""
    bursts = [(15 * n + 1.5 * look, "f" if look < 4 else "o") for n in range(4) for look in range(10)]
    assert Condition.FAILING is after_health(*bursts).judgement.condition


def test_second_hiccup_an_hour_later_does_not_count() -> None:
    """Five minutes are soon, an hour is not."""
    once = after_health(*BURST, *ANSWERED)
    again = fold(
        (look(3_750 + second, word) for second, word in (*BURST, *ANSWERED)), RULE, run("oo", track=once, begins=3_600)
    )

    assert not again.suspect


def test_clock_set_back_does_not_move_a_hiccup_into_the_future() -> None:
    """Five minutes later, by a clock that lost a day, the next hiccup is ignored as it should be."""
    back = -86_400
    hiccup = observe(after_health(*BURST, *ANSWERED), look(170 + back, "o"), RULE, every=EVERY)
    again = fold((look(600 + back + second, word) for second, word in (*BURST, *ANSWERED)), RULE, hiccup)

    assert not again.suspect


def test_nothing_is_reported_before_the_least_time() -> None:
    """With two minutes, the check is not called slow after one."""
    patient = replace(RULE, at_least=timedelta(minutes=2))
    track = run("ooooo" + "f" * 4, patient)
    assert Condition.WELL == track.judgement.condition
    assert Condition.FAILING == run("ff", patient, track, begins=270).judgement.condition


def test_timeout_counts_with_its_duration() -> None:
    """Four timeouts of five seconds span more than ten seconds, although they began within six."""
    hung = [look(150 + 2 * n, "f", ms=5000) for n in range(4)]

    assert Condition.FAILING is fold(hung, track=run("ooooo")).judgement.condition


def test_timeout_says_nothing_about_the_time_after_a_later_answer() -> None:
    """Four runs of a four-second hiccup hang for half a minute, while later ones were answered long before."""
    hung = [look(150 + second, "f", ms=30_000.0) for second in (0, 1.5, 3, 4)]
    answered = [look(156 + second, "o") for second in (0, 5)]

    assert Condition.WELL is fold([*answered, *hung], track=run("ooooo")).judgement.condition
    assert Condition.FAILING is fold(hung, track=run("ooooo")).judgement.condition


def test_one_failure_in_five_is_detected_without_two_in_a_row() -> None:
    """Rules of several in a row never see it; the sequential test adds it up."""
    track = run("foooo" * 8, track=run("ooooo"), begins=150)

    assert "sequential test" == track.judgement.spoke
    assert Condition.FAILING == track.judgement.condition
    assert at(150) == track.judgement.began_at


def test_window_detects_what_the_score_does_not() -> None:
    """Two of five, if configured; the reason names it."""
    track = run("oooofof", replace(RULE, failures=2))

    assert Condition.FAILING is track.judgement.condition
    assert "2 of 5 checks failed in 60 s: HTTP 502 after 40 ms" == track.judgement.reason


def test_early_runs_are_no_rounds_of_the_window() -> None:
    """A failure that four early runs contradict is no failed round; two such are no outage."""
    rule = replace(RULE, failures=2)
    track = run("ooooo", rule)
    for begins in (150, 180, 210):
        track = run("foooo", rule, track, begins=begins, gap=4)

    assert Condition.WELL is track.judgement.condition


def test_one_of_one_reports_every_failure() -> None:
    """If configured."""
    assert Condition.FAILING is run("oof", replace(RULE, failures=1)).judgement.condition


def test_higher_threshold_is_slower() -> None:
    """Twice the score takes twice the failures."""
    calm = replace(RULE, threshold=20.0, failures=5)

    assert [Condition.WELL, Condition.FAILING] == [run("ooo" + "f" * n, calm).judgement.condition for n in (4, 6)]


# --- what it says


def test_fault_is_that_of_most_failures() -> None:
    """A vendor in trouble answers 502, 502, 401, 502, 401: the fault stays theirs."""
    faults = [Fault.THEIRS, Fault.THEIRS, Fault.THEIRS, Fault.OURS_KEY, Fault.THEIRS, Fault.OURS_KEY]
    said, track = [], NEW
    for n, fault in enumerate(faults):
        track = observe(track, look(30 * n, "f", fault), RULE, every=EVERY)
        said.append(track.judgement.fault)

    assert [Fault.THEIRS] * 4 == said[2:]


@pytest.mark.parametrize(
    ("shown", "told"),
    [("tttkt", "ttttt"), ("kkktk", "kkkkk"), ("tkkt", "ttkk"), ("ttkk", "tttt")],
    ids=["theirs", "ours", "ours once they are more", "theirs until ours are more"],
)
def test_one_odd_answer_does_not_change_the_fault(shown: str, told: str) -> None:
    """With equal numbers it stays what it was. t = theirs, k = our key."""
    faults = {"t": Fault.THEIRS, "k": Fault.OURS_KEY}
    said, track = [], from_ledger(Level.DOWN, "HTTP 502", Fault.NONE, at(-30))
    for n, which in enumerate(shown):
        track = observe(track, look(30 * n, "f", faults[which]), RULE, every=EVERY)
        said.append(track.judgement.fault)

    assert [faults[which] for which in told] == said


def test_healthy_check_reports_its_success_rate() -> None:
    """Over the window, even if one run of it failed."""
    track = run("ooooof" + "o" * 12, replace(RULE, window=13, failures=13))

    assert "12 of 13 checks passed" == track.judgement.reason
    assert at(0) == track.judgement.began_at


def test_recovering_outage_says_what_is_missing() -> None:
    """The number of good results, and that it is too small."""
    assert "no failure in the last 2 checks, not yet counted as recovered" == run("fffoo").judgement.reason


# --- the way back


def test_recovery_needs_results_and_time() -> None:
    """Five good results within eight seconds end nothing: they must span as much as five scheduled ones."""
    soon = run("ooooo", track=outage(), begins=166, gap=2)
    later = run("oo", track=soon, begins=240, gap=36)
    over = run("o", track=later, begins=280)

    assert [Condition.FAILING, Condition.FAILING, Condition.WELL] == [t.judgement.condition for t in (soon, later, over)]
    assert at(166) == over.judgement.began_at


def test_recovery_takes_its_least_time_if_runs_are_close() -> None:
    """Five runs two seconds apart are no minute."""
    every = timedelta(seconds=2)
    track = NEW
    for n in range(60):
        track = observe(track, look(2 * n, "f" if n < 10 else "o"), RULE, every=every)
        if n >= 10 and track.judgement.condition is Condition.WELL:
            break

    assert 2 * n - 20 == RULE.recover_for.total_seconds()


def test_first_good_result_is_worded() -> None:
    """Nobody says `1 of 1 checks passed`."""
    assert ["the first check passed", "2 of 2 checks passed"] == [run(n).judgement.reason for n in ("o", "oo")]


def test_flapping_check_is_held_until_it_is_steady() -> None:
    """Down, up, down: the third change within half an hour keeps it down for ten good minutes, with that reason."""
    track = run("fffooooofff", track=run("ooooo"), begins=150)
    held = run("o" * 10, track=track, begins=480)
    steady = run("o" * 21, track=track, begins=480)

    assert Condition.FAILING is held.judgement.condition
    often = "it changed 3 times within 30 min, so it counts as recovered only once it was steady for 10 min"
    assert f"no failure in the last 10 checks; {often}" == held.judgement.reason
    assert Condition.WELL is steady.judgement.condition


def test_two_outages_hours_apart_are_not_flapping() -> None:
    """Changes are forgotten after half an hour."""
    track = run("fffooooo", track=run("ooooo"), begins=150)
    track = run("fffooooo", track=track, begins=7200)

    assert Condition.WELL is track.judgement.condition


def test_clock_set_back_delays_neither_detection_nor_recovery() -> None:
    """By an hour, in the middle of an outage."""
    ahead = run("ooooof", begins=3600)
    found = run("ffff", track=ahead, begins=154, gap=4)
    over = run("ooooo", track=found, begins=180)

    assert [Condition.FAILING, Condition.WELL] == [found.judgement.condition, over.judgement.condition]
    assert at(154) == found.judgement.began_at


# --- looking again


def test_failed_check_runs_again_within_seconds() -> None:
    """While in doubt; on schedule when healthy, and once it is sure."""
    tracks = [run("ooooo"), run("ooooof"), outage(), run("ooooof" + "o" * 12)]

    assert [EVERY, RULE.recheck, EVERY, EVERY] == [next_look(track, RULE, EVERY, at(1000)) for track in tracks]


def test_check_more_frequent_than_rechecks_keeps_its_interval() -> None:
    """Every second stays every second."""
    every = timedelta(seconds=1)

    assert every == next_look(run("ooooof"), RULE, every, at(180))


def spent(seconds: float, failing: str) -> tuple[int, int]:
    """Scheduled and early runs over so many seconds, as the results of `failing` repeat."""
    track, regular, quick, now, turn = run("ooooo"), 0, 0, 150.0, 0
    due = now
    while now < 150 + seconds:
        track = observe(track, look(now, failing[turn % len(failing)]), RULE, every=EVERY)
        turn += 1
        regular, quick, due = (regular + 1, quick, due + 30) if now == due else (regular, quick + 1, due)
        now = min(due, now + next_look(track, RULE, EVERY, at(now)).total_seconds())
    return regular, quick


@pytest.mark.parametrize("failing", ["f", "fooooooooo", "?", "fo?oooo???ooooo", "f" + "?" * 50])
def test_early_runs_stay_within_their_budget(failing: str) -> None:
    """Whatever a target does for a day: at most a fifth of the schedule, and what was saved up."""
    regular, quick = spent(86_400, failing)

    assert quick <= regular * 0.22 + RULE.quick_most


# --- latency


def usual(ms: float, rule: Rule = RULE) -> Track:
    """A check that has answered in about that time for an hour."""
    dice = random.Random(7)
    return fold((look(30 * n, "o", ms=ms * dice.uniform(0.8, 1.2)) for n in range(120)), rule)


def test_usual_latency_is_learned_while_healthy() -> None:
    """Within a tenth after an hour, and a stall of a minute hardly changes it."""
    track = usual(800)
    stalled = observe(track, look(3600, "o", ms=60_000), RULE, every=EVERY)

    assert 800 == pytest.approx(track.baseline_ms, rel=0.1)
    assert stalled.baseline_ms == track.baseline_ms


def test_nothing_is_learned_in_doubt_or_when_forbidden() -> None:
    """An incident must not become usual."""
    track = usual(800)
    frozen = observe(track, look(3600, "o", ms=1600), RULE, learn=False, every=EVERY)
    doubt = fold([look(3600, "f"), look(3604, "o", ms=1600)], track=track)

    assert {track.baseline_ms} == {frozen.baseline_ms, doubt.baseline_ms}


def test_usual_latency_needs_twenty_answers() -> None:
    """The first twenty only teach."""
    track = run("o" * 10)

    assert track.baseline_ms is None
    assert Condition.WELL == fold([look(600 + 30 * n, "o", ms=30_000) for n in range(5)], track=track).judgement.condition


@pytest.mark.parametrize(
    ("under_s", "usual_ms", "word", "ms", "expected"),
    [
        (None, 800, "o", 2300, Condition.WELL),  # below three times the usual
        (None, 800, "o", 2900, Condition.SLOW),
        (None, 50, "o", 900, Condition.WELL),  # eighteen times the usual, and nobody minds
        (None, 50, "o", 1100, Condition.SLOW),
        (5, 800, "o", 2900, Condition.WELL),  # the check's own word counts
        (5, 800, "s", 5100, Condition.SLOW),
        (5, 4000, "s", 6000, Condition.WELL),  # it is always like that
        (5, 4000, "s", 13000, Condition.SLOW),
        (5, 800, "s", 1000, Condition.SLOW),  # its first token came late
    ],
)
def test_slow_is_above_the_limit_and_above_three_times_the_usual(
    under_s: float | None, usual_ms: float, word: str, ms: float, expected: Condition
) -> None:
    """max(fixed, 3 x usual), sustained."""
    rule = replace(RULE, slow_over=timedelta(seconds=under_s) if under_s else None)
    track = usual(usual_ms, rule)

    assert expected is fold([look(3600 + 30 * n, word, ms=ms) for n in range(4)], rule, track).judgement.condition


def test_slowness_without_a_limit_names_the_usual_latency() -> None:
    """The answer was good, so the reason says what is usual."""
    track = fold([look(3600 + 30 * n, "o", ms=4200) for n in range(4)], track=seeded(run("ooooo"), 800))

    assert "4 of 4 checks were slow or failed in 90 s: answered after 4.2 s, usually 800 ms" == track.judgement.reason
    assert Fault.THEIRS == track.judgement.fault
    assert at(3600) == track.judgement.began_at


def test_slowness_must_last() -> None:
    """Many slow answers within half a minute are a hiccup."""
    assert Condition.WELL is run("s" * 15, track=run("ooooo"), begins=150, gap=2).judgement.condition


def test_slow_results_cause_no_early_runs() -> None:
    """Slowness is a matter of minutes, and runs cost money."""
    assert EVERY == next_look(run("ooooos"), RULE, EVERY, at(180))


def test_stray_failure_near_the_end_of_recovery_delays_it_slightly() -> None:
    """Half of the evidence before it still counts."""
    track = run("o" * 30 + "f", track=run("fffoof"), begins=180)

    assert [Condition.FAILING, Condition.WELL] == [
        run("o" * good, track=track, begins=180 + 31 * 30).judgement.condition for good in (16, 17)
    ]


def test_full_outage_after_a_relapse_ends_by_the_longer_test() -> None:
    """A check that relapsed must answer for long."""
    failed = run("fff" + "oo" + "f" * 40)

    assert [Condition.FAILING, Condition.WELL] == [
        run("o" * good, track=failed, begins=2_000).judgement.condition for good in (32, 33)
    ]


def test_first_good_result_of_an_outage_causes_early_runs() -> None:
    """Five results half a minute apart are luck if four in ten fail; twenty are not."""
    assert EVERY / 6 == next_look(run("o", track=outage(), begins=180), RULE, EVERY, at(180))


def test_early_runs_need_more_good_results_after_each_relapse() -> None:
    """A check that fails one run in five would spend its budget on every good answer."""
    once, thrice = run("of", track=outage(), begins=180), run("ofofof", track=outage(), begins=180)

    def quick_from(track: Track) -> int:
        waits = [next_look(run("o" * n, track=track, begins=360), RULE, EVERY, at(360)) for n in range(1, 12)]
        return 1 + waits.index(RULE.recheck)

    assert [1, 4] == [quick_from(once), quick_from(thrice)]


def test_flapping_check_has_no_early_runs_during_recovery() -> None:
    """It is held for ten minutes anyway."""
    held = run("oo", track=run("fffooooofff", track=run("ooooo"), begins=150), begins=480)

    assert EVERY == next_look(held, RULE, EVERY, at(510))


def test_recovery_without_budget_goes_on_as_scheduled() -> None:
    """A target that comes and goes all day gets no more runs than any other."""
    back = replace(run("o", track=outage(), begins=180), spent=float(RULE.quick_most), spent_at=at(180))

    assert EVERY == next_look(back, RULE, EVERY, at(180))


def test_early_runs_of_a_healthy_check_are_charged_too() -> None:
    """It may run early because another check fails."""
    track = run("oooooo", track=run("ooooo"), begins=150, gap=2)

    assert 5 * (1 - 2 / 30) == pytest.approx(track.spent, abs=0.1)
    assert 0.0 == run("o" * 20).spent


def test_outage_after_a_blip_begins_with_its_own_first_failure() -> None:
    """One failure followed by a dozen good early runs is neither counted nor shown as the beginning."""
    blip = run("o" * 12, track=run("of", track=run("oooo"), begins=120), begins=175, gap=1.5)
    judgement = outage(blip, begins=210).judgement

    assert "4 of 4 checks failed in 12 s: HTTP 502 after 40 ms" == judgement.reason
    assert at(210) == judgement.began_at


def test_few_good_results_end_nothing_however_long_they_take() -> None:
    """Four of them, a minute apart, are four."""
    assert Condition.FAILING is run("oooo", track=outage(), begins=200, gap=60).judgement.condition


def quickly(*parts: tuple[str, float], every: timedelta, rule: Rule = RULE) -> Condition:
    """The result of a history of parts, each with the seconds between its runs."""
    track, seconds = NEW, 0.0
    for looks, gap in parts:
        for word in looks:
            seconds += gap
            track = observe(track, look(seconds, word), rule, every=every)
    return track.judgement.condition


@pytest.mark.parametrize("every", [EVERY, timedelta(minutes=2)])
def test_enough_good_early_runs_end_a_relapsed_outage(every: timedelta) -> None:
    """There the recovery test decides, and no number of scheduled runs."""
    s = every.total_seconds()

    assert Condition.WELL is quickly(("ooooo", s), ("ffffoof", 4), ("o" * 35, 2), every=every)


@pytest.mark.parametrize(("quick", "expected"), [("o", Condition.FAILING), ("oo", Condition.WELL), ("foo", Condition.FAILING)])
def test_round_counts_as_failed_if_half_of_its_runs_failed(quick: str, expected: Condition) -> None:
    """Each of three rounds begins with a failure followed by early runs; only the window decides here."""
    rounds = [("f", 30.0), (quick, 2.0)] * 3

    assert expected is quickly(("oooo", 30), *rounds[:-1], every=EVERY, rule=replace(RULE, threshold=1e9))


def test_blip_does_not_reset_the_flap_count() -> None:
    """Down, well, one failure without consequence, and down again: the third change."""
    again = run("ooooo" + "fff" + "ooooo" + "f" + "o" * 13 + "fff")

    assert "it changed 3 times within 30 min" in again.judgement.reason


def test_flapping_check_is_held_at_least_as_long_as_others() -> None:
    """Even if its hold time is set to nothing."""
    every, rule = timedelta(seconds=5), replace(RULE, steady_for=timedelta(0))

    assert Condition.FAILING is quickly(("ooooo", 5), ("ffff" + "o" * 20 + "ffff" + "oooooo", 5), every=every, rule=rule)


# --- restarts


HISTORY = "ooooo" + "fffff" + "ooosoo" + "f?ofoff" + "o" * 30 + "ssss" + "oooooo"


async def test_restart_rebuilds_the_same_track(tmp_path: Path) -> None:
    """From what was stored, at every point of a history."""
    samples = InlineSamples.open(tmp_path / "samples.db")
    live = NEW
    for n, word in enumerate(HISTORY):
        sample = look(30 * n, word, ms=40 + n)
        if sample.outcome is Outcome.OK:
            sample = replace(sample, reason="HTTP 200", evidence={"status": "200"}, phases_ms={"dns": 1.0, "total": 40.0 + n})
        await samples.add([sample])
        live = observe(live, sample, RULE, every=EVERY)
        rebuilt = fold(await samples.recent("a.b.c", 1000))

        assert live == rebuilt
    await samples.close()


def test_old_doubt_is_dropped() -> None:
    """Two failures, a day without the bot, and one more count as one; in time it would have been the third."""

    def after(seconds: float) -> Condition:
        return observe(run("ooooff"), look(150 + seconds, "f"), RULE, every=EVERY).judgement.condition

    assert Condition.WELL == after(86_400)
    assert Condition.FAILING == after(30)


def test_old_outage_stays_until_good_results_end_it() -> None:
    """After a day without runs the first good answer does not end it; five do."""
    track = outage()

    assert Condition.FAILING is run("oooo", track=track, begins=86_400).judgement.condition
    assert Condition.WELL is run("ooooo", track=track, begins=86_400).judgement.condition


def test_track_follows_the_ledger_unless_it_failed_since() -> None:
    """A track behind the ledger gives in if its last result was good; not if it failed later."""
    behind = run("oo", track=outage(), begins=170)

    assert Condition.WELL is settled(behind, at(240)).judgement.condition
    assert behind == settled(behind, at(155))
    assert outage() == settled(outage(), at(240))


def test_track_knows_an_outage_that_it_was_part_of() -> None:
    """Present or ended since; not one of another check, nor an earlier one."""
    over = run("ooooo", track=outage(), begins=170)

    assert [True, True, False, False] == [
        knows_of(outage(), at(150)), knows_of(over, at(150)), knows_of(run("ooooo"), at(150)), knows_of(over, at(900)),
    ]  # fmt: skip


def test_committed_outage_ends_by_good_results_after_a_restart() -> None:
    """Good results from before it began do not count."""
    held = from_ledger(Level.DOWN, "models: 3 of 5 checks failed", Fault.THEIRS, at(150))
    folded = run("oooooff", track=held)
    over = run("ooooo", track=folded, begins=240)

    assert Condition.FAILING == held.judgement.condition
    assert at(150) == held.judgement.began_at
    assert "2 of 2 checks failed in 30 s: HTTP 502 after 40 ms" == folded.judgement.reason
    assert at(150) == folded.judgement.began_at
    assert Condition.WELL is over.judgement.condition


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Level.DOWN, Condition.FAILING),
        (Level.DEGRADED, Condition.SLOW),
        (Level.OPERATIONAL, Condition.UNKNOWN),
        (Level.UNKNOWN, Condition.UNKNOWN),
    ],
)
def test_only_failures_are_taken_over_from_the_ledger(level: Level, expected: Condition) -> None:
    """That a component was well says nothing about now."""
    assert expected is from_ledger(level, "", Fault.NONE, START).judgement.condition
