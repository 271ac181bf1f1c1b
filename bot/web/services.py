"""What the composition root gives to the web layer."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Protocol

from aiohttp import web

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Sample, Verdict
from bot.flags.audience import Audience, audience
from bot.flags.board import FlagBoard
from bot.outcomes.intake import OutcomeIntake
from bot.ports import Admission, Engine, Ledger, Samples
from bot.ports.signed_requests import SlackRequests
from bot.system.clock import Clock
from bot.system.denials import Denials
from bot.system.token_bucket import TokenBucket
from bot.web.health import Health
from bot.web.metrics import Metrics

Exporter = Callable[[int, str], Awaitable[tuple[str, bytes]]]


class Signs(Protocol):
    """Receives reports for heartbeat checks."""

    def admit(self, name: str, token: str, *, open: bool = True) -> Admission:
        """Whether to accept a report for the check with that id or unique short name: at most one a second per check.

        Tokens are compared in constant time; with `open` False, a check without a token accepts no report.
        """

    async def record(self, name: str, kind: str, exit_code: int | None, note: str, run: str = "") -> None:
        """Record one admitted report.

        `kind` is `success`, `start` or `fail`; `exit_code` may accompany the first and the last. `note` is harmless text of at
        most 200 characters. What a `run` of the job reports counts once.
        """


class Intake(Protocol):
    """Receives what other vantages measured."""

    async def first_sight(self, id: str) -> bool:
        """Remember `id`; False if it was seen within the last ten minutes, twice the validity of a signature."""

    async def take_samples(self, samples: Sequence[Sample]) -> None:
        """Add these samples, oldest first; each names a known check and component, and its vantage."""


ALERTS_PER_S = 500  # from one source
ALL_ALERTS_PER_S = 1000
MOST_SOURCES = 1000


class AlertPace:
    """Rate limits for alerts: per source, and for all together, whatever names sources use."""

    def __init__(self) -> None:
        self._all = TokenBucket(ALL_ALERTS_PER_S, ALL_ALERTS_PER_S)
        self._sources: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        """The number of sources remembered."""
        return len(self._sources)

    def take(self, source: str, now: float) -> bool:
        """Let one alert from this source through at this time; False if it comes too fast."""
        bucket = self._sources.pop(source, None) or TokenBucket(ALERTS_PER_S, ALERTS_PER_S)
        self._sources[source] = bucket
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        return bucket.take(now) and self._all.take(now)


@dataclass(frozen=True)
class Hooks:
    """Input from other programs. By default nothing is known, and every caller is told so.

    `peers` maps a vantage label to the secret shared with it (an empty one admits nobody), `checks` a check's id to its
    component.
    """

    signs: Signs | None = None
    intake: Intake | None = None
    peers: Mapping[str, str] = field(default_factory=dict, repr=False)
    checks: Mapping[str, str] = field(default_factory=dict)
    pace: AlertPace = field(default_factory=AlertPace)
    outcomes: OutcomeIntake | None = None


@dataclass(frozen=True)
class ReloadState:
    """The progress of reloads: how many have ended, and why the last one could not be used, if it could not."""

    under_way: bool
    ended: int
    refused: str


class Reload(Protocol):
    """Reloading the configuration of the running bot."""

    async def ask(self, by: Actor) -> tuple[str, ...]:
        """Read and validate it; returns the keys that will differ, none if nothing changed. Raises ReloadRefused."""

    def state(self) -> ReloadState:
        """The progress of reloads."""


class ReloadRefused(Exception):  # noqa: N818 # an answer, with its reasons
    """The configuration cannot be used; nothing was changed. One sentence per error."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True)
class FlagToken:
    """A token that only reads flags, those of its patterns. `name` identifies its readers."""

    name: str
    token: str = field(repr=False)
    flags: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class WebServices:
    """Everything that a request may need. Empty tokens in the lists are ignored.

    `local_token` is the one that the bot writes to its data folder with mode 0600; it allows everything, and if empty,
    nothing. Pages of `browsers`, by origin, may make a browser read flags. With `open_to_loopback`, requests from this machine
    may read. `export` takes an incident's number and `md`, `json` or `csv`, and returns file name and content. `live_verdicts`
    returns current verdicts that are not simply well; `unwritten` those that differ from the ledger because it refuses writes,
    which `ledger_trouble` explains (empty while all is well). `slack` handles Slack's requests in HTTP mode.
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
    flag_tokens: tuple[FlagToken, ...] = field(default=(), repr=False)
    browsers: tuple[str, ...] = ()
    control_tokens: tuple[str, ...] = field(default=(), repr=False)
    outcome_tokens: tuple[str, ...] = field(default=(), repr=False)
    local_token: str = field(default="", repr=False)
    open_to_loopback: bool = False
    hooks: Hooks = field(default_factory=Hooks)
    live_verdicts: Callable[[], Mapping[str, Verdict]] = dict
    unwritten: Callable[[], Mapping[str, Verdict]] = dict
    ledger_trouble: Callable[[], str] = str
    slack: SlackRequests | None = None
    denials: Denials | None = None  # recent refusals
    reload: Reload | None = None

    @cached_property
    def audiences(self) -> tuple[tuple[bytes, Audience], ...]:
        """Each token that reads flags, with what it allows."""
        whole = ((token, audience(token)) for token in self.read_tokens if token)
        some = ((one.token, audience(one.token, one.flags, one.name)) for one in self.flag_tokens if one.token)
        return tuple((token.encode(), opened) for token, opened in (*whole, *some))


SERVICES = web.AppKey("services", WebServices)
