"""The buttons of an incident by likelihood: what awaits a yes, what people do first, the rest in a menu.

Anything that cannot be undone asks first: a switch with a question at its button, menu entries with a form (`forms`).
"""

from bot.core.decide.incident.ending import unfinished
from bot.core.decide.warned import Marks
from bot.core.model import Phase
from bot.core.policy import FlagPolicy
from bot.core.record.incident import Incident
from bot.views.blocks import Block, actions, button, confirm, menu, warning
from bot.views.flags.buttons import engage_button, step_back_button
from bot.views.flags.serving import serving
from bot.views.names import plain_flag_name
from bot.views.scene import Scene
from bot.views.text import plain, words

MOST_SWITCHES = 2  # more buttons would hide the others; `/fallback status` has all of them

MORE, REOPEN = "incident.more", "reopen"
SWITCH_BACK, RESOLVE, PHASE, SEVERITY, CANCEL, EXPORT = "back", "resolve", "phase", "severity", "cancel", "export"


def alert_buttons(scene: Scene) -> tuple[Block, ...]:
    """For the alert: acknowledge, switch, post an update, see the evidence, and the rest."""
    return _row(scene, evidence=True)


def card_buttons(scene: Scene) -> tuple[Block, ...]:
    """For the card, in the incident's own channel, where people share out the work."""
    return _row(scene, evidence=False)


def _row(scene: Scene, *, evidence: bool) -> tuple[Block, ...]:
    incident, value = scene.incident, {"incident": scene.incident.number}
    if not incident.phase.open:
        again = [reopen_button(incident)] if incident.phase is Phase.RESOLVED and incident.drill is None else []
        again += [unmerge_button(incident)] if incident.merged else []
        return actions([*again, export_button(incident)])
    row = _switches(scene)
    if not incident.people.acknowledged_by:
        row.append(button("Acknowledge", "incident.ack", value, style="" if row else "primary"))
    if incident.well:
        row.append(resolve_button(scene))
    row.append(update_button(incident))
    row.append(button("Evidence", "incident.evidence", value) if evidence else button("Roles", "incident.roles", value))
    return actions([*row, _more(scene)])


def _switches(scene: Scene) -> list[Block]:
    """What customers wait for: a switch while they are not served, or the hand-back once the default has recovered."""
    made = [one for flag in (*scene.flags, *scene.switched_scopes) if (one := _switch(flag, scene))]
    return made[:MOST_SWITCHES]


def _switch(flag: FlagPolicy, scene: Scene) -> Block | None:
    state, number = scene.world.flag(flag.key), scene.incident.number
    if state.engagement:
        return step_back_button(flag, state.engagement, scene.policy, number) if state.engagement.asked_at else None
    fares = serving(flag, scene.world, scene.policy, scene.now)
    wanted = state.proposal or (fares and fares.served is False)
    return engage_button(flag, state, scene.world, scene.policy, number) if wanted else None


def _more(scene: Scene) -> Block:
    number, away = scene.incident.number, bool(scene.flags_away)
    choices = [
        *([("Switch back…", SWITCH_BACK)] if away else []),
        *([] if scene.incident.well else [("Resolve…", RESOLVE)]),
        ("Change phase…", PHASE), ("Change severity…", SEVERITY), ("No incident, or merge…", CANCEL),
        ("Export timeline", EXPORT),  # left out if there are too many
    ]  # fmt: skip
    return menu(MORE, [(label, {"do": verb, "incident": number}) for label, verb in choices])


def resolve_button(scene: Scene) -> Block:
    """End it; the question says what still fails and who is on a fallback."""
    value = {"incident": scene.incident.number, **warning(still_warned(scene))}
    text = f"Updates end for everybody in its channel; summary and timeline are posted.{still(scene)} It can be reopened."
    question = confirm(f"Resolve {scene.incident.name}?", text, "Resolve", danger=True)
    return button("Resolve", "incident.resolve", value, confirm=question)


def still(scene: Scene) -> str:
    """What is not over yet, as plain text, for whoever is about to end it; empty if all is well."""
    left = unfinished(scene.world, scene.policy, scene.incident)
    found = left.failing if left else ()
    switched = [*(one.flag for one in (left.away if left else ())), *(flag.key for flag in scene.flags_away)]
    away = [plain_flag_name(key, scene.policy) for key in dict.fromkeys(switched)]
    parts = (
        ("Still failing", [one.name for one in found if one.level.bad]),
        ("Not known to be well", [one.name for one in found if not one.level.bad]),
        ("Still on a fallback", away),
    )
    return "".join(f" {what}: {words([plain(name, 60) for name in names], most=3)}." for what, names in parts if names)


def still_warned(scene: Scene) -> Marks:
    """What `still` warns of, which is all that a press overrides."""
    left = unfinished(scene.world, scene.policy, scene.incident)
    return left.warned if left else ()


def lead_button(incident: Incident) -> Block:
    """Makes the presser the lead, unless somebody already is."""
    return button("Take the lead", "incident.lead", {"incident": incident.number}, style="primary")


def update_button(incident: Incident) -> Block:
    """Opens the form for an update."""
    return button("Post update", "incident.update", {"incident": incident.number})


def snooze_button(incident: Incident) -> Block:
    """No reminder for half an hour."""
    return button("Snooze 30 min", "incident.snooze", {"incident": incident.number})


def reopen_button(incident: Incident) -> Block:
    """Opens the form that asks why it was not over."""
    return button("Reopen", "incident.reopen", {"incident": incident.number})


def unmerge_button(incident: Incident) -> Block:
    """Separates the incident again."""
    into = f"INC-{incident.merged.number}" if incident.merged else "the other one"
    text = f"It is open again in its own channel, and takes its components and flags out of {into}."
    question = confirm(f"Take {incident.name} out of {into}?", text, "Unmerge")
    return button("Unmerge", "incident.unmerge", {"incident": incident.number}, confirm=question)


def join_button(number: int, *, style: str = "", message: str = "") -> Block:
    """Join; the number makes its action id unique in a row, as Slack demands. A `message` is added to the timeline."""
    value = {"incident": number, **({"message": message} if message else {})}
    return button(f"Join INC-{number}", f"incident.join:{number}", value, style=style)


def repair_button(incident: Incident) -> Block:
    """Restore what is missing in Slack."""
    return button("Repair", "incident.repair", {"incident": incident.number})


def export_button(incident: Incident, format: str = "md") -> Block:
    """The timeline as a file in the channel."""
    return button("Export timeline", "incident.export", {"incident": incident.number, "format": format})
