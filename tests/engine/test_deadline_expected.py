"""The metronome knows the ledger's next deadline, so that it is met to the moment."""

from datetime import datetime, timedelta
from pathlib import Path

from bot.app import build
from bot.config.load import load
from bot.core import signals as s
from bot.core.decide.due import next_due
from bot.core.model import Actor
from bot.sandbox.chat import FakeChat
from bot.sandbox.world import EPOCH
from bot.system.clock import ManualClock
from bot.wiring.parts import Parts
from tests.house import HandTicker

REAL = EPOCH + timedelta(days=1)
CONFIG = """
slack: {bot_token: xoxb-test, app_token: xapp-test}
server: {listen: "127.0.0.1:0", open_to_loopback: true}
control_group: []
providers: {anthropic: {components: {api: {name: Claude API}}}}
"""


class Told(HandTicker):
    """Records the moments that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[datetime | None] = []

    def expect(self, at: datetime | None) -> None:
        self.expected.append(at)


class Fast(ManualClock):
    """Domain time that runs ten times as fast as real time."""

    speed = 10.0


async def test_metronome_knows_the_next_deadline(tmp_path: Path) -> None:
    """In real time, although domain time runs faster in a demo; it is told once, not with every beat."""
    path, ticker, clock = tmp_path / "understudy.yaml", Told(), Fast(EPOCH)
    path.write_text(CONFIG, encoding="utf-8")
    chat = FakeChat(clock)
    chat.add_channel("ops")
    parts = Parts(clock=clock, wire_clock=ManualClock(REAL), chat=chat, ticker=ticker, web=False)
    app = build(load(path, {}), data=tmp_path / "data", parts=parts)
    await app.start()
    await ticker.beat()
    await app.engine.handle(s.Declare(actor=Actor.person("U1", "ana"), title="Something"))
    await ticker.beat()
    await ticker.beat()
    due = next_due(app.engine.world, app.engine.policy)
    await app.stop()

    assert due is not None
    assert [REAL + (due - EPOCH) / 10] == ticker.expected
