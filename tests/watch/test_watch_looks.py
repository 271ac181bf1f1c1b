"""A doubt looks again and calls others; what hangs holds nobody up; no verdict comes before everything was looked at."""

import asyncio
import time
from datetime import timedelta
from operator import attrgetter
from typing import cast

import pytest

from bot.core.detection.verdict import SourceReport, VerdictRule
from bot.core.model import Level, Outcome, Sample
from bot.sandbox.world import EPOCH
from bot.system.garbage import GARBAGE
from bot.watch.lag import doubted
from tests.engine.stand import BROKEN, TOO_LATE, TURNS, WELL, Answer, Check, Lagging, Stand, sample

API = "anthropic.api.models"
ASK = "anthropic.api.ask"
WEB = "anthropic.web.front"
GPT = "openai.api.models"
ALL = tuple(Check(id) for id in (API, ASK, WEB, GPT))
FIRST, SECOND = "vendor-a.api", "vendor-b.api"  # in the order in which they are weighed
MANY = 201  # LARGE and one
OF_ONE = tuple(Check(f"big.api.k{n}") for n in range(1_200))  # component


async def test_a_failed_look_is_followed_by_quick_ones_until_the_doubt_is_gone() -> None:
    """Every two seconds while in doubt, and then at its old offset of the half minute."""
    stand = await Stand([Check(API)]).opened()
    [first, second] = stand.script.of(API)
    stand.script.answers[API] = BROKEN
    await stand.until_look(API)
    stand.script.answers[API] = WELL
    third = stand.script.of(API)[-1]
    await stand.passes(300)

    looks = stand.script.of(API)
    assert [30.0, 30.0] == [second - first, third - second]
    assert [third + 2, third + 4, third + 6] == looks[3:6]
    quick = [at for at in looks if at % 30 != first % 30]
    assert 5 < len(quick) < 14
    assert max(quick) < third + 60
    assert [30.0] * 5 == [later - earlier for earlier, later in zip(looks[-6:-1], looks[-5:], strict=True)]
    assert "operational" == stand.level("anthropic.api")


async def test_a_full_outage_is_committed_within_seconds_of_the_first_failed_look() -> None:
    """Four failed looks and six seconds are enough, where they are server errors of theirs."""
    stand = await Stand(ALL).opened()
    stand.script.answers = dict.fromkeys((API, ASK), BROKEN)
    before = len(stand.script.began)
    while stand.level("anthropic.api") != "down":
        await stand.passes(1)
    failed = [at for id, at in stand.script.began[before:] if id in (API, ASK)]

    assert 6 <= stand.clock.monotonic() - failed[0] <= 8


async def test_the_others_of_a_provider_look_at_once_when_one_begins_to_doubt() -> None:
    """Siblings and the checks of other components do; another provider has nothing to do with it."""
    stand = await Stand(ALL).opened()
    stand.script.answers[API] = BROKEN
    before = len(stand.script.began)
    await stand.until_look(API)
    at = stand.clock.monotonic()
    now = {id for id, began in stand.script.began[before:] if began == at}

    assert {API, ASK, WEB} <= now
    assert GPT not in now


async def test_doubts_call_others_only_so_often() -> None:
    """One that flickers all the time must not become a second schedule for everybody else."""
    stand = await Stand(ALL).opened()
    before = len(stand.script.of(WEB))
    for _ in range(8):
        stand.script.answers[API] = BROKEN
        await stand.until_look(API)
        stand.script.answers[API] = WELL
        await stand.passes(90)
    scheduled = stand.clock.monotonic() / 30

    assert 2 <= len(stand.script.of(WEB)) - scheduled <= 5
    assert before <= 3


async def test_a_look_that_hangs_holds_up_neither_the_next_nor_the_others() -> None:
    """After two seconds without an answer the check looks again beside it, and others of its provider look too."""
    stand = await Stand(ALL).opened()
    stand.script.hangs[WEB] = asyncio.Event()
    await stand.until_look(WEB)
    hung = stand.clock.monotonic()
    await stand.passes(2)

    assert {(WEB, hung), (WEB, hung + 2), (ASK, hung + 2)} <= set(stand.script.began)
    stand.script.hangs[WEB].set()


async def test_an_outage_in_which_everything_hangs_is_found_soon_after_the_first_deadline() -> None:
    """The looks that were begun meanwhile count one after the other, each with the moment in which it began."""
    stand = await Stand([Check(WEB)]).opened()
    stand.script.hangs[WEB] = asyncio.Event()
    await stand.until_look(WEB)
    began = stand.clock.now()
    await stand.passes(20)
    stand.script.hangs[WEB].set()
    await stand.passes(8)

    assert "down" == stand.level("anthropic.web")
    since = stand.engine.world.component("anthropic.web").began_at
    assert since is not None
    assert timedelta(0) <= since - began <= timedelta(seconds=5)


async def test_an_old_answer_changes_nothing_when_newer_ones_came_before_it() -> None:
    """It hung for longer than an interval, and is no clock that was set back; it is stored and no more."""
    stand = await Stand([Check(WEB, every=timedelta(seconds=10))]).opened()
    stand.script.answers[WEB] = BROKEN
    await stand.until_look(WEB)
    stand.script.answers[WEB] = WELL
    hanging = stand.script.hangs[WEB] = asyncio.Event()
    await stand.until_look(WEB)
    del stand.script.hangs[WEB]
    await stand.passes(36)
    before = len(stand.script.of(WEB))
    hanging.set()
    await stand.passes(60)

    assert 1 == sum(s.error == "deadline" for s in await stand.samples.recent(WEB, 100))
    assert len(stand.script.of(WEB)) - before <= 8  # another doubt would look ten times more
    assert "operational" == stand.level("anthropic.web")


async def test_no_word_is_said_of_a_component_before_every_check_of_it_has_looked() -> None:
    """Half of it being well is no news; trouble would be."""
    stand = await Stand([Check(API), Check(ASK, every=timedelta(seconds=120))]).opened(settled=False)
    await stand.until_look(API)
    if not stand.script.of(ASK):
        assert "unknown" == stand.level("anthropic.api")
    while not stand.script.of(ASK):
        assert "unknown" == stand.level("anthropic.api")
        await stand.passes(1)

    assert "operational" == stand.level("anthropic.api")


async def test_a_small_part_that_fails_for_long_becomes_an_advisory_and_no_incident() -> None:
    """One model of five: nothing for ten minutes, then an advisory, and none once it is well again."""
    models = [Check(f"anthropic.api.ask-{n}") for n in range(5)]
    stand = await Stand(models).opened()
    stand.script.answers[models[0].id] = BROKEN
    await stand.passes(9 * 60, step=2)
    early = stand.engine.world.component("anthropic.api")
    await stand.passes(3 * 60, step=2)
    late = stand.engine.world.component("anthropic.api")
    stand.script.answers.clear()
    await stand.passes(4 * 60, step=2)

    assert Level.OPERATIONAL == early.level
    assert "" == early.advisory
    assert Level.OPERATIONAL is late.level
    assert "ask-0" in late.advisory
    assert "" == stand.engine.world.component("anthropic.api").advisory
    assert {} == stand.engine.world.incidents


async def test_results_of_unknown_checks_are_left_out() -> None:
    """Another vantage may have checks that we do not have."""
    stand = await Stand([Check(API)], vantage="here").opened()
    await stand.watch.take([sample("anthropic.api.gone", BROKEN, stand.clock.now(), "there")])
    await stand.watch.flush()

    assert [] == await stand.samples.recent("anthropic.api.gone", 5)
    assert "operational" == stand.level("anthropic.api")


async def test_what_was_late_while_our_own_loop_stood_still_says_nothing() -> None:
    """Slow answers and missed deadlines are inconclusive then; an error is an error."""
    lag = Lagging()
    stand = await Stand([Check(API), Check(WEB)], lag=lag).opened()
    lag.late_s = 5.0
    stand.script.answers = {API: TOO_LATE, WEB: BROKEN}
    await stand.passes(90)
    found = {check: (await stand.samples.recent(check, 1))[0] for check in (API, WEB)}

    assert Outcome.INCONCLUSIVE == found[API].outcome
    assert "lagged" == found[API].error
    assert "our own loop was 5000 ms late" in found[API].reason
    assert "operational" == stand.level("anthropic.api")
    assert "down" == stand.level("anthropic.web")


async def test_a_good_answer_that_our_own_loop_delayed_is_good_and_not_slow() -> None:
    """Two seconds, of which we stood still: neither degraded nor what is usual from now on."""
    lag = Lagging()
    stand = await Stand([Check(API)], lag=lag).opened()
    await stand.passes(30 * 25, step=5)
    lag.late_s = 1.9
    stand.script.answers[API] = Answer(total_ms=2_000.0)
    await stand.passes(300, step=5)
    newest = (await stand.samples.recent(API, 1))[0]

    assert "operational" == stand.level("anthropic.api")
    assert Outcome.OK == newest.outcome
    assert {} == dict(newest.phases_ms)


async def test_a_common_unrest_of_the_loop_excuses_nobody() -> None:
    """Forty milliseconds are no reason why an answer did not come within ten seconds."""
    stand = await Stand([Check(API)], lag=Lagging(0.04)).opened()
    stand.script.answers[API] = TOO_LATE
    await stand.passes(60)

    assert "down" == stand.level("anthropic.api")


@pytest.mark.parametrize(("outcome", "counts"), [(Outcome.FAIL, False), (Outcome.OK, True)])
def test_where_time_runs_fast_a_short_wait_is_an_excuse_as_well(outcome: Outcome, counts: bool) -> None:
    """At a hundred times the speed of life a deadline of ten seconds is a tenth of one: forty milliseconds are a lot."""
    error = "deadline" if outcome is Outcome.FAIL else None
    found = Sample(API, "anthropic.api", EPOCH, outcome, error, phases_ms={"total": 10_000.0})

    assert counts is (found is doubted(found, late_s=0.04, took_s=0.1, speed=100))
    assert found is doubted(found, late_s=0.04, took_s=0.1)


async def test_an_answer_that_is_long_in_coming_is_late_only_where_it_usually_is_not() -> None:
    """A model that always thinks for twenty seconds calls nobody when it does."""
    stand = await Stand(ALL).opened()
    stand.script.answers[ASK] = Answer(total_ms=20_000.0)
    await stand.passes(30 * 25, step=5)
    del stand.script.answers[ASK]
    stand.script.hangs[ASK] = asyncio.Event()
    await stand.until_look(ASK)
    hung = stand.clock.monotonic()
    await stand.passes(25)
    assert [hung] == [at for at in stand.script.of(ASK) if at >= hung]

    stand.script.hangs[ASK].set()


async def test_a_component_without_any_check_that_is_on_says_so() -> None:
    """Its credential is missing: nobody ever looks at it, and people read why."""
    stand = await Stand([Check(API)], off={"gemini.api": ["models"]}).opened()

    assert "no check is on (models: no credential)" == stand.engine.world.component("gemini.api").reason


async def test_the_rule_of_the_verdict_speaks_of_our_own_vantage_by_its_name() -> None:
    """What the plan calls us is what the verdict takes for our own eyes."""
    stand = await Stand([Check(API)], vantage="here", verdicts=VerdictRule(quorum="all")).opened()
    stand.script.answers[API] = BROKEN
    await stand.passes(60)

    assert "down" == stand.level("anthropic.api")


async def test_thinking_many_checks_over_lets_others_have_their_turns() -> None:
    """At 45,000 checks it takes a third of a second, in which flags are read and other checks start."""
    stand = await Stand([Check(f"p{n}.api.k{m}") for n in range(40) for m in range(150)]).opened(settled=False)
    held: list[float] = []  # processor time between two turns
    ended = asyncio.Event()

    async def takes_turns() -> None:
        while not ended.is_set():
            began = time.thread_time()
            await asyncio.sleep(0)
            held.append(time.thread_time() - began)

    with GARBAGE.paused():  # of all tests before
        turns = asyncio.create_task(takes_turns())
        await asyncio.sleep(0)
        await stand.watch.look()
        ended.set()
        await turns

    assert max(held) < sum(held) / 3


async def test_a_provider_of_a_thousand_checks_that_hang_keeps_no_other_waiting() -> None:
    """Each look of it takes as long as its deadline; the other provider is looked at in its rhythm."""
    stand = await Stand([*OF_ONE, Check(GPT)]).opened()
    hangs = asyncio.Event()
    stand.script.hangs = dict.fromkeys(map(attrgetter("id"), OF_ONE), hangs)
    before = len(stand.script.of(GPT))
    await stand.passes(120)

    assert 4 == len(stand.script.of(GPT)) - before
    hangs.set()


@pytest.mark.parametrize("set_back", [timedelta(0), timedelta(hours=1)])
async def test_an_outage_of_a_component_of_many_checks_is_found_by_weighing_them_together(set_back: timedelta) -> None:
    """As in a small one, though once a second and not with each look that fails; each check by itself takes until 28 s."""
    stand = await Stand(OF_ONE[:300]).opened()
    stand.script.answers = dict.fromkeys(map(attrgetter("id"), OF_ONE), BROKEN)
    await stand.passes(3)
    stand.clock.step_wall(-set_back)
    await stand.passes(21)

    assert "down" == stand.level("big.api")


async def test_an_outage_of_a_component_of_many_checks_costs_no_more_for_each_of_them() -> None:
    """Thousands that fail together are thought over together."""
    few = await outage_costs_s(250)

    assert await outage_costs_s(1_000) < 2 * few


async def test_results_of_many_checks_that_began_at_different_times_are_weighed_together() -> None:
    """Looks that hang and quick ones end beside each other, and each result is dated by its beginning."""

    async def costs_s(apart: timedelta) -> float:
        stand = await Stand(OF_ONE).opened()
        now = stand.clock.now()
        found = [sample(check.id, BROKEN, now - n % 2 * apart) for n, check in enumerate(OF_ONE)]
        with GARBAGE.paused():
            began = time.thread_time()
            await stand.watch.take(found)
            return time.thread_time() - began

    together = await costs_s(timedelta(0))
    assert await costs_s(timedelta(seconds=5)) < 4 * together


async def outage_costs_s(checks: int) -> float:
    """Processor time for each check of a component in the first half minute in which all of them fail."""
    stand = await Stand(OF_ONE[:checks]).opened()
    stand.script.answers = dict.fromkeys(map(attrgetter("id"), OF_ONE), BROKEN)
    with GARBAGE.paused():
        began = time.thread_time()
        await stand.passes(30)
        return (time.thread_time() - began) / checks


# --- several components at once, also of hundreds of checks


def checks_of(component: str, many: int = MANY) -> list[Check]:
    return [Check(f"{component}.k{n}") for n in range(many)]


class Reports(dict[str, SourceReport]):
    """What requests of customers say; notes each component that is weighed, since whoever weighs it asks for that."""

    def __init__(self, events: list[str]) -> None:
        super().__init__(dict.fromkeys((FIRST, SECOND), SourceReport("traffic", Level.OPERATIONAL, "", Stand([]).clock.now())))
        self.events = events

    def get(self, component: str, default: object = None) -> SourceReport | None:  # type: ignore[override] # as it is called
        self.events.append(component)
        return super().get(component)


@pytest.mark.parametrize("many", [1, MANY])
async def test_one_that_cannot_be_weighed_does_not_silence_the_next(many: int) -> None:
    """A mistake of ours in the first: what customers meet with the second is told all the same."""
    stand = await Stand([*checks_of(FIRST, many), *checks_of(SECOND, many)]).opened()
    failing = SourceReport("traffic", Level.DEGRADED, "38 % of requests fail", stand.clock.now())
    await stand.watch.count_traffic({FIRST: cast(SourceReport, "what nobody can weigh"), SECOND: failing})
    await stand.passes(2)

    assert "degraded" == stand.level(SECOND)


async def test_others_have_their_turn_between_two_large_components() -> None:
    """Each takes milliseconds to weigh: an answer to a person does not wait for all of them."""
    stand = await Stand([*checks_of(FIRST), *checks_of(SECOND)]).opened()
    events: list[str] = []
    await stand.watch.count_traffic(Reports(events))
    stand.watch.beat()
    for _ in range(TURNS):
        events.append("somebody else")
        await asyncio.sleep(0)

    assert "somebody else" in events[events.index(FIRST) : events.index(SECOND)]
