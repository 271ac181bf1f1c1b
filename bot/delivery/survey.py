"""Checks the chat for everything that an incident should have there, before a repair is decided."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from bot.core.answers.base import Answer
from bot.core.decide.incident.repair import PIECES, ChangedMeanwhile
from bot.core.decide.permissions import denied
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.standing import FoundPieces, Piece
from bot.core.record.world import World
from bot.core.signals.base import Signal
from bot.core.signals.incident import Repair
from bot.delivery.incident_channel import IncidentChannel
from bot.delivery.pages import ID
from bot.ports import UNFINISHED, ChannelGone, Chat, ChatError, Engine, GroupGone, Ledger, PostedAt

WITHIN_S = 4.0  # a person waits for the answer
LOOKS = 3  # attempts while the incident changes


class Survey:
    """Finds what an incident lacks. Changes nothing."""

    def __init__(self, chat: Chat, engine: Engine, ledger: Ledger, channel: IncidentChannel) -> None:
        self._chat = chat
        self._engine = engine
        self._ledger = ledger
        self._channel = channel

    async def look(self, number: int) -> FoundPieces | None:
        """What is missing and what is pending now; None if there is no such incident. Raises StoreError."""
        incident = (await self._engine.world_with([number])).incidents.get(number)
        if incident is None:
            return None
        # The outbox first: what is done between the two questions then counts as pending, and is not ordered twice.
        rows = await self._ledger.read(lambda store: store.outbox(*UNFINISHED))
        kinds = {type(row.effect.body) for row in rows if row.effect.incident == number}
        waiting = {PIECES[kind] for kind in kinds if kind in PIECES} - {Piece.EDITS}
        missing, lost, unknown = await self._asked(incident) if incident.phase.open else (set[Piece](), "", "")
        return FoundPieces(
            incident.room, incident.repairs, tuple(piece for piece in Piece if piece in missing),
            tuple(piece for piece in Piece if piece in waiting), lost, unknown,
        )  # fmt: skip

    async def _asked(self, incident: Incident) -> tuple[set[Piece], str, str]:
        """What Slack does not have, why the channel is lost if it is, and what Slack could not tell."""
        looks = [self._alert(incident), self._evidence(incident), self._card(incident), self._missing_in_channel(incident)]
        try:
            async with asyncio.timeout(WITHIN_S):
                came = await asyncio.gather(*looks, return_exceptions=True)
        except TimeoutError:
            return set(), "", "Slack did not answer in time"
        missing: set[Piece] = set()
        lost, unknown = "", ""
        for one in came:
            match one:
                case ChannelGone():
                    lost = f"#{incident.room.name} takes no more posts: {one.why} ({one.code})"
                case ChatError():
                    unknown = unknown or str(one)
                case BaseException():
                    raise one
                case _:
                    missing |= one
        return missing, lost, unknown

    async def _alert(self, incident: Incident) -> set[Piece]:
        alert = incident.room.alert
        return await self._post(PostedAt(alert.channel, alert.ts), Piece.ALERT)

    async def _evidence(self, incident: Incident) -> set[Piece]:
        evidence, thread = incident.room.evidence, incident.room.alert.ts
        return await self._post(PostedAt(evidence.channel, evidence.ts), Piece.EVIDENCE, thread)

    async def _post(self, at: PostedAt, piece: Piece, thread: str = "") -> set[Piece]:
        if not at.ts:
            return set()  # the ledger knows that
        try:
            return set() if await self._chat.message_state(at, thread) else {piece}
        except ChannelGone:
            return {piece}

    async def _card(self, incident: Incident) -> set[Piece]:
        """Whether the card, in the incident's channel, and its pin are missing; a card in a thread has no pin."""
        card, room = incident.room.card, incident.room
        if not card.ts:
            return set()
        if card.channel != room.channel:
            return await self._post(PostedAt(card.channel, card.ts), Piece.CARD, room.alert.ts)
        found = await self._chat.message_state(PostedAt(card.channel, card.ts))
        return {Piece.CARD} if found is None else set() if found.pinned else {Piece.PIN}

    async def _missing_in_channel(self, incident: Incident) -> set[Piece]:
        channel = incident.room.channel
        if not channel:
            return set()
        has = await self._chat.channel_setup(channel)
        absent = await self._people(await self._channel.wanted(incident)) - has.members - {self._chat.me}
        return {
            *([] if has.topic and has.topic_by == self._chat.me else [Piece.TOPIC]),
            *([] if {title for title, _ in self._channel.links(incident)} <= has.bookmarks else [Piece.BOOKMARKS]),
            *([Piece.INVITATIONS] if absent else []),
        }

    async def _people(self, wanted: Collection[str]) -> set[str]:
        """The people behind these ids; nobody for a deleted user group, which the invitation reports."""
        people: set[str] = set()
        for found in filter(None, map(ID.search, wanted)):  # names that match nobody are reported when inviting
            if not found[0].startswith("S"):
                people.add(found[0])
                continue
            with suppress(GroupGone):
                people.update(await self._chat.members_of(found[0]))
        return people


class SurveyingEngine:
    """The engine for people's requests: before a repair is decided, it checks what exists.

    `survey` is None if there is no chat, or none that can be asked.
    """

    def __init__(self, engine: Engine, survey: Callable[[], Survey | None]) -> None:
        self._engine = engine
        self._survey = survey

    @property
    def policy(self) -> Policy:
        """The engine's policy."""
        return self._engine.policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._engine.policy = policy

    @property
    def world(self) -> World:
        """The engine's world."""
        return self._engine.world

    async def world_with(self, incidents: Collection[int]) -> World:
        """See the engine."""
        return await self._engine.world_with(incidents)

    async def caught_up(self) -> None:
        """See the engine."""
        await self._engine.caught_up()

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer."""
        survey = self._survey() if isinstance(signal, Repair) else None
        if not isinstance(signal, Repair) or survey is None or denied(Repair, signal.actor, self.policy.incidents):
            return await self._engine.handle(signal)
        for _ in range(LOOKS):
            found = await survey.look(signal.incident)
            answer = await self._engine.handle(Repair(signal.actor, signal.id, incident=signal.incident, found=found))
            if not isinstance(answer, ChangedMeanwhile):
                break
        return answer
