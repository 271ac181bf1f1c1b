"""`understudy health`: the board in the terminal, for when Slack is down."""

from pathlib import Path

import click

from bot.cli.options import config_option, data_option, json_option, shared
from bot.cli.output import note, print_json, print_table
from bot.cli.remote import call, said


@click.command()
@shared(config_option, data_option, json_option)
def health(config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show every component: its verdict, since when, and why. Exit status 1 when one is degraded or down."""
    reply = call(config_path, data_path, "GET", "/status")
    status = said(reply)
    if as_json:
        print_json(status)
    else:
        rows = [(c["id"], c["level"], (c["since"] or "-")[:16].replace("T", " "), c["reason"]) for c in status["components"]]
        print_table(("component", "verdict", "since (UTC)", "why"), rows, empty="No component is configured.")
    if reply.running:
        parts = said(call(config_path, data_path, "GET", "/readyz", base=""))["parts"]
        note(*(f"{name}: {part['sentence']}" for name, part in parts.items() if not part["ok"]))
    if any(c["level"] in ("degraded", "down") for c in status["components"]):
        raise SystemExit(1)
