"""Where posts go when the chat has changed: names are taken, alerts are deleted, a thread's first message is late."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.core import signals as s
from bot.core.effects import Effect, OpenThread, ReplyInThread
from bot.delivery.chat import Delivery, MessageContext
from bot.ports import ChatError, Performed, Wait
from bot.sandbox.chat_state import FakeMessage, Fault
from tests.desk import ANA
from tests.engine.test_bad_days import Shop, in_virtual_time
from tests.ledger_facts import queued

NOT_ALLOWED = ChatError("no: restricted_action", code="restricted_action", permanent=True)


async def in_a_thread(shop: Shop) -> FakeMessage:
    """An incident whose channel may not be created; returns its alert."""
    shop.refuses("create_channel", "restricted_action")
    await shop.open()
    await shop.fails()
    await asyncio.sleep(60)
    return next(m for m in shop.chat.messages("#ops") if m.key.startswith("INC-1/alert"))


def threads(shop: Shop) -> dict[str, list[str]]:
    """The replies in the threads of the ops channel, by the key of the first message."""
    return {m.key: [reply.text for reply in shop.chat.messages("#ops", thread_ts=m.ts)] for m in shop.chat.messages("#ops")}


def test_replies_go_to_the_new_alert_if_somebody_deleted_the_first() -> None:
    """They are not given up with their thread."""

    async def play() -> tuple[list[str], bool]:
        shop = Shop()
        alert = await in_a_thread(shop)
        shop.chat.channel("#ops").messages.remove(alert)
        await shop.engine.handle(s.AddNote(actor=ANA, incident=1, text="support knows"))
        await asyncio.sleep(600)
        waiting, said = await shop.unfinished(), threads(shop)
        await shop.outbox.stop()
        return waiting, any("support knows" in text for text in said["INC-1/alert/2"])

    waiting, told = in_virtual_time(play)

    assert [] == waiting
    assert told


def test_replies_wait_for_their_alert() -> None:
    """Slack limits the alert for two minutes: its replies are not scattered over the ops channel meanwhile."""

    async def play() -> tuple[list[str], bool]:
        shop = Shop()
        began = shop.clock.now()

        def before(call: str, args: Mapping[str, Any]) -> Fault | None:
            if call == "create_channel":
                return Fault("refused", NOT_ALLOWED)
            late = call == "post" and args["key"].startswith("INC-1/alert") and shop.clock.now() - began < timedelta(minutes=2)
            return Fault.limited(timedelta(minutes=2)) if late else None

        shop.chat.before = before
        await shop.open()
        await shop.fails()
        await shop.engine.handle(s.AddNote(actor=ANA, incident=1, text="support knows"))
        await asyncio.sleep(600)
        waiting, said = await shop.unfinished(), threads(shop)
        await shop.outbox.stop()
        return waiting, any("support knows" in text for text in said["INC-1/alert.post/incident/1/1"])

    waiting, told = in_virtual_time(play)

    assert [] == waiting
    assert told


def test_channel_takes_the_next_name_if_the_first_is_taken() -> None:
    """The other channel is left alone."""

    async def play() -> tuple[str, str, set[str]]:
        shop = Shop()
        await shop.engine.load()
        await shop.fails()
        first = shop.engine.world.incidents[1].room.name
        theirs = shop.chat.channel(shop.chat.add_channel(first))
        await shop.outbox.start()
        await asyncio.sleep(60)
        await shop.outbox.stop()
        incident = shop.engine.world.incidents[1]
        return first, shop.chat.channel(incident.room.channel).name, {m.key for m in theirs.messages}

    first, name, theirs = in_virtual_time(play)
    assert f"{first}-2" == name
    assert set() == theirs


def test_channel_with_a_lost_answer_is_used_although_the_retry_is_refused() -> None:
    """The workspace's settings changed in between; the existing channel is the incident's."""

    async def play() -> tuple[list[str], str]:
        shop = Shop()
        shop.faults["create_channel"] = [Fault("unclear_after"), Fault("refused", NOT_ALLOWED)]
        await shop.open()
        await shop.fails()
        await asyncio.sleep(600)
        made = [channel.id for channel in shop.chat.channels.values() if channel.creator == shop.chat.me]
        await shop.outbox.stop()
        return made, shop.engine.world.incidents[1].room.channel

    made, channel = in_virtual_time(play)
    assert made == [channel]


def test_reply_waits_as_long_as_its_first_message() -> None:
    """It is retried when that is retried, and not posted elsewhere."""

    async def play() -> tuple[Performed | Wait, str]:
        shop = Shop()
        root, reply = Effect("root", "ops", OpenThread("root")), Effect("reply", "ops", ReplyInThread("root"))
        await shop.engine.load()
        await shop.ledger.write(lambda store: store.commit(queued(root, reply)))
        performers = Delivery(shop.chat, shop.engine, shop.ledger, shop.clock, MessageContext()).performers()
        rows = await shop.ledger.read(lambda store: store.outbox())
        came = await performers[ReplyInThread].perform(reply.body, rows[1])
        return came, repr(Wait("root is not posted yet", rows[0].not_before))

    came, expected = in_virtual_time(play)
    assert expected == repr(came)
