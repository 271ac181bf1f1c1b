"""Tells the life of an incident, two hundred times, in a Slack that misbehaves, and holds what is left against the laws.

    python -m tests.trust.chaos [--lives 200] [--seed N]

The bot runs over the real websocket and HTTP of the strict workspace, in virtual time. Its calls meet 429, 500, connections
that drop before or after the effect, effects that land late and answers that never come; its sockets fall silent, break, and
deliver twice; now and then Slack is away for a while. Meanwhile a provider fails and recovers, and people do what people do.
In the end Slack is well again. Ends with 1 where a law of `laws.py`, or one of those below, was broken.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bot.core.model import Phase
from bot.core.record.fact import Fact
from bot.ports import OutboxRow
from bot.sandbox.slack import Person
from bot.sandbox.slack.errors import NotThere, SlackbotSays
from tests.dialogs.talk import Talk
from tests.house import FLAG, LOOSE, House, a_house
from tests.trust.laws import Witness, broken
from tests.trust.storms import look, say

LIVES = 200
CALLS = (
    "*", "*", "chat.postMessage", "chat.update", "conversations.create", "conversations.invite", "conversations.setTopic",
    "conversations.history", "pins.add", "bookmarks.add", "files.completeUploadExternal", "upload", "response_url",
    "users.info",
)  # fmt: skip
SPOILS = (
    "429", "429", "500_before", "500_after", "drop_before", "drop_after", "late", "hang_after", "error:internal_error",
)  # fmt: skip
ANSWER_WITHIN_S = 1.0  # nobody waits longer in a storm; what comes later counts as not answered
SETTLES_IN = 120  # half minutes of story time


class Life:
    """One seed: what goes wrong, who does what, and when."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self.house = house
        self.dice = dice
        self.talk = Talk(house)
        self.seen = Witness(FLAG, "claude")
        self._words = 0

    async def lived(self) -> None:
        """From the first failure to well, with storms all the way; then Slack is well and everything is ended."""
        self.house.vendor.answers |= dict.fromkeys(
            self.dice.sample(["anthropic.api", "anthropic.web"], self.dice.choice((1, 2))), 502
        )
        for _ in range(self.dice.randint(5, 9)):
            await self._spoil()
            await self.dice.choice(self._doings())()
            await self.house.passes(minutes=self.dice.choice((0.5, 0.5, 1, 2, 5, 31)))
        self.house.vendor.answers.clear()
        await self._spoil()
        await self.house.passes(minutes=3)
        await self._calm()
        for _ in range(8):
            for incident in self.house.app.engine.world.open_incidents() if self.house.app else ():
                said = await self._types(f"/incident resolve INC-{incident.number} force it is over")
                if "Try again" in said:
                    await asyncio.sleep(2.5)  # whom Slack did not name is asked for again after ten real seconds
            await self._settle()

    async def _spoil(self) -> None:
        """Up to three calls go wrong, and sometimes the sockets or all of Slack."""
        faults, dice = self.house.workspace.faults, self.dice
        for _ in range(dice.choice((0, 1, 2, 3))):
            faults.add(dice.choice(CALLS), dice.choice(SPOILS), times=dice.choice((1, 1, 2, 4)), delay=dice.uniform(0.01, 0.3))
        match dice.choice(("", "", "", "twice", "drop", "silent", "refresh", "away", "share")):
            case "twice":
                faults.deliver_twice(3)
            case "drop":
                await faults.drop_sockets()
            case "silent":
                faults.silent()
            case "refresh":
                await faults.refresh()
            case "away":
                await faults.offline()
            case "share":
                faults.lose_shares(1)

    async def _calm(self) -> None:
        """Slack is well again."""
        self.house.workspace.faults.clear()
        await self.house.workspace.faults.online()
        await self.house.workspace.connected(within=20)

    def _doings(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        return (self._note, self._note, self._update, self._acknowledge, self._task, self._severity, self._recover, self._wait)

    async def _note(self) -> None:
        words = self._new_words()
        if "Noted in the timeline" in await self._types(f"/incident note INC-1 {words}"):
            self.seen.answered.append(words)

    async def _update(self) -> None:
        words = self._new_words()
        if "is written" in await self._types(f"/incident update INC-1 {words}"):
            self.seen.answered.append(words)

    async def _acknowledge(self) -> None:
        await self._types("/incident ack INC-1")

    async def _task(self) -> None:
        await self._types(f"/incident task INC-1 {self._new_words()} @bob in 30m")

    async def _severity(self) -> None:
        await self._types(f"/incident severity INC-1 SEV{self.dice.randint(1, 3)} because")

    async def _recover(self) -> None:
        self.house.vendor.answers.clear()

    async def _wait(self) -> None:
        await asyncio.sleep(0.05)

    async def _types(self, line: str) -> str:
        """What the person is answered in time; empty where nothing came."""
        person: Person = self.dice.choice((self.house.ana, self.house.bob))
        before = len(self.talk.whispers(person))
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await person.types(line)
                while not (heard := self.talk.whispers(person)[before:]):
                    await asyncio.sleep(0.01)
        except (SlackbotSays, NotThere, TimeoutError):
            return ""
        return "\n".join(self.talk.shows(message) for message in heard)

    async def _settle(self) -> None:
        """Let story time pass until nothing waits any more, or for too long."""
        for _ in range(SETTLES_IN):
            await self.house.passes(seconds=30)
            await asyncio.sleep(0.03)
            if not await self.rows("pending", "sending", "ambiguous"):
                return

    async def rows(self, *states: str) -> Sequence[OutboxRow]:
        """Outbox rows, all of them or those in these states."""
        assert self.house.app is not None
        return await self.house.app.ledger.read(lambda store: store.outbox(*states))

    def _new_words(self) -> str:
        self._words += 1
        return f"word {self._words}"


def newest_stands(life: Life) -> Iterator[str]:
    """Alert and card of what is over say so: the newest state won, in whatever order edits went through."""
    assert life.house.app is not None
    every = {(m.channel, m.ts): life.talk.shows(m) for c in life.house.workspace.team.channels.values() for m in c.messages}
    for incident in life.house.app.engine.world.incidents.values():
        if incident.phase is not Phase.RESOLVED:
            yield f"{incident.name} is {incident.phase} at the end"
        for what, at in (("alert", incident.room.alert), ("card", incident.room.card)):
            words = every.get((at.channel, at.ts), "nowhere")
            if at.ts and "resolved" not in words.lower():
                yield f"the {what} reads {words[:80]!r}"


def nothing_twice(life: Life) -> Iterator[str]:
    """Nobody reads the same line twice in a channel, the key of its effect aside."""
    for channel in life.house.workspace.channels():
        mine = [m for m in life.talk.said(channel.name) if not m.is_reply] if channel.name else []
        said = Counter(life.talk.shows(message) for message in mine)
        yield from (f"#{channel.name} reads twice: {words[:80]!r}" for words, times in said.items() if times > 1 and words)


async def run(seed: int, folder: Path) -> dict[str, list[str]]:
    """Live one life and judge it: by law, every sentence that tells how it was broken."""
    dice = random.Random(seed)
    async with a_house(folder, of=replace(LOOSE, ack_within_s=ANSWER_WITHIN_S)) as house:
        life = Life(house, dice)
        house.vendor.on_answer = lambda component, status: (
            status >= 500 and life.seen.failures.append((house.clock.now(), component.partition(".")[0]))
        )
        await life.lived()
        facts: Sequence[Fact] = await life.talk.facts()
        look(house.workspace, life.seen)
        return broken(life.seen, facts, await life.rows()) | {
            "in the end alert and card say that it is over": list(newest_stands(life)),
            "nobody reads the same twice": list(nothing_twice(life)),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit status."""
    asked = argparse.ArgumentParser(prog="python -m tests.trust.chaos", description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--lives", type=int, default=LIVES)
    asked.add_argument("--seed", type=int, default=0, help="of the first life; the next has the next number")
    options = asked.parse_args(arguments)
    bad = 0
    for seed in range(options.seed, options.seed + options.lives):
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(run(seed, Path(folder)))
        sentences = [f"{law}: {sentence}" for law, told in found.items() for sentence in told[:5]]
        bad += bool(sentences)
        say(f"life {seed}: {'holds' if not sentences else 'BROKEN'}")
        for sentence in sentences:
            say(f"        {sentence}")
    say(f"{options.lives} lives, {bad} of them broke a law")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
