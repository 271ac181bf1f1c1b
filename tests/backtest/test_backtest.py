"""Replaying looks through other settings, and comparing what comes of it with the incidents on record."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.backtest.replay import Detection, Episode, OnRecord, Settings, compare, on_record, pair, replay
from bot.core.detection.detector import Condition
from bot.core.detection.settings import Rule
from bot.core.model import Fault, Level, Outcome, Sample
from tests.desk import START, Table

TODAY = Settings(Rule())
EAGER = Settings(Rule(failures=2))
WORDS = {"o": Outcome.OK, "f": Outcome.FAIL, "s": Outcome.SLOW, "?": Outcome.INCONCLUSIVE}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def looks(results: str, check: str = "a.b.c", fault: Fault = Fault.THEIRS, begins: float = 0, gap: float = 30) -> list[Sample]:
    """One look every 30 seconds."""
    component = ".".join(check.split(".")[:2])
    return [
        Sample(check, component, at(begins + gap * n), WORDS[word], None, fault if word in "fs" else Fault.NONE, "HTTP 502")
        for n, word in enumerate(results)
    ]


def incident(name: str = "INC-1", began: float = 150, detected: float = 240, ended: float | None = 400) -> OnRecord:
    return OnRecord(name, ("a.b",), at(began), at(detected), None if ended is None else at(ended))


OUTAGE = "ooooo" + "fffff" + "o" * 20


def times(episodes: tuple[Episode, ...]) -> list[tuple[str, Condition, datetime, datetime, datetime | None]]:
    return [(e.component, e.condition, e.began_at, e.first.detected_at, e.ended_at) for e in episodes]


def test_an_outage_is_found_when_the_settings_find_it() -> None:
    """Three failures in a row, or two where that is asked for; it ends by the fifth good look."""
    samples = looks(OUTAGE)

    assert [("a.b", Condition.FAILING, at(150), at(210), at(420))] == times(replay(samples, TODAY))
    assert [("a.b", Condition.FAILING, at(150), at(180), at(420))] == times(replay(samples, EAGER))


def test_the_order_of_the_looks_does_not_matter() -> None:
    """A trace may be written in any order."""
    samples = looks(OUTAGE)

    assert replay(samples, TODAY) == replay(samples[::-1], TODAY)


def test_an_outage_at_the_end_has_no_end() -> None:
    """It lasts as far as the looks go."""
    assert [None] == [episode.ended_at for episode in replay(looks("ooooofff"), TODAY)]


def test_checks_of_one_component_that_fail_together_are_one_episode() -> None:
    """Two checks of one component, one of another: two episodes."""
    samples = looks(OUTAGE) + looks(OUTAGE, "a.b.d", begins=10) + looks(OUTAGE, "x.y.z", begins=20)
    episodes = replay(samples, TODAY)

    assert [("a.b", 2), ("x.y", 1)] == [(episode.component, len(episode.detections)) for episode in episodes]


def test_each_check_is_judged_at_the_pace_that_it_had() -> None:
    """The same rule on a check that looked every five minutes: rounds are five minutes long."""
    episodes = replay(looks("ooooofofo", gap=300), EAGER)

    assert [at(2100)] == [episode.first.detected_at for episode in episodes]
    assert "2 of 5 checks failed in 10 min: HTTP 502" == episodes[0].first.reason


def test_a_check_may_have_a_rule_of_its_own() -> None:
    """What the configuration says of one check counts for that check."""
    settings = Settings(Rule(), {"a.b.c": replace(Rule(), failures=1)})
    samples = looks("ooooofoooooo") + looks("ooooofoooooo", "x.y.z")

    assert ["a.b"] == [episode.component for episode in replay(samples, settings)]


def test_an_incident_is_found_missed_or_a_false_alarm() -> None:
    """Earlier than on record, not at all, and with no incident at that time."""
    found = compare(replay(looks(OUTAGE), TODAY), [incident()])
    missed = compare(replay(looks("o" * 30), TODAY), [incident()])
    alarm = compare(replay(looks(OUTAGE), TODAY), [incident(began=9000, ended=None)])

    assert at(210) == (found.found["INC-1"] or pytest.fail("missed")).first.detected_at
    assert {"INC-1": None} == missed.found
    assert () == found.false_alarms
    assert 1 == len(alarm.false_alarms)


def test_what_is_our_own_fault_is_no_alarm_about_the_provider() -> None:
    """A spent quota fails the check, and neither finds the incident nor cries wolf."""
    outcome = compare(replay(looks(OUTAGE, fault=Fault.OURS_QUOTA), TODAY), [incident()])

    assert 1 == len(outcome.episodes)
    assert outcome.found["INC-1"] is None
    assert () == outcome.false_alarms


def test_two_settings_stand_side_by_side() -> None:
    """What both find is one row; what one finds alone has an empty place beside it."""
    samples = looks("ooooo" + "ff" + "o" * 20 + "fffff" + "o" * 20)
    rows = pair(replay(samples, TODAY), replay(samples, EAGER))

    assert [(None, at(180)), (at(870), at(840))] == [
        tuple(episode and episode.first.detected_at for episode in row) for row in rows
    ]


def test_canceled_incidents_were_none() -> None:
    """What people called a false alarm stays one; what they resolved is on record with its components."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    declared = table.incident()
    record = on_record(table.world.incidents.values(), START, table.now + timedelta(hours=1))

    assert [("INC-1", ("anthropic.api",), declared.began_at, declared.declared_at, None)] == [
        (i.name, i.components, i.began_at, i.detected_at, i.ended_at) for i in record
    ]
    assert () == on_record([replace(declared, phase=declared.phase.CANCELED)], START, table.now + timedelta(hours=1))
    assert () == on_record([declared], START - timedelta(days=2), START - timedelta(days=1))


# --- in health and in trouble


SLOWLY = 1_600  # looks after which a usual latency has moved from 40 ms to what was answered meanwhile


def timed(ms: float, count: int, begins: float, check: str = "a.b.d") -> list[Sample]:
    return [replace(sample, phases_ms={"total": ms}) for sample in looks("o" * count, check, begins=begins)]


@pytest.mark.parametrize(("other", "episodes"), [("f", ["a.b.c", "a.b.d"]), ("o", []), ("fffff" + "o", ["a.b.c"])])
def test_what_is_usual_is_learned_in_health_alone(other: str, episodes: list[str]) -> None:
    """Half a day of 900 ms is the new normal, unless another check of the component failed all that time."""
    before = timed(40, 30, 0)
    meanwhile = timed(900, SLOWLY, 900)
    after = timed(1500, 6, 900 + 30 * SLOWLY)
    neighbour = looks("o" * 25 + (other[:-1] + other[-1] * SLOWLY)[:SLOWLY], "a.b.c", begins=10)
    found = [d.check for e in replay([*before, *meanwhile, *after, *neighbour], TODAY) for d in e.detections]

    assert episodes == found


@pytest.mark.parametrize(
    ("results", "condition"),
    [("ooooo" + "ssss" + "ooooo", Condition.SLOW), ("ooooo" + "ssss" + "fffff" + "o" * 9, Condition.FAILING)],
)
def test_an_episode_is_as_bad_as_its_worst_part(results: str, condition: Condition) -> None:
    """Slow stays slow; slow that turned into failing is failing."""
    [episode] = replay(looks(results), TODAY)

    assert [condition] * 2 == [episode.condition, episode.first.condition]


def test_a_detection_is_told_whole() -> None:
    """Which check, from where, since when, found when and why, and until when."""
    samples = [replace(sample, vantage="paris") for sample in looks(OUTAGE)]
    reason = "3 of 5 checks failed in 60 s: HTTP 502"
    found = Detection("a.b", "a.b.c", Condition.FAILING, at(150), at(210), reason, Fault.THEIRS, at(420), "paris")

    assert [(found,)] == [episode.detections for episode in replay(samples, TODAY)]


def test_one_look_alone_is_looked_at_as_well() -> None:
    """It has no pace of its own."""
    assert () == replay(looks("f"), TODAY)


def test_what_is_resolved_is_on_record_until_it_was_well() -> None:
    """Or until people ended it, where it never was."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.passes(10)
    canceled = replace(table.incident(), ending=replace(table.incident().ending, at=table.now))
    table.sees("anthropic.api", Level.OPERATIONAL)
    well = table.incident()
    later = table.now + timedelta(hours=1)

    assert [table.now, table.now] == [i.ended_at for i in on_record([canceled, well], START, later)]
    assert 1 == len(on_record([well], table.now, later))
    assert 1 == len(on_record([well], START - timedelta(hours=1), well.began_at))


def test_an_outage_of_another_component_finds_nothing() -> None:
    """At the same time, and somewhere else."""
    outcome = compare(replay(looks(OUTAGE, "x.y.z"), TODAY), [incident()])

    assert {"INC-1": None} == outcome.found
    assert 1 == len(outcome.false_alarms)


def test_clocks_that_differ_by_five_minutes_still_meet() -> None:
    """Not a second more, on either side."""
    episodes = replay(looks(OUTAGE), TODAY)  # from 150 to 420
    near = [incident("a", began=720, ended=None), incident("b", began=-900, ended=-150)]
    far = [incident("c", began=721, ended=None), incident("d", began=-900, ended=-151)]

    assert [True, True, False, False] == [one is not None for one in compare(episodes, [*near, *far]).found.values()]


def test_what_only_the_first_settings_find_has_an_empty_place_beside_it() -> None:
    """Whichever way one compares."""
    samples = looks("ooooo" + "ff" + "o" * 20)

    assert [(True, False)] == [(bool(a), bool(b)) for a, b in pair(replay(samples, EAGER), replay(samples, TODAY))]


def test_outages_that_last_are_one_row() -> None:
    """Both settings find it, and neither sees its end."""
    samples = looks("ooooo" + "f" * 9)

    assert [(True, True)] == [(bool(a), bool(b)) for a, b in pair(replay(samples, EAGER), replay(samples, TODAY))]


def test_outages_one_after_the_other_are_two_rows() -> None:
    """An end that is not known is after everything; what was over before is another matter."""
    early = replay(looks("ooooo" + "fffff" + "o" * 20), TODAY)
    late = replay(looks("ooooo" + "f" * 9, begins=3000), TODAY)

    assert 2 == len(pair(early, late))
    assert 2 == len(pair(late, early))
