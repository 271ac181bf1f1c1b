"""The line for each event; it names the person or the rule behind it, and how to undo it."""

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
)  # caused by nobody


def line(story: Story, stream: str, body: Body, actor: Actor = ANA) -> Message:
    """The line about a fact that happens now."""
    return fact_line(story.add(stream, body, actor, 7), story.world, story.policy)


@pytest.mark.parametrize("fact", one_of_each(), ids=lambda fact: fact.kind)
def test_every_kind_of_fact_has_a_line(fact: Fact) -> None:
    """No kind is forgotten, and none appears under its technical name."""
    story = outage_story(109)
    made = fact_line(fact, story.world, story.policy)

    assert_taken(made)
    assert fact.kind not in made.text


def test_sample_has_every_kind_of_fact() -> None:
    """`one_of_each` keeps its promise."""
    assert set(BODIES) == {fact.kind for fact in one_of_each()}


@pytest.mark.parametrize(
    "fact",
    [x for x in one_of_each() if x.body.ANNOUNCED and not isinstance(x.body, SEEN)],
    ids=lambda x: x.kind,
)
def test_every_announced_line_names_who_did_it(fact: Fact) -> None:
    """People by mention."""
    story = outage_story(109)

    assert "<@U0ANA>" in shown(fact_line(fact, story.world, story.policy))


@pytest.mark.parametrize("kind", [SeverityChanged, PhaseChanged])
def test_change_by_a_rule_is_called_automatic(kind: type[Body]) -> None:
    """Nobody needs to know our rules by name."""
    story = outage_story(109)
    fact = next(x for x in one_of_each() if isinstance(x.body, kind))

    assert "(automatic)" in shown(fact_line(replace(fact, actor=FALLBACK_RULE), story.world, story.policy))


def test_staged_recovery_says_what_still_fails() -> None:
    """The API is back first; the others are named."""
    story = outage_story(90)
    moved = ComponentMoved(API, Level.DOWN, Level.OPERATIONAL, "5 of 5 checks passed", T0)

    said = "🟢 Claude API is back (since 12:40 UTC). claude.ai and Claude mobile still fail."
    assert said == line(story, "incident/7", moved).text


def test_last_recovery_says_that_nothing_fails_any_more() -> None:
    """Without an empty list."""
    story = outage_story(109)
    story.add("incident/7", ComponentMoved(WEB, Level.DEGRADED, Level.OPERATIONAL, "fine", T0))
    made = line(story, "incident/7", ComponentMoved(MOBILE, Level.DOWN, Level.OPERATIONAL, "fine", T0))

    assert "🟢 Claude mobile is back (since 12:40 UTC). Everything in this incident works again." == made.text


def test_switch_says_since_when_why_and_how_to_undo_it() -> None:
    """Teams downstream look for this line."""
    story = outage_story(3)
    engaged = next(fact for fact in story.facts if isinstance(fact.body, Engaged))
    made = fact_line(engaged, story.world, story.policy)

    assert "Support chat switched to gpt at 12:43 UTC (automatic), instead of claude." == made.text
    assert "Why: Claude API is down." in shown(made)
    assert f"Undo: `/fallback release {FLAG}`" in shown(made)
    assert {"flag.release": {"flag": FLAG, "incident": 7}} == buttons(made)


def test_line_of_an_undone_switch_has_no_button() -> None:
    """A line may be sent long after its fact."""
    story = outage_story(3)
    engaged = next(fact for fact in story.facts if isinstance(fact.body, Engaged))
    story.add(f"flag/{FLAG}", Released(FLAG, "claude", "by hand"), ANA, 7)

    assert {} == buttons(fact_line(engaged, story.world, story.policy))


def test_proposal_has_buttons_to_answer_it() -> None:
    """Their values name the variant, and one of them approves."""
    story = outage_story(-1)
    made = line(story, f"flag/{FLAG}", EngageProposed(FLAG, "gpt", "anthropic.api is down"), FALLBACK_RULE)

    value = {"flag": FLAG, "variant": "gpt", "incident": 7}
    assert {f"flag.engage:{FLAG}": {**value, "approves": True}, f"flag.reject:{FLAG}": value} == buttons(made)
    assert "The flag decides: “Which provider answers the support chat”." in shown(made)


def test_first_step_back_has_a_button_with_its_share() -> None:
    """The hand-back does not start by itself."""
    story = outage_story(20)
    made = line(story, f"flag/{FLAG}", HandBackAsked(FLAG, "anthropic.api operational"), Actor.rule("hand-back"))

    assert {"flag.step_back": {"flag": FLAG, "incident": 7}} == buttons(made)
    assert "Send 10 % back to claude" == made.blocks[1]["elements"][0]["text"]["text"]


def test_hand_back_step_says_what_comes_next() -> None:
    """Share, fallback, next share and its time."""
    story = outage_story(20)
    made = line(story, f"flag/{FLAG}", HandBackStepped(FLAG, 10, "approved by ana"))

    assert "10 % of support chat is back on claude, 90 % on gpt (by <@U0ANA>)." == made.text
    assert "Next: 25 %, after 5 min while it stays operational." in shown(made)


def test_vendors_update_is_quoted_in_full() -> None:
    """With status, time and a link to the page."""
    story = outage_story(50)
    notice = next(fact for fact in story.facts if isinstance(fact.body, NoticeSeen))
    text = shown(fact_line(notice, story.world, story.policy))

    assert "> We are investigating the cause." in text
    assert "<https://status.anthropic.example/incidents/n1|On the page>" in text


def test_proposed_resolution_has_a_button() -> None:
    """With the reason in the question."""
    story = outage_story(150)
    made = line(
        story, "incident/7", ResolveAsked("every component has been operational for 30 min"), Actor.rule("resolve: ask")
    )

    assert "Is INC-7 over? Every component has been operational for 30 min." == made.text
    assert {"incident.resolve": {"incident": 7}} == buttons(made)


def test_question_about_a_resolved_incident_has_no_button() -> None:
    """Somebody else resolved it before the question was posted."""
    story = outage_story()
    asked = next(fact for fact in story.facts if isinstance(fact.body, ResolveAsked))

    assert {} == buttons(fact_line(asked, story.world, story.policy))


def test_relapse_and_reopening_read_differently() -> None:
    """Each says in its first words what happened."""
    back = PhaseChanged(Phase.MONITORING, Phase.INVESTIGATING, "relapse", "Claude API is down again")
    again = PhaseChanged(Phase.RESOLVED, Phase.INVESTIGATING, "reopen", "it fails again")

    assert line(outage_story(160), "incident/7", back).text.startswith("🔴 It fails again. INC-7 is back to investigating")
    assert line(outage_story(), "incident/7", again).text.startswith("INC-7 was reopened (by <@U0ANA>).")


def test_severity_change_says_how_often_updates_come() -> None:
    """SEV1 gets an update every half hour."""
    story = outage_story(20)
    made = line(story, "incident/7", SeverityChanged(Severity.SEV2, Severity.SEV1, "everybody is hit"))

    assert "Everybody is hit. Updates come every 30 min." in shown(made)


def test_message_that_slack_refused_is_reported() -> None:
    """What was lost, why, and what to do."""
    story = outage_story(20)
    made = line(story, "incident/7", GivenUp("update.post", "INC-7/update/1", "msg_too_long"), OUTBOX)

    assert "INC-7: Slack did not accept an update: msg_too_long" == made.text
    assert "`understudy doctor`" in shown(made)


def test_failure_of_our_own_is_not_blamed_on_slack() -> None:
    """Nobody should look for a missing scope if the cause is a bug of ours."""
    story = outage_story(20)
    made = line(story, "incident/7", GivenUp("update.post", "INC-7/update/1", "internal error: KeyError", ours=True), OUTBOX)

    assert "INC-7: Understudy itself failed at an update: internal error: KeyError" == made.text
    assert "Slack" not in shown(made)


def test_flag_that_left_the_configuration_still_has_a_line() -> None:
    """It is named by its key."""
    story = outage_story(20)
    story.policy = replace(story.policy, flags={})

    made = line(story, f"flag/{FLAG}", Released(FLAG, "claude", "by hand"))
    assert "🟢 Support chat went back to claude at 12:55 UTC (by <@U0ANA>)." == made.text
