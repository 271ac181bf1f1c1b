"""What the parts are made from: the configuration, the clocks, and what a caller puts in the place of the real thing."""

import secrets
from pathlib import Path

from bot.config.load import Loaded
from bot.flags.board import FlagBoard
from bot.store.home import Home
from bot.system.clock import SteadyClock, SystemClock
from bot.system.redaction import Redactor
from bot.system.version import understudy_version
from bot.web.metrics import Metrics
from bot.wiring.parts import Parts
from bot.wiring.plan import plan


class Setup:
    """One start's settings, and the few things that most parts share. `given` holds what replaces the real thing."""

    def __init__(
        self, loaded: Loaded, data: Path, listen: tuple[str, int] | None, alone: bool, given: Parts, remembers: bool
    ) -> None:
        self.loaded = loaded
        self.config = loaded.config
        self.data = data
        self.home = Home(data, loaded.config.store.get_secret_value())
        self.listen = listen or (loaded.config.server.host, loaded.config.server.port)
        self.alone = alone
        self.given = given
        self.remembers = remembers
        self.clock = given.clock or SystemClock()
        self.wall = given.wire_clock or SystemClock()  # what others mean when they say what time it is
        self.wire = given.wire_clock or SteadyClock(self.wall)
        before = given.taken_over
        self.board = before.board if before else FlagBoard(self.clock)
        self.metrics = Metrics(understudy_version())
        self.local_token = before.local_token if before else secrets.token_urlsafe(32)
        self.began_at = self.clock.now()
        self.plan = plan(loaded)
        self.redactor = Redactor({*loaded.config.secrets(), self.local_token})
