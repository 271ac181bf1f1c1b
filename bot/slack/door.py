"""The single entry for payloads: each is parsed here first, and only what can be read goes on to Bolt.

The order is fixed: first what it is (here), then who sent it, then what they want.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.lazy_dataclass import dataclass
from bot.ports.payload_reading import Unreadable, parse
from bot.ports.payloads import READ, Payload
from bot.slack.wording import Wording
from bot.system.clock import Clock
from bot.system.logs import RateLimitedLog

log = structlog.get_logger(__name__)


UNREADABLE = "I could not read what Slack sent me, and nothing was done. Please try again."
ONCE = "delivered_once"  # the key in Bolt's context for the delivery's id, for payloads without an id of their own


@dataclass(frozen=True)
class Arrival:
    """A payload, and how it arrived, by socket or HTTP. `once` is equal only for the same delivery."""

    payload: Any = field(repr=False)
    is_command: bool = False
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    once: str = field(default="", repr=False)


class Door:
    """Passes Slack's payloads to a Bolt app."""

    def __init__(self, app: AsyncApp, clock: Clock, wording: Wording) -> None:
        self._app = app
        self._wording = wording
        self._rate_limited = RateLimitedLog(clock)

    async def answer(self, arrival: Arrival) -> BoltResponse:
        """The acknowledgement of a payload. An unreadable one is acknowledged at once too, or Slack would repeat it."""
        try:
            payload = parse(arrival.payload)
        except Unreadable as why:
            if (unsaid := self._rate_limited.may("unreadable")) is not None:
                log.warning("a payload from Slack cannot be read", command=arrival.is_command, why=str(why), since_last=unsaid)
            return _unreadable(arrival)
        # This mode means that no signature is left to check: the socket has none, and HTTP mode checked it before.
        read = AsyncBoltRequest(
            mode="socket_mode", body=arrival.payload, headers=dict(arrival.headers),
            context={READ: payload, ONCE: arrival.once},
        )  # fmt: skip
        response: BoltResponse = await self._app.async_dispatch(read)
        return self._reworded(response)

    def _reworded(self, response: BoltResponse) -> BoltResponse:
        """Texts in an acknowledgement (an error at a field, a form) get our slash commands as they are named here."""
        if not response.body:
            return response
        answer = self._wording.body(json.loads(response.body))
        if isinstance(errors := answer.get("errors"), dict):
            answer["errors"] = {field: self._wording.text(str(words)) for field, words in errors.items()}
        return BoltResponse(status=response.status, body=json.dumps(answer), headers=response.headers)


def payload_of(context: AsyncBoltContext) -> Payload:
    """The parsed payload of the request that a listener handles."""
    found: Payload = context[READ]
    return found


def delivery_of(context: AsyncBoltContext) -> str:
    """A unique id of this request: its own, or else its delivery's; empty if it has neither."""
    return payload_of(context).id or str(context.get(ONCE) or "")


def _unreadable(arrival: Arrival) -> BoltResponse:
    """A command can be answered in its acknowledgement, and a form stays open with a message; nobody waits for others."""
    if arrival.is_command:
        return acknowledged({"response_type": "ephemeral", "text": UNREADABLE})
    if isinstance(arrival.payload, dict) and arrival.payload.get("type") == "view_submission":
        return acknowledged({"response_action": "update", "view": notice(UNREADABLE)})
    return BoltResponse(status=200, body="")


def notice(words: str) -> dict[str, Any]:
    """A form that shows one text."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Understudy"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": words}}],
    }


def acknowledged(answer: dict[str, Any]) -> BoltResponse:
    """An acknowledgement with an answer, for kinds of payloads that can have one."""
    return BoltResponse(status=200, body=json.dumps(answer), headers={"content-type": ["application/json"]})
