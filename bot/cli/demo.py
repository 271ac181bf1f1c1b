"""`understudy demo`: try everything without Slack, keys or network."""

import asyncio
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click
import uvloop

from bot.cli.options import CONFIG_EXIT, fail
from bot.config.scalars import split_listen
from bot.demo.process import ReplicaError
from bot.ports import StoreError
from bot.sandbox.postgres import PostgresError
from bot.sandbox.vendor import Scenario, ScenarioError
from bot.system.logs import configure_logs
from bot.web.app import WebError

STORY_TAKES_S = 115.0  # the default speed plays any scenario within this time; a story ends slightly before its length
REPLICAS_TAKE_S = 180.0  # the same with several replicas, which share the machine, and lose leases in real seconds
DOWNSTREAM_NEEDS = "openfeature"  # used by a separate process, so importing the demo does not show that it is missing
FASTEST = 1000.0  # beyond that, checks have less time than any machine needs


@click.command()
@click.option("--scenario", "name", default="four-hours", show_default=True, help="A shipped scenario, or a file.")
@click.option("--speed", type=click.FloatRange(1, FASTEST), default=None, help="Seconds of the story in one real second.")
@click.option("--automation", type=click.Choice(("off", "propose", "auto")), default="auto", show_default=True)
@click.option("--exit-when-done", is_flag=True, help="End by itself; exit status 0 only if everything was shown.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for exports and data; by default a new one.")
@click.option(
    "--replicas",
    type=click.IntRange(1, 5),
    default=1,
    show_default=True,
    help="Run this many over one PostgreSQL, and kill the leading one in mid-outage.",
)
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Where the bot serves flags.")
def demo(
    name: str, speed: float | None, automation: str, exit_when_done: bool, out: Path | None, replicas: int, listen: str
) -> None:  # fmt: skip
    """Play an outage: scripted vendors fail, the bot runs the incident in a stand-in for Slack, customers are served."""
    if find_spec(DOWNSTREAM_NEEDS) is None:
        fail(f"the demo needs its extra packages ({DOWNSTREAM_NEEDS} is missing): pip install 'understudy[demo]'", CONFIG_EXIT)
    from bot.demo.play import Demo

    try:
        scenario = Scenario.load(name)
        split_listen(listen)
    except ScenarioError as error:
        fail(str(error), CONFIG_EXIT)
    except ValueError as error:
        fail(f"--listen {listen}: {error}", CONFIG_EXIT)
    speed = speed or scenario.minutes * 60 / (STORY_TAKES_S if replicas == 1 else REPLICAS_TAKE_S)
    folder = fresh_folder(out)
    try:
        show = Demo(scenario, speed, folder, automation, click.echo, listen, replicas)
    except ImportError as error:
        fail(f"--replicas needs a package more ({error.name} is missing): pip install 'understudy[postgres]'", CONFIG_EXIT)
    except PostgresError as error:
        fail(f"--replicas: {error}", CONFIG_EXIT)
    configure_logs((), level="WARNING", pretty=True)
    click.echo(f"{scenario.title}: {scenario.minutes:.0f} minutes, told in {scenario.minutes * 60 / speed:.0f} seconds.")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            played = runner.run(show.play(exit_when_done=exit_when_done))
    except KeyboardInterrupt:
        if show.played is None:
            raise SystemExit(130) from None
        played = show.played
    except (WebError, PostgresError, StoreError, ReplicaError) as error:
        fail(str(error))
    raise SystemExit(0 if played.good else 1)


def fresh_folder(out: Path | None) -> Path:
    """The folder for this run. An earlier run's ledger in the same folder would tell another story."""
    if out is None:
        return Path(tempfile.mkdtemp(prefix="understudy-demo-"))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"--out {out}: {error.strerror}. Name a folder that can be written.", CONFIG_EXIT)
    if (out / "data").exists():
        fail(f"{out} holds the data of an earlier demo. Name another folder, or remove {out / 'data'}.", CONFIG_EXIT)
    return out
