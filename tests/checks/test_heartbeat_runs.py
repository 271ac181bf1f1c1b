"""A job that names its runs: what one of them told before counts once, however often its client sends it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.checks.heartbeat import MOST_RUNS, HeartbeatCheck, HeartbeatProber, Heartbeats, sample_of
from bot.checks.heartbeat_intake import HeartbeatIntake
from bot.core.model import Outcome, Sample
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
BACKUP = HeartbeatCheck("jobs.backup.nightly", "jobs.backup", timedelta(minutes=5), timedelta(minutes=1))
NAME = "nightly"


class Machine:
    """A bot that hears of one job: what it handed on, and what a look says."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock(START)
        self.register = Heartbeats(self.clock)
        self.taken: list[Sample] = []
        self.told: list[Any] = []
        self.signs = HeartbeatIntake([BACKUP], self.register, self.clock, self._takes, tell=self.told.append)

    async def _takes(self, sample: Sample) -> None:
        self.taken.append(sample)

    async def hears(self, kind: str, run: str, exit_code: int | None = None) -> None:
        self.clock.advance(timedelta(seconds=10))
        await self.signs.record(NAME, kind, exit_code, "", run)

    async def looks(self) -> tuple[Outcome, str | None]:
        sample = await HeartbeatProber(self.register, self.clock).probe(BACKUP)
        return sample.outcome, sample.error


@pytest.fixture
def machine() -> Machine:
    return Machine()


WELL = (Outcome.OK, None)
FAILED = (Outcome.FAIL, "heartbeat_failed")


@pytest.mark.parametrize("code", [None, 3])
async def test_a_failure_sent_again_after_a_later_success_is_no_new_one(machine: Machine, code: int | None) -> None:
    """The answer to the first was lost on its way, and the client tries again while the job has long run anew."""
    await machine.hears("fail", "run-1", code)
    await machine.hears("success", "run-2")
    await machine.hears("fail", "run-1", code)

    assert WELL == await machine.looks()
    assert 2 == len(machine.taken)


async def test_a_success_sent_again_after_a_later_failure_hides_nothing(machine: Machine) -> None:
    """The other way round."""
    await machine.hears("success", "run-1")
    await machine.hears("fail", "run-2")
    await machine.hears("success", "run-1")

    assert FAILED == await machine.looks()


async def test_a_start_sent_again_after_its_end_does_not_run_for_ever(machine: Machine) -> None:
    """Else the job would be said to overrun."""
    await machine.hears("start", "run-1")
    await machine.hears("success", "run-1")
    await machine.hears("start", "run-1")
    machine.clock.advance(timedelta(minutes=5))

    assert WELL == await machine.looks()


async def test_a_start_that_comes_behind_its_end_is_late(machine: Machine) -> None:
    """Two requests overtook each other."""
    await machine.hears("success", "run-1")
    await machine.hears("start", "run-1")

    assert 1 == len(machine.taken)


async def test_a_run_that_succeeds_after_all_is_well(machine: Machine) -> None:
    """It told of a failure, tried again, and tells of that: no client sent anything twice."""
    await machine.hears("fail", "run-1")
    await machine.hears("success", "run-1")

    assert WELL == await machine.looks()


async def test_without_a_name_each_sign_counts(machine: Machine) -> None:
    """As ever."""
    await machine.hears("fail", "")
    await machine.hears("success", "")
    await machine.hears("fail", "")

    assert FAILED == await machine.looks()


async def test_a_run_took_as_long_as_since_its_own_start(machine: Machine) -> None:
    """Another one that started meanwhile does not shorten it; one that told no start has no length."""
    await machine.hears("start", "run-1")
    await machine.hears("start", "run-2")
    await machine.hears("success", "run-1")
    await machine.hears("success", "run-3")

    assert [20_000.0, None] == [sample.phases_ms.get("total") for sample in machine.taken[2:]]


async def test_another_replica_knows_what_a_run_told(machine: Machine) -> None:
    """The client's second try comes to it."""
    other = Machine(machine.clock)
    await machine.hears("fail", "run-1")
    await machine.hears("success", "run-2")
    for body in machine.told:
        await other.signs.heard(body)
    await other.hears("fail", "run-1")

    assert ["run-1", "run-2"] == [sample.evidence["run"] for sample in other.taken]  # what it was told of
    assert WELL == await other.looks()


@pytest.mark.parametrize(("first", "then", "after"), [("fail", "success", WELL), ("success", "fail", FAILED)])
async def test_a_restart_knows_what_a_run_told(
    machine: Machine, first: str, then: str, after: tuple[Outcome, str | None]
) -> None:
    """From what is stored of both, also of a good result, of which little is."""
    await machine.hears(first, "run-1")
    await machine.hears(then, "run-2")
    stored = InlineSamples.open()
    await stored.add(machine.taken)
    anew = Machine(machine.clock)
    anew.register.restore(BACKUP.id, await stored.recent(BACKUP.id, 20))
    await anew.hears(first, "run-1")

    assert [] == anew.taken
    assert after == await anew.looks()


async def test_only_the_last_runs_are_remembered(machine: Machine) -> None:
    """A job that names every run for years costs no more than these."""
    for number in range(MOST_RUNS + 1):
        await machine.hears("success", f"run-{number}")
    await machine.hears("success", "run-0")
    await machine.hears("success", f"run-{MOST_RUNS}")

    assert MOST_RUNS + 2 == len(machine.taken)


def test_the_evidence_names_the_run() -> None:
    """Whoever looks for its log finds it by that."""
    sign = Heartbeats(ManualClock(START)).beat(BACKUP.id, "fail", 3, run="run-1")
    assert sign is not None

    assert "run-1" == sample_of(BACKUP, sign).evidence["run"]


def test_an_exit_code_of_a_run_is_a_failure_like_any_other() -> None:
    """A job that sends its code first and says that it failed then told it once."""
    register = Heartbeats(ManualClock(START))

    assert register.beat(BACKUP.id, "ok", 3, run="run-1") is not None
    assert register.beat(BACKUP.id, "ok", 3, run="run-1") is None
    assert register.beat(BACKUP.id, "fail", run="run-1") is None
