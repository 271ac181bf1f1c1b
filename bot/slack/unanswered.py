"""What nobody listens for, and what went wrong: people get an answer that says what to do next."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot.ports import ChatError, StoreError
from bot.slack.errors import TRANSPORT_ERRORS, refused
from bot.slack.respond import Respond
from bot.views.storage import meanwhile, nothing_changed

log = structlog.get_logger(__name__)

ANYTHING = re.compile(r".*", re.DOTALL)
NOT_SLACKS_WORDS = re.compile(r"[^\w/:.-]")


class Unanswered:
    """Catch-all listeners and the error handler. `help_hint` ends each sentence about something unknown."""

    def __init__(self, help_hint: str) -> None:
        self._help = help_hint

    def listen(self, app: AsyncApp) -> None:
        """Hook the catch-all listeners in; Bolt asks listeners in their order, so this comes last."""
        app.command(ANYTHING)(self.command)
        app.action(ANYTHING)(self.action)
        app.shortcut(ANYTHING)(self.shortcut)
        app.view(ANYTHING)(self.view)
        app.view_closed(ANYTHING)(self.quietly)
        app.options(ANYTHING)(self.options)
        app.event(ANYTHING)(self.quietly)

    async def command(self, ack: AsyncAck, body: dict[str, Any], respond: Respond) -> None:
        """A slash word that the app's settings have and we have not."""
        await ack()
        word = NOT_SLACKS_WORDS.sub("", str(body.get("command")))
        log.warning("unknown command", command=word)
        await respond(f"I do not know `{word}`; it may have come with another version. {self._help}", response_type="ephemeral")

    async def action(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], respond: Respond) -> None:
        """A button of an older version. Slack also reports a press of a link, which needs no answer."""
        await ack()
        if _is_link(body, action) or not respond.response_url:
            return
        log.warning("unknown action", action=action.get("action_id"))
        words = f"I do not know this button any more, and nothing was done. {self._help}"
        await respond(words, response_type="ephemeral", replace_original=False)

    async def shortcut(self, ack: AsyncAck, shortcut: dict[str, Any], context: AsyncBoltContext, respond: Respond) -> None:
        """A shortcut that the app's settings have and we have not."""
        await ack()
        log.warning("unknown shortcut", callback=shortcut.get("callback_id"))
        await _say(context, respond, f"I do not know this shortcut, and nothing was done. {self._help}")

    async def view(self, ack: AsyncAck, view: dict[str, Any]) -> None:
        """A form of an older version; what was written stays readable only as long as it is open."""
        log.warning("unknown form", callback=view.get("callback_id"))
        words = f"I do not know this form any more, and nothing was done. {self._help}"
        await ack(response_action="update", view=_notice(words))

    async def options(self, ack: AsyncAck) -> None:
        """A menu that asks what to offer."""
        await ack(options=[])

    async def quietly(self, ack: AsyncAck) -> None:
        """Something that nobody asked for and nobody waits for."""
        await ack()

    async def failed(
        self, error: Exception, body: dict[str, Any], context: AsyncBoltContext, respond: Respond,
        response: BoltResponse | None,
    ) -> BoltResponse | None:  # fmt: skip
        """Log an error of a listener with its traceback, tell the person, and acknowledge if nobody has yet."""
        reference = uuid4().hex[:8]
        what = body.get("type") or body.get("command")
        if isinstance(error, StoreError):
            log.warning("a request could not be written", type=what, why=str(error))
        else:
            log.error("a request failed", reference=reference, type=what, exc_info=error)
        words = _what_happened(error, reference)
        is_form = body.get("type") == "view_submission"
        if response is None or not is_form:
            await _say(context, respond, words)
        if response is None:
            return None
        if is_form:
            answer = json.dumps({"response_action": "update", "view": _notice(words)})
            return BoltResponse(status=200, body=answer, headers={"content-type": ["application/json"]})
        return BoltResponse(status=200, body="")


def _what_happened(error: Exception, reference: str) -> str:
    if isinstance(error, StoreError):
        return f"{nothing_changed(error)} {meanwhile(error)}"
    if isinstance(error, SlackApiError):
        error = refused(error, "Slack")
    if isinstance(error, ChatError):
        return f"That did not work: {error}. Look at the state before you try again. (Reference {reference})"
    return (
        "Something broke on my side while I did that. Probing, flags and updates go on. Look at the state before you try "
        f"again; if it breaks again, tell whoever runs me the reference {reference}."
    )


async def _say(context: AsyncBoltContext, respond: Respond, words: str) -> None:
    """Tell the person, in place if Slack gave a place for answers, else as a direct message."""
    try:
        if respond.response_url:
            await respond(words, response_type="ephemeral", replace_original=False)
        elif context.user_id:
            await context.client.chat_postMessage(channel=context.user_id, text=words)
    except (ChatError, SlackApiError, *TRANSPORT_ERRORS) as error:
        log.warning("nobody could be told", why=str(error))


def _notice(words: str) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Understudy"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": words}}],
    }


def _is_link(body: Mapping[str, Any], action: Mapping[str, Any]) -> bool:
    """Whether the pressed button opens an address: the press tells its ids, the message or view around it tells the rest."""
    blocks = ((body.get("message") or body.get("view") or {}).get("blocks")) or ()
    return any(
        element.get("url") and element.get("action_id") == action.get("action_id")
        for block in blocks
        for element in _elements(block)
    )


def _elements(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from block.get("elements") or ()
    if block.get("accessory"):
        yield block["accessory"]
