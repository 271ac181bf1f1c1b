"""An incident's own channel: created once, named, linked, and filled with the right people."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from bot.core.effects import AddBookmarks, Effect, InvitePeople, OpenChannel, PinCard, SetTopic
from bot.core.model import Actor, ActorKind
from bot.core.record.incident import Incident
from bot.core.signals import EffectRefused, NameTaken
from bot.ports import ChannelNameTaken, Chat, ChatError, Engine, OutboxRow, Performed, Performer, Performers, PostedAt, Wait
from bot.system.clock import Clock
from bot.views.incident import card
from bot.views.scene import Scene

# Our channel cannot be older than the first attempt to create it, apart from clock differences.
CLOCK_SLACK = timedelta(minutes=1)


class IncidentChannel:
    """Carries out effects on an incident's channel. `invite` returns whom the configuration wants in an incident."""

    def __init__(
        self,
        chat: Chat,
        engine: Engine,
        clock: Clock,
        *,
        board_url: str,
        invite: Callable[[Incident], Awaitable[Sequence[str]]],
    ) -> None:
        self._chat = chat
        self._engine = engine
        self._clock = clock
        self._board_url = board_url
        self._invite_first = invite

    def performers(self) -> Performers:
        """The performers for these effects."""
        return {
            OpenChannel: Performer(self._open),
            SetTopic: Performer(self._set_topic),
            PinCard: Performer(self._pin_card),
            AddBookmarks: Performer(self._add_bookmarks),
            InvitePeople: Performer(self._invite),
        }

    async def _open(self, body: OpenChannel, row: OutboxRow) -> Performed | Wait:
        """Create it under the name in the ledger; an existing one is used only if these very attempts created it.

        A lost channel is taken back if it accepts posts again.
        """
        incident = await incident_of(row.effect, self._engine)
        name = incident.room.name
        if body.again and incident.room.former and (taken := await self._taken_again(incident.room.former)):
            return taken
        try:
            made = await self._chat.create_channel(name, self._engine.policy.incidents.private)
            return Performed(made.id, name=made.name)
        except ChatError as error:
            # An earlier attempt may have created it even though this one was refused.
            if not isinstance(error, ChannelNameTaken) and not (error.permanent and row.attempt > 1):
                raise
            refusal = error
        found = await self._ours(name, row)
        if found is not None:
            return found
        if not isinstance(refusal, ChannelNameTaken):
            raise refusal
        await self._engine.handle(NameTaken(actor=Actor.rule("outbox"), incident=incident.number, name=name))
        return Wait(f"#{name} belongs to somebody else; trying the next name")

    async def _taken_again(self, channel: str) -> Performed | None:
        try:
            found = await self._chat.take_again(channel)
        except ChatError as error:
            if not error.permanent:
                raise
            return None
        return Performed(found.id, name=found.name)

    async def _ours(self, name: str, row: OutboxRow) -> Performed | None:
        first_try = row.first_started_at or self._clock.now()
        for channel in await self._chat.own_channels():
            ours = channel.creator == self._chat.me and channel.created_at >= first_try - CLOCK_SLACK
            if channel.name == name and ours and not channel.is_archived:
                return Performed(channel.id, name=channel.name)
        return None

    async def _set_topic(self, body: SetTopic, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        if incident.room.channel:  # a thread has no topic
            scene = Scene(incident, self._engine.world, self._engine.policy, self._clock.now())
            await self._chat.set_topic(incident.room.channel, card.topic(scene))
        return Performed()

    async def _pin_card(self, body: PinCard, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        if incident.room.channel and incident.room.card.ts:
            await self._chat.pin(PostedAt(incident.room.card.channel, incident.room.card.ts))
        return Performed()

    async def _add_bookmarks(self, body: AddBookmarks, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        links = self.links(incident) if incident.room.channel else ()
        for title, link in links:
            await self._chat.bookmark(incident.room.channel, title, link)
        return Performed()

    async def _invite(self, body: InvitePeople, row: OutboxRow) -> Performed:
        """Invite those not invited yet. People who cannot be invited are reported, and count as invited."""
        incident = await incident_of(row.effect, self._engine)
        if not incident.room.channel:
            return Performed()
        wanted = await self.wanted(incident)
        fresh = [id for id in wanted if body.anew or id not in incident.room.invited]
        problems = await self._chat.invite(incident.room.channel, fresh) if fresh else []
        if problems:
            await self._engine.handle(_not_invited(incident, row.effect, problems))
        return Performed(reached=tuple(fresh))

    async def wanted(self, incident: Incident) -> Sequence[str]:
        """Who belongs in its channel: ids of people and of user groups, each once."""
        wanted = dict.fromkeys(await self._invite_first(incident))
        people = (incident.declared_by, incident.people.acknowledged_by, *incident.people.responders)
        return list(wanted | {one.id: None for one in people if one and one.kind is ActorKind.PERSON})

    def links(self, incident: Incident) -> Sequence[tuple[str, str]]:
        """Title and address of each bookmark that its channel should have."""
        return card.bookmarks(incident, self._engine.policy, board_url=self._board_url)


def _not_invited(incident: Incident, effect: Effect, problems: list[str]) -> EffectRefused:
    return EffectRefused(
        actor=Actor.rule("outbox"), id=f"refused/{effect.key}", key=effect.key, kind=InvitePeople, incident=incident.number,
        body=effect.body, stream=effect.stream, seq=effect.seq, reason="; ".join(problems),
    )  # fmt: skip


async def incident_of(effect: Effect, engine: Engine) -> Incident:
    """The incident of an effect in its current state. Raises ValueError if it has none."""
    if effect.incident is None:
        raise ValueError(f"{effect.key} names no incident")
    return (await engine.world_with([effect.incident])).incidents[effect.incident]
