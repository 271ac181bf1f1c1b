"""A fallback is asked for everything that services need of it, and what is wrong with it is found before it is needed."""

from typing import Any

import pytest

from bot.checks.llm.rehearsal.judging import headroom, same_model
from bot.checks.llm.rehearsal.runner import Findings, estimate, rehearse
from bot.checks.net.transport import Transport
from bot.config.rehearsals import Price
from bot.core.rehearsal import Mark
from bot.system.clock import ManualClock
from tests.checks.llm.llm_stage import DIALECTS, START, check, on_stage

NEEDS = ("stream", "tools", "json", "model", "context")
PRICE = Price(input_per_mtok=3.0, cached_per_mtok=0.3, output_per_mtok=15.0)


async def found(word: str, dialect: str = "openai", **changes: Any) -> Findings:
    clock, transport = ManualClock(START), Transport()
    try:
        async with on_stage(word, clock=clock) as stage:
            wanted = stage.check(dialect, **changes)
            return await rehearse(wanted, NEEDS, 4_000, clock=clock, transport=transport, dollars=PRICE.dollars)
    finally:
        await transport.aclose()


def by(found: Findings, mark: Mark) -> dict[str, str]:
    return {one.need: one.why for one in found.results if one.mark is mark}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_fallback_that_is_well_passes(dialect: str) -> None:
    """Whatever the dialect: what it has is asked for, and what it does not have is said."""
    lacks = {"anthropic": {"json"}, "bedrock": {"json", "model"}, "azure": {"model"}}.get(dialect, set())

    came = await found("ok", dialect)

    assert ({}, lacks) == (by(came, Mark.FAILED), set(by(came, Mark.UNSUPPORTED)))
    assert set(NEEDS) - lacks == set(by(came, Mark.OK))


async def test_responses_of_openai_are_rehearsed_too() -> None:
    """The newer way of asking has its own shapes of tools and JSON."""
    assert set(NEEDS) == set(by(await found("ok", api="responses"), Mark.OK))


EVERYTHING = set(NEEDS)
DEFECTS = {
    "retired": (EVERYTHING, "model_not_found"),  # a wrong id
    "other_model": ({"model"}, "other-model-mini answered instead of gpt-5-mini"),
    "no_tools": ({"tools"}, "it called no tool"),
    "broken_arguments": ({"tools"}, "the arguments of its tool call are not JSON"),
    "spend_limit": (EVERYTHING, "quota"),
    "short_context": ({"context"}, "a prompt of about 4000 tokens gets no answer"),
    "truncated": ({"stream", "tools", "json", "context"}, "the stream ended without its end mark"),
    "no_end": ({"stream", "tools", "json", "context"}, "the stream ended without its end mark"),
    "html": (EVERYTHING, "a web page came back in place of data"),
    "json_ignored": ({"json"}, "its answer in JSON mode is not JSON"),
    "empty_answer": ({"stream", "context"}, "empty"),
    "401": (EVERYTHING, "our key was not accepted"),
}


@pytest.mark.parametrize("word", DEFECTS)
async def test_a_planted_defect_is_found(word: str) -> None:
    """Twelve ways in which a fallback that answers a plain ping, or used to, lets services down."""
    hit, why = DEFECTS[word]

    failed = by(await found(word), Mark.FAILED)

    assert hit == set(failed)
    assert all(why.lower() in words.lower() for words in failed.values()), failed


async def test_a_quota_that_is_nearly_used_up_is_told_and_fails_nothing() -> None:
    """The fallback works, and would not carry an outage."""
    came = await found("little_left")

    assert ({}, {"quota": "less than 10 % of our rate limit is left"}) == (by(came, Mark.FAILED), by(came, Mark.LOW))


async def test_what_it_costs_is_counted() -> None:
    """From the usage that the provider tells, at the price of the component, and never above the estimate."""
    clock = ManualClock(START)

    came = await found("ok")

    calls, tokens, dollars = estimate(check("openai", "http://x"), NEEDS, 4_000, PRICE.dollars)
    assert (4, 4) == (came.calls, calls)
    assert 0.01 < came.dollars < dollars < 0.10
    assert 3_900 < came.tokens < tokens
    assert clock.now() == START


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("gpt-5", "gpt-5", True),
        ("gpt-5", "gpt-5-2025-08-07", True),
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", True),
        ("models/gemini-2.5-flash", "gemini-2.5-flash-001", True),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", True),
        ("openai/gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-5", "gpt-5-mini", False),
        ("gpt-5", "gpt-5-mini-2025-08-07", False),
        ("gpt-4o", "gpt-4", False),
    ],
)
def test_a_dated_version_is_the_same_model(asked: str, answered: str, same: bool) -> None:
    """Providers answer with the version; a smaller one is another model."""
    assert same is same_model(asked, answered)


def test_the_scarcest_limit_counts() -> None:
    """Requests may be left where tokens are not."""
    headers = {
        "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-input-tokens-limit": "1000", "anthropic-ratelimit-input-tokens-remaining": "99",
    }  # fmt: skip

    assert [Mark.LOW] == [one.mark for one in headroom(headers)]


def test_what_came_from_a_cache_costs_less() -> None:
    """A million sent tokens, all of them cached."""
    assert (0.3, 3.0) == (PRICE.dollars(1_000_000, 1_000_000, 0), PRICE.dollars(1_000_000, 0, 0))
