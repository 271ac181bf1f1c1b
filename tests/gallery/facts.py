"""One message for each announced fact, in the incident's channel or in a quiet thread."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from bot.core import effects as e
from bot.core.decide.incident.roles import GONE, NO_LEAD
from bot.core.model import LEAD, Actor, Fault, FeedState, Level, Notice, Phase, Severity
from bot.core.policy import Policy
from bot.core.record import component_facts as c
from bot.core.record import flag_facts as f
from bot.core.record import incident_facts as i
from bot.core.record import provider_facts as p
from bot.core.record import reminder_facts as rf
from bot.core.record import sight as v
from bot.core.record import task_facts as t
from bot.core.record.course.merge_facts import DuplicateFound, Merged, PartGivenBack, PartTaken, Unmerged
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.course.runbook_facts import StepTicked
from bot.core.record.entry_facts import MessageAdded
from bot.core.record.fact import Body, Fact
from bot.core.record.itself import configuration_facts as cf
from bot.core.record.rehearsals import rehearsal_facts as rh
from bot.core.record.room import room_facts as rm
from bot.core.record.sinks import sink_facts as k
from bot.core.record.steering import freeze as fz
from bot.core.record.steering import steering_facts as sf
from bot.core.record.world import World
from bot.core.rehearsal import QUOTA, Mark, NeedResult
from bot.ports import Message
from bot.views import quiet
from bot.views.incident.fact_messages import fact_line
from tests.gallery.phone import Entry, Kind, entry
from tests.gallery.situations import SLOW, TIMED_OUT, apart, begins, calm, page_is_away, proposed, served, with_tasks
from tests.stories import (
    ANA,
    API,
    BOB,
    CLAUDE,
    EU,
    FALLBACK_RULE,
    FLAG,
    HAND_BACK_RULE,
    MOBILE,
    SINK,
    T0,
    WEB,
    WINDOW,
    Story,
    message,
    outage_story,
)

LEFT = "ana's account is deactivated"
LATER = T0 + timedelta(hours=4)
MUTE, REMINDER = Actor.rule("mute"), Actor.rule("updates by people")
CONTROL = "0 of 3 control targets answer (one.one.one.one, dns.google, example.com)"
KEYS = ("flags.support-chat.llm.default", "providers.openai.components.api.checks[0].every")
SHORT = timedelta(seconds=15)
READERS = Actor.rule("flag readers")
REHEARSALS = Actor.rule("rehearsals")
FEEDER = Actor.rule("sinks")
ASK, COURSE = Actor.rule("resolve: ask"), Actor.rule("all components well")
NOTICE = Notice(
    "anthropic", "n1", "u1", "Requests fail on all surfaces", "We are investigating the cause.", "investigating", "critical",
    T0, "https://status.anthropic.example/incidents/n1", (API, WEB, MOBILE),
)  # fmt: skip
ELSEWHERE = Notice("anthropic", "n2", "u1", "Billing page is slow", "We are working on it.", "identified", "minor", T0)
REFUSED_KEY = "the last check failed: HTTP 401 invalid x-api-key"
EVIDENCE = ("inference: status 504", "inference: request_id req_0042")

Announced = tuple[str, Story, str, Body, Actor]  # title, when, stream, what, who


def of_the_incident() -> Iterator[Entry]:
    """The incident's course, and what people do."""
    yield from of_its_course()
    yield from of_phase_severity_and_title()
    yield from of_people()


def of_its_course() -> Iterator[Entry]:
    """Components that fail and recover, merges, and switches meanwhile."""
    now = served().now
    yield from _lines([
        ("Another component joins", served(), "incident/7", i.ComponentJoined(WEB, Level.DEGRADED, SLOW, EVIDENCE), WINDOW),
        ("A component gets worse", page_is_away(), "incident/7",
         i.ComponentMoved(API, Level.DEGRADED, Level.DOWN, TIMED_OUT, now, EVIDENCE), WINDOW),
        ("It fails again, and the phase stays what a person said", outage_story(150), "incident/7",
         i.ComponentMoved(API, Level.OPERATIONAL, Level.DOWN, TIMED_OUT, now, EVIDENCE, True), WINDOW),
        ("A component is back, others fail", outage_story(90), "incident/7",
         i.ComponentMoved(API, Level.DOWN, Level.OPERATIONAL, "5 of 5 checks passed", T0 + timedelta(minutes=88)),
          WINDOW),
        ("The last component is back", served(), "incident/7",
         i.ComponentMoved(API, Level.DOWN, Level.OPERATIONAL, "5 of 5 checks passed", T0 + timedelta(minutes=88)),
          WINDOW),
        ("Phase: served by a fallback", served(), "incident/7",
         i.PhaseChanged(Phase.TRIAGE, Phase.MITIGATED, "forward", "support chat switched to gpt"), FALLBACK_RULE),
        ("Merged into another one", served(), "incident/7", Merged(4, "the same outage"), ANA),
        ("Unmerged", served(), "incident/7", Unmerged(4, Phase.INVESTIGATING, "two causes after all"), ANA),
        ("Another one becomes part of it", served(), "incident/7",
         PartTaken(8, "OpenAI API is down", "openai", ("openai.api",), tasks=2), ANA),
        ("Canceled as a duplicate", served(), "incident/7",
         i.PhaseChanged(Phase.TRIAGE, Phase.CANCELED, "cancel", "duplicate", duplicate_of=4, why="bob was quicker"), ANA),
        ("Canceled as a false alarm", served(), "incident/7",
         i.PhaseChanged(Phase.TRIAGE, Phase.CANCELED, "cancel", "false-alarm"), ANA),
        ("Another one was its duplicate", served(), "incident/7", DuplicateFound(8, "Chat is slow"), ANA),
        ("A part is one of its own again", served(), "incident/7", PartGivenBack(8, ("openai.api",), tasks=1), ANA),
        ("Mitigated, and the phase stays what a person said", served(), "incident/7",
         Mitigated("support chat switched to gpt"), FALLBACK_RULE),
        ("Mitigated, by a person's word", served(), "incident/7", Mitigated("the old key works"), ANA),
        ("Mitigated no more", served(), "incident/7",
         MitigationLost("OpenAI API is down too, and support chat is on gpt"), FALLBACK_RULE),
        ("A step of the runbook is done", served(), "incident/7", StepTicked(API, 2, "Confirm on the board"), BOB),
        ("A step of the runbook is not done after all", served(), "incident/7",
         StepTicked(API, 2, "Confirm on the board", False), BOB),
    ])  # fmt: skip


def of_phase_severity_and_title() -> Iterator[Entry]:
    """Changes of phase, severity and title."""
    yield from _lines([
        ("Phase: identified by a person", served(), "incident/7",
         i.PhaseChanged(Phase.INVESTIGATING, Phase.IDENTIFIED, "forward", "database failover at the vendor"), ANA),
        ("Phase: all components are well", outage_story(150), "incident/7",
         i.PhaseChanged(Phase.MITIGATED, Phase.MONITORING, "forward", "every component is operational again"), COURSE),
        ("Phase: it fails again", outage_story(160), "incident/7",
         i.PhaseChanged(Phase.MONITORING, Phase.INVESTIGATING, "relapse", f"Claude API is down again: {TIMED_OUT}"), WINDOW),
        ("Phase: resolved", outage_story(160), "incident/7",
         i.PhaseChanged(Phase.MONITORING, Phase.RESOLVED, "forward", "vendor confirms the fix"), ANA),
        ("Phase: reopened", outage_story(), "incident/7",
         i.PhaseChanged(Phase.RESOLVED, Phase.INVESTIGATING, "reopen", "it fails again"), ANA),
        ("Severity: by a person", served(), "incident/7",
         i.SeverityChanged(Severity.SEV2, Severity.SEV1, "everybody is hit"), ANA),
        ("Severity: by a rule", begins(Level.DEGRADED, SLOW, severity=Severity.SEV3), "incident/7",
         i.SeverityChanged(Severity.SEV3, Severity.SEV2, TIMED_OUT), WINDOW),
        ("The title follows the provider", served(), "incident/7",
         i.TitleChanged("Claude API is down", "Claude is down (API, web, mobile)"), Actor.rule("title")),
        ("Renamed by a person", served(), "incident/7", i.TitleChanged("Claude API is down", "Support chat is slow"), ANA),
    ])  # fmt: skip


def of_people() -> Iterator[Entry]:
    """Roles, and reminders of them."""
    yield from _lines([
        ("Acknowledged", served(), "incident/7", i.Acknowledged(), ANA),
        ("Somebody joins", served(), "incident/7", i.ResponderJoined(), BOB),
        ("Somebody takes another role", served(), "incident/7", i.RoleChanged("communications", None, BOB), BOB),
        ("Nobody takes the lead", outage_story(16), "incident/7", i.LeadAsked(), NO_LEAD),
        ("The lead is given", served(), "incident/7", i.RoleChanged(LEAD, None, BOB), ANA),
        ("The lead is handed over", served(), "incident/7", i.RoleChanged(LEAD, ANA, BOB), ANA),
        ("The lead is gone", served(), "incident/7", i.RoleChanged(LEAD, ANA, None, True, LEFT), GONE),
        ("The lead is given up", served(), "incident/7", i.RoleChanged(LEAD, ANA, None), ANA),
        ("A note", served(), "incident/7", i.NoteAdded("Vendor support says: database failover"), BOB),
        ("Nobody has written an update", outage_story(64), "incident/7", rf.UpdateOverdue(T0 + timedelta(minutes=3)), REMINDER),
        ("Reminders are snoozed", served(), "incident/7", rf.RemindersSnoozed(served().now + timedelta(minutes=30)), ANA),
        ("Reminders are off", served(), "incident/7", rf.RemindersSnoozed(None), ANA),
        ("Reminders are on again", served(), "incident/7", rf.RemindersResumed(), ANA),
        ("A message from another channel", served(), "incident/7", MessageAdded(message()), ANA),
        ("Is it over?", outage_story(151), "incident/7",
         i.ResolveAsked("every component has been operational for 30 min"), ASK),
        ("Slack did not take something", served(), "incident/7",
         rm.GivenUp(e.PostUpdate.KIND, "INC-7/update/3", "msg_too_long"), Actor.rule("outbox")),
        ("We failed at something ourselves", served(), "incident/7",
         rm.GivenUp(e.PostUpdate.KIND, "INC-7/update/3", "internal error: KeyError", ours=True), Actor.rule("outbox")),
    ])  # fmt: skip


def of_tasks() -> Iterator[Entry]:
    """Tasks and follow-ups, in the incident's channel."""
    stream, soon = "incident/7", served().now + timedelta(minutes=30)
    gone = "ana's account is deactivated"
    yield from _lines([
        ("A task", served(), stream, t.TaskAdded(1, "Call Anthropic support", BOB, soon), ANA),
        ("A task that nobody has yet", served(), stream, t.TaskAdded(1, "Check our quotas at OpenAI"), ANA),
        ("A follow-up", served(), stream,
         t.TaskAdded(1, "Write the runbook", BOB, served().now + timedelta(days=3), follow_up=True), ANA),
        ("A task is handed over", with_tasks(), stream, t.TaskChanged(1, owner=BOB), ANA),
        ("A task reads otherwise, and has another time", with_tasks(), stream,
         t.TaskChanged(1, "Call Anthropic's duty manager", due_at=soon), ANA),
        ("A task's owner is gone", with_tasks(), stream, t.TaskChanged(1, unowned=True, reason=gone), GONE),
        ("A task is done", with_tasks(), stream, t.TaskDone(1), ANA),
        ("A task is dropped", with_tasks(), stream, t.TaskDropped(2, "they wrote to us"), ANA),
        ("A task is to be done again", with_tasks(done=True), stream, t.TaskReopened(1), BOB),
        ("A task is due and nobody has it", with_tasks(), stream, t.TaskReminded(2, None), Actor.rule("tasks")),
    ])  # fmt: skip


def of_flags() -> Iterator[Entry]:
    """Switches, there and back."""
    yield from of_switches()
    yield from of_the_way_back()
    yield from of_steering()
    yield from of_sinks()


def of_switches() -> Iterator[Entry]:
    """Switches to a fallback, made or held."""
    away, stream = served(), f"flag/{FLAG}"
    because, until = f"Claude API is down: {TIMED_OUT}", away.now + timedelta(hours=4)
    yield from _lines([
        ("A switch waits for a yes", proposed(), stream, f.EngageProposed(FLAG, "gpt", because), FALLBACK_RULE),
        ("One of two says yes", proposed(), stream, sf.SwitchApproved(FLAG, "gpt", 1, 2), ANA),
        ("Somebody says no", begins(), stream, sf.ProposalRejected(FLAG, "gpt", "Claude is nearly back"), ANA),
        ("Nobody answers in time", proposed(), stream, sf.AnswerOverdue(FLAG, "gpt", 5), FALLBACK_RULE),
        ("A proposal is withdrawn", begins(), stream,
         f.ProposalDropped(FLAG, "Claude API is operational again"), FALLBACK_RULE),
        ("Switched by a rule", away, stream,
         f.Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", because, "auto", until, (API,)), FALLBACK_RULE),
        ("Switched by a person", away, stream,
         f.Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", "we see it too", "manual", until, (API,)), ANA),
        ("A proposal is approved", away, stream,
         f.Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", because, "approved", until, (API,)), ANA),
        ("No fallback is better", begins(), stream, f.Held(FLAG, "gpt needs OpenAI API, which is down"), FALLBACK_RULE),
        ("No fallback is healthy", begins(), stream,
         f.Held(FLAG, "no fallback is healthy: gpt needs OpenAI API, which is down", unserved=True), FALLBACK_RULE),
    ])  # fmt: skip


def of_the_way_back() -> Iterator[Entry]:
    """Switching back: step by step, stopped, and done."""
    asked, stream, well = outage_story(109), f"flag/{FLAG}", "Claude API is operational"
    yield from _lines([
        ("Switching back is asked for", asked, stream, f.HandBackAsked(FLAG, well), HAND_BACK_RULE),
        ("The first step back", asked, stream, f.HandBackStepped(FLAG, 10, "approved by ana", "gpt"), ANA),
        ("A step back, without running ones", asked, stream, f.HandBackStepped(FLAG, 25, well, "gpt", 1800), ANA),
        ("The last step back, without them", asked, stream, f.HandBackStepped(FLAG, 100, well, "gpt", 1800), HAND_BACK_RULE),
        ("A later step back", asked, stream, f.HandBackStepped(FLAG, 50, well, "gpt"), HAND_BACK_RULE),
        ("Real requests fail on the way back", outage_story(111), stream,
         f.HandBackStopped(FLAG, 10, 25, 412, 61, 600, "gpt"), HAND_BACK_RULE),
        ("Real requests fail at the first step back", outage_story(111), stream,
         f.HandBackStopped(FLAG, 0, 10, 412, 61, 3_600, "gpt"), HAND_BACK_RULE),
        ("Switching back is stopped", outage_story(111), stream,
         f.HandBackReverted(FLAG, f"Claude API is down: {TIMED_OUT}"), HAND_BACK_RULE),
        ("Switched back by a rule", outage_story(126), stream,
         f.Released(FLAG, "claude", "Claude API is operational"), HAND_BACK_RULE),
        ("Switched back by a person", served(), stream, f.Released(FLAG, "claude", "quality is too low"), ANA),
    ])  # fmt: skip


def of_steering() -> Iterator[Entry]:
    """Ownership of a switch, rehearsals, expiry, shares, scopes, halts, pins and the freeze."""
    asked, ends, away, stream = outage_story(109), served(), served(), f"flag/{FLAG}"
    end = ends.world.flag(FLAG).engagement.expires_at  # type: ignore[union-attr] # it is engaged
    until = away.now + timedelta(hours=4)
    yield from _lines([
        ("Every reader has the switch", served(), stream,
         f.ReadersSaw(FLAG, "gpt", 14, 14, (), served().now - SHORT), READERS),
        ("Some readers do not have it", served(), stream,
         f.ReadersSaw(FLAG, "gpt", 5, 14, tuple(f"shop: web-{n}:4711" for n in range(5)), served().now - SHORT), READERS),
        *_of_rehearsals(stream),
        ("Its time is nearly up", ends, stream, sf.ExpiryNear(FLAG, end, "Claude API is down"), Actor.rule("expiry")),
        ("Its end is put off", ends, stream, sf.Extended(FLAG, LATER, end), ANA),
        ("Its time was up while we were away", served(), stream,
         f.ExpiryReached(FLAG, "Claude API is down", LATER), Actor.rule("expiry")),
        ("A share is switched by a person", away, stream,
         f.Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", "we try it", "manual", until, (API,), 25), ANA),
        ("Some readers are switched apart", apart(), f"flag/{EU}",
         f.Engaged(EU, f"{EU}#1", "cached", "gpt", "answers are slow there", "manual", until, (API,)), ANA),
        ("Some readers go back to what the others get", apart(), f"flag/{EU}",
         f.HandBackStepped(EU, 25, "OpenAI API is operational", "cached"), HAND_BACK_RULE),
        ("Some readers follow the others again", away, f"flag/{EU}", f.Released(EU, "gpt", "it is quick again"), ANA),
        ("A person sets the share", away, stream, sf.ShareSet(FLAG, 50, 25, "gpt", "quality is fine"), ANA),
        ("A person lowers the share", away, stream, sf.ShareSet(FLAG, 25, 50, "gpt", "quality is fine", 1800), ANA),
        ("A person sends everybody there", away, stream, sf.ShareSet(FLAG, 100, 50, "gpt", "Claude gets worse"), ANA),
        ("Switching back is no longer asked for", asked, stream,
         f.HandBackReverted(FLAG, "Claude API is down", 75), HAND_BACK_RULE),
        ("A person halts the way back", outage_story(116), stream, sf.HandBackHeld(FLAG, 25, "we watch it first"), ANA),
        ("A person lets it go on", outage_story(116), stream, sf.HandBackResumed(FLAG, 25), ANA),
        ("Pinned", away, stream, sf.Pinned(FLAG, "gpt", "we test the prompts"), ANA),
        ("No longer pinned", away, stream, sf.Unpinned(FLAG), ANA),
        ("Automation is frozen", away, "automation", fz.Frozen("the board lies"), ANA),
        ("Automation goes on", away, "automation", fz.Thawed("it is repaired"), ANA),
    ])  # fmt: skip


def of_sinks() -> Iterator[Entry]:
    """Other systems that follow the incident, or fail to."""
    away = served()
    yield from _lines([
        ("A sink does not follow", away, f"sink/{FLAG}/{SINK}",
         k.SinkFailed(FLAG, SINK, "gpt", "HTTP 403: is the token right and allowed to do this?"), FEEDER),
        ("A sink follows again", away, f"sink/{FLAG}/{SINK}", k.SinkFollowed(FLAG, SINK, "gpt"), FEEDER),
        ("A sink was changed by somebody else", away, f"sink/{FLAG}/{SINK}",
         k.SinkDrifted(FLAG, SINK, "100 % on", "off", True), FEEDER),
        ("... and is left so", away, f"sink/{FLAG}/{SINK}", k.SinkDrifted(FLAG, SINK, "100 % on", "off", False), FEEDER),
        ("A sink left the configuration with a fallback in it", away, f"sink/{FLAG}/{SINK}",
         k.SinkLeft(FLAG, SINK, "gpt"), FEEDER),
        ("... and nobody knows whether it took it", away, f"sink/{FLAG}/{SINK}",
         k.SinkLeft(FLAG, SINK, "gpt", sure=False), FEEDER),
    ])  # fmt: skip


def _of_rehearsals(stream: str) -> Iterator[Announced]:
    """Rehearsals that change what people may rely on."""
    good, bad = NeedResult("stream", Mark.OK), NeedResult("tools", Mark.FAILED, "it called no tool")
    low = NeedResult(QUOTA, Mark.LOW, "less than 10 % of our rate limit is left")

    def found(*results: NeedResult, answered: str = "gpt-5-2025-08-07", before: str = "") -> rh.Rehearsed:
        return rh.Rehearsed(FLAG, "gpt", "gpt-5", answered, results, 0.013, 4_200, before)

    yield "A fallback fails its rehearsal", calm(), stream, found(good, bad), REHEARSALS
    yield "Another model answers for a fallback", calm(), stream, found(good, before="gpt-5-2025-06-01"), REHEARSALS
    yield "A fallback has little quota left", calm(), stream, found(good, low), REHEARSALS
    yield "A fallback passes again", calm(), stream, found(good), REHEARSALS
    skipped = rh.RehearsalSkipped(FLAG, "gpt", "it would exceed the day's $0.50")
    yield "A fallback is not rehearsed", calm(), stream, skipped, REHEARSALS


def of_components() -> Iterator[Entry]:
    """Events of components and vendors, in an incident's channel or in #ops."""
    listing = ("anthropic", "n1", "Requests fail on all surfaces")
    yield from _lines([
        ("The vendor speaks", served(), "provider/anthropic", p.NoticeSeen(NOTICE), CLAUDE),
        ("The vendor's post disappears", served(), "provider/anthropic",
         p.NoticeUnlisted(*listing, "investigating", (API,)), CLAUDE),
        ("The vendor's post is back", served(), "provider/anthropic", p.NoticeListedAgain(*listing, (API,)), CLAUDE),
        ("The vendor says more than anybody reads", served(), "provider/anthropic",
         p.PageFlooded("anthropic", {"n2": ("u1", "u2")}, ("n2",)), CLAUDE),
        ("An alert is held back", served(), f"component/{WEB}",
         c.AlertSuppressed(WEB, "INC-7 is open for Claude", None), WINDOW),
        ("Another monitor's alert", served(), f"component/{API}",
         c.AlertHeard(API, "grafana", "k1", "firing", "Error rate of the support chat"), Actor.operator("grafana")),
        ("A person's report", served(), f"component/{API}", c.ReportHeard(API, "Every request times out for us"), BOB),
        ("Muted", served(), f"component/{API}", c.Muted(API, LATER, "load test"), ANA),
        ("No longer muted: by a person", served(), f"component/{API}", c.Unmuted(API, ""), ANA),
        ("No longer muted: its time is over", served(), f"component/{API}", c.Unmuted(API, "its time is up"), MUTE),
    ])  # fmt: skip


def of_the_bot() -> Iterator[Entry]:
    """Events of the bot itself."""
    yield from _lines([
        ("Another configuration", calm(), "configuration", cf.ConfigurationTaken(KEYS, 2), Actor.operator("ana")),
        ("A configuration that cannot be run with", calm(), "configuration",
         cf.ConfigurationRefused("Cannot listen on 0.0.0.0:8080: another program already does."), Actor.operator("ana")),
    ])  # fmt: skip


def quiet_threads() -> Iterator[Entry]:
    """#ops without an incident: the first message of a thread, and the replies that follow."""
    slow = c.VerdictChanged(API, Level.OPERATIONAL, Level.DEGRADED, SLOW, Fault.THEIRS, EVIDENCE, T0)
    ours = c.VerdictChanged(API, Level.OPERATIONAL, Level.UNKNOWN, REFUSED_KEY, Fault.OURS_KEY, ("inference: status 401",), T0)
    well = c.VerdictChanged(API, Level.DEGRADED, Level.OPERATIONAL, "5 of 5 checks passed", Fault.NONE, (), T0)
    small = c.AdvisoryRaised(
        API, "1 of 4 models fails: claude-haiku", "5 of 5 checks of claude-haiku failed in 5 min: HTTP 529", EVIDENCE, "a"
    )
    resumed = Actor.rule("held-back alerts")
    yield from _quiet([
        ("degraded", calm(), f"component/{API}", slow, WINDOW),
        ("our own key", calm(), f"component/{API}", ours, WINDOW),
        ("down while muted", calm(), f"component/{API}",
         c.AlertSuppressed(API, "muted by ana: load test", LATER, "quiet/1"), MUTE),
        ("no longer held back", page_is_away(), f"component/{WEB}",
         c.AlertResumed(WEB, "maintenance until 12:30 UTC", "quiet/1"), resumed),
        ("an advisory", calm(), f"component/{API}", small, WINDOW),
        ("a vendor's post that names us", calm(), "provider/anthropic", p.NoticeSeen(NOTICE), CLAUDE),
        ("a vendor's post that does not touch us", calm(), "provider/anthropic", p.NoticeSeen(ELSEWHERE), CLAUDE),
        ("a page that says too much", calm(), "provider/anthropic",
         p.PageFlooded("anthropic", {"n2": ("u1", "u2")}, ("n2",)), CLAUDE),
        ("we are blind", calm(), "sight", v.SightLost(CONTROL, T0, "sight/1"), Actor.rule("control group")),
    ], quiet.quiet, e.OpenThread, "Thread")  # fmt: skip
    yield from _quiet([
        ("well again", calm(), f"component/{API}", well, WINDOW),
        ("the key works again", calm(), f"component/{API}",
         c.VerdictChanged(API, Level.UNKNOWN, Level.OPERATIONAL, "5 of 5 checks passed", Fault.NONE, (), T0), WINDOW),
        ("the advisory is over", calm(), f"component/{API}",
         c.AdvisoryEnded(API, "1 of 4 models fails: claude-haiku", "all of it is operational again"), WINDOW),
        ("the vendor says more", calm(), "provider/anthropic", p.NoticeSeen(NOTICE), CLAUDE),
        ("the vendor's post disappears", calm(), "provider/anthropic",
         p.NoticeUnlisted("anthropic", "n2", "Billing page is slow", "identified", ()), CLAUDE),
        ("we see again", calm(), "sight",
         v.SightRegained(CONTROL, T0, T0 + timedelta(minutes=12)), Actor.rule("control group")),
        ("the page is read again", calm(), "provider/anthropic",
         p.FeedChanged("anthropic", FeedState.FRESH, ""), Actor.rule("feed")),
        ("the page cannot be read", calm(), "provider/anthropic",
         p.FeedChanged("anthropic", FeedState.STALE, "HTTP 503"), Actor.rule("feed")),
    ], quiet.quiet_reply, e.ReplyInThread, "Reply")  # fmt: skip


def _lines(announced: Sequence[Announced]) -> Iterator[Entry]:
    for title, story, stream, body, actor in announced:
        fact = _fact(story, stream, body, actor)
        yield entry(title, Kind.LINE, fact_line(fact, story.world, story.policy), type(body), e.PostLine)


def _quiet(
    announced: Sequence[Announced], view: Callable[[Fact, World, Policy], Message], effect: type[e.EffectBody], what: str
) -> Iterator[Entry]:
    for title, story, stream, body, actor in announced:
        fact = _fact(story, stream, body, actor)
        yield entry(f"{what}: {title}", Kind.LINE, view(fact, story.world, story.policy), type(body), effect)


def _fact(story: Story, stream: str, body: Body, actor: Actor) -> Fact:
    """The fact as it happens now; facts that only raise a question or request a switch are already in the world."""
    return story.add(stream, body, actor, 7 if 7 in story.world.incidents else None)
