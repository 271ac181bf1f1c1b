"""`understudy page --test`: whether paging works, tried over the real channels."""

import asyncio
from datetime import timedelta
from pathlib import Path

import click

from bot.cli.options import CONFIG_EXIT, config_option, fail, json_option, load_or_exit, shared
from bot.cli.output import note, print_json, print_table
from bot.config.models import Config
from bot.config.paging import SEVERITIES
from bot.config.reading.errors import suggest
from bot.core.model import Severity
from bot.core.paging import PageStep
from bot.doctor.paging import PagingTest, steps_of, try_ways
from bot.slack.invites import GROUP, USER
from bot.system.logs import configure_logs


@click.command()
@shared(config_option, json_option)
@click.option("--test", is_flag=True, help="Send the test; without it nothing is sent.")
@click.option(
    "--severity", type=click.Choice(SEVERITIES), default=None, help="Whose steps; by default the worst one that has any."
)
@click.argument("name", required=False)
def page(config_path: Path, as_json: bool, test: bool, severity: str | None, name: str | None) -> None:
    """Send a message marked as TEST to everybody in the paging steps, or only to NAME: a name in people.on_call, or an ID.

    It needs no running bot and opens no incident. Exit status 0 when every message was accepted, 1 when one was not, 2 when
    there is nothing to try.
    """
    if not test:
        fail("Incidents page by themselves. To try the ways to people: understudy page --test", CONFIG_EXIT)
    config = load_or_exit(config_path).config
    configure_logs(config.secrets(), level="CRITICAL", pretty=True)
    steps = _chosen(config, severity, name)
    tried = asyncio.run(_all(config, steps))
    if as_json:
        print_json([{"way": t.way, "who": t.who, "reached": t.reached, "words": t.words} for t in tried])
    else:
        rows = [("good" if t.reached else "bad", t.way, t.who, t.words) for t in tried]
        print_table(("", "way", "who", "what happened"), rows, empty="Nobody was called.")
        note("a way that took the test wakes nobody who has muted it: ask the people whether it did")
    if not all(one.reached for one in tried):
        raise SystemExit(1)


def _chosen(config: Config, severity: str | None, name: str | None) -> tuple[PageStep, ...]:
    if name is not None:
        known = list(config.people.on_call)
        if name not in known and not USER.fullmatch(name) and not GROUP.fullmatch(name):
            fail(f"There is nobody {name!r} in people.on_call: {suggest(name, known, 'names there')}.", CONFIG_EXIT)
        return (PageStep(timedelta(0), mention=(name,), dm=(name,)),)
    chosen, steps = steps_of(config, Severity(severity) if severity else None)
    if not steps:
        what = f"paging.{chosen} has no steps" if chosen else "the configuration has no `paging:`"
        fail(f"{what}, so nobody would be called. docs/paging.md says how to write it.", CONFIG_EXIT)
    return steps


async def _all(config: Config, steps: tuple[PageStep, ...]) -> list[PagingTest]:
    return [tried async for tried in try_ways(config, steps)]
