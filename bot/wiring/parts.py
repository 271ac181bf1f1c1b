"""What the composition root is built of, and may be given instead."""

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
    from bot.slack.gateway import Patience  # loaded behind the start, see `wiring.slack`


class Closes(Protocol):
    """Whatever holds something that must be given back."""

    async def close(self) -> None:
        """Give it back."""


class StartRefused(Exception):  # noqa: N818 # a decision, with its reason
    """The bot must not run like this; the text holds the remedy."""


@dataclass(frozen=True)
class Handover:
    """What goes on while one App of this process takes the place of another: the board with its readers, and who serves it."""

    board: FlagBoard
    local_token: str
    server: WebServer


@dataclass(frozen=True)
class Parts:
    """What a caller may put in the place of the real thing; None takes the real one."""

    clock: Clock | None = None  # domain time
    wire_clock: Clock | None = None  # real time: pacing, settle times, Slack's own times
    ledger: Ledger | None = None
    samples: Samples | None = None
    chat: Chat | None = None  # with a chat given, no socket is opened
    prober: Prober | None = None
    fetcher: Fetcher | None = None
    ticker: Ticker | None = None
    notifier: Notifier | None = None
    web: bool = True
    web_limits: Limits | None = None
    taken_over: Handover | None = None  # what an App before this one in the same process goes on serving until this one does
    reload: Reload | None = None  # reads the configuration again; None where nobody could take it over
    on_gone: Callable[[], None] | None = None  # called in another thread when the event loop is gone; None only says so
    pace: OutboxTiming | None = None
    replica: str = ""  # what this one is called among the replicas of its ledger; empty = after the machine and its data folder
    new_identity: bool = False  # whether a shared ledger of another cluster's, or of another app's in Slack, is taken over
    patience: "Patience | None" = None  # the Slack gateway's own times
