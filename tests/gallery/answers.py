"""Replies to one person: to their command, to a refusal, and to a typo."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bot.core.answers import base
from bot.core.answers import components as ca
from bot.core.answers import flags as fa
from bot.core.answers import incident as a
from bot.core.answers import rehearsals as rh
from bot.core.decide import drills as dr
from bot.core.decide.incident import entries as en
from bot.core.decide.incident import merging as mg
from bot.core.decide.incident import mitigating as m
from bot.core.decide.incident import naming as n
from bot.core.decide.incident import reminders as rem
from bot.core.decide.incident import repair as p
from bot.core.decide.incident import roles as r
from bot.core.decide.incident import runbooks as rb
from bot.core.decide.incident import tasks as ts
from bot.core.decide.permissions import Denied, Role
from bot.core.model import Level, Phase, Severity
from bot.core.record.standing import Piece
from bot.core.signals.base import LEVELS
from bot.core.tasks import TaskRef, TaskState
from bot.engine.engine import CommittingEngine
from bot.flags.board import FlagBoard
from bot.slack.reception import TOO_MANY, UNKNOWN, WORDS
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.views.answers.in_slack import answer_message, told
from commands.desk import CommandContext, Request
from commands.drill import drill
from commands.fallback import fallback
from commands.health import health
from commands.incident.converting import INVITE, ExistingChannel
from commands.incident.word import incident
from commands.parsing.parse import Misunderstood, mentions, typed
from commands.understudy import understudy
from tests.desk import policy
from tests.gallery.phone import Entry, Kind, entry, sentence
from tests.stories import ANA, BOB, FALLBACK_RULE, FLAG, T0

HERE, NOWHERE = a.RoomRef("C0INC7", "inc-20260320-0007-claude"), a.RoomRef()
OPEN = (a.OpenOne(7, "Claude API is down", "Claude", HERE),)
LEADS = {"role": "lead", "leads": True}
COMPONENTS = ("anthropic.api", "anthropic.web", "openai.api")
FAILING = (a.Failing("claude.ai", Level.DEGRADED),)
DOWN = "Claude API is down"
HOUR = timedelta(hours=1)
INC7: dict[str, Any] = {"incident": 7}
CHAT: dict[str, Any] = {"flag": FLAG, "flag_name": "support chat"}
EU: dict[str, Any] = {"flag": f"{FLAG}@env=eu", "flag_name": "support chat (env=eu)"}

OF_INCIDENTS: tuple[base.Answer, ...] = (
    a.Declared(**INC7, title="Claude is slow", channel_name="inc-20260320-0007-claude"),
    a.Declared(**INC7, title="Claude is slow", channel_name="inc-20260320-0007-claude", at=T0, began_at=T0 - HOUR),
    a.Declared(
        **INC7, title="Claude was slow", channel_name="inc-20260320-0007-claude", at=T0, began_at=T0 - 26 * HOUR,
        ended_at=T0 - 25 * HOUR,
    ),
    a.Declared(
        **INC7, title="Payments are slow", channel_name="inc-20260320-0007-payments-are-slow",
        beside=(a.OpenOne(6, "Nobody can log in", "", HERE),),
    ),
    a.Declared(**INC7, title="Claude is slow", channel_name="claude-trouble", channel="C0TALK"), a.ChannelTaken(**INC7),
    *(a.CannotHaveBeen(why=why, at=T0, days=30) for why in a.WrongTime),
    a.TwoProviders(),
    a.OpenAlready(**INC7, open=OPEN, free=()),
    a.OpenAlready(**INC7, open=OPEN, free=("OpenAI",)),
    a.Joined(**INC7, place=HERE), a.Joined(**INC7, place=NOWHERE), a.JoinedBefore(**INC7, place=HERE),
    *(a.Over(**INC7, phase=Phase.RESOLVED, wanted=wanted) for wanted in a.Wanted),
    a.Over(**INC7, phase=Phase.MERGED, wanted=a.Wanted.UPDATE),
    a.Acknowledged(**INC7), a.AcknowledgedBefore(**INC7, by=BOB),
    mg.MergeDone(**INC7, into=4, place=HERE), mg.MergeDone(**INC7, into=4, place=NOWHERE), mg.NotMerged(**INC7),
    mg.UnmergeDone(**INC7, out_of=4, phase=Phase.INVESTIGATING),
    *(mg.CannotMerge(**INC7, why=why, other=4) for why in mg.Obstacle),
    a.NoWay(**INC7, phase=Phase.MERGED, to=Phase.RESOLVED, ways=()),
    a.NoWay(**INC7, phase=Phase.TRIAGE, to=Phase.MERGED, ways=(Phase.RESOLVED,)),
    m.MitigationNoted(**INC7, over=False, phase=Phase.IDENTIFIED), m.MitigationNoted(**INC7, over=True, phase=Phase.TRIAGE),
    m.MitigatedAlready(**INC7, by=FALLBACK_RULE),
    m.NotMitigated(**INC7),
    n.Renamed(**INC7, title=DOWN), n.CalledAlready(**INC7, title=DOWN), n.TitleTooLong(**INC7, most=200),
    n.NoNewTitle(**INC7, title=DOWN),
    rem.Snoozed(**INC7, until=T0 + timedelta(minutes=30)), rem.Snoozed(**INC7, until=None), rem.Resumed(**INC7),
    rem.SnoozedNot(**INC7), rem.NoReminders(**INC7, severity=Severity.SEV4),
    rem.NoSuchSnooze(**INC7, least_minutes=1, most_hours=24),
    a.UpdateWritten(**INC7, slot=3), a.NoteAdded(**INC7),
    en.MessageInTimeline(**INC7), en.MessageInTimeline(**INC7, before=True), en.MessageTakenOut(**INC7),
    en.EntryIsCorrected(**INC7), en.NothingToCorrect(**INC7), en.NotYet(**INC7), en.NoEntry(**INC7),
    en.EntryIsHidden(**INC7), en.EntryIsHidden(**INC7, back=True),
    a.SeveritySet(**INC7, severity=Severity.SEV1), a.SeverityAlready(**INC7, severity=Severity.SEV1),
    r.RoleGiven(**INC7, **LEADS, to=BOB), r.RoleTaken(**INC7, **LEADS), r.RoleAlready(**INC7, **LEADS, to=BOB),
    r.RoleAlready(**INC7, **LEADS, to=None), r.RoleGiven(**INC7, role="scribe", to=BOB), r.RoleTaken(**INC7, role="scribe"),
    r.RoleAlready(**INC7, role="scribe", to=BOB), r.RoleAlready(**INC7, role="scribe", to=None),
    r.NoRole(**INC7, role="chef", known=("lead", "scribe")),
    a.Exported(**INC7, where="the incident's channel"), a.NoFormat(**INC7, format="pdf", known=("md", "json", "csv")),
    a.NoWay(**INC7, phase=Phase.RESOLVED, to=Phase.RESOLVED, ways=(Phase.INVESTIGATING,)),
    a.NoWay(**INC7, phase=Phase.CLOSED, to=Phase.RESOLVED, ways=()),
    a.NoWay(**INC7, phase=Phase.MITIGATED, to=Phase.TRIAGE, ways=(Phase.MONITORING, Phase.RESOLVED)),
    a.NeedsWhy(**INC7, severity=Severity.SEV3, now=Severity.SEV2),
    a.NeedsOriginal(**INC7, known=(a.Other(4, "Chat is slow"),)), a.NeedsOriginal(**INC7, known=()),
    a.IsOpen(**INC7, phase=Phase.MONITORING),
    a.NeedsReason(**INC7, reasons=("false-alarm", "duplicate", "external", "drill")), a.OpenElsewhere(**INC7),
    a.StillFailing(**INC7, failing=FAILING, away=(a.Away(FLAG, "gpt", "support chat", "GPT"),)),
    a.Moved(**INC7, phase=Phase.MONITORING),
    a.Moved(**INC7, phase=Phase.RESOLVED, failing=("claude.ai",), until=T0 + timedelta(minutes=5)),
    a.Moved(**INC7, phase=Phase.CANCELED, failing=("claude.ai", "Claude mobile")),
)  # fmt: skip
SOON, WRITE = T0 + timedelta(minutes=30), "Write the runbook"
OF_TASKS: tuple[base.Answer, ...] = (
    ts.TaskIsAdded(**INC7, task=3, text="Call support", owner=BOB, due_at=SOON, follow_up=False, at=T0),
    ts.TaskIsAdded(**INC7, task=3, text="Call support", owner=None, due_at=None, follow_up=False, at=T0),
    ts.TaskIsAdded(**INC7, task=4, text=WRITE, owner=BOB, due_at=T0 + timedelta(days=3), follow_up=True, at=T0),
    ts.TaskIsChanged(**INC7, task=3, text="Call support", owner=BOB, due_at=SOON, at=T0),
    ts.TaskIsDone(**INC7, task=3, left=2), ts.TaskIsDone(**INC7, task=3, left=0), ts.TaskIsDropped(**INC7, task=3, left=1),
    ts.TaskIsOpen(**INC7, task=3), ts.NoTask(**INC7, task=9, newest=3), ts.NoTask(**INC7, task=1, newest=0),
    ts.TaskOver(**INC7, task=3, state=TaskState.DONE, by=BOB), ts.TaskStillOpen(**INC7, task=3),
    ts.TaskElsewhere(**INC7, task=3, to=TaskRef(4, 1)),
    ts.TaskAsBefore(**INC7, task=3, owner=BOB), ts.TaskAsBefore(**INC7, task=3, owner=None),
    ts.TaskTooLong(most=500), ts.TooManyTasks(**INC7, most=200),
    ts.CannotBeDue(due_at=T0 - HOUR, passed=True, days=366),
    ts.CannotBeDue(due_at=T0 + timedelta(days=400), passed=False, days=366),
)  # fmt: skip
OF_RUNBOOKS: tuple[base.Answer, ...] = (
    rb.StepIsTicked(**INC7, step=2, text="Confirm on the board", done=True),
    rb.StepIsTicked(**INC7, step=2, text="Confirm on the board", done=False), rb.StepAsBefore(**INC7, step=2, by=BOB),
    rb.StepAsBefore(**INC7, step=2, by=None), rb.NoStep(**INC7, step=9, most=3), rb.NoStep(**INC7, step=1, most=0),
)  # fmt: skip
OF_REPAIRS: tuple[base.Answer, ...] = (
    p.RepairStarted(**INC7, pieces=(Piece.CARD, Piece.TOPIC)), p.RepairStarted(**INC7, pieces=(Piece.CHANNEL,)),
    p.RepairStarted(**INC7, pieces=tuple(Piece)),
    p.RepairStarted(**INC7, pieces=(Piece.PIN,), waiting=(Piece.ALERT,), unknown="Slack did not answer in time"),
    p.NothingMissing(**INC7), p.NothingMissing(**INC7, waiting=(Piece.CARD, Piece.PIN)),
    p.NothingMissing(**INC7, unknown="Slack did not answer in time"), p.ChangedMeanwhile(**INC7), p.NobodyLooked(**INC7),
)  # fmt: skip
OF_DRILLS: tuple[base.Answer, ...] = (
    dr.DrillStarted(
        incident=8, title="DRILL: Claude API is down", channel_name="drill-20260320-0008-claude", until=T0 + HOUR,
    ),
    dr.DrillStarted(
        **CHAT, incident=8, title="DRILL: Claude API is down", channel_name="drill-20260320-0008-claude", until=T0 + HOUR,
        paging=True, variant="gpt",
    ),
    dr.DrillStopped(incident=8), dr.NoSuchLength(least_minutes=1, most_hours=2), dr.DrillRuns(incident=8),
    dr.DrillRuns(**CHAT, incident=8), dr.ReallyFails(why="Claude is failing for real: INC-7"),
    dr.NoFallback(**CHAT, why="it is switched already"), dr.NoFallback(**CHAT), dr.NoDrill(**INC7),
    a.DrillIsOver(incident=8),
)  # fmt: skip
OF_FLAGS: tuple[base.Answer, ...] = (
    fa.Switched(**CHAT, variant="gpt"), fa.ServesAlready(**CHAT, variant="gpt"),
    fa.NoVariant(**CHAT, variant="gpd", known=("claude", "gpt", "cached")), fa.IsDefault(**CHAT, variant="claude"),
    fa.NoneBetter(**CHAT, reason="gpt needs OpenAI API, which is down"),
    fa.Unfit(**CHAT, reason="gpt needs OpenAI API, which is down"),
    fa.NothingWaits(**CHAT, variant="gpt"), fa.Released(**CHAT, default="claude"), fa.Released(**CHAT, default=""),
    fa.AtDefault(**CHAT), fa.DefaultUnwell(**CHAT, unwell=DOWN), fa.HandBackBegun(**CHAT), fa.NothingToHandBack(**CHAT),
    fa.HandBackRuns(**CHAT, share=25), fa.HandBackRefused(**CHAT, variant="gpt", unwell=DOWN),
    fa.Switched(**EU, variant="gpt", share=25), fa.TooManyScopes(**CHAT, most=16), fa.ScopeFollows(**EU), fa.NotEngaged(**EU),
    fa.Released(**EU, default="claude"),
    fa.Switched(**CHAT, variant="gpt", share=25), fa.NotEngaged(**CHAT), fa.NoShare(**CHAT),
    fa.ShareSet(**CHAT, share=50, variant="gpt", default="claude"),
    fa.ShareSet(**CHAT, share=100, variant="gpt", default="claude"), fa.ShareAlready(**CHAT, share=50, variant="gpt"),
    fa.ShareUnwell(**CHAT, share=50, unwell=DOWN), fa.ShareUnwell(**CHAT, share=50, unwell=DOWN, variant="gpt"),
    fa.ShareUnwell(**CHAT, share=100, unwell="OpenAI API is down"), fa.HandBackHeld(**CHAT, share=25),
    fa.HeldAlready(**CHAT, share=25),
    fa.NoHandBack(**CHAT), fa.HandBackResumed(**CHAT, share=25), fa.NothingHeld(**CHAT),
    fa.Extended(**CHAT, until=T0 + HOUR, now=T0), fa.ExtendedAlready(**CHAT, until=T0 + HOUR, now=T0),
    fa.TooFar(**CHAT, most_days=366), fa.Pinned(**CHAT, variant="gpt"), fa.PinnedAlready(**CHAT, by=BOB),
    *(fa.Unpinned(**CHAT, automation=how) for how in ("off", "propose", "auto")), fa.NotPinned(**CHAT), fa.Frozen(),
    fa.FrozenAlready(by=BOB), fa.Thawed(), fa.NotFrozen(),
    fa.YesCounted(**CHAT, variant="gpt", given=1, quorum=2), fa.YesAlready(**CHAT, given=1, quorum=2),
    fa.NoApprover(**CHAT, named=("S0LEADS", BOB.id)), fa.Rejected(**CHAT, variant="gpt"), fa.NothingAsked(**CHAT),
    fa.Planned(
        **CHAT, serves="claude", share_now=100, variant="gpt", share=25, default="claude", readers=12,
        healths=(DOWN, "OpenAI API is operational"), hands_off="it is pinned by bob",
    ),
    fa.Planned(
        **CHAT, serves="claude", share_now=100, variant="gpt", share=100, default="claude", readers=1,
        healths=(DOWN, "OpenAI API is degraded"), rebuild=fa.CacheRebuild("OpenAI API", 1.25, 0.13, 1240),
    ),
    fa.Planned(
        **EU, serves="gpt", share_now=100, variant="cached", share=50, default="gpt", readers=0,
        healths=(DOWN,), left_out=("gateway",),
    ),
    fa.Planned(
        **CHAT, serves="gpt", share_now=75, variant="", share=100, default="claude", readers=0, healths=(DOWN,),
        refused=fa.NoneBetter(**CHAT, reason="cached would be worse"),
    ),
)  # fmt: skip
OF_REHEARSALS: tuple[base.Answer, ...] = (
    rh.RehearsalBegun(**CHAT, variants=("gpt",)), rh.NothingToRehearse(**CHAT, configured=True),
    rh.NothingToRehearse(**CHAT, configured=False), rh.Unrehearsed(**CHAT, variant="gpt", reason="it was never rehearsed"),
)  # fmt: skip
OF_COMPONENTS: tuple[base.Answer, ...] = (
    ca.Muted(component="Claude API", until=T0 + timedelta(hours=2), open_incident=None),
    ca.Muted(component="Claude API", until=T0 + timedelta(hours=2), open_incident=7),
    ca.MuteTooLong(longest=timedelta(days=1)), ca.Unmuted(component="Claude API"), ca.NotMuted(component="Claude API"),
    ca.ReportHeard(component="Claude API", level=Level.OPERATIONAL, reason="5 of 5 checks passed"),
    ca.ReportHeard(**INC7, component="Claude API", level=Level.DOWN, reason="3 of 3 checks failed in 14 s: HTTP 504"),
    ca.AlertTaken(), ca.AlertAboutNothing(component="claude"), ca.NoAlertState(state="open", known=("firing", "resolved")),
    ca.TooManyAlerts(component="Claude API", most=20, source="grafana"),
)  # fmt: skip
OF_NOTHING: tuple[base.Answer, ...] = (
    base.Noted(), base.KnownAlready(), base.DoneAlready(), base.NotOurs(),
    base.NoIncident(number=9, newest=7), base.NoIncident(number=1, newest=0),
    base.NoComponent(component="claude.app", known=COMPONENTS), base.NoFlag(key="chat", known=(FLAG,)),
    base.NoFlag(key="chat", known=()), *(base.NoWords(of=of) for of in base.Words),
    Denied(role=Role.OUTSIDER, needs=Role.MEMBER), *(Denied(role=Role.MEMBER, needs=needs) for needs in LEVELS),
    Denied(role=Role.RESPONDER, needs=Role.COMMANDER, named=("S0SRE",)),
    Denied(role=Role.RESPONDER, needs=Role.COMMANDER, named=("S0SRE", BOB.id, ANA.id, "U0EVE")),
    Denied(role=Role.VENDOR),
)  # fmt: skip
SLIPS = (
    "/health cluade", "/incident dance", "/incident resolv", "/incident ack", "/incident show INC-9",
    "/incident convert", "/incident severity INC-1 sev9", "/incident role INC-1 chef", "/incident role INC-1 lead",
    "/incident role INC-1 lead <!subteam^S0ONCALL|@oncall>", "/incident phase INC-1 over",
    "/incident done INC-1", "/incident done? INC-1", "/incident done INC-1 it", "/incident drop INC-1",
    "/incident task INC-1 Call support due soon",
    "/incident take INC-1 1 carl",
    "/incident export INC-1 pdf", "/incident snooze INC-1 a while", "/incident cancel INC-1 it",
    "/fallback swich", "/fallback engage", "/fallback engage chat", f"/fallback engage {FLAG} gpd",
    f"/fallback engage {FLAG} gpt for ever",
    "/drill strat", "/drill start", "/drill start clod", "/drill start claude for ever", "/drill start claude loudly",
    "/drill start claude flag chat", "/drill start claude for", "/drill stop",
    "/understudy moot", "/understudy mute", "/understudy mute claude for 1h", "/understudy mute anthropic.api",
    "/understudy mute anthropic.app for 1h",
    "/understudy unmute anthropic.api now", "/understudy report anthropic.api",
)  # fmt: skip


def given() -> Iterator[Entry]:
    """Every answer of the core as Slack words it, with its buttons."""
    for answer in (
        *OF_INCIDENTS,
        *OF_TASKS,
        *OF_RUNBOOKS,
        *OF_REPAIRS,
        *OF_DRILLS,
        *OF_FLAGS,
        *OF_REHEARSALS,
        *OF_COMPONENTS,
        *OF_NOTHING,
    ):
        title = answer.KIND
        offered = answer_message(answer, "/incident", title="Claude is slow", severity="SEV2")
        if offered:
            yield entry(title, Kind.ANSWER, offered, type(answer))
        else:
            yield sentence(title, Kind.ANSWER, told(answer), type(answer))


def refused() -> Iterator[Entry]:
    """The replies to people without access."""
    for standing, words in WORDS.items():
        yield sentence(f"Refused: {standing.value}", Kind.ANSWER, words, standing)
    yield sentence("Refused: Slack does not say who it is", Kind.ANSWER, UNKNOWN.format(why="Slack did not answer within 2 s"))
    yield sentence("Asked more than twenty questions within a minute", Kind.ANSWER, TOO_MANY)


def slips() -> Iterator[Entry]:
    """The replies to unreadable commands, by what was typed; INC-1 and INC-2 are open."""
    for line, said in asyncio.run(_typed(SLIPS)):
        yield sentence(line.replace("<!subteam^S0ONCALL|@oncall>", "@oncall"), Kind.ANSWER, said)


async def _typed(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each line, typed into a channel while two incidents are open, with its reply."""
    clock, ledger, said = ManualClock(T0), InlineLedger.open(), []
    engine = CommittingEngine(ledger, clock, policy(automation="off"))
    await engine.load()
    desk = CommandContext(engine, ledger, InlineSamples.open(), FlagBoard(clock), clock)

    async def respond(*, text: str, **_: Any) -> None:
        said.append(text)

    async def no_form(view: dict[str, Any]) -> None:
        raise AssertionError(f"a form was opened: {view}")

    async def no_room() -> ExistingChannel:
        raise Misunderstood(INVITE)

    ids = (f"gallery/{n}" for n in range(1000))
    for line in ("/incident declare Claude API fails", "/incident declare OpenAI API fails", *lines):
        word, _, rest = line.partition(" ")
        asked = Request(ANA, "C0OPS", next(ids), typed(rest), mentions=mentions(rest))
        match word:
            case "/health":
                await health(desk, asked, respond)
            case "/incident":
                await incident(desk, asked, respond, no_form, no_room)
            case "/fallback":
                await fallback(desk, asked, respond)
            case "/drill":
                await drill(desk, asked, respond)
            case "/understudy":
                await understudy(desk, asked, respond)
    return list(zip(lines, said[-len(lines) :], strict=True))
