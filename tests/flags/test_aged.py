"""Flag reads while the ledger is unreachable: the same values, and metadata that says so."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.flags.board import FlagBoard
from bot.flags.evaluate import Evaluation
from tests.core.flags.steered import FLAG, calm
from tests.desk import Table
from tests.flags.test_conversations import TableClock
from tests.flags.test_parts import EU, picture_of, switch

SINCE = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


class LedgerConnection:
    """The connection to the ledger: lost since a moment, or not."""

    cut_since: datetime | None = None


def over(table: Table) -> tuple[FlagBoard, LedgerConnection]:
    board, line = FlagBoard(TableClock(table)), LedgerConnection()
    board.ages(lambda: line.cut_since)
    board.swap(picture_of(table))
    return board, line


def evaluated(board: FlagBoard, **context: Any) -> Evaluation:
    found = board.evaluate(FLAG, context)
    assert isinstance(found, Evaluation)
    return found


def test_flag_metadata_says_since_when_it_may_be_stale() -> None:
    """Every client passes metadata on; a reason code of our own would break some clients."""
    board, line = over(switch(calm(), FLAG, "gpt"))
    fresh, line.cut_since = evaluated(board), SINCE
    aged = evaluated(board)

    assert {"state": "STALE", "asOf": SINCE.isoformat()} == dict(aged.metadata.items() - fresh.metadata.items())
    assert (fresh.variant, fresh.value, fresh.reason) == (aged.variant, aged.value, aged.reason)


def test_bulk_evaluation_says_since_when_it_may_be_stale() -> None:
    """For clients that keep a copy, and for those that evaluate locally."""
    board, line = over(calm())
    line.cut_since = SINCE

    assert "STALE" == json.loads(board.all({}).body)["metadata"]["state"]
    assert "STALE" == json.loads(board.rules("kit").body)["metadata"]["state"]
    assert "STALE" == json.loads(board.definitions("flagd", overlay=False).body)["metadata"]["state"]


def test_scoped_answer_says_since_when_it_may_be_stale() -> None:
    """An engagement for one scope is just as stale."""
    board, line = over(switch(calm(), EU, "cached"))
    line.cut_since = SINCE

    assert "STALE" == evaluated(board, env="eu").metadata["state"]


def test_staleness_ends_when_the_ledger_is_reachable_again() -> None:
    """Nobody has to do anything for it."""
    board, line = over(calm())
    line.cut_since = SINCE
    evaluated(board)
    line.cut_since = None

    assert "state" not in evaluated(board).metadata


def test_change_committed_during_the_loss_is_served_as_stale() -> None:
    """A single successful commit does not prove that the ledger is reachable."""
    table = calm()
    board, line = over(table)
    line.cut_since = SINCE
    board.swap(picture_of(switch(table, FLAG, "gpt")))

    assert ("gpt", "STALE") == (evaluated(board).variant, evaluated(board).metadata["state"])


def test_staleness_sends_no_change_event() -> None:
    """Ten thousand clients that ask again would not help while the database is away."""
    board, line = over(calm())
    told: list[str] = []
    board.tells(lambda: told.append("changed"))
    line.cut_since = SINCE
    evaluated(board)
    line.cut_since = SINCE + timedelta(seconds=1)
    evaluated(board)

    assert [] == told


def test_reads_are_counted_across_a_loss_of_the_ledger() -> None:
    """No read is lost when the cached answers are rebuilt."""
    board, line = over(calm())
    evaluated(board)
    line.cut_since = SINCE
    evaluated(board)

    assert 2 == sum(board.take_reads().values())
