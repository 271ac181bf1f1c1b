"""`understudy run`: the bot itself."""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import click
import structlog
import uvloop

from bot.app import App, build
from bot.cli.options import CONFIG_EXIT, config_option, data_option, fail, load_or_exit, shared
from bot.cli.running.taking_over import Reloading
from bot.cli.shutdown import Shutdown, leave
from bot.config.load import Loaded
from bot.config.scalars import split_listen
from bot.doctor.rights import who_may
from bot.ledger_care.audit import missing_words
from bot.ledger_care.setting_aside import set_aside
from bot.store.errors import StoreError
from bot.store.home import Home
from bot.system.clock import SystemClock
from bot.system.descriptors import complaint, raise_limit
from bot.system.garbage import GARBAGE
from bot.system.logs import configure_logs
from bot.system.supervisor import Supervisor
from bot.web.app import WebError
from bot.wiring.parts import Parts, StartRefused

log = structlog.get_logger(__name__)

NOT_SHARED = (
    "UNDERSTUDY_STORE is set, but {config} has no `store`: this would be a bot of its own, with a ledger of its own. "
    "Write `store: ${{UNDERSTUDY_STORE:-}}` into it"
)
SWITCH_S = 0.001  # with Python's 5 ms, reading a flag could take 20 ms while a thread renders an export
WARM_S = 35.0  # by then every check with the usual interval has run once


@click.command()
@shared(config_option, data_option)
@click.option(
    "--listen", default=None, metavar="HOST:PORT", help="Where to serve HTTP, instead of the configuration's address."
)
@click.option("--log-level", type=click.Choice(("DEBUG", "INFO", "WARNING", "ERROR")), default="INFO", show_default=True)
@click.option("--new-ledger", is_flag=True, help="Move the ledger aside and begin a new one; all flags are on their defaults.")
@click.option(
    "--set-aside",
    "streams",
    multiple=True,
    metavar="STREAM",
    help="Move a STREAM that was changed by hand out of the ledger into a file, and keep the rest; may be repeated.",
)
@click.option("--accept-missing", is_flag=True, help="Go on without facts that were deleted from the ledger by hand.")
@click.option(
    "--new-identity", is_flag=True, help="Take over a database that belongs to another cluster, or another Slack app."
)
def run(
    config_path: Path, data_path: Path | None, listen: str | None, log_level: str, new_ledger: bool,
    streams: tuple[str, ...], accept_missing: bool, new_identity: bool,
) -> None:  # fmt: skip
    """Watch, serve flags, and run incidents in Slack. Ends cleanly on SIGTERM and SIGINT."""
    tune_interpreter()
    loaded = load_or_exit(config_path)
    configure_logs(loaded.config.secrets(), level=log_level)
    if os.environ.get("UNDERSTUDY_STORE") and not loaded.config.store.get_secret_value():
        fail(NOT_SHARED.format(config=config_path), CONFIG_EXIT)
    where = None
    if listen is not None:
        try:
            where = split_listen(listen)
        except ValueError as error:
            fail(f"--listen {listen}: {error}", CONFIG_EXIT)
    allowed = raise_limit()
    for line in filter(None, [*notes(config_path, loaded), complaint(allowed, len(loaded.config.checks()))]):
        log.warning(line)
    home = Home(data_path or loaded.config.data, loaded.config.store.get_secret_value())
    try:
        if new_ledger:
            asyncio.run(create_new_ledger(home))
        if streams:
            asyncio.run(put_aside(home, streams))
        if accept_missing:
            asyncio.run(go_on_without(home))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            again = Reloading(
                config_path,
                loaded,
                partial(build, data=data_path, listen=where),
                Parts(on_gone=leave, new_identity=new_identity),
                log_level,
            )
            runner.run(serve(again.first(), again))
    except StartRefused as refusal:
        fail(str(refusal), CONFIG_EXIT)
    except (StoreError, WebError) as error:
        fail(str(error))


def tune_interpreter() -> None:
    """Make the interpreter interrupt the event loop as briefly and rarely as possible."""
    sys.setswitchinterval(SWITCH_S)
    GARBAGE.collect_rarely()


async def create_new_ledger(home: Home) -> None:
    """Create a new ledger; the existing one is renamed beside it."""
    ledger = await home.open(new_ledger=True)
    await ledger.close()
    log.warning("a new ledger was created: all flags are on their defaults", folder=str(home.folder))


async def put_aside(home: Home, streams: tuple[str, ...]) -> None:
    """Remove what was changed by hand from the ledger, and save it in a file beside it."""
    ledger = await home.open()
    try:
        for sentence in await set_aside(ledger, home.folder, streams, SystemClock().now()):
            log.error("part of the ledger was set aside", what=sentence)
    finally:
        await ledger.close()


async def go_on_without(home: Home) -> None:
    """Accept a ledger from which facts were deleted: they are gone for good."""
    ledger = await home.open()
    try:
        if gone := await missing_words(ledger):
            await ledger.write(lambda store: store.accept_missing())
            log.error("the ledger is used without facts that were deleted from it", what=gone)
    finally:
        await ledger.close()


def notes(config_path: Path, loaded: Loaded) -> list[str]:
    """What an operator should know at start: warnings, checks that are off, what is not available yet."""
    off = [f"{item.component}.{item.check} is off: {item.reason}" for item in loaded.off_checks]
    pending = [f"not available yet: {config_path}:{item.line}: {item.path}: {item.what}" for item in loaded.pending]
    everybody = [words for _, words in who_may(loaded.config.people)]
    chosen = loaded.config.control_group
    blind = [] if chosen or not loaded.config.checks() else [loaded.config.control_words()]
    return [*loaded.warnings, *off, *pending, *everybody, *blind]


async def serve(app: App, again: Reloading | None = None) -> None:
    """Start, wait for a signal to end, stop. Meanwhile the configuration may be reloaded as often as `again` asks."""
    ending = Shutdown()
    ending.listen()
    loop = asyncio.get_running_loop()
    supervisor = Supervisor(os.environ)
    beating = asyncio.create_task(supervisor.beat(), name="signs of life")
    try:
        if await _started(app, ending.asked):
            log.info("ready", url=app.url, components=len(app.engine.policy.components), flags=len(app.engine.policy.flags))
            supervisor.ready()
            GARBAGE.leave_out()
            loop.call_later(WARM_S, GARBAGE.leave_out)
            while again and await again.wanted(ending.asked):
                supervisor.reloading()
                app = await again.take_over(app)
                supervisor.ready()
                GARBAGE.look_through_everything()  # the previous bot is gone
                loop.call_later(WARM_S, GARBAGE.leave_out)
            await ending.asked.wait()
        log.info("shutting down")
        supervisor.ending()
    finally:
        await app.stop()
        beating.cancel()
        ending.over()


async def _started(app: App, ended: asyncio.Event) -> bool:
    """Start; False if the end was requested meanwhile, since a Slack that hangs may delay a start for many seconds."""
    starting = asyncio.create_task(app.start(), name="start")
    asked = asyncio.create_task(ended.wait(), name="end asked for")
    try:
        await asyncio.wait((starting, asked), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            return False
        await starting
        return True
    finally:
        starting.cancel()
        asked.cancel()
        await asyncio.gather(starting, asked, return_exceptions=True)
