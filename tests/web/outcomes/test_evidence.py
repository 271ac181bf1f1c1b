"""What services tell reaches the verdict and the hand-back, read from the disk."""

from collections.abc import Mapping
from datetime import timedelta

import aiohttp
from web_house import OUTCOME, House, headers

from bot.core.detection.verdict import SourceReport
from bot.core.model import Actor, Level
from bot.core.record.flag_facts import HandBackStopped
from bot.core.signals import EngageFlag, StepBack
from bot.outcomes.evidence import TrafficEvidence

FLAG = "support-chat.llm"
ANA = Actor.operator("ana")


class Ear:
    """Hears what is said, and nothing of what was said before."""

    def __init__(self, house: House) -> None:
        self.heard: Mapping[str, SourceReport] = {}
        self.evidence = TrafficEvidence(
            house.engine, house.samples.outcomes, house.clock, down_share=2 / 3, tell=self.listen
        )  # fmt: skip

    async def listen(self, said: Mapping[str, SourceReport]) -> None:
        self.heard = said


async def tell(http: aiohttp.ClientSession, house: House, ok: int, failed: int, variant: str = "claude") -> None:
    counts = [(good, count) for good, count in ((True, ok), (False, failed)) if count]
    told = [{"service": "chat", "flag": FLAG, "variant": variant, "ok": good, "count": count} for good, count in counts]
    answer = await http.post(f"{house.url}/api/v1/outcomes", headers=headers(OUTCOME), json={"outcomes": told})
    assert answer.status == 200
    await house.outcomes.flush()


async def test_failing_requests_are_heard_of_their_component(house: House, http: aiohttp.ClientSession) -> None:
    """By a process that was not there when they failed, too."""
    await tell(http, house, 20, 80)
    ear = Ear(house)
    await ear.evidence.look()

    assert {"anthropic.api": Level.DOWN} == {id: one.level for id, one in ear.heard.items()}


async def test_nothing_is_said_once_they_are_served_again(house: House, http: aiohttp.ClientSession) -> None:
    """Ten minutes later."""
    await tell(http, house, 20, 80)
    ear = Ear(house)
    await ear.evidence.look()
    house.clock.advance(timedelta(minutes=10))
    await tell(http, house, 100, 0)
    await ear.evidence.look()

    assert {} == ear.heard


async def test_a_hand_back_that_hurts_is_stopped(house: House, http: aiohttp.ClientSession) -> None:
    """What failed on the default before the step does not count against it."""
    await tell(http, house, 0, 500)
    await house.engine.handle(EngageFlag(ANA, flag=FLAG, reason="claude fails", variant="gpt"))
    house.clock.advance(timedelta(minutes=1))
    await house.engine.handle(StepBack(ANA, flag=FLAG))
    evidence = Ear(house).evidence
    house.clock.advance(timedelta(minutes=1))
    await tell(http, house, 100, 0)
    await evidence.look()
    before = [fact.body for fact in house.engine.facts if isinstance(fact.body, HandBackStopped)]
    await tell(http, house, 0, 50)
    house.clock.advance(timedelta(minutes=1))
    await evidence.look()
    [stopped] = [fact.body for fact in house.engine.facts if isinstance(fact.body, HandBackStopped)]

    assert ([], 150, 50, 0) == (before, stopped.requests, stopped.failed, stopped.share)
