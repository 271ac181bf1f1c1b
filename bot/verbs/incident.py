"""The verbs of an existing incident. Each row is a slash verb, a terminal command and a path of the API."""

from datetime import timedelta

from bot.core.decide.incident.naming import TITLE_CHARS
from bot.core.decide.phases import CANCEL_REASONS
from bot.core.model import Phase
from bot.core.signals.base import Signal
from bot.core.signals.incident import (
    Acknowledge,
    AddNote,
    GiveRole,
    Join,
    Merge,
    Rename,
    Repair,
    ResumeReminders,
    SayMitigated,
    SetPhase,
    SetSeverity,
    SnoozeReminders,
    TickStep,
    Unmerge,
    WriteUpdate,
)
from bot.verbs.tasks import TASK_VERBS
from bot.verbs.verb import REASON_CHARS, TEXT_CHARS, Arguments, IncidentVerb, Parameter, Sender

A_WHILE = timedelta(minutes=30)  # the length of a snooze that gives none
NEVER, OFF = "never", "off"


def join(by: Sender, given: Arguments) -> Signal:
    """Join to help."""
    return Join(by.actor, by.id, incident=by.incident)


def ack(by: Sender, given: Arguments) -> Signal:
    """Acknowledge it."""
    return Acknowledge(by.actor, by.id, incident=by.incident)


def update(by: Sender, given: Arguments) -> Signal:
    """Write an update for everybody."""
    return WriteUpdate(by.actor, by.id, incident=by.incident, text=given.text("text", TEXT_CHARS, needed=True))


def snooze(by: Sender, given: Arguments) -> Signal:
    """Postpone, turn off, or resume reminders of an overdue update."""
    wanted = given.span_or("for", (NEVER, OFF), A_WHILE)
    if wanted == OFF:
        return ResumeReminders(by.actor, by.id, incident=by.incident)
    return SnoozeReminders(by.actor, by.id, incident=by.incident, lasts=None if isinstance(wanted, str) else wanted)


def note(by: Sender, given: Arguments) -> Signal:
    """Add a line to the timeline."""
    return AddNote(by.actor, by.id, incident=by.incident, text=given.text("text", TEXT_CHARS, needed=True))


def rename(by: Sender, given: Arguments) -> Signal:
    """Change its title."""
    return Rename(by.actor, by.id, incident=by.incident, title=given.text("title", TITLE_CHARS, needed=True))


def repair(by: Sender, given: Arguments) -> Signal:
    """Restore what is missing in Slack."""
    return Repair(by.actor, by.id, incident=by.incident)


def mitigated(by: Sender, given: Arguments) -> Signal:
    """Say that customers are served, or that they no longer are."""
    over, reason = given.truth(OFF), given.text("reason", REASON_CHARS)
    return SayMitigated(by.actor, by.id, incident=by.incident, reason=reason, over=over)


def step(by: Sender, given: Arguments) -> Signal:
    """Tick off a runbook step."""
    number = given.number("step")
    return TickStep(by.actor, by.id, incident=by.incident, step=number, off=given.truth(OFF))


def severity(by: Sender, given: Arguments) -> Signal:
    """Set the severity."""
    severity, reason = given.severity("severity"), given.text("reason", REASON_CHARS)
    return SetSeverity(by.actor, by.id, incident=by.incident, severity=severity, reason=reason)


def role(by: Sender, given: Arguments) -> Signal:
    """Give a role, or take it away."""
    role = given.role()
    return GiveRole(by.actor, by.id, incident=by.incident, role=role, to=given.holder(role, by.actor))


def merge(by: Sender, given: Arguments) -> Signal:
    """Merge it into another one."""
    into = given.other("into", by.incident)
    return Merge(by.actor, by.id, incident=by.incident, into=into, reason=given.text("reason", REASON_CHARS))


def unmerge(by: Sender, given: Arguments) -> Signal:
    """Separate it again."""
    return Unmerge(by.actor, by.id, incident=by.incident, reason=given.text("reason", REASON_CHARS))


def phase(by: Sender, given: Arguments) -> Signal:
    """Move to another phase."""
    phase = given.choice("phase", Phase)
    force, reason = given.truth("force", typed=phase is Phase.RESOLVED), given.text("reason", REASON_CHARS)
    if phase is Phase.CANCELED and (word := reason.lower().replace(" ", "-")) in CANCEL_REASONS:
        reason = word
    return SetPhase(by.actor, by.id, incident=by.incident, phase=phase, reason=reason, force=force)


def resolve(by: Sender, given: Arguments) -> Signal:
    """End it."""
    force, reason = given.truth("force"), given.text("reason", REASON_CHARS)
    return SetPhase(by.actor, by.id, incident=by.incident, phase=Phase.RESOLVED, reason=reason, force=force)


def reopen(by: Sender, given: Arguments) -> Signal:
    """Say that it was not over."""
    reason = given.text("reason", REASON_CHARS)
    return SetPhase(by.actor, by.id, incident=by.incident, phase=Phase.INVESTIGATING, reason=reason, reopens=True)


def cancel(by: Sender, given: Arguments) -> Signal:
    """Cancel it: it was no incident."""
    reason, of, why = given.kind("reason", CANCEL_REASONS), given.maybe("of"), given.text("why", REASON_CHARS)
    return SetPhase(
        by.actor, by.id, incident=by.incident, phase=Phase.CANCELED, reason=reason, duplicate_of=of, why=why
    )  # fmt: skip


VERBS: tuple[IncidentVerb, ...] = (
    IncidentVerb(
        "join",
        "[INC-7]",
        "join to help",
        join,
        help="Join to help; the timeline records it.",
    ),
    IncidentVerb("ack", "[INC-7]", "acknowledge it: you are working on it", ack),
    IncidentVerb(
        "update",
        "[INC-7] TEXT",
        "tell everybody; without text a form opens",
        update,
        (Parameter("text"),),
        help="Post an update for everybody; the interval to the next one starts again.",
    ),
    IncidentVerb(
        "snooze",
        "[INC-7] [30m|never|off]",
        "postpone reminders of overdue updates; `off` turns them on again",
        snooze,
        (Parameter("for", needed=False),),
        help="Postpone reminders of overdue updates by 30m or 2h, or until somebody writes one (never); off: remind again.",
    ),
    IncidentVerb("note", "[INC-7] TEXT", "add a line to the timeline", note, (Parameter("text"),)),
    IncidentVerb("rename", "[INC-7] TITLE", "give it another title", rename, (Parameter("title"),)),
    *TASK_VERBS,
    IncidentVerb(
        "step",
        "[INC-7] 2 [off]",
        "step 2 of the runbook is done; `off`: it is not",
        step,
        (Parameter("step"),),
        told_at="tasks",
        help="Say that a step of the runbook is done, by its number, or with --off that it is not.",
        may=(OFF,),
    ),
    IncidentVerb(
        "severity",
        "[INC-7] [SEV2] [REASON]",
        "set the impact on us, SEV1 to SEV4",
        severity,
        (Parameter("severity"), Parameter("reason", needed=False)),
    ),
    IncidentVerb(
        "role",
        "[INC-7] [lead @ana]",
        "give somebody a role; `none` takes it away",
        role,
        (Parameter("role"), Parameter("to")),
        help="Give somebody a role, such as lead: me, a login, a Slack user id, or none.",
    ),
    IncidentVerb(
        "repair",
        "[INC-7]",
        "restore what is missing in Slack",
        repair,
        help="Restore what failed or was removed in Slack: channel, card, pin, topic, bookmarks, invitations, alert.",
    ),
    IncidentVerb(
        "mitigated",
        "[INC-7] [off] [REASON]",
        "customers are served, whatever the phase; `off`: no longer",
        mitigated,
        (Parameter("reason", needed=False),),
        help="Say that customers are served, whatever the phase is, or with --off that they no longer are.",
        may=(OFF,),
    ),
    IncidentVerb(
        "phase",
        "[INC-7] [identified] [REASON]",
        "move to another phase",
        phase,
        (Parameter("phase"),),
        asks=True,
    ),
    IncidentVerb(
        "resolve",
        "[INC-7] [force] [REASON]",
        "end it; summary and timeline are posted. Asks first while something fails",
        resolve,
        (Parameter("reason", needed=False),),
        asks=True,
    ),
    IncidentVerb(
        "merge",
        "[INC-8] into INC-7 [REASON]",
        "make it part of another one, which continues",
        merge,
        (Parameter("into"), Parameter("reason", needed=False)),
    ),
    IncidentVerb(
        "unmerge",
        "INC-8 [REASON]",
        "make it an incident of its own again",
        unmerge,
        (Parameter("reason", needed=False),),
    ),
    IncidentVerb("reopen", "[INC-7] [REASON]", "open it again: it was not over", reopen, (Parameter("reason", needed=False),)),
    IncidentVerb(
        "cancel",
        "[INC-7] [false-alarm] [WHY]",
        "end it as no incident: false-alarm, duplicate of INC-4, external or drill",
        cancel,
        (Parameter("reason"), Parameter("of", needed=False, option=True), Parameter("why", needed=False, option=True)),
        help="End it because it was no incident: false-alarm, duplicate (with --of INC-4), external or drill; --why explains.",
    ),
)
