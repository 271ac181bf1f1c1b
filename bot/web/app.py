"""The aiohttp application: all routes with their guards, and the server that runs it."""

import asyncio
import errno
import socket
from functools import partial
from typing import Any

from aiohttp import web

from bot.flags.serving import EVENTS
from bot.ports.signed_requests import REQUEST_PATH
from bot.verbs.incident import VERBS
from bot.web import observe
from bot.web.api import control, entries, reads
from bot.web.board import page
from bot.web.board.history import HISTORY, History
from bot.web.board.trouble import answer_browsers, for_people
from bot.web.flags import browsers, flagd, ofrep, ofrep_events
from bot.web.flags.fast_path import FastPath
from bot.web.hooks import intake, otlp, outcomes, samples, slack
from bot.web.server.auth import Access, guard
from bot.web.server.connections import Connections, Guarded, Limits, in_place
from bot.web.server.errors import Handler, answer_errors
from bot.web.server.origins import refuse_foreign_pages
from bot.web.server.ready import HEADERS
from bot.web.server.server_log import ServerLog
from bot.web.server.unix_socket import LEFT_IN_PLACE, BoundSocket, SocketFile
from bot.web.services import SERVICES, WebServices

LEAVES_WITHIN_S = 5.0  # real seconds; clients that keep connections usually ask once more within this time
SHUTDOWN_S = 5.0  # real seconds for pending requests; Slack and flags have let go of the process long before
OTHER_BODIES = 1024 * 1024  # limit for bodies of handlers without a limit of their own


class WebError(Exception):
    """The server could not start; the sentence says what to do. `permanent`: retrying alone cannot help."""

    def __init__(self, sentence: str, *, permanent: bool) -> None:
        super().__init__(sentence)
        self.permanent = permanent


def build_web(services: WebServices) -> web.Application:
    """The application with every route behind its guard."""
    app = web.Application(middlewares=[answer_errors, answer_browsers, refuse_foreign_pages], client_max_size=OTHER_BODIES)
    app[SERVICES] = services
    app[outcomes.NAMES] = outcomes.KnownNames()
    app[otlp.TURN] = asyncio.Lock()
    streams = app[ofrep_events.STREAMS] = ofrep_events.Streams()
    services.board.tells(streams.tell)
    app.on_cleanup.append(partial(_forget, streams))
    history = app[HISTORY] = History(services.samples)
    app.on_cleanup.append(history.stop)
    app.on_shutdown.append(streams.close)
    app.on_response_prepare.append(_add_headers)
    app.on_response_prepare.append(browsers.let_page_read)
    _add_open(app)
    _add_reads(app)
    _add_controls(app)
    _add_hooks(app)
    return app


class WebServer:
    """Runs the application on a port, and on a Unix socket if configured, with limits on connections."""

    def __init__(self, app: web.Application, limits: Limits | None = None, beside: SocketFile | None = None) -> None:
        self.app = app
        self._limits = limits or Limits()
        self._beside = beside
        self._bound: BoundSocket | None = None
        self._runner: web.AppRunner | None = None
        self._listening: list[asyncio.Server] = []
        self._at = ("", 0)  # as configured
        self._fast_path: FastPath | None = None
        self._leaving: asyncio.Task[None] | None = None
        in_place(app)

    async def start(self, host: str, port: int, instead_of: "WebServer | None" = None) -> int:
        """Listen and return the port, which matters if 0 asked for a free one; raises WebError.

        If another server of this process listens in the same place, both do until that one leaves.
        """
        # No access log: it would contain query strings, and flag clients ask thousands of times a second.
        logger = ServerLog(self.app[SERVICES].clock)
        runner = web.AppRunner(self.app, access_log=None, logger=logger, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        loop, among, server = asyncio.get_running_loop(), Connections(self._limits), runner.server
        assert server is not None  # noqa: S101 # setup() has just created it
        fast_path = self._fast_path = FastPath(self.app[SERVICES], server.request_handler)
        server.request_handler = fast_path

        def connection(by_file: bool) -> Guarded:
            how = {"loop": loop, "access_log": None, "logger": logger, "keepalive_timeout": self._limits.idle_at_most_s}
            return Guarded(among, server, fast_path, by_file=by_file, **how)

        self._runner, backlog, self._at = runner, self._limits.backlog, (host, port)
        try:
            for place in _places(instead_of, host, port):
                self._listening.append(await loop.create_server(lambda: connection(False), **place, backlog=backlog))
            if self._beside is not None:
                bound = self._bound = (instead_of and instead_of._give_file(self._beside)) or _bind(self._beside)
                at = {"sock": bound.socket.dup(), "backlog": backlog, **LEFT_IN_PLACE}
                at_file = await loop.create_unix_server(lambda: connection(True), **at)
                self._listening.append(at_file)
        except OSError as error:
            await self.stop()
            other, good = "server.listen to another port", "server.listen to an address of this machine"
            raise _cannot_listen(error, f"{host}:{port}", other, good) from error
        except WebError:
            await self.stop()
            raise
        return int(self._listening[0].sockets[0].getsockname()[1])

    def serve_flags_alone(self) -> None:
        """From now on, serve only flags, and ask everybody else to come back in a second."""
        if self._fast_path is not None:
            self._fast_path.open = False

    def leave(self) -> None:
        """Accept no more connections; close present ones after their next answer, or after a while."""
        for server in self._listening:
            server.close()
        self._leaving = asyncio.create_task(self._leave(), name="the web server before leaves")

    async def left(self) -> None:
        """Stop waiting for the remaining connections."""
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)
        await self.stop()

    async def stop(self) -> None:
        """Accept no more connections, let pending requests finish within five seconds, and close."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            for server in self._listening:
                server.close()
            if self._bound is not None:
                self._bound.remove()
            await runner.cleanup()

    async def _leave(self) -> None:
        await asyncio.sleep(LEAVES_WITHIN_S)
        await self.stop()

    def _give_file(self, wanted: SocketFile) -> BoundSocket | None:
        """Hand over the socket file, to a server that wants exactly the same one."""
        if self._bound is None or self._beside != wanted:
            return None
        given, self._bound = self._bound, None
        return given


def _places(instead_of: WebServer | None, host: str, port: int) -> list[dict[str, Any]]:
    """Where to listen: on the previous server's sockets, if it listens in the same place."""
    if instead_of is None or instead_of._at != (host, port):
        return [{"host": host, "port": port}]
    return [{"sock": one.dup()} for server in instead_of._listening for one in server.sockets if one.family != socket.AF_UNIX]


async def _forget(streams: ofrep_events.Streams, app: web.Application) -> None:
    app[SERVICES].board.tells_no_more(streams.tell)


def _add_open(app: web.Application) -> None:
    app.router.add_get("/healthz", guard(Access.OPEN, observe.healthz))
    app.router.add_get("/readyz", guard(Access.OPEN, observe.readyz))
    app.router.add_get("/board.css", guard(Access.OPEN, page.style))
    app.router.add_get("/board.js", guard(Access.OPEN, page.script))


def _add_reads(app: web.Application) -> None:
    app.router.add_get("/", for_people(guard(Access.READ, page.board)))
    app.router.add_get("/metrics", guard(Access.READ, observe.metrics))
    for path in ofrep.PATHS:
        app.router.add_post(path, guard(Access.FLAGS, ofrep.evaluate, restored=True))
    for path in (*ofrep.PATHS, EVENTS):
        app.router.add_options(path, guard(Access.OPEN, browsers.before))
    app.router.add_get(flagd.PATH, guard(Access.FLAGS, flagd.flags, restored=True))
    # No HEAD: its answer would never end either.
    app.router.add_get(EVENTS, guard(Access.FLAGS, ofrep_events.events, restored=True), allow_head=False)
    readable: dict[str, Handler] = {
        "/api/v1/status": reads.status,
        "/api/v1/incidents": reads.incidents,
        "/api/v1/incidents/{incident}": reads.incident,
        "/api/v1/incidents/{incident}/timeline": reads.timeline,
        "/api/v1/incidents/{incident}/export": reads.export,
        "/api/v1/flags": reads.flags,
        "/api/v1/flags/{key}/readers": reads.flag_readers,
        "/api/v1/drills": reads.drills,
        "/api/v1/drills/{incident}": reads.drill,
    }
    for path, handler in readable.items():
        app.router.add_get(path, guard(Access.READ, handler, restored=True))


def _add_controls(app: web.Application) -> None:
    writes: dict[str, Handler] = {
        "/api/v1/incidents": control.declare,
        "/api/v1/flags/{key}/plan": control.plan,
        "/api/v1/automation/freeze": control.freeze,
        "/api/v1/automation/thaw": control.thaw,
        "/api/v1/drills": control.start_drill,
        "/api/v1/drills/{incident}/stop": control.stop_drill,
        "/api/v1/incidents/{incident}/correct": entries.correct,
        "/api/v1/incidents/{incident}/hide": entries.hide,
    }
    for verb in VERBS:
        writes[f"/api/v1/incidents/{{incident}}/{verb.name}"] = control.on_incident(verb)
    for name, on_flag in control.FLAG_ACTIONS.items():
        writes[f"/api/v1/flags/{{key}}/{name}"] = control.on_named(reads.the_flag, on_flag)
    app.router.add_get("/api/v1/denied", guard(Access.CONTROL, reads.denied, restored=True))
    for path, handler in writes.items():
        app.router.add_post(path, guard(Access.CONTROL, handler, restored=True))
    app.router.add_post("/api/v1/reload", guard(Access.CONTROL, control.reload))
    app.router.add_get("/api/v1/reload", guard(Access.CONTROL, control.reload_state))
    for method, name, on_component in control.COMPONENT_ACTIONS:
        handler = guard(Access.CONTROL, control.on_named(reads.the_component, on_component), restored=True)
        app.router.add_route(method, f"/api/v1/components/{{component}}/{name}", handler)


def _add_hooks(app: web.Application) -> None:
    """Endpoints for other programs. Open ones do their own checks: a check's token, a peer's or Slack's signature."""
    beat = guard(Access.OPEN, intake.heartbeat)
    for path in (intake.HEARTBEAT, f"{intake.HEARTBEAT}/{{what}}"):
        app.router.add_get(path, beat)  # also HEAD
        app.router.add_post(path, beat)
    app.router.add_get(outcomes.OUTCOMES, guard(Access.READ, outcomes.recent_outcomes, restored=True))
    app.router.add_post(outcomes.OUTCOMES, guard(Access.OUTCOMES, outcomes.outcomes, restored=True))
    app.router.add_post(otlp.METRICS, guard(Access.OUTCOMES, otlp.metrics, restored=True))
    app.router.add_post(otlp.TRACES, guard(Access.OUTCOMES, otlp.traces, restored=True))
    app.router.add_post(samples.SAMPLES, guard(Access.OPEN, samples.samples, restored=True))
    app.router.add_post(intake.ALERT, guard(Access.CONTROL, intake.alert, restored=True))
    if app[SERVICES].slack is not None:
        app.router.add_post(REQUEST_PATH, guard(Access.OPEN, slack.slack))


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _bind(file: SocketFile) -> BoundSocket:
    try:
        return BoundSocket(file)
    except OSError as error:
        other, good = "server.socket to another path", "server.socket to a free path in a folder that the bot may write"
        raise _cannot_listen(error, str(file.path), other, good) from error


def _cannot_listen(error: OSError, where: str, other: str, good: str) -> WebError:
    if error.errno == errno.EADDRINUSE:
        return WebError(f"Cannot listen on {where}: another program already does. Stop it, or set {other}.", permanent=False)
    return WebError(f"Cannot listen on {where}: {error.strerror or error}. Set {good}.", permanent=True)
