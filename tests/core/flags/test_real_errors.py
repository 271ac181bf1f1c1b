"""A hand-back during which customers' requests fail goes back one step, and waits longer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.flags.real_errors import HAND_BACK_RULE
from bot.core.model import Level
from bot.core.record.flag import Engagement
from bot.core.record.flag_facts import HandBackStopped, Released
from tests.desk import ANA, CHAT_FLAG, RULE, Table, policy

FLAG = CHAT_FLAG.key


def coming_back(share: int = 10) -> Table:
    """A hand-back that a person began, at this share."""
    table = Table(policy()).all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(10)
    table.send(s.StepBack(actor=ANA, flag=FLAG))
    while engagement(table).share_back < share:
        table.passes(1)
    return table


def engagement(table: Table) -> Engagement:
    found = table.world.flag(FLAG).engagement
    assert found is not None
    return found


def measured(table: Table, requests: int, failed: int, share: int | None = None) -> Table:
    now = engagement(table)
    table.send(s.HandBackMeasured(
        actor=RULE, flag=FLAG, engagement=now.id, share=now.share_back if share is None else share, requests=requests,
        failed=failed,
    ))  # fmt: skip
    return table


@pytest.mark.parametrize(
    ("requests", "failed", "stopped"), [(100, 6, True), (100, 5, False), (49, 49, False), (50, 3, True), (10_000, 500, False)]
)
def test_hand_back_stops_if_too_many_requests_fail(requests: int, failed: int, stopped: bool) -> None:
    """More than five per cent of at least fifty."""
    assert stopped is bool(measured(coming_back(), requests, failed).kinds(HandBackStopped))


def test_hand_back_goes_back_one_step_with_the_figures() -> None:
    """People read how many failed."""
    [fact] = measured(coming_back(50), 200, 40).kinds(HandBackStopped)

    assert HandBackStopped(FLAG, 25, 50, 200, 40, int(CHAT_FLAG.hold.total_seconds() * 2), "gpt") == fact


def test_first_step_goes_back_to_the_fallback_for_everybody() -> None:
    """And is tried again automatically."""
    table = measured(coming_back(10), 200, 40)
    stopped = engagement(table).share_back
    table.passes(CHAT_FLAG.hold * 2 // timedelta(minutes=1))

    assert (0, 10) == (stopped, engagement(table).share_back)


def test_wait_doubles_with_each_stop_up_to_an_hour() -> None:
    """A failing default hurts less and less often."""
    table, holds = coming_back(10), []
    for _ in range(6):
        measured(table, 200, 40)
        holds.append(engagement(table).hold_s)
        table.passes(engagement(table).hold_s // 60)

    assert [600, 1_200, 2_400, 3_600, 3_600, 3_600] == holds


def test_no_step_is_taken_before_the_longer_wait_is_over() -> None:
    """And it is taken afterwards."""
    table = measured(coming_back(25), 200, 40)
    table.passes(CHAT_FLAG.hold // timedelta(minutes=1))
    meanwhile = engagement(table).share_back
    table.passes(CHAT_FLAG.hold // timedelta(minutes=1))

    assert (10, 25) == (meanwhile, engagement(table).share_back)


def test_figures_of_an_earlier_step_are_ignored() -> None:
    """They were on their way while the share changed."""
    assert [] == measured(coming_back(25), 200, 200, share=10).kinds(HandBackStopped)


def test_person_may_continue_at_once() -> None:
    """Or request the first step again, if everybody is on the fallback."""
    table = measured(coming_back(10), 200, 40)
    said = table.send(s.StepBack(actor=ANA, flag=FLAG)).answer

    assert (True, 10) == (said.ok, engagement(table).share_back)


def test_hand_back_ends_normally_once_requests_succeed() -> None:
    """One stop is no end."""
    table = measured(coming_back(50), 200, 40)
    table.passes(120)

    assert 1 == len(table.kinds(Released))


@pytest.mark.parametrize(
    "signal",
    [s.HoldHandBack(ANA, flag=FLAG), s.PinFlag(ANA, flag=FLAG), s.FreezeFlags(ANA)],
    ids=lambda one: type(one).__name__,
)
def test_share_kept_by_a_person_is_not_changed(signal: s.Signal) -> None:
    """Halted, pinned or frozen: that person watches the errors too."""
    table = coming_back(25)
    table.send(signal)
    measured(table, 200, 200)

    assert 25 == engagement(table).share_back
    assert [] == table.kinds(HandBackStopped)


def test_stop_is_recorded_in_the_incident_for_the_rule() -> None:
    """So that nobody looks for a colleague."""
    table = measured(coming_back(50), 200, 40)

    assert [(1, HAND_BACK_RULE)] == [(one.incident, one.actor) for one in table.written(HandBackStopped)]


def test_figures_before_the_first_step_are_ignored() -> None:
    """Everybody is on the fallback."""
    table = Table(policy()).all_well()
    table.sees("anthropic.api", Level.DOWN)

    assert [] == measured(table, 200, 200).kinds(HandBackStopped)


def test_figures_of_an_ended_switch_are_ignored() -> None:
    """And those of a removed flag."""
    table = coming_back(25)
    late = s.HandBackMeasured(
        actor=RULE, flag=FLAG, engagement=engagement(table).id, share=25, requests=200, failed=200
    )  # fmt: skip
    table.policy = replace(table.policy, flags={})
    left = table.send(late).facts
    table.policy = policy()
    table.send(s.ReleaseFlag(ANA, flag=FLAG))

    assert ((), ()) == (left, table.send(late).facts)


def test_first_step_of_one_percent_is_watched_too() -> None:
    """The smallest that there is."""
    table = Table(policy(steps=(1, 100))).all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(10)
    table.send(s.StepBack(actor=ANA, flag=FLAG))

    assert 1 == len(measured(table, 200, 200).kinds(HandBackStopped))
