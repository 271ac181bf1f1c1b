"""Plays two hundred incidents in a Slack that misbehaves, and checks each result against the laws.

    python -m tests.trust.chaos [--lives 200] [--seed N]

The bot runs over the real websocket and HTTP of the strict workspace, in virtual time. Its calls meet 429, 500, connections
that drop before or after the effect, effects that arrive late and answers that never come; its sockets fall silent, break, and
deliver twice; sometimes Slack is unreachable for a while. Meanwhile a provider fails and recovers, and people use commands.
In the end Slack works again. Exits with 1 if a law of `laws.py`, or one of those below, was broken.
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
from tests.trust.laws import Witness, breaches
from tests.trust.storms import record_slack, say

LIVES = 200
CALLS = (
    "*", "*", "chat.postMessage", "chat.update", "conversations.create", "conversations.invite", "conversations.setTopic",
    "conversations.history", "pins.add", "bookmarks.add", "files.completeUploadExternal", "upload", "response_url",
    "users.info",
)  # fmt: skip
FAULTS = (
    "429", "429", "500_before", "500_after", "drop_before", "drop_after", "late", "hang_after", "error:internal_error",
)  # fmt: skip
ANSWER_WITHIN_S = 1.0  # a later answer counts as none
SETTLES_WITHIN = 120  # half minutes of virtual time


class Life:
    """One incident, played from one seed: what goes wrong, who does what, and when."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self.house = house
        self.dice = dice
        self.talk = Talk(house)
        self.seen = Witness(FLAG, "claude")
        self._texts = 0

    async def play(self) -> None:
        """Play from the first failure to recovery, with faults throughout; then Slack works and every incident is resolved."""
        self.house.vendor.answers |= dict.fromkeys(
            self.dice.sample(["anthropic.api", "anthropic.web"], self.dice.choice((1, 2))), 502
        )
        for _ in range(self.dice.randint(5, 9)):
            await self._disturb()
            await self.dice.choice(self._actions())()
            await self.house.passes(minutes=self.dice.choice((0.5, 0.5, 1, 2, 5, 31)))
        self.house.vendor.answers.clear()
        await self._disturb()
        await self.house.passes(minutes=3)
        await self._repair()
        for _ in range(8):
            for incident in self.house.app.engine.world.open_incidents() if self.house.app else ():
                answer = await self._types(f"/incident resolve INC-{incident.number} force it is over")
                if "Try again" in answer:
                    await asyncio.sleep(2.5)  # Slack is asked again for unknown names after ten real seconds
            await self._settle()

    async def _disturb(self) -> None:
        """Make up to three calls fail, and sometimes the sockets or all of Slack."""
        faults, dice = self.house.workspace.faults, self.dice
        for _ in range(dice.choice((0, 1, 2, 3))):
            faults.add(dice.choice(CALLS), dice.choice(FAULTS), times=dice.choice((1, 1, 2, 4)), delay=dice.uniform(0.01, 0.3))
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

    async def _repair(self) -> None:
        """Slack works again."""
        self.house.workspace.faults.clear()
        await self.house.workspace.faults.online()
        await self.house.workspace.connected(within=20)

    def _actions(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        return (self._note, self._note, self._update, self._acknowledge, self._task, self._severity, self._recover, self._wait)

    async def _note(self) -> None:
        text = self._new_text()
        if "Noted in the timeline" in await self._types(f"/incident note INC-1 {text}"):
            self.seen.acknowledged.append(text)

    async def _update(self) -> None:
        text = self._new_text()
        if "is written" in await self._types(f"/incident update INC-1 {text}"):
            self.seen.acknowledged.append(text)

    async def _acknowledge(self) -> None:
        await self._types("/incident ack INC-1")

    async def _task(self) -> None:
        await self._types(f"/incident task INC-1 {self._new_text()} @bob in 30m")

    async def _severity(self) -> None:
        await self._types(f"/incident severity INC-1 SEV{self.dice.randint(1, 3)} because")

    async def _recover(self) -> None:
        self.house.vendor.answers.clear()

    async def _wait(self) -> None:
        await asyncio.sleep(0.05)

    async def _types(self, line: str) -> str:
        """Type a command; returns the answer, empty if none came in time."""
        person: Person = self.dice.choice((self.house.ana, self.house.bob))
        before = len(self.talk.whispers(person))
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await person.types(line)
                while not (answers := self.talk.whispers(person)[before:]):
                    await asyncio.sleep(0.01)
        except (SlackbotSays, NotThere, TimeoutError):
            return ""
        return "\n".join(self.talk.shows(message) for message in answers)

    async def _settle(self) -> None:
        """Let virtual time pass until nothing waits any more, or `SETTLES_WITHIN` is over."""
        for _ in range(SETTLES_WITHIN):
            await self.house.passes(seconds=30)
            await asyncio.sleep(0.03)
            if not await self.rows("pending", "sending", "ambiguous"):
                return

    async def rows(self, *states: str) -> Sequence[OutboxRow]:
        """Outbox rows in these states; all if none is given."""
        assert self.house.app is not None
        return await self.house.app.ledger.read(lambda store: store.outbox(*states))

    def _new_text(self) -> str:
        self._texts += 1
        return f"text {self._texts}"


def shows_newest(life: Life) -> Iterator[str]:
    """Alert and card of each resolved incident say so: the newest state won, in whatever order the edits arrived."""
    assert life.house.app is not None
    messages = {(m.channel, m.ts): life.talk.shows(m) for c in life.house.workspace.team.channels.values() for m in c.messages}
    for incident in life.house.app.engine.world.incidents.values():
        if incident.phase is not Phase.RESOLVED:
            yield f"{incident.name} is {incident.phase} at the end"
        for what, at in (("alert", incident.room.alert), ("card", incident.room.card)):
            text = messages.get((at.channel, at.ts), "nowhere")
            if at.ts and "resolved" not in text.lower():
                yield f"the {what} reads {text[:80]!r}"


def nothing_twice(life: Life) -> Iterator[str]:
    """No channel shows the same text twice, not even under two effect keys."""
    for channel in life.house.workspace.channels():
        posts = [m for m in life.talk.said(channel.name) if not m.is_reply] if channel.name else []
        texts = Counter(life.talk.shows(message) for message in posts)
        yield from (f"#{channel.name} shows twice: {text[:80]!r}" for text, times in texts.items() if times > 1 and text)


async def run(seed: int, folder: Path) -> dict[str, list[str]]:
    """Play one incident; returns every law with its breaches."""
    dice = random.Random(seed)
    async with a_house(folder, of=replace(LOOSE, ack_within_s=ANSWER_WITHIN_S)) as house:
        life = Life(house, dice)
        house.vendor.on_answer = lambda component, status: (
            status >= 500 and life.seen.failures.append((house.clock.now(), component.partition(".")[0]))
        )
        await life.play()
        facts: Sequence[Fact] = await life.talk.facts()
        record_slack(house.workspace, life.seen)
        return breaches(life.seen, facts, await life.rows()) | {
            "in the end alert and card say that it is resolved": list(shows_newest(life)),
            "no channel shows the same text twice": list(nothing_twice(life)),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    asked = argparse.ArgumentParser(prog="python -m tests.trust.chaos", description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--lives", type=int, default=LIVES)
    asked.add_argument("--seed", type=int, default=0, help="of the first incident; the next one has the next number")
    options = asked.parse_args(arguments)
    bad = 0
    for seed in range(options.seed, options.seed + options.lives):
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(run(seed, Path(folder)))
        sentences = [f"{law}: {sentence}" for law, all_sentences in found.items() for sentence in all_sentences[:5]]
        bad += bool(sentences)
        say(f"life {seed}: {'holds' if not sentences else 'BROKEN'}")
        for sentence in sentences:
            say(f"        {sentence}")
    say(f"{options.lives} lives, {bad} of them broke a law")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
