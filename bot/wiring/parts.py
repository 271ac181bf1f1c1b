"""What the composition root is built from, and what may replace it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from bot.core.lazy_dataclass import dataclass
from bot.engine.outbox import OutboxTiming
from bot.flags.board import FlagBoard
from bot.ports import Chat, Fetcher, Ledger, Notifier, Prober, Samples, Ticker
from bot.system.clock import Clock
from bot.web.app import WebServer
from bot.web.server.connections import Limits
from bot.web.services import Reload

if TYPE_CHECKING:
    from bot.slack.gateway import GatewayTiming  # loaded later, see `wiring.slack`


class Closeable(Protocol):
    """Something that must be closed."""

    async def close(self) -> None:
        """Release what it holds."""


class StartRefused(Exception):  # noqa: N818 # a decision, with its reason
    """The bot must not run like this; the text contains the remedy."""


@dataclass(frozen=True)
class Handover:
    """What continues while one App of this process replaces another: the board with its readers, and its server."""

    board: FlagBoard
    local_token: str
    server: WebServer


@dataclass(frozen=True)
class Parts:
    """What a caller may substitute; None = the real thing."""

    clock: Clock | None = None  # domain time
    wire_clock: Clock | None = None  # real time: rate limits, settle times, Slack's own limits
    ledger: Ledger | None = None
    samples: Samples | None = None
    chat: Chat | None = None  # if given, no socket is opened
    prober: Prober | None = None
    fetcher: Fetcher | None = None
    ticker: Ticker | None = None
    notifier: Notifier | None = None
    web: bool = True
    web_limits: Limits | None = None
    taken_over: Handover | None = None  # what the previous App in this process keeps serving until this one does
    reload: Reload | None = None  # rereads the configuration; None if nobody could use it
    on_gone: Callable[[], None] | None = None  # called on another thread when the event loop is gone; None = only log it
    pace: OutboxTiming | None = None
    replica: str = ""  # this replica's name; empty = derived from the machine and data folder
    new_identity: bool = False  # whether to take over a ledger of another cluster, or of another app in Slack
    patience: "GatewayTiming | None" = None  # the Slack gateway's own delays
