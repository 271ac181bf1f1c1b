"""What llm checks may spend, what happens when it is spent, and keys that worked a while ago."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.checks.judging.exceptions import Failure
from bot.checks.judging.keys import KeyMemory
from bot.checks.llm.budget import CALLS_A_DAY, Budget, BudgetBook, Spent
from bot.checks.llm.check import LlmProber
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import ManualClock
from tests.checks.llm.llm_stage import START, check, looked, on_stage
from tests.checks.net.faults import saying, serving

LATE = datetime(2030, 1, 7, 23, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ID = "anthropic.api.inference"


def test_budget_allows_a_minute_schedule_when_nothing_is_set() -> None:
    """Once a minute leaves room for looking again quickly."""
    assert (True, 3_000) == (CALLS_A_DAY > 2 * 24 * 60, Budget().calls_per_day)


def test_budget_is_spent_by_calls_or_tokens_when_they_are_charged() -> None:
    """Whichever comes first, and each check by itself."""
    book = BudgetBook(ManualClock(START))
    budget = Budget(calls_per_day=2, tokens_per_day=100)
    told = [book.exhausted("a", budget)]
    for tokens in (40, 10):
        book.charge("a", tokens)
        told.append(book.exhausted("a", budget))
    book.charge("b", 100)
    told.append(book.exhausted("b", budget))
    assert ["", "", "budget of 2 calls a day is spent", "budget of 100 tokens a day is spent"] == told
    assert (Spent(2, 50), "") == (book.spent("a"), book.exhausted("c", budget))


def test_budget_is_new_when_a_utc_day_begins() -> None:
    """A wall clock that is set back an hour over midnight does not give it twice; one that was days ahead does."""
    clock = ManualClock(LATE)
    book = BudgetBook(clock)
    book.charge("a", 5)
    clock.advance(2 * MINUTE)
    after_midnight = book.spent("a")
    book.charge("a", 7)
    clock.step_wall(timedelta(hours=-1))
    stepped_back = book.spent("a")
    clock.step_wall(timedelta(days=30))
    book.charge("a", 1)
    clock.step_wall(timedelta(days=-30))
    assert [Spent(), Spent(1, 7), Spent()] == [after_midnight, stepped_back, book.spent("a")]


def test_budget_comes_back_when_the_process_starts_again() -> None:
    """The snapshot goes through JSON; what was charged meanwhile is added, and another day's snapshot is over."""
    clock = ManualClock(LATE)
    before = BudgetBook(clock)
    before.charge("a", 5)
    stored = json.loads(json.dumps(before.snapshot()))
    after = BudgetBook(clock)
    after.charge("a", 1)
    after.restore(stored)
    assert Spent(2, 6) == after.spent("a")
    clock.advance(2 * MINUTE)
    tomorrow = BudgetBook(clock)
    tomorrow.restore(stored)
    assert Spent() == tomorrow.spent("a")


@pytest.mark.parametrize(
    "stored", [{}, {"day": "soon", "spent": {}}, {"day": "2030-01-07", "spent": [1]}, {"day": 7, "spent": {}}]
)
def test_budget_refuses_a_snapshot_when_it_is_none(stored: dict[str, Any]) -> None:
    """A strange setting is an error to be told, not a zero."""
    with pytest.raises(ValueError):
        BudgetBook(ManualClock(START)).restore(stored)


async def test_check_drops_to_its_free_call_when_the_budget_is_spent() -> None:
    """It goes on looking, for free, and says so in its reason and its evidence."""
    async with on_stage() as stage:
        samples = [await stage.look("anthropic", budget=Budget(calls_per_day=2)) for _ in range(4)]
        paths = [request.path for request in stage.vendors.requests]
    assert ["/v1/messages"] * 2 + ["/v1/models"] * 2 == paths
    assert [Outcome.OK] * 4 == [sample.outcome for sample in samples]
    told = "free (budget of 2 calls a day is spent)"
    assert ["inference", "inference", told, told] == [sample.evidence["rung"] for sample in samples]
    assert samples[2].reason.endswith(f", rung: {told}")


async def test_budget_counts_tokens_when_the_provider_tells_them() -> None:
    """Eight in and two out, twice."""
    async with on_stage() as stage:
        for _ in range(2):
            await stage.look("anthropic", max_tokens=16)
        assert Spent(2, 20) == stage.prober.book.spent(ID)


async def test_budget_is_not_touched_when_nothing_was_asked() -> None:
    """Free calls cost nothing, nor does a request that never went out."""
    async with on_stage("refuse") as stage:
        await stage.look("anthropic")
        await stage.look("anthropic", rung="free")
        assert Spent() == stage.prober.book.spent(ID)


async def test_budget_starts_again_when_the_day_ends() -> None:
    """The next UTC day has its own."""
    clock = ManualClock(LATE)
    async with on_stage(clock=clock) as stage:
        rungs = []
        for _ in range(3):
            rungs.append((await stage.look("openai", budget=Budget(calls_per_day=1))).evidence["rung"].split()[0])
            clock.advance(MINUTE)
    assert ["inference", "inference", "free"] == rungs


async def test_free_call_is_no_recovery_when_the_last_inference_failed() -> None:
    """The list of models is well while inference is down; until there is a budget again, that says nothing."""
    async with on_stage("capacity") as stage:
        budget = Budget(calls_per_day=1)
        failed = await stage.look("anthropic", budget=budget)
        free = await stage.look("anthropic", budget=budget)
    assert ("overloaded", Outcome.FAIL) == (failed.error, failed.outcome)
    assert ("budget_spent", Outcome.INCONCLUSIVE, Fault.OURS_QUOTA) == (free.error, free.outcome, free.fault)
    assert "the free call says nothing of inference" in free.reason


async def test_failed_inference_is_remembered_when_samples_are_restored() -> None:
    """After a restart the free call is no recovery either."""
    async with on_stage() as stage:
        failed = Sample(ID, "anthropic.api", START, Outcome.FAIL, "http_5xx", Fault.THEIRS)
        stage.prober.remember(failed)
        nothing = Budget(calls_per_day=0)
        before = await stage.look("anthropic", budget=nothing)
        stage.prober.remember(replace(failed, outcome=Outcome.OK, error=None, fault=Fault.NONE))
        stage.prober.remember(before)  # twenty free calls since then: the failure itself is not among what is recalled
        later = await stage.look("anthropic", budget=nothing)
        stage.prober.remember(replace(failed, outcome=Outcome.OK, error=None, fault=Fault.NONE))
        after = await stage.look("anthropic", budget=nothing)
    assert (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, Outcome.OK) == (before.outcome, later.outcome, after.outcome)


@pytest.mark.parametrize(
    ("ago", "error"), [(None, "auth"), (timedelta(minutes=5), "auth_sudden"), (timedelta(hours=7), "auth")]
)
def test_refusal_is_sudden_when_the_key_worked_a_short_while_ago(ago: timedelta | None, error: str) -> None:
    """The suspect is the provider for some hours; a key that never worked, or long ago, is ours."""
    memory = KeyMemory(ManualClock(START))
    if ago is not None:
        memory.worked("a", START - ago)
        memory.worked("a", START - ago * 2)  # older news change nothing
    assert error == memory.judged("a", Failure("auth")).error
    assert "auth" == memory.judged("b", Failure("auth")).error
    assert "overloaded" == memory.judged("a", Failure("overloaded")).error


async def test_refused_key_is_suspected_of_the_provider_when_it_worked_before() -> None:
    """Unclear, may open an incident, and in words of its own; the same look without that past blames our key."""
    async with on_stage("bad_key") as stage:
        ours = await stage.look("gemini")
        stage.prober.remember(Sample("gemini.api.inference", "gemini.api", START - timedelta(minutes=3), Outcome.OK))
        sudden = await stage.look("gemini")
    assert [("auth", Fault.OURS_KEY), ("auth_sudden", Fault.UNCLEAR)] == [(one.error, one.fault) for one in (ours, sudden)]
    assert "a key that worked a short while ago is not accepted any more" in sudden.reason


@pytest.mark.parametrize("words", ["Signature expired: 20300107T080000Z is now earlier", "Signature not yet current: 2030"])
async def test_refusal_stays_ours_when_our_clock_dated_the_request_wrong(words: str) -> None:
    """A step of the wall clock is no outage of a provider, whatever the key did before."""
    body = json.dumps({"__type": "InvalidSignatureException", "message": words}).encode()
    said = b"HTTP/1.1 403 No\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    prober = LlmProber(ManualClock(START))
    prober.remember(Sample("bedrock.api.inference", "bedrock.api", START - MINUTE, Outcome.OK))
    async with serving(saying(said)) as port:
        sample = await looked(prober, check("bedrock", f"http://127.0.0.1:{port}"))
    await prober.close()
    assert ("auth", Fault.OURS_KEY) == (sample.error, sample.fault)


async def test_key_is_remembered_when_a_look_goes_well() -> None:
    """No restart is needed for that."""
    clock = ManualClock(START)
    async with on_stage(clock=clock) as good, on_stage("401", clock=clock) as bad:
        await looked(good.prober, good.check("openai"))
        sample = await looked(good.prober, bad.check("openai"))
    assert "auth_sudden" == sample.error
