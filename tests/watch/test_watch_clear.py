"""How soon the watch pages, by what fails: clear failures of a provider sooner than what may be our own way out."""

from collections.abc import Callable, Sequence

import pytest

from bot.core.detection.blindness import BlindnessRule
from bot.core.model import Fault, Outcome
from tests.engine.stand import BROKEN, NO_WAY, TOO_LATE, WELL, Answer, Check, Stand

API = "anthropic.api.models"
CONTROLS = ("control.way.one", "control.way.two")
RESOLVER = "control.names.ours"
REFUSED = Answer(Outcome.FAIL, "connect_refused", Fault.THEIRS)
RESET = Answer(Outcome.FAIL, "reset", Fault.THEIRS)
LIMITED = Answer(Outcome.FAIL, "rate_limited", Fault.OURS_QUOTA)
STEP_S = 0.5

Answers = Callable[[float], Answer]  # by seconds since the first failed look


async def failing(answers: Answers, controls: Sequence[str] = (), dark: Sequence[str] = ()) -> Stand:
    """A watch whose one check has just failed for the first time; `dark` controls fail from then on."""
    group = [Check(id) for id in controls]
    stand = await Stand([Check(API)], controls=group, sight=BlindnessRule(resolvers=frozenset({RESOLVER}))).opened()
    stand.script.answers |= {API: answers(0.0), **dict.fromkeys(dark, NO_WAY)}
    before = len(stand.script.of(API))
    while len(stand.script.of(API)) == before:
        await stand.passes(STEP_S, step=STEP_S)
    return stand


async def goes_on(stand: Stand, answers: Answers, until_s: float, since_s: float = 0.0) -> float | None:
    """Seconds from the first failed look until an incident is open; None where none is by then."""
    while since_s < until_s:
        since_s += STEP_S
        stand.script.answers[API] = answers(since_s)
        await stand.passes(STEP_S, step=STEP_S)
        if stand.engine.world.incidents:
            return since_s
    return None


async def paged_after(found: Answer, controls: Sequence[str] = (), dark: Sequence[str] = ()) -> float | None:
    """Seconds from the first look that finds this until the page."""
    return await goes_on(await failing(lambda _: found, controls, dark), lambda _: found, 30.0)


async def test_server_errors_page_after_six_seconds() -> None:
    """With four quick looks, and without any control."""
    assert 6.0 == await paged_after(BROKEN)


@pytest.mark.parametrize("found", [RESET, NO_WAY, Answer(Outcome.FAIL, "connect_timeout", Fault.UNCLEAR)])
async def test_what_may_be_our_own_way_out_pages_after_ten(found: Answer) -> None:
    """Though the controls answer all the time."""
    assert 10.5 == await paged_after(found, CONTROLS)


async def test_refusals_page_after_six_seconds_while_the_controls_answer() -> None:
    """No firewall of ours lets the controls through and refuses the provider in the same moment."""
    assert 6.0 == await paged_after(REFUSED, CONTROLS)


async def test_refusals_page_after_ten_without_a_control() -> None:
    """Nobody tells that it was not our own firewall."""
    assert 10.5 == await paged_after(REFUSED)


async def test_refusals_page_after_ten_while_half_of_the_controls_are_dark() -> None:
    """The line carries little: it may be our own."""
    assert 10.5 == await paged_after(REFUSED, CONTROLS, dark=CONTROLS[:1])


async def test_refusals_page_after_ten_where_only_our_resolver_answers() -> None:
    """It stands on our side of the way out."""
    assert 10.5 == await paged_after(REFUSED, [RESOLVER])


async def test_refusals_page_nobody_while_all_controls_are_dark() -> None:
    """Then we are blind."""
    assert await paged_after(REFUSED, CONTROLS, dark=CONTROLS) is None


async def test_refusals_wait_longer_once_a_control_falls_silent_among_them() -> None:
    """The controls are asked again in the doubt: what they did at its beginning is not enough."""
    stand = await failing(lambda _: REFUSED, CONTROLS)
    at_first = await goes_on(stand, lambda _: REFUSED, 2.0)
    stand.script.answers[CONTROLS[0]] = NO_WAY

    assert at_first is None
    assert 10.5 == await goes_on(stand, lambda _: REFUSED, 30.0, since_s=2.0)


async def test_a_refusal_tells_that_the_controls_answered() -> None:
    """People read it beside the failure."""
    stand = await failing(lambda _: REFUSED, CONTROLS)
    await goes_on(stand, lambda _: REFUSED, 30.0)

    assert ("models: controls answered",) == stand.engine.world.component("anthropic.api").evidence


async def test_a_timeout_among_server_errors_pages_after_ten() -> None:
    """A doubt in part clear is none that is clear."""

    def answers(since_s: float) -> Answer:
        return TOO_LATE if since_s == 0.0 else BROKEN

    assert 10.5 == await goes_on(await failing(answers), answers, 30.0)


async def test_a_rate_limit_pages_nobody() -> None:
    """It is an answer of theirs, and our own fault."""
    assert await paged_after(LIMITED) is None


@pytest.mark.parametrize("lasts_s", [3.0, 5.0])
async def test_a_provider_that_restarts_for_seconds_pages_nobody(lasts_s: float) -> None:
    """Its balancer answers 502 for as long as a deployment takes."""

    def answers(since_s: float) -> Answer:
        return BROKEN if since_s < lasts_s else WELL

    assert await goes_on(await failing(answers), answers, 120.0) is None


@pytest.mark.parametrize(
    ("found", "controls", "at_s"),
    [(BROKEN, (), 6.0), (REFUSED, CONTROLS, 6.0), (REFUSED, (), 10.5)],
    ids=["server errors", "refusals beside controls", "refusals alone"],
)
async def test_a_restart_within_the_doubt_changes_nothing(found: Answer, controls: Sequence[str], at_s: float) -> None:
    """What was clear before it is clear after it; it pages with the look that would have done so."""
    stand = await failing(lambda _: found, controls)
    before = await goes_on(stand, lambda _: found, 3.0)
    stand = await stand.reopened(killed=True)

    assert before is None
    assert at_s == await goes_on(stand, lambda _: found, 30.0, since_s=3.0)


async def test_a_timeout_from_before_a_restart_still_makes_the_doubt_a_mixed_one() -> None:
    """It would page after six seconds if only what came since counted."""
    stand = await failing(lambda _: RESET)
    await goes_on(stand, lambda _: BROKEN, 3.0)
    stand = await stand.reopened(killed=True)

    assert 10.5 == await goes_on(stand, lambda _: BROKEN, 30.0, since_s=3.0)
