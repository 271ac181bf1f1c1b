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


def test_answer_to_a_switch_names_its_incident() -> None:
    """So that an interface can link to it."""
    table = down(policy(automation="off"))

    assert fa.Switched(flag=FLAG, incident=1, variant="gpt", changed=True) == engage(table, "gpt")


def test_switch_without_a_variant_uses_the_best_fallback() -> None:
    """`engage FLAG` is enough at night."""
    assert fa.Switched(flag=FLAG, variant="gpt", changed=True) == engage(Table().all_well())


def test_switch_without_a_variant_is_refused_if_none_is_better() -> None:
    """With the reason for each."""
    table = Table(policy(automation="off", fallbacks=(Fallback("gpt", "openai.api"),))).all_well()
    table.sees("openai.api", Level.DOWN)

    assert fa.NoneBetter(flag=FLAG, reason="gpt needs OpenAI API, which is down") == engage(table)


def test_approval_without_a_proposal_is_refused_with_its_variant() -> None:
    """From an old button: the answer says how to switch anyway."""
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
def test_pointless_switch_is_refused(variant: str, answer: Answer) -> None:
    """To an unknown variant, to the default, and to what is served already."""
    assert answer == engage(down(), variant)


def test_switch_during_a_hand_back_returns_everybody_to_the_fallback() -> None:
    """A tenth is on the default already."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    engage(table, "gpt")

    assert 0 == table.world.flag(FLAG).engagement.share_back  # type: ignore[union-attr]


def test_unhealthy_variant_is_refused_with_the_reason() -> None:
    """The component's name and its state."""
    table = Table().all_well()
    table.sees("openai.api", Level.DOWN, "HTTP 502")

    assert fa.Unfit(flag=FLAG, reason="gpt needs OpenAI API, which is down: HTTP 502") == engage(table, "gpt")


@pytest.mark.parametrize("kind", [s.EngageFlag, s.StepBack, s.ReleaseFlag])
def test_unknown_flag_is_answered_with_the_known_ones(kind: type[s.EngageFlag]) -> None:
    """In alphabetical order."""
    flags = {key: replace(CHAT_FLAG, key=key) for key in ("search", "chat")}
    table = Table(replace(policy(), flags=flags))

    assert base.NoFlag(key="chatt", known=("chat", "search")) == table.send(kind(actor=ANA, flag="chatt")).answer


def test_hand_back_of_an_unswitched_flag_is_refused() -> None:
    """The flag serves its default."""
    said = Table().all_well().send(s.StepBack(actor=ANA, flag=FLAG)).answer

    assert fa.NothingToHandBack(flag=FLAG) == said


def test_second_manual_step_is_refused_with_the_progress() -> None:
    """Later steps follow by themselves."""
    table = well_again(down())
    table.send(s.StepBack(actor=ANA, flag=FLAG))

    assert fa.HandBackRuns(flag=FLAG, share=10) == table.send(s.StepBack(actor=ANA, flag=FLAG)).answer


def test_hand_back_to_a_failing_default_is_refused_with_the_reason() -> None:
    """And with where everybody stays."""
    said = down().send(s.StepBack(actor=ANA, flag=FLAG)).answer

    assert fa.HandBackRefused(flag=FLAG, variant="gpt", unwell="Claude API is down") == said


def test_answer_to_a_hand_back_names_its_incident() -> None:
    """So that a face can point there."""
    table = well_again(down())

    assert fa.HandBackBegun(flag=FLAG, incident=1, changed=True) == table.send(s.StepBack(actor=ANA, flag=FLAG)).answer


def test_answer_to_a_release_names_incident_and_default() -> None:
    """So that the face can say what serves now."""
    table = down()
    table.sees(API, Level.OPERATIONAL)

    assert fa.Released(flag=FLAG, incident=1, default="claude", changed=True) == release(table)


def test_release_of_an_unswitched_flag_is_refused() -> None:
    """There is nothing to release."""
    assert fa.AtDefault(flag=FLAG) == release(Table().all_well())


def test_release_to_a_failing_default_is_refused_with_the_reason() -> None:
    """Until somebody forces it."""
    assert fa.DefaultUnwell(flag=FLAG, unwell="Claude API is down") == release(down())
