"""A bot whose alert Slack refused for good goes on notifying people until an address accepts it; in virtual time."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

from bot.app import build
from bot.core import signals as s
from bot.ports import NotifyResult
from bot.sandbox.chat import FakeChat
from bot.sandbox.world import LoopClock, LoopTicker
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.wiring.parts import Parts
from tests.desk import ANA
from tests.engine.test_bad_days import in_virtual_time
from tests.simulation.stage import settings
from tests.simulation.weather import ScriptedPage, ScriptedProber, Weather

TITLE = "Chat is slow"
SEVERAL_MINUTES_S = 600.0
NEVER_S = 1e6  # between two beats: no check is needed


class Notifier:
    """Fails while `away`; records the titles that it got."""

    def __init__(self) -> None:
        self.away = True
        self.got: list[str] = []

    async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
        self.got.append(title)
        return NotifyResult((), ("no answer",)) if self.away else NotifyResult(tuple(named))


def test_refused_alert_reaches_an_address_once_one_accepts_it(tmp_path: Path) -> None:
    """The outbox gave the alert up, so nothing else would send it again."""

    async def scene() -> tuple[int, int, int]:
        clock, notifier, dice = LoopClock(asyncio.get_running_loop()), Notifier(), random.Random(1)
        chat = FakeChat(clock)
        ops = chat.add_channel("ops")
        weather = Weather(dice, 24.0, tuple(settings().config.components()))
        parts = Parts(
            clock=clock, wire_clock=clock, ledger=InlineLedger.open(), samples=InlineSamples.open(), chat=chat,
            prober=ScriptedProber(weather, clock, dice), fetcher=ScriptedPage(weather, clock, dice, {}),
            ticker=LoopTicker(NEVER_S), notifier=notifier,
        )  # fmt: skip
        app = build(settings(), data=tmp_path, listen=("127.0.0.1", 0), parts=parts)
        await app.start()
        chat.channels[ops].is_archived = True
        await app.engine.handle(s.Declare(actor=ANA, title=TITLE))

        async def alerts() -> int:
            await asyncio.sleep(SEVERAL_MINUTES_S)
            return sum(TITLE in title for title in notifier.got)

        in_vain = await alerts()
        notifier.away = False
        accepted, later = await alerts(), await alerts()
        await app.stop()
        return in_vain, accepted - in_vain, later - accepted

    in_vain, accepted, later = in_virtual_time(scene)
    assert (True, 1, 0) == (in_vain > 1, accepted, later)
