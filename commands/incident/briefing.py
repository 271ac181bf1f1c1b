"""The briefing for people who join an incident's channel late, visible only to them."""

from datetime import timedelta

from bot.core.record.room.room_facts import ChannelOpened
from bot.ports import Message
from bot.views.incident.briefing import briefing
from bot.views.scene import Scene
from commands.desk import CommandContext

START = timedelta(minutes=1)  # people who join earlier were invited when the channel was created, and see the card being posted


async def for_who_joins(desk: CommandContext, channel: str) -> Message | None:
    """The state of this channel's incident; None if there is no open one, or it was opened just now."""
    incident = next((one for one in desk.engine.world.open_incidents() if channel and one.room.channel == channel), None)
    if incident is None:
        return None
    facts = await desk.ledger.read(lambda store: store.facts(incident.stream, 0))
    opened = [fact.at for fact in facts if isinstance(fact.body, ChannelOpened) and fact.body.channel == channel]
    now = desk.clock.now()
    if any(now - at < START for at in opened[-1:]):
        return None
    return briefing(Scene(incident, desk.engine.world, desk.engine.policy, now))
