"""`understudy denied`: who was refused what, from the terminal."""

from pathlib import Path
from typing import Any

import click

from bot.cli.options import config_option, data_option, json_option, shared
from bot.cli.output import note, print_json, print_table, second, zone_of
from bot.cli.remote import call, said
from bot.views.denied import ABOUT, NONE, wanted


@click.command()
@shared(config_option, data_option, json_option)
def denied(config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show who was refused what, the newest first."""
    found = said(call(config_path, data_path, "GET", "/denied"))
    if as_json:
        print_json(found)
        return
    zone = zone_of(found)
    rows = [_row(one, zone) for one in found["attempts"]]
    print_table((f"when ({zone})", "who", "is", "wanted", "more before"), rows, empty=NONE)
    if found["attempts"]:
        note(ABOUT)


def _row(one: dict[str, Any], zone: str) -> tuple[str, ...]:
    about = f" (INC-{one['incident']})" if one["incident"] else ""
    who = f"{one['name']} ({one['who']})" if one["name"] else one["who"]
    return second(one["at"], zone), who, one["role"], f"{wanted(one['what'])}{about}", str(one["held_back"] or "")
