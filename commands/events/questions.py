"""Questions to the bot, by mention or in a direct message: `is Claude down?`, `what's broken?`, `INC-7`.

Anybody who may ask gets recorded facts, found by keywords; nothing is guessed and nothing is changed.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.record.component_facts import VerdictChanged
from bot.core.record.world import World
from bot.ports import Ledger, Message, Store
from bot.ports.payloads import Question
from bot.verbs.naming import NamedTarget, named
from bot.views import in_short as views
from bot.views.names import component_name, provider_name
from bot.views.storage import as_seen
from commands.desk import CommandContext
from commands.listening import read_as
from commands.parsing.parse import typed
from commands.table import FALLBACK, INCIDENT, UNDERSTUDY

log = structlog.get_logger(__name__)

READ_BACK = 50  # facts of a component, at first
LONGEST = 500  # characters of a question to examine
MENTIONED = re.compile(r"<[@#!][^<>]*>")
INCIDENTS = re.compile(r"\binc-(\d{1,9})\b", re.IGNORECASE)
HELP = re.compile(r"^(help|hi|hello|hey|\?*)$")
OVERALL = re.compile(
    r"\b(status|health|broken|wrong|down|up|failing|fails|outages?|incidents?|happening|issues?|problems?|ok|okay|going on)\b"
)
ASKING = frozenset({"help", "list", "show", "brief", "status", "about", "timeline", "maintenance", "PROVIDER", ""})
COMMANDS = {
    verb.name: verb.usage for word in (UNDERSTUDY, FALLBACK, INCIDENT) for verb in word.verbs if verb.name not in ASKING
}


def listen(app: AsyncApp, desk: CommandContext) -> None:
    """Listen for mentions and direct messages."""
    app.event("app_mention")(partial(_on_question, desk))
    app.event("message")(partial(_on_question, desk))


async def _on_question(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    """Answer a mention in its thread, and a direct message in place."""
    await ack()
    question = read_as(context, Question)
    said = await answer_to(desk, question.text)
    thread = question.thread_ts or ("" if question.direct else question.ts)
    try:
        await client.chat_postMessage(
            channel=question.channel, text=said.text, blocks=[dict(block) for block in said.blocks], thread_ts=thread or None,
            unfurl_links=False, unfurl_media=False,
        )  # fmt: skip
    except SlackApiError as refusal:  # the channel is archived or closed to us: there is no other place to answer
        log.info("a question was not answered", channel=question.channel, why=refusal.response.get("error"))


async def answer_to(desk: CommandContext, asked: str) -> Message:
    """The answer to a question in Slack's markup."""
    policy, now = desk.engine.policy, desk.clock.now()
    world, _ = as_seen(desk.engine.world, desk.unwritten())
    text = " ".join(typed(MENTIONED.sub(" ", asked[:LONGEST])).split())
    lowered = text.casefold().strip(" ?!.,:")
    lines: Sequence[str]
    if HELP.match(lowered):
        lines = [views.CAN_ANSWER]
    elif numbers := list(dict.fromkeys(int(number) for number in INCIDENTS.findall(text))):
        lines = await _of_incidents(desk, numbers)
    elif usage := COMMANDS.get(lowered.partition(" ")[0]):
        lines = [views.slash_word(usage)]
    elif meant := named(policy, text):
        lines = [await _of(desk, one, world, now) for one in meant[: views.MOST_LINES]]
        return views.reply(lines, world, now, more=len(meant) - len(lines))
    elif OVERALL.search(lowered):
        lines = views.everything(world, policy, now)
    else:
        lines = [views.NOT_UNDERSTOOD]
    return views.reply(lines, world, now)


async def _of_incidents(desk: CommandContext, numbers: Sequence[int]) -> list[str]:
    """A line for each; even `INC-7 note ...` changes nothing."""
    world = await desk.engine.world_with(numbers)
    found = [(number, world.incidents.get(number)) for number in numbers]
    return [
        views.incident_line(one, desk.engine.policy, desk.clock.now()) if one else views.unknown_incident(number)
        for number, one in found
    ]


async def _of(desk: CommandContext, meant: NamedTarget, world: World, now: datetime) -> str:
    policy = desk.engine.policy
    name = provider_name(policy, meant.provider) if meant.whole else component_name(policy, meant.components[0])
    well = not any(world.component(id).level.bad for id in meant.components)
    failed_at = await last_failure(desk.ledger, meant.components, desk.engine.world.seqs) if well else None
    return views.component_line(name, meant.components, world, policy, now, failed_at)


async def last_failure(ledger: Ledger, components: Sequence[str], seqs: Mapping[str, int]) -> datetime | None:
    """When the last failure of any of these ended; None if none is recorded. `seqs`: each stream's newest seq."""
    streams = [f"component/{id}" for id in components]
    over = await ledger.read(lambda store: [_over_at(store, stream, seqs.get(stream, 0)) for stream in streams])
    return max((at for at in over if at), default=None)


def _over_at(store: Store, stream: str, newest: int) -> datetime | None:
    """Read backwards in growing steps: the whole history of a flapping component would delay the answer, and commits too."""
    back = READ_BACK
    while True:
        after = max(newest - back, 0)
        for fact in reversed(store.facts(stream, after)):
            if isinstance(fact.body, VerdictChanged) and fact.body.previous.bad and not fact.body.level.bad:
                return fact.at
        if after == 0:
            return None
        back *= 4
