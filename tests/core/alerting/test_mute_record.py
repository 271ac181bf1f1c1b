"""What is written down when somebody mutes or unmutes a component, and when we go blind and see again."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import base
from bot.core.answers import components as ca
from bot.core.answers.base import Answer
from bot.core.detection.blindness import Sight
from bot.core.effects import EffectBody, OpenThread, PostLine, ReplyInThread
from bot.core.model import Actor, Level
from bot.core.record.component_facts import Muted, Unmuted
from bot.core.record.sight import SightLost, SightRegained
from tests.desk import ANA, BOB, RULE, START, Table, Written

API, WEB, MOBILE, GPT = "anthropic.api", "anthropic.web", "anthropic.mobile", "openai.api"


def sent(table: Table, *kinds: type[EffectBody]) -> list[EffectBody]:
    """In the last step."""
    return [effect.body for effect in table.steps[-1].effects if isinstance(effect.body, kinds)]


def muted(reason: str = "we move") -> Table:
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1), reason=reason))
    return table


# --- muting


def test_a_mute_is_written_down_with_its_end_and_its_words() -> None:
    """By the person; blanks around their words are nobody's."""
    table = muted("  we move ")

    assert [Written(Muted(API, START + timedelta(hours=1), "we move"), None, ANA)] == table.written(Muted)


def test_a_mute_is_answered_with_its_end_and_what_runs_on() -> None:
    """An open incident is not stopped by it, and the answer says which."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    said = table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1))).answer

    assert ca.Muted(component="Claude API", until=START + timedelta(hours=1), open_incident=1, changed=True) == said


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(hours=-1), timedelta(days=365)])
def test_a_mute_without_a_sensible_end_is_refused_with_the_longest(lasts: timedelta) -> None:
    """So that the second try is a good one."""
    table = Table()
    said = table.send(s.Mute(actor=ANA, component=API, lasts=lasts)).answer

    assert ca.MuteTooLong(longest=table.policy.longest_mute) == said


def test_the_longest_mute_is_allowed() -> None:
    """What the refusal names works."""
    table = Table()

    assert table.send(s.Mute(actor=ANA, component=API, lasts=table.policy.longest_mute)).answer.ok


def test_a_mute_of_what_is_not_there_is_refused_with_what_is() -> None:
    """In the order of their names."""
    said = Table().send(s.Mute(actor=ANA, component="anthropic.apo", lasts=timedelta(hours=1))).answer

    assert base.NoComponent(component="anthropic.apo", known=(API, MOBILE, WEB, GPT)) == said


def test_unmuting_is_the_persons_and_is_answered_by_name() -> None:
    """They need no reason."""
    table = muted()
    said = table.send(s.Unmute(actor=BOB, component=API)).answer

    assert ca.Unmuted(component="Claude API", changed=True) == said
    assert [Written(Unmuted(API, ""), None, BOB)] == table.written(Unmuted)


def test_unmuting_what_is_not_muted_is_refused_by_name() -> None:
    """Nothing was held back by anybody."""
    assert ca.NotMuted(component="Claude API") == Table().send(s.Unmute(actor=BOB, component=API)).answer


def test_a_mute_ends_by_the_rule_at_its_time() -> None:
    """Not a minute later."""
    table = muted()
    table.passes(59)
    early = table.written(Unmuted)
    table.passes(1)

    assert [] == early
    assert [Written(Unmuted(API, "its time is up"), None, Actor.rule("mute"))] == table.written(Unmuted)


# --- our own sight


def look(table: Table, sight: Sight) -> Answer:
    return table.send(s.SightChanged(actor=RULE, sight=sight)).answer


BLIND = Sight(blind=True, reason="both controls are unreachable", began_at=START - timedelta(minutes=1))


def test_blindness_is_written_down_with_its_beginning_and_its_notice() -> None:
    """One notice in the ops channel."""
    table = Table().all_well()
    look(table, BLIND)
    [thread] = sent(table, OpenThread)
    body = SightLost("both controls are unreachable", START - timedelta(minutes=1), thread.thread)  # type: ignore[attr-defined]

    assert [Written(body, None, RULE)] == table.written(SightLost)


def test_the_end_of_blindness_is_written_down_with_both_its_ends() -> None:
    """And answered under the notice that told of it."""
    table = Table().all_well()
    look(table, BLIND)
    [notice] = sent(table, OpenThread)
    look(table, Sight(ended_at=START + timedelta(minutes=5)))
    body = SightRegained("both controls are unreachable", START - timedelta(minutes=1), START + timedelta(minutes=5))

    assert [Written(body, None, RULE)] == table.written(SightRegained)
    assert [ReplyInThread(notice.thread)] == sent(table, ReplyInThread)  # type: ignore[attr-defined]


def test_an_incident_that_runs_has_the_blindness_on_record_without_a_line() -> None:
    """Its timeline explains why nothing moved; its channel is not told twice."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    look(table, BLIND)

    assert [None, 1] == [one.incident for one in table.written(SightLost)]
    assert [] == sent(table, PostLine)


def test_the_same_sight_again_is_no_news() -> None:
    """One notice, however often it is found."""
    table = Table().all_well()

    assert [base.KnownAlready(), base.Noted(changed=True), base.KnownAlready()] == [
        look(table, Sight()), look(table, BLIND), look(table, BLIND)
    ]  # fmt: skip


def test_each_blindness_has_a_notice_of_its_own() -> None:
    """The second one is not told under the first, which people have read."""
    table = Table().all_well()
    look(table, BLIND)
    first = sent(table, OpenThread)
    look(table, Sight(ended_at=START + timedelta(minutes=5)))
    look(table, BLIND)

    assert first != sent(table, OpenThread)
