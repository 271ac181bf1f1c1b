"""What must be true after a demo whose leading replica was killed: nobody noticed, in Slack or downstream."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from bot.core.effects import Certainty
from bot.demo.loss import ReplicaLoss
from bot.demo.proof import Claim
from bot.ports import OutboxRow, RowState
from bot.sandbox.slack.records import Message
from bot.views.text import count

TAKES_OVER_WITHIN_S = 5.0


def prove_loss(
    loss: ReplicaLoss | None, messages: Sequence[Message], outbox: Sequence[OutboxRow], customers: Sequence[dict[str, Any]]
) -> list[Claim]:  # fmt: skip
    """Check every claim against the messages in Slack, those that were due, and the downstream service's log."""
    if loss is None:
        return [Claim(False, "no replica was killed: the flag was not switched, or none led")]
    troubles = [Claim(False, loss.trouble)] if loss.trouble else []
    return [_taken_over(loss), *troubles, _said_once(messages, outbox), _served_meanwhile(customers, loss)]


def _taken_over(loss: ReplicaLoss) -> Claim:
    if loss.lasted_s is None:
        return Claim(False, f"nobody took over when the leading replica, {loss.name}, was killed")
    words = f"{loss.successor} took over {loss.lasted_s:.1f} s after the leading replica, {loss.name}, was killed"
    return Claim(loss.lasted_s < TAKES_OVER_WITHIN_S, words)


def _said_once(messages: Sequence[Message], outbox: Sequence[OutboxRow]) -> Claim:
    """Messages carry the key of what they say, so duplicates are easy to find."""
    keys = Counter(message.metadata["event_payload"]["key"] for message in messages if message.metadata)
    twice = sorted(key for key, count in keys.items() if count > 1)
    missing = sorted(_missing(outbox, keys))
    words = f"nothing was said twice in Slack and nothing is missing: {count(sum(keys.values()), 'message')}, each once"
    if twice or missing:
        words = f"Slack has twice: {', '.join(twice) or 'nothing'}; is missing: {', '.join(missing) or 'nothing'}"
    return Claim(bool(keys) and not twice and not missing, words)


def _missing(outbox: Sequence[OutboxRow], keys: Counter[str]) -> Iterator[str]:
    for row in outbox:
        posted = row.effect.body.CERTAINTY is not Certainty.REPEATABLE and row.result.get("ts")
        if row.state not in (RowState.DONE, RowState.SUPERSEDED) or (posted and not keys[row.effect.key]):
            yield row.effect.key


def _served_meanwhile(rows: Sequence[dict[str, Any]], loss: ReplicaLoss) -> Claim:
    """Customers served while nobody led, compared with the rest of the story."""
    over_at = loss.at + TAKES_OVER_WITHIN_S if loss.over_at is None else loss.over_at
    meanwhile = [row for row in rows if loss.at <= row["at"] < over_at]
    served, of_all = sum(row["served"] for row in meanwhile), sum(row["served"] for row in rows)
    others = len(rows) - len(meanwhile)
    if not meanwhile or not others:
        return Claim(False, "nobody asked while no replica led")
    share, usual = served / len(meanwhile), (of_all - served) / others
    words = (
        f"customers were served while no replica led: {served} of {len(meanwhile)} ({share:.1%}), at other times {usual:.1%}"
    )
    return Claim(share >= usual, words)
