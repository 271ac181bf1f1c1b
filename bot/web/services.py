"""What the web faces are given by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.clock import Clock
from bot.flags.board import FlagBoard
from bot.ports import Engine, Ledger, Samples
from bot.web.health import Health
from bot.web.metrics import Metrics

Exporter = Callable[[int, str], Awaitable[tuple[str, bytes]]]


@dataclass(frozen=True)
class WebServices:
    """Everything that a request may need. Empty tokens in the lists are ignored.

    `local_token` is the one that the bot writes into its data folder with mode 0600; it may do everything, and an empty one
    opens nothing. `export` takes an incident's number and `md`, `json` or `csv` and returns file name and content.
    """

    engine: Engine
    board: FlagBoard
    clock: Clock
    ledger: Ledger
    samples: Samples
    health: Callable[[], Health]
    export: Exporter
    metrics: Metrics
    read_tokens: tuple[str, ...] = field(default=(), repr=False)
    control_tokens: tuple[str, ...] = field(default=(), repr=False)
    local_token: str = field(default="", repr=False)


SERVICES = web.AppKey("services", WebServices)
