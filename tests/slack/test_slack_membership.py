"""Checking whether people with a role are still members, while the ledger cannot be written."""

import asyncio
from typing import Any

from slack_house import Notes
from structlog.testing import capture_logs

from bot.config.people import PeopleConfig
from bot.core import signals as s
from bot.core.model import LEAD, Actor
from bot.core.signals import Signal
from bot.ports import StoreError
from bot.sandbox.slack import LocalWorkspace
from bot.slack.gateway import SlackGateway
from bot.system.clock import SystemClock
from bot.system.denials import Denials
from bot.wiring.membership import Membership
from tests.desk import ANA, Table


class AwayLedger:
    """An engine that cannot commit anything."""

    def __init__(self, table: Table) -> None:
        self.world, self.policy = table.world, table.policy
        self.asked = asyncio.Event()

    async def handle(self, signal: Signal) -> Any:
        self.asked.set()
        raise StoreError("the database cannot be reached", permanent=False)


async def test_unavailable_ledger_is_not_logged_as_a_bug(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """The next beat tries again, and the monitoring of the ledger reports the outage."""
    bob = workspace.add_user("bob")
    workspace.change_user("bob", deleted=True)
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))
    table.send(s.GiveRole(actor=ANA, incident=1, role=LEAD, to=Actor.person(bob.id, "bob")))
    engine: Any = AwayLedger(table)
    notes: Any = Notes()
    clock = SystemClock()
    membership = Membership(PeopleConfig(), gateway, engine, notes, clock, clock, Denials(clock))

    with capture_logs() as lines:
        membership.after(lambda: None)()
        await asyncio.wait_for(engine.asked.wait(), 5)
        await asyncio.sleep(0)
        await membership.close()

    assert [] == [line for line in lines if line["log_level"] == "error"]
