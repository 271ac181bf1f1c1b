"""Reminders of tasks, as direct messages."""

from bot.core.decide.incident.moving_tasks import where
from bot.core.effects import RemindOwner
from bot.delivery.incident_channel import incident_of
from bot.ports import Chat, Engine, OutboxRow, Performed, Performer, Performers
from bot.system.clock import Clock
from bot.views.incident.tasks import reminder


class TaskReminders:
    """Tells the owner of a task that it is due."""

    def __init__(self, chat: Chat, engine: Engine, clock: Clock) -> None:
        self._chat = chat
        self._engine = engine
        self._clock = clock

    def performers(self) -> Performers:
        """The performers for these effects."""
        return {RemindOwner: Performer(self._remind)}

    async def _remind(self, body: RemindOwner, row: OutboxRow) -> Performed:
        incident = await incident_of(row.effect, self._engine)
        at = where(self._engine.world, incident.number, body.task)  # it may have moved to another incident
        incident = self._engine.world.incidents.get(at.incident, incident)
        task = incident.tasks.get(at.task)
        if task is None or not task.open or task.owner is None or task.owner.id != body.user:
            return Performed()  # it was done or reassigned while Slack was away
        said = await self._chat.tell(body.user, reminder(incident, task, self._clock.now()), row.effect.key)
        return Performed(said.channel, said.ts)
