"""What the parts are made from: the configuration, the clocks, and substitutes from the caller."""

import secrets
from dataclasses import replace
from pathlib import Path

from bot.cluster.name import replica_name
from bot.config.load import Loaded
from bot.flags.board import FlagBoard
from bot.store.home import Home
from bot.system.clock import SteadyClock, SystemClock
from bot.system.redaction import Redactor
from bot.system.version import understudy_version
from bot.web.metrics import Metrics
from bot.wiring.parts import Parts, StartRefused
from bot.wiring.plan import plan


class Setup:
    """The settings of one start, and the few things that most parts share. `given` holds substitutes."""

    def __init__(
        self, loaded: Loaded, data: Path, listen: tuple[str, int] | None, alone: bool, given: Parts, remembers: bool
    ) -> None:
        self.shared = given.ledger.shared if given.ledger else bool(loaded.config.store.get_secret_value())
        self.replica = (given.replica or _name_of(data)) if self.shared and not alone else ""
        self.loaded = loaded = _as_a_vantage(loaded, self.replica)
        self.config = loaded.config
        self.data = data
        self.home = Home(data, loaded.config.store.get_secret_value())
        self.listen = listen or (loaded.config.server.host, loaded.config.server.port)
        self.alone = alone
        self.given = given
        self.remembers = remembers
        self.clock = given.clock or SystemClock()
        self.wall = given.wire_clock or SystemClock()  # the time that others mean
        self.wire = given.wire_clock or SteadyClock(self.wall)
        before = given.taken_over
        self.board = before.board if before else FlagBoard(self.clock)
        self.metrics = Metrics(understudy_version())
        self.local_token = before.local_token if before else secrets.token_urlsafe(32)
        self.began_at = self.clock.now()
        self.plan = plan(loaded)
        self.redactor = Redactor({*loaded.config.secrets(), self.local_token})


def _name_of(data: Path) -> str:
    try:
        return replica_name(data)
    except OSError as error:
        raise StartRefused(f"the data folder {data} cannot be used ({error.strerror}); check --data") from error


def _as_a_vantage(loaded: Loaded, replica: str) -> Loaded:
    """If every replica runs all checks, each is a vantage of its own, unless the configuration names the vantage."""
    config = loaded.config
    if not replica or config.cluster.checks != "all" or "vantage" in config.model_fields_set:
        return loaded
    return replace(loaded, config=config.model_copy(update={"vantage": replica}))
