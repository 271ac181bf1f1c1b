"""Where what is said goes when the chat is not as it was: names are taken, alerts are deleted, what it answers to is late."""

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
    """An incident whose channel may not be made; its alert."""
    shop.refuses("create_channel", "restricted_action")
    await shop.open()
    await shop.fails()
    await asyncio.sleep(60)
    return next(m for m in shop.chat.messages("#ops") if m.key.startswith("INC-1/alert"))


def threads(shop: Shop) -> dict[str, list[str]]:
    """What stands in the threads of the ops channel, by the key of the message on top."""
    return {m.key: [reply.text for reply in shop.chat.messages("#ops", thread_ts=m.ts)] for m in shop.chat.messages("#ops")}


def test_words_go_on_under_the_new_alert_when_somebody_deleted_the_first() -> None:
    """They are not given up with the thread they were meant for."""

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


def test_words_wait_for_the_alert_whose_thread_they_go_into() -> None:
    """Slack limits the alert for two minutes: what belongs under it is not scattered over the ops channel meanwhile."""

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


def test_a_channel_takes_the_next_name_when_the_first_is_somebody_elses() -> None:
    """Theirs is left alone, and the incident has its own."""

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


def test_a_channel_that_was_made_unheard_is_found_although_the_next_try_is_refused() -> None:
    """The workspace's settings changed in between; what exists and is ours is used."""

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


def test_a_reply_waits_as_long_as_its_root_does() -> None:
    """It asks again when the root is tried again, and is not said beside it."""

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
