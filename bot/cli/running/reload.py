"""`understudy reload`: let the running bot read its configuration again."""

from pathlib import Path

import click

from bot.cli.incident import reach
from bot.cli.output import print_json
from bot.cli.remote import call, said


@click.command()
@reach
def reload(config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Let the running bot read its configuration again. One that is not valid is refused whole, and nothing changes."""
    found = said(call(config_path, data_path, "POST", "/reload", {}))
    if as_json:
        print_json(found)
    elif found["changed"]:
        print(f"Valid, and being taken over. Changed: {', '.join(found['changed'])}")
    else:
        print("The configuration is as it was.")
