"""`understudy drill`: pretend an outage, from the terminal."""

from pathlib import Path
from typing import Any

import click

from bot.cli.incident import reach, tell
from bot.cli.options import fail
from bot.cli.output import minute, print_json, print_table, zone_of
from bot.cli.remote import call, said, segment


@click.group()
def drill() -> None:
    """Start, stop and follow drills."""


@drill.command()
@click.argument("components", nargs=-1, required=True)
@click.option("--for", "lasts", default="", help="How long, such as 5m; by default 10 min, at most 2 h.")
@click.option("--paging", is_flag=True, help="Page people as in a real outage.")
@click.option("--flag", "key", default="", help="A flag whose fallback is read by requests with understudy_drill: true.")
@reach
def start(
    components: tuple[str, ...], lasts: str, paging: bool, key: str, config_path: Path, data_path: Path | None, as_json: bool
) -> None:
    """Simulate an outage of COMPONENTS of one provider; the provider's id stands for all of them."""
    body: dict[str, Any] = {"components": list(components), "paging": paging}
    body |= {name: value for name, value in (("for", lasts), ("flag", key)) if value}
    tell(call(config_path, data_path, "POST", "/drills", body), as_json)


@drill.command()
@click.argument("reference", required=False, default="")
@reach
def stop(reference: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """End a drill; its report comes in its channel. REFERENCE may be left out while only one runs."""
    meant = reference or _only(config_path, data_path)
    tell(call(config_path, data_path, "POST", f"/drills/{segment(meant)}/stop", {}), as_json)


def _only(config_path: Path, data_path: Path | None) -> str:
    names = [one["incident"]["name"] for one in said(call(config_path, data_path, "GET", "/drills"))["drills"]]
    if len(names) != 1:
        fail(f"Which drill? There are: {', '.join(names)}." if names else "No drill is running.")
    return str(names[0])


@drill.command()
@click.argument("reference", required=False, default="")
@reach
def status(reference: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show the running drills, or the report of one that you name, even once it is over."""
    path = f"/drills/{segment(reference)}" if reference else "/drills"
    found = said(call(config_path, data_path, "GET", path))
    if as_json:
        print_json(found)
        return
    for one in [found] if reference else found["drills"]:
        print_table(("what", "value"), [row for row in _rows(one["incident"], one["report"]) if row[1]], empty="")
    if not reference and not found["drills"]:
        print_table(("what", "value"), [], empty="No drill is running.")


def _rows(incident: dict[str, Any], report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("drill", f"{incident['name']}, {incident['phase']}: {incident['title']}"),
        ("until", f"{minute(report['until'], zone_of(incident))} ({zone_of(incident)})"),
        ("ended", report["ended_because"]),
        ("acknowledged", _by(report["acknowledged_by"], report["acknowledged_after"])),
        ("led by", report["led_by"]["name"] if report["led_by"] else ""),
        ("first update", _by(report["first_update_by"], report["first_update_after"])),
        ("steps done", "; ".join(f"{text} ({by['name'] or by['id']})" for text, by in report["steps_done"])),
        ("tasks", "; ".join(f"{one['number']} {one['text']} ({_became(one)})" for one in report["tasks"])),
        ("flag in its scope", f"{report['flag']} as {report['variant']}" if report["flag"] else ""),
        ("read the fallback", ", ".join(report["fallback_readers"])),
        ("read it without the drill", ", ".join(report["other_readers"])),
        ("missed", " ".join(report["missed"])),
    ]


def _became(task: dict[str, Any]) -> str:
    """Who owns a task, and its state."""
    made = f"by {task['added_by']['name']}"
    return f"{made}, {task['state']} by {task['ended_by']['name']}" if task["ended_by"] else f"{made}, {task['state']}"


def _by(actor: dict[str, Any] | None, after_s: float | None) -> str:
    return f"by {actor['name']} after {round(after_s or 0)} s" if actor else ""
