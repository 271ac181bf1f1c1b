"""`understudy health`: the board in the terminal, for when Slack is down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bot.cli.options import config_option, data_option, json_option, shared
from bot.cli.output import minute, note, print_json, print_table, zone_of
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
        zone = zone_of(status)
        rows = [
            (c["id"], c["level"] + " *" * bool(c["on_record"]), minute(c["since"], zone), c["reason"])
            for c in status["components"]
        ]
        print_table(("component", "verdict", f"since ({zone})", "why"), rows, empty="No component is configured.")
        note(*_besides(status))
    if reply.running:
        ready = call(config_path, data_path, "GET", "/readyz", base="").body  # with status 503 where a part is not well
        note(*(f"{name}: {part['sentence']}" for name, part in ready["parts"].items() if not part["ok"]))
    if any(c["level"] in ("degraded", "down") for c in status["components"]):
        raise SystemExit(1)


def _besides(status: dict[str, Any]) -> Iterator[str]:
    """What else to know: blindness, advisories, mutes, alerts being held back."""
    held_otherwise = [f"{c['id']} {c['on_record']['level']}" for c in status["components"] if c["on_record"]]
    if held_otherwise:
        yield f"* is not recorded yet; on record: {', '.join(held_otherwise)}"
    sight, zone = status["sight"], zone_of(status)
    if sight["blind"]:
        blind = f"we have been blind since {minute(sight['began_at'], zone)} ({zone}): {sight['reason']}"
        yield f"{blind}; anything we cannot reach counts as unknown"
    for component in status["components"]:
        id, advisory, mute, held = component["id"], component["advisory"], component["mute"], component["held_back"]
        if advisory:
            yield f"{id}: advisory: {advisory['text']}"
        if mute:
            why = f" ({mute['reason']})" if mute["reason"] else ""
            yield f"{id}: muted until {minute(mute['until'], zone)} ({zone}) by {mute['by']['name']}{why}"
        if held:
            yield f"{id}: its alert is held back: {held['why']}"
