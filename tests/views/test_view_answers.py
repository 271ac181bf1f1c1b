"""Every answer of the core has words for Slack, terminal and API, and each suggests what can be typed there."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answers import base
from bot.core.answers import components as ca
from bot.core.answers import flags as fa
from bot.core.answers import incident as a
from bot.core.answers.base import ANSWERS, Answer
from bot.core.decide.incident.reminders import Snoozed
from bot.core.decide.permissions import Denied
from bot.core.model import Phase
from bot.core.signals.base import Role
from bot.views.answers.in_slack import answer_message, told
from bot.views.answers.words import words
from bot.views.faces import Api, Face, Slack, Terminal
from bot.views.text import inert, local
from bot.web.api.shapes import answer_from, answer_shape
from tests.generated import instances
from tests.stories import T0

FACES: list[Face] = [Slack(), Slack(linked=False), Terminal(), Api()]
CHANNEL = a.RoomRef("C0INC1", "inc-1-claude")
FLAG = "support-chat.llm"

SWITCHED = fa.Switched(flag=FLAG, variant="gpt")
UNWELL = fa.DefaultUnwell(flag=FLAG, unwell="Claude API is down")
WAITS_NOT = fa.NothingWaits(flag=FLAG, variant="gpt")


def every_answer() -> list[type[Answer]]:
    return [ANSWERS[kind] for kind in sorted(ANSWERS)]


def some(kind: type[Answer]) -> st.SearchStrategy[Answer]:
    """Answers of a kind as the rules give them: with something open where that is the answer, and mutes in whole seconds."""
    drawn: st.SearchStrategy[Answer] = instances(kind)
    if kind is a.OpenAlready:
        return st.builds(
            a.OpenAlready, open=st.lists(instances(a.OpenOne), min_size=1).map(tuple), free=instances(tuple[str, ...])
        )
    if kind is ca.MuteTooLong:
        return st.builds(ca.MuteTooLong, longest=st.integers(1, 10**8).map(lambda s: timedelta(seconds=s)))
    return drawn


@settings(max_examples=5)
@given(data=st.data())
@pytest.mark.parametrize("kind", every_answer(), ids=lambda kind: kind.KIND)
@pytest.mark.parametrize("face", FACES, ids=repr)
def test_every_answer_has_words_for_slack_terminal_and_api(face: Face, kind: type[Answer], data: Any) -> None:
    """A new answer must not bring silence or a traceback."""
    assert words(data.draw(some(kind)), face)


@settings(max_examples=5)
@given(data=st.data())
@pytest.mark.parametrize("kind", every_answer(), ids=lambda kind: kind.KIND)
def test_answer_survives_the_api_unchanged(kind: type[Answer], data: Any) -> None:
    """The terminal words the same values that the rules returned."""
    answer = data.draw(some(kind))

    assert answer == answer_from(json.loads(json.dumps(answer_shape(answer))))


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "of_next_year", "data": {}, "text": "Done."},
        {"kind": "severity_set", "data": {"severity": "SEV9"}, "incident": 1, "flag": "", "changed": True},
        {"kind": "severity_set", "data": {}, "incident": 1, "flag": "", "changed": True},
        {"kind": "severity_set", "data": None},
        {"text": "Ledger cannot be written."},
    ],
)
def test_unknown_answer_of_another_version_keeps_its_own_words(shape: dict[str, Any]) -> None:
    """A terminal older or newer than the bot must not fail on its answers."""
    assert answer_from(shape) is None


def test_slack_answer_uses_the_flags_name_but_suggests_its_key() -> None:
    """As messages do."""
    answer = fa.Switched(flag=FLAG, flag_name="support chat", variant="gpt")

    assert f"Support chat serves gpt now. Undo: `/fallback release {FLAG}`" == told(answer)
    assert words(answer, Terminal()).startswith(f"{FLAG} serves gpt now.")


def test_time_in_an_answer_is_shown_in_each_readers_zone() -> None:
    """Foreign text that looks like a time stays text."""
    said = inert(told(a.CannotHaveBeen(why=a.WrongTime.FUTURE, at=T0, days=30)))

    assert said.startswith(
        f"<!date^{int(T0.timestamp())}^{{date_short_pretty}} {{time}}|2026-03-20 12:40 UTC> has not come yet."
    )
    assert "&lt;!date^1^{time}|click here&gt;" == inert("<!date^1^{time}|click here>")


@pytest.mark.parametrize(
    ("face", "undo", "force", "engage"),
    [
        (
            Slack(),
            f"`/fallback release {FLAG}`", f"`/fallback release {FLAG} force`", f"`/fallback engage {FLAG} gpt REASON`",
        ),
        (
            Terminal(),
            f"understudy flags release {FLAG} --reason REASON", f"understudy flags release {FLAG} --reason REASON --force",
            f"understudy flags engage {FLAG} gpt --reason REASON",
        ),
        (
            Api(),
            f'POST /api/v1/flags/{FLAG}/release {{"reason": "REASON"}}',
            f'POST /api/v1/flags/{FLAG}/release {{"reason": "REASON", "force": true}}',
            f'POST /api/v1/flags/{FLAG}/engage {{"variant": "gpt", "reason": "REASON"}}',
        ),
    ],
    ids=["slack", "terminal", "api"],
)  # fmt: skip
def test_each_answer_suggests_what_can_be_typed_there(face: Face, undo: str, force: str, engage: str) -> None:
    """The terminal must not suggest a slash command."""
    assert f"{FLAG} serves gpt now. Undo: {undo}" == words(SWITCHED, face)
    assert f"Not switched back, since Claude API is down. To switch {FLAG} back anyway: {force}" == words(UNWELL, face)
    decided = "That was decided in the meantime; nothing was switched."
    assert f"{decided} To switch anyway: {engage}" == words(WAITS_NOT, face)


@pytest.mark.parametrize("of", base.Words)
def test_only_slack_answers_name_slash_commands(of: base.Words) -> None:
    """A question for missing words shows an example for where it was asked."""
    for face in (Terminal(), Api()):
        assert None is re.search(r"(?<![\w/])/(incident|fallback|understudy)\b", words(base.NoWords(of=of), face))


@pytest.mark.parametrize(
    ("face", "channel"),
    [(Slack(), "<#C0INC1>"), (Slack(linked=False), "#inc-1-claude"), (Terminal(), "#inc-1-claude"), (Api(), "#inc-1-claude")],
)
def test_channel_is_a_link_in_slack_and_a_name_elsewhere(face: Face, channel: str) -> None:
    """Slack's channel reference means nothing to a terminal."""
    assert f"You are in INC-1 now. It continues in {channel}." == words(a.Joined(incident=1, place=CHANNEL), face)


def test_declaring_in_slack_says_that_the_channel_is_coming() -> None:
    """It is being created while people read the answer."""
    declared = a.Declared(incident=1, title="Claude is slow", channel_name="inc-1-claude", changed=True)

    assert "INC-1 is declared: Claude is slow. Its channel #inc-1-claude is being created; you are invited." == told(declared)


def test_resolving_a_failing_incident_says_when_it_opens_again() -> None:
    """People who resolve it anyway should know what follows."""
    until = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
    one = a.Moved(incident=1, phase=Phase.RESOLVED, failing=("Claude API",), until=until)

    again = "Claude API still fails: unless it recovers, a new incident opens at 12:30 UTC."
    assert f"INC-1 is resolved now. {again}" == words(one, Terminal())


@pytest.mark.parametrize(("longest", "said"), [(timedelta(hours=2), "2 hours"), (timedelta(minutes=90), "1 h 30 min")])
def test_longest_mute_is_given_in_round_units(longest: timedelta, said: str) -> None:
    """As the configuration has it."""
    assert f"A mute lasts at most {said} here (mutes.longest in the configuration)." == words(
        ca.MuteTooLong(longest=longest), Slack()
    )


def test_refused_person_is_told_who_may() -> None:
    """A guest is not sent to the commanders' list."""
    guest = words(Denied(role=Role.OUTSIDER, needs=Role.MEMBER), Slack())

    assert "Only full members of this workspace may do that. Nothing was changed. Ask one of them." == guest


@pytest.mark.parametrize("kind", every_answer(), ids=lambda kind: kind.KIND)
def test_only_refusals_that_can_be_overruled_have_a_button(kind: type[Answer]) -> None:
    """Any other answer is a plain sentence."""
    may_be = {a.OpenAlready, a.StillFailing}
    with_a_way = {
        a.OpenAlready: a.OpenAlready(incident=1, open=(a.OpenOne(1, "Claude", "Claude", CHANNEL),), free=()),
        a.StillFailing: a.StillFailing(incident=1, failing=(), away=(a.Away(FLAG, "gpt"),)),
    }
    answer = with_a_way.get(kind) or base.Noted()

    assert (kind in may_be) == (answer_message(answer, "/incident") is not None)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Snoozed(incident=1, until=T0), "The next reminder of INC-1 comes at 13:40 CET, unless"),
        (ca.Muted(component="Claude API", until=T0, open_incident=None), "are held back until 2026-03-20 13:40 CET;"),
        (a.Moved(incident=1, phase=Phase.RESOLVED, failing=("Claude API",), until=T0), "a new incident opens at 13:40 CET."),
        (a.CannotHaveBeen(why=a.WrongTime.FUTURE, at=T0, days=30), "2026-03-20 13:40 CET has not come yet."),
    ],
)
def test_terminal_and_api_give_times_in_the_deployments_zone(answer: Answer, said: str) -> None:
    """With the zone's name, so that nobody has to add hours."""
    for face in (Terminal("Europe/Berlin"), Api("Europe/Berlin")):
        assert said in words(answer, face)


def test_zone_without_an_abbreviation_is_named_in_full() -> None:
    """An offset alone says little."""
    assert "18:25 Asia/Kathmandu" == local(T0, "Asia/Kathmandu")
