"""Answers to signals in words: one sentence per kind of answer, the same on every face.

What people type differs by face, so `faces` supplies it. Words are plain text and may contain foreign text, which each face
escapes as necessary. In Slack some come with a button (`in_slack`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.answers import base
from bot.core.answers import components as ca
from bot.core.answers import incident as a
from bot.core.decide.incident import entries as ea
from bot.core.decide.incident.mitigating import MitigatedAlready, MitigationNoted, NotMitigated
from bot.core.decide.incident.naming import CalledAlready, NoNewTitle, Renamed, TitleTooLong
from bot.core.decide.incident.reminders import NoReminders, NoSuchSnooze, Resumed, Snoozed, SnoozedNot
from bot.core.decide.incident.roles import NoRole, RoleAlready, RoleGiven, RoleTaken
from bot.core.decide.incident.runbooks import NoStep, StepAsBefore, StepIsTicked
from bot.core.decide.permissions import Denied
from bot.core.detection.reasons import span
from bot.core.model import ActorKind, Phase
from bot.views.answers.drill import drill_words
from bot.views.denied import denied_words
from bot.views.faces import Face
from bot.views.flags.answers import flag_words
from bot.views.flags.rehearsal_answers import rehearsal_words
from bot.views.incident.merging import merging_words
from bot.views.incident.repair import repair_words
from bot.views.incident.tasks import task_words
from bot.views.text import plain

A_DAY = timedelta(days=1)
MAY_BE_CORRECTED = "Only notes and messages can be corrected."

WORDLESS: dict[type[base.Answer], str] = {
    base.Noted: "noted",
    base.KnownAlready: "already known",
    ca.AlertTaken: "heard",
    base.DoneAlready: "That was already done.",
    base.NotOurs: "left to other replicas",
}
TOO_LATE = {
    a.Wanted.JOIN: "there is nothing to join",
    a.Wanted.ACKNOWLEDGE: "there is nothing to acknowledge",
    a.Wanted.UPDATE: "reopen it first, or add a note",
    a.Wanted.SEVERITY: "its severity stays",
    a.Wanted.SNOOZE: "nobody is reminded of anything",
    a.Wanted.MITIGATION: "customers are not waiting for it any more",
    a.Wanted.MERGE: "only an open incident can be merged",
    a.Wanted.ROLE: "nobody has a role in it any more",
}


def words(answer: base.Answer, face: Face) -> str:
    """The answer as a sentence or two. Raises TypeError if it has no wording."""
    said = _of_nothing(answer, face) or _of_incident(answer, face) or _of_phase(answer, face) or _of_reminders(answer, face)
    said = said or _of_component(answer, face) or flag_words(answer, face) or _of_entry(answer) or repair_words(answer)
    said = said or merging_words(answer, face) or task_words(answer, face) or drill_words(answer, face)
    said = said or rehearsal_words(answer, face)
    said = said or WORDLESS.get(type(answer), "")
    if not said:
        raise TypeError(f"{type(answer).__name__} has no wording")
    return said


def _of_nothing(answer: base.Answer, face: Face) -> str:
    """Something does not exist, was not given or is not allowed."""
    match answer:
        case Denied():
            return denied_words(answer)
        case base.NoIncident(number=number, newest=newest):
            return f"There is no INC-{number}." + (f" The newest is INC-{newest}." if newest else "")
        case base.NoComponent(component=component, known=known):
            return f"There is no component {component!r}. Known: {', '.join(known)}."
        case base.NoFlag(key=key, known=known):
            return f"There is no flag {key!r}. Known: {', '.join(known) or 'none'}."
        case a.NoFormat(format=format, known=known):
            return f"There is no export format {format[:40]!r}. There are: {', '.join(known)}."
        case base.NoWords(of=base.Words.TITLE):
            return f"An incident needs a title: {face.declare('Claude API answers with errors')}."
        case base.NoWords(of=base.Words.UPDATE):
            return f"An update needs words: {face.update('We serve from the fallback, quality is fine')}."
        case base.NoWords(of=base.Words.NOTE):
            return f"A note needs words: {face.note('Vendor support says: database failover')}."
        case base.NoWords(of=base.Words.TASK):
            return f"A task needs words: {face.task('Call Anthropic support')}."
        case base.NoWords(of=base.Words.REPORT):
            return "A report needs words: what does not work, and since when?"
    return ""


def _of_incident(answer: base.Answer, face: Face) -> str:
    match answer:
        case a.Declared(title=title) as b:
            before = "; ".join(f"INC-{one.number} {one.title}" for one in b.beside)
            also = f". Declared shortly before: {before}" if before else ""
            return f"{answer.name} is declared{for_when(b, face.time)}: {title}{also}"
        case a.ChannelTaken():
            return f"This is already the channel of {answer.name}. Nothing was declared."
        case a.CannotHaveBeen() as b:
            return _cannot(b, face)
        case a.TwoProviders():
            return "One incident is about one provider. Declare one for each."
        case a.OpenAlready() as b:
            lines = [f"INC-{i.number} {_open_for(i)}{_at(i.place, ' in ', face)}: {i.title}" for i in b.open]
            return "; ".join(lines) + (f". Nothing is open for {', '.join(b.free)}." if b.free else "")
        case a.Joined(place=place):
            return f"You are in {answer.name} now.{_at(place, ' It continues in ', face, '.')}"
        case a.JoinedBefore(place=place):
            return f"You are already in {answer.name}.{_at(place, ' It continues in ', face, '.')}"
        case a.Over(phase=Phase.MERGED, wanted=a.Wanted.UPDATE):
            return f"{answer.name} is merged; write it in the other one, or add a note here."
        case a.Over(phase=phase, wanted=wanted):
            return f"{answer.name} is {phase}; {TOO_LATE[wanted]}."
        case a.Acknowledged():
            return f"{answer.name} is yours."
        case a.AcknowledgedBefore(by=by):
            return f"{by.name} has already acknowledged {answer.name}."
        case a.UpdateWritten(slot=slot):
            return f"Update {slot} of {answer.name} is written."
        case a.NoteAdded():
            return f"Noted in the timeline of {answer.name}."
        case StepIsTicked() | StepAsBefore() | NoStep():
            return _of_runbook(answer)
        case a.SeveritySet(severity=severity):
            return f"{answer.name} is {severity} now."
        case a.NeedsWhy(severity=severity, now=now):
            return f"{severity} is lower than {now}, so fewer people are called. Say why. Nothing was changed."
        case a.SeverityAlready(severity=severity):
            return f"{answer.name} is already {severity}."
        case MitigationNoted(over=over, phase=phase):
            return f"{answer.name}: customers are {'no longer served' if over else 'served again'}. Its phase is {phase}."
        case MitigatedAlready(by=by):
            whose = "automatic" if by.kind is ActorKind.RULE else f"by {by.name}"
            return f"It is already on record that customers of {answer.name} are served ({whose})."
        case NotMitigated():
            return f"Nothing on record says that customers of {answer.name} are served."
        case Renamed(title=title):
            return f"{answer.name} is now called “{title}”."
        case CalledAlready(title=title):
            return f"{answer.name} is already called “{title}”."
        case NoNewTitle(title=title):
            return f"Which title? {answer.name} is called “{title}”."
        case TitleTooLong(most=most):
            return f"A title has at most {most} characters. Nothing was changed."
        case RoleGiven() | RoleTaken() | RoleAlready() | NoRole():
            return _of_role(answer)
        case a.Exported(where=where):
            return f"The timeline of {answer.name} will be posted as a file in {where}."
    return ""


def _of_runbook(answer: StepIsTicked | StepAsBefore | NoStep) -> str:
    match answer:
        case StepIsTicked(step=step, text=text, done=done):
            return f"Step {step} of the runbook {'is done' if done else 'is open again'}: {text}"
        case StepAsBefore(step=step, by=by):
            return (
                f"Step {step} is already done, by {by.name or by.id}."
                if by
                else f"Step {step} was not done in the first place."
            )
        case NoStep(step=step, most=most):
            known = f"The last one is {most}." if most else "It has no runbook."
            return f"The runbook of {answer.name} has no step {step}. {known}"


def _of_role(answer: RoleGiven | RoleTaken | RoleAlready | NoRole) -> str:
    if isinstance(answer, NoRole):
        return f"There is no role {answer.role[:40]!r}. There are: {', '.join(answer.known)}."
    has = f"leads {answer.name}" if answer.leads else f"is {answer.role} for {answer.name}"
    match answer:
        case RoleGiven(to=to):
            return f"{to.name} {has} now."
        case RoleTaken():
            return f"Nobody {has} any more."
        case RoleAlready(to=to):
            return f"{to.name} already {has}." if to else f"Nobody {has}."


def for_when(declared: a.Declared, clock: Callable[[datetime, datetime], str]) -> str:
    """` at 16:10 UTC for 14:00 UTC`, if it did not begin when it was declared."""
    if declared.at is None or declared.began_at is None:
        return ""
    until = f" to {clock(declared.ended_at, declared.at)}" if declared.ended_at else ""
    return f" at {clock(declared.at, declared.at)} for {clock(declared.began_at, declared.at)}{until}"


def _cannot(answer: a.CannotHaveBeen, face: Face) -> str:
    at = _dated(answer.at, face)
    match answer.why:
        case a.WrongTime.FUTURE:
            return f"{at} has not come yet. Nothing was declared. For a past time add the day, such as `14:00 yesterday`."
        case a.WrongTime.TOO_OLD:
            return f"{at} is more than {answer.days} days ago. Nothing was declared."
        case a.WrongTime.BACKWARDS:
            return f"It cannot have ended ({at}) before it began. Nothing was declared."
    return f"It ended at {at}, but when did it begin? Nothing was declared."


def _dated(at: datetime, face: Face) -> str:
    """The time, always with its date."""
    return face.time(at, at - 2 * A_DAY)


def _of_reminders(answer: base.Answer, face: Face) -> str:
    match answer:
        case Snoozed(until=None):
            return f"Nobody is reminded of {answer.name} until somebody writes an update."
        case Snoozed(until=datetime() as until):
            return f"The next reminder of {answer.name} comes at {face.time(until)}, unless somebody writes an update first."
        case Resumed():
            return f"Reminders of overdue updates are on again for {answer.name}."
        case SnoozedNot():
            return f"Reminders of {answer.name} are not snoozed."
        case NoReminders(severity=severity):
            return f"{answer.name} is {severity}: updates are never due, so nobody is reminded."
        case NoSuchSnooze() as b:
            return f"A snooze lasts from {b.least_minutes} min to {b.most_hours} h. Nothing was changed."
    return ""


def _of_entry(answer: base.Answer) -> str:
    """Changes that people make to a timeline."""
    match answer:
        case ea.MessageInTimeline(before=before):
            return f"The message is {'already' if before else 'now'} in the timeline of {answer.name}."
        case ea.MessageTakenOut():
            return f"The last pin is gone, so the message left the timeline of {answer.name}. A new pin brings it back."
        case ea.EntryIsCorrected():
            return f"Corrected in the timeline of {answer.name}. The exports keep the original too."
        case ea.EntryIsHidden(back=True):
            return f"It is back in the timeline of {answer.name}."
        case ea.EntryIsHidden():
            return f"Hidden from the timeline of {answer.name}. It stays on record."
        case ea.NothingToCorrect():
            return "Text and time are as before; nothing was changed."
        case ea.NotYet():
            return "That time is in the future. When did it happen?"
        case ea.NoEntry():
            return f"The timeline of {answer.name} has no such entry. {MAY_BE_CORRECTED}"
    return ""


def _at(place: a.RoomRef, before: str, face: Face, after: str = "") -> str:
    return f"{before}{face.channel(place)}{after}" if place.channel else ""


def _of_phase(answer: base.Answer, face: Face) -> str:
    match answer:
        case a.NoWay(phase=phase, to=to) if phase is to:
            return f"{answer.name} is already {to}."
        case a.NoWay(phase=Phase.MERGED):
            return f"{answer.name} is merged; unmerge it first. Nothing was changed."
        case a.NoWay(to=Phase.MERGED):
            return f"Which incident should {answer.name} be merged into? Use `merge` to name it. Nothing was changed."
        case a.NoWay(phase=phase, ways=()):
            return f"{answer.name} is {phase}, which is final. Declare a new incident instead."
        case a.NoWay() as b:
            return f"{answer.name} cannot go from {b.phase} to {b.to}. Possible now: {', '.join(b.ways)}."
        case a.IsOpen(phase=phase):
            return f"{answer.name} is open, {phase}: there is nothing to reopen. Use `phase` to move it."
        case a.NeedsReason(reasons=reasons):
            return f"Cancel needs a reason: one of {', '.join(reasons)}."
        case a.NeedsOriginal(known=known):
            listed = "; ".join(f"INC-{one.number} {plain(one.title, 60)}" for one in known)
            open_now = f" Open: {listed}." if listed else ""
            return f"{answer.name} is a duplicate of which incident? Name it, such as `duplicate INC-4`.{open_now}"
        case a.OpenElsewhere():
            return f"{answer.name} is open for the same provider; continue there."
        case a.StillFailing() as b:
            left = [f"{one.name} is {one.level}" for one in b.failing]
            left += [f"{one.name or one.flag} is still on {one.called or one.variant}" for one in b.away]
            return f"{answer.name} is not over: {', '.join(left)}. Nothing was changed."
        case a.Moved() as b:
            return f"{answer.name} is {b.phase} now.{_again(b, face)}"
    return ""


def _again(moved: a.Moved, face: Face) -> str:
    """What happens to what still fails: when it alerts again, or that it does not by itself."""
    names, many = ", ".join(moved.failing), len(moved.failing) > 1
    fail, recovers = ("fail", "they recover") if many else ("fails", "it recovers")
    match moved.phase:
        case Phase.CANCELED if names:
            return f" {names} still {fail}: nobody is alerted again until {recovers} or {'get' if many else 'gets'} worse."
        case Phase.RESOLVED if moved.until:
            return f" {names} still {fail}: unless {recovers}, a new incident opens at {face.time(moved.until)}."
    return ""


def _of_component(answer: base.Answer, face: Face) -> str:
    match answer:
        case ca.Muted() as b:
            more = f" INC-{b.open_incident} is open and continues." if b.open_incident else ""
            until = _dated(b.until, face)
            return f"Alerts about {b.component} are held back until {until}; its checks continue.{more}"
        case ca.MuteTooLong(longest=longest):
            return f"A mute lasts at most {_whole_hours(longest)} here (mutes.longest in the configuration)."
        case ca.Unmuted(component=component):
            return f"Alerts about {component} are on again."
        case ca.NotMuted(component=component):
            return f"{component} is not muted."
        case ca.ReportHeard() as b:
            where = f" {b.name} is open for it." if b.incident else ""
            return f"Noted. Our checks say: {b.component} is {b.level} ({b.reason}).{where}"
        case ca.AlertAboutNothing(component=component):
            return f"There is no component {component!r} that this alert could be about."
        case ca.NoAlertState(state=state, known=known):
            return f"An alert is {' or '.join(known)}, not {state!r}."
        case ca.TooManyAlerts() as b:
            of = f" of {b.source}" if b.source else ""
            return f"{b.most} alerts{of} are already firing about {b.component}; resolve some first."
    return ""


def _whole_hours(longest: timedelta) -> str:
    hours = longest / timedelta(hours=1)
    return f"{hours:g} hours" if hours >= 2 and hours.is_integer() else span(longest)


def _open_for(one: a.OpenOne) -> str:
    return f"is already open for {one.provider}" if one.provider else "was declared within the last half hour"
