"""How people are paged: names are resolved at the moment of sending, and the result is reported."""

import asyncio
import re
from collections.abc import Sequence

from bot.core.decide.paging import waits_for_people
from bot.core.effects import Effect, FindPeople, OfPage, PageAddresses, PageMention, PagePerson
from bot.core.record.incident import Incident
from bot.delivery.incident_channel import incident_of
from bot.ports import Chat, EffectError, Engine, Message, Notifier, OnCall, OnDuty, OutboxRow, Performed, Performer, Performers
from bot.system.clock import Clock
from bot.views.incident import paging

ID = re.compile(r"[UWS][A-Z0-9]{2,}")
TRIES = 3  # attempts that reached no address, before reporting that


class NobodyOnCall:
    """An `OnCall` without anybody."""

    async def who(self, name: str) -> OnDuty:
        """Nobody."""
        return OnDuty(problem=f"people.on_call has no {name}")


class Pages:
    """Resolves names, and calls people and addresses. Mentions are ordinary posts, so `Delivery` makes them."""

    def __init__(self, chat: Chat, engine: Engine, clock: Clock, on_call: OnCall | None, notifier: Notifier | None) -> None:
        self._chat = chat
        self._engine = engine
        self._clock = clock
        self._on_call = on_call or NobodyOnCall()
        self._notifier = notifier

    def performers(self) -> Performers:
        """The performers for these effects."""
        return {
            FindPeople: Performer(self._find_people),
            PagePerson: Performer(self._person),
            PageAddresses: Performer(self._addresses),
        }

    async def mentioned(self, names: Sequence[str]) -> tuple[tuple[str, ...], str]:
        """The ids to mention for these names (a user group counts as one), and any problems with them."""
        duty = await asyncio.gather(*map(self._on_call.who, names))
        ids = [id for one in duty for id in ((one.group,) if one.group else one.people)]
        # Slack knows the members of a group that it mentions, so problems of ours with them do not matter.
        return tuple(dict.fromkeys(ids)), _problems([one for one in duty if not one.group])

    async def invited(self, name: str) -> Sequence[str]:
        """Whom to invite for a name in `people.on_call`; ids are kept, and Slack reports invalid ones."""
        if ID.fullmatch(name) or name.startswith("<"):
            return (name,)
        found = await self._on_call.who(name)
        return (found.group,) if found.group else found.people or (name,)

    async def reply(self, body: PageMention, effect: Effect) -> Message | None:
        """The reply in the alert's thread; None if nobody needs to be paged any more, or nobody can be."""
        incident = await incident_of(effect, self._engine)
        ids, _ = await self.mentioned(body.names)
        return paging.reply(incident, ids, self._clock.now()) if ids and self._is_wanted(incident, body) else None

    async def came_to(self, done: Performed, names: Sequence[str], incident: Incident) -> Performed:
        """The result of a post that mentions these names."""
        if not waits_for_people(incident):
            return done
        ids, problem = await self.mentioned(names)
        return Performed(done.channel, done.ts, done.name, reached=ids if done.ts else (), problem=problem)

    def _is_wanted(self, incident: Incident, body: OfPage) -> bool:
        """Whether it should still go out. Of several steps that waited for Slack, only the last one of each way does."""
        way = "mention" if isinstance(body, PageMention) else "dm"
        steps = self._engine.policy.paging.steps.get(body.severity, ())
        newer = steps[body.step : incident.paging.done.get(body.severity, 0)]
        return waits_for_people(incident) and not any(getattr(step, way) for step in newer)

    async def _find_people(self, body: FindPeople, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        if not self._is_wanted(incident, body):
            return Performed()
        duty = await asyncio.gather(*map(self._on_call.who, body.names))
        return Performed(
            reached=tuple(dict.fromkeys(person for one in duty for person in one.people)), problem=_problems(duty)
        )  # fmt: skip

    async def _person(self, body: PagePerson, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        if not self._is_wanted(incident, body):
            return Performed()
        message = paging.direct(incident, self._clock.now())
        at = await self._chat.tell(body.user, message, row.effect.key)
        return Performed(at.channel, at.ts, reached=(body.user,))

    async def _addresses(self, body: PageAddresses, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        if not waits_for_people(incident):
            return Performed()
        if self._notifier is None:
            return Performed(problem="nothing here can call the addresses of notify")
        called = await self._notifier.call(*paging.notice(incident, self._clock.now()), body.addresses)
        problem = "; ".join(called.problems)
        if not called.reached and row.attempt < TRIES:
            raise EffectError(problem or "no address took it", permanent=False)
        return Performed(reached=called.reached, problem=problem or ("" if called.reached else "notify has no address"))


def _problems(duty: Sequence[OnDuty]) -> str:
    return "; ".join(one.problem for one in duty if one.problem)
