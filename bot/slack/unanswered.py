"""Requests without a listener, and failures: people get an answer that says what to do next."""

import asyncio
import json
import re
from typing import Any
from uuid import uuid4

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot.ports import ChatError, StoreError
from bot.ports.payloads import Press
from bot.slack.door import notice, payload_of
from bot.slack.errors import TRANSPORT_ERRORS, refused
from bot.slack.respond import Respond
from bot.views.storage import meanwhile, nothing_changed

log = structlog.get_logger(__name__)

ANYTHING = re.compile(r".*", re.DOTALL)
ACK_SEEN_S = 0.1  # Bolt polls for the acknowledgement every 10 ms, and misses it if the error handler returns before that
NOT_SLACKS_WORDS = re.compile(r"[^\w/:.-]")


class Unanswered:
    """Catch-all listeners and the error handler. `help_hint` ends each sentence about something unknown."""

    def __init__(self, help_hint: str) -> None:
        self._help = help_hint
        self._telling: set[asyncio.Task[None]] = set()

    def listen(self, app: AsyncApp) -> None:
        """Add the catch-all listeners; Bolt asks listeners in order, so call this last."""
        app.command(ANYTHING)(self.command)
        app.action(ANYTHING)(self.action)
        app.shortcut(ANYTHING)(self.shortcut)
        app.view(ANYTHING)(self.view)
        app.view_closed(ANYTHING)(self.quietly)
        app.options(ANYTHING)(self.options)
        app.event(ANYTHING)(self.quietly)

    async def command(self, ack: AsyncAck, body: dict[str, Any], respond: Respond) -> None:
        """A slash command that is in the app's settings but unknown to us."""
        await ack()
        word = NOT_SLACKS_WORDS.sub("", str(body.get("command")))
        log.warning("unknown command", command=word)
        await respond(f"I do not know `{word}`; it may have come with another version. {self._help}", response_type="ephemeral")

    async def action(self, ack: AsyncAck, context: AsyncBoltContext, respond: Respond) -> None:
        """A button of an older version. Slack also reports clicks on links, which need no answer."""
        await ack()
        press = payload_of(context)
        if not isinstance(press, Press) or press.is_link or not press.response_url:
            return
        log.warning("unknown action", action=press.action)
        words = f"I do not know this button any more, and nothing was done. {self._help}"
        await respond(words, response_type="ephemeral", replace_original=False)

    async def shortcut(self, ack: AsyncAck, shortcut: dict[str, Any], context: AsyncBoltContext, respond: Respond) -> None:
        """A shortcut that is in the app's settings but unknown to us."""
        await ack()
        log.warning("unknown shortcut", callback=shortcut.get("callback_id"))
        await _say(context, respond, f"I do not know this shortcut, and nothing was done. {self._help}")

    async def view(self, ack: AsyncAck, view: dict[str, Any]) -> None:
        """A form of an older version; what was written can be read only while it is open."""
        log.warning("unknown form", callback=view.get("callback_id"))
        words = f"I do not know this form any more, and nothing was done. {self._help}"
        await ack(response_action="update", view=notice(words))

    async def options(self, ack: AsyncAck) -> None:
        """A menu that asks for its options."""
        await ack(options=[])

    async def quietly(self, ack: AsyncAck) -> None:
        """Something that nobody asked for and nobody waits for."""
        await ack()

    async def failed(
        self, error: Exception, body: dict[str, Any], context: AsyncBoltContext, respond: Respond,
        response: BoltResponse | None,
    ) -> BoltResponse | None:  # fmt: skip
        """Log an error (with a traceback if it is our bug), tell the person, and acknowledge if nobody has yet."""
        reference, kind = uuid4().hex[:8], body.get("type") or body.get("command")
        if isinstance(error, SlackApiError):
            error = refused(error, "Slack")
        match error:
            case StoreError():
                log.warning("a request could not be written", type=kind, why=str(error))
            case ChatError():
                log.warning("Slack did not accept the response to a request", reference=reference, type=kind, why=str(error))
            case _:
                log.error("a request failed", reference=reference, type=kind, exc_info=error)
        words = _what_happened(error, reference)
        is_form = body.get("type") == "view_submission"
        if response is None:  # already acknowledged
            await asyncio.gather(_say(context, respond, words), asyncio.sleep(ACK_SEEN_S))
            return None
        if is_form:
            answer = json.dumps({"response_action": "update", "view": notice(words)})
            return BoltResponse(status=200, body=answer, headers={"content-type": ["application/json"]})
        telling = asyncio.create_task(_say(context, respond, words), name="telling of an error")  # the ack is overdue
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)
        return BoltResponse(status=200, body="")


def _what_happened(error: Exception, reference: str) -> str:
    if isinstance(error, StoreError):
        return f"{nothing_changed(error)} {meanwhile(error)}"
    if isinstance(error, ChatError):
        return f"That did not work: {error}. Look at the state before you try again. (Reference {reference})"
    return (
        "Something broke on my side while I did that. Probing, flags and updates go on. Look at the state before you try "
        f"again; if it breaks again, tell whoever runs me the reference {reference}."
    )


async def _say(context: AsyncBoltContext, respond: Respond, words: str) -> None:
    """Tell the person: in place if Slack allows answers there, else in a direct message."""
    try:
        if respond.response_url:
            await respond(words, response_type="ephemeral", replace_original=False)
        elif context.user_id:
            await context.client.chat_postMessage(channel=context.user_id, text=words)
    except (ChatError, SlackApiError, *TRANSPORT_ERRORS) as error:
        log.warning("the error message could not be delivered", why=str(error))
