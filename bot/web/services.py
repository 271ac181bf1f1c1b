"""What the web faces are given by the composition root."""

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
    """Takes signs of life for heartbeat checks."""

    def admit(self, name: str, token: str, *, open: bool = True) -> Admission:
        """Whether one sign may be taken for the check of that id or unique short name: at most one a second for each check.

        A token is compared in constant time; with `open` False a check that has none takes no sign.
        """

    async def sign(self, name: str, kind: str, exit_code: int | None, note: str) -> None:
        """Take one sign that was admitted.

        `kind` is `success`, `start` or `fail`; `exit_code` stands with the first and the last where the sender told it.
        `note` is inert text of at most 200 characters.
        """


class Intake(Protocol):
    """Takes what other vantages measured."""

    async def first_sight(self, id: str) -> bool:
        """Remember `id`; False when it was seen within the last ten minutes, which is twice as long as a signature is good."""

    async def take_samples(self, samples: Sequence[Sample]) -> None:
        """Let these samples join in, oldest first; each names a known check and component, and its vantage."""


ALERTS_PER_S = 500  # of one source
ALL_ALERTS_PER_S = 1000
MOST_SOURCES = 1000


class AlertPace:
    """How fast alerts may come: each source at its own pace, and all of them, whatever names they give themselves."""

    def __init__(self) -> None:
        self._all = TokenBucket(ALL_ALERTS_PER_S, ALL_ALERTS_PER_S)
        self._sources: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        """How many sources are remembered."""
        return len(self._sources)

    def take(self, source: str, now: float) -> bool:
        """Let one alert of this source through at this steady moment; False when it comes too fast."""
        bucket = self._sources.pop(source, None) or TokenBucket(ALERTS_PER_S, ALERTS_PER_S)
        self._sources[source] = bucket
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        return bucket.take(now) and self._all.take(now)


@dataclass(frozen=True)
class Hooks:
    """What comes in from programs that are not ours. With nothing given, nothing is known: every call is told so.

    `peers` maps a vantage label to the secret shared with it (an empty one lets nobody in), `checks` the id of a check to its
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
    """How taking over went so far: how many came to an end, and why the last one could not be run with, if it could not."""

    under_way: bool
    ended: int
    refused: str


class Reload(Protocol):
    """Another configuration for the bot that runs."""

    async def ask(self, by: Actor) -> tuple[str, ...]:
        """Read it and check it; the keys that will differ, none where nothing changed. Raises ReloadRefused."""

    def state(self) -> ReloadState:
        """How taking over goes."""


class ReloadRefused(Exception):  # noqa: N818 # an answer, with its reasons
    """The configuration cannot be taken over; nothing was changed. One sentence for each thing that is wrong."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True)
class FlagToken:
    """A token that reads flags and nothing else: those of its patterns. `name` is what its readers are known by."""

    name: str
    token: str = field(repr=False)
    flags: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class WebServices:
    """Everything that a request may need. Empty tokens in the lists are ignored.

    `local_token` is the one that the bot writes into its data folder with mode 0600; it may do everything, and an empty one
    opens nothing. Pages of `browsers`, by origin, may make a browser read flags. With `open_to_loopback` whoever asks from this
    very machine may read. `export` takes an incident's number and `md`, `json` or `csv` and returns file name and content.
    `sees` gives what the checks come to at this moment, wherever that is not plainly well; `unwritten` those of them that the
    ledger holds otherwise since it takes nothing, which `ledger_trouble` says in words (empty while all is well). `slack` takes
    Slack's requests where it is reached over HTTP.
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
    sees: Callable[[], Mapping[str, Verdict]] = dict
    unwritten: Callable[[], Mapping[str, Verdict]] = dict
    ledger_trouble: Callable[[], str] = str
    slack: SlackRequests | None = None
    denials: Denials | None = None  # who was refused what
    reload: Reload | None = None

    @cached_property
    def audiences(self) -> tuple[tuple[bytes, Audience], ...]:
        """Each token that reads flags, with what it opens."""
        whole = ((token, audience(token)) for token in self.read_tokens if token)
        some = ((one.token, audience(one.token, one.flags, one.name)) for one in self.flag_tokens if one.token)
        return tuple((token.encode(), opened) for token, opened in (*whole, *some))


SERVICES = web.AppKey("services", WebServices)
