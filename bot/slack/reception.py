"""Decides who may come in: after the door has read a payload, before anything is done with it.

Slash commands, buttons, forms, shortcuts and menus all pass here, and only here does a person become a member. Refused people
get an answer, and the refusal is recorded like those by rules.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse

from bot.core.decide.permissions import Denied
from bot.core.model import Actor
from bot.ports import ChatError
from bot.ports.payloads import READ, Changed, Command, Event, Form, Menu, Payload, Press, Question, Reaction, Shortcut
from bot.slack.door import acknowledged, notice, payload_of
from bot.slack.people import People
from bot.slack.respond import Respond
from bot.slack.standing import Standing
from bot.system.clock import Clock
from bot.system.denials import Denials
from bot.system.logs import RateLimitedLog
from bot.system.token_bucket import TokenBucket
from bot.views.denied import denied_text

log = structlog.get_logger(__name__)

Next = Callable[[], Awaitable[Any]]

QUESTIONS_A_MINUTE = 20  # of one person; a runaway script gets no more
MOST_ASKING = 1_000  # people tracked separately
TOO_MANY = f"Too many questions: I answer {QUESTIONS_A_MINUTE} a minute. Wait a minute, then ask again."

NOTHING = "Nothing was done. Ask a full member of this workspace."
WORDS = {
    Standing.GUEST: f"Guests of this workspace may not do that with Understudy. {NOTHING}",
    Standing.FOREIGN: f"You are not a member of this workspace, so you may not do that with Understudy. {NOTHING}",
    Standing.BOT: f"Bots may not do that with Understudy. {NOTHING}",
    Standing.DEACTIVATED: f"Your account is deactivated in this workspace. {NOTHING}",
}
UNKNOWN = (
    "I could not confirm that you are a full member of this workspace ({why}), so nothing was done. Try again in a minute. "
    "Meanwhile people I already know can do it, and `understudy` on the bot's machine works without Slack."
)


class Reception:
    """Bolt middleware. `reads`: outsiders may ask (`people.external: read`); `on_group` is called with changed user groups.

    `not_asking(user)` returns why somebody who may come in still may not ask, None if they may. `follows(channel, ts)` returns
    whether changes of that message matter.
    """

    def __init__(
        self, people: People, clock: Clock, denials: Denials, *, reads: bool, on_group: Callable[[str], None],
        not_asking: Callable[[str], Denied | None] = lambda user: None,
        follows: Callable[[str, str], bool] = lambda channel, ts: False, declare_emoji: Callable[[], str] = lambda: "",
    ) -> None:  # fmt: skip
        self._people = people
        self._reads = reads
        self._on_group = on_group
        self._follows = follows
        self._declare_emoji = declare_emoji
        self._denials = denials
        self._not_asking = not_asking
        self._clock = clock
        self._asking: dict[str, TokenBucket] = {}
        self._rate_limited = RateLimitedLog(clock)
        self._telling: set[asyncio.Task[None]] = set()

    async def hear(self, context: AsyncBoltContext, respond: Respond, next: Next) -> Any:  # the name is Bolt's
        """Events end here unless they concern us: large workspaces send many, and they need no record.

        Changes of people and groups are handled here; messages, edits and emojis are mostly not ours.
        """
        match payload_of(context):
            case Event(name="user_change", body=body):
                user = body.get("user")
                self._people.heard(user if isinstance(user, dict) else {})
            case Event(name="subteam_members_changed" | "subteam_updated", body=body):
                group = body.get("subteam")
                id = group.get("id") if isinstance(group, dict) else body.get("subteam_id")
                self._on_group(str(id or ""))
            case Changed(channel=channel, ts=ts) if self._follows(channel, ts):
                return await next()
            case Reaction(emoji=emoji) if emoji in ("pushpin", self._declare_emoji()):
                return await next()
            case Question(who=who) if self._may_ask_again(who.id):
                return await next()
            case Question(who=who):
                await self._slow_down(who.id, respond)
            case Event(name="message" | "app_mention") | Changed() | Reaction():
                pass
            case _:
                return await next()
        return BoltResponse(status=200, body="")

    async def admit(self, context: AsyncBoltContext, respond: Respond, next: Next) -> Any:  # the name is Bolt's
        """Let in members, and people who may only ask if that is configured; answer everybody else."""
        payload = payload_of(context)
        if isinstance(payload, Event) and payload.name == "member_joined_channel":  # brief those who may ask, nobody else
            briefed = isinstance(await self.asker(payload.who.id), Actor)
            return await next() if briefed else BoltResponse(status=200, body="")
        if isinstance(payload, Event | Changed) or (isinstance(payload, Form) and payload.closed):
            return await next()  # nobody waits for an answer, and nothing is done
        standing = await self._people.standing(payload.who.id)
        if isinstance(payload, Reaction):  # most concern nothing of ours; the listener knows what to answer
            context[READ] = replace(payload, who=replace(payload.who, is_member=standing.is_member))
            return await next() if standing is not Standing.BOT else BoltResponse(status=200, body="")
        if isinstance(payload, Question) and standing is Standing.BOT:
            return BoltResponse(status=200, body="")  # two bots that answer each other never stop
        lets_in = standing.is_member or (self._reads and isinstance(payload, Command | Question))
        barred = self._not_asking(payload.who.id) if lets_in else None
        if lets_in and barred is None:
            zone = self._people.zone(payload.who.id)
            context[READ] = replace(payload, who=replace(payload.who, is_member=standing.is_member, zone=zone))
            return await next()
        self._denials.note(payload.who.id, standing.value, _what(payload), name=payload.who.name)
        words = denied_text(barred) if barred else WORDS.get(standing) or self._unknown()
        return self._refuse(payload, words, respond)

    async def asker(self, user: str) -> Actor | str:
        """The actor for a person who may ask; or why they may not, in markup for them."""
        standing = await self._people.standing(user)
        if not (standing.is_member or self._reads):
            return WORDS.get(standing) or self._unknown()
        if barred := self._not_asking(user):
            return denied_text(barred)
        return Actor.person(user) if standing.is_member else Actor.outsider(user)

    def _may_ask_again(self, user: str) -> bool:
        """Whether this person is below `QUESTIONS_A_MINUTE`."""
        if user not in self._asking and len(self._asking) >= MOST_ASKING:
            self._asking.clear()
            self._rate_limited = RateLimitedLog(self._clock)
        bucket = self._asking.setdefault(user, TokenBucket(QUESTIONS_A_MINUTE / 60, QUESTIONS_A_MINUTE))
        return bucket.take(self._clock.monotonic())

    async def _slow_down(self, user: str, respond: Respond) -> None:
        """Say once a minute that this was too much, but never to bots: two that answer each other never stop."""
        if self._rate_limited.may(user) is not None and await self._people.standing(user) is not Standing.BOT:
            self._soon(respond, TOO_MANY)

    def _unknown(self) -> str:
        return UNKNOWN.format(why=self._people.silence or "Slack did not say")

    def _refuse(self, payload: Payload, words: str, respond: Respond) -> BoltResponse:
        """Acknowledge at once, and say why in whichever way Slack offers."""
        match payload:
            case Command():
                return acknowledged({"response_type": "ephemeral", "text": words})
            case Form():
                return acknowledged({"response_action": "update", "view": notice(words)})
            case Menu():
                return acknowledged({"options": []})
            case Press(is_link=True):
                return BoltResponse(status=200, body="")
        self._soon(respond, words)
        return BoltResponse(status=200, body="")

    def _soon(self, respond: Respond, words: str) -> None:
        task = asyncio.create_task(_tell(respond, words), name="answering from the reception")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


async def _tell(respond: Respond, words: str) -> None:
    try:
        await respond(words, response_type="ephemeral", replace_original=False)
    except (ChatError, ValueError) as error:
        log.warning("the refusal could not be delivered", why=str(error))


def _what(payload: Payload) -> str:
    match payload:
        case Command():
            return f"{payload.word} {payload.text.partition(' ')[0]}".strip()[:60]
        case Press():
            return payload.action[:60]
        case Form() | Shortcut():
            return payload.callback[:60]
    return type(payload).__name__
