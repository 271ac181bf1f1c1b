"""A job that names its runs: each report of a run counts once, however often the client sends it."""

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


class Bot:
    """A bot that watches a job: `taken` are the samples passed on, `looks` is the result of a check run."""

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
def machine() -> Bot:
    return Bot()


WELL = (Outcome.OK, None)
FAILED = (Outcome.FAIL, "heartbeat_failed")


@pytest.mark.parametrize("code", [None, 3])
async def test_repeated_failure_after_a_later_success_is_ignored(machine: Bot, code: int | None) -> None:
    """The first answer was lost, and the client retries after the job has already run again."""
    await machine.hears("fail", "run-1", code)
    await machine.hears("success", "run-2")
    await machine.hears("fail", "run-1", code)

    assert WELL == await machine.looks()
    assert 2 == len(machine.taken)


async def test_repeated_success_does_not_hide_a_later_failure(machine: Bot) -> None:
    """The same retry, with success and failure exchanged."""
    await machine.hears("success", "run-1")
    await machine.hears("fail", "run-2")
    await machine.hears("success", "run-1")

    assert FAILED == await machine.looks()


async def test_repeated_start_after_the_end_is_ignored(machine: Bot) -> None:
    """Otherwise the job would be reported as overrunning."""
    await machine.hears("start", "run-1")
    await machine.hears("success", "run-1")
    await machine.hears("start", "run-1")
    machine.clock.advance(timedelta(minutes=5))

    assert WELL == await machine.looks()


async def test_start_that_arrives_after_its_end_is_ignored(machine: Bot) -> None:
    """The two requests arrived in the wrong order."""
    await machine.hears("success", "run-1")
    await machine.hears("start", "run-1")

    assert 1 == len(machine.taken)


async def test_run_that_succeeds_after_a_failure_is_ok(machine: Bot) -> None:
    """The job failed, retried and succeeded within one run; these are not repeated reports."""
    await machine.hears("fail", "run-1")
    await machine.hears("success", "run-1")

    assert WELL == await machine.looks()


async def test_every_heartbeat_without_a_run_id_counts(machine: Bot) -> None:
    """Reports without a run id cannot be recognised as repeated."""
    await machine.hears("fail", "")
    await machine.hears("success", "")
    await machine.hears("fail", "")

    assert FAILED == await machine.looks()


async def test_duration_of_a_run_counts_from_its_own_start(machine: Bot) -> None:
    """A parallel run does not shorten it; a run without a start has no duration."""
    await machine.hears("start", "run-1")
    await machine.hears("start", "run-2")
    await machine.hears("success", "run-1")
    await machine.hears("success", "run-3")

    assert [20_000.0, None] == [sample.phases_ms.get("total") for sample in machine.taken[2:]]


async def test_another_replica_recognises_a_repeated_report(machine: Bot) -> None:
    """The client's retry may reach another replica."""
    other = Bot(machine.clock)
    await machine.hears("fail", "run-1")
    await machine.hears("success", "run-2")
    for body in machine.told:
        await other.signs.heard(body)
    await other.hears("fail", "run-1")

    assert ["run-1", "run-2"] == [sample.evidence["run"] for sample in other.taken]  # what it was told of
    assert WELL == await other.looks()


@pytest.mark.parametrize(("first", "then", "after"), [("fail", "success", WELL), ("success", "fail", FAILED)])
async def test_repeated_report_is_recognised_after_a_restart(
    machine: Bot, first: str, then: str, after: tuple[Outcome, str | None]
) -> None:
    """Stored samples are enough, even of a success, of which little is stored."""
    await machine.hears(first, "run-1")
    await machine.hears(then, "run-2")
    stored = InlineSamples.open()
    await stored.add(machine.taken)
    anew = Bot(machine.clock)
    anew.register.restore(BACKUP.id, await stored.recent(BACKUP.id, 20))
    await anew.hears(first, "run-1")

    assert [] == anew.taken
    assert after == await anew.looks()


async def test_only_the_latest_runs_are_remembered(machine: Bot) -> None:
    """A job that names every run for years must not fill the memory."""
    for number in range(MOST_RUNS + 1):
        await machine.hears("success", f"run-{number}")
    await machine.hears("success", "run-0")
    await machine.hears("success", f"run-{MOST_RUNS}")

    assert MOST_RUNS + 2 == len(machine.taken)


def test_evidence_names_the_run() -> None:
    """The run id leads to the job's log."""
    sign = Heartbeats(ManualClock(START)).beat(BACKUP.id, "fail", 3, run="run-1")
    assert sign is not None

    assert "run-1" == sample_of(BACKUP, sign).evidence["run"]


def test_exit_code_and_failure_of_a_run_count_once() -> None:
    """A job may send its exit code first and then report the same failure."""
    register = Heartbeats(ManualClock(START))

    assert register.beat(BACKUP.id, "ok", 3, run="run-1") is not None
    assert register.beat(BACKUP.id, "ok", 3, run="run-1") is None
    assert register.beat(BACKUP.id, "fail", run="run-1") is None
