"""The dead man's switch: what jobs tell, and what their silence says."""

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
    """A job, its register and the clock; `tells` sends a sign, `looked` is what a look says."""

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


async def test_heartbeat_says_nothing_when_nothing_could_have_come_yet() -> None:
    """After a start the job has its whole interval and its grace."""
    job = Job()
    assert (Outcome.INCONCLUSIVE, None) == short(await job.looked())
    sample = await job.looked(minutes(6))
    assert (Outcome.INCONCLUSIVE, None) == short(sample)
    assert "we listen since 09:00 UTC and nothing came yet; due every 5 min with 1 min of grace" == sample.reason


async def test_heartbeat_is_missing_when_nothing_ever_came() -> None:
    """Silence from the start is silence."""
    sample = await Job().looked(minutes(6.1))
    assert (Outcome.FAIL, "heartbeat_missing") == short(sample)
    assert Fault.THEIRS is sample.fault
    assert "nothing came since 09:00 UTC" in sample.reason


async def test_heartbeat_is_missing_when_the_last_sign_is_too_old() -> None:
    """In time until interval and grace are over, missing behind them, and well again with the next sign."""
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
async def test_heartbeat_fails_at_once_when_the_job_says_so(kind: str, code: int | None) -> None:
    """A reported failure and an exit code other than zero need no look, and stand until a success comes."""
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


async def test_heartbeat_tells_how_long_the_job_took_when_it_told_its_start() -> None:
    """From start to success is the total; a success without a start has none."""
    job = Job()
    assert {} == dict(job.tells("ok").phases_ms)
    started = job.tells("start")
    assert (Outcome.INCONCLUSIVE, None) == short(started)
    job.clock.advance(timedelta(seconds=90))
    ended = job.tells("ok")
    assert {"total": 90_000.0} == dict(ended.phases_ms)
    assert "the job reported success after 1 min 30 s" == ended.reason


async def test_heartbeat_overruns_when_the_job_started_and_does_not_end() -> None:
    """A start that no end follows is told apart from a job that never ran."""
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
    """An hour forth or back on the wall makes no job late and none early."""
    job = Job()
    job.tells("ok")
    job.clock.step_wall(timedelta(hours=1))
    assert (Outcome.OK, None) == short(await job.looked(minutes(1)))
    job.clock.step_wall(timedelta(hours=-2))
    assert (Outcome.OK, None) == short(await job.looked(minutes(1)))
    assert (Outcome.FAIL, "heartbeat_missing") == short(await job.looked(minutes(5)))


async def restarted(samples: list[Sample], after: timedelta) -> Job:
    """The bot again, some time after the last sample, with what it stored."""
    job = Job()
    job.clock.advance(samples[-1].at - START + after)
    job.register = Heartbeats(job.clock)
    job.register.restore(BACKUP.id, samples)
    job.prober = HeartbeatProber(job.register, job.clock)
    return job


async def test_heartbeat_goes_on_when_the_bot_restarts_in_time() -> None:
    """What was stored counts: the job is not unknown again, and not late for a restart."""
    before = Job()
    samples = [before.tells("ok"), await before.looked(minutes(1))]
    assert (Outcome.OK, None) == short(await (await restarted(samples, minutes(2))).looked())


@pytest.mark.parametrize("stored", [0, 1])
async def test_heartbeat_waits_when_the_bot_was_away_for_long(stored: int) -> None:
    """Nobody could hear the job meanwhile, so silence counts from the restart on."""
    before = Job()
    samples = [before.tells("ok"), await before.looked(minutes(1))]
    after = await restarted(samples[stored:], minutes(60))
    sample = await after.looked()
    assert (Outcome.INCONCLUSIVE, None) == short(sample)
    assert "the last word came before, at 09:00 UTC" in sample.reason
    assert (Outcome.FAIL, "heartbeat_missing") == short(await after.looked(minutes(6.5)))


async def test_heartbeat_stays_failed_when_the_bot_restarts() -> None:
    """A failure is remembered by its sign, or by the looks that saw it."""
    before = Job()
    samples = [before.tells("ok"), before.tells("fail", 2), await before.looked(minutes(1))]
    for known in (samples, samples[2:]):
        sample = await (await restarted(known, minutes(1))).looked()
        assert (Outcome.FAIL, "heartbeat_failed") == short(sample)
        assert "exit code 2" in sample.reason


async def test_heartbeat_remembers_a_start_when_the_bot_restarts() -> None:
    """Looks between the start and the restart do not end what was started."""
    before = Job()
    samples = [before.tells("ok"), before.tells("start"), await before.looked(minutes(1))]
    after = await restarted(samples, minutes(1))
    assert (Outcome.OK, None) == short(await after.looked())
    after.clock.advance(minutes(1))
    assert {"total": 180_000.0} == dict(after.tells("ok").phases_ms)


async def test_heartbeat_is_as_late_as_before_when_the_bot_restarts() -> None:
    """A look that went well does not stand in for the job: what is read back from the file says when that was heard."""
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


async def test_restored_samples_give_way_when_a_sign_came_first() -> None:
    """What is heard now is newer than what was stored."""
    job = Job()
    before = START - minutes(1)
    job.tells("ok")
    job.register.restore(BACKUP.id, [Sample(BACKUP.id, BACKUP.component, before, Outcome.FAIL, "heartbeat_failed")])
    assert (Outcome.OK, None) == short(await job.looked())


async def test_a_sign_that_is_known_is_no_news_when_the_wall_clock_was_set_back() -> None:
    """What was written down of it lies in the future then, and is the same sign all the same."""
    job = Job()
    written = job.tells("ok")
    job.clock.advance(minutes(4))
    job.clock.step_wall(timedelta(hours=-1))
    job.register.restore(BACKUP.id, [written])
    assert (Outcome.FAIL, "heartbeat_missing") == short(await job.looked(minutes(3)))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_job_is_the_same_in_whatever_order_its_signs_come(order: tuple[int, ...]) -> None:
    """Replicas hear of them late, or twice, or from what was written down."""
    told = [(Sign(START + minutes(n), kind), 60.0 * n) for n, kind in enumerate(("fail", "ok", "start", "ok"))]
    job = heartbeat.Job()
    for n in (*order, *order):
        job.take(*told[n])
    assert (told[3][0].at, None, None) == (job.ok[0] if job.ok else None, job.started, job.failed)


def test_looks_are_often_enough_when_signs_are_rare() -> None:
    """A daily job is not missed for another day, and a busy one costs no more than a look a second."""
    daily = HeartbeatCheck("a.b.c", "a.b", timedelta(days=1), timedelta(hours=1))
    busy = HeartbeatCheck("a.b.c", "a.b", timedelta(seconds=1), timedelta(seconds=1))
    assert timedelta(seconds=30) == daily.look_every
    assert timedelta(seconds=30) == BACKUP.look_every
    assert timedelta(seconds=1) == busy.look_every


async def test_signs_find_their_check_when_they_come_in() -> None:
    """By id or by a unique short name, with the right token, and handed on at once."""
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


async def test_check_takes_one_sign_a_second_in_the_long_run() -> None:
    """A start and its end may come together; whoever floods a check is turned away before anything is kept."""
    clock = ManualClock(START)
    signs = HeartbeatIntake([BACKUP, replace(BACKUP, id="jobs.backup.other")], Heartbeats(clock), clock, _drop)
    assert [Admission.OK, Admission.OK, Admission.TOO_MANY] == [signs.admit("nightly", "") for _ in range(3)]
    assert Admission.OK is signs.admit("other", "")
    clock.advance(timedelta(seconds=1))
    assert [Admission.OK, Admission.TOO_MANY] == [signs.admit(BACKUP.id, "") for _ in range(2)]
    clock.advance(timedelta(hours=1))
    assert [Admission.OK, Admission.OK, Admission.TOO_MANY] == [signs.admit("nightly", "") for _ in range(3)]


async def test_wrong_token_uses_up_nobodys_turn() -> None:
    """Whoever does not know the token cannot keep the job from being heard."""
    clock = ManualClock(START)
    signs = HeartbeatIntake([replace(BACKUP, token="s3cret-token")], Heartbeats(clock), clock, _drop)
    assert {Admission.DENIED} == {signs.admit("nightly", "wrong") for _ in range(50)}
    assert Admission.OK is signs.admit("nightly", "s3cret-token")


async def _drop(sample: Sample) -> None:
    pass
