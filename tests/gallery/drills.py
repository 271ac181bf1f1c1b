"""A drill from its alert to its report: INC-8, on an otherwise healthy day."""

from collections.abc import Iterator
from datetime import timedelta

from bot.core import effects as e
from bot.core.drill import DrillPlan
from bot.core.model import LEAD, Actor, Level, Phase, Severity
from bot.core.record.course.runbook_facts import StepTicked
from bot.core.record.drills.drill_facts import DrillEnded, DrillReadersSeen
from bot.core.record.incident_facts import (
    Acknowledged,
    ComponentJoined,
    ComponentMoved,
    Declared,
    PhaseChanged,
    RoleChanged,
    UpdateWritten,
)
from bot.core.record.room.room_facts import ChannelNamed, ChannelOpened
from bot.core.record.task_facts import TaskAdded, TaskDone
from bot.timeline.story import story as rows
from bot.views.incident import alert, card, drill, evidence, paging, updates
from bot.views.incident.fact_messages import fact_line
from bot.views.incident.timeline import timeline_page
from bot.views.names import plain_names
from bot.views.scene import Scene
from tests.gallery.phone import Entry, Kind, entry, sentence
from tests.gallery.situations import calm
from tests.stories import ANA, API, BOB, FLAG, OUTBOX, T0, Story

DRILL, SHADOW = Actor.rule("drill"), f"drill:{API}"
WHY = "HTTP 503 from the scripted provider of the drill"
INC = "incident/8"


def begun(*, flag: str = FLAG, paging: bool = False) -> Story:
    """The drill began a minute ago and has its channel."""
    story = calm().at(3)
    plan = DrillPlan(T0 + timedelta(minutes=13), paging, flag, "gpt" if flag else "")
    story.add(INC, Declared(8, "DRILL: Claude API is down", Severity.SEV2, "drill:anthropic", "drill:anthropic", (SHADOW,),
              story.now, "a drill, started by ana", "#ops", drill=plan), ANA)  # fmt: skip
    story.add(INC, ComponentJoined(SHADOW, Level.DOWN, WHY, (), story.now), ANA)
    story.add(INC, ChannelNamed("drill-20260320-0008-claude", 1), ANA)
    story.add(INC, ChannelOpened("C0DRILL", "drill-20260320-0008-claude"), OUTBOX)
    return story.at(4)


def worked_on() -> Story:
    """Bob takes the lead and posts an update, and one of two services reads the fallback."""
    story = begun().at(5)
    story.add(INC, Acknowledged(), BOB)
    story.add(INC, RoleChanged(LEAD, None, BOB), BOB)
    story.at(8).add(
        INC, DrillReadersSeen(FLAG, ("support-chat-1",), ("support-chat-1", "billing-1")), Actor.rule("flag readers")
    )
    story.add(INC, TaskAdded(1, "Tell the support team", BOB), ANA)
    story.add(INC, TaskDone(1), BOB)
    story.add(INC, StepTicked(SHADOW, 1, "Confirm on the board"), BOB)
    story.at(9).add(INC, UpdateWritten(1, "We practise the switch to GPT.", 0), BOB)
    return story.at(10)


def over(story: Story, by: Actor = BOB) -> Story:
    """The drill's time is up, and it is resolved."""
    story.at(13).add(INC, DrillEnded("its 10 min are over"), DRILL)
    story.add(
        INC, ComponentMoved(SHADOW, Level.DOWN, Level.OPERATIONAL, "the drill pretends no failure any more", story.now), DRILL
    )
    story.add(INC, PhaseChanged(Phase.TRIAGE, Phase.MONITORING, "forward", "every component is operational again"), DRILL)
    why = "we are done" if by is BOB else "nobody resolved it within 30 min of the end of the drill"
    story.at(20 if by is BOB else 43).add(INC, PhaseChanged(Phase.MONITORING, Phase.RESOLVED, "forward", why), by)
    return story


def seen(story: Story) -> Scene:
    return Scene(story.world.incidents[8], story.world, story.policy, story.now)


def drills() -> Iterator[Entry]:
    """The messages of a drill that differ from those of a real incident."""
    story = begun()
    yield entry("Drill: the alert", Kind.ALERT, alert.alert(seen(story)), e.PostAlert)
    yield entry("Drill: the alert, no flag", Kind.ALERT, alert.alert(seen(begun(flag=""))), e.PostAlert)
    yield entry("Drill: the evidence", Kind.EVIDENCE, evidence.evidence(seen(story)), e.PostEvidence)
    yield entry("Drill: the card", Kind.CARD, card.card(seen(worked_on())), e.PostCard)
    yield sentence("Drill: the topic", Kind.TOPIC, card.topic(seen(story)), e.SetTopic)
    paged = begun(paging=True).at(8)
    yield entry("Drill: a page", Kind.LINE, paging.direct(paged.world.incidents[8], paged.now), e.PagePerson)
    notice = "\n".join(paging.notice(paged.world.incidents[8], paged.now))
    yield sentence("Drill: a page outside of Slack", Kind.ELSEWHERE, notice, e.PageAddresses)
    drill_story = worked_on()
    made = updates.update(
        seen(drill_story), slot=1, text="We practise the switch to GPT.", missed=0, since_facts=[], author=BOB
    )
    yield entry("Drill: an update", Kind.UPDATE, made, e.PostUpdate)
    for title, body, actor in (
        ("its time is up", DrillEnded("its 10 min are over"), DRILL),
        ("something really fails", DrillEnded("Claude is failing for real: INC-9"), DRILL),
    ):
        line = worked_on()
        fact = line.add(INC, body, actor)
        yield entry(f"Drill: {title}", Kind.LINE, fact_line(fact, line.world, line.policy), type(body))
    for title, story in (("it went well", over(worked_on())), ("nobody came", over(begun(), DRILL))):
        yield entry(f"Drill: the report, {title}", Kind.SUMMARY, updates.summary(seen(story), story.about(8)), e.PostSummary)
    yield sentence("/drill status: none", Kind.BOARD, drill.drill_status([], story.policy).text)
    drill_story = worked_on()
    page = timeline_page(
        drill_story.world.incidents[8], rows(drill_story.about(8), plain_names(drill_story.policy)), drill_story.now
    )
    yield entry("/incident timeline of a drill", Kind.DETAIL, page)
    yield entry(
        "/drill status", Kind.BOARD, drill.drill_status([(seen(drill_story), drill_story.about(8))], drill_story.policy)
    )
