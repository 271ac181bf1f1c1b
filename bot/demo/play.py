"""Plays a scenario: local workspace, scripted vendors, the bot, a downstream service and a scripted person, in one go."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App, build
from bot.checks.net.address_guard import Guard
from bot.checks.net.transport import Transport
from bot.config.load import load
from bot.core.lazy_dataclass import dataclass
from bot.core.outcomes.counts import MINUTE
from bot.core.record.fact import Fact
from bot.core.record.world import World
from bot.demo.cast import Ana
from bot.demo.proof import Claim, Seen, prove
from bot.demo.settings import ALIVE_ID, ALIVE_TOKEN, FLAG, OUTCOME_TOKEN, YOU, write_settings
from bot.demo.telling import ending, lines
from bot.engine.outbox import OutboxTiming
from bot.exports import FORMATS, render
from bot.feeds.fetch import FeedReader
from bot.ports import UNFINISHED
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.sandbox.vendor import Scenario, Vendors
from bot.system.clock import ScaledClock
from bot.views.names import plain_names
from bot.wiring.parts import Parts
from commands.table import words

START = datetime(2026, 3, 20, 2, 50, tzinfo=UTC)  # the outage begins ten minutes later, at three in the morning
CUSTOMER_EVERY_S = 0.05
OUTAGE = "anthropic"  # who fails in every scenario that is played here
ALIVE_EVERY = timedelta(minutes=5)  # of the story
GATEWAY_PAUSE = timedelta(minutes=1)  # likewise: how long a tuned gateway leaves a provider alone that failed
MOST_SIGNS = 10_000
LAST_WORDS_S = 30.0  # real seconds for what is still on its way to the workspace when the story is over
# The demo's page reader gets more domain time: at this speed the usual ten seconds would be 50 ms.
FEED_DEADLINE = timedelta(minutes=3)
WELCOME = "At 03:00 UTC Claude fails. Ana is on call and does what a person must; press what you like, and type `/health`."
PAGE_WITHIN_S = 10.0  # the story begins when somebody has the page open, or without them

Say = Callable[[str], None]


@dataclass(frozen=True)
class Played:
    """How the demo went."""

    claims: tuple[Claim, ...]

    @property
    def good(self) -> bool:
        """Whether every claim held."""
        return all(claim.holds for claim in self.claims)


class Demo:
    """One run. `play` returns when the story is over, or goes on until it is cancelled when nobody asked it to end.

    `played` is how it went, once the story is over.
    """

    def __init__(self, scenario: Scenario, speed: float, out: Path, automation: str, say: Say, listen: str) -> None:
        self._scenario = scenario
        self._out = out
        self._automation = automation
        self._say = say
        self._listen = listen
        self.played: Played | None = None
        self._clock = ScaledClock(speed, START, stands=True)
        self._workspace = LocalWorkspace(clock=self._clock, commands=[CommandSpec(*word) for word in words()])
        self._vendors = Vendors(scenario, self._clock)
        self._log = out / "customers.jsonl"
        self._gateway_log = out / "customers-by-gateway.jsonl"
        self._began_at = START  # minute 0 of the script
        self._names: Mapping[str, str] = {}

    async def play(self, *, exit_when_done: bool) -> Played:
        """Set the stage, raise the curtain, and prove at the end what was shown."""
        self._out.mkdir(parents=True, exist_ok=True)
        await self._workspace.start()
        people = self._people()
        self._say(f"Slack, for this story: {self._workspace.page_url}#ops")
        app: App | None = None
        customers: asyncio.subprocess.Process | None = None
        try:
            if not exit_when_done:
                await self._somebody_watches()
            self._clock.begin()
            await self._vendors.start()
            self._began_at = self._clock.now()
            app = await self._start_bot(people)
            customers = await self._start_customers(app)
            self._say(f"The board:             {app.url}\n")
            await self._until_over(app)
            self.played = await self._epilogue(app, stays=not exit_when_done)
            if not exit_when_done:
                await asyncio.Event().wait()
            return self.played
        finally:
            await people.stop()
            if customers is not None:
                await self._stop_customers(customers)
            if app is not None:
                await app.stop()
            await self._vendors.stop()
            await self._workspace.stop()

    # --- the stage

    async def _somebody_watches(self) -> None:
        self._say(f"Open it: the story begins then, or in {PAGE_WITHIN_S:.0f} seconds. You are Sam; Ana is on call.")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._workspace.page_opened(), PAGE_WITHIN_S)

    def _people(self) -> Ana:
        self._workspace.add_user(YOU, "Sam Reed")
        ana = self._workspace.add_user("ana", "Ana Silva")
        self._workspace.add_channel("ops", members=(YOU, "ana"), purpose=WELCOME)
        person = Ana(ana, self._say)
        person.start()
        return person

    async def _start_bot(self, people: Ana) -> App:
        path = self._out / "understudy.yaml"
        write_settings(path, self._workspace, self._vendors, self._listen, self._automation)
        loaded = load(path, {})
        parts = Parts(
            clock=self._clock,
            fetcher=FeedReader(self._clock, Transport(guard=Guard(["127.0.0.0/8"])), version="demo", deadline=FEED_DEADLINE),
            pace=OutboxTiming(settle_for=timedelta(seconds=3)),
        )
        app = build(loaded, data=self._out / "data", parts=parts)
        await app.start()
        self._names = plain_names(app.engine.policy)
        app.engine.listen(self._tell)
        app.engine.listen(people.hears)
        return app

    async def _start_customers(self, app: App) -> asyncio.subprocess.Process:
        vendors = {name: self._vendors.url(name, "api") for name in ("anthropic", "openai")}
        self._log.unlink(missing_ok=True)
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.demo.downstream", app.url, str(self._log), str(self._gateway_log), json.dumps(vendors),
            str(CUSTOMER_EVERY_S), str(ALIVE_EVERY.total_seconds() / self._clock.speed),
            str(GATEWAY_PAUSE.total_seconds() / self._clock.speed), ALIVE_TOKEN, OUTCOME_TOKEN, stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the demo, which ends it by closing its standard input
        )  # fmt: skip

    async def _stop_customers(self, customers: asyncio.subprocess.Process) -> None:
        if customers.returncode is None and customers.stdin is not None:
            customers.stdin.close()
            await customers.wait()

    # --- the story

    def _tell(self, facts: Sequence[Fact], world: World) -> None:
        for line in lines(facts, self._names):
            self._say(line)

    async def _until_over(self, app: App) -> None:
        """Until the incident is resolved and the flag is back, or the script is at its end."""
        end = START + timedelta(minutes=self._scenario.minutes)
        while self._clock.now() < end:
            await asyncio.sleep(0.5)
            world = app.engine.world
            told = bool(world.incidents) and not world.open_incidents()
            flag = world.flag(FLAG)
            if told and flag.engagement is None and flag.engagements > 0:
                break
        await self._until_quiet(app)

    async def _until_quiet(self, app: App) -> None:
        """Wait for the last messages and the upload: at this speed of life, Slack's pace leaves some of them behind."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LAST_WORDS_S
        await asyncio.sleep(1.0)  # the last click is still being answered
        while loop.time() < until:
            over = [one for one in app.engine.world.incidents.values() if one.ending.at and one.provider == OUTAGE]
            counted = all(one.served and one.served.until == one.ending.at for one in over)
            if counted and not await app.ledger.read(lambda store: store.outbox(*UNFINISHED)):
                return
            await asyncio.sleep(0.2)

    async def _epilogue(self, app: App, *, stays: bool) -> Played:
        facts = await app.ledger.read(lambda store: store.all_facts())
        world, exports = app.engine.world, []
        for number, incident in sorted(world.incidents.items()):
            mine = await app.ledger.read(lambda store, number=number: store.facts_about(number))  # type: ignore[misc] # bound early
            for format in FORMATS:
                name, content = render(format, incident, mine, app.engine.policy)
                (self._out / name).write_bytes(content)
                exports.append(self._out / name)
        signs = await app.samples.recent(ALIVE_ID, MOST_SIGNS)
        await app.write_outcomes()
        told = await app.samples.outcomes.totals(self._began_at, self._clock.now() + MINUTE)
        seen = Seen(
            world, facts, self._workspace, self._log, self._gateway_log, exports, signs, told, self._outage_before,
            self._clock.speed, app.engine.policy,
        )  # fmt: skip
        played = Played(tuple(prove(seen)))
        for line in ending(played.claims, exports, stays):
            self._say(line)
        return played

    def _outage_before(self, provider: str, at: datetime) -> datetime | None:
        """When the script began, before that moment, to let this provider fail as it then did."""
        minutes = [event.at for event in self._scenario.answer_events if event.provider == provider]
        begun = [self._began_at + timedelta(minutes=minute) for minute in minutes]
        return max((moment for moment in begun if moment <= at), default=None)
