"""Where each post goes: the ops channel, the incident's own channel, or its alert's thread."""

from bot.core import effects as e
from bot.core.effects import Effect
from bot.core.record.incident import Incident
from bot.core.record.room.room_facts import GivenUp
from bot.delivery.incident_channel import incident_of
from bot.ports import Engine, Ledger, Place, RowState, Wait

OPS = Place("")  # the alerts channel at the moment of sending


class Places:
    """For each kind of post: its place, a wait for one, or None if there is nothing to reply to."""

    def __init__(self, engine: Engine, ledger: Ledger) -> None:
        self._engine = engine
        self._ledger = ledger

    async def in_ops(self, body: e.EffectBody, effect: Effect) -> Place:
        return OPS

    async def where_it_belongs(self, body: e.PostLine, effect: Effect) -> Place | Wait | None:
        if body.to is e.To.THREAD:
            if (await incident_of(effect, self._engine)).room.refused:
                return None  # the incident itself is in the thread
            return await self.in_the_alerts_thread(body, effect)
        return OPS if body.to is e.To.OPS or effect.incident is None else await self.at_home(body, effect)

    async def at_home(self, body: e.EffectBody, effect: Effect) -> Place | Wait:
        """The incident's channel, else its alert's thread; if that was given up too, the ops channel."""
        incident = await incident_of(effect, self._engine)
        if incident.room.channel:
            return Place(incident.room.channel)
        return await self.under_the_alert(body, effect)

    async def under_the_alert(self, body: e.EffectBody, effect: Effect) -> Place | Wait:
        """The alert's thread; if that was given up, the ops channel."""
        incident = await incident_of(effect, self._engine)
        if incident.room.alert.ts:
            return Place(incident.room.alert.channel, incident.room.alert.ts)
        if await self._alert_is_lost(incident) or await self._began_without_chat(incident):
            return OPS
        return Wait(f"the alert of {incident.name} is not posted yet")

    async def in_the_alerts_thread(self, body: e.EffectBody, effect: Effect) -> Place | Wait | None:
        """The alert's thread; None if there is no alert any more, for posts that make no sense alone."""
        place = await self.under_the_alert(body, effect)
        return None if place == OPS else place

    async def under_its_root(self, body: e.ReplyInThread, effect: Effect) -> Place | Wait | None:
        row = await self._ledger.read(lambda store: store.outbox_row(body.root))
        if row is None or row.state in (RowState.DEAD, RowState.SUPERSEDED):
            return None
        if row.state is not RowState.DONE:
            return Wait(f"{body.root} is not posted yet", until=row.not_before)
        return Place(row.result["channel"], row.result["ts"])

    async def _alert_is_lost(self, incident: Incident) -> bool:
        facts = await self._ledger.read(lambda store: store.facts_about(incident.number))
        given_up = {fact.body.what for fact in facts if isinstance(fact.body, GivenUp)}
        return e.PostAlert.KIND in given_up or incident.room.alert.gone > 1

    async def _began_without_chat(self, incident: Incident) -> bool:
        """Whether its alert was settled while Slack was not configured, so that there will never be one."""
        about = e.About(f"incident/{incident.number}", 1, incident.number)
        row = await self._ledger.read(lambda store: store.outbox_row(e.PostAlert().key(about)))
        return row is not None and row.state is RowState.DONE
