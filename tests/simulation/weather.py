"""What happens to the bot in a simulated day: vendors failing and recovering, people acting, processes dying; all by seed."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.model import Fault, FeedReport, FeedState, Notice, Outcome, Sample
from bot.system.clock import Clock


@dataclass
class Spell:
    """A period in which a component answers in one way."""

    begins: float
    ends: float
    outcome: Outcome
    fault: Fault = Fault.THEIRS
    rate: float = 1.0


@dataclass
class Weather:
    """The spells of each component, drawn once from the seed."""

    rng: random.Random
    hours: float
    components: tuple[str, ...]
    spells: dict[str, list[Spell]] = field(default_factory=dict)
    cuts: list[Spell] = field(default_factory=list)  # of our own network: nothing gets in or out
    flaps: list[Spell] = field(default_factory=list)  # failing and answering in turns; it ends well

    def __post_init__(self) -> None:
        self._draw_spells()
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            begins = self.rng.uniform(0.05, 0.9) * self.hours * 3600
            lasts = self.rng.choice([20, 90, 600, 2400])
            self.cuts.append(Spell(begins, begins + lasts, Outcome.FAIL, Fault.UNCLEAR))
        self._draw_flap(random.Random(repr(self.cuts)))

    def _draw_flap(self, rng: random.Random) -> None:
        """Every day a component comes and goes for a while: what a restart may make of that is rarely seen."""
        component, at = rng.choice(self.components), rng.uniform(0, self.hours - 1.5) * 3600
        began = at
        for _ in range(rng.choice([2, 2, 3])):
            self.spells[component].append(Spell(at, at + 150, Outcome.FAIL))
            at += 150 + 320  # until five looks, one a minute, were good
        self.flaps.append(Spell(began, at, Outcome.FAIL))

    def _draw_spells(self) -> None:
        for component in self.components:
            self.spells[component] = [self._spell() for _ in range(self.rng.randint(0, 2))]
        # Now and then a whole provider goes at once, and its API comes back first.
        if self.rng.random() < 0.6:
            begins = self.rng.uniform(0.1, 0.4) * self.hours * 3600
            for n, component in enumerate(c for c in self.components if c.startswith("anthropic")):
                ends = begins + self.rng.uniform(0.05, 0.3) * self.hours * 3600 + n * 600
                self.spells[component].append(Spell(begins, ends, Outcome.FAIL))
            # ... and now and then the fallback is already down, or goes down while it is needed.
            if self.rng.random() < 0.7:
                falls = begins + self.rng.uniform(-1800, 900)
                self.spells["openai.api"].append(Spell(falls, falls + 5400, Outcome.FAIL))

    def _spell(self) -> Spell:
        begins = self.rng.uniform(0, self.hours * 3600)
        lasts = self.rng.choice([20, 60, 300, 1800, 7200])
        outcome = self.rng.choice([Outcome.FAIL, Outcome.FAIL, Outcome.SLOW, Outcome.INCONCLUSIVE])
        fault = self.rng.choice([Fault.THEIRS, Fault.THEIRS, Fault.THEIRS, Fault.OURS_KEY])
        return Spell(begins, begins + lasts, outcome, fault, self.rng.choice([1.0, 1.0, 0.5]))

    def at(self, component: str, seconds: float) -> Spell | None:
        return next((s for s in self.spells.get(component, ()) if s.begins <= seconds < s.ends), None)

    def cut(self, seconds: float) -> bool:
        """Whether our own network is down."""
        return any(c.begins <= seconds < c.ends for c in self.cuts)


class ScriptedProber:
    """A `Prober` that returns what the weather says."""

    def __init__(self, weather: Weather, clock: Clock, rng: random.Random) -> None:
        self._weather = weather
        self._clock = clock
        self._rng = rng

    async def probe(self, check: object) -> Sample:
        id, component = str(check.id), str(check.component)  # type: ignore[attr-defined] # the watch's own shape
        at = self._clock.now()
        await asyncio.sleep(self._rng.uniform(0.05, 2.0))
        if self._weather.cut(self._clock.monotonic()):
            return Sample(id, component, at, Outcome.FAIL, "unreachable", Fault.UNCLEAR, "there is no route to the host")
        spell = self._weather.at(component, self._clock.monotonic())
        if spell and self._rng.random() < spell.rate:
            return Sample(id, component, at, spell.outcome, "http_5xx", spell.fault, "HTTP 502 <!channel>", {"total": 31.0})
        if self._rng.random() < 0.004:
            return Sample(id, component, at, Outcome.FAIL, "reset", Fault.THEIRS, "connection reset", {"total": 5.0})
        return Sample(id, component, at, Outcome.OK, phases_ms={"total": 20.0})

    async def close(self) -> None:
        return


class ScriptedPage:
    """A `Fetcher` of a status page that is late, sometimes stale, and hostile in its texts."""

    def __init__(self, weather: Weather, clock: Clock, rng: random.Random, components: Mapping[str, str]) -> None:
        self._weather = weather
        self._clock = clock
        self._rng = rng
        self._components = components

    async def read(self, source: object) -> FeedReport:
        provider = str(source.provider)  # type: ignore[attr-defined]
        now = self._clock.now()
        if self._rng.random() < 0.05 or self._weather.cut(self._clock.monotonic()):
            return FeedReport(provider, now, FeedState.STALE, "the page did not answer")
        seconds = self._clock.monotonic()
        notices = []
        for component, spells in self._weather.spells.items():
            for n, spell in enumerate(spells):
                told, over = spell.begins + 2700, spell.ends + 1200
                if component.startswith(provider) and spell.outcome is Outcome.FAIL and told < seconds < over + 3600:
                    status = "resolved" if seconds > over else "investigating"
                    at = now - timedelta(seconds=seconds - (over if status == "resolved" else told))
                    notices.append(
                        Notice(
                            provider, f"{component}-{n}", f"{component}-{n}-{status}", "Errors <!channel> <https://evil|x>",
                            "We are looking. <!here> & more", status, "major", at, components=(component,),
                        )
                    )  # fmt: skip
        return FeedReport(provider, now, FeedState.FRESH, notices=tuple(notices))

    async def close(self) -> None:
        return
