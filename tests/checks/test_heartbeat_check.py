"""The heartbeat check: what jobs report, and what their silence means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from bot.checks import heartbeat
from bot.checks.heartbeat import HeartbeatCheck, HeartbeatProber, Heartbeats, Sign, sample_of
from bot.checks.heartbeat_intake import HeartbeatIntake
from bot.core.model import Fault, Outcome, Sample
from bot.ports import Admission
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
BACKUP = HeartbeatCheck("jobs.backup.nightly", "jobs.backup", timedelta(minutes=5), timedelta(minutes=1))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class Job:
    """A job, its register and the clock; `tells` sends a heartbeat, `looked` is the result of a check run."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.register = Heartbeats(self.clock)
        self.prober = HeartbeatProber(self.register, self.clock)

    def tells(self, kind: str, exit_code: int | None = None, note: str = "") -> Sample:
        sign = self.register.beat(BACKUP.id, kind, exit_code, note)  # type: ignore[arg-type]
        return sample_of(BACKUP, sign)

    async def looked(self, after: timedelta = timedelta(0)) -> Sample:
        self.clock.advance(after)
        return await self.prober.probe(BACKUP)


def short(sample: Sample) -> tuple[Outcome, str | None]:
    return sample.outcome, sample.error


async def test_heartbeat_is_unknown_until_the_first_one_is_due() -> None:
    """After a start the job has its full interval and grace."""
    job = Job()
    assert (Outcome.INCONCLUSIVE, None) == short(await job.looked())
    sample = await job.looked(minutes(6))
    assert (Outcome.INCONCLUSIVE, None) == short(sample)
    assert "we listen since 09:00 UTC and nothing came yet; due every 5 min with 1 min of grace" == sample.reason


async def test_heartbeat_is_missing_when_none_ever_came() -> None:
    """Silence since the start counts as silence."""
    sample = await Job().looked(minutes(6.1))
    assert (Outcome.FAIL, "heartbeat_missing") == short(sample)
    assert Fault.THEIRS is sample.fault
    assert "nothing came since 09:00 UTC" in sample.reason


async def test_heartbeat_is_missing_when_the_last_one_is_too_old() -> None:
    """It is in time until interval and grace are over, then missing, and well again with the next heartbeat."""
    job = Job()
    assert (Outcome.OK, None) == short(job.tells("ok"))
    sample = await job.looked(minutes(6))
    assert (Outcome.OK, None) == short(sample)
    assert "the job reported 6 min ago; due every 5 min with 1 min of grace" == sample.reason
    late = await job.looked(timedelta(seconds=1))
    assert (Outcome.FAIL, "heartbeat_missing") == short(late)
    assert "last heard 6 min 1 s ago, at 09:00 UTC" in late.reason
    job.tells("ok")
    assert (Outcome.OK, None) == short(await job.looked())


@pytest.mark.parametrize(("kind", "code"), [("fail", None), ("fail", 1), ("ok", 3)])
async def test_heartbeat_fails_at_once_when_the_job_reports_failure(kind: str, code: int | None) -> None:
    """A failure or a nonzero exit code waits for no check run and lasts until a success."""
    job = Job()
    job.tells("ok")
    told = job.tells(kind, code, "disk <!channel>\nfull")
    assert (Outcome.FAIL, "heartbeat_failed") == short(told)
    assert Fault.THEIRS is told.fault
    assert "disk <!channel> full" == told.evidence["note"]
    assert "channel" not in told.reason
    assert (f"exit code {code}" in told.reason) == (code is not None)
    assert (Outcome.FAIL, "heartbeat_failed") == short(await job.looked(minutes(1)))
    job.tells("start")
    assert (Outcome.FAIL, "heartbeat_failed") == short(await job.looked(minutes(1)))
    job.tells("ok", 0)
    assert (Outcome.OK, None) == short(await job.looked())


async def test_heartbeat_measures_the_job_from_its_start() -> None:
    """The total runs from start to success; a success without a start has no duration."""
    job = Job()
    assert {} == dict(job.tells("ok").phases_ms)
    started = job.tells("start")
    assert (Outcome.INCONCLUSIVE, None) == short(started)
    job.clock.advance(timedelta(seconds=90))
    ended = job.tells("ok")
    assert {"total": 90_000.0} == dict(ended.phases_ms)
    assert "the job reported success after 1 min 30 s" == ended.reason


async def test_heartbeat_overruns_when_the_job_does_not_end() -> None:
    """A job that started and did not end is distinguished from a job that never ran."""
    job = Job()
    job.clock.advance(minutes(3))
    job.tells("ok")
    job.tells("start")
    assert (Outcome.OK, None) == short(await job.looked(minutes(6)))
    sample = await job.looked(minutes(1))
    assert (Outcome.FAIL, "heartbeat_overrun") == short(sample)
    assert "it started 7 min ago, at 09:03 UTC" in sample.reason
    job.tells("ok")
    assert (Outcome.OK, None) == short(await job.looked())


async def test_heartbeat_is_not_late_when_the_wall_clock_is_corrected() -> None:
    """A step of an hour in either direction makes no job late or early."""
    job = Job()
    job.tells("ok")
    job.clock.step_wall(timedelta(hours=1))
    assert (Outcome.OK, None) == short(await job.looked(minutes(1)))
    job.clock.step_wall(timedelta(hours=-2))
    assert (Outcome.OK, None) == short(await job.looked(minutes(1)))
    assert (Outcome.FAIL, "heartbeat_missing") == short(await job.looked(minutes(5)))


async def restarted(samples: list[Sample], after: timedelta) -> Job:
    """The bot after a restart, some time after the last sample, with its stored samples."""
    job = Job()
    job.clock.advance(samples[-1].at - START + after)
    job.register = Heartbeats(job.clock)
    job.register.restore(BACKUP.id, samples)
    job.prober = HeartbeatProber(job.register, job.clock)
    return job


async def test_heartbeat_survives_a_quick_restart() -> None:
    """Stored samples count: the job is neither unknown again nor late because of the restart."""
    before = Job()
    samples = [before.tells("ok"), await before.looked(minutes(1))]
    assert (Outcome.OK, None) == short(await (await restarted(samples, minutes(2))).looked())


@pytest.mark.parametrize("stored", [0, 1])
async def test_heartbeat_gets_a_new_interval_after_a_long_absence(stored: int) -> None:
    """No heartbeat could be received meanwhile, so silence counts from the restart."""
    before = Job()
    samples = [before.tells("ok"), await before.looked(minutes(1))]
    after = await restarted(samples[stored:], minutes(60))
    sample = await after.looked()
    assert (Outcome.INCONCLUSIVE, None) == short(sample)
    assert "the last word came before, at 09:00 UTC" in sample.reason
    assert (Outcome.FAIL, "heartbeat_missing") == short(await after.looked(minutes(6.5)))


async def test_heartbeat_stays_failed_after_a_restart() -> None:
    """The failure is restored from the heartbeat itself, or from the check runs that saw it."""
    before = Job()
    samples = [before.tells("ok"), before.tells("fail", 2), await before.looked(minutes(1))]
    for known in (samples, samples[2:]):
        sample = await (await restarted(known, minutes(1))).looked()
        assert (Outcome.FAIL, "heartbeat_failed") == short(sample)
        assert "exit code 2" in sample.reason


async def test_heartbeat_remembers_a_start_after_a_restart() -> None:
    """Check runs between the start and the restart do not end the job."""
    before = Job()
    samples = [before.tells("ok"), before.tells("start"), await before.looked(minutes(1))]
    after = await restarted(samples, minutes(1))
    assert (Outcome.OK, None) == short(await after.looked())
    after.clock.advance(minutes(1))
    assert {"total": 180_000.0} == dict(after.tells("ok").phases_ms)


async def test_heartbeat_is_as_late_after_a_restart_as_before() -> None:
    """A successful check run is no heartbeat: the stored sample says when the job last reported."""
    before = Job()
    before.tells("ok")
    before.tells("start")
    samples = [await before.looked(minutes(1)) for _ in range(5)]
    file = InlineSamples.open()
    await file.add(samples)
    after = await restarted(await file.recent(BACKUP.id, 3), minutes(0.5))
    await file.close()
    assert {"total": 330_000.0} == dict(after.tells("ok").phases_ms)
    after = await restarted([replace(sample, evidence={**sample.evidence, "started": ""}) for sample in samples], minutes(0.5))
    sample = await after.looked(minutes(1))
    assert (Outcome.INCONCLUSIVE, "we listen since 09:05 UTC and the last word came before, at 09:00 UTC") == (
        sample.outcome, sample.reason.partition(";")[0],
    )  # fmt: skip


async def test_new_heartbeat_wins_over_restored_samples() -> None:
    """A heartbeat received before the restore is newer than the stored samples."""
    job = Job()
    before = START - minutes(1)
    job.tells("ok")
    job.register.restore(BACKUP.id, [Sample(BACKUP.id, BACKUP.component, before, Outcome.FAIL, "heartbeat_failed")])
    assert (Outcome.OK, None) == short(await job.looked())


async def test_known_heartbeat_is_not_new_after_the_clock_was_set_back() -> None:
    """Its stored time is then in the future, but it is the same heartbeat."""
    job = Job()
    written = job.tells("ok")
    job.clock.advance(minutes(4))
    job.clock.step_wall(timedelta(hours=-1))
    job.register.restore(BACKUP.id, [written])
    assert (Outcome.FAIL, "heartbeat_missing") == short(await job.looked(minutes(3)))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_order_of_heartbeats_does_not_change_the_result(order: tuple[int, ...]) -> None:
    """Replicas receive heartbeats late, twice, or from the store."""
    told = [(Sign(START + minutes(n), kind), 60.0 * n) for n, kind in enumerate(("fail", "ok", "start", "ok"))]
    job = heartbeat.Job()
    for n in (*order, *order):
        job.take(*told[n])
    assert (told[3][0].at, None, None) == (job.ok[0] if job.ok else None, job.started, job.failed)


def test_check_interval_follows_the_heartbeat_interval() -> None:
    """A missed daily job is noticed within the day, and a busy job is checked once a second at most."""
    daily = HeartbeatCheck("a.b.c", "a.b", timedelta(days=1), timedelta(hours=1))
    busy = HeartbeatCheck("a.b.c", "a.b", timedelta(seconds=1), timedelta(seconds=1))
    assert timedelta(seconds=30) == daily.look_every
    assert timedelta(seconds=30) == BACKUP.look_every
    assert timedelta(seconds=1) == busy.look_every


async def test_incoming_heartbeat_finds_its_check() -> None:
    """By id or by a unique short name, with the right token; its sample is passed on at once."""
    clock, handed = ManualClock(START), []

    async def hand_on(sample: Sample) -> None:
        handed.append(sample)

    locked = HeartbeatCheck("jobs.mail.hourly", "jobs.mail", token="s3cret-token")
    twins = [HeartbeatCheck(f"jobs.{name}.twin", f"jobs.{name}") for name in ("mail", "backup")]
    signs = HeartbeatIntake([BACKUP, locked, *twins], Heartbeats(clock), clock, hand_on)
    for name, kind, exit_code, token in [
        ("nightly", "success", 0, ""), ("jobs.backup.nightly", "fail", 1, "a token that nobody asked for"),
        ("hourly", "start", None, "s3cret-token"), ("jobs.mail.twin", "success", None, ""),
    ]:  # fmt: skip
        assert Admission.OK is signs.admit(name, token)
        await signs.record(name, kind, exit_code, "")
    assert Admission.DENIED is signs.admit("hourly", "wrong\udcff")
    assert Admission.UNKNOWN is signs.admit("twin", "")
    assert Admission.UNKNOWN is signs.admit("nobody", "")
    assert [Outcome.OK, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.OK] == [sample.outcome for sample in handed]
    assert "s3cret" not in repr(locked)


async def test_check_accepts_one_heartbeat_a_second_on_average() -> None:
    """A start and its end may arrive together; a flood is refused before anything is stored."""
    clock = ManualClock(START)
    signs = HeartbeatIntake([BACKUP, replace(BACKUP, id="jobs.backup.other")], Heartbeats(clock), clock, _drop)
    assert [Admission.OK, Admission.OK, Admission.TOO_MANY] == [signs.admit("nightly", "") for _ in range(3)]
    assert Admission.OK is signs.admit("other", "")
    clock.advance(timedelta(seconds=1))
    assert [Admission.OK, Admission.TOO_MANY] == [signs.admit(BACKUP.id, "") for _ in range(2)]
    clock.advance(timedelta(hours=1))
    assert [Admission.OK, Admission.OK, Admission.TOO_MANY] == [signs.admit("nightly", "") for _ in range(3)]


async def test_wrong_token_does_not_use_up_the_rate_limit() -> None:
    """A client without the token cannot block the job's heartbeats."""
    clock = ManualClock(START)
    signs = HeartbeatIntake([replace(BACKUP, token="s3cret-token")], Heartbeats(clock), clock, _drop)
    assert {Admission.DENIED} == {signs.admit("nightly", "wrong") for _ in range(50)}
    assert Admission.OK is signs.admit("nightly", "s3cret-token")


async def _drop(sample: Sample) -> None:
    pass
