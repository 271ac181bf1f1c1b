"""People who act at random: sometimes sensibly, sometimes twice, sometimes against every rule."""

import asyncio
import random
from datetime import timedelta

from bot.core import signals as s
from bot.core.decide.phases import CANCEL_REASONS, LEGAL
from bot.core.model import Actor, Phase, Severity
from tests.simulation.stage import Stage, settings

MONITOR = Actor.operator("grafana")


async def act(stage: Stage, rng: random.Random, *, every_s: float) -> None:
    """Do something now and then, for ever; a request to a dead process is lost, as in reality."""
    number = 0
    while True:
        await asyncio.sleep(rng.expovariate(1 / every_s))
        number += 1
        signal = _wish(stage, rng, f"wish/{stage.seed}/{number}")
        for _ in range(2 if rng.random() < 0.2 else 1):  # Slack delivers twice, people click twice
            if stage.app is not None and signal is not None:
                asyncio.create_task(stage.app.engine.handle(signal), name="request")  # noqa: RUF006 # it may die with the process


def _wish(stage: Stage, rng: random.Random, id: str) -> s.Signal | None:
    if stage.app is None:
        return None
    world, actor = stage.app.engine.world, Actor.person(rng.choice(stage.people), "somebody")
    flag = rng.choice(list(settings().config.flags))
    if random.Random(f"{id} apart").random() < 0.3:  # a number of its own, so that the rest of a day is what it was
        flag = f"{flag}@env=eu"
    incident = rng.choice(list(world.incidents)) if world.incidents else 0
    component = rng.choice(list(settings().config.components()))
    match rng.randrange(14):  # from 10 on it is the phase, so that fifty days walk every edge
        case 0:
            return s.Declare(actor=actor, id=id, title=rng.choice(["Chat is slow", "🔥", "x" * 500, "<!channel> help"]))
        case 1:
            return s.Acknowledge(actor=actor, id=id, incident=incident)
        case 2:
            return s.WriteUpdate(actor=actor, id=id, incident=incident, text="We see <!channel> errors & wait")
        case 3:
            return s.SetSeverity(actor=actor, id=id, incident=incident, severity=rng.choice(list(Severity)))
        case 4:
            return s.EngageFlag(actor=actor, id=id, flag=flag, reason="by hand")
        case 5:
            return s.ReleaseFlag(actor=actor, id=id, flag=flag, force=rng.random() < 0.3)
        case 6:
            return s.StepBack(actor=actor, id=id, flag=flag)
        case 7:
            return s.AddNote(actor=actor, id=id, incident=incident, text="Vendor support says: <!here> wait")
        case 8:
            lasts = timedelta(minutes=rng.choice([5, 30, 90]))
            return s.Mute(actor=actor, id=id, component=component, lasts=lasts, reason="we <!channel> move")
        case 9:
            return _word(rng, actor, id, component)
    return _move(rng, world.incidents[incident].phase, actor, id, incident) if incident else None


def _word(rng: random.Random, actor: Actor, id: str, component: str) -> s.Signal:
    """Somebody says something about a component."""
    state = rng.choice(["firing", "resolved"])
    return rng.choice([
        s.Unmute(actor=actor, id=id, component=component),
        s.Reported(actor=actor, id=id, component=component, text="It <!here> hangs"),
        s.Alerted(actor=MONITOR, id=id, source="grafana", key="k", component=component, state=state, title="<!channel>"),
    ])  # fmt: skip


def _move(rng: random.Random, here: Phase, actor: Actor, id: str, incident: int) -> s.Signal:
    ways = [there for h, there in LEGAL if h is here]
    to = rng.choice(ways) if ways and rng.random() < 0.8 else rng.choice(list(Phase))
    reason = rng.choice(CANCEL_REASONS) if to is Phase.CANCELED else "because"
    force = to is Phase.RESOLVED and rng.random() < 0.7
    return s.SetPhase(
        actor=actor, id=id, incident=incident, phase=to, reason=reason, force=force, duplicate_of=1 + incident % 2
    )
