"""`understudy flags`: see and switch fallback flags, for when Slack is down."""

from pathlib import Path
from threading import Event
from typing import Any

import click

from bot.cli.incident import reach, tell
from bot.cli.output import print_json, print_table
from bot.cli.remote import call, said, segment

LOOK_EVERY_S = 0.5
LOOKS = 600  # five minutes


@click.group()
def flags() -> None:
    """List, engage and release fallback flags without Slack, and see who reads them."""


@flags.command("list")
@reach
def list_(config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show what every flag serves."""
    found = said(call(config_path, data_path, "GET", "/flags"))
    if as_json:
        print_json(found)
        return
    rows = []
    for flag in found["flags"]:
        engagement = flag.get("engagement") or {}
        back = f"{engagement['share_back']} % back" if engagement.get("share_back") else ""
        serves = engagement.get("variant") or flag["default"]
        rows.append((flag["key"], serves, back, engagement.get("reason", ""), flag.get("readers", 0)))
    print_table(("flag", "serves", "hand-back", "why", "readers"), rows, empty="No flag is configured.")


@flags.command()
@click.argument("key")
@reach
def clients(key: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show who reads a flag, and who does not have its last switch yet."""
    found = said(call(config_path, data_path, "GET", f"/flags/{segment(key)}/readers"))
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], _has(one), f"{one['silent_for_s']:.0f} s ago") for one in found["readers"]]
    print_table(("reader", "has", "heard"), rows, empty=f"Nobody has read {key} in the last 15 minutes.")
    if (more := found["count"] - len(rows)) > 0:
        print(f"and {more} more")


def _has(reader: dict[str, Any]) -> str:
    if not reader["copy"]:
        return "asks each time"
    return "the last switch" if reader["current"] else "an older copy"


@flags.command()
@click.argument("key")
@reach
def rehearse(key: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Ask the fallbacks of a flag now for what services need of them, and show what was found."""
    asked = call(config_path, data_path, "POST", f"/flags/{segment(key)}/rehearse", {})
    said(asked)
    found = _rehearsals(key, config_path, data_path)
    for _ in range(LOOKS if asked.running else 0):
        if not any(one["waits"] for one in found):
            break
        Event().wait(LOOK_EVERY_S)
        found = _rehearsals(key, config_path, data_path)
    if as_json:
        print_json({"flag": key, "rehearsals": found})
        return
    rows = [(one["variant"], _came(one), one["answered"] or one["model"], f"${one['dollars']:.3f}") for one in found]
    print_table(("variant", "found", "model", "cost"), rows, empty=f"No fallback of {key} is rehearsed.")


def _rehearsals(key: str, config_path: Path, data_path: Path | None) -> list[dict[str, Any]]:
    flags = said(call(config_path, data_path, "GET", "/flags"))["flags"]
    return next((flag["rehearsals"] for flag in flags if flag["key"] == key), [])


def _came(one: dict[str, Any]) -> str:
    if one["waits"]:
        return "no result yet; a running bot will have one"
    return f"not rehearsed: {one['skipped']}" if one["skipped"] else one["why"] or "passed"


@flags.command()
@click.argument("key")
@click.argument("variant", required=False, default="")
@click.option("--reason", required=True, help="Why; it stands in the timeline.")
@click.option("--for", "hold_for", default="", help="How long, such as 2h; the flag's own expiry when not given.")
@click.option("--force", is_flag=True, help="Also to one that did not pass its rehearsal.")
@reach
def engage(
    key: str, variant: str, reason: str, hold_for: str, force: bool, config_path: Path, data_path: Path | None, as_json: bool
) -> None:
    """Send the readers of a flag to a fallback."""
    body: dict[str, Any] = {
        name: value for name, value in (("variant", variant), ("reason", reason), ("for", hold_for)) if value
    }
    body |= {"force": True} if force else {}
    tell(call(config_path, data_path, "POST", f"/flags/{segment(key)}/engage", body), as_json)


@flags.command()
@click.argument("key")
@click.option("--reason", required=True, help="Why; it stands in the timeline.")
@click.option("--force", is_flag=True, help="Also onto a default that is not well.")
@reach
def release(key: str, reason: str, force: bool, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Go back to the default at once."""
    body = {"reason": reason, "force": force}
    tell(call(config_path, data_path, "POST", f"/flags/{segment(key)}/release", body), as_json)


@flags.command("step-back")
@click.argument("key")
@reach
def step_back(key: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Start the hand-back: the first share goes to the default, the rest follows while it stays well."""
    tell(call(config_path, data_path, "POST", f"/flags/{segment(key)}/step-back", {}), as_json)
