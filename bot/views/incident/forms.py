"""The forms: declare an incident, write an update."""

from collections.abc import Sequence
from typing import Any

from bot.core.model import Severity
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.views.blocks import plain_text, section
from bot.views.text import foreign, plain

DECLARE_CALLBACK = "declare_incident"
UPDATE_CALLBACK = "write_update"

NO_COMPONENT = "none"
MOST_OPTIONS = 100
OPTION_VALUE_MAX = 150
METADATA_MAX = 3000
TEXT_MAX = 3000  # of what a person types into a plain_text_input

SEVERITIES = {
    Severity.SEV1: "no working path for customers",
    Severity.SEV2: "a major function is degraded or runs on a fallback",
    Severity.SEV3: "minor, or one model only",
    Severity.SEV4: "watch",
}

View = dict[str, Any]


def declare_modal(
    open_incidents: Sequence[Incident], policy: Policy, *, private_metadata: str = "", component: str = ""
) -> View:
    """The form for declaring: title, component, severity. What is open already stands first."""
    choices = [_option("Something else, no check looks at it", NO_COMPONENT)]
    usable = [c for c in policy.components.values() if len(c.id) <= OPTION_VALUE_MAX]
    # The component somebody pressed "Declare" for must be among the options, however many there are.
    usable.sort(key=lambda c: c.id != component)
    choices += [_option(c.name, c.id) for c in usable[: MOST_OPTIONS - 1]]
    chosen = next((option for option in choices if option["value"] == component), choices[0])
    severities = [_option(f"{level}: {words}", level.value) for level, words in SEVERITIES.items()]
    blocks = [
        _input("title", "What is wrong?", _text_input("title", 200, "Claude API answers with errors")),
        _input("component", "What does it concern?", _select("component", choices, chosen)),
        _input("severity", "Impact on us", _select("severity", severities, severities[1])),
    ]
    return _modal(DECLARE_CALLBACK, "Declare incident", "Declare", [*_open_already(open_incidents), *blocks], private_metadata)


def update_modal(incident: Incident, *, private_metadata: str = "") -> View:
    """The form for an update to everybody."""
    about = section(f"*{incident.name}* {incident.severity} {incident.phase}: {foreign(incident.title, 150)}")
    hint = "Posted in the incident's channel under your name; the clock of updates starts anew."
    words = _input("text", "What should everybody know?", _text_input("text", TEXT_MAX, "", multiline=True), hint)
    return _modal(UPDATE_CALLBACK, "Write an update", "Post update", [dict(about), words], private_metadata)


def _open_already(incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    if not incidents:
        return []
    lines = [
        f"• *{i.name}* {i.severity} {i.phase}: {foreign(i.title, 100)}" + (f" <#{i.room.channel}>" if i.room.channel else "")
        for i in incidents[:10]
    ]
    return [dict(section("*Open already*; is it one of these?\n" + "\n".join(lines)))]


def _modal(callback: str, title: str, submit: str, blocks: list[dict[str, Any]], private_metadata: str) -> View:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, 24),
        "submit": plain_text(submit, 24),
        "close": plain_text("Cancel", 24),
        "private_metadata": private_metadata[:METADATA_MAX],
        "blocks": blocks,
    }


def _input(name: str, label: str, element: dict[str, Any], hint: str = "") -> dict[str, Any]:
    """`block_id` and `action_id` are the same, so that an error can be shown at the field by its name."""
    made = {"type": "input", "block_id": name, "label": plain_text(label, 2000), "element": element}
    return {**made, "hint": plain_text(hint, 2000)} if hint else made


def _text_input(name: str, most: int, placeholder: str, *, multiline: bool = False) -> dict[str, Any]:
    made = {"type": "plain_text_input", "action_id": name, "max_length": most, "multiline": multiline}
    return {**made, "placeholder": plain_text(placeholder, 150)} if placeholder else made


def _select(name: str, options: list[dict[str, Any]], initial: dict[str, Any]) -> dict[str, Any]:
    return {"type": "static_select", "action_id": name, "options": options, "initial_option": initial}


def _option(text: str, value: str) -> dict[str, Any]:
    return {"text": plain_text(plain(text), 75), "value": value}
