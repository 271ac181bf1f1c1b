"""Sample histories, told in facts and folded into a world: what views, exports and faces are tried on.

`outage_story()` is a whole one: INC-7, Claude's three surfaces, the vendor 45 minutes late, the support chat on a fallback, two
updates, staged recovery, resolution. `until` stops it in the middle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core.effects import PostAlert, PostCard, PostUpdate
from bot.core.model import LEAD, Actor, Fault, FeedState, Level, Notice, Phase, Severity
from bot.core.outcomes.served import Served, VariantShare
from bot.core.policy import ComponentPolicy, Fallback, FlagPolicy, IncidentPolicy, Policy
from bot.core.record.component_facts import (
    AdvisoryEnded,
    AdvisoryRaised,
    AlertHeard,
    AlertResumed,
    AlertSuppressed,
    Muted,
    ReportHeard,
    Unmuted,
    VerdictChanged,
)
from bot.core.record.course.merge_facts import DuplicateFound, Merged, PartGivenBack, PartSwitched, PartTaken, Unmerged
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.course.runbook_facts import StepTicked
from bot.core.record.course.served_facts import CustomersServed
from bot.core.record.drills.drill_facts import DrillEnded, DrillReadersSeen
from bot.core.record.entry_facts import (
    EntryCorrected,
    EntryHidden,
    EntryShown,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    MessageKept,
    MessagePinned,
    MessageUnpinned,
)
from bot.core.record.fact import Body, Fact
from bot.core.record.flag_facts import (
    CarriedOver,
    ConversationsFollowed,
    Engaged,
    EngageProposed,
    ExpiryReached,
    HandBackAsked,
    HandBackReverted,
    HandBackStepped,
    HandBackStopped,
    Held,
    HoldEnded,
    ProposalDropped,
    ReadersSaw,
    Released,
)
from bot.core.record.incident import Incident, SourceFile, SourceMessage
from bot.core.record.incident_facts import (
    Acknowledged,
    ComponentJoined,
    ComponentMoved,
    Declared,
    Exported,
    LeadAsked,
    NoteAdded,
    PhaseChanged,
    ResolveAsked,
    ResponderJoined,
    RoleChanged,
    SeverityChanged,
    TitleChanged,
    UpdateWritten,
)
from bot.core.record.itself.configuration_facts import ConfigurationRefused, ConfigurationTaken
from bot.core.record.paging_facts import Paged, PageHeld, PageLost, PageOutcome, PagingResumed, PagingSettled
from bot.core.record.provider_facts import (
    FeedChanged,
    ListingChanged,
    MaintenanceSaid,
    NoticeListedAgain,
    NoticeSeen,
    NoticeUnlisted,
    PageFirstRead,
    PageFlooded,
    UpdatesForgotten,
)
from bot.core.record.rehearsals.rehearsal_facts import RehearsalAsked, RehearsalSkipped, Rehearsed
from bot.core.record.reminder_facts import RemindersResumed, RemindersSnoozed, UpdateOverdue
from bot.core.record.room.room_facts import (
    BroadcastBegun,
    ChannelNamed,
    ChannelOpened,
    ChannelRefused,
    GivenUp,
    PeopleInvited,
    Posted,
    PostGone,
    Repaired,
)
from bot.core.record.sight import SightLost, SightRegained
from bot.core.record.sinks.sink_facts import SinkAgreed, SinkDrifted, SinkFailed, SinkFollowed, SinkLeft, SinkOrdered
from bot.core.record.standing import Piece
from bot.core.record.steering.freeze import Frozen, Thawed
from bot.core.record.steering.steering_facts import (
    AnswerOverdue,
    ExpiryNear,
    Extended,
    HandBackHeld,
    HandBackResumed,
    Pinned,
    ProposalRejected,
    ShareSet,
    SwitchApproved,
    Unpinned,
)
from bot.core.record.streams import evolve
from bot.core.record.task_facts import (
    TaskAdded,
    TaskCame,
    TaskChanged,
    TaskDone,
    TaskDropped,
    TaskMoved,
    TaskReminded,
    TaskReopened,
)
from bot.core.record.world import World
from bot.core.rehearsal import Mark, NeedResult
from bot.core.tasks import Task, TaskRef
from bot.ports import LatencyPicture
from bot.views.scene import Scene

T0 = datetime(2026, 3, 20, 12, 40, tzinfo=UTC)
ANA = Actor.person("U0ANA", "ana")
BOB = Actor.person("U0BOB", "bob")
WINDOW = Actor.rule("k-of-n window")
FALLBACK_RULE = Actor.rule("fallback automation")
HAND_BACK_RULE = Actor.rule("hand-back")
HOURLY = Actor.rule("update every 60 min")
OUTBOX = Actor.rule("outbox")
CLAUDE = Actor.vendor("anthropic", "Claude")

API, WEB, MOBILE = "anthropic.api", "anthropic.web", "anthropic.mobile"
FLAG = "support-chat.llm"
EU = f"{FLAG}@env=eu"
SINK = "unleash:default/use-gpt@production"

# What hostile people and pages would write.
HOSTILE = (
    "<!channel> <@U0BOSS> <https://evil.example|click>",
    "x" * 40_000,
    "``` never closed",
    "\u202egnp.exe\u200b\x00\ud800 e" + "\u0301" * 50,
    "🔥🔥🔥",
    "=cmd|' /C calc'!A0",
    "[x](javascript:alert(1)) | <img src=x onerror=alert(1)> `a`\n# b",
    "*bold* _it_ ~s~ &amp; & > quote\r\n> more\n\n\n",
    "",
)


@dataclass
class Story:
    """A growing history: each `add` appends a fact and folds it into the world; `at` moves the clock to minutes after T0."""

    policy: Policy
    world: World = field(default_factory=World)
    facts: list[Fact] = field(default_factory=list)
    now: datetime = T0

    def at(self, minutes: float) -> "Story":
        self.now = T0 + timedelta(minutes=minutes)
        return self

    def add(self, stream: str, body: Body, actor: Actor = WINDOW, incident: int | None = None) -> Fact:
        if incident is None and stream.startswith("incident/"):
            incident = int(stream.partition("/")[2])
        fact = Fact(stream, self.world.seqs.get(stream, 0) + 1, self.now, actor, incident, body)
        self.facts.append(fact)
        self.world = evolve(self.world, fact)
        return fact

    def verdict(
        self, component: str, level: Level, reason: str, evidence: tuple[str, ...] = (), incident: int | None = None
    ) -> None:
        """The verdict, and what it means for the incident that holds the component."""
        previous = self.world.component(component).level
        fault = Fault.THEIRS if level.bad else Fault.NONE
        began_at = self.now - timedelta(minutes=1)
        body = VerdictChanged(component, previous, level, reason, fault, evidence, began_at)
        self.add(f"component/{component}", body)
        if incident is not None:
            self.add(f"incident/{incident}", ComponentMoved(component, previous, level, reason, began_at, evidence))

    def about(self, number: int) -> list[Fact]:
        """The facts that name an incident, as the ledger would give them."""
        return [fact for fact in self.facts if fact.incident == number]

    def incident(self, number: int = 7) -> Incident:
        return self.world.incidents[number]

    def scene(self, number: int = 7) -> Scene:
        return Scene(self.incident(number), self.world, self.policy, self.now)


def story_policy() -> Policy:
    """Claude with three components, OpenAI with one, two flags, a runbook and a status page."""
    opens = {Level.DOWN: "SEV2", Level.DEGRADED: "thread"}

    def component(id: str, name: str, provider_name: str) -> ComponentPolicy:
        provider = id.partition(".")[0]
        return ComponentPolicy(id, name, provider, provider_name, opens, page_url=f"https://status.{provider}.example/")

    api = replace(
        component(API, "Claude API", "Claude"),
        runbook_url="https://wiki.example/claude",
        runbook_steps=("Open the board", "Tell the support team"),
    )
    components = [
        api, component(WEB, "claude.ai", "Claude"), component(MOBILE, "Claude mobile", "Claude"),
        component("openai.api", "OpenAI API", "OpenAI"),
    ]  # fmt: skip
    flags = [
        FlagPolicy(
            key=FLAG, variants={"claude": "claude", "gpt": "gpt", "cached": "cached"}, default="claude",
            fallbacks=(Fallback("gpt", "openai.api"), Fallback("cached")), depends_on=(API,),
            description="Which provider answers the support chat", automation="auto",
        ),
        FlagPolicy(
            key="search.rerank", variants={"on": True, "off": False}, default="on", fallbacks=(Fallback("off"),),
            depends_on=(WEB,), automation="propose",
        ),
    ]  # fmt: skip
    every = {Severity.SEV1: timedelta(minutes=30), Severity.SEV2: timedelta(hours=1), Severity.SEV3: timedelta(hours=1)}
    return Policy(
        {c.id: c for c in components}, {flag.key: flag for flag in flags}, IncidentPolicy({**every, Severity.SEV4: None})
    )


def outage_story(until: float = 1000, *, title: str = "Claude API down", words: str = "") -> Story:
    """The history up to `until` minutes after T0; `title` and `words` replace what people and the vendor write."""
    story = Story(story_policy())
    for minute, chapter in CHAPTERS:
        if minute <= until:
            chapter(story.at(minute), title, words)
    return story


def _calm(story: Story, title: str, words: str) -> None:
    for id in story.policy.components:
        story.verdict(id, Level.OPERATIONAL, "5 of 5 checks passed")
    story.add("provider/anthropic", FeedChanged("anthropic", FeedState.FRESH, ""), Actor.rule("feed"))


def _fails(story: Story, title: str, words: str) -> None:
    reason = words or "inference: 3 of 5 checks failed: HTTP 502"
    story.verdict(API, Level.DOWN, reason, (words or "inference: status 502", words or "inference: request_id req_0042"))
    body = Declared(7, title, Severity.SEV2, "anthropic", "anthropic", (API,), T0, reason, "#ops")
    story.add("incident/7", body)
    story.add("incident/7", ComponentJoined(API, Level.DOWN, reason, story.world.component(API).evidence))
    story.add("incident/7", ChannelNamed("inc-20260320-0007-claude-api-down", 1))
    story.add(f"flag/{FLAG}", _engaged(reason, story.now), FALLBACK_RULE, 7)
    story.add("incident/7", _phase(Phase.TRIAGE, Phase.MITIGATED, "forward", "support chat switched to gpt"), FALLBACK_RULE)


def _engaged(reason: str, now: datetime) -> Engaged:
    return Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", "Claude API is down", "auto", now + timedelta(hours=4), (API,))


def _phase(previous: Phase, phase: Phase, move: str, reason: str) -> PhaseChanged:
    return PhaseChanged(previous, phase, move, reason)


def _slack_stands(story: Story, title: str, words: str) -> None:
    story.add("incident/7", Posted(PostAlert.KIND, "INC-7/alert", "C0OPS", "1774010580.000100"), OUTBOX)
    story.add("incident/7", ChannelOpened("C0INC7", "inc-20260320-0007-claude-api-down"), OUTBOX)
    story.add("incident/7", Posted(PostCard.KIND, "INC-7/card", "C0INC7", "1774010581.000100"), OUTBOX)


def _people_come(story: Story, title: str, words: str) -> None:
    story.add("incident/7", Acknowledged(), ANA)
    story.add("incident/7", NoteAdded(words or "Vendor support says: database failover"), BOB)


def _more_fails(story: Story, title: str, words: str) -> None:
    for id, level in ((WEB, Level.DEGRADED), (MOBILE, Level.DOWN)):
        reason = words or "front: 3 of 5 checks failed: HTTP 504"
        story.verdict(id, level, reason, ("front: status 504",))
        story.add("incident/7", ComponentJoined(id, level, reason, ("front: status 504",)))
    story.add("flag/search.rerank", EngageProposed("search.rerank", "off", words or "claude.ai is degraded"), FALLBACK_RULE, 7)


def _vendor_speaks(story: Story, title: str, words: str) -> None:
    notice = Notice(
        "anthropic", "n1", "u1", words or "Requests fail on all surfaces", words or "We are investigating the cause.",
        "investigating", "critical", story.now, "https://status.anthropic.example/incidents/n1", (API, WEB, MOBILE),
    )  # fmt: skip
    story.add("provider/anthropic", NoticeSeen(notice), CLAUDE, 7)


def _bot_updates(story: Story, title: str, words: str) -> None:
    story.add("incident/7", UpdateWritten(story.incident().updates + 1, "", 0), HOURLY)


def _ana_updates(story: Story, title: str, words: str) -> None:
    story.add("incident/7", UpdateWritten(2, words or "Support chat answers with the fallback, quality is fine.", 0), ANA)


def _api_is_back(story: Story, title: str, words: str) -> None:
    story.verdict(API, Level.OPERATIONAL, "5 of 5 checks passed", incident=7)
    story.add(f"flag/{FLAG}", HandBackAsked(FLAG, f"{API} operational"), HAND_BACK_RULE, 7)


def _back_in_steps(story: Story, title: str, words: str) -> None:
    story.add(f"flag/{FLAG}", HandBackStepped(FLAG, 10, "approved by ana"), ANA, 7)
    story.at(115).add(f"flag/{FLAG}", HandBackStepped(FLAG, 25, f"{API} operational"), HAND_BACK_RULE, 7)
    story.at(125).add(f"flag/{FLAG}", Released(FLAG, "claude", f"{API} operational"), HAND_BACK_RULE, 7)


def _all_is_back(story: Story, title: str, words: str) -> None:
    for id in (WEB, MOBILE):
        story.verdict(id, Level.OPERATIONAL, "5 of 5 checks passed", incident=7)
    dropped = ProposalDropped("search.rerank", "the default is no longer in trouble")
    story.add("flag/search.rerank", dropped, FALLBACK_RULE, 7)
    well = _phase(Phase.MITIGATED, Phase.MONITORING, "forward", "every component is operational again")
    story.add("incident/7", well, Actor.rule("all components well"))


def _over(story: Story, title: str, words: str) -> None:
    asked = ResolveAsked("every component has been operational for 30 min")
    story.add("incident/7", asked, Actor.rule("resolve: ask"))
    over = _phase(Phase.MONITORING, Phase.RESOLVED, "forward", words or "vendor confirms the fix")
    story.at(190).add("incident/7", over, ANA)
    story.add("incident/7", Exported("md", "the incident's channel"), ANA)


CHAPTERS = (
    (-60, _calm), (3, _fails), (4, _slack_stands), (6, _people_come), (15, _more_fails), (45, _vendor_speaks),
    (63, _bot_updates), (90, _ana_updates), (108, _api_is_back), (110, _back_in_steps), (150, _all_is_back),
    (150, _bot_updates), (182, _over),
)  # fmt: skip


def message(words: str = "it was DNS", *, channel: str = "C0SUPPORT", file: str = "graph.png") -> SourceMessage:
    """What Bob wrote two minutes after the start, with a picture."""
    link = f"https://example.slack.com/archives/{channel}/p1774010820000100"
    files = (SourceFile(file, "https://example.slack.com/files/U0BOB/F1/graph.png"),)
    return SourceMessage(channel, "1774010820.000100", BOB, words, T0 + timedelta(minutes=7), link, files)


def one_of_each(words: str = "words") -> list[Fact]:
    """One fact of every kind about INC-7, with `words` wherever somebody else writes."""
    notice = Notice(
        "anthropic", "n1", "u1", words, words, words or "investigating", words, T0, "https://status.example/n1", (API,)
    )
    later = T0 + timedelta(hours=4)
    bodies: Sequence[tuple[str, Body]] = [
        (f"component/{API}", VerdictChanged(API, Level.OPERATIONAL, Level.DOWN, words, Fault.THEIRS, (words,), T0)),
        (f"component/{API}", AdvisoryRaised(API, words, words, (words,), "advisory/1")),
        (f"component/{API}", AdvisoryEnded(API, words, words)),
        (f"component/{API}", AlertSuppressed(API, words, later)),
        (f"component/{API}", AlertResumed(API, words, "quiet/1")),
        (f"component/{API}", AlertHeard(API, words, words, "firing", words)),
        (f"component/{API}", ReportHeard(API, words)),
        (f"component/{API}", Muted(API, later, words)),
        (f"component/{API}", Unmuted(API, words)),
        ("provider/anthropic", FeedChanged("anthropic", FeedState.STALE, words)),
        ("provider/anthropic", MaintenanceSaid("anthropic", (API,))),
        ("provider/anthropic", PageFirstRead("anthropic", "p1", {"n0": ("u0",)})),
        ("provider/anthropic", PageFlooded("anthropic", {"n2": ("u1", "u2")}, ("n2",))),
        ("provider/anthropic", UpdatesForgotten("anthropic", {"n0": ("u0",)})),
        ("provider/anthropic", NoticeSeen(notice)),
        ("provider/anthropic", ListingChanged("anthropic", "p1", ("n1",))),
        ("provider/anthropic", NoticeUnlisted("anthropic", "n1", words, words, (API,))),
        ("provider/anthropic", NoticeListedAgain("anthropic", "n1", words, (API,))),
        ("sight", SightLost(words, T0, "sight/1")),
        ("sight", SightRegained(words, T0, later)),
        ("incident/7", Declared(7, words, Severity.SEV2, "anthropic", "anthropic", (API,), T0, words, "#ops")),
        ("incident/7", ComponentJoined(WEB, Level.DOWN, words, (words,))),
        ("incident/7", ComponentMoved(API, Level.DOWN, Level.OPERATIONAL, words, T0)),
        ("incident/7", PhaseChanged(Phase.TRIAGE, Phase.INVESTIGATING, "forward", words)),
        ("incident/7", Merged(4, words)),
        ("incident/7", Unmerged(4, Phase.INVESTIGATING, words)),
        ("incident/7", PartTaken(8, words, "openai", (WEB,), (BOB,))),
        ("incident/7", DuplicateFound(8, words)),
        ("incident/7", PartGivenBack(8, (WEB,))),
        ("incident/7", PartSwitched(words[:120] or FLAG, words)),
        ("incident/7", Mitigated(words)),
        ("incident/7", MitigationLost(words)),
        ("incident/7", StepTicked(API, 1, words)),
        ("incident/7", TitleChanged(words, f"{words}!")),
        ("incident/7", SeverityChanged(Severity.SEV2, Severity.SEV1, words)),
        ("incident/7", Acknowledged()),
        ("incident/7", ResponderJoined()),
        ("incident/7", RoleChanged(LEAD, BOB, Actor.person("U0ANA", words))),
        ("incident/7", LeadAsked()),
        ("incident/7", UpdateWritten(3, words, 2)),
        ("incident/7", NoteAdded(words)),
        ("incident/7", MessageAdded(message(words, file=words))),
        ("incident/7", MessageKept(12)),
        ("incident/7", MessagePinned(12)),
        ("incident/7", MessageUnpinned(12, last=True)),
        ("incident/7", MessageEdited(12, words, "1774010900.000200")),
        ("incident/7", MessageDeleted(12)),
        ("incident/7", EntryCorrected(12, words, T0)),
        ("incident/7", EntryHidden(12)),
        ("incident/7", EntryShown(12)),
        ("incident/7", ResolveAsked(words)),
        ("incident/7", Paged(Severity.SEV2, 2, ("primary",), ("primary",), ("all",), False, 1, words)),
        ("incident/7", PageOutcome(Severity.SEV2, 2, "mention", ("S0ONCALL",), words)),
        ("incident/7", PageLost(Severity.SEV2, 2, last=True, reason=words)),
        ("incident/7", PageHeld(Severity.SEV2, 3, later, words)),
        ("incident/7", UpdateOverdue(T0)),
        ("incident/7", RemindersSnoozed(later)),
        ("incident/7", RemindersResumed()),
        ("incident/7", TaskAdded(1, "Call Anthropic support", ANA, T0)),
        ("incident/7", TaskChanged(1, "Call them", BOB, T0)),
        ("incident/7", TaskReminded(1, ANA)),
        ("incident/7", TaskDone(1)),
        ("incident/7", TaskReopened(1)),
        ("incident/7", TaskDropped(1, "they wrote to us")),
        ("incident/7", TaskMoved(1, TaskRef(4, 2))),
        ("incident/7", TaskCame(2, TaskRef(4, 2), Task(2, words, BOB, later, False, ANA, T0))),
        ("incident/7", DrillEnded(words)),
        ("incident/7", DrillReadersSeen(words[:120] or FLAG, (words[:120],), (words[:120],))),
        ("incident/7", CustomersServed(Served(T0, (VariantShare(words[:120], words[:120], "", 9, 1),), 1, 2, {FLAG: T0}))),
        ("incident/7", ChannelNamed("inc-20260320-0007-x", 2)),
        ("incident/7", ChannelOpened("C0INC7", "inc-20260320-0007-x")),
        ("incident/7", ChannelRefused(words)),
        ("incident/7", BroadcastBegun("#stakeholders")),
        ("incident/7", Posted(PostAlert.KIND, "INC-7/alert", "C0OPS", "1.2")),
        ("incident/7", PostGone(PostAlert.KIND, "C0OPS", "1774008000.000100", words, again=True)),
        ("incident/7", GivenUp(PostUpdate.KIND, "INC-7/update/3", words)),
        ("incident/7", Exported("md", "the incident's channel")),
        ("incident/7", PeopleInvited(("U0ANA", "S0ONCALL"))),
        ("incident/7", Repaired((Piece.CARD, Piece.TOPIC))),
        (f"flag/{FLAG}", EngageProposed(FLAG, "gpt", words)),
        (f"flag/{FLAG}", ProposalDropped(FLAG, words)),
        (f"flag/{FLAG}", Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", words, "approved", later, (API,))),
        (f"flag/{FLAG}", Held(FLAG, words)),
        (f"flag/{FLAG}", HoldEnded(FLAG)),
        (f"flag/{FLAG}", HandBackAsked(FLAG, words)),
        (f"flag/{FLAG}", HandBackStepped(FLAG, 10, words)),
        (f"flag/{FLAG}", HandBackReverted(FLAG, words)),
        (f"flag/{FLAG}", HandBackStopped(FLAG, 10, 25, 200, 30, 600, words[:120])),
        (f"flag/{FLAG}", Released(FLAG, "claude", words)),
        (f"flag/{FLAG}", ExpiryReached(FLAG, words, later)),
        (f"flag/{FLAG}", ShareSet(FLAG, 25, 100, words or "gpt", words)),
        (f"flag/{FLAG}", HandBackHeld(FLAG, 25, words)),
        (f"flag/{FLAG}", HandBackResumed(FLAG, 25)),
        (f"flag/{FLAG}", ExpiryNear(FLAG, later, words)),
        (f"flag/{FLAG}", Extended(FLAG, later, T0)),
        (f"flag/{FLAG}", Pinned(FLAG, words or "gpt", words)),
        (f"flag/{FLAG}", Unpinned(FLAG)),
        (f"flag/{FLAG}", SwitchApproved(FLAG, words or "gpt", 1, 2)),
        (f"flag/{FLAG}", ProposalRejected(FLAG, words or "gpt", words)),
        (f"flag/{FLAG}", AnswerOverdue(FLAG, words or "gpt", 5)),
        ("incident/7", PagingResumed(words)),
        ("incident/7", PagingSettled()),
        ("automation", Frozen(words)),
        ("automation", Thawed(words)),
        (f"flag/{FLAG}", CarriedOver(FLAG, "gpt", T0)),
        (f"flag/{FLAG}", ConversationsFollowed(FLAG, 25)),
        (f"flag/{FLAG}", RehearsalAsked(FLAG)),
        (f"flag/{FLAG}", Rehearsed(FLAG, "gpt", words, words, (NeedResult("tools", Mark.FAILED, words),), 0.01, 4_200, words)),
        (f"flag/{FLAG}", RehearsalSkipped(FLAG, "gpt", words)),
        ("configuration", ConfigurationTaken(("flags.chat.default", words), 3)),
        ("configuration", ConfigurationRefused(words)),
        (f"flag/{FLAG}", ReadersSaw(FLAG, "gpt", 12, 14, (words, "web-3"), T0 - timedelta(seconds=15))),
        (f"sink/{FLAG}/{SINK}", SinkOrdered(FLAG, SINK, "gpt", 25)),
        (f"sink/{FLAG}/{SINK}", SinkFailed(FLAG, SINK, "gpt", words)),
        (f"sink/{FLAG}/{SINK}", SinkFollowed(FLAG, SINK, "gpt", 25, words)),
        (f"sink/{FLAG}/{SINK}", SinkDrifted(FLAG, SINK, words, words, True)),
        (f"sink/{FLAG}/{SINK}", SinkLeft(FLAG, SINK, "gpt")),
        (f"sink/{FLAG}/{SINK}", SinkAgreed(FLAG, SINK)),
    ]
    return [Fact(stream, n, T0, ANA, 7, body) for n, (stream, body) in enumerate(bodies, 1)]


def latencies() -> dict[str, LatencyPicture]:
    """Data of `/health`: one fast component, one slow, one without a good run, one without any."""
    return {
        API: LatencyPicture(60, None, None, 60),
        WEB: LatencyPicture(60, 420.0, 2600.0, 2),
        MOBILE: LatencyPicture(0, None, None, 0),
        "openai.api": LatencyPicture(60, 310.0, 700.0, 0),
    }
