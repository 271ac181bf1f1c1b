"""What the demo proves of a leading replica that was killed, and that the proof sees what it forbids."""

from typing import Any

from bot.core.effects import Effect, PostAlert
from bot.demo.loss import ReplicaLoss
from bot.demo.loss_proof import prove_loss
from bot.demo.proof import Claim
from bot.ports import OutboxRow, RowState
from bot.sandbox.slack.records import Message
from tests.house import START

ALERT = Effect("INC-1/alert", "alert/1", PostAlert(), 1, "incident/1", 1)
QUICK = ReplicaLoss("demo-1", 100.0, "demo-3", 103.4)


def row(state: RowState = RowState.DONE) -> OutboxRow:
    result = {"channel": "C1", "ts": "1.2"} if state is RowState.DONE else {}
    return OutboxRow(1, ALERT, state, 1, START, START, START, START, 0, result, "")


def message(key: str = ALERT.key) -> Message:
    return Message("1.2", "C1", "U1", "Claude is down", metadata={"event_payload": {"key": key}})


def customers(*, unserved_at: float = 0.0) -> list[dict[str, Any]]:
    """Ten a second, from before the loss until after; the first one in life was not served, as the outage had begun."""
    times = [90.0 + n / 10 for n in range(300)]
    return [{"at": at, "served": n > 0 and at != unserved_at} for n, at in enumerate(times)]


def proven(**other: Any) -> list[Claim]:
    seen = {"loss": QUICK, "messages": [message()], "outbox": [row()], "customers": customers()} | other
    return prove_loss(**seen)


def failed(**other: Any) -> list[str]:
    return [claim.words for claim in proven(**other) if not claim.holds]


def test_loss_that_nobody_noticed_is_shown_with_its_figures() -> None:
    """Who took over and when, how much stands in Slack, who was served."""
    words = [claim.words for claim in proven()]

    assert [] == failed()
    assert [
        "demo-3 took over 3.4 s after the leading replica, demo-1, was killed",
        "nothing was said twice in Slack and nothing is missing: 1 message, each once",
        "customers were served while no replica led: 34 of 34 (100.0%), at other times 99.6%",
    ] == words


def test_nobody_killed_is_no_proof() -> None:
    """A story in which nothing was switched kills nobody, and says so."""
    assert ["no replica was killed: the flag was not switched, or none led"] == failed(loss=None)


def test_late_takeover_is_seen() -> None:
    """Five seconds were promised."""
    late = ReplicaLoss("demo-1", 100.0, "demo-2", 105.2)

    assert ["demo-2 took over 5.2 s after the leading replica, demo-1, was killed"] == failed(loss=late)


def test_nobody_taking_over_is_seen() -> None:
    """And named."""
    assert ["nobody took over when the leading replica, demo-1, was killed"] == failed(loss=ReplicaLoss("demo-1", 100.0))


def test_replica_that_does_not_come_back_is_seen() -> None:
    """Whoever runs it would be woken by that."""
    assert ["demo-1 did not come up"] == failed(loss=ReplicaLoss("demo-1", 100.0, "demo-3", 103.4, "demo-1 did not come up"))


def test_message_that_stands_twice_is_seen() -> None:
    """By its key."""
    assert ["Slack has twice: INC-1/alert; is missing: nothing"] == failed(messages=[message(), message()])


def test_message_that_counts_as_posted_and_is_not_there_is_seen() -> None:
    """The ledger says so, Slack does not."""
    assert ["Slack has twice: nothing; is missing: INC-1/alert"] == failed(messages=[message("INC-1/card")])


def test_message_that_was_never_sent_is_seen() -> None:
    """Claimed by the dead one, and taken up by nobody."""
    assert ["Slack has twice: nothing; is missing: INC-1/alert"] == failed(outbox=[row(RowState.SENDING)])


def test_customer_who_was_not_served_while_nobody_led_is_seen() -> None:
    """One is enough, where all others were."""
    words = "customers were served while no replica led: 33 of 34 (97.1%), at other times 99.6%"

    assert [words] == failed(customers=customers(unserved_at=101.0))
