"""The law of drills: whatever happens besides, nothing real is another because a drill was started.

Random stories are lived twice, with drills and without. What is real must come out the same: verdicts, flags, providers, real
incidents with their facts, pages, what readers get outside of the scope, and the counters of incidents.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core import signals as s
from bot.core.effects import OfPage
from bot.core.model import Severity
from bot.core.paging import PageStep, PagingPolicy
from bot.core.record.incident import Incident
from bot.flags.evaluate import evaluate, snapshot
from bot.web.metrics import Metrics
from tests.core.test_next_due import flag, mute, reading, sight, verdict
from tests.desk import ANA, RULE, Table, policy

STORIES, TURNS = 48, 25
FLAG = "support-chat.llm"
HAPPENS = (verdict, verdict, verdict, reading, mute, flag, sight)
STEPS = (PageStep(timedelta(0), mention=("primary",)), PageStep(timedelta(minutes=5), dm=("primary",)))


def lived(seed: int, *, drills: bool) -> Table:
    """One story of two hundred minutes; only with `drills` some are started and stopped in between."""
    dice, aside = random.Random(seed), random.Random(-seed)
    base = policy(automation=dice.choice(["off", "propose", "auto"]))
    table = Table(replace(base, paging=PagingPolicy({Severity.SEV2: STEPS}))).all_well()
    for _ in range(TURNS):
        if drills:
            for signal in some_drills(aside, table):
                table.send(signal)
        table.send(dice.choice(HAPPENS)(dice, table.now))
        table.passes(dice.randint(1, 12))
    return table


def some_drills(dice: random.Random, table: Table) -> Iterator[s.Signal]:
    components = dice.choice([("anthropic.api",), ("anthropic.web", "anthropic.api"), ("openai.api",)])
    lasts = timedelta(minutes=dice.randint(1, 40))
    yield s.StartDrill(ANA, components=components, lasts=lasts, flag=dice.choice(["", FLAG]))
    running = [incident for incident in table.world.open_incidents() if incident.drill]
    for incident in running:
        yield dice.choice([
            s.Acknowledge(ANA, incident=incident.number), s.WriteUpdate(ANA, incident=incident.number, text="we practise"),
            s.ReadInDrill(RULE, incident=incident.number, fallback=("chat-1",)),
            s.StopDrill(ANA, incident=incident.number),
        ])  # fmt: skip


def real(table: Table) -> dict[str, Any]:
    """What is real of a world, without the numbers that drills have taken, in between or before."""
    world = table.world
    incidents = [i for _, i in sorted(world.incidents.items()) if i.drill is None]
    numbers = {i.number: n for n, i in enumerate(incidents, 1)}
    pages = [type(e.body) for x in table.steps for e in x.effects if isinstance(e.body, OfPage)]
    return {
        "components": {id: numberless(str(state), numbers) for id, state in sorted(world.components.items())},
        "flags": {key: numberless(str(state), numbers) for key, state in sorted(world.flags.items())},
        "incidents": [story(i, table) for i in incidents],
        "pages": pages,
        "read": evaluate(snapshot(world, table.policy, 0), FLAG, {"targetingKey": "chat-9"}).variant,  # type: ignore[union-attr] # it exists
        "counted": counted(table),
    }


def numberless(text: str, numbers: dict[int, int]) -> str:
    """Any name or number of an incident as if there had been no drill."""
    for before, after in sorted(numbers.items(), reverse=True):
        text = text.replace(f"INC-{before}'", f"INC#{after}'").replace(f"incident={before},", f"incident=#{after},")
        text = text.replace(f"incident={before})", f"incident=#{after})").replace(f"INC-{before}", f"INC#{after}")
    return text


def story(incident: Incident, table: Table) -> tuple[Any, ...]:
    kinds = [fact.kind for fact in table.facts if fact.incident == incident.number]
    shown = (incident.title, incident.severity, incident.phase, incident.began_at, incident.declared_at, incident.ending.at)
    return (*shown, tuple(incident.affected.values()), tuple(kinds))


def counted(table: Table) -> tuple[float | None, ...]:
    """The counters and gauges of incidents that Prometheus reads."""
    metrics = Metrics("1.0")
    for fact in table.facts:
        metrics.observe_fact(fact)
    metrics.set_world(table.world, table.policy)
    names = ("understudy_incidents_declared_total", "understudy_incidents_open")
    return tuple(metrics.registry.get_sample_value(name, {"severity": one}) for name in names for one in Severity)


@pytest.mark.parametrize("seeds", [range(n, n + 12) for n in range(0, STORIES, 12)], ids=lambda seeds: f"from {seeds.start}")
def test_nothing_real_is_another_because_of_a_drill(seeds: range) -> None:
    """Verdicts, flags, incidents, pages, what readers get, and what is counted."""
    for seed in seeds:
        assert real(lived(seed, drills=True)) == real(lived(seed, drills=False)), f"seed {seed}"


def test_the_stories_have_drills_in_them() -> None:
    """Otherwise the law would hold of nothing."""
    stories = [lived(seed, drills=True) for seed in range(10)]
    drills = [i for table in stories for i in table.world.incidents.values() if i.drill]
    assert len(drills) > 20
    assert any(drill.drill and "really" in drill.drill.ended_because for drill in drills)
