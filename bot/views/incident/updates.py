"""The hourly update and the summary at the end."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.model import Actor, ActorKind, Phase
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.fact import Fact, OfFlag
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import (
    ComponentJoined,
    ComponentMoved,
    Declared,
    LeadAsked,
    PhaseChanged,
    ResolveAsked,
    TitleChanged,
    UpdateWritten,
)
from bot.core.record.paging_facts import Paged, PageHeld, PageLost
from bot.core.record.provider_facts import NoticeSeen
from bot.core.record.reminder_facts import RemindersResumed, RemindersSnoozed
from bot.core.record.room.room_facts import ChannelOpened, Repaired
from bot.core.record.task_facts import TaskChanged
from bot.ports import Message
from bot.timeline.durations import Durations, durations
from bot.timeline.story import story
from bot.views.blocks import Block, actions, section
from bot.views.incident.buttons import export_button, reopen_button, snooze_button, update_button
from bot.views.incident.customers import served_line
from bot.views.incident.drill import drill_summary
from bot.views.incident.ending import over_lines, over_words
from bot.views.incident.evidence import component_line, worst_first
from bot.views.incident.head import customers
from bot.views.incident.tasks import left_over
from bot.views.limits import fit
from bot.views.names import component_name, drill_mark, flag_name, notice_words, page_of, state_words, variant_name
from bot.views.scene import Scene
from bot.views.text import clock, code, count, foreign, quote, retold, span, stop, utc, who

MOST_EVENTS = 2
MOST_STATES = 4
# Facts left out of updates, besides bookkeeping: updates, questions, and what a later fact says better.
NOT_NEWS: tuple[type, ...] = (
    ChannelOpened, UpdateWritten, VerdictChanged, Declared, Repaired, Paged, PageHeld, PageLost, RemindersSnoozed,
    RemindersResumed, LeadAsked, ResolveAsked, TaskChanged,
)  # fmt: skip

# Facts already shown by the lines about components, customers and the vendor.
SHOWN = (ComponentJoined, ComponentMoved, OfFlag, NoticeSeen)


def update(
    scene: Scene, *, slot: int, text: str, missed: int, since_facts: Sequence[Fact], author: Actor | None = None,
    overdue: datetime | None = None,
) -> Message:  # fmt: skip
    """What everybody should know now, and when the next update is due; one line if nothing changed.

    `text` is by a person (`author`), empty for the bot's own. `since_facts` are the facts since the last update. `missed`
    updates before this one were not sent. `overdue`: since when no person has written one, if this carries the reminder.
    """
    incident, now, due = scene.incident, scene.now, scene.next_update_at
    title, state = f"{drill_mark(incident)}Update {slot} of {incident.name}", state_words(incident, scene.policy)
    coming = f"Next update by {clock(due, now)}." if due else f"At {incident.severity} updates come on change."
    heard = f"Next update by {utc(due, now)}." if due else ""
    news = [fact for fact in since_facts if _is_news(fact)]
    told, running = [_missed(missed)] if missed else [], span(now - incident.began_at)
    reminded, buttons = reminder(scene, overdue) if overdue else ("", [])
    asked = [*_asked(scene), reminded]
    if not text and not news:
        parts = [f"*{title}*: nothing new after {running}.", stop(state), customers(scene), *told, *asked, coming]
        body = section(" ".join(filter(None, parts)))
        return fit(Message(f"{title}: nothing new. {stop(state)} {heard}".strip(), (body, *actions(buttons))))
    said = f"{stop(foreign(text, 200))} " if text else ""
    lines = [f"*{title}* · {incident.severity} · {incident.phase}, {running} in"]
    lines += [f"{who(author)} writes:\n{quote(text, 2500)}"] if text else []
    lines += [*told, *known_lines(scene, news), *asked, f"*{coming}*"]
    body = section("\n".join(filter(None, lines)))
    return fit(Message(f"{title}: {said}{stop(state)} {heard}".strip(), (body, *actions(buttons))))


def reminder(scene: Scene, since: datetime) -> tuple[str, list[Block]]:
    """A reminder that no person has written an update since then, with buttons."""
    incident, speaker = scene.incident, scene.incident.people.speaker
    asked = f"{who(speaker)}: " if speaker else ""
    said = f"{asked}no person has written an update for {span(scene.now - since)}."
    return said, [update_button(incident), snooze_button(incident)] if incident.phase.open else []


def known_lines(scene: Scene, since_facts: Sequence[Fact]) -> list[str]:
    """What every update says anyway: states, whether customers are served, the vendor's latest, what happened."""
    news = [fact for fact in since_facts if _is_news(fact)]
    lines = [*_states(scene), customers(scene), *_vendor(news, scene), *_events(news, scene)]
    return [line for line in lines if line]


def _missed(slots: int) -> str:
    before = f"{count(slots, 'update')} before this one {'was' if slots == 1 else 'were'} missed"
    return f"{before}: the bot was not running or could not write."


def _states(scene: Scene) -> list[str]:
    order = worst_first(scene)
    more = [f"{count(len(order) - MOST_STATES, 'more component')}: `/health`"] if len(order) > MOST_STATES else []
    return [*(component_line(one, scene) for one in order[:MOST_STATES]), *more]


def _vendor(news: Sequence[Fact], scene: Scene) -> list[str]:
    """The vendor's latest update, if it is new."""
    said = [fact.body.notice for fact in news if isinstance(fact.body, NoticeSeen)]
    if not said:
        return []
    return [f"{page_of(scene.policy, said[-1].provider)}: {notice_words(said[-1], now=scene.now, most=100)}"]


def _events(news: Sequence[Fact], scene: Scene) -> list[str]:
    """What happened since the last update, except what the states of components and flags already say."""
    fresh = [fact for fact in news if not isinstance(fact.body, SHOWN) and not _follows(fact)]
    told = story(fresh, scene.names)
    left = [f"• {len(told) - MOST_EVENTS} earlier: `/incident timeline`"] if len(told) > MOST_EVENTS else []
    shown = [f"• {clock(row.at, scene.now)} {retold(row.sentence, 100)}" for row in told[-MOST_EVENTS:]]
    return ["Since the last update:", *left, *shown] if shown else []


def _is_news(fact: Fact) -> bool:
    """False for what the bot did for itself, such as adapting the title."""
    own = fact.body.BOOKKEEPING or isinstance(fact.body, NOT_NEWS)
    return not own and not (isinstance(fact.body, TitleChanged) and fact.actor.kind is ActorKind.RULE)


def _follows(fact: Fact) -> bool:
    """Whether a rule's fact follows from the lines above: the phase, and whether customers are served."""
    return isinstance(fact.body, PhaseChanged | Mitigated | MitigationLost) and fact.actor.kind is ActorKind.RULE


def _asked(scene: Scene) -> list[str]:
    """What waits for a person, with what to press or type."""
    incident, asked = scene.incident, []
    if not incident.people.acknowledged_by:
        asked.append(
            f"Nobody has acknowledged this: press *Acknowledge* on the alert, or {code(f'/incident ack {incident.name}')}."
        )
    for flag in (*scene.flags, *scene.switched_scopes):
        state, name = scene.world.flag(flag.key), flag_name(flag.key, scene.policy)
        if state.engagement and state.engagement.asked_at:
            asked.append(f"Switching {name} back waits for your yes, in the channel.")
        elif state.proposal:
            to = variant_name(flag, state.proposal.variant)
            asked.append(f"To switch {name} to {to}: {code(f'/fallback engage {flag.key} {state.proposal.variant}')}.")
    if incident.ending.asked_at:
        asked.append(f"Is it over? {code(f'/incident resolve {incident.name}')}.")
    return asked


# --- the end


def summary(scene: Scene, facts: Sequence[Fact]) -> Message:
    """How long it was, who noticed first, what customers felt, how long flags were switched, and who writes the post-mortem."""
    if scene.incident.drill:
        return drill_summary(scene, facts)
    incident = scene.incident
    took = durations(incident, facts)
    lines = [
        *over_lines(scene)[:2],
        _noticed(took, scene),
        _served(took, scene),
        served_line(incident.served, scene.policy, most=1),
        *_outages(took, scene),
        *_away(took, scene),
        _counts(took, scene),
        left_over(scene),
        _write_up(incident),
    ]
    buttons = [reopen_button(incident), export_button(incident)] if incident.phase is Phase.RESOLVED else []
    return fit(Message(over_words(incident), (section("\n".join(line for line in lines if line)), *actions(buttons))))


def _noticed(took: Durations, scene: Scene) -> str:
    """Who noticed first and by how much."""
    after = f"{span(took.detect)} after it began" if took.detect.total_seconds() >= 1 else "at once"
    we = f"It was declared {after}" if scene.incident.backdated else f"We noticed {after}"
    if took.lead is None:
        return f"{we}; the vendor's status page said nothing." if scene.incident.provider else f"{we}."
    if took.lead.total_seconds() < 0:
        return f"The vendor's status page was first, {span(-took.lead)} before us."
    return f"{we}, {span(took.lead)} before the vendor's status page."


def _served(took: Durations, scene: Scene) -> str:
    if took.mitigate is None:
        return ""
    return f"Customers were served again {span(took.mitigate)} after it began."


def _outages(took: Durations, scene: Scene) -> list[str]:
    lines = []
    for outage in took.outages[:6]:
        name = component_name(scene.policy, outage.component)
        began = clock(outage.began_at, scene.now)
        if outage.ended_at:
            ended = f"{clock(outage.ended_at, scene.now)}, {span(outage.ended_at - outage.began_at)}"
            lines.append(f"• {name}: {outage.worst} {began} to {ended}")
        else:
            lines.append(f"• {name}: {outage.worst} since {began}, *not seen well again*")
    return lines


def _away(took: Durations, scene: Scene) -> list[str]:
    lines = []
    for away in took.away[:6]:
        flag = scene.policy.flag(away.flag)
        variant = variant_name(flag, away.variant) if flag else foreign(away.variant, 60)
        began = clock(away.began_at, scene.now)
        end = (
            f"to {clock(away.ended_at, scene.now)}, {span(away.ended_at - away.began_at)}"
            if away.ended_at
            else "until now: *still away*"
        )
        lines.append(f"• {flag_name(away.flag, scene.policy)} on {variant} {began} {end}")
    return lines


def _counts(took: Durations, scene: Scene) -> str:
    incident = scene.incident
    parts = [count(took.updates, "update")]
    parts += [f"{took.missed} missed"] if took.missed else []
    parts += [f"longest silence {span(took.longest_silence)}"] if took.longest_silence else []
    parts += [f"relapses: {incident.relapses}"] if incident.relapses else []
    parts += [f"reopened: {incident.reopened}"] if incident.reopened else []
    return " · ".join(parts)


def _write_up(incident: Incident) -> str:
    """Who writes the post-mortem: the lead, else whoever acknowledged it."""
    if incident.phase is Phase.CANCELED:
        return ""  # it was no incident
    leader = incident.people.leader
    asks = f"{who(leader)}, please write the post-mortem" if leader else "*Nobody led this.* Who writes the post-mortem?"
    return f"{asks}{'.' if leader else ''} The timeline comes as a file; `/incident note TEXT` still adds to it."
