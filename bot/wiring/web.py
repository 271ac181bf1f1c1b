"""The web server: flags, API, board, metrics and hooks, and the file that tells terminal commands where it listens."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.core.model import Sample, Verdict
from bot.exports import rendered
from bot.ports import Engine
from bot.ports.signed_requests import SlackRequests
from bot.system.garbage import GARBAGE
from bot.system.private_files import CONTROL_FILE, leave_control
from bot.web.app import WebServer, build_web
from bot.web.health import Health
from bot.web.server.connections import limits_for
from bot.web.server.unix_socket import socket_file
from bot.web.services import FlagToken, Hooks, WebServices
from bot.wiring.hooks import doors
from bot.wiring.outcomes import OutcomeRoom
from bot.wiring.part import AppPart
from bot.wiring.parts import Handover
from bot.wiring.setup import Setup
from bot.wiring.store import Store
from bot.wiring.watching import Probes

NO_LINK = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "")  # noqa: S104 # compared, not bound


class Web(AppPart):
    """Serves once the state is restored. `take` gets what other programs send for the watch.

    `pass_on` sends other replicas what they need of that, and `take_told` gets what they sent."""

    def __init__(
        self, setup: Setup, store: Store, probes: Probes, *, health: Callable[[], Health],
        live_verdicts: Callable[[], Mapping[str, Verdict]], take: Callable[[Sequence[Sample]], Awaitable[None]],
        pass_on: Callable[[Sequence[Sample]], None], take_told: Callable[[Sequence[Sample]], Awaitable[None]],
        slack: Callable[[], SlackRequests | None], engine: Callable[[], Engine], outcomes: OutcomeRoom,
    ) -> None:  # fmt: skip
        super().__init__()
        self._setup = setup
        self._store = store
        self._probes = probes
        self._health = health
        self._live_verdicts = live_verdicts
        self._take = take
        self._pass_on = pass_on
        self._take_told = take_told
        self._slack = slack
        self._engine = engine
        self._outcomes = outcomes
        self._server: WebServer | None = None
        self._handed_over = False
        self.url = ""

    async def start(self) -> None:
        """Listen, then write the control file. Raises WebError."""
        setup = self._setup
        limits = setup.given.web_limits or limits_for(len(setup.plan.checks))
        beside = None if setup.alone else socket_file(setup.config.server.socket, setup.config.server.socket_access)
        server = self._server = WebServer(build_web(self._services()), limits, beside)
        self._ends(self._stop)
        host, wanted = setup.listen
        before = setup.given.taken_over
        port = await server.start(host, wanted, before.server if before else None)
        name = "127.0.0.1" if host in ("0.0.0.0", "") else "[::1]" if host == "::" else host  # noqa: S104 # compared, not bound
        self.url = f"http://{name}:{port}"
        if before:
            self._ends(before.server.left)
            before.server.leave()
        if not setup.alone:
            await self._store.watch.when_writable(self._leave_control)

    def hand_over(self) -> Handover:
        """Keep serving flags during and after `stop()`, until another App's server listens in the same place."""
        assert self._server is not None, "nothing serves yet"  # noqa: S101 # only a running bot calls this
        self._handed_over = True
        self._server.serve_flags_alone()
        return Handover(self._setup.board, self._setup.local_token, self._server)

    def board_url(self) -> str:
        """The board's address for people, if they can reach it: a loopback address is useless in a channel."""
        if public := self._setup.config.server.public_url:
            return public
        return "" if self._setup.listen[0] in NO_LINK else self.url

    def _services(self) -> WebServices:
        setup, store, server = self._setup, self._store, self._setup.config.server
        return WebServices(
            engine=self._engine(), board=setup.board, clock=setup.clock, ledger=store.ledger, samples=store.samples,
            health=self._health, export=self._export, metrics=setup.metrics, live_verdicts=self._live_verdicts,
            unwritten=store.watch.unwritten, ledger_trouble=store.watch.trouble,
            read_tokens=tuple(token.get_secret_value() for token in server.read_tokens),
            flag_tokens=tuple(FlagToken(one.name, one.token.get_secret_value(), one.flags) for one in server.flag_tokens),
            browsers=server.browsers,
            control_tokens=tuple(token.get_secret_value() for token in server.control_tokens),
            outcome_tokens=tuple(token.get_secret_value() for token in server.outcome_tokens),
            local_token=setup.local_token, open_to_loopback=server.open_to_loopback, hooks=self._hooks(),
            slack=None if setup.alone else self._slack(), denials=store.denials, reload=setup.given.reload,
        )  # fmt: skip

    def _hooks(self) -> Hooks:
        setup, probing = self._setup, self._probes.probing
        if probing is None:
            return Hooks()
        return doors(
            setup.config, setup.plan.checks, probing.heartbeats, self._store.ledger, setup.clock, self._take,
            self._outcomes.intake, member=self._store.member, pass_on=self._pass_on,
            take_told=self._take_told, redact=setup.redactor.text,
        )  # fmt: skip

    async def _export(self, number: int, format: str) -> tuple[str, bytes]:
        engine = self._store.engine
        with GARBAGE.paused():
            facts = await self._store.ledger.read(lambda store: store.facts_about(number))
            incident = (await engine.world_with([number])).incidents[number]
            return await rendered(format, incident, facts, engine.policy, self._setup.redactor)

    async def _leave_control(self) -> None:
        leave_control(self._setup.data, self.url, self._setup.local_token)

    async def _stop(self) -> None:
        if not self._handed_over and self._server is not None:
            (self._setup.data / CONTROL_FILE).unlink(missing_ok=True)
            await self._server.stop()
