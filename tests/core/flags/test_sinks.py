"""What sinks are told and how their answers are handled; the flag itself moves as if there were none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.due import next_due
from bot.core.decide.feeding import left_behind
from bot.core.effects import EffectBody, FeedSink, PostLine
from bot.core.model import Actor, Level
from bot.core.policy import SinkPolicy
from bot.core.record.sinks.sink import SinkState
from bot.core.record.sinks.sink_facts import SinkAgreed, SinkDrifted, SinkFailed, SinkFollowed, SinkLeft, SinkOrdered
from tests.desk import ANA, START, Table, policy

FLAG, HOOK, FILE = "support-chat.llm", "webhook:hooks.example.com#1", "flagd_file:/var/lib/flagd/u.json"
FEEDER = Actor.rule("sinks")
FOLLOWING = SinkPolicy(HOOK, "webhook hooks.example.com")
AT_REST = SinkPolicy(FILE, "flagd file /var/lib/flagd/u.json", at_rest=True)
REPORTING = replace(FOLLOWING, repairs=False)


def table(*sinks: SinkPolicy) -> Table:
    return Table(policy(sinks=sinks or (FOLLOWING,))).all_well()


def engaged(*sinks: SinkPolicy) -> Table:
    """Switched by a rule in an incident, and the sink has it."""
    made = table(*sinks)
    made.sees("anthropic.api", Level.DOWN)
    put(made, "gpt")
    return made


def put(made: Table, variant: str, share_back: int = 0, seen: str = "as told") -> None:
    made.send(s.SinkPut(actor=FEEDER, flag=FLAG, sink=HOOK, variant=variant, share_back=share_back, seen=seen))


def refused(made: Table, attempt: int = 1, *, permanent: bool = False) -> None:
    signal = s.SinkRefused(actor=FEEDER, flag=FLAG, sink=HOOK, reason="HTTP 500", permanent=permanent, attempt=attempt)
    made.send(signal)


def looked(made: Table, seen: str, as_of: int | None = None) -> None:
    newest = made.world.seqs.get(f"sink/{FLAG}/{HOOK}", 0)
    made.send(s.SinkLooked(actor=FEEDER, flag=FLAG, sink=HOOK, seen=seen, as_of=newest if as_of is None else as_of))


def sink(made: Table) -> SinkState:
    return made.world.sink(FLAG, HOOK)


def told(made: Table) -> list[tuple[str, int]]:
    """What the sink was told so far."""
    return [(body.variant, body.share_back) for body in made.kinds(SinkOrdered) if isinstance(body, SinkOrdered)]


def said(made: Table) -> int:
    """How many lines people were told about sinks."""
    return sum(key.startswith("sink/") for key in made.effects(PostLine))


def feeds(made: Table, kind: type[EffectBody] = FeedSink) -> int:
    return len(made.effects(kind))


def test_order_to_sinks_is_committed_with_the_switch() -> None:
    """A bot killed right after it sends it at its next start."""
    made = table()
    step = made.sees("anthropic.api", Level.DOWN)

    assert [("gpt", 0)] == told(made)
    assert [FeedSink(FLAG, HOOK)] == [one.body for one in step.effects if isinstance(one.body, FeedSink)]


def test_sinks_get_every_share_of_the_hand_back() -> None:
    """And at the end the original state."""
    made = engaged()
    made.sees("anthropic.api", Level.OPERATIONAL)
    made.passes(12)
    made.send(s.StepBack(actor=ANA, flag=FLAG))
    made.passes(30)

    assert [("gpt", 0), ("gpt", 10), ("gpt", 25), ("gpt", 50), ("", 0)] == told(made)


def test_sinks_are_told_when_a_hand_back_is_reverted() -> None:
    """The default failed again: everything on the fallback."""
    made = engaged()
    made.sees("anthropic.api", Level.OPERATIONAL)
    made.passes(12)
    made.send(s.StepBack(actor=ANA, flag=FLAG))
    made.sees("anthropic.api", Level.DOWN)

    assert ("gpt", 0) == told(made)[-1]


def test_orders_to_sinks_have_their_own_lane() -> None:
    """No alert waits for a gateway, and an ended incident leaves the order."""
    made = engaged()
    looked(made, "somebody's")  # and it is put back

    assert 2 == feeds(made)
    assert {None} == {one.incident for step in made.steps for one in step.effects if isinstance(one.body, FeedSink)}


def test_sink_of_a_never_switched_flag_is_left_alone() -> None:
    """Its normal state is the team's own."""
    made = table()
    made.passes(3)

    assert 0 == feeds(made)


def test_sink_that_its_reader_needs_is_written_in_normal_times_once() -> None:
    """flagd does not start without its file."""
    made = table(AT_REST)
    made.passes(3)

    assert [("", 0)] == told(made)


def test_sink_added_during_an_outage_catches_up() -> None:
    """At the first beat after the start."""
    made = Table().all_well()
    made.sees("anthropic.api", Level.DOWN)
    made.policy = policy(sinks=(FOLLOWING,))
    due = next_due(made.world, made.policy)

    assert due is not None and due <= made.now
    made.passes(0)
    assert [("gpt", 0)] == told(made)


def test_sink_is_not_told_again_without_news() -> None:
    """Ten minutes with nothing new are no reason."""
    made = engaged()
    made.passes(10)

    assert 1 == feeds(made)


def test_sink_removed_while_switched_is_known() -> None:
    """Nobody restores it: doctor and status say so."""
    made = engaged()

    assert [sink(made)] == list(left_behind(made.world, policy()))
    assert [] == list(left_behind(made.world, made.policy))


def test_removal_of_a_switched_sink_is_reported_once() -> None:
    """Whoever edited the file may not know what is still applied."""
    made = engaged()
    made.policy = policy()
    due = next_due(made.world, made.policy)
    assert due is not None and due <= made.now
    for _ in range(3):
        made.passes(1)

    assert [SinkLeft(FLAG, HOOK, "gpt")] == made.kinds(SinkLeft)
    assert (1, 1) == (said(made), feeds(made))


def test_removal_of_a_sink_before_its_answer_says_that_its_state_is_unknown() -> None:
    """It was told and may have done it."""
    made = table()
    made.sees("anthropic.api", Level.DOWN)
    made.policy = policy()
    made.passes(0)

    assert [SinkLeft(FLAG, HOOK, "gpt", sure=False)] == made.kinds(SinkLeft)


@pytest.mark.parametrize("released", [False, True])
def test_sink_added_again_gets_the_current_state(released: bool) -> None:
    """Even if that equals its last order, which nobody followed up."""
    made = engaged()
    made.policy = policy()
    made.passes(0)
    if released:
        made.send(s.ReleaseFlag(actor=ANA, flag=FLAG, reason="well", force=True))
    made.policy = policy(sinks=(FOLLOWING,))
    made.passes(0)
    made.passes(1)

    assert [("gpt", 0), ("" if released else "gpt", 0)] == told(made)


def test_failure_of_a_removed_sink_promises_no_retry() -> None:
    """The last answer may come after the removal."""
    made = table()
    made.sees("anthropic.api", Level.DOWN)
    made.policy = policy()
    made.passes(0)
    refused(made, 3)

    assert [] == made.kinds(SinkFailed)


def test_sink_removed_before_its_first_write_is_written_when_it_returns() -> None:
    """Nothing is reported, since nothing of ours is there; but flagd needs its file."""
    made = table(AT_REST)
    made.passes(0)
    made.policy = policy()
    made.passes(0)
    assert (1, 0) == (len(made.kinds(SinkLeft)), said(made))
    made.policy = policy(sinks=(AT_REST,))
    made.passes(0)

    assert [("", 0), ("", 0)] == told(made)


def test_restored_sink_may_be_removed() -> None:
    """Nothing of ours is there any more."""
    made = engaged()
    made.send(s.ReleaseFlag(actor=ANA, flag=FLAG, reason="well", force=True))
    assert [sink(made)] == list(left_behind(made.world, policy()))
    put(made, "")

    assert [] == list(left_behind(made.world, policy()))


# --- what they answer


@pytest.mark.parametrize(("attempt", "permanent", "lines"), [(1, False, 0), (2, False, 0), (3, False, 1), (1, True, 1)])
def test_failure_is_reported_after_three_attempts_or_at_once_if_permanent(attempt: int, permanent: bool, lines: int) -> None:
    """A hiccup is not worth a line at night; a refused token is."""
    made = table()
    made.sees("anthropic.api", Level.DOWN)
    refused(made, attempt, permanent=permanent)

    assert lines == said(made)


@pytest.mark.parametrize(("seconds", "lines"), [(2, 0), (300, 1)])
def test_failure_is_reported_at_once_if_the_next_attempt_is_far_away(seconds: int, lines: int) -> None:
    """It asked for a pause; three attempts would take a quarter of an hour."""
    made = table()
    made.sees("anthropic.api", Level.DOWN)
    waits = timedelta(seconds=seconds)
    made.send(s.SinkRefused(actor=FEEDER, flag=FLAG, sink=HOOK, reason="HTTP 429", waits=waits))

    assert lines == said(made)


def test_failure_is_reported_once() -> None:
    """It is retried every minute, for hours."""
    made = table()
    made.sees("anthropic.api", Level.DOWN)
    for attempt in range(1, 60):
        refused(made, attempt)

    assert 1 == len(made.kinds(SinkFailed))
    assert "HTTP 500" == sink(made).failing


def test_failure_moves_no_flag() -> None:
    """Readers get the fallback, whatever a gateway does."""
    made = table()
    made.sees("anthropic.api", Level.DOWN)
    before = made.world.flag(FLAG)
    refused(made, 9, permanent=True)

    assert before == made.world.flag(FLAG)


def test_recovery_of_a_sink_is_reported_only_after_a_failure() -> None:
    """People who heard of trouble hear of its end; others need no line."""
    quiet, loud = engaged(), table()
    loud.sees("anthropic.api", Level.DOWN)
    refused(loud, 3)
    put(loud, "gpt")

    assert (0, 2) == (said(quiet), said(loud))
    assert "" == sink(loud).failing


def test_same_answer_twice_is_one_fact() -> None:
    """A retry after a crash is not reported twice."""
    made = engaged()
    put(made, "gpt")

    assert 1 == len(made.kinds(SinkFollowed))


# --- what they show


def test_foreign_change_is_reported_and_reverted() -> None:
    """The gateway sends customers to the broken provider again."""
    made = engaged()
    looked(made, "somebody's")

    assert [SinkDrifted(FLAG, HOOK, "as told", "somebody's", True)] == made.kinds(SinkDrifted)
    assert (1, 2) == (said(made), feeds(made))


def test_foreign_change_is_only_reported_if_configured() -> None:
    """`drift: report`."""
    made = engaged(REPORTING)
    looked(made, "somebody's")
    looked(made, "somebody's")

    assert (1, 1, 1) == (said(made), feeds(made), len(made.kinds(SinkDrifted)))


def test_repeated_foreign_change_is_reported_once() -> None:
    """It is reverted each time, without a line each minute."""
    made = engaged()
    for _ in range(5):
        looked(made, "somebody's")
        put(made, "gpt")

    assert (1, 6) == (said(made), feeds(made))


def test_foreign_change_in_the_next_switch_is_reported_again() -> None:
    """Once is once for each order."""
    made = engaged(REPORTING)
    looked(made, "somebody's")
    made.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="quality"))
    put(made, "cached")
    looked(made, "somebody's")

    assert 2 == said(made)


def test_foreign_change_that_is_undone_is_over() -> None:
    """Status no longer shows it."""
    made = engaged(REPORTING)
    looked(made, "somebody's")
    looked(made, "as told")

    assert 1 == len(made.kinds(SinkAgreed))
    assert "" == sink(made).drifted


def test_state_read_before_the_newest_order_is_ignored() -> None:
    """It was read before the switch, and heard after it."""
    made = engaged()
    before = made.world.seqs[f"sink/{FLAG}/{HOOK}"]
    made.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="quality"))
    put(made, "cached", seen="cached")
    looked(made, "as told", as_of=before)

    assert [] == made.kinds(SinkDrifted)


def test_state_read_during_an_order_is_ignored() -> None:
    """Naturally it shows what was there before."""
    made = engaged()
    made.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="cached", reason="quality"))
    looked(made, "gone")

    assert [] == made.kinds(SinkDrifted)


def test_result_after_the_incident_is_posted_in_ops() -> None:
    """Nobody reads the channel of an ended incident."""
    made = engaged()
    made.send(s.SetPhase(actor=ANA, incident=1, phase=made.incident().phase.RESOLVED, force=True))
    made.now = START + timedelta(days=3)
    made.passes(1)
    looked(made, "somebody's")

    assert {None} == {one.incident for one in made.written(SinkDrifted)}


def test_result_of_a_sink_is_recorded_in_the_switchs_incident() -> None:
    """Until it follows, customers are on the broken provider."""
    made = table()
    made.sees("anthropic.api", Level.DOWN)
    refused(made, 3)
    put(made, "gpt")

    assert [SinkFailed(FLAG, HOOK, "gpt", "HTTP 500")] == made.kinds(SinkFailed)
    assert [1, 1] == [one.incident for one in (*made.written(SinkFailed), *made.written(SinkFollowed))]


def test_rewritten_state_is_compared_with_its_new_form() -> None:
    """The gateway stored the same order in another form."""
    made = engaged()
    put(made, "gpt", seen="as told, with a comment")
    looked(made, "as told, with a comment")

    assert [] == made.kinds(SinkDrifted)


def test_unchanged_state_records_nothing() -> None:
    """It is read every minute."""
    made = engaged()
    looked(made, "as told")

    assert [] == made.kinds(SinkAgreed)


def test_state_of_a_removed_sink_is_ignored() -> None:
    """Also where another one is there still."""
    made = engaged(FOLLOWING, AT_REST)
    made.policy = policy(sinks=(AT_REST,))
    looked(made, "somebody's")

    assert [] == made.kinds(SinkDrifted)


def test_each_sink_follows_its_own_settings() -> None:
    """The second of two is only reported on."""
    made = engaged(AT_REST, REPORTING)
    looked(made, "somebody's")

    assert [SinkDrifted(FLAG, HOOK, "as told", "somebody's", False)] == made.kinds(SinkDrifted)


def test_failed_sink_that_follows_the_same_order_again_is_reported() -> None:
    """It had it, was restarted, refused three times, and has it again."""
    made = engaged()
    refused(made, 3)
    put(made, "gpt")

    assert (2, "") == (len(made.kinds(SinkFollowed)), sink(made).failing)
