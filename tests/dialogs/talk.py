"""Helpers for the conversation tests: type or press something, wait for the reply, and read what Slack shows."""

import asyncio
import re
from collections.abc import Awaitable, Sequence

from bot.core.record.fact import Body, Fact
from bot.sandbox.slack import Message, Person
from tests.house import House

CARD = re.compile(r"\[(Post update|Reopen|Export timeline)\](?! \[Evidence\])")
HEADED = re.compile(r"\S+ (SEV[1-4] · |INC-\d+ (resolved|closed|canceled))")

ANSWER_WITHIN_S = 3.0  # Slack waits no longer; `bench ack` measures the real speed


class Talk:
    """One deployment and the people in it. `asks` and `presses` return the reply, and check that it came within a second."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def asks(self, person: Person, words: str, *, channel: str = "ops") -> str:
        """Type a slash command; return the reply that only this person sees."""
        return await self.hears(person, person.types(words, channel=channel))

    async def presses(
        self, person: Person, button: str, *, channel: str | None = None, message_containing: str | None = None
    ) -> str:
        """Click the newest button with that label; return the reply that only this person sees."""
        click = person.clicks(button, channel=channel, message_containing=message_containing)
        return await self.hears(person, click)

    async def hears(self, person: Person, doing: Awaitable[None]) -> str:
        """Wait for an action of this person; return the reply that only they see."""
        before = len(self.whispers(person))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await doing
            while len(self.whispers(person)) == before:
                await asyncio.sleep(0.005)
        return self.shows(self.whispers(person)[-1])

    def whispers(self, person: Person) -> list[Message]:
        """The messages that only this person could see, oldest first."""
        return [m for m in self.house.workspace.team.ephemerals if m.ephemeral_to == person.id]

    def shows(self, message: Message) -> str:
        """A message as people read it in Slack."""
        return self.house.workspace.shows(message)

    def said(self, channel: str, containing: str = "") -> list[Message]:
        """The bot's own messages in a channel, without thread replies."""
        every = self.house.workspace.messages(channel)
        return [m for m in every if m.user == self.house.workspace.bot_user_id and containing in self.shows(m)]

    def thread(self, channel: str, containing: str) -> str:
        """The replies under the newest message that contains the text, as people read them."""
        root = self.said(channel, containing)[-1]
        return "\n".join(self.shows(m) for m in self.house.workspace.messages(channel, thread_ts=root.ts)[1:])

    def alert(self, channel: str = "ops") -> str:
        """The only alert in the ops channel, as it reads now."""
        return self.shows(self.alerts(channel)[-1])

    def alerts(self, channel: str = "ops") -> list[Message]:
        """The alerts in a channel; each starts with its severity, or with its name once the incident is over."""
        return [message for message in self.said(channel) if HEADED.match(self.shows(message))]

    def evidence(self, channel: str = "ops") -> str:
        """The first reply under the newest alert, as it reads now."""
        root = self.alerts(channel)[-1]
        return self.shows(self.house.workspace.messages(channel, thread_ts=root.ts)[1])

    def pushed(self, channel: str = "ops") -> list[str]:
        """The replies under the newest alert after the evidence: those that notify phones."""
        root = self.alerts(channel)[-1]
        return [self.shows(m) for m in self.house.workspace.messages(channel, thread_ts=root.ts)[2:]]

    def card(self, channel: str) -> str:
        """The pinned card of an incident's channel, as it reads now; the channel's first message if nothing is pinned."""
        return self.shows(self.cards(channel)[-1])

    def cards(self, channel: str) -> list[Message]:
        """The status cards in a channel."""
        return [message for message in self.said(channel) if CARD.search(self.shows(message))]

    async def resolves(self, person: Person, *, channel: str = "ops", reason: str = "") -> None:
        """Resolve the incident from the menu under the alert or card, even if something still fails."""
        await person.picks("incident.more", "Resolve…", channel=channel)
        await self.submits_when_open(person, reason=reason)

    async def submits_when_open(self, person: Person, **fields: str) -> None:
        """Fill in the form that is about to open, and submit it."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while person.modal is None:
                await asyncio.sleep(0.005)
            await person.submits({name: value for name, value in fields.items() if value})

    async def gathers(self, channel: str) -> None:
        """Ana and Bob join INC-1 and its channel."""
        for person in (self.house.ana, self.house.bob):
            await self.asks(person, "/incident join INC-1")
            await self.house.quiet()
            members = self.house.workspace.channel(channel).members
            if person.id not in members:
                members.append(person.id)

    async def facts(self, *kinds: type[Body]) -> Sequence[Fact]:
        """Every fact of these kinds, in order; all facts if no kind is given."""
        assert self.house.app is not None
        every = await self.house.app.ledger.read(lambda store: store.all_facts())
        return [fact for fact in every if not kinds or isinstance(fact.body, kinds)]

    @property
    def slowest_ack_s(self) -> float:
        """The slowest acknowledgement of any Slack payload, in seconds; infinite if one never came."""
        return max((float("inf") if ack.seconds is None else ack.seconds for ack in self.house.workspace.acks), default=0.0)
