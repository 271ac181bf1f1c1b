"""The text of each post, rendered at the moment it is sent."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.core import effects as e
from bot.core.decide.paging import waits_for_people
from bot.core.effects import Effect
from bot.core.record.fact import Body, Fact, OfComponent, OfComponents
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import UpdateWritten
from bot.core.record.room.room_facts import Posted
from bot.core.record.world import World
from bot.delivery.incident_channel import incident_of
from bot.delivery.pages import Pages
from bot.ports import Engine, Ledger, Message
from bot.system.clock import Clock
from bot.views import quiet
from bot.views.incident import alert, card, evidence, fact_messages, texts, updates
from bot.views.scene import Scene


class Wordings:
    """The message for each kind of post."""

    def __init__(self, engine: Engine, ledger: Ledger, clock: Clock, pages: Pages, readers: Callable[[str], int]) -> None:
        self._engine = engine
        self._ledger = ledger
        self._clock = clock
        self._pages = pages
        self._count = readers

    async def alert(self, body: e.PostAlert | e.EditAlert, effect: Effect) -> Message:
        incident = await incident_of(effect, self._engine)
        called = await self._in_alert(body, incident)
        return alert.alert(self._scene(incident, self._clock.now()), called=called)

    async def _in_alert(self, body: e.PostAlert | e.EditAlert, incident: Incident) -> tuple[str, ...]:
        """Whom the alert mentions. A repost after somebody deleted the first mentions nobody again."""
        mention = incident.paging.alert
        if mention is None or not waits_for_people(incident) or (isinstance(body, e.PostAlert) and body.number > 1):
            return ()
        return mention.called if mention.called is not None else (await self._pages.mentioned(mention.names))[0]

    async def evidence(self, body: e.PostEvidence | e.EditEvidence, effect: Effect) -> Message:
        return evidence.evidence(self._scene(await incident_of(effect, self._engine), self._clock.now()))

    async def card(self, body: e.PostCard | e.EditCard, effect: Effect) -> Message:
        incident = await incident_of(effect, self._engine)
        return card.card(self._scene(incident, self._clock.now()), readers=self._readers())

    async def runbook(self, body: e.PostRunbook, effect: Effect) -> Message | None:
        fact = await self._fact(effect)
        incident = await incident_of(effect, self._engine)
        return card.runbook(incident, self._engine.policy, _named_by(fact.body) or tuple(incident.affected))

    async def line(self, body: e.PostLine, effect: Effect) -> Message:
        return fact_messages.fact_line(await self._fact(effect), await self._world(effect), self._engine.policy)

    async def refusal(self, body: e.PostRefusal | e.TellPerson, effect: Effect) -> Message:
        incident = await incident_of(effect, self._engine)
        return texts.refusal(incident, incident.room.refused, self._engine.policy)

    async def quiet(self, body: e.OpenThread, effect: Effect) -> Message:
        return quiet.quiet(await self._fact(effect), await self._world(effect), self._engine.policy)

    async def quiet_reply(self, body: e.ReplyInThread, effect: Effect) -> Message:
        return quiet.quiet_reply(await self._fact(effect), await self._world(effect), self._engine.policy)

    async def summary(self, body: e.PostSummary, effect: Effect) -> Message:
        incident = await incident_of(effect, self._engine)
        return updates.summary(self._scene(incident, self._clock.now()), await self._facts(incident))

    async def update(self, body: e.PostUpdate, effect: Effect) -> Message:
        incident, fact = await incident_of(effect, self._engine), await self._fact(effect)
        if not isinstance(fact.body, UpdateWritten):
            raise ValueError(f"{effect.key} speaks of a {fact.kind}")
        everything = await self._facts(incident)
        unsent = _unsent_before(fact.body.slot, incident.name, everything)
        facts = [x for x in everything if body.since < x.at]  # up to the moment of sending, like the state
        return updates.update(
            self._scene(incident, fact.at), slot=fact.body.slot, text=fact.body.text, missed=fact.body.missed + unsent,
            since_facts=facts, author=fact.actor, overdue=fact.body.overdue,
        )  # fmt: skip

    def _readers(self) -> dict[str, int]:
        return {flag: self._count(flag) for flag in self._engine.policy.flags}

    def _scene(self, incident: Incident, now: datetime) -> Scene:
        return Scene(incident, self._engine.world, self._engine.policy, now)

    async def _world(self, effect: Effect) -> World:
        return await self._engine.world_with([effect.incident or 0])

    async def _fact(self, effect: Effect) -> Fact:
        facts = await self._ledger.read(lambda store: store.facts(effect.stream, effect.seq - 1))
        return facts[0]

    async def _facts(self, incident: Incident) -> list[Fact]:
        return await self._ledger.read(lambda store: store.facts_about(incident.number))


def _named_by(body: Body) -> tuple[str, ...]:
    """The components that a fact concerns."""
    match body:
        case OfComponents(components=components):
            return components
        case OfComponent(component=component):
            return (component,)
    return ()


def _unsent_before(slot: int, name: str, facts: Sequence[Fact]) -> int:
    """The number of updates directly before this one that were recorded but never posted."""
    posted = {e.first_key(fact.body.key) for fact in facts if isinstance(fact.body, Posted)}
    unsent = 0
    while slot - unsent > 1 and f"{name}/update/{slot - unsent - 1}" not in posted:
        unsent += 1
    return unsent
