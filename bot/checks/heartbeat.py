"""The heartbeat check, a dead man's switch: a job reports that it is alive, and its silence is the failure."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from bot.checks.judging.evidence import clean
from bot.checks.judging.failure import Failure
from bot.checks.kind import Kind, ProberResources
from bot.config.checks import kinds as config
from bot.core.model import Fault, Outcome, Sample
from bot.ports import StoreError
from bot.system.clock import Clock

NOTE_CAP = 200
MOST_RUNS = 20  # remembered of one job: a client that tries again does so within minutes
RUN = "run"  # the evidence that names it
LOOK_AT_MOST = timedelta(seconds=30)
LOOK_AT_LEAST = timedelta(seconds=1)

SILENT = ("heartbeat_missing", "heartbeat_overrun")

SignKind = Literal["ok", "start", "fail"]
SIGN_KINDS: Mapping[str, SignKind] = MappingProxyType({"ok": "ok", "start": "start", "fail": "fail"})


@dataclass(frozen=True)
class HeartbeatCheck:
    """Which job must report, and how often. `every` is the job's interval, `grace` how much later a report may come.

    `look_every` is how often to check: a job that reports once a day must not be missed for another day. A check costs only
    its sample. `token` is what a sender must show; empty = nothing.
    """

    id: str
    component: str
    every: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=60)
    deadline: timedelta = timedelta(seconds=10)
    token: str = field(default="", repr=False)

    @property
    def look_every(self) -> timedelta:
        """A tenth of `every` plus `grace`, between one and thirty seconds."""
        return min(LOOK_AT_MOST, max(LOOK_AT_LEAST, (self.every + self.grace) / 10))


@dataclass(frozen=True)
class Sign:
    """One report of a job. `took_ms` is the time since the job's start (domain milliseconds), if a start was reported.

    A job sends no two of one kind at the same time, so `at` identifies it. `run` is the job's name for this run; may be empty.
    """

    at: datetime
    kind: SignKind
    exit_code: int | None = None
    note: str = ""
    took_ms: float | None = None
    run: str = ""

    @property
    def bad(self) -> bool:
        """Whether the job reports a failure."""
        return self.kind == "fail" or (self.kind == "ok" and bool(self.exit_code))


@dataclass(frozen=True, order=True)
class _Heard:
    """A report on the steady clock; of two at one time, the one received later counts as later."""

    steady: float
    number: int
    sign: Sign = field(compare=False)


class Job:
    """What is known about a job: its newest report of each kind, so that order and repetition do not matter.

    Each has a wall-clock time for people and a steady one for arithmetic. What the last runs reported is known too, so that a
    client's retry is not taken for a new run.
    """

    def __init__(self) -> None:
        self._newest: dict[SignKind, _Heard] = {}
        self._runs: dict[str, dict[SignKind, float]] = {}  # the newest last: what each told, and when
        self._count = 0

    def take(self, sign: Sign, steady: float) -> bool:
        """Record a report received at `steady`. Returns False, changing nothing, if it is known or older."""
        kind: SignKind = "fail" if sign.bad else sign.kind
        if sign.run:
            self._runs.setdefault(sign.run, {}).setdefault(kind, steady)
            while len(self._runs) > MOST_RUNS:
                del self._runs[next(iter(self._runs))]
        self._count += 1
        heard, known = _Heard(steady, self._count, sign), self._newest.get(kind)
        news = known is None or (known.sign.at != sign.at and known < heard)
        if news:
            self._newest[kind] = heard
        return news

    def reported_before(self, run: str, kind: SignKind) -> bool:
        """Whether this run already reported that, or has ended before its start arrives."""
        told = self._runs.get(run, {})
        return kind in told or (kind == "start" and bool(told))

    def began(self, run: str) -> float | None:
        """When this run started, by the steady clock; without a name, when the job started that now runs."""
        return self._runs.get(run, {}).get("start") if run else self.started and self.started[1]

    @property
    def ok(self) -> tuple[datetime, float] | None:
        """When it last succeeded."""
        return self._moment("ok")

    @property
    def started(self) -> tuple[datetime, float] | None:
        """When the current run started."""
        return self._moment("start", after=("ok", "fail"))

    @property
    def failed(self) -> Sign | None:
        """Its failure, unless it has succeeded since."""
        return self._newest["fail"].sign if self._moment("fail", after=("ok",)) else None

    def _moment(self, kind: SignKind, *, after: Sequence[SignKind] = ()) -> tuple[datetime, float] | None:
        heard = self._newest.get(kind)
        if heard is None or any(other in self._newest and self._newest[other] > heard for other in after):
            return None
        return heard.sign.at, heard.steady


class Heartbeats:
    """The register of jobs' reports. Spans use the steady clock, so changes of the wall clock make no job late.

    It keeps one small record per check id; callers that accept reports from outside know which ids exist. If other replicas
    receive reports too, `now` returns their common time, and `recall` what they recorded.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self.since = (clock.now(), clock.monotonic())  # nothing could be received earlier
        self.now: Callable[[], datetime] = clock.now
        self.recall: Callable[[str], Awaitable[Iterable[Sample]]] | None = None
        self._doubts = 0
        self._sure: dict[str, int] = {}

    def beat(
        self, check_id: str, kind: SignKind, exit_code: int | None = None, note: str = "", run: str = ""
    ) -> Sign | None:  # fmt: skip
        """Record a report arriving now; None if its run already reported that. A non-zero exit code is a failure."""
        job = self._jobs.setdefault(check_id, Job())
        now, began = self._clock.monotonic(), job.began(run)
        took_ms = round((now - began) * 1000, 3) if began is not None and kind != "start" else None
        sign = Sign(self.now(), kind, exit_code, clean(note)[:NOTE_CAP], took_ms, run)
        if run and job.reported_before(run, "fail" if sign.bad else kind):
            return None
        job.take(sign, now)
        return sign

    def told(self, check_id: str, sign: Sign) -> timedelta | None:
        """Record a report that another replica received; returns how long ago that was, None if it was known."""
        steady = self._steady(sign.at)
        if not self._jobs.setdefault(check_id, Job()).take(sign, steady):
            return None
        return timedelta(seconds=self._clock.monotonic() - steady)

    def restore(self, check_id: str, samples: Iterable[Sample]) -> None:
        """Restore what stored samples (oldest first) say about a job."""
        job = self._jobs.setdefault(check_id, Job())
        for sample in samples:
            for sign in _signs_of(sample):
                job.take(sign, self._steady(sign.at))

    def doubt(self) -> None:
        """Others may have received reports unknown to us, since we were cut off or they died: `refresh` looks them up."""
        self._doubts += 1

    async def refresh(self, check_id: str, *, anyway: bool = False) -> None:
        """If in doubt, or with `anyway`, read what was recorded meanwhile. Raises StoreError and stays in doubt."""
        doubts = self._doubts
        if self.recall is not None and (anyway or self._sure.get(check_id, 0) < doubts):
            self.restore(check_id, await self.recall(check_id))
            self._sure[check_id] = doubts

    def job(self, check_id: str) -> Job:
        """What is known about a job, possibly nothing."""
        return self._jobs.get(check_id, Job())

    def _steady(self, at: datetime) -> float:
        """A wall-clock time on the steady clock; never in the future."""
        return self._clock.monotonic() - max(0.0, (self.now() - at).total_seconds())


def _signs_of(sample: Sample) -> Iterable[Sign]:
    """The reports in a sample: it is one itself, or a check that recorded the ones it knew."""
    kind, run = SIGN_KINDS.get(sample.evidence.get("sign", "")), sample.evidence.get(RUN, "")
    if kind is not None:
        yield Sign(sample.at, kind, _code(sample), run=run)
        return
    last_ok = _moment(sample.evidence.get("last_ok", "")) or (sample.at if sample.outcome is Outcome.OK else None)
    if last_ok is not None:
        yield Sign(last_ok, "ok", run=run)
    if sample.error == "heartbeat_failed":
        yield Sign(_moment(sample.evidence.get("failed", "")) or sample.at, "fail", _code(sample))
    if (started := _moment(sample.evidence.get("started", ""))) is not None:
        yield Sign(started, "start")


class HeartbeatProber:
    """Checks in the register whether a job is late. Nothing is sent, so a check takes no time."""

    def __init__(self, register: Heartbeats, clock: Clock) -> None:
        self.register = register
        self._clock = clock
        self._silent: set[str] = set()

    async def probe(self, check: HeartbeatCheck) -> Sample:
        """Run it once; never raises."""
        try:
            async with asyncio.timeout(check.deadline.total_seconds()):
                outcome, failure, reason = await self._judged(check)
        except (StoreError, TimeoutError):
            outcome, failure, reason = Outcome.INCONCLUSIVE, None, "what other replicas heard of the job cannot be read yet"
        job = self.register.job(check.id)
        evidence = {"last_ok": job.ok[0].isoformat()} if job.ok else {}
        if job.started:
            evidence["started"] = job.started[0].isoformat()
        if failure is not None and job.failed is not None:
            evidence["failed"] = job.failed.at.isoformat()
            if job.failed.exit_code is not None:
                evidence["exit_code"] = str(job.failed.exit_code)
        return Sample(
            check=check.id,
            component=check.component,
            at=self._clock.now(),
            outcome=outcome,
            error=failure.error if failure else None,
            fault=failure.fault if failure else Fault.NONE,
            reason=reason,
            evidence=evidence,
        )

    async def close(self) -> None:
        """Does nothing: nothing is kept between runs."""

    async def _judged(self, check: HeartbeatCheck) -> tuple[Outcome, Failure | None, str]:
        """Judge by reports to any replica: before a job counts as silent, they are looked up. Raises StoreError."""
        await self.register.refresh(check.id)
        if not _is_silent(judged := self._judge(check)):
            self._silent.discard(check.id)
            return judged
        if check.id not in self._silent:
            await self.register.refresh(check.id, anyway=True)
            if _is_silent(judged := self._judge(check)):
                self._silent.add(check.id)
        return judged

    def _judge(self, check: HeartbeatCheck) -> tuple[Outcome, Failure | None, str]:
        now = self._clock.monotonic()
        since_at, since = self.register.since
        job = self.register.job(check.id)
        patience = (check.every + check.grace).total_seconds()
        due = f"due every {_span(check.every)} with {_span(check.grace)} of grace"
        if job.started and now - max(job.started[1], since) > patience:
            return _failed("heartbeat_overrun", f"it started {_ago(now, job.started[1])}, at {_hour(job.started[0])}; {due}")
        if job.failed is not None:
            return _failed("heartbeat_failed", _exit(job.failed, f"at {_hour(job.failed.at)}"))
        if job.ok is not None and now - job.ok[1] <= patience:
            return Outcome.OK, None, f"the job reported {_ago(now, job.ok[1])}; {due}"
        if now - since <= patience:
            before = f"the last word came before, at {_hour(job.ok[0])}" if job.ok else "nothing came yet"
            return Outcome.INCONCLUSIVE, None, f"we listen since {_hour(since_at)} and {before}; {due}"
        if job.ok is None:
            return _failed("heartbeat_missing", f"nothing came since {_hour(since_at)}, {_ago(now, since)}; {due}")
        return _failed("heartbeat_missing", f"last heard {_ago(now, job.ok[1])}, at {_hour(job.ok[0])}; {due}")


def _is_silent(judged: tuple[Outcome, Failure | None, str]) -> bool:
    failure = judged[1]
    return failure is not None and failure.error in SILENT


def sample_of(check: HeartbeatCheck, sign: Sign) -> Sample:
    """The sample of a report that just arrived, so that a failure counts at once instead of at the next run."""
    evidence: dict[str, str] = {"sign": "fail" if sign.bad else sign.kind}
    if sign.exit_code is not None:
        evidence["exit_code"] = str(sign.exit_code)
    if sign.note:
        evidence["note"] = sign.note
    if sign.run:
        evidence[RUN] = sign.run
    failure = Failure("heartbeat_failed", _exit(sign)) if sign.bad else None
    reason = failure.sentence if failure else "the job started" if sign.kind == "start" else "the job reported success"
    if sign.took_ms is not None:
        reason += f" after {_span(timedelta(milliseconds=sign.took_ms))}"
    good = Outcome.INCONCLUSIVE if sign.kind == "start" else Outcome.OK
    return Sample(
        check=check.id,
        component=check.component,
        at=sign.at,
        outcome=failure.outcome if failure else good,
        error=failure.error if failure else None,
        fault=failure.fault if failure else Fault.NONE,
        reason=reason,
        phases_ms={"total": sign.took_ms} if sign.took_ms is not None else {},
        evidence=evidence,
    )


def _failed(error: str, detail: str) -> tuple[Outcome, Failure, str]:
    failure = Failure(error, detail)
    return failure.outcome, failure, failure.sentence


def _exit(sign: Sign, when: str = "") -> str:
    code = f"exit code {sign.exit_code}" if sign.exit_code is not None else ""
    return ", ".join(part for part in (code, when) if part)


def _code(sample: Sample) -> int | None:
    code = sample.evidence.get("exit_code", "")
    return int(code) if code.isascii() and code.isdigit() else None


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _hour(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M} UTC"


def _ago(now: float, then: float) -> str:
    return f"{_span(timedelta(seconds=max(0.0, now - then)))} ago"


def _span(length: timedelta) -> str:
    """A span in its two largest units: `40 s`, `5 min`, `2 h 10 min`, `3 d`."""
    seconds = round(length.total_seconds(), 1)
    if seconds < 60:
        return f"{seconds:g} s"
    parts: list[tuple[int, str]] = []
    rest = int(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, rest = divmod(rest, size)
        if amount or parts:
            parts.append((amount, unit))
    return " ".join(f"{amount} {unit}" for amount, unit in parts[:2] if amount)


def _made(model: config.HeartbeatCheck, **common: Any) -> HeartbeatCheck:
    return HeartbeatCheck(**common, grace=model.grace, token=model.token.get_secret_value())


def _prober(shared: ProberResources) -> HeartbeatProber:
    return HeartbeatProber(Heartbeats(shared.clock), shared.clock)


KIND = Kind(config.HeartbeatCheck, HeartbeatCheck, _made, _prober)
