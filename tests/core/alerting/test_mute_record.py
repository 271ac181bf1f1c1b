"""What is recorded when somebody mutes or unmutes a component, and when we go blind and see again."""

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


def test_mute_is_recorded_with_end_and_reason() -> None:
    """By the person, without surrounding blanks."""
    table = muted("  we move ")

    assert [Written(Muted(API, START + timedelta(hours=1), "we move"), None, ANA)] == table.written(Muted)


def test_answer_to_a_mute_names_its_end_and_the_open_incident() -> None:
    """The mute does not stop the incident."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    said = table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1))).answer

    assert ca.Muted(component="Claude API", until=START + timedelta(hours=1), open_incident=1, changed=True) == said


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(hours=-1), timedelta(days=365)])
def test_mute_that_is_too_long_is_refused_with_the_limit(lasts: timedelta) -> None:
    """So that the second attempt succeeds."""
    table = Table()
    said = table.send(s.Mute(actor=ANA, component=API, lasts=lasts)).answer

    assert ca.MuteTooLong(longest=table.policy.longest_mute) == said


def test_longest_mute_is_allowed() -> None:
    """The limit named in the refusal."""
    table = Table()

    assert table.send(s.Mute(actor=ANA, component=API, lasts=table.policy.longest_mute)).answer.ok


def test_mute_of_an_unknown_component_is_refused_with_the_known_ones() -> None:
    """In alphabetical order."""
    said = Table().send(s.Mute(actor=ANA, component="anthropic.apo", lasts=timedelta(hours=1))).answer

    assert base.NoComponent(component="anthropic.apo", known=(API, MOBILE, WEB, GPT)) == said


def test_unmuting_is_recorded_for_the_person() -> None:
    """Without a reason; the answer names the component."""
    table = muted()
    said = table.send(s.Unmute(actor=BOB, component=API)).answer

    assert ca.Unmuted(component="Claude API", changed=True) == said
    assert [Written(Unmuted(API, ""), None, BOB)] == table.written(Unmuted)


def test_unmuting_a_component_that_is_not_muted_is_refused() -> None:
    """Nothing was held back by anybody."""
    assert ca.NotMuted(component="Claude API") == Table().send(s.Unmute(actor=BOB, component=API)).answer


def test_mute_ends_exactly_at_its_time() -> None:
    """By the rule."""
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


def test_blindness_is_recorded_with_its_start_and_notice() -> None:
    """There is one notice in the ops channel."""
    table = Table().all_well()
    look(table, BLIND)
    [thread] = sent(table, OpenThread)
    body = SightLost("both controls are unreachable", START - timedelta(minutes=1), thread.thread)  # type: ignore[attr-defined]

    assert [Written(body, None, RULE)] == table.written(SightLost)


def test_end_of_blindness_is_recorded_with_start_and_end() -> None:
    """And posted under its notice."""
    table = Table().all_well()
    look(table, BLIND)
    [notice] = sent(table, OpenThread)
    look(table, Sight(ended_at=START + timedelta(minutes=5)))
    body = SightRegained("both controls are unreachable", START - timedelta(minutes=1), START + timedelta(minutes=5))

    assert [Written(body, None, RULE)] == table.written(SightRegained)
    assert [ReplyInThread(notice.thread)] == sent(table, ReplyInThread)  # type: ignore[attr-defined]


def test_open_incident_records_blindness_without_posting_it() -> None:
    """Its timeline explains why nothing moved."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    look(table, BLIND)

    assert [None, 1] == [one.incident for one in table.written(SightLost)]
    assert [] == sent(table, PostLine)


def test_unchanged_sight_is_no_news() -> None:
    """One notice, however often it is found."""
    table = Table().all_well()

    assert [base.KnownAlready(), base.Noted(changed=True), base.KnownAlready()] == [
        look(table, Sight()), look(table, BLIND), look(table, BLIND)
    ]  # fmt: skip


def test_each_blindness_has_its_own_notice() -> None:
    """The second is not posted under the first, which people have read."""
    table = Table().all_well()
    look(table, BLIND)
    first = sent(table, OpenThread)
    look(table, Sight(ended_at=START + timedelta(minutes=5)))
    look(table, BLIND)

    assert first != sent(table, OpenThread)
