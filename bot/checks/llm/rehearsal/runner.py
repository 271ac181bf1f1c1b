"""Rehearses one fallback: sends its prompts one after the other, each once."""

import asyncio
from collections.abc import Callable

from bot.checks.judging.evidence import BODY_CAP, clean
from bot.checks.judging.exceptions import Failure, classify_status
from bot.checks.llm.dialects import bedrock
from bot.checks.llm.dialects.known import DIALECTS
from bot.checks.llm.dialects.shape import LlmCheck
from bot.checks.llm.rehearsal.contract import Prompt, prompts
from bot.checks.llm.rehearsal.judging import RequestResult, headroom, judged, refused_word
from bot.checks.llm.stream import listen, read
from bot.checks.llm.transcript import Transcript
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.net.transport import Transport
from bot.checks.run import RunResult, measured
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault
from bot.core.rehearsal import QUOTA, Mark, NeedResult
from bot.system.clock import Clock

NAME_CAP = 100
Dollars = Callable[[int, int, int], float]  # tokens sent, cached tokens among them, tokens written


@dataclass(frozen=True)
class Findings:
    """The result of a rehearsal; `calls` and `tokens` count against a token budget, `dollars` against one of money."""

    results: tuple[NeedResult, ...]
    answered: str
    calls: int
    tokens: int
    dollars: float
    unseen: str = ""  # why there is no result: our own network or machine failed, which says nothing about the fallback


def estimate(check: LlmCheck, needs: tuple[str, ...], context_tokens: int, dollars: Dollars) -> tuple[int, int, float]:
    """The most that a rehearsal may take: calls, tokens, dollars."""
    asked, _ = prompts(check, needs, context_tokens)
    sent = sum(one.about_tokens for one in asked)
    written = sum(one.check.room() for one in asked)
    return len(asked), sent + written, dollars(sent, 0, written)


async def rehearse(
    check: LlmCheck, needs: tuple[str, ...], context_tokens: int, *, clock: Clock, transport: Transport, dollars: Dollars
) -> Findings:
    """Test each need. Any failure is in the results; only cancellation is raised.

    If the plain request is refused, the others are not sent: they would be refused too.
    """
    if check.dialect == "bedrock":
        await asyncio.to_thread(bedrock.load)
    asked, results = prompts(check, needs, context_tokens)
    found, answered, calls, tokens, spent = list(results), "", 0, 0, 0.0
    refused: RequestResult | None = None
    quota: tuple[NeedResult, ...] = ()
    for prompt in asked:
        if refused is not None:
            found += [NeedResult(need, Mark.FAILED, refused.why) for need in prompt.needs]
            continue
        heard = await _asked(prompt, clock, transport)
        calls, told = calls + 1, heard.transcript
        if heard.failure is not None and heard.failure.fault is Fault.LOCAL:
            return Findings((), "", calls, tokens, round(spent, 6), unseen=heard.why)
        if told is None or not told.known:
            refused = heard if prompt is asked[0] and heard.failure else None
            if not heard.headers:  # it broke off, and its usage was never reported
                tokens += prompt.about_tokens
                spent += dollars(prompt.about_tokens, 0, 0)
        else:
            answered = answered or clean(told.model)[:NAME_CAP]
            sent = told.tokens_in if told.tokens_in is not None else prompt.about_tokens
            tokens += sent + told.written
            spent += dollars(sent, told.tokens_cached, told.written)
        quota = headroom(heard.headers) or quota
        found += judged(prompt, heard)
    order = (*needs, QUOTA)
    done = sorted((*found, *quota), key=lambda one: order.index(one.need) if one.need in order else len(order))
    return Findings(tuple(done), answered, calls, tokens, round(spent, 6))


async def _asked(prompt: Prompt, clock: Clock, transport: Transport) -> RequestResult:
    check, dialect = prompt.check, DIALECTS[prompt.check.dialect]
    heard: list[RequestResult] = []

    async def look(watch: Stopwatch, deadline_s: float) -> RunResult:
        asked = dialect.asked(check, "inference", clock.now())
        async with transport.answer(asked.method, asked.url, asked.headers, asked.body, watch, deadline_s) as response:
            headers = dict(response.headers)
            if response.status_code != 200:
                body = await read(response, BODY_CAP, whole=False)
                failure = classify_status(response.status_code, body, response.headers, dialect.name)
                heard.append(RequestResult(None, failure, headers, refused_word(failure)))
                return RunResult("answered", failure)
            told = Transcript(dialect)
            damage = await listen(told, response, watch)
            wrong = told.fault(response.status_code, response.headers)
            if damage is not None and told.known and told.error is None:
                wrong = damage
            heard.append(RequestResult(told, wrong, headers, refused_word(wrong) if wrong else ""))
            return RunResult("answered", wrong)

    sample = await measured(check, clock, look)
    if heard:
        return heard[0]
    return RequestResult(None, Failure(sample.error or "deadline"), {})
