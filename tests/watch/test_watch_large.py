"""Components with hundreds of checks: each is weighed once a beat, and none at the cost of the others."""

import asyncio
from typing import cast

from bot.core.detection.verdict import Heard
from bot.core.model import Level
from tests.engine.stand import TURNS, Check, Stand

FIRST, SECOND = "vendor-a.api", "vendor-b.api"  # in the order in which they are weighed
MANY = 201


def checks_of(component: str) -> list[Check]:
    return [Check(f"{component}.k{n}") for n in range(MANY)]


class Reports(dict[str, Heard]):
    """What requests of customers say; notes each component that is weighed, since whoever weighs it asks for that."""

    def __init__(self, events: list[str]) -> None:
        super().__init__(dict.fromkeys((FIRST, SECOND), Heard("traffic", Level.OPERATIONAL, "", Stand([]).clock.now())))
        self.events = events

    def get(self, component: str, default: object = None) -> Heard | None:  # type: ignore[override] # as it is called
        self.events.append(component)
        return super().get(component)


async def test_one_that_cannot_be_weighed_does_not_silence_the_next() -> None:
    """A mistake of ours in the first: what customers meet with the second is told all the same."""
    stand = await Stand([*checks_of(FIRST), *checks_of(SECOND)]).opened()
    failing = Heard("traffic", Level.DEGRADED, "38 % of requests fail", stand.clock.now())
    await stand.watch.hear_traffic({FIRST: cast(Heard, "what nobody can weigh"), SECOND: failing})
    await stand.passes(2)

    assert "degraded" == stand.level(SECOND)


async def test_others_have_their_turn_between_two_large_components() -> None:
    """Each takes milliseconds to weigh: an answer to a person does not wait for all of them."""
    stand = await Stand([*checks_of(FIRST), *checks_of(SECOND)]).opened()
    events: list[str] = []
    await stand.watch.hear_traffic(Reports(events))
    stand.watch.beat()
    for _ in range(TURNS):
        events.append("somebody else")
        await asyncio.sleep(0)

    assert "somebody else" in events[events.index(FIRST) : events.index(SECOND)]
