"""Broadcasts: messages for people outside an incident, in the configured channels."""

from contextlib import suppress
from datetime import datetime

from bot.core.effects import EditBroadcast, Effect, InBroadcast, PostBroadcast, ReplyBroadcast
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident, Post
from bot.delivery.incident_channel import CLOCK_SLACK, incident_of
from bot.ports import (
    ChannelGone,
    Chat,
    Engine,
    Ledger,
    MessageGone,
    OutboxRow,
    Performed,
    Performer,
    Performers,
    Place,
    PostedAt,
)
from bot.system.clock import Clock
from bot.views.incident.broadcast import broadcast, broadcast_reply
from bot.views.scene import Scene


class Broadcasts:
    """Posts, edits and answers broadcasts; one lane per channel, so one that refuses posts does not delay the others."""

    def __init__(self, chat: Chat, engine: Engine, ledger: Ledger, clock: Clock) -> None:
        self._chat = chat
        self._engine = engine
        self._ledger = ledger
        self._clock = clock

    def performers(self) -> Performers:
        """The performers for these effects."""
        return {
            PostBroadcast: Performer(self._post, self._find_post),
            EditBroadcast: Performer(self._edit),
            ReplyBroadcast: Performer(self._reply, self._find_reply),
        }

    async def _post(self, body: PostBroadcast, row: OutboxRow) -> Performed:
        """Post it once; if a repair asks again and the message still exists, update it in place."""
        incident = await incident_of(row.effect, self._engine)
        message = broadcast(self._scene(incident), full=self._full(body))
        if at := _stands(body, incident):
            with suppress(ChannelGone, MessageGone):
                await self._chat.edit(PostedAt(at.channel, at.ts), message)
                return Performed(at.channel, at.ts)
        channel = await self._chat.find_channel(body.to)
        return _at(await self._chat.post(Place(channel), message, row.effect.key))

    async def _find_post(self, body: PostBroadcast, row: OutboxRow) -> Performed | None:
        return await self._find(Place(await self._chat.find_channel(body.to)), row)

    async def _edit(self, body: EditBroadcast, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        if at := _stands(body, incident):
            await self._chat.edit(PostedAt(at.channel, at.ts), broadcast(self._scene(incident), full=self._full(body)))
        return Performed()

    async def _reply(self, body: ReplyBroadcast, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        at, fact = _stands(body, incident), await self._fact(row.effect)
        message = broadcast_reply(fact, self._scene(incident, fact.at), full=self._full(body))
        if at is None or message is None:
            return Performed()
        return _at(await self._chat.post(Place(at.channel, at.ts), message, row.effect.key))

    async def _find_reply(self, body: ReplyBroadcast, row: OutboxRow) -> Performed | None:
        at = _stands(body, await incident_of(row.effect, self._engine))
        return await self._find(Place(at.channel, at.ts), row) if at else Performed()

    async def _find(self, place: Place, row: OutboxRow) -> Performed | None:
        since = (row.first_started_at or row.created_at) - CLOCK_SLACK
        at = await self._chat.find_post(place, row.effect.key, since)
        return _at(at) if at else None

    async def _fact(self, effect: Effect) -> Fact:
        facts = await self._ledger.read(lambda store: store.facts(effect.stream, effect.seq - 1))
        return facts[0]

    def _full(self, body: InBroadcast) -> bool:
        """Whether this channel hears everything; one that is no longer configured hears little."""
        return any(one.full for one in self._engine.policy.broadcast if one.channel == body.to)

    def _scene(self, incident: Incident, now: datetime | None = None) -> Scene:
        return Scene(incident, self._engine.world, self._engine.policy, now or self._clock.now())


def _stands(body: InBroadcast, incident: Incident) -> Post | None:
    """Where the message is; None if Slack did not take it."""
    post = incident.broadcasts.get(body.to)
    return post if post and post.ts else None


def _at(at: PostedAt) -> Performed:
    return Performed(at.channel, at.ts)
