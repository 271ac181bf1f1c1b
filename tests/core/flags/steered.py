"""Helpers for tests of steered flags: a table with a flag in one of its states, and what became of it."""

from bot.core import signals as s
from bot.core.model import Level
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement
from bot.flags.evaluate import evaluate, snapshot
from tests.desk import ANA, Table, policy

FLAG, API, OPENAI = "support-chat.llm", "anthropic.api", "openai.api"


def calm(**changes: object) -> Table:
    return Table(policy(**changes)).all_well()


def engaged(table: Table) -> Engagement:
    found = table.world.flag(FLAG).engagement
    assert found is not None
    return found


def bodies(table: Table, kind: type[Body]) -> list[Body]:
    return [fact.body for fact in table.facts if isinstance(fact.body, kind)]


def served(table: Table, reader: str) -> str:
    picture = snapshot(table.world, table.policy, 1)
    return evaluate(picture, FLAG, {"targetingKey": reader}).variant  # type: ignore[union-attr] # it is configured


def share(table: Table, percent: int) -> Table:
    """A person sends that share of the readers to GPT, and a minute passes."""
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", share=percent, reason="we try it"))
    table.passes(1)
    return table


def handing_back(minutes: float = 15, **changes: object) -> Table:
    """Claude failed and is well again; ana began the hand-back, and a quarter is back."""
    table = calm(**changes)
    table.sees(API, Level.DOWN)
    table.passes(minutes)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.StepBack(ANA, flag=FLAG))
    table.passes(5)
    assert 25 == engaged(table).share_back
    return table
