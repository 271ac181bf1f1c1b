"""People's work with incidents: declaring in every way, merging, splitting, drills, tasks, timelines; by seed."""

import asyncio
import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.core import signals as s
from bot.core.model import Actor
from bot.core.record.entry_facts import MessageAdded
from bot.core.record.incident import Incident, SourceMessage, message_key
from bot.core.record.incident_facts import NoteAdded
from tests.simulation.stage import Stage, settings

SLACK = Actor.rule("slack")
MINUTES = [timedelta(minutes=n) for n in (2, 5, 12, 25)]


async def work(stage: Stage, rng: random.Random, *, every_s: float) -> None:
    """Do something now and then, for ever; a request to a dead process is lost, as in reality."""
    number = 0
    while True:
        await asyncio.sleep(rng.expovariate(1 / every_s))
        number += 1
        if stage.app is None:
            continue
        signal = await Hands(stage, rng, f"work/{stage.seed}/{number}").deed()
        for _ in range(2 if rng.random() < 0.2 else 1):  # Slack delivers twice, people press twice
            if signal is not None and stage.app is not None:
                asyncio.create_task(stage.app.engine.handle(signal), name="request")  # noqa: RUF006 # it may die with the process


class Hands:
    """One person at one moment, in a world where many incidents have ended."""

    def __init__(self, stage: Stage, rng: random.Random, id: str) -> None:
        assert stage.app is not None
        self._stage, self._rng, self._id = stage, rng, id
        self._world, self._now = stage.app.engine.world, stage.clock.now()
        self._actor = self._person()

    async def deed(self) -> s.Signal | None:
        """What they do; None where there is nothing to do it to."""
        rng, incident = self._rng, self._incident()
        whom, id = self._actor, self._id
        match rng.randrange(20):
            case 0 | 1:
                return self._declare()
            case 2:
                return self._drill()
            case 3 | 4 | 5 if incident:
                into = rng.choice([one.number for one in self._world.open_incidents()] or [1])
                return s.Merge(actor=whom, id=id, incident=incident.number, into=into, reason="one <!channel> outage")
            case 6 | 7:
                merged = [one.number for one in self._world.incidents.values() if one.merged]
                return s.Unmerge(actor=whom, id=id, incident=rng.choice(merged)) if merged else None
            case 8 | 9 | 10 if incident:
                owner, due_at = rng.choice([None, self._person()]), self._soon()
                return s.AddTask(actor=whom, id=id, incident=incident.number, text="Ask <!here>", owner=owner, due_at=due_at)
            case 11 | 12 | 13 if tasks := [(one, n) for one in self._world.incidents.values() for n in one.tasks]:
                return self._task(*rng.choice(tasks))
            case 14 | 15 if incident:
                return self._message(incident)
            case 16 | 17 | 18 if incident:
                return await self._correct(incident)
            case 19 if incident:
                return s.AddNote(actor=whom, id=id, incident=incident.number, text="It <!here> was DNS")
        return None

    def _person(self) -> Actor:
        id = self._rng.choice(self._stage.people)
        return Actor.person(id, f"person {id[-1]}")

    def _incident(self) -> Incident | None:
        """Mostly one that is open."""
        running, every = self._world.open_incidents(), list(self._world.incidents.values())
        return self._rng.choice(running if running and self._rng.random() < 0.7 else every) if every else None

    def _soon(self) -> datetime | None:
        lasts = self._rng.choice([None, *MINUTES])
        return self._now + lasts if lasts else None

    def _declare(self) -> s.Signal:
        """With a component or none, beside another one, backdated, over already, or in a channel that is there."""
        rng, whom, id = self._rng, self._actor, self._id
        title = rng.choice(["Chat is slow <!here>", "Claude hangs", "openai and Claude hang", "Mail", "x" * 400])
        components = (rng.choice(list(settings().config.components())),) if rng.random() < 0.4 else ()
        separate, began_at = rng.random() < 0.5, rng.choice([None, None, self._now - rng.choice(MINUTES)])
        ended_at = rng.choice([None, self._now]) if began_at else None
        channel = ""
        if rng.random() < 0.2:
            channel = self._stage.chat.add_channel(f"talk-{id.rpartition('/')[2]}", member=True)
        return s.Declare(
            actor=whom, id=id, title=title, components=components, separate=separate, began_at=began_at, ended_at=ended_at,
            channel=channel, channel_name="talk" if channel else "",
        )  # fmt: skip

    def _drill(self) -> s.Signal:
        rng, whom, id = self._rng, self._actor, self._id
        drills = [one.number for one in self._world.open_incidents() if one.drill]
        if drills and rng.random() < 0.3:
            return s.StopDrill(actor=whom, id=id, incident=rng.choice(drills))
        components = (rng.choice(list(settings().config.components())),)
        flag = rng.choice(["", *settings().config.flags])
        return s.StartDrill(
            actor=whom, id=id, components=components, lasts=rng.choice(MINUTES[1:]), paging=rng.random() < 0.3, flag=flag
        )

    def _task(self, incident: Incident, number: int) -> s.Signal:
        whom, id, of = self._actor, self._id, incident.number
        task = incident.tasks[number]
        text = f"{task.text} again"
        deeds: Iterable[s.Signal] = (
            s.FinishTask(actor=whom, id=id, incident=of, task=number), s.DropTask(actor=whom, id=id, incident=of, task=number),
            s.ReopenTask(actor=whom, id=id, incident=of, task=number),
            s.GiveTask(actor=whom, id=id, incident=of, task=number, to=self._rng.choice([None, self._person()])),
            s.ChangeTask(actor=whom, id=id, incident=of, task=number, text=text, owner=task.owner, due_at=self._soon()),
        )  # fmt: skip
        return self._rng.choice(list(deeds))

    def _message(self, incident: Incident) -> s.Signal:
        """Added, pinned, unpinned, edited or deleted, in any order and any number of times; there are four messages in all."""
        rng, whom, id, of = self._rng, self._actor, self._id, incident.number
        ts, channel = f"177401{rng.randrange(4)}000.000100", "C0TALK"
        source = SourceMessage(channel, ts, self._person(), "It <!channel> hangs", self._now - timedelta(minutes=9))
        deeds: Iterable[s.Signal] = (
            s.AddMessage(actor=whom, id=id, incident=of, message=source),
            s.AddMessage(actor=whom, id=id, incident=of, message=source, pinned=True),
            s.AddMessage(actor=whom, id=id, incident=of, message=source, pinned=True),
            s.UnpinMessage(actor=whom, id=id, incident=of, message=message_key(channel, ts)),
            s.SourceEdited(
                actor=SLACK, id=id, incident=of, message=message_key(channel, ts), text=f"It hung {self._now:%H:%M}",
                edited_ts=f"{int(self._now.timestamp())}.000100",
            ),
            s.SourceDeleted(actor=SLACK, id=id, incident=of, message=message_key(channel, ts)),
        )  # fmt: skip
        return rng.choice(list(deeds))

    async def _correct(self, incident: Incident) -> s.Signal | None:
        """Text, time or both of an entry; or it is hidden, or brought back."""
        rng, whom, id, of = self._rng, self._actor, self._id, incident.number
        facts = await self._stage.disk.read(lambda store: store.facts_about(of))
        known = [one.seq for one in facts if isinstance(one.body, NoteAdded | MessageAdded)]
        if not known:
            return None
        entry = rng.choice(known)
        if rng.random() < 0.3:
            return s.HideEntry(actor=whom, id=id, incident=of, entry=entry, back=rng.random() < 0.4)
        text = rng.choice([None, f"It was <!channel> DNS at {self._now:%H:%M}"])
        at = self._now - rng.choice(MINUTES) if text is None or rng.random() < 0.5 else None
        return s.CorrectEntry(actor=whom, id=id, incident=of, entry=entry, text=text, happened_at=at)
