"""What alert and card have in common: the facts of an incident as blocks, and its buttons."""

from bot.core.model import Level, Phase
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.views.blocks import Block, actions, button, confirm, section
from bot.views.component_messages import blind_line
from bot.views.flags.board import flag_buttons, flag_line, short_flag_line
from bot.views.names import (
    evidence_lines,
    fault_words,
    headline,
    lag_words,
    notices_for,
    page_words,
)
from bot.views.scene import Scene
from bot.views.text import by, code, foreign, plain, span, stop, utc, when, who, words

MOST_FLAGS = 5


def first_words(scene: Scene) -> str:
    """The one line that a phone shows."""
    incident, policy = scene.incident, scene.policy
    if not incident.phase.open:
        return over_words(incident, policy)
    away = [short_flag_line(flag, scene.world) for flag in scene.flags_away]
    flags = f". {words(away, most=3)}" if away else ""
    state = f"{incident.name} {incident.severity} {incident.phase}"
    return f"{state}: {headline(incident, policy)}, since {utc(incident.began_at, scene.now)}{flags}"


def over_words(incident: Incident, policy: Policy) -> str:
    """`INC-7 resolved after 4 h 10 min`, and what it was."""
    title = foreign(incident.title, 150)
    if incident.ending.at is None:
        return f"{incident.name} is {incident.phase}: {title}"
    if incident.phase is Phase.CANCELED:
        return f"{incident.name} was canceled at {utc(incident.ending.at)} ({foreign(incident.ending.reason, 80)}): {title}"
    took = span(incident.ending.at - incident.began_at)
    return f"{incident.name} resolved at {utc(incident.ending.at)} after {took}: {title}"


def happening(scene: Scene) -> list[Block]:
    """What fails, the evidence, whose fault it is, what the vendor says."""
    incident, world, policy = scene.incident, scene.world, scene.policy
    failing = [a.id for a in incident.failing if a.level is not Level.UNKNOWN] or [a.id for a in incident.failing]
    what = "What failed" if incident.well else "What fails" if incident.affected else "What it is about"
    blocks = [section(f"*{what}*, since {when(incident.began_at)}\n{scene.component_lines}")]
    evidence = evidence_lines(failing, world, policy)
    if evidence:
        blocks.append(section(f"*Evidence*\n{evidence}"))
    lines = [blind] if (blind := blind_line(world)) else []
    lines += [f"*Theirs or ours*: {fault_words(failing, world)}."] if failing else []
    if incident.provider:
        lines.append(f"*What the vendor says*: {page_words(incident.provider, notices_for(incident, world), world, policy)}")
        lines += [lag] if (lag := lag_words(incident)) else []
    return [*blocks, section("\n".join(lines))] if lines else blocks


def touched(scene: Scene) -> list[Block]:
    """Which flags, and with them which services, it touches, and what was switched."""
    flags = scene.flags
    if not flags:
        return [section(f"*Services*: no flag depends on what fails here.{_fallbacks(scene)}")]
    lines = [f"• {flag_line(flag, scene.world)}" for flag in flags[:MOST_FLAGS]]
    if len(flags) > MOST_FLAGS:
        lines.append(f"• {len(flags) - MOST_FLAGS} more flags: `/fallback status`")
    return [section("*Services and what they use*\n" + "\n".join(lines))]


def _fallbacks(scene: Scene) -> str:
    """The way out of another trouble may lead through here."""
    lost = [
        f"{foreign(one.variant, 60)} of {code(flag.key)}"
        for flag in scene.policy.flags.values()
        for one in flag.fallbacks
        if one.needs in scene.incident.affected
    ]
    return f" {'A fallback does' if len(lost) == 1 else 'Fallbacks do'}: {words(lost, most=3)}." if lost else ""


def standing(incident: Incident) -> str:
    """Severity, phase, who acknowledged it, who has which role, who declared it."""
    roles = "".join(f" · {role} {who(person)}" for role, person in incident.people.roles.items())
    declared = f"declared {when(incident.declared_at)} {by(incident.declared_by)}"
    return f"*{incident.severity}* · phase *{incident.phase}* · {acknowledged(incident)}{roles} · {declared}"


def acknowledged(incident: Incident) -> str:
    """Who acknowledged it, or that nobody did; for mrkdwn."""
    by_whom = incident.people.acknowledged_by
    return f"acknowledged by {who(by_whom)}" if by_whom else "*nobody has acknowledged it yet*"


def record(incident: Incident) -> str:
    """The line that takes the buttons' place when it is over: when, by whom, after how long; empty while it runs."""
    if incident.ending.at is None:
        return ""
    took = f" It took {span(incident.ending.at - incident.began_at)}, since {when(incident.began_at)}."
    reason = f": {foreign(incident.ending.reason, 300)}" if incident.ending.reason else ""
    ended = f"*{incident.phase.capitalize()}* {when(incident.ending.at)} {by(incident.ending.by)}"
    return stop(f"{ended}{reason}") + ("" if incident.phase is Phase.CANCELED else took)


def incident_buttons(scene: Scene) -> tuple[Block, ...]:
    """What a person can do now: acknowledge it, switch flags, end it; after it is over, reopen it."""
    incident = scene.incident
    value = {"incident": incident.number}
    if not incident.phase.open:
        return actions([reopen_button(incident)]) if incident.phase is Phase.RESOLVED else ()
    buttons = [] if incident.people.acknowledged_by else [button("Acknowledge", "incident.ack", value, style="primary")]
    for flag in scene.flags[:MOST_FLAGS]:
        buttons += flag_buttons(flag, scene.world, incident.number, name_of=scene.policy.name_of)
    return actions([*buttons, resolve_button(scene)])


def resolve_button(scene: Scene) -> Block:
    """End it; the question says what still fails and who is on a fallback."""
    incident, names = scene.incident, scene.names
    failing = [plain(names.get(a.id, a.id), 60) for a in incident.failing]
    away = [plain(flag.key, 60) for flag in scene.flags_away]
    still = f" Still not well: {words(failing, most=3)}." if failing else ""
    kept = f" Still on a fallback: {words(away, most=3)}." if away else ""
    text = f"Updates end for everybody in its channel; summary and timeline are posted.{still}{kept} It can be reopened."
    question = confirm(f"Resolve {incident.name}?", text, "Resolve", danger=True)
    value = {"incident": incident.number, **({"force": True} if failing or away else {})}  # it was asked and said here
    return button("Resolve incident", "incident.resolve", value, style="danger", confirm=question)


def reopen_button(incident: Incident) -> Block:
    """It was not over."""
    text = "Updates start again for everybody in its channel, and the components are looked at anew."
    question = confirm(f"Reopen {incident.name}?", text, "Reopen")
    return button("Reopen incident", "incident.reopen", {"incident": incident.number}, confirm=question)


def export_button(incident: Incident, format: str = "md") -> Block:
    """The timeline as a file in the channel."""
    return button("Export timeline", "incident.export", {"incident": incident.number, "format": format})
