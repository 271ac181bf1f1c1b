"""What a person is answered who switches a flag, hands it back or releases it."""

from dataclasses import replace

import pytest

from bot.core import signals as s
from bot.core.answers import base
from bot.core.answers import flags as fa
from bot.core.answers.base import Answer
from bot.core.model import Level
from bot.core.policy import Fallback, Policy
from tests.desk import ANA, CHAT_FLAG, Table, policy

FLAG = CHAT_FLAG.key
API = "anthropic.api"


def down(policy_: Policy | None = None) -> Table:
    table = Table(policy_).all_well()
    table.sees(API, Level.DOWN)
    return table


def well_again(table: Table) -> Table:
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    return table


def engage(table: Table, variant: str = "", *, approves: bool = False) -> Answer:
    return table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant=variant, approves=approves)).answer


def release(table: Table) -> Answer:
    return table.send(s.ReleaseFlag(actor=ANA, flag=FLAG)).answer


def test_a_switch_is_answered_with_its_incident() -> None:
    """So that a face can point there."""
    table = down(policy(automation="off"))

    assert fa.Switched(flag=FLAG, incident=1, variant="gpt", changed=True) == engage(table, "gpt")


def test_a_switch_without_a_name_gets_the_best_fallback() -> None:
    """`engage FLAG` is enough at night."""
    assert fa.Switched(flag=FLAG, variant="gpt", changed=True) == engage(Table().all_well())


def test_a_switch_without_a_name_is_refused_where_nothing_is_better() -> None:
    """With what is wrong with each."""
    table = Table(policy(automation="off", fallbacks=(Fallback("gpt", "openai.api"),))).all_well()
    table.sees("openai.api", Level.DOWN)

    assert fa.NoneBetter(flag=FLAG, reason="gpt needs OpenAI API, which is down") == engage(table)


def test_an_approval_of_nothing_is_refused_with_what_it_would_have_done() -> None:
    """An old button: the face says how to switch all the same."""
    assert fa.NothingWaits(flag=FLAG, variant="gpt") == engage(Table().all_well(), "gpt", approves=True)


@pytest.mark.parametrize(
    ("variant", "answer"),
    [
        ("gemini", fa.NoVariant(flag=FLAG, variant="gemini", known=("claude", "gpt", "cached"))),
        ("claude", fa.IsDefault(flag=FLAG, variant="claude")),
        ("gpt", fa.ServesAlready(flag=FLAG, variant="gpt")),
    ],
    ids=["unknown", "default", "served"],
)
def test_a_switch_that_makes_no_sense_is_refused_by_name(variant: str, answer: Answer) -> None:
    """A variant that is not there, the default, and what serves already."""
    assert answer == engage(down(), variant)


def test_a_switch_during_the_hand_back_takes_everybody_to_the_fallback_again() -> None:
    """A tenth of them is on the default: who switches to the same variant wants them all off it."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    engage(table, "gpt")

    assert 0 == table.world.flag(FLAG).engagement.share_back  # type: ignore[union-attr]


def test_an_unfit_variant_is_refused_with_what_ails_it() -> None:
    """By the component's name and in its own words."""
    table = Table().all_well()
    table.sees("openai.api", Level.DOWN, "HTTP 502")

    assert fa.Unfit(flag=FLAG, reason="gpt needs OpenAI API, which is down: HTTP 502") == engage(table, "gpt")


@pytest.mark.parametrize("kind", [s.EngageFlag, s.StepBack, s.ReleaseFlag])
def test_a_flag_that_is_not_there_is_answered_with_those_that_are(kind: type[s.EngageFlag]) -> None:
    """In the order of their names, as a list is read."""
    flags = {key: replace(CHAT_FLAG, key=key) for key in ("search", "chat")}
    table = Table(replace(policy(), flags=flags))

    assert base.NoFlag(key="chatt", known=("chat", "search")) == table.send(kind(actor=ANA, flag="chatt")).answer


def test_nothing_to_hand_back_is_refused() -> None:
    """The flag serves its default."""
    said = Table().all_well().send(s.StepBack(actor=ANA, flag=FLAG)).answer

    assert fa.NothingToHandBack(flag=FLAG) == said


def test_a_second_step_by_hand_is_refused_with_how_far_it_is() -> None:
    """The later ones follow by themselves."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))

    assert fa.HandBackRuns(flag=FLAG, share=10) == table.send(s.StepBack(actor=ANA, flag=FLAG)).answer


def test_a_hand_back_to_what_fails_is_refused_with_what_fails() -> None:
    """And with where everybody stays meanwhile."""
    said = down().send(s.StepBack(actor=ANA, flag=FLAG)).answer

    assert fa.HandBackRefused(flag=FLAG, variant="gpt", unwell="Claude API is down") == said


def test_a_hand_back_is_answered_with_its_incident() -> None:
    """So that a face can point there."""
    table = well_again(down())

    assert fa.HandBackBegun(flag=FLAG, incident=1, changed=True) == table.send(s.StepBack(actor=ANA, flag=FLAG)).answer


def test_a_release_is_answered_with_its_incident_and_the_default() -> None:
    """So that the face can say what serves now."""
    table = down()
    table.sees(API, Level.OPERATIONAL)

    assert fa.Released(flag=FLAG, incident=1, default="claude", changed=True) == release(table)


def test_a_release_of_what_serves_its_default_is_refused() -> None:
    """There is nothing to release."""
    assert fa.AtDefault(flag=FLAG) == release(Table().all_well())


def test_a_release_onto_what_fails_is_refused_with_what_fails() -> None:
    """Until somebody insists."""
    assert fa.DefaultUnwell(flag=FLAG, unwell="Claude API is down") == release(down())
