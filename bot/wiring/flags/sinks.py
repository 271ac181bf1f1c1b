"""The configured sinks, and who writes to them."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.config.models import Config
from bot.config.sinks.models import EnvoyRdsSink, FlagdFileSink, SinkBase, UnleashSink, WebhookSink
from bot.core.decide.feeding import left_behind
from bot.delivery.sinks import SinkKey, Sinks
from bot.flags.sinks.envoy_rds import EnvoyRds
from bot.flags.sinks.flagd_file import FlagdFile
from bot.flags.sinks.unleash import Unleash
from bot.flags.sinks.web import SinkClient
from bot.flags.sinks.webhook import Webhook
from bot.ports import Performers
from bot.ports.sinks import Sink
from bot.system.version import understudy_version
from bot.views.flags.sinks import left_sentence, trouble_sentences
from bot.views.text import capital
from bot.web.health import Part
from bot.wiring.part import AppPart
from bot.wiring.setup import Setup
from bot.wiring.store import Store
from bot.wiring.watching import Probes


def over_http(config: Config) -> bool:
    """Whether any sink is reached over HTTP."""
    return any(one.over_http for flag in config.flags.values() for one in flag.sinks)


def sinks_of(config: Config, client: SinkClient | None, now: Callable[[], datetime]) -> dict[SinkKey, Sink]:
    """Every sink, by flag and its own id; without a client, those over HTTP raise ValueError."""
    return {(key, one.id): _made(one, client, now) for key, flag in config.flags.items() for one in flag.sinks}


def _made(one: SinkBase, client: SinkClient | None, now: Callable[[], datetime]) -> Sink:
    if client is None and one.over_http:
        raise ValueError(f"{one.id} is asked over HTTP, and there is no client")
    match one:
        case WebhookSink() if client:
            return Webhook(client, one.url.get_secret_value(), one.secret.get_secret_value(), now)
        case FlagdFileSink():
            return FlagdFile(one.path)
        case EnvoyRdsSink():
            return EnvoyRds(one.path, one.route, one.clusters, client, one.admin or "")
        case UnleashSink() if client:
            token = one.token.get_secret_value()
            return Unleash(client, one.url, one.project, one.environment, one.feature, token, one.on)
    raise TypeError(f"{type(one).__name__} has no sink")


class SinkRoom(AppPart):
    """Writes to sinks, and reports those that are out of date."""

    def __init__(self, setup: Setup, store: Store, probes: Probes) -> None:
        super().__init__()
        self._setup = setup
        self._store = store
        self._probes = probes
        self.sinks: Sinks | None = None

    async def start(self) -> None:
        """Prepare, and start checking sinks."""
        setup, store = self._setup, self._store
        client = SinkClient(self._probes.now().transport(), version=understudy_version()) if over_http(setup.config) else None
        if client:
            self._ends(client.close)
        sinks = Sinks(
            sinks_of(setup.config, client, setup.wall.now),
            setup.board,
            store.engine,
            store.ledger,
            setup.clock,
            setup.metrics.observe_sink,
            acts=store.leads,
        )
        self.sinks = sinks
        self._ends(sinks.close)
        sinks.start()

    def performers(self) -> Performers:
        """The performers, once started."""
        return self.sinks.performers() if self.sinks else {}

    def health(self) -> Mapping[str, Part]:
        """Only sinks that are out of date; they never make the bot unready."""
        said = self._troubles()
        return {"sinks": Part(False, "behind", None, said)} if said else {}

    def trouble(self) -> str:
        """The same as `health`, for people."""
        return self._troubles()

    def _troubles(self) -> str:
        if self.sinks is None:
            return ""
        world, policy = self._store.engine.world, self._store.engine.policy
        found = [*trouble_sentences(world, policy), *(left_sentence(state) for state in left_behind(world, policy))]
        return " ".join(f"{capital(sentence)}." for sentence in found)
