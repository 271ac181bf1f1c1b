"""An incident from its alert to its summary."""

from collections.abc import Iterator
from datetime import timedelta

from bot.core import effects as e
from bot.core.decide.incident.tasks import TASKS
from bot.core.model import Phase, Severity
from bot.core.record import paging_facts as pf
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import NoteAdded, PhaseChanged, UpdateWritten
from bot.core.record.task_facts import TaskAdded, TaskReminded
from bot.timeline.story import entry_words
from bot.views.incident import alert, broadcast, card, evidence, forms, paging, tasks, texts, timeline, updates
from tests.gallery import situations as s
from tests.gallery.phone import Entry, Kind, entry, form, sentence
from tests.stories import ANA, BOB, HOURLY, T0, Story, outage_story

ON_CALL = "S0ONCALL"
READERS = {"support-chat.llm": 3}
BOARD = "https://board.example/"
ALERTS = {
    "the first minute": lambda: outage_story(3),
    "served by a fallback, nobody has acknowledged it": s.served,
    "acknowledged": lambda: outage_story(6),
    "not served": s.not_served,
    "a switch waits for a yes": s.proposed,
    "degraded": s.degraded,
    "no flag depends on it": s.no_flag,
    "our own fault, declared by a person": s.our_own_fault,
    "several components": lambda: outage_story(16),
    "the vendor has spoken": lambda: outage_story(46),
    "the vendor's page cannot be read": s.page_is_away,
    "we are blind": s.blind,
    "one component is back": lambda: outage_story(109),
    "all well again": lambda: outage_story(151),
    "resolved": outage_story,
    "resolved, services told of their requests": lambda: s.counted(outage_story()),
    "canceled": s.canceled,
    "no channel": s.no_channel,
}
CARDS = {
    "the first minute": lambda: outage_story(4),
    "several components, the vendor has spoken": lambda: outage_story(46),
    "not served": s.not_served,
    "all well again": lambda: outage_story(151),
    "services tell of their requests": lambda: s.counted(outage_story(46)),
    "resolved": outage_story,
}


def alerts() -> Iterator[Entry]:
    """The alert in the ops channel, in every situation."""
    for title, story in ALERTS.items():
        made = alert.alert(s.seen(story()), called=(ON_CALL,))
        yield entry(f"Alert: {title}", Kind.ALERT, made, e.PostAlert, e.EditAlert)
    for title, story in (("one component", s.served), ("several", lambda: outage_story(46))):
        yield entry(f"Evidence: {title}", Kind.EVIDENCE, evidence.evidence(s.seen(story())), e.PostEvidence, e.EditEvidence)


def channel() -> Iterator[Entry]:
    """The messages that set up the incident's channel."""
    for title, story in CARDS.items():
        yield entry(f"Card: {title}", Kind.CARD, card.card(s.seen(story()), readers=READERS), e.PostCard, e.EditCard)
    for title, story in (("open", s.served), ("acknowledged", lambda: outage_story(16)), ("over", outage_story)):
        yield sentence(f"Topic: {title}", Kind.TOPIC, card.topic(s.seen(story())), e.SetTopic)
    story = s.with_call(outage_story(16))
    made = card.card(s.seen(story), readers=READERS)
    yield entry("Card: with roles and a call", Kind.CARD, made, e.PostCard, e.EditCard)
    busy = s.with_tasks(outage_story(46))
    for n in range(4, 9):
        busy.add("incident/7", TaskAdded(n, f"Ask region {n} whether they see it too"), ANA)
    yield entry("Card: with tasks", Kind.CARD, card.card(s.seen(busy), readers=READERS), e.PostCard, e.EditCard)
    links = card.bookmarks(story.incident(), story.policy, board_url=BOARD)
    yield sentence("Bookmarks", Kind.TOPIC, " · ".join(title for title, _ in links), e.AddBookmarks)
    made = card.runbook(story.incident(), story.policy, tuple(story.policy.components))
    assert made is not None
    yield entry("Runbook", Kind.RUNBOOK, made, e.PostRunbook)
    refused = texts.refusal(s.no_channel().incident(), "Slack refused conversations.create: restricted_action", story.policy)
    yield entry("No channel, told in ops and to who declared", Kind.LINE, refused, e.PostRefusal, e.TellPerson)


def updates_and_summary() -> Iterator[Entry]:
    """Updates and the summary."""
    yield _update("by the bot, with news", outage_story(62.9), since=3)
    yield _update("by the bot, nothing changed", outage_story(89), since=64)
    yield _update("by the bot, with something asked", s.proposed().at(63), since=3)
    yield _update("by the bot, after others were missed", outage_story(62.9), since=3, missed=2)
    yield _update("by a person", outage_story(89.9), since=63, text="Support chat answers with the fallback, quality is fine.")
    yield _update("one component is back", outage_story(126), since=90)
    for title, story in (("resolved", s.counted(outage_story())), ("canceled", s.canceled())):
        yield entry(f"Summary: {title}", Kind.SUMMARY, updates.summary(s.seen(story), story.about(7)), e.PostSummary)
    left = s.with_tasks(outage_story())
    yield entry("Summary: tasks are left", Kind.SUMMARY, updates.summary(s.seen(left), left.about(7)), e.PostSummary)


def _update(title: str, story: Story, *, since: float, text: str = "", missed: int = 0) -> Entry:
    begun = T0 + timedelta(minutes=since)
    slot, author = story.incident().updates + 1, ANA if text else HOURLY
    story.add("incident/7", UpdateWritten(slot, text, missed), author)
    facts = [fact for fact in story.about(7) if fact.at > begun]
    made = updates.update(s.seen(story), slot=slot, text=text, missed=missed, since_facts=facts, author=author)
    return entry(f"Update: {title}", Kind.UPDATE, made, e.PostUpdate, UpdateWritten)


def pages() -> Iterator[Entry]:
    """Pages, and the report if they reach nobody."""
    story = s.served().at(8)
    incident, sev = story.incident(), Severity.SEV2
    yield entry(
        "Page: in the alert's thread", Kind.LINE, paging.reply(incident, (ON_CALL,), story.now), pf.Paged, e.PageMention
    )
    yield entry("Page: a direct message", Kind.LINE, paging.direct(incident, story.now), e.PagePerson, e.FindPeople)
    notice = "\n".join(paging.notice(incident, story.now))
    yield sentence("Page: outside of Slack", Kind.ELSEWHERE, notice, e.PageAddresses)
    for title, body in (
        ("did not reach everybody", pf.PageOutcome(sev, 1, "dm", (), "U0BOB is deactivated")),
        ("reached nobody", pf.PageLost(sev, 1, False, "the user group S0ONCALL is empty")),
        ("reached nobody, and was the last", pf.PageLost(sev, 2, True, "pagerduty answered HTTP 500")),
    ):
        yield sentence(f"Page: {title}", Kind.LINE, paging.failed(incident, body), type(body))


def reminders() -> Iterator[Entry]:
    """Direct messages to owners of tasks that are due."""
    story = s.with_tasks()
    made = tasks.reminder(story.incident(), story.incident().tasks[1], story.now + timedelta(minutes=30))
    yield entry("Reminder: a task is due", Kind.LINE, made, e.RemindOwner)
    over = s.with_tasks(outage_story())
    for days in (3, 4):
        over.now = T0 + timedelta(days=days, hours=4)
        over.add("incident/7", TaskReminded(3, BOB), TASKS)
        title = "a follow-up is due" if days == 3 else "a follow-up was due"
        made = tasks.reminder(over.incident(), over.incident().tasks[3], over.now)
        yield entry(f"Reminder: {title}", Kind.LINE, made, e.RemindOwner)


BROADCASTS = {
    "the first minute": lambda: outage_story(3),
    "served by a fallback": s.served,
    "not served": s.not_served,
    "no flag depends on it": s.no_flag,
    "all well again": lambda: outage_story(151),
    "resolved": outage_story,
    "canceled": s.canceled,
}


def broadcasts() -> Iterator[Entry]:
    """Messages to stakeholders, by detail, with the replies under them."""
    for full, kind in ((False, Kind.LINE), (True, Kind.UPDATE)):
        detail = "full" if full else "short"
        for title, story in BROADCASTS.items():
            made = broadcast.broadcast(s.seen(story()), full=full)
            yield entry(f"Broadcast, {detail}: {title}", kind, made, e.PostBroadcast, e.EditBroadcast)
        for title, story, body in (
            ("a person's update", s.served(), UpdateWritten(1, "Support chat answers with the fallback.", 0)),
            ("reopened", s.served(), PhaseChanged(Phase.RESOLVED, Phase.INVESTIGATING, "reopen", "errors again")),
            ("resolved", outage_story(), PhaseChanged(Phase.MONITORING, Phase.RESOLVED, "forward", "vendor confirms the fix")),
        ):
            fact = Fact("incident/7", 99, story.now, ANA, 7, body)
            reply = broadcast.broadcast_reply(fact, s.seen(story), full=full)
            assert reply is not None
            yield entry(f"Broadcast, {detail}, a reply: {title}", kind, reply, e.ReplyBroadcast)


def modals() -> Iterator[Entry]:
    """The forms."""
    story = outage_story(16)
    yield form("Form: declare", forms.declare_modal((), story.policy), forms.declare_modal)
    yield form("Form: declare, something is open", forms.declare_modal([story.incident()], story.policy), forms.declare_modal)
    joined = forms.notice_modal("You are in INC-7 now. It continues in <#C07CLAUDE>.")
    yield form("Form: declare, joined what is open instead", joined, forms.notice_modal)
    yield entry("Declare by emoji", Kind.ANSWER, forms.declare_offer("Claude answers nothing", "{}"))
    yield form("Form: update", forms.update_modal(story.scene(), story.about(7)), forms.update_modal)
    yield form("Form: resolve while it fails", forms.resolve_modal(story.scene()), forms.resolve_modal)
    yield form("Form: resolve", forms.resolve_modal(outage_story(151).scene()), forms.resolve_modal)
    yield form("Form: reopen", forms.reopen_modal(outage_story().incident()), forms.reopen_modal)
    yield form("Form: change phase", forms.phase_modal(story.incident()), forms.phase_modal)
    yield form("Form: change severity", forms.severity_modal(story.incident()), forms.severity_modal)
    yield form("Form: roles", forms.role_modal(story.incident(), story.policy.incidents, ANA.id), forms.role_modal)
    yield form("Form: not an incident", forms.cancel_modal(story.scene()), forms.cancel_modal)
    yield form("Form: switch back", forms.switch_back_modal(story.scene()), forms.switch_back_modal)
    busy = s.with_tasks()
    form_of_task = tasks.task_modal(busy.incident(), busy.incident().tasks[1], "{}")
    yield form("Form: change a task", form_of_task, tasks.task_modal)
    noted = story.add("incident/7", NoteAdded("Vendor support says: database failover"), ANA)
    found = entry_words(story.about(7), "incident/7", noted.seq)
    assert found
    yield form("Form: correct an entry", timeline.correct_modal(story.incident(), *found, "{}"), timeline.correct_modal)
    chosen = timeline.choose_modal([story.incident()], [], "it was DNS", "{}")
    yield form("Form: whose timeline a message joins", chosen, timeline.choose_modal)
