"""The door that every payload comes in by: read first, and only what can be read goes on into Bolt.

The order behind it is fixed: what it is (here), then who it is from, then what they want.
"""

import json
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.ports.payloads import READ, Payload, Unreadable, parse
from bot.slack.wording import Wording
from bot.system.clock import Clock
from bot.system.logs import Sparingly

log = structlog.get_logger(__name__)


UNREADABLE = "I could not read what Slack sent me, and nothing was done. Please try again."


class Door:
    """Lets Slack's payloads into a Bolt app."""

    def __init__(self, app: AsyncApp, clock: Clock, wording: Wording) -> None:
        self._app = app
        self._wording = wording
        self._sparingly = Sparingly(clock)

    async def answer(self, request: SocketModeRequest) -> BoltResponse:
        """What to acknowledge a payload with. What cannot be read is acknowledged too, at once, or Slack would repeat it."""
        try:
            payload = parse(request.payload)
        except Unreadable as why:
            if (unsaid := self._sparingly.may("unreadable")) is not None:
                log.warning("a payload cannot be read", type=str(request.type)[:40], why=str(why), since_last=unsaid)
            return _unreadable(request)
        read = AsyncBoltRequest(
            mode="socket_mode", body=request.payload, headers=build_headers(request), context={READ: payload}
        )
        response: BoltResponse = await self._app.async_dispatch(read)
        return self._reworded(response)

    def _reworded(self, response: BoltResponse) -> BoltResponse:
        """What comes with an acknowledgement (an error at a field, a form) names our slash words as they are here."""
        if not response.body:
            return response
        answer = self._wording.body(json.loads(response.body))
        if isinstance(errors := answer.get("errors"), dict):
            answer["errors"] = {field: self._wording.text(str(words)) for field, words in errors.items()}
        return BoltResponse(status=response.status, body=json.dumps(answer), headers=response.headers)


def payload_of(context: AsyncBoltContext) -> Payload:
    """What the door has read of the request that a listener serves."""
    found: Payload = context[READ]
    return found


def _unreadable(request: SocketModeRequest) -> BoltResponse:
    """A command's answer may come with its acknowledgement, a form stays open with a word; nobody waits for the rest."""
    if request.type == "slash_commands":
        return acknowledged({"response_type": "ephemeral", "text": UNREADABLE})
    if request.payload.get("type") == "view_submission":
        return acknowledged({"response_action": "update", "view": notice(UNREADABLE)})
    return BoltResponse(status=200, body="")


def notice(words: str) -> dict[str, Any]:
    """A form that says one thing."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Understudy"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": words}}],
    }


def acknowledged(answer: dict[str, Any]) -> BoltResponse:
    """An acknowledgement that carries an answer, for the kinds of payloads that may have one."""
    return BoltResponse(status=200, body=json.dumps(answer), headers={"content-type": ["application/json"]})
