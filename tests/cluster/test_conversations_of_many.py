"""A balancer spreads a conversation's requests over replicas during a hand-back; running conversations stay where they are."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.core import signals as s
from bot.core.model import Level
from bot.core.record.world import World
from bot.flags.board import FlagBoard
from bot.wiring.flags.readers import readers_seen
from tests.cluster.stand import Scene
from tests.core.flags.steered import API, calm
from tests.desk import ANA, Table
from tests.flags.test_conversations import FLAG, NEW, TableClock, a_board, is_wrong_way, shown, variant


def engaged() -> Table:
    """The default was down and has recovered; nobody has gone back yet."""
    table = calm(**NEW | {"hold": timedelta(hours=3)})
    table.sees(API, Level.DOWN)
    table.passes(15)
    table.sees(API, Level.OPERATIONAL)
    return table


def pass_on(boards: list[FlagBoard], most: int = 1_000) -> None:
    for board in boards:
        news = board.began.news(most)
        for other in boards:
            if other is not board:
                other.began.hear(news)


def two(table: Table) -> list[FlagBoard]:
    boards = [shown(a_board(table), table) for _ in range(2)]
    for board in boards:
        board.began.several = True
    return boards


def named(count: int = 200) -> list[dict[str, Any]]:
    return [{"conversation": f"c-{number}"} for number in range(count)]


def stepped(table: Table, boards: list[FlagBoard]) -> None:
    table.passes(1)
    table.send(s.StepBack(ANA, flag=FLAG))
    for board in boards:
        shown(board, table)
    table.passes(1)


def test_conversation_known_to_another_replica_stays() -> None:
    """It began before the step, whichever replica is asked next."""
    table = engaged()
    boards = two(table)
    before = {variant(boards[0], one) for one in named()}
    pass_on(boards)
    stepped(table, boards)

    assert ({"gpt"}, {"gpt"}) == (before, {variant(boards[1], one) for one in named()})
    new = [variant(boards[1], {"conversation": f"new-{number}"}) for number in range(400)]
    assert new.count("claude") > 10


def test_no_conversation_returns_to_the_side_it_left() -> None:
    """One that two replicas first saw before and after a step leaves early, and for good."""
    table = engaged()
    boards = two(table)
    for one in named(400):
        variant(boards[0], one)
    stepped(table, boards)
    early = [one for one in named(400) if variant(boards[1], one) == "claude"]
    pass_on(boards)

    assert len(early) > 10
    assert {"claude"} == {variant(board, one) for board in boards for one in early}


def test_no_conversation_moves_twice_while_replicas_synchronise() -> None:
    """Random requests, every second one to another replica."""
    dice, table = random.Random(3), engaged()
    boards, sides = two(table), {one["conversation"]: list[str]() for one in named(400)}
    for look in range(12):
        if look in (2, 5):
            stepped(table, boards)
        table.passes(1)
        for one in named(400):
            if dice.random() < 0.5:
                sides[one["conversation"]].append(variant(boards[0] if look < 4 else dice.choice(boards), one))
        pass_on(boards)

    assert [] == [seen for seen in sides.values() if is_wrong_way(seen)]


def test_new_replica_learns_the_running_conversations_in_parts() -> None:
    """It has just started and knows none."""
    table = engaged()
    board, late = two(table)
    for one in named(50):
        variant(board, one)
    pass_on([board, shown(a_board(table), table)])
    assert [] == board.began.news(1_000)
    board.began.tell_again()
    told = [board.began.news(30) for _ in range(3)]
    for part in told:
        late.began.hear(part)

    assert ([30, 20, 0], 50) == ([len(part) for part in told], late.conversations)


def test_single_process_keeps_nothing_for_others() -> None:
    """Nobody asks for it."""
    table = engaged()
    board = shown(a_board(table), table)
    for one in named(50):
        variant(board, one)

    assert (50, []) == (board.conversations, board.began.news(100))


@dataclass
class Room:
    """As much of a replica as the exchange of readers needs."""

    member: Any
    engine: Any

    def leads(self) -> bool:
        return False


@dataclass
class Knows:
    world: World


async def test_replicas_exchange_conversations_with_their_beats() -> None:
    """Until the switch is over; what arrives later belongs to another one."""
    table, scene = engaged(), Scene()
    boards = two(table)
    looks = []
    for name, board in zip("ab", boards, strict=True):
        replica = await scene.joins(name)
        await replica.start()
        looks.append(readers_seen(Room(replica, Knows(table.world)), board, TableClock(table)))  # type: ignore[arg-type]
    await scene.passes(1, "a", "b")
    for look in looks:
        await look()
    for one in named(50):
        variant(boards[0], one)
    await looks[0]()
    await scene.passes(2, "a", "b")
    heard = boards[1].conversations

    variant(boards[0], {"conversation": "late"})
    await looks[0]()
    table.send(s.ReleaseFlag(ANA, flag=FLAG))
    shown(boards[1], table)
    await scene.passes(2, "a", "b")
    assert (50, 0) == (heard, boards[1].conversations)
    for replica in scene.replicas.values():
        await replica.stop()
