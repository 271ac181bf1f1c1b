"""The briefing for whoever joins an incident's channel late: seen by them alone."""

from datetime import timedelta

from bot.core.record.room.room_facts import ChannelOpened
from bot.ports import Message
from bot.views.incident.briefing import briefing
from bot.views.scene import Scene
from commands.desk import CommandContext

START = timedelta(minutes=1)  # who comes within it was invited as the channel was made, and reads the card as it is posted


async def for_who_joins(desk: CommandContext, channel: str) -> Message | None:
    """How the incident of this channel stands; None where it has none that is open, or was opened just now."""
    incident = next((one for one in desk.engine.world.open_incidents() if channel and one.room.channel == channel), None)
    if incident is None:
        return None
    facts = await desk.ledger.read(lambda store: store.facts(incident.stream, 0))
    opened = [fact.at for fact in facts if isinstance(fact.body, ChannelOpened) and fact.body.channel == channel]
    now = desk.clock.now()
    if any(now - at < START for at in opened[-1:]):
        return None
    return briefing(Scene(incident, desk.engine.world, desk.engine.policy, now))
