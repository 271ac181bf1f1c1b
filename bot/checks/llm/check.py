"""The llm check: one short question to a model, and whether the answer is complete, correct and in time."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from bot.checks.judging.answers import is_html
from bot.checks.judging.evidence import BODY_CAP, clean, evidence_of, secrets_of
from bot.checks.judging.exceptions import Failure, classify_error_body, classify_status
from bot.checks.judging.keys import KeyMemory
from bot.checks.kind import Kind, ProberResources
from bot.checks.llm.budget import Budget as Budget
from bot.checks.llm.budget import BudgetBook
from bot.checks.llm.dialects import bedrock
from bot.checks.llm.dialects.known import DIALECTS
from bot.checks.llm.dialects.shape import Dialect, LlmRequest, Rung, parsed
from bot.checks.llm.dialects.shape import LlmCheck as LlmCheck
from bot.checks.llm.golden import wrong
from bot.checks.llm.stream import listen, read
from bot.checks.llm.transcript import Transcript
from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import Resolver
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.net.transport import Transport
from bot.checks.run import RunResult, measured, ms_of, span
from bot.config.checks import llm as config
from bot.config.checks.http import plain
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import Clock

LIST_CAP = 1024 * 1024  # Bedrock's list of models takes a quarter of that
SHOWN_CAP = 200
WORD = re.compile(r"[a-z0-9_.-]{1,60}")  # providers' names for errors, in lower case
GOOD = (Outcome.OK, Outcome.SLOW)
CLOCK_IS_OFF = ("signature expired", "signature not yet current")  # AWS's error for a request dated by a wrong clock of ours
NOT_SENT = ("dns", "connect", "tls")


@dataclass
class _Run:
    """One run: what it asks, and what is known about the answer so far."""

    check: LlmCheck
    dialect: Dialect
    rung: Rung
    instead: str  # why it uses another rung than the check wants; empty if it does not
    watch: Stopwatch | None = None
    secrets: tuple[str, ...] = ()
    evidence: dict[str, str] = field(default_factory=dict)
    transcript: Transcript | None = None

    @property
    def told_rung(self) -> str:
        return f"{self.rung} ({self.instead})" if self.instead else self.rung

    @property
    def sent(self) -> bool:
        return self.watch is not None and self.watch.waits_for not in NOT_SENT

    @property
    def tokens(self) -> int:
        """Tokens in and out; if the answer does not report input, it is estimated by the prompt's length."""
        told = self.transcript
        if told is None or not told.known:
            return 0
        asked = told.tokens_in if told.tokens_in is not None else len(self.check.prompt) // 4 + 8
        return asked + told.written


class LlmProber:
    """Runs llm checks: one request each, never a retry. Deadline and phases are in domain time.

    A check whose budget for the day is spent makes its free call instead, and says so. If the last inference failed, a good
    free call is `inconclusive`: it must not count as a recovery.
    """

    def __init__(
        self,
        clock: Clock,
        book: BudgetBook | None = None,
        *,
        keys: KeyMemory | None = None,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        guard: Guard | None = None,
        version: str = "dev",
    ) -> None:
        self.book = book or BudgetBook(clock)
        self._clock = clock
        self._keys = keys or KeyMemory(clock)
        self._failing: set[str] = set()  # checks whose last inference failed, not by our fault
        self._loaded = False
        self._transport = Transport(ssl_context=ssl_context, resolver=resolver, guard=guard, version=version)

    async def probe(self, check: LlmCheck) -> Sample:
        """Run it once. Any failure is in the sample; only cancellation is raised."""
        if check.dialect == "bedrock" and not self._loaded:
            await asyncio.to_thread(bedrock.load)
            self._loaded = True
        run = self._run(check)

        async def look(watch: Stopwatch, deadline_s: float) -> RunResult:
            run.watch = watch
            return await self._look(run, watch, deadline_s)

        try:
            sample = await measured(check, self._clock, look)
        finally:
            if run.rung == "inference" and run.sent:
                self.book.charge(check.id, run.tokens)
        sample = self._judged(run, sample)
        if run.rung == "inference" or sample.outcome in GOOD:
            self.remember(sample)
        return sample

    def remember(self, sample: Sample) -> None:
        """Record how a check went; stored samples of the last hours, oldest first, restore this after a restart."""
        if sample.outcome in GOOD:
            self._keys.worked(sample.check, sample.at)
            self._failing.discard(sample.check)
        elif sample.error == "budget_spent" or (
            sample.outcome is Outcome.FAIL and sample.fault in (Fault.THEIRS, Fault.UNCLEAR)
        ):
            self._failing.add(sample.check)

    async def close(self) -> None:
        """Release the resolver's threads, without waiting for names that hang."""
        await self._transport.aclose()

    def _run(self, check: LlmCheck) -> _Run:
        dialect = DIALECTS[check.dialect]
        if check.rung == "inference":
            spent = self.book.exhausted(check.id, check.budget)
            return _Run(check, dialect, "free" if spent else "inference", spent)
        if check.rung == "tokens" and dialect.counted is None:
            return _Run(check, dialect, "free", f"{dialect.name} counts no tokens without an inference")
        return _Run(check, dialect, check.rung, "")

    async def _look(self, run: _Run, watch: Stopwatch, deadline_s: float) -> RunResult:
        asked = run.dialect.asked(run.check, run.rung, self._clock.now())
        run.secrets = _secrets(run.check, asked)
        async with self._transport.answer(asked.method, asked.url, asked.headers, asked.body, watch, deadline_s) as response:
            run.evidence |= _about(response, run.secrets)
            if response.status_code != 200:
                return await self._refused(run, response)
            if run.rung != "inference":
                return await self._listed(run, response)
            return await self._answered(run, watch, response)

    async def _refused(self, run: _Run, response: httpx.Response) -> RunResult:
        status, body = response.status_code, await read(response, BODY_CAP, whole=False)
        if run.dialect.ran_out(status, body):
            run.evidence["stop"] = "no room left for an answer"
            return RunResult("the model ran")
        return _seen(run, response, body, classify_status(status, body, response.headers, run.dialect.name))

    async def _listed(self, run: _Run, response: httpx.Response) -> RunResult:
        body = await read(response, LIST_CAP)
        payload, dialect = parsed(body), run.dialect
        if run.rung == "tokens" and dialect.counted is not None:
            count = dialect.counted(payload)
            good, did = count is not None, f"{count} tokens counted"
        else:
            good, did = dialect.lists(payload), "the list of models came"
        if good:
            return RunResult(did)
        if is_html(response.headers, body):
            failure = classify_status(200, body, response.headers, dialect.name)
        elif isinstance(payload, dict) and payload.get("error"):
            failure = classify_error_body(payload, dialect=dialect.name)
        else:
            failure = Failure("unexpected_shape")
        return _seen(run, response, body, failure)

    async def _answered(self, run: _Run, watch: Stopwatch, response: httpx.Response) -> RunResult:
        transcript = run.transcript = Transcript(run.dialect)
        began_s = watch.elapsed_s
        watch.begin("first_token")
        damage = await listen(transcript, response, watch)
        watch.stop()
        if transcript.text_at is not None:
            # Like the providers, count from sending the request: until the head arrived, and from there on.
            waited_ms = (transcript.text_at - began_s) * 1000 * self._clock.speed
            watch.phases_ms["first_token"] = round(watch.phases_ms.get("first_byte", 0.0) + waited_ms, 3)
        failure = transcript.fault(response.status_code, response.headers)
        if damage is not None and transcript.known and transcript.error is None:
            failure = damage
        if failure is None:
            failure = await wrong(run.check.answer, transcript)
        self._tell(run, transcript, began_s, watch)
        if failure is None:
            return RunResult("answered")
        shown = (transcript.error_text or transcript.odd).encode() or (b"" if transcript.known else bytes(transcript.head))
        if transcript.text:
            run.evidence["answer"] = clean(transcript.text, run.secrets)[:SHOWN_CAP]
        return _seen(run, response, shown, failure)

    def _tell(self, run: _Run, told: Transcript, began_s: float, watch: Stopwatch) -> None:
        """Record what people want to know about a streamed answer, good or bad."""
        found = run.evidence
        if told.model and told.model != run.check.model:
            found["answered_by"] = clean(told.model, run.secrets)[:SHOWN_CAP]
        if told.stop:
            found["stop"] = clean(told.stop, run.secrets)[:SHOWN_CAP]
        if told.tokens_in is not None or told.written:
            counts = [] if told.tokens_in is None else [f"{told.tokens_in} in"]
            found["tokens"] = ", ".join([*counts, f"{told.written} out"])
        if told.thought_at is not None:
            ms = (told.thought_at - began_s) * 1000 * self._clock.speed + watch.phases_ms.get("first_byte", 0.0)
            found["first_thought"] = span(ms)
        rate = told.rate(self._clock.speed)
        if rate is not None:
            found["tokens_per_second"] = f"{rate:.1f}"

    def _judged(self, run: _Run, sample: Sample) -> Sample:
        evidence = {**run.evidence, **sample.evidence, "rung": run.told_rung, "model": run.check.model}
        sample = replace(sample, evidence=evidence, reason=_reason(run, sample))
        if sample.error == "auth" and not any(words in evidence.get("excerpt", "").lower() for words in CLOCK_IS_OFF):
            failure = self._keys.judged(sample.check, Failure("auth"))
            reason = sample.reason.replace(Failure("auth").sentence, failure.sentence)
            return replace(sample, error=failure.error, fault=failure.fault, outcome=failure.outcome, reason=reason)
        if sample.outcome not in GOOD:
            return sample
        if run.check.rung == "inference" and run.rung == "free" and sample.check in self._failing:
            spent = Failure("budget_spent")
            reason = f"{sample.reason}; the last inference failed, and the free call says nothing of inference"
            return replace(sample, outcome=spent.outcome, error=spent.error, fault=spent.fault, reason=reason)
        slow = "".join(_slow(run, sample, self._clock.speed))
        return replace(sample, outcome=Outcome.SLOW, fault=Fault.THEIRS, reason=sample.reason + slow) if slow else sample


def _seen(run: _Run, response: httpx.Response, shown: bytes, failure: Failure) -> RunResult:
    status = response.status_code
    # Truncated words are left out: the cut may have split a key that was echoed.
    words = ", ".join(word for word in failure.said.split(", ") if WORD.fullmatch(word))
    told = replace(failure, said=words)
    evidence = evidence_of(status, response.headers, shown, run.secrets, failed=True, failure=told)
    return RunResult(f"HTTP {status}", failure, {**evidence, **run.evidence})


def _about(response: httpx.Response, secrets: tuple[str, ...]) -> dict[str, str]:
    headers = response.headers
    found = evidence_of(response.status_code, headers, b"", secrets, failed=False)
    named = {"request_id": "apim-request-id", "processing_ms": "openai-processing-ms", "region": "x-ms-region"}
    return found | {key: clean(headers[name], secrets)[:SHOWN_CAP] for key, name in named.items() if name in headers}


def _secrets(check: LlmCheck, asked: LlmRequest) -> tuple[str, ...]:
    held = (check.api_key, check.access_key_id, check.secret_access_key, check.session_token)
    known = secrets_of(asked.url, asked.headers, *(secret for secret in held if secret))
    return tuple(dict.fromkeys((*known, *(secret.lower() for secret in known))))  # words of providers are in lower case


def _reason(run: _Run, sample: Sample) -> str:
    reason = sample.reason
    first_ms = sample.phases_ms.get("first_token")
    if first_ms is not None and sample.outcome in GOOD:
        reason = reason.replace(", expected", f" (first token after {span(first_ms)}), expected", 1)
        if sample.outcome is Outcome.OK:
            reason += f", first token after {span(first_ms)}"
    return f"{reason}, rung: {run.told_rung}" if run.instead else reason


def _slow(run: _Run, sample: Sample, speed: float) -> list[str]:
    """What else is slower than expected, as clauses."""
    check, found = run.check, []
    first_ms = sample.phases_ms.get("first_token", 0.0)
    if check.first_token_under is not None and first_ms > ms_of(check.first_token_under):
        found.append(f", the first token expected under {span(ms_of(check.first_token_under))}")
    rate = run.transcript.rate(speed) if run.transcript else None
    if check.tokens_per_second is not None and rate is not None and rate < check.tokens_per_second:
        found.append(f", {rate:.1f} tokens a second where {check.tokens_per_second:g} are expected")
    return found


def _made(model: config.LlmCheck, **common: Any) -> LlmCheck:
    expect = model.expect
    return LlmCheck(
        **common, dialect=model.dialect, url=model.url, model=model.model or "",
        api_key=model.api_key.get_secret_value(), api=model.api, rung=model.rung, prompt=model.prompt,
        max_tokens=model.max_tokens, headers=plain(model.headers), api_version=model.api_version, region=model.region,
        access_key_id=model.access_key_id.get_secret_value(), secret_access_key=model.secret_access_key.get_secret_value(),
        session_token=model.session_token.get_secret_value(), under=expect.under, first_token_under=expect.first_token,
        answer=expect.answer, tokens_per_second=expect.tokens_per_second,
        budget=Budget(model.budget.calls_per_day, model.budget.tokens_per_day),
    )  # fmt: skip


def _prober(shared: ProberResources) -> LlmProber:
    return LlmProber(
        shared.clock, ssl_context=shared.tls, resolver=shared.resolver, guard=shared.guard, keys=shared.keys,
        version=shared.version,
    )  # fmt: skip


KIND = Kind(config.LlmCheck, LlmCheck, _made, _prober)
