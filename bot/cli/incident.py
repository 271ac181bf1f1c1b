"""`understudy incident`: the verbs of /incident, for when Slack is down."""

import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from bot.cli.options import config_option, data_option, fail, json_option, reason_taken, shared
from bot.cli.output import print_json, print_table, print_text, second, zone_of
from bot.cli.remote import Reply, call, said, segment, worded
from bot.core.answers.incident import OpenAlready, StillFailing
from bot.core.model import LEAD
from bot.verbs.incident import VERBS
from bot.verbs.verb import IncidentVerb
from bot.views.text import local, stop

reach = shared(config_option, data_option, json_option)
yes_option = click.option("--yes", "sure", is_flag=True, help="Resolve without asking, even while something still fails.")


@click.group()
def incident() -> None:
    """List, show, declare and run incidents without Slack."""


@incident.command("list")
@click.option("--all", "everything", is_flag=True, help="Include those that are over.")
@reach
def list_(everything: bool, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show the open incidents."""
    path = "/incidents?state=" + ("all" if everything else "open")
    page = found = said(call(config_path, data_path, "GET", path))
    while page.get("next"):
        page = said(call(config_path, data_path, "GET", f"{path}&cursor={page['next']}"))
        found = {"incidents": [*found["incidents"], *page["incidents"]], "next": None}
    if as_json:
        print_json(found)
        return
    rows = [(i["name"], i["severity"], i["phase"], _there(i["declared_at"], i), i["title"]) for i in found["incidents"]]
    print_table(("incident", "severity", "phase", "declared", "title"), rows, empty="No incident is open.")


@incident.command()
@click.argument("reference")
@reach
def show(reference: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show one incident as it stands."""
    found = said(call(config_path, data_path, "GET", f"/incidents/{segment(reference)}"))
    if as_json:
        print_json(found)
        return
    print_table(("what", "value"), [row for row in _about(found) if row[1]], empty="Nothing is known.")


@incident.command()
@click.argument("reference")
@reach
def timeline(reference: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show what happened so far."""
    found = said(call(config_path, data_path, "GET", f"/incidents/{segment(reference)}/export?format=json"))
    if as_json:
        print_json(found)
        return
    zone = zone_of(said(call(config_path, data_path, "GET", f"/incidents/{segment(reference)}")))
    rows = [
        (str(row.get("entry") or ""), second(row["at"], zone), row["who"], row["text"], row["reason"]) for row in found["story"]
    ]
    print_table(("entry", f"when ({zone})", "who", "what", "why"), rows, empty="Nothing happened yet.")


@incident.command()
@click.argument("reference")
@click.argument("entry")
@click.argument("text", required=False, default="")
@click.option("--at", default="", help="When it happened, in UTC or with a zone: 2026-03-20T14:00, 2026-03-20T15:00+01:00.")
@reach
def correct(reference: str, entry: str, text: str, at: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Correct the text of an ENTRY of the timeline, or its time. The original stays on record."""
    body = {"entry": entry, **{name: value for name, value in (("text", text), ("at", at)) if value}}
    tell(call(config_path, data_path, "POST", f"/incidents/{segment(reference)}/correct", body), as_json)


@incident.command()
@click.argument("reference")
@click.argument("entry")
@click.option("--back", is_flag=True, help="Show it again.")
@reach
def hide(reference: str, entry: str, back: bool, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Hide an ENTRY of the timeline, or with --back show it again. It stays on record."""
    tell(call(config_path, data_path, "POST", f"/incidents/{segment(reference)}/hide", {"entry": entry, "back": back}), as_json)


@incident.command()
@click.argument("reference")
@reach
def tasks(reference: str, config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Show what is to be done, and what is done."""
    found = said(call(config_path, data_path, "GET", f"/incidents/{segment(reference)}"))
    if as_json:
        print_json({"incident": found["number"], "tasks": found["tasks"]})
        return
    rows = [
        (str(one["number"]), _state(one), _who(one["owner"]), _there(one["due_at"], found), _what(one))
        for one in sorted(found["tasks"], key=lambda one: one["state"] != "open")
    ]
    print_table(("#", "state", "owner", "due", "task"), rows, empty=f"{found['name']} has no task.")


def _what(task: dict[str, Any]) -> str:
    return f"{task['text']} (from INC-{task['came_from']['incident']})" if task["came_from"] else str(task["text"])


def _state(task: dict[str, Any]) -> str:
    if task["moved_to"]:
        return f"in INC-{task['moved_to']['incident']}, #{task['moved_to']['task']}"
    return "follow-up" if task["state"] == "open" and task["follow_up"] else str(task["state"])


@incident.command()
@click.argument("title")
@click.option("--component", "components", multiple=True, help="Affected component, such as anthropic.api; repeatable.")
@click.option("--severity", default="SEV2", show_default=True)
@click.option("--separate", is_flag=True, help="Even if one is open for the same provider, or was declared just now.")
@click.option("--began", default="", help="When it began, in UTC or with a zone: 2026-03-20T14:00, 2026-03-20T15:00+01:00.")
@click.option("--ended", default="", help="When it ended, if it is over: then nobody is paged.")
@reach
def declare(
    title: str,
    components: tuple[str, ...],
    severity: str,
    separate: bool,
    began: str,
    ended: str,
    config_path: Path,
    data_path: Path | None,
    as_json: bool,
) -> None:
    """Open an incident."""
    body: dict[str, Any] = {"title": title, "components": list(components), "severity": severity, "separate": separate}
    body |= {name: at for name, at in (("began", began), ("ended", ended)) if at}
    reply = call(config_path, data_path, "POST", "/incidents", body)
    if isinstance(reply.body, dict) and reply.body.get("code") == OpenAlready.KIND and not as_json:
        ways = [f"understudy incident join {number}" for number in reply.body.get("choices") or [reply.body["incident"]]]
        fail(f"{stop(worded(reply.body))} Join it: {' or '.join(ways)}. Or declare another one: --separate.")
    tell(reply, as_json)


def tell(reply: Reply, as_json: bool) -> None:
    """Print the result of a change."""
    answer = said(reply)
    if as_json:
        print_json(answer)
    else:
        print_text(worded(answer))


def _about(i: dict[str, Any]) -> list[tuple[str, str]]:
    """An incident's fields in the order in which people ask for them."""
    components = "; ".join(f"{one.get('name') or one['id']} is {one['level']}: {one['reason']}" for one in i["affected"])
    return [
        ("incident", f"{i['name']}, {i['severity']}, {i['phase']}"),
        ("title", i["title"]),
        ("components", components),
        ("impact since", _there(i["began_at"], i)),
        ("declared", f"{_there(i['declared_at'], i)} by {_who(i['declared_by'])}"),
        ("why", "" if i["reason"] == f"declared by {_who(i['declared_by'])}" else i["reason"]),
        ("acknowledged by", _who(i["acknowledged_by"])),
        *(("lead" if role == LEAD else role, _who(person)) for role, person in i["roles"].items()),
        ("updates", str(i["updates"])),
        ("next update by", _there(i["next_update_at"], i)),
        ("channel", f"#{i['channel_name']}" if i["channel"] else i["channel_refused"]),
        ("ended", f"{_there(i['resolved_at'], i)} by {_who(i['resolved_by'])} {i['ended_reason']}" if i["resolved_at"] else ""),
    ]


def _there(time: str | None, incident: dict[str, Any]) -> str:
    """A time from the API in the deployment's zone, with its name: `2026-03-20 13:43 CET`."""
    if not time:
        return ""
    at = datetime.fromisoformat(time)
    return local(at, zone_of(incident), at - timedelta(days=2))


def _who(actor: dict[str, Any] | None) -> str:
    return str(actor["name"] or actor["id"]) if actor else ""


def _verb(verb: IncidentVerb) -> click.Command:
    """The command for one incident verb, from its row in the table."""
    command: Callable[..., None] = reach(_ending(verb) if verb.asks else _plain(verb))
    if verb.asks:
        command = click.option("--yes", "sure", is_flag=True, help="Resolve without asking, even while something still fails.")(
            command
        )
    for name in verb.may:
        command = click.option(f"--{name}", is_flag=True)(command)
    for taken in reversed(verb.takes):
        if taken.option:
            command = click.option(f"--{taken.name}", default="")(command)
            continue
        if taken.name == "reason":
            command = reason_taken(needed=taken.needed)(command)
            continue
        # Any default, even None, would make the argument optional.
        argument = click.argument(taken.name) if taken.needed else click.argument(taken.name, required=False, default="")
        command = argument(command)
    return click.command(verb.name, help=verb.help or f"{verb.does[0].upper()}{verb.does[1:]}.")(
        click.argument("reference")(command)
    )


def _plain(verb: IncidentVerb) -> Callable[..., None]:
    def run(reference: str, config_path: Path, data_path: Path | None, as_json: bool, **given: Any) -> None:
        tell(call(config_path, data_path, "POST", _path(verb, reference), _body(given)), as_json)

    return run


def _ending(verb: IncidentVerb) -> Callable[..., None]:
    """The command asks first if a component still fails or a flag is still switched, and again if something failed since."""

    def run(reference: str, sure: bool, config_path: Path, data_path: Path | None, as_json: bool, **given: str) -> None:
        path, body = _path(verb, reference), _body(given)
        reply = call(config_path, data_path, "POST", path, {**body, "force": True} if sure else body)
        while isinstance(reply.body, dict) and reply.body.get("code") == StillFailing.KIND and not as_json:
            question = f"{worded(reply.body)} Resolve it all the same?"
            if not sys.stdin.isatty():
                fail(f"{worded(reply.body)} Repeat it with --yes.")
            if not click.confirm(question):
                raise SystemExit(1)
            reply = call(config_path, data_path, "POST", path, {**body, **_knowing(reply.body)})
        tell(reply, as_json)

    return run


def _knowing(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a yes to that question overrules: what it named. A bot of an earlier version says only in words what that was."""
    marks = (said.get("data") or {}).get("warned")
    return {"warned": marks} if marks else {"force": True}


def _path(verb: IncidentVerb, reference: str) -> str:
    return f"/incidents/{segment(reference)}/{verb.name}"


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}


for one in VERBS:
    incident.add_command(_verb(one))
