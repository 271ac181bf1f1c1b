"""One message per fact, for the incident's channel as things happen. Each names the person or rule."""

from collections.abc import Sequence

from bot.core.decide.cadence import update_every
from bot.core.model import LEAD, FeedState, Level, Phase
from bot.core.policy import Policy
from bot.core.record.course.merge_facts import DuplicateFound, Merged, PartGivenBack, PartTaken, Unmerged
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.course.runbook_facts import StepTicked
from bot.core.record.drills.drill_facts import DrillEnded
from bot.core.record.entry_facts import MessageAdded
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident, SourceMessage
from bot.core.record.incident_facts import (
    Acknowledged,
    ComponentJoined,
    ComponentMoved,
    LeadAsked,
    NoteAdded,
    PhaseChanged,
    ResolveAsked,
    ResponderJoined,
    RoleChanged,
    SeverityChanged,
    UpdateWritten,
)
from bot.core.record.paging_facts import PageLost, PageOutcome
from bot.core.record.provider_facts import FeedChanged, NoticeListedAgain, NoticeSeen, NoticeUnlisted, PageFlooded
from bot.core.record.reminder_facts import RemindersResumed, RemindersSnoozed, UpdateOverdue
from bot.core.record.room.room_facts import ChannelRefused, GivenUp
from bot.core.record.world import World
from bot.ports import Message
from bot.timeline.effects import EFFECT_NAMES
from bot.timeline.entries import links as entry_links
from bot.timeline.rows import rows
from bot.views.blocks import Block, actions, section
from bot.views.component_messages import finding
from bot.views.flags.fact_messages import flag_fact_line
from bot.views.flags.rehearsals import rehearsal_fact
from bot.views.flags.sinks import sink_fact
from bot.views.incident import paging
from bot.views.incident.buttons import (
    lead_button,
    reopen_button,
    repair_button,
    resolve_button,
    unmerge_button,
)
from bot.views.incident.ending import canceled_words
from bot.views.incident.tasks import task_fact
from bot.views.incident.texts import refusal
from bot.views.incident.updates import reminder
from bot.views.limits import fit
from bot.views.names import ICONS, component_name, page_of, plain_names
from bot.views.scene import Scene
from bot.views.text import by, capital, clock, count, foreign, how, link, quote, retold, span, spoken, stop, who, words

DRILL_MARK = "🔵 DRILL · "
FactMessage = tuple[str, str, list[Block]]  # notification, mrkdwn, buttons


def fact_line(fact: Fact, world: World, policy: Policy) -> Message:
    """The message about a fact; kinds without a wording of their own use the timeline's."""
    if fact.kind.startswith("flag.rehears"):
        return rehearsal_fact(fact, world, policy)
    if fact.kind.startswith(("flag.", "automation.")):
        return flag_fact_line(fact, world, policy)
    if of_sink := sink_fact(fact, policy):
        return fit(Message(spoken(of_sink[0]), (section(of_sink[1]),)))
    incident = world.incidents.get(fact.incident) if fact.incident is not None else None
    if isinstance(fact.body, ChannelRefused) and incident is not None:
        return refusal(incident, fact.body.reason, policy)
    scene = Scene(incident, world, policy, fact.at) if incident else None
    said = _of_vendor(fact, policy) or _of_people(fact, policy, incident) or _of_course(fact, policy, scene)
    said = said or (task_fact(fact, incident) if incident else None)
    found = finding(fact, policy)
    text, body, buttons = said or (found and (*found, [])) or _as_in_the_timeline(fact, policy)
    if incident and incident.drill and not text.startswith("🔵") and "DRILL" not in text:
        text, body = DRILL_MARK + text, DRILL_MARK + body  # phones show this line alone
    return fit(Message(text, (section(body), *actions(buttons))))


def _as_in_the_timeline(fact: Fact, policy: Policy) -> FactMessage:
    row = rows([fact], plain_names(policy))[0]
    text = foreign(row.text, 1200) + (f": {retold(row.reason, 600)}" if row.reason else "")
    return text, f"{text} ({how(fact.actor)})", []


def _of_vendor(fact: Fact, policy: Policy) -> FactMessage | None:
    match fact.body:
        case NoticeSeen(notice=n):
            page = page_of(policy, n.provider)
            text = f"{page}: {foreign(n.title, 160)} ({foreign(n.status, 40)})"
            states = ", ".join(foreign(word, 40) for word in (n.status, n.impact) if word.strip())
            body = f"*{page}* ({clock(n.at, fact.at)}): *{foreign(n.title, 200)}* ({states})"
            if n.body.strip():
                body += f"\n{quote(n.body, 1500)}"
            return text, body + (f"\n{link(n.url, 'On the page')}" if n.url else ""), []
        case NoticeUnlisted() as b:
            said = f"{page_of(policy, b.provider)} no longer shows “{foreign(b.title, 160)}”, without saying that it is over"
            return f"{said}.", f"{said} (last: {foreign(b.status, 40)}).", []
        case NoticeListedAgain() as b:
            said = f"{page_of(policy, b.provider)} shows “{foreign(b.title, 160)}” again."
            return said, said, []
        case PageFlooded() as b:
            more = f"{page_of(policy, b.provider)} shows {b.count:,} more updates at once. They are on the page, not here."
            return more, more, []
        case FeedChanged() as b:
            page, why = page_of(policy, b.provider), foreign(b.reason, 300)
            words_for = {
                FeedState.FRESH: f"{page} can be read again.",
                FeedState.STALE: f"{page} cannot be read; we keep what it last said. {why}",
                FeedState.UNKNOWN: f"{page} has not been read. {why}",
            }
            return words_for[b.state], words_for[b.state], []
    return None


def _of_people(fact: Fact, policy: Policy, incident: Incident | None) -> FactMessage | None:
    match fact.body:
        case Acknowledged():
            return _plain(f"{who(fact.actor)} acknowledged {_name(incident)}.")
        case ResponderJoined():
            return _plain(f"{who(fact.actor)} joined to help.")
        case RoleChanged() as b:
            return _role(fact, b, incident)
        case LeadAsked() if incident:
            noticed = incident.people
            at = f" at {clock(noticed.acknowledged_at, fact.at)}" if noticed.acknowledged_at else ""
            said = f"*Nobody leads {incident.name} yet.* Acknowledged by {who(noticed.acknowledged_by)}{at}."
            return spoken(said), said, _take_the_lead(incident)
        case NoteAdded(text=words_):
            return f"Note: {foreign(words_, 300)}", f"Note {by(fact.actor)}:\n{quote(words_, 2000)}", []
        case MessageAdded(message=message):
            return _added(message, fact)
        case SeverityChanged() as b:
            every = update_every(incident, policy.incidents) if incident and incident.severity is b.severity else None
            pace = f" Updates come every {span(every)}." if every else ""
            raised = "⬆️ " if b.severity.is_worse_than(b.previous) else ""
            said = f"{raised}{_name(incident)} is *{b.severity}* now, was {b.previous} ({how(fact.actor)}).{_reason(b.reason)}"
            return spoken(said), f"{said}{pace}", []
        case RemindersSnoozed(until=until):
            end = f"until {clock(until, fact.at)}" if until else "until somebody writes one"
            return _plain(f"{who(fact.actor)} snoozed reminders of overdue updates {end}.")
        case RemindersResumed():
            return _plain(f"{who(fact.actor)} turned reminders of overdue updates on again.")
        case UpdateWritten() as b:
            text = f"Update {b.slot} of {_name(incident)}" + (f": {foreign(b.text, 300)}" if b.text else "")
            return (
                text,
                f"Update {b.slot} of {_name(incident)} {by(fact.actor)}" + (f"\n{quote(b.text, 2000)}" if b.text else ""),
                [],
            )
    return None


def _role(fact: Fact, b: RoleChanged, incident: Incident | None) -> FactMessage:
    has = f"leads {_name(incident)}" if b.role == LEAD else f"is {foreign(b.role, 20)} for {_name(incident)}"
    if b.person:
        before = f", taking over from {who(b.previous)}" if b.previous else ""
        by_whom = "" if fact.actor in (b.person, b.previous) else f" ({how(fact.actor)})"
        return _plain(f"{who(b.person)} {has} now{before}{by_whom}.")
    said = (
        f"Nobody {has} any more: {stop(retold(b.reason, 200))}" if b.reason else f"Nobody {has} any more ({how(fact.actor)})."
    )
    return said, said, _take_the_lead(incident) if b.role == LEAD else []


def _take_the_lead(incident: Incident | None) -> list[Block]:
    """A button to take the lead, unless somebody already has."""
    vacant = incident is not None and incident.phase.open and incident.people.lead is None
    return [lead_button(incident)] if vacant and incident else []


def _added(message: SourceMessage, fact: Fact) -> FactMessage:
    """A message from elsewhere, for people in the incident's channel."""
    said = message.text or ", ".join(file.name for file in message.files) or "(no text)"
    links = " · ".join(link(url, name) for name, url in entry_links(message))
    written = clock(message.written_at, fact.at)
    head = f"{who(fact.actor)} added to the timeline what {who(message.author)} wrote ({written}):"
    return f"Added to the timeline: {foreign(said, 300)}", "\n".join(filter(None, [head, quote(said, 2000), links])), []


def _plain(text: str) -> FactMessage:
    return text, text, []


def _name(incident: Incident | None) -> str:
    return incident.name if incident else "the incident"


def _of_course(fact: Fact, policy: Policy, scene: Scene | None) -> FactMessage | None:
    incident = scene.incident if scene else None
    match fact.body:
        case ComponentJoined() as b:
            since = f", since {clock(b.began_at, fact.at)}" if b.began_at else ""
            said = f"{ICONS[b.level]} *{component_name(policy, b.component)} is {b.level} too*{since}. {_why(b.reason)}"
            return spoken(said), said, []
        case ComponentMoved() as b:
            return _moved(fact, b, policy, incident)
        case PhaseChanged() as b:
            return _phase(fact, b, incident)
        case StepTicked() as b:
            mark, what = ("☑", "is done") if b.done else ("☐", "is not done after all")
            return _plain(f"{mark} Step {b.step} {what} ({how(fact.actor)}): {stop(foreign(b.text, 160))}")
        case Merged(into=into) as b:
            where = _room(scene.world.incidents.get(into) if scene else None, f"INC-{into}")
            said = f"*{_name(incident)} is part of INC-{into} now* ({how(fact.actor)}).{_reason(b.reason)} Continue in {where}."
            return spoken(said), said, [unmerge_button(incident)] if incident and incident.merged else []
        case Unmerged() as b:
            said = f"*{_name(incident)} is its own incident again*: {b.phase} ({how(fact.actor)}).{_reason(b.reason)}"
            return spoken(said), said, []
        case PartTaken() as b:
            brings = _along(b.components, b.tasks, policy, " It brings ")
            said = (
                f"*INC-{b.number} is part of {_name(incident)} now* ({how(fact.actor)}): {stop(foreign(b.title, 120))}{brings}"
            )
            return spoken(said), said, []
        case DuplicateFound() as b:
            said = f"*INC-{b.number} was a duplicate of {_name(incident)}* ({how(fact.actor)}): {stop(foreign(b.title, 120))}"
            return spoken(said), said, []
        case PartGivenBack() as b:
            takes = _along(b.components, b.tasks, policy, " It took ", " with it.")
            said = f"*INC-{b.number} was taken out of {_name(incident)}* ({how(fact.actor)}).{takes}"
            return spoken(said), said, []
        case Mitigated() as b:
            return _served_again(fact, b.reason)
        case MitigationLost() as b:
            said = f"🔴 *Customers are no longer served* ({how(fact.actor)}).{_reason(b.reason)}"
            return spoken(said), said, []
        case DrillEnded(reason=reason):
            todo = " Resolve it when you are done; then the report follows." if incident and incident.phase.open else ""
            return _plain(f"🔵 The drill is over ({how(fact.actor)}): {stop(retold(reason, 200))}{todo}")
        case UpdateOverdue(since=since) if scene:
            said, buttons = reminder(scene, since)
            return spoken(said), said, buttons
        case ResolveAsked() as b if scene and incident:
            said = f"*Is {incident.name} over?*{_reason(b.reason)}"
            return spoken(said), said, _if_open(scene)
        case (PageOutcome() | PageLost()) as b if incident:
            return paging.failed(incident, b), paging.failed(incident, b), []
        case GivenUp() as b:
            to = b.key.partition("/broadcast/")[2].partition("/")[0]
            what = EFFECT_NAMES.get(b.what, b.what) + (f" to {to}" if to else "")
            who_failed = "Understudy itself failed at" if b.ours else "Slack did not accept"
            text = f"{_name(incident)}: {who_failed} {foreign(what, 80)}: {retold(b.reason, 400)}"
            more = "The log has the details" if b.ours else "`understudy doctor` shows what Slack needs"
            todo = f"The timeline has what happened. {more}; *Repair* tries again."
            return text, f"{text}\n{todo}", [repair_button(incident)] if incident else []
    return None


def _moved(fact: Fact, b: ComponentMoved, policy: Policy, incident: Incident | None) -> FactMessage:
    name, since = component_name(policy, b.component), clock(b.began_at, fact.at)
    if b.again and incident:
        stays = f"{incident.name} stays {incident.phase}, which a person chose."
        said = f"{ICONS[b.level]} *{name} is {b.level} again* (since {since}). {_why(b.reason)} {stays}"
        return spoken(said), said, []
    if b.level is not Level.OPERATIONAL:
        said = f"{ICONS[b.level]} *{name} is {b.level}* (since {since}; {b.previous} before). {_why(b.reason)}"
        return spoken(said), said, []
    others = [component_name(policy, a.id) for a in incident.failing if a.id != b.component] if incident else []
    rest = (
        f"{words(others)} still {'fails' if len(others) == 1 else 'fail'}."
        if others
        else "Everything in this incident works again."
    )
    said = f"🟢 *{name} is back* (since {since}). {rest}"
    return spoken(said), said, []


def _served_again(fact: Fact, reason: str) -> FactMessage:
    """By which switch, or according to whom."""
    why = f"{':* ' if reason.strip() else '* '}{retold(reason.strip().rstrip('.'), 300)}".rstrip()
    said = f"🟢 *Customers are served again{why} ({how(fact.actor)})."
    return spoken(said), said, []


def _phase(fact: Fact, b: PhaseChanged, incident: Incident | None) -> FactMessage:
    if b.phase is Phase.MITIGATED:
        return _served_again(fact, b.reason)
    name = _name(incident)
    over = incident is not None and incident.phase is b.phase and b.phase is Phase.RESOLVED and incident.drill is None
    buttons = [reopen_button(incident)] if over and incident else []
    match b.move:
        case "relapse":
            said = f"🔴 *It fails again.* {name} is back to {b.phase} ({how(fact.actor)}).{_reason(b.reason)}"
        case "cancel":
            was = canceled_words(b.reason, b.duplicate_of)
            said = f"*{name} is canceled* ({how(fact.actor)}): it was {was}.{_reason(b.why)}"
        case "reopen":
            said = f"*{name} was reopened* ({how(fact.actor)}).{_reason(b.reason)}"
        case _:
            said = f"{'🟢 ' if b.phase is Phase.RESOLVED else ''}*{name} is {b.phase}* ({how(fact.actor)}).{_reason(b.reason)}"
    return spoken(said), said, buttons


def _names(components: Sequence[str], policy: Policy, before: str, after: str = ".") -> str:
    return f"{before}{words([component_name(policy, id) for id in components])}{after}" if components else ""


def _along(components: Sequence[str], tasks: int, policy: Policy, before: str, after: str = ".") -> str:
    """The components and the number of open tasks that move with a part."""
    what = [component_name(policy, id) for id in components] + ([count(tasks, "open task")] if tasks else [])
    return f"{before}{words(what)}{after}" if what else ""


def _room(incident: Incident | None, name: str) -> str:
    """Where people continue, as a link if there is a channel."""
    return f"<#{incident.room.channel}>" if incident and incident.room.channel else name


def _if_open(scene: Scene) -> list[Block]:
    return [resolve_button(scene)] if scene.incident.phase.open else []


def _reason(reason: str) -> str:
    return f" {stop(capital(retold(reason, 300)))}" if reason.strip() else ""


def _why(reason: str) -> str:
    return stop(capital(foreign(reason, 240)))
