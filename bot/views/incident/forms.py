"""The forms: declare an incident, write an update, give a role, end it."""

from collections.abc import Iterable, Sequence
from typing import Any

from bot.core.decide.cadence import next_update_after
from bot.core.decide.flags.scopes import rest_unwell, rest_warned, variant_of_rest
from bot.core.decide.incident.naming import TITLE_CHARS
from bot.core.decide.phases import COURSE, LEGAL
from bot.core.model import Phase, Severity
from bot.core.policy import FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.scope import scope_of
from bot.ports import Message
from bot.views.blocks import OPTION_VALUE_MAX, actions, button, context, plain_text, section, shortened
from bot.views.flags.buttons import affected
from bot.views.form_parts import MOST_OPTIONS, TEXT_MAX, View
from bot.views.form_parts import input_block as _input
from bot.views.form_parts import modal as _modal
from bot.views.form_parts import option as _option
from bot.views.form_parts import select as _select
from bot.views.form_parts import text_input as _text_input
from bot.views.incident.buttons import join_button, still, still_warned
from bot.views.incident.updates import known_lines
from bot.views.limits import cut_markup, fit
from bot.views.names import drill_icon, plain_flag_name, plain_variant_name
from bot.views.scene import Scene
from bot.views.text import code, count, foreign, inert, utc, who

DECLARE_CALLBACK = "declare_incident"
UPDATE_CALLBACK = "write_update"
RESOLVE_CALLBACK = "resolve_incident"
REOPEN_CALLBACK = "reopen_incident"
PHASE_CALLBACK = "change_phase"
SEVERITY_CALLBACK = "change_severity"
CANCEL_CALLBACK = "cancel_incident"
SWITCH_BACK_CALLBACK = "switch_back"
ROLE_CALLBACK = "give_role"

NO_COMPONENT = "none"
WHEN_CHARS = 60
MOST_TOLD = 5  # flags with a line of their own; no warning is shown about the others, so none is overridden
MOST_JOINED = 5  # more would hide the form below

SEVERITIES = {
    Severity.SEV1: "no working path for customers",
    Severity.SEV2: "a major function is degraded or runs on a fallback",
    Severity.SEV3: "minor, or one model only",
    Severity.SEV4: "watch",
}

# The most likely next phase.
LIKELY = {
    Phase.TRIAGE: Phase.INVESTIGATING, Phase.INVESTIGATING: Phase.IDENTIFIED, Phase.IDENTIFIED: Phase.MITIGATED,
    Phase.MITIGATED: Phase.IDENTIFIED, Phase.MONITORING: Phase.INVESTIGATING,
}  # fmt: skip

NO_INCIDENT = {
    "false-alarm": "A false alarm: nothing failed",
    "external": "Not ours to handle",
    "drill": "A drill",
}
MERGE = "merge"
WITH_ANOTHER = {"duplicate": "A duplicate of another incident", MERGE: "Part of another incident: merge it"}


def declare_modal(
    open_incidents: Sequence[Incident], policy: Policy, *, private_metadata: str = "", component: str = "", title: str = "",
    when: str = "", level: Severity = Severity.SEV2,
) -> View:  # fmt: skip
    """The form for declaring, filled with what is known. Open incidents come first, each with a button to join."""
    choices = [_option("Something else, not checked", NO_COMPONENT)]
    about = policy.components[component].provider if component in policy.components else ""
    usable = [c for c in policy.components.values() if len(c.id) <= OPTION_VALUE_MAX]
    # The component for which somebody pressed "Declare" must be among the options, however many there are.
    usable.sort(key=lambda c: c.id != component)
    choices += [_option(c.name, c.id) for c in usable[: MOST_OPTIONS - 1]]
    chosen = next((option for option in choices if option["value"] == component), choices[0])
    severities = [_option(f"{one}: {words}", one.value) for one, words in SEVERITIES.items()]
    impact = next(option for option in severities if option["value"] == level.value)
    words = _suggesting(_text_input("title", TITLE_CHARS, "Claude API answers with errors"), title)
    since = _suggesting(_text_input("when", WHEN_CHARS, "14:00, or yesterday 14:00 to 15:30"), when)
    blocks = [
        _input("title", "What is wrong?", words),
        _input("component", "What is affected?", _select("component", choices, chosen)),
        _input("severity", "Impact on us", _select("severity", severities, impact)),
        _input("when", "Since when, if not now?", since, optional=True),
    ]
    blocks = [*_open_already(open_incidents, about), *blocks]
    return _modal(DECLARE_CALLBACK, "Declare incident", "Declare", blocks, private_metadata)


def _suggesting(field: View, text: str) -> View:
    return field | ({"initial_value": text} if text else {})


def declare_offer(text: str, message: str) -> Message:
    """Offers the person who added the emoji to declare from the message; the button carries the `message`."""
    said = f"Declare an incident from “{foreign(text, 120) or 'this message'}”?"
    made = button("Declare incident", "incident.declare:message", {"message": message}, style="primary")
    return fit(Message(said, (section(said), *actions([made]))))


def update_modal(scene: Scene, since_facts: Sequence[Fact]) -> View:
    """The form for an update to everybody. It shows what the bot adds itself, so that people write what no check can know.

    `since_facts` are the facts since the last update.
    """
    incident = scene.incident
    about = f"{drill_icon(incident)}*{incident.name}* {incident.severity} {incident.phase}: {foreign(incident.title, 150)}"
    known = cut_markup("\n".join(known_lines(scene, since_facts)), TEXT_MAX)
    blocks = [section(about), context("The update already says:"), section(known)] if known else [section(about)]
    due = next_update_after(incident, scene.policy, scene.now)
    hint = f"Posted under your name. The next update is due by {utc(due)}." if due else "Posted under your name."
    words = _input("text", "What else should everybody know?", _text_input("text", TEXT_MAX, "", multiline=True), hint)
    return _modal(UPDATE_CALLBACK, "Write an update", "Post update", [*map(dict, blocks), words], str(incident.number))


def resolve_modal(scene: Scene, why: str = "", refused: str = "") -> View:
    """The form that ends an incident; it lists what is not over yet, and overrides only that.

    `why` is the reason that somebody typed, and `refused` says why they see the form again.
    """
    left = still(scene)
    about = f"{left.strip() or 'Nothing fails any more.'} Updates end; summary and timeline are posted. It can be reopened."
    words = _suggesting(_text_input("reason", TEXT_MAX, "The vendor confirms the fix"), why)
    blocks = [*_refused(refused), dict(section(foreign(about, 500))), _input("reason", "Why is it over?", words, optional=True)]
    submit, carried = "Resolve anyway" if left else "Resolve", _carried(scene, still_warned(scene))
    return _modal(RESOLVE_CALLBACK, f"Resolve {scene.incident.name}", submit, blocks, carried)


def _refused(why: str) -> list[dict[str, Any]]:
    return [dict(section(inert(why)))] if why else []


def _carried(scene: Scene, marks: Iterable[str]) -> str:
    """What a form carries: its incident, and what it warns of."""
    return " ".join([str(scene.incident.number), *marks])


def reopen_modal(incident: Incident) -> View:
    """The form that asks why it was not over."""
    about = f"*{incident.name}* {foreign(incident.title, 100)}. Updates start again, and its components are checked again."
    reason = _input("reason", "Why is it not over?", _text_input("reason", TEXT_MAX, "It fails again for customers in Europe"))
    return _modal(REOPEN_CALLBACK, f"Reopen {incident.name}", "Reopen", [dict(section(about)), reason], str(incident.number))


def phase_modal(incident: Incident) -> View:
    """The form that moves the phase, forward or back; ending has its own forms."""
    here = [there for phase, there in LEGAL if phase is incident.phase and there.open]
    options = [_option(phase.capitalize(), phase.value) for phase in COURSE if phase in here]
    nxt = next((one for one in options if one["value"] == LIKELY.get(incident.phase)), options[0])
    about = f"*{incident.name}* is {incident.phase}. No rule moves a phase you choose, unless it fails again."
    blocks = [
        dict(section(about)),
        _input("phase", "Phase", _select("phase", options, nxt)),
        _input("reason", "Why?", _text_input("reason", TEXT_MAX, "Their database failed over"), optional=True),
    ]
    return _modal(PHASE_CALLBACK, "Change phase", "Change", blocks, str(incident.number))


def severity_modal(incident: Incident, wanted: Severity | None = None) -> View:
    """The form that changes the severity, with `wanted` preselected."""
    levels = [_option(f"{level}: {words}", level.value) for level, words in SEVERITIES.items()]
    now = levels[list(SEVERITIES).index(wanted or incident.severity)]
    blocks = [
        _input(
            "severity", "Impact on us", _select("severity", levels, now), "It sets how often updates come and who is paged."
        ),
        _input("reason", "Why?", _text_input("reason", TEXT_MAX, ""), "Needed to lower it.", optional=True),
    ]
    return _modal(SEVERITY_CALLBACK, "Change severity", "Change", blocks, str(incident.number))


def role_modal(incident: Incident, policy: IncidentPolicy, me: str) -> View:
    """The form that gives a role: preselects the first free one, and the person who opens it."""
    keys = {name: policy.role_meant(name) or name for name in policy.roles}
    held = {name: incident.people.roles.get(role) for name, role in keys.items()}
    choices = [_option(name.capitalize(), name) for name in policy.roles]
    free = next((n for n, name in enumerate(policy.roles) if held[name] is None), 0)
    lines = [f"*{foreign(name.capitalize(), 20)}*: {who(person)}" for name, person in held.items()]
    hint = "They are invited. If empty, nobody has the role any more."
    person = {"type": "users_select", "action_id": "person", "initial_user": me}
    blocks = [
        dict(section("\n".join(lines))),
        _input("role", "Role", _select("role", choices, choices[free])),
        _input("person", "Who", person, hint, optional=True),
    ]
    return _modal(ROLE_CALLBACK, f"Roles of {incident.name}", "Save", blocks, str(incident.number))


def cancel_modal(scene: Scene) -> View:
    """The form for canceling what was no incident of ours."""
    mine, world = scene.incident.number, scene.world
    newest = sorted(world.incidents.values(), key=lambda one: (not one.phase.open, -one.number))
    others = [_option(f"{one.name} {one.phase}: {one.title}", str(one.number)) for one in newest if one.number != mine]
    kinds = NO_INCIDENT | (WITH_ANOTHER if others else {})
    reasons = [_option(words, reason) for reason, words in kinds.items()]
    part = " A part may be taken out again." if others else ""
    about = f"*{scene.incident.name}* ends for good, without a post-mortem.{part}{still(scene)}"
    blocks = [dict(section(about)), _input("reason", "What was it?", _select("reason", reasons, reasons[0]))]
    if others:
        which = {"type": "static_select", "action_id": "other", "options": others[:MOST_OPTIONS]}
        blocks.append(_input("other", "Which other incident?", which, "Of a duplicate, or of a part.", optional=True))
    blocks.append(_input("why", "Why?", _text_input("why", TEXT_MAX, ""), optional=True))
    return _modal(CANCEL_CALLBACK, "No incident of its own", "End it", blocks, str(mine))


def switch_back_modal(scene: Scene, chosen: str = "", refused: str = "") -> View:
    """The form that sends a flag back to its default at once; it says how healthy that is now, and overrides only that.

    `chosen` is the flag that somebody chose, which then comes first, and `refused` says why they see the form again.
    """
    away = sorted(scene.flags_away, key=lambda flag: flag.key != chosen)
    told = away[:MOST_TOLD]
    marks = [mark for flag in told for mark in rest_warned(scene.world, flag)]
    flags = [_option(_named(flag, scene), shortened(flag.key, OPTION_VALUE_MAX)) for flag in away]
    which = _input("flag", "Switch back", _select("flag", flags, flags[0]))
    text = "\n".join(foreign(_goes_back(flag, scene), 300) for flag in told)
    blocks = [*_refused(refused), dict(section(text)), which]
    return _modal(SWITCH_BACK_CALLBACK, "Switch back", "Switch back", blocks, _carried(scene, marks))


def flag_chosen(value: str, keys: Iterable[str]) -> str:
    """The flag or scope that a choice in this form stands for; a value that matches none of the keys is returned unchanged."""
    return next((key for key in keys if shortened(key, OPTION_VALUE_MAX) == value), value)


def _named(flag: FlagPolicy, scene: Scene) -> str:
    name = plain_flag_name(flag.key, scene.policy)
    return name if scope_of(flag.key) else f"{name} ({flag.key})"


def _goes_back(flag: FlagPolicy, scene: Scene) -> str:
    unwell = rest_unwell(scene.world, flag, scene.policy.name_of)
    careful = f" Careful: {unwell}." if unwell else ""
    to = plain_variant_name(flag, variant_of_rest(scene.world, flag))
    return f"• {affected(flag, scene.policy)} goes back to {to} at once.{careful}"


def _open_already(incidents: Sequence[Incident], provider: str) -> list[dict[str, Any]]:
    """Open incidents: first the one for this provider, then the newest."""
    if not incidents:
        return []
    likely = sorted(incidents, key=lambda i: (not provider or i.provider != provider, -i.number))
    shown = [{**section(_one_open(i)), "accessory": join_button(i.number)} for i in likely[:MOST_JOINED]]
    more = len(likely) - len(shown)
    rest = [dict(section(f"And {count(more, 'more')}: {code('/incident list')}."))] if more else []
    return [dict(section("*Already open*: is it one of these?")), *shown, *rest]


def _one_open(incident: Incident) -> str:
    where = f" <#{incident.room.channel}>" if incident.room.channel else ""
    said = f"*{incident.name}* {incident.severity} {incident.phase}: {foreign(incident.title, 100)}{where}"
    return f"{drill_icon(incident)}{said}"


def notice_modal(text: str) -> View:
    """The result of a press in a form, in place of that form."""
    return {
        "type": "modal",
        "title": plain_text("Understudy", 24),
        "close": plain_text("Close", 24),
        "blocks": [dict(section(inert(text)))],
    }
