"""What all commands and buttons use: the engine, the ledger, samples, and how to answer."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from bot.core.decide.permissions import Denied, denied_to
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Verdict
from bot.core.signals.base import Roles, Signal
from bot.engine.latencies import latencies_lately
from bot.flags.board import FlagBoard
from bot.ports import Engine, LatencyPicture, Ledger, Message, Samples
from bot.ports.payloads import Command, Form, Press, Question, Reaction, Shortcut, Who
from bot.system.clock import Clock
from bot.system.denials import Denials
from bot.system.version import understudy_version
from bot.views.about import About
from bot.views.text import inert
from commands.parsing.parse import Mention, mentions, typed

Respond = Callable[..., Awaitable[Any]]


async def _version_only() -> About:
    return About(understudy_version())


async def _at_once(flag: str) -> bool:
    return True


async def _no_home(user: str, hash: str) -> None:
    """Without Slack, nobody opens a Home tab."""


@dataclass(frozen=True)
class CommandContext:
    """The ports that commands use; created once by the composition root."""

    engine: Engine
    ledger: Ledger
    samples: Samples
    board: FlagBoard
    clock: Clock
    board_url: str = ""
    trouble: Callable[[], str] = lambda: ""  # what people should know about the bot itself, added to every status
    about: Callable[[], Awaitable[About]] = _version_only
    unwritten: Callable[[], Mapping[str, Verdict]] = dict  # current verdicts that cannot be committed
    home_opened: Callable[[str, str], Awaitable[None]] = _no_home  # somebody opened their Home tab: user id and hash
    rehearsed: Callable[[str], Awaitable[bool]] = _at_once  # waits for a flag's rehearsal; False = it takes too long
    denials: Denials | None = None  # where refusals are recorded

    def denied(self, asked: "Request", kind: type[Signal], incident: int | None = None) -> Denied | None:
        """Why somebody may not send that signal, recorded as a refusal; None if they may. For use before a form opens."""
        return self.denied_to(asked, kind.BY, kind.__name__, incident)

    def denied_to(self, asked: "Request", roles: Roles, what: str, incident: int | None = None) -> Denied | None:
        """Why somebody may not do what only these roles may, recorded as a refusal; None if they may."""
        refused = denied_to(roles, asked.actor, self.engine.policy.incidents)
        if refused and self.denials:
            self.denials.note(asked.actor.id, refused.role, what, name=asked.actor.name, incident=incident)
        return refused

    async def latencies(self, components: Collection[str]) -> dict[str, LatencyPicture]:
        """Each component's latencies over the last hour, as far as known."""
        return await latencies_lately(self.samples, components, self.clock.now())

    def readers(self) -> dict[str, int]:
        """How many distinct clients read each flag recently."""
        return {flag: self.board.readers(flag) for flag in self.engine.policy.flags}


@dataclass(frozen=True)
class Request:
    """A person's request: who, where, and an id that makes it count once."""

    actor: Actor
    channel: str
    signal_id: str
    text: str = ""
    word: str = ""  # the slash command as typed, with the manifest's prefix
    zone: str = ""  # the person's time zone
    mentions: tuple[Mention, ...] = ()  # with their ids; in `text` they are as people see them

    @staticmethod
    def from_command(command: Command) -> "Request":
        """From a slash command."""
        text = typed(command.text).strip()
        signal_id, mentioned = f"slack/{command.trigger}", mentions(command.text)
        return Request(_actor(command.who), command.channel, signal_id, text, command.word, command.who.zone, mentioned)

    @staticmethod
    def from_press(pressed: Press | Form | Shortcut) -> "Request":
        """From a button, a form or a shortcut."""
        if isinstance(pressed, Form):
            # A double press, or one repeated because the answer was slow, sends the same form with two triggers.
            once = f"view/{pressed.view}" if pressed.view else pressed.trigger
            return Request(_actor(pressed.who), "", f"slack/{once}", zone=pressed.who.zone)
        return Request(_actor(pressed.who), pressed.channel, f"slack/{pressed.trigger}", zone=pressed.who.zone)

    @staticmethod
    def from_reaction(reaction: Reaction) -> "Request":
        """From an emoji on a message."""
        return Request(_actor(reaction.who), reaction.channel, f"slack/{reaction.id}")

    @staticmethod
    def from_question(question: Question) -> "Request":
        """From a message to the bot."""
        text, mentioned = typed(question.text).strip(), mentions(question.text)
        id = f"slack/{question.id}"
        return Request(_actor(question.who), question.channel, id, text, zone=question.who.zone, mentions=mentioned)


def _actor(who: Who) -> Actor:
    return Actor.person(who.id, who.name) if who.is_member else Actor.outsider(who.id, who.name)


async def answer(respond: Respond, message: Message | str) -> None:
    """Answer one person, visible to nobody else. A plain sentence may contain foreign text: it is escaped."""
    if isinstance(message, str):
        await respond(text=inert(message), response_type="ephemeral", replace_original=False)
    else:
        blocks = {"blocks": [dict(block) for block in message.blocks]} if message.blocks else {}
        await respond(text=message.text, **blocks, response_type="ephemeral", replace_original=False)
