"""What readers get while nobody knows what was committed since: the same values, and their metadata says so."""

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


class Line:
    """The line to the ledger: cut since a moment, or not."""

    cut_since: datetime | None = None


def over(table: Table) -> tuple[FlagBoard, Line]:
    board, line = FlagBoard(TableClock(table)), Line()
    board.ages(lambda: line.cut_since)
    board.swap(picture_of(table))
    return board, line


def evaluated(board: FlagBoard, **context: Any) -> Evaluation:
    found = board.evaluate(FLAG, context)
    assert isinstance(found, Evaluation)
    return found


def test_a_flag_says_since_when_it_may_be_out_of_date() -> None:
    """In metadata, where every client passes it on; a reason of its own would break some."""
    board, line = over(switch(calm(), FLAG, "gpt"))
    fresh, line.cut_since = evaluated(board), SINCE
    aged = evaluated(board)

    assert {"state": "STALE", "asOf": SINCE.isoformat()} == dict(aged.metadata.items() - fresh.metadata.items())
    assert (fresh.variant, fresh.value, fresh.reason) == (aged.variant, aged.value, aged.reason)


def test_it_says_so_of_all_flags_together() -> None:
    """For clients that keep a copy, and those that evaluate by themselves."""
    board, line = over(calm())
    line.cut_since = SINCE

    assert "STALE" == json.loads(board.all({}).body)["metadata"]["state"]
    assert "STALE" == json.loads(board.rules("kit").body)["metadata"]["state"]
    assert "STALE" == json.loads(board.definitions("flagd", overlay=False).body)["metadata"]["state"]


def test_it_says_so_of_a_part_of_the_readers() -> None:
    """Who is switched apart is no better off."""
    board, line = over(switch(calm(), EU, "cached"))
    line.cut_since = SINCE

    assert "STALE" == evaluated(board, env="eu").metadata["state"]


def test_it_says_so_no_more_once_the_ledger_is_heard() -> None:
    """Nothing is to be done for it."""
    board, line = over(calm())
    line.cut_since = SINCE
    evaluated(board)
    line.cut_since = None

    assert "state" not in evaluated(board).metadata


def test_what_is_committed_meanwhile_is_served_with_its_age() -> None:
    """A ledger that was heard of once is not one that is heard."""
    table = calm()
    board, line = over(table)
    line.cut_since = SINCE
    board.swap(picture_of(switch(table, FLAG, "gpt")))

    assert ("gpt", "STALE") == (evaluated(board).variant, evaluated(board).metadata["state"])


def test_nobody_is_told_to_ask_again_for_an_age() -> None:
    """Ten thousand clients that ask anew would be no help when the database is away."""
    board, line = over(calm())
    told: list[str] = []
    board.tells(lambda: told.append("changed"))
    line.cut_since = SINCE
    evaluated(board)
    line.cut_since = SINCE + timedelta(seconds=1)
    evaluated(board)

    assert [] == told


def test_reads_are_counted_through_an_age() -> None:
    """No read is lost where answers are made anew."""
    board, line = over(calm())
    evaluated(board)
    line.cut_since = SINCE
    evaluated(board)

    assert 2 == sum(board.take_reads().values())
