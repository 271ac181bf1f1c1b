"""One line for each thing that happens; it names the person or the rule, and the way back."""

from dataclasses import replace

import pytest

from bot.core.model import Actor, Level, Phase, Severity
from bot.core.record.fact import Body, Fact
from bot.core.record.flag_facts import Engaged, EngageProposed, HandBackAsked, HandBackStepped, ReadersSaw, Released
from bot.core.record.incident_facts import (
    ComponentJoined,
    ComponentMoved,
    PhaseChanged,
    ResolveAsked,
    SeverityChanged,
)
from bot.core.record.kinds import BODIES
from bot.core.record.provider_facts import NoticeListedAgain, NoticeSeen, NoticeUnlisted, PageFlooded
from bot.core.record.room.room_facts import GivenUp
from bot.core.record.sinks.sink_facts import SinkDrifted, SinkFailed, SinkFollowed, SinkLeft
from bot.ports import Message
from bot.views.incident.fact_messages import fact_line
from tests.stories import ANA, API, FALLBACK_RULE, FLAG, MOBILE, OUTBOX, T0, WEB, Story, one_of_each, outage_story
from tests.views.message_checks import assert_taken, buttons, shown

SEEN = (
    ReadersSaw,
    SinkFailed,
    SinkFollowed,
    SinkDrifted,
    SinkLeft,
    ComponentJoined,
    ComponentMoved,
    NoticeSeen,
    NoticeUnlisted,
    NoticeListedAgain,
    PageFlooded,
    ResolveAsked,
)  # nobody's doing


def line(story: Story, stream: str, body: Body, actor: Actor = ANA) -> Message:
    """The line about a fact that happens now."""
    return fact_line(story.add(stream, body, actor, 7), story.world, story.policy)


@pytest.mark.parametrize("fact", one_of_each(), ids=lambda fact: fact.kind)
def test_every_kind_of_fact_has_a_line(fact: Fact) -> None:
    """No kind is forgotten, and none is told as its technical name."""
    story = outage_story(109)
    made = fact_line(fact, story.world, story.policy)

    assert_taken(made)
    assert fact.kind not in made.text


def test_the_sample_holds_every_kind() -> None:
    """`one_of_each` keeps its promise."""
    assert set(BODIES) == {fact.kind for fact in one_of_each()}


@pytest.mark.parametrize(
    "fact",
    [x for x in one_of_each() if x.body.ANNOUNCED and not isinstance(x.body, SEEN)],
    ids=lambda x: x.kind,
)
def test_every_told_line_names_who_did_it(fact: Fact) -> None:
    """A person by mention."""
    story = outage_story(109)

    assert "<@U0ANA>" in shown(fact_line(fact, story.world, story.policy))


@pytest.mark.parametrize("kind", [SeverityChanged, PhaseChanged])
def test_what_a_rule_did_to_an_incident_is_called_automatic(kind: type[Body]) -> None:
    """Nobody has to know our rules by name."""
    story = outage_story(109)
    fact = next(x for x in one_of_each() if isinstance(x.body, kind))

    assert "(automatic)" in shown(fact_line(replace(fact, actor=FALLBACK_RULE), story.world, story.policy))


def test_staged_recovery_says_what_still_fails() -> None:
    """API first, the others by name."""
    story = outage_story(90)
    moved = ComponentMoved(API, Level.DOWN, Level.OPERATIONAL, "5 of 5 checks passed", T0)

    said = "🟢 Claude API is back (since 12:40 UTC). claude.ai and Claude mobile still fail."
    assert said == line(story, "incident/7", moved).text


def test_the_last_recovery_says_that_nothing_fails_any_more() -> None:
    """No dangling list."""
    story = outage_story(109)
    story.add("incident/7", ComponentMoved(WEB, Level.DEGRADED, Level.OPERATIONAL, "fine", T0))
    made = line(story, "incident/7", ComponentMoved(MOBILE, Level.DOWN, Level.OPERATIONAL, "fine", T0))

    assert "🟢 Claude mobile is back (since 12:40 UTC). Everything in this incident works again." == made.text


def test_a_switch_says_since_when_why_and_how_to_undo_it() -> None:
    """The line that downstream teams look for."""
    story = outage_story(3)
    engaged = next(fact for fact in story.facts if isinstance(fact.body, Engaged))
    made = fact_line(engaged, story.world, story.policy)

    assert "Support chat switched to gpt at 12:43 UTC (automatic), instead of claude." == made.text
    assert "Why: Claude API is down." in shown(made)
    assert f"Undo: `/fallback release {FLAG}`" in shown(made)
    assert {"flag.release": {"flag": FLAG, "incident": 7}} == buttons(made)


def test_a_switch_that_was_undone_meanwhile_has_no_button() -> None:
    """A line may be sent long after its fact."""
    story = outage_story(3)
    engaged = next(fact for fact in story.facts if isinstance(fact.body, Engaged))
    story.add(f"flag/{FLAG}", Released(FLAG, "claude", "by hand"), ANA, 7)

    assert {} == buttons(fact_line(engaged, story.world, story.policy))


def test_a_proposal_can_be_answered() -> None:
    """The buttons carry the variant, and one that it approves."""
    story = outage_story(-1)
    made = line(story, f"flag/{FLAG}", EngageProposed(FLAG, "gpt", "anthropic.api is down"), FALLBACK_RULE)

    value = {"flag": FLAG, "variant": "gpt", "incident": 7}
    assert {f"flag.engage:{FLAG}": {**value, "approves": True}, f"flag.reject:{FLAG}": value} == buttons(made)
    assert "The flag decides: “Which provider answers the support chat”." in shown(made)


def test_the_first_step_back_is_asked_for() -> None:
    """Its button says how much."""
    story = outage_story(20)
    made = line(story, f"flag/{FLAG}", HandBackAsked(FLAG, "anthropic.api operational"), Actor.rule("hand-back"))

    assert {"flag.step_back": {"flag": FLAG, "incident": 7}} == buttons(made)
    assert "Send 10 % back to claude" == made.blocks[1]["elements"][0]["text"]["text"]


def test_a_step_back_says_what_comes_next() -> None:
    """Share, fallback, next share and when."""
    story = outage_story(20)
    made = line(story, f"flag/{FLAG}", HandBackStepped(FLAG, 10, "approved by ana"))

    assert "10 % of support chat is back on claude, 90 % on gpt (by <@U0ANA>)." == made.text
    assert "Next: 25 %, after 5 min while it stays operational." in shown(made)


def test_the_vendors_words_are_quoted_whole() -> None:
    """With status, time and the way to the page."""
    story = outage_story(50)
    notice = next(fact for fact in story.facts if isinstance(fact.body, NoticeSeen))
    text = shown(fact_line(notice, story.world, story.policy))

    assert "> We are investigating the cause." in text
    assert "<https://status.anthropic.example/incidents/n1|On the page>" in text


def test_resolving_is_asked_with_a_button() -> None:
    """The question stands with its reason."""
    story = outage_story(150)
    made = line(
        story, "incident/7", ResolveAsked("every component has been operational for 30 min"), Actor.rule("resolve: ask")
    )

    assert "Is INC-7 over? Every component has been operational for 30 min." == made.text
    assert {"incident.resolve": {"incident": 7}} == buttons(made)


def test_a_question_about_an_incident_that_is_over_has_no_button() -> None:
    """Somebody was faster."""
    story = outage_story()
    asked = next(fact for fact in story.facts if isinstance(fact.body, ResolveAsked))

    assert {} == buttons(fact_line(asked, story.world, story.policy))


def test_relapse_and_reopening_are_told_apart() -> None:
    """Each says what happened in its first words."""
    back = PhaseChanged(Phase.MONITORING, Phase.INVESTIGATING, "relapse", "Claude API is down again")
    again = PhaseChanged(Phase.RESOLVED, Phase.INVESTIGATING, "reopen", "it fails again")

    assert line(outage_story(160), "incident/7", back).text.startswith("🔴 It fails again. INC-7 is back to investigating")
    assert line(outage_story(), "incident/7", again).text.startswith("INC-7 was reopened (by <@U0ANA>).")


def test_a_severity_says_how_often_updates_come_now() -> None:
    """SEV1 speaks every half hour."""
    story = outage_story(20)
    made = line(story, "incident/7", SeverityChanged(Severity.SEV2, Severity.SEV1, "everybody is hit"))

    assert "Everybody is hit. Updates come every 30 min." in shown(made)


def test_what_slack_did_not_take_is_said_where_people_look() -> None:
    """What was lost, why, and what to do."""
    story = outage_story(20)
    made = line(story, "incident/7", GivenUp("update.post", "INC-7/update/1", "msg_too_long"), OUTBOX)

    assert "INC-7: Slack did not accept an update: msg_too_long" == made.text
    assert "`understudy doctor`" in shown(made)


def test_what_we_failed_at_ourselves_is_not_put_on_slack() -> None:
    """Nobody searches for a right that is missing in Slack when a defect of ours is the cause."""
    story = outage_story(20)
    made = line(story, "incident/7", GivenUp("update.post", "INC-7/update/1", "internal error: KeyError", ours=True), OUTBOX)

    assert "INC-7: Understudy itself failed at an update: internal error: KeyError" == made.text
    assert "Slack" not in shown(made)


def test_a_flag_that_left_the_configuration_still_has_a_line() -> None:
    """Named by its key."""
    story = outage_story(20)
    story.policy = replace(story.policy, flags={})

    made = line(story, f"flag/{FLAG}", Released(FLAG, "claude", "by hand"))
    assert "🟢 Support chat went back to claude at 12:55 UTC (by <@U0ANA>)." == made.text
