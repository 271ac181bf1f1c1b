"""`understudy store`: takes the ledger from one place to another."""

from pathlib import Path

import click

from bot.cli.options import fail, json_option, shared
from bot.cli.output import print_json, print_text
from bot.store.copying import Copied, copy
from bot.store.errors import StoreError
from bot.store.home import Home, is_address
from bot.system.clock import SystemClock


@click.group()
def store() -> None:
    """Copy the ledger from one place to another."""


@store.command("copy")
@click.option("--from", "source", required=True, metavar="PLACE", help="A data folder, or postgresql://user@host/database.")
@click.option("--to", "target", required=True, metavar="PLACE", help="The same; there must be no ledger yet.")
@shared(json_option)
def copy_ledger(source: str, target: str, as_json: bool) -> None:
    """Copy the ledger between a data folder and PostgreSQL, while no bot runs on either.

    Facts are copied byte for byte, and their hash chains verified on both sides. Check results are not copied. The password
    may come from PGPASSWORD or a .pgpass file.
    """
    places = _home(source), _home(target)
    try:
        copied = copy(*places, SystemClock().now())
    except (StoreError, OSError) as error:
        fail(str(error))
    if as_json:
        print_json({"copied": copied.rows, "streams": copied.streams})
    else:
        print_text(_words(copied, *places))


def _home(place: str) -> Home:
    return Home(Path(), place) if is_address(place) else Home(Path(place))


def _words(copied: Copied, source: Home, target: Home) -> str:
    next_step = "Set `store` to it and start the bot" if target.shared else "Start the bot with this --data and without `store`"
    return (
        f"{copied.rows['facts']:,} facts in {copied.streams:,} streams and {copied.rows['outbox']:,} effects were copied from "
        f"{source} to {target}, and the chains of all facts hold there. {next_step}. {source} stays as it is: no bot "
        "may be started on it any more."
    )
