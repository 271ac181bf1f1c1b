"""`understudy flags`: see and switch fallback flags, for when Slack is down."""

from pathlib import Path
from threading import Event
from typing import Any

import click

from bot.cli.incident import reach, tell
from bot.cli.options import reason_taken
from bot.cli.output import print_json, print_table
from bot.cli.remote import call, said, segment

LOOK_EVERY_S = 0.5
LOOKS = 600  # at two per second: five minutes
Where = tuple[Path, Path | None, bool]  # configuration, data, whether as JSON


def _ask(where: Where, path: str, **body: Any) -> None:
    """Send a change, without arguments that were not given, and print the result."""
    config_path, data_path, as_json = where
    given = {name: value for name, value in body.items() if value}
    tell(call(config_path, data_path, "POST", path, given), as_json)


scope_option = click.option("--scope", default="", help="Only the readers with this attribute, such as env=eu.")


@click.group()
def flags() -> None:
    """See, switch and steer fallback flags without Slack."""


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
        rows.append((flag["key"], *_serves(flag, flag["default"], flag["automation"]), flag.get("readers", 0)))
        rows += [(f"{flag['key']} ({part['scope']})", *_serves(part, "", ""), "") for part in flag.get("scopes", ())]
    print_table(("flag", "serves", "share", "why", "automation", "readers"), rows, empty="No flag is configured.")
    if freeze := found.get("freeze"):
        click.echo(f"Automation of flags is frozen by {freeze['by']['name']}: rules only ask.")


def _serves(switched: dict[str, Any], default: str, automation: str) -> tuple[str, str, str, str]:
    """What a flag or one of its scopes serves: the variant, its share unless 100, why, and what may change it."""
    engagement = switched.get("engagement") or {}
    share = f"{100 - engagement['share_back']} %" if engagement.get("share_back") else ""
    moves = f"pinned by {switched['pin']['by']['name']}" if switched.get("pin") else automation
    return engagement.get("variant") or default, share, engagement.get("reason", ""), moves


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
    """Test now whether a flag's fallbacks do what services need, and show the result."""
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
@reason_taken(needed=True)
@click.option("--for", "hold_for", default="", help="How long, such as 2h; by default the flag's expires_after.")
@click.option("--share", default="", help="Only this percent of the readers, such as 25; the others stay on the default.")
@click.option(
    "--force", is_flag=True, help="Even if it did not pass its rehearsal, or sends readers back to a failing default."
)
@scope_option
@reach
def engage(
    key: str, variant: str, reason: str, hold_for: str, share: str, force: bool, scope: str, config_path: Path,
    data_path: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Send the readers of a flag to a fallback."""
    more = {"for": hold_for, "share": share, "force": force, "scope": scope}
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/engage", variant=variant, reason=reason, **more)


@flags.command()
@click.argument("key")
@reason_taken(default="approved at the terminal")
@reach
def approve(key: str, reason: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Say yes to what a rule proposes."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/engage", reason=reason, approves=True)


@flags.command()
@click.argument("key")
@reason_taken()
@reach
def reject(key: str, reason: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Say no to what a rule proposes."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/reject", reason=reason)


@flags.command()
@click.argument("key")
@reason_taken(needed=True)
@click.option("--force", is_flag=True, help="Even if the default is not healthy.")
@scope_option
@reach
def release(key: str, reason: str, force: bool, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Go back to the default at once."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/release", scope=scope, reason=reason, force=force)


@flags.command("step-back")
@click.argument("key")
@scope_option
@reach
def step_back(key: str, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Start the hand-back: the first share goes to the default, the rest follows while it stays healthy."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/step-back", scope=scope)


@flags.command()
@click.argument("key")
@click.argument("variant", required=False, default="")
@click.option("--share", default="", help="For this percent of the readers, such as 25.")
@scope_option
@reach
def plan(key: str, variant: str, share: str, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Say what `engage` would do, and for whom; changes nothing."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/plan", scope=scope, variant=variant, share=share)


@flags.command()
@click.argument("key")
@click.argument("share")
@reason_taken()
@click.option("--force", is_flag=True, help="Even onto a variant that is not healthy.")
@scope_option
@reach
def ramp(
    key: str, share: str, reason: str, force: bool, scope: str, config_path: Path, data_path: Path | None, as_json: bool
) -> None:
    """Set the percent of readers on the fallback, up or down, such as 50."""
    where = (config_path, data_path, as_json)
    _ask(where, f"/flags/{segment(key)}/ramp", scope=scope, share=share, reason=reason, force=force)


@flags.command()
@click.argument("key")
@reason_taken()
@scope_option
@reach
def hold(key: str, reason: str, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Halt a hand-back where it is."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/hold", scope=scope, reason=reason)


@flags.command()
@click.argument("key")
@scope_option
@reach
def resume(key: str, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Let a hand-back go on."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/resume", scope=scope)


@flags.command()
@click.argument("key")
@click.argument("lasts")
@scope_option
@reach
def extend(key: str, lasts: str, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Keep it on the fallback longer, for example by 2h."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/extend", scope=scope, **{"for": lasts})


@flags.command()
@click.argument("key")
@click.argument("variant", required=False, default="")
@reason_taken()
@scope_option
@reach
def pin(key: str, variant: str, reason: str, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Keep rules off a flag, on what it serves or on a variant."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/pin", scope=scope, variant=variant, reason=reason)


@flags.command()
@click.argument("key")
@scope_option
@reach
def unpin(key: str, scope: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Let rules move it again."""
    _ask((config_path, data_path, as_json), f"/flags/{segment(key)}/unpin", scope=scope)


@flags.command()
@reason_taken()
@reach
def freeze(reason: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Keep rules off all flags; they ask instead."""
    _ask((config_path, data_path, as_json), "/automation/freeze", reason=reason)


@flags.command()
@reason_taken()
@reach
def thaw(reason: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Let rules move flags again."""
    _ask((config_path, data_path, as_json), "/automation/thaw", reason=reason)
