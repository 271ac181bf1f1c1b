"""Judges the answers of a rehearsal, need by need. Pure."""

import re
from collections.abc import Mapping

from bot.checks.judging.exceptions import Failure
from bot.checks.llm.dialects.shape import parsed
from bot.checks.llm.rehearsal.contract import Prompt
from bot.checks.llm.transcript import Transcript
from bot.core.lazy_dataclass import dataclass
from bot.core.rehearsal import QUOTA, Mark, NeedResult

LEAST_LEFT = 0.10  # of a rate limit; with less, the traffic of an outage does not fit
DATED = re.compile(r"(?:[-@:](?:\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{4}|\d{3}|v\d+|latest))+")
# Remaining and limit of each kind, in lower case: first OpenAI and compatible APIs, then Anthropic.
LIMITS = (
    *((f"x-ratelimit-remaining-{kind}", f"x-ratelimit-limit-{kind}", kind) for kind in ("requests", "tokens")),
    *(
        (f"anthropic-ratelimit-{kind}-remaining", f"anthropic-ratelimit-{kind}-limit", kind.replace("-", " "))
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    ),
)


@dataclass(frozen=True)
class RequestResult:
    """The result of one request: the answer as far as it got, and what is wrong with it."""

    transcript: Transcript | None
    failure: Failure | None
    headers: Mapping[str, str]
    said: str = ""  # the provider's own word for a refusal, cleaned

    @property
    def why(self) -> str:
        """What is wrong, as a clause."""
        words = self.failure.sentence if self.failure else ""
        return f"{words} ({self.said})" if self.said and self.said not in words else words


def judged(prompt: Prompt, heard: RequestResult) -> tuple[NeedResult, ...]:
    """The result of each need that the request tests."""
    return tuple(_judged(need, prompt, heard) for need in prompt.needs)


def _judged(need: str, prompt: Prompt, heard: RequestResult) -> NeedResult:
    told = heard.transcript
    if need == "model" and told is not None and told.model:
        why = _other_model(prompt.check.model, told.model)
    elif heard.failure is not None or told is None:
        why = heard.why
        if need == "context":
            why = f"a prompt of about {prompt.about_tokens} tokens gets no answer: {why}"
    else:
        why = {"tools": _no_tool, "json": _no_json, "context": _cut_context}.get(need, _nothing)(prompt, told)
    return NeedResult(need, Mark.FAILED if why else Mark.OK, why)


def _nothing(prompt: Prompt, told: Transcript) -> str:
    """Accept the answer as it is; if it does not say which model answered, the requested one is assumed."""
    return ""


def same_model(asked: str, answered: str) -> bool:
    """Whether one is the other, or a dated version of it: `gpt-5` and `gpt-5-2025-08-07`."""
    wanted, came = (name.lower().removeprefix("models/").removesuffix("-latest") for name in (asked, answered))
    short = wanted.rpartition("/")[2]
    beginnings = [one for one in (wanted, short) if came.startswith(one)]
    return any(came == one or DATED.fullmatch(came[len(one) :]) for one in beginnings) or wanted.endswith(f"/{came}")


def _other_model(asked: str, answered: str) -> str:
    return "" if same_model(asked, answered) else f"{answered} answered instead of {asked}"


def _no_tool(prompt: Prompt, told: Transcript) -> str:
    if not told.tool:
        return "it called no tool"
    arguments = parsed(told.arguments)
    if not isinstance(arguments, dict):
        return "the arguments of its tool call are not JSON"
    return "" if isinstance(arguments.get("city"), str) else "the arguments of its tool call do not follow the schema"


def _no_json(prompt: Prompt, told: Transcript) -> str:
    if isinstance(parsed(told.text), dict):
        return ""
    return "its answer in JSON mode was cut off" if told.cut_short else "its answer in JSON mode is not JSON"


def _cut_context(prompt: Prompt, told: Transcript) -> str:
    took = told.tokens_in
    if took is None or took * 2 >= prompt.about_tokens:
        return ""
    return f"it took in {took} of about {prompt.about_tokens} tokens"


def headroom(headers: Mapping[str, str]) -> tuple[NeedResult, ...]:
    """How much of our rate limits is left, the scarcest one; nothing if the provider does not report it."""
    shares = [
        (int(left) / int(limit), f"{left} of {limit} {kind} left")
        for remaining, most, kind in LIMITS
        if _counts(left := headers.get(remaining, "")) and _counts(limit := headers.get(most, "")) and int(limit) > 0
    ]
    if not shares:
        return ()
    share, _ = min(shares)
    low = share < LEAST_LEFT
    return (NeedResult(QUOTA, Mark.LOW if low else Mark.OK, "less than 10 % of our rate limit is left" if low else ""),)


def _counts(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def refused_word(failure: Failure) -> str:
    """The provider's own words for a refusal, if they are plain words."""
    return ", ".join(word for word in failure.said.split(", ") if re.fullmatch(r"[a-z0-9_.-]{1,60}", word))
