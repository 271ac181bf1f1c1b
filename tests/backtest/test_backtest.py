"""Replaying looks through other settings, and comparing what comes of it with the incidents on record."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.backtest.replay import Episode, OnRecord, Settings, compare, on_record, pair, replay
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
    assert "2 of the last 5 rounds failed within 10 min (2-of-5 window): HTTP 502" == episodes[0].first.reason


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
