"""Replies to queries: boards, lists, help; and messages while Slack or the ledger is down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import effects as e
from bot.core.decide.incident.entries import EntryIsHidden
from bot.core.maintenance_windows import Window
from bot.core.model import LEAD, Actor, Fault, Level, Verdict
from bot.core.record.component_facts import Muted
from bot.core.record.entry_facts import EntryCorrected, MessageAdded
from bot.core.record.incident_facts import RoleChanged
from bot.core.record.sight import SightLost, SightRegained
from bot.core.record.task_facts import TaskAdded
from bot.ports import LatencyPicture, Message, StoreError, StoreTrouble
from bot.slack.reception import WORDS as REFUSED
from bot.slack.standing import Standing
from bot.system.denials import Attempt
from bot.timeline.story import story as story_rows
from bot.views import home as home_views
from bot.views import in_short, storage
from bot.views.about import About, about, maintenance, mute_answer
from bot.views.answers.in_slack import told as told_answer
from bot.views.component_messages import sight_words
from bot.views.denied import denied_attempts
from bot.views.flags.board import flag_status
from bot.views.health import board, provider
from bot.views.incident import timeline
from bot.views.incident.briefing import briefing
from bot.views.incident.lists import incident_list, incident_show
from bot.views.incident.tasks import task_list
from bot.views.incident.texts import out_of_band
from bot.views.names import plain_names
from bot.views.rights import rights_view
from bot.views.used import used
from commands import actions, forms
from commands.helping import help_message
from commands.incident.timeline import NONE_YET, UNREAD
from commands.table import WORDS
from tests.gallery import situations as s
from tests.gallery.facts import CONTROL, LATER
from tests.gallery.phone import Entry, Kind, entry, form, sentence
from tests.stories import ANA, API, BOB, T0, latencies, message, outage_story

GUEST = REFUSED[Standing.GUEST]
READERS = {"support-chat.llm": 3, "search.rerank": 0}
FULL = StoreError("the disk is full", kind=StoreTrouble.FULL)
AWAY = StoreError("the database does not answer", kind=StoreTrouble.AWAY, permanent=False)
REPLICA = "box-1-4f2a9c"
SINCE, AGAIN = T0 - timedelta(minutes=30), T0 + timedelta(minutes=5)
SEEN = {API: Verdict(API, Level.DOWN, s.TIMED_OUT, Fault.THEIRS, (), T0)}
ABOUT = About(
    "0.3.0", "frankfurt", ("dublin", "oregon"), checks=14, off=1, data_bytes=12_500_000, since=T0 - timedelta(days=3),
    controls="the control group answers: 3 of 3",
    replicas="2 replicas live: web-1-5f3a91 (this one), web-2-0c77de; web-1-5f3a91 holds the clock",
)  # fmt: skip

ATTEMPTS = (
    Attempt(T0, "U0ANA", "ana", "responder", "SetPhase", 7, 2),
    Attempt(T0 - timedelta(minutes=9), "U0EVE", "eve", "guest", "/fallback release"),
)


def _latencies(story: s.Story) -> dict[str, LatencyPicture]:
    """Latency figures; Claude's API has some only while it does not fail."""
    usual = {API: LatencyPicture(60, 610.0, 1400.0, 0)} if not story.world.component(API).level.bad else {}
    return latencies() | usual


def health() -> Iterator[Entry]:
    """`/health`, the board and one provider."""
    for title, story in (
        ("all well", s.calm()), ("one component is down", s.served()), ("several", outage_story(46)),
        ("our own key", s.our_own_fault()), ("we are blind", s.blind()),
    ):  # fmt: skip
        yield entry(f"/health: {title}", Kind.BOARD, board(story.world, story.policy, story.now, _latencies(story)))
    story = s.served()
    held = {API: s.calm().world.component(API)}
    written = board(story.world, story.policy, story.now, latencies(), trouble=storage.nothing_is_written(FULL), on_record=held)
    yield entry("/health: nothing is recorded", Kind.BOARD, written)
    yield entry("/health: one is muted", Kind.BOARD, board(_muted().world, story.policy, story.now, _latencies(s.calm())))
    for title, story in (
        ("all well", s.calm()),
        ("down", s.served()),
        ("several", outage_story(46)),
        ("our own key", s.our_own_fault()),
    ):
        yield entry(
            f"/health claude: {title}",
            Kind.DETAIL,
            provider("anthropic", story.world, story.policy, story.now, _latencies(story)),
        )


def flags() -> Iterator[Entry]:
    """`/fallback status`."""
    for title, story in (
        ("all on their defaults", s.calm()), ("one is switched", s.served()), ("a switch waits for a yes", s.proposed()),
        ("none is healthy", s.not_served()), ("on its way back", outage_story(111)),
        ("pinned, and all is frozen", s.kept_off()), ("some readers are switched apart", s.apart()),
    ):  # fmt: skip
        yield entry(f"/fallback status: {title}", Kind.BOARD, flag_status(story.world, story.policy, story.now, READERS))


def incidents() -> Iterator[Entry]:
    """`/incident list`, `show`, `brief` and `timeline`."""
    for title, story in (("none", s.calm()), ("one is open", s.served())):
        yield entry(f"/incident list: {title}", Kind.BOARD, incident_list(story.world, story.policy, story.now))
    over = outage_story()
    yield entry("/incident list all", Kind.BOARD, incident_list(over.world, over.policy, over.now, everything=True))
    for title, story in (("open", outage_story(46)), ("over", over)):
        yield entry(f"/incident show: {title}", Kind.DETAIL, incident_show(s.seen(story)))
    called = s.with_call(outage_story(46))
    for title, story in (("the first minute", s.served()), ("with a lead and a call", called), ("over", over)):
        yield entry(f"/incident brief, and for who joins late: {title}", Kind.ANSWER, briefing(s.seen(story)))
    for title, story in (("none", s.served()), ("some", s.with_tasks(outage_story(46), done=True))):
        yield entry(f"/incident tasks: {title}", Kind.DETAIL, task_list(s.seen(story)))
    story = outage_story(46)
    story.add("incident/7", MessageAdded(message()), ANA)
    story.add("incident/7", EntryCorrected(story.facts[-1].seq, "it was BGP, not DNS"), BOB)
    timeline_rows = story_rows(story.about(7), plain_names(story.policy))
    yield entry("/incident timeline", Kind.DETAIL, timeline.timeline_page(story.incident(), timeline_rows, story.now))
    yield entry(
        "/incident timeline: an older page", Kind.DETAIL, timeline.timeline_page(story.incident(), timeline_rows, story.now, 1)
    )
    hidden = timeline.show_again(told_answer(EntryIsHidden(incident=7)), 7, 12)
    yield entry("/incident timeline: an entry was hidden", Kind.DETAIL, hidden)
    yield sentence("A pin on a message that cannot be read", Kind.ANSWER, UNREAD.format(why="it was deleted", name="INC-7"))
    yield sentence("Add to timeline: there is no incident", Kind.ANSWER, NONE_YET)


def the_bot() -> Iterator[Entry]:
    """`/understudy about`, `denied` and `maintenance`."""
    story = s.served()
    yield entry("/understudy about", Kind.BOARD, about(ABOUT, story.world, story.policy, story.now))
    wrong = replace(
        ABOUT,
        troubles=("Slack has not answered for 2 min", "the check openai.web is off: no key"),
        silent_controls=("dns.google",),
    )
    yield entry("/understudy about: with troubles", Kind.BOARD, about(wrong, story.world, story.policy, story.now))
    yield entry("/understudy denied: none", Kind.ANSWER, denied_attempts((), story.now))
    yield entry("/understudy denied", Kind.DETAIL, denied_attempts(ATTEMPTS, story.now))
    yield entry("/understudy maintenance: none", Kind.BOARD, maintenance(story.world, story.policy, story.now))
    window = Window(("anthropic",), T0 + timedelta(hours=1), LATER, None, "database upgrade")
    muted, planned = _muted(), replace(story.policy, maintenance=(window,))
    yield entry("/understudy maintenance: planned and muted", Kind.BOARD, maintenance(muted.world, planned, story.now))
    mute = muted.world.component(API).mute
    assert mute is not None
    said = "Alerts about Claude API are held back until 2026-03-20 16:40 UTC; its checks continue."
    yield entry("/understudy mute", Kind.ANSWER, mute_answer(said, API, mute, story.now, "/understudy"))
    pressed = used("", (), "incident.ack", "Acknowledge", ANA, story.now)
    yield entry("A pressed button", Kind.ANSWER, pressed)
    yield sentence("A button of an older version", Kind.ANSWER, actions.STALE)
    yield sentence("A form that lost its incident", Kind.ANSWER, forms.LOST)


def questions() -> Iterator[Entry]:
    """Replies to mentions and direct messages."""
    story, calm = s.served(), s.calm()
    claude = [c.id for c in story.policy.components.values() if c.provider == "anthropic"]

    def answered(title: str, at: s.Story, *lines: str) -> Entry:
        return entry(f"@understudy {title}", Kind.LINE, in_short.reply(lines, at.world, at.now))

    def line(at: s.Story, name: str, *components: str, failed_at: datetime | None = None) -> str:
        return in_short.component_line(name, components, at.world, at.policy, at.now, failed_at)

    for how, at in (("served", story), ("not served", s.not_served()), ("several fail", outage_story(46))):
        yield answered(f"is Claude down? ({how})", at, line(at, "Claude", *claude))
    yield answered("claude? (our own key)", s.our_own_fault(), line(s.our_own_fault(), "Claude", *claude))
    yield answered("claude? (all is well)", calm, line(calm, "Claude", *claude, failed_at=calm.now - timedelta(hours=3)))
    yield answered("claude? (blind)", s.blind(), line(s.blind(), "Claude", *claude))
    over = outage_story()
    yield answered(
        "INC-7, INC-9", story, in_short.incident_line(story.incident(), story.policy, story.now), in_short.unknown_incident(9)
    )
    yield answered("INC-7 (over)", over, in_short.incident_line(over.incident(), over.policy, over.now))
    for how, at in (("one fails", story), ("all is well", calm)):
        yield answered(f"what's broken? ({how})", at, *in_short.everything(at.world, at.policy, at.now))
    yield answered("help", calm, in_short.CAN_ANSWER)
    yield answered("note it is DNS", calm, in_short.slash_word("/incident note [INC-7] TEXT"))
    yield answered("tell me a joke", calm, in_short.NOT_UNDERSTOOD)


def home() -> Iterator[Entry]:
    """The Home tab, and what its buttons open."""
    mine, calm = outage_story(46), s.calm()
    mine.add("incident/7", RoleChanged(LEAD, None, ANA), ANA)
    mine.add("incident/7", TaskAdded(1, "Call Anthropic support", ANA, mine.now + timedelta(minutes=30)), BOB)
    for title, story, reader in (
        ("all is well", calm, ANA), ("one fails", s.served(), ANA), ("several fail, I lead and have a task", mine, ANA),
        ("for a guest who may ask", s.served(), Actor.outsider("U0EVE", "eve")),
    ):  # fmt: skip
        view = home_views.home(story.world, story.policy, story.now, reader)
        yield entry(f"Home: {title}", Kind.DETAIL, Message("", tuple(view["blocks"])))
    yield entry("Home: who may not ask", Kind.DETAIL, Message("", tuple(home_views.closed(GUEST)["blocks"])))
    yield form("Home: Open", home_views.incident_view(s.seen(s.served()), READERS))
    yield form("Home: What may I do?", rights_view(ANA, calm.policy.incidents))


def help_() -> Iterator[Entry]:
    """Help of each slash command."""
    for word in WORDS:
        yield entry(f"{word.word} help", Kind.HELP, help_message(word), word.word)


def of_storage() -> Iterator[Entry]:
    """Messages while the ledger cannot be written."""
    story = s.calm()
    world, policy, well = story.world, story.policy, {API: Level.OPERATIONAL}
    yield sentence("A change is refused", Kind.ANSWER, f"{storage.nothing_changed(FULL)} {storage.meanwhile(FULL)}")
    yield entry("Nothing is recorded", Kind.LINE, storage.nothing_written(FULL, SINCE, world, policy))
    yield entry("A component fails meanwhile", Kind.LINE, storage.fails_unwritten(FULL, {API: Level.DOWN}, SEEN, world, policy))
    yield entry("It is well again meanwhile", Kind.LINE, storage.fails_unwritten(FULL, well, {}, world, policy))
    yield entry("It failed when writing went on", Kind.LINE, storage.failed_unwritten({API: Level.DOWN}, AGAIN, policy))
    yield entry("What becomes of the first post", Kind.LINE, storage.was_unwritten(SINCE, AGAIN))
    yield entry("It is recorded again", Kind.LINE, storage.written_again(SINCE, AGAIN))
    message = storage.nothing_written(AWAY, SINCE, world, policy, replica=REPLICA)
    fails = storage.fails_unwritten(AWAY, {API: Level.DOWN}, SEEN, world, policy, replica=REPLICA)
    yield entry("One of several replicas cannot write", Kind.LINE, message)
    yield entry("A component of its share fails meanwhile", Kind.LINE, fails)
    yield entry("What becomes of its post", Kind.LINE, storage.was_unwritten(SINCE, AGAIN, replicas=True))
    yield entry("The replicas write again", Kind.LINE, storage.written_again(SINCE, AGAIN, replicas=True))


def elsewhere() -> Iterator[Entry]:
    """Mail, pagers and the like, while Slack or the ledger is down: title and text."""
    story, why = s.served(), "Slack did not answer for 5 min"
    for title, effect in (("the alert", e.PostAlert()), ("an update", e.PostUpdate(T0)), ("the end", e.PostSummary())):
        at = outage_story() if title == "the end" else story
        yield _notice(f"Slack does not take {title}", *out_of_band(effect, at.incident(), at.world, why))
    calm = s.calm()
    yield _notice("Nothing is recorded", *storage.ledger_notice("The disk is full", calm.world, calm.policy, {}))
    away = storage.ledger_notice("The database cannot be reached", calm.world, calm.policy, {}, replica=REPLICA)
    yield _notice("One of several replicas cannot write", *away)
    yield _notice(
        "Nothing is recorded, a component fails", *storage.ledger_notice("The disk is full", calm.world, calm.policy, SEEN)
    )
    lost, again = SightLost(CONTROL, T0, ""), SightRegained(CONTROL, T0, T0 + timedelta(minutes=12))
    yield _notice("We are blind", "Understudy is blind", sight_words(lost))
    yield _notice("We see again", "Understudy sees again", sight_words(again))


def _notice(title: str, heading: str, text: str) -> Entry:
    return sentence(f"notify: {title}", Kind.ELSEWHERE, f"{heading}\n{text}")


def _muted() -> s.Story:
    story = s.calm()
    story.at(1).add(f"component/{API}", Muted(API, LATER, "load test"), ANA)
    return story
