"""Somebody tidies up in Slack what incidents need, and somebody has it repaired, often both at once."""

import asyncio
import random

from bot.core import signals as s
from bot.core.model import Actor
from bot.core.record.incident import Incident
from bot.sandbox.chat_state import FakeChannel
from tests.simulation.stage import Stage


async def tidy(stage: Stage, rng: random.Random, *, every_s: float) -> None:
    """Take something away now and then, and ask for a repair, for ever; people press twice."""
    number = 0
    while True:
        await asyncio.sleep(rng.expovariate(1 / every_s))
        number += 1
        if stage.app is None or not (incidents := stage.app.engine.world.open_incidents()):
            continue
        incident = rng.choice(list(incidents))
        if rng.random() < 0.7:
            _take_away(stage, rng, incident)
        for press in range(rng.choice([1, 1, 2, 3])):
            await asyncio.sleep(rng.choice([0.0, 0.5, 20.0]))
            ask(stage, rng, incident, f"repair/{stage.seed}/{number}/{press}")


def ask(stage: Stage, rng: random.Random, incident: Incident, id: str) -> None:
    """Press *Repair*, as one of the people."""
    if stage.app is not None:
        signal = s.Repair(actor=Actor.person(rng.choice(stage.people), "somebody"), id=id, incident=incident.number)
        asyncio.create_task(stage.app.desk().engine.handle(signal), name="request")  # noqa: RUF006 # it may die with the process


def _take_away(stage: Stage, rng: random.Random, incident: Incident) -> None:
    room, channel = incident.room, stage.chat.channels.get(incident.room.channel)
    match rng.randrange(5):
        case 0:
            _delete(stage, room.card.channel, room.card.ts)
        case 1:
            _delete(stage, room.evidence.channel, room.evidence.ts)
        case 2 if channel:
            channel.pins.clear()
        case 3 if channel:
            channel.topic, channel.topic_by = "lunch", "U0SOMEBODY"
        case 4 if channel:
            channel.members &= {stage.chat.me}


def _delete(stage: Stage, id: str, ts: str) -> None:
    place: FakeChannel | None = stage.chat.channels.get(id)
    for message in [message for message in place.messages if message.ts == ts] if place else []:
        place.messages.remove(message)  # type: ignore[union-attr] # there are none where it is None
        stage.tidied.append(message.key)


async def missing(stage: Stage) -> list[str]:
    """What is not there of the incidents that are open."""
    assert stage.app is not None
    survey = stage.app.survey
    assert survey is not None
    found = [(incident, await survey.look(incident.number)) for incident in stage.app.engine.world.open_incidents()]
    return [f"{incident.name} lacks {', '.join(one.missing)}" for incident, one in found if one and one.missing]
