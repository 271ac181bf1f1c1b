"""HTTP mode: requests that Slack signs and sends to the request URL, passed to the same door as those by socket.

The SDK's own verifier compares signatures. Bolt's middleware and its adapter for aiohttp are not used: they read the whole
body before checking the sender, take the first of duplicate headers, raise their own error for a timestamp that is not a
number, log rejected bodies, and would verify only after our door has read the payload.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from slack_bolt.request.internals import parse_body
from slack_bolt.response import BoltResponse
from slack_sdk.signature import Clock as VerifierClock
from slack_sdk.signature import SignatureVerifier

from bot.ports.signed_requests import Reply, Signature, SignedRequest
from bot.slack.door import Arrival, Door
from bot.system.clock import Clock
from bot.system.logs import RateLimitedLog

log = structlog.get_logger(__name__)

GOOD_FOR_S = 300  # Slack's own limit for a signature
TIMESTAMP = re.compile(r"[0-9]{1,12}")
VALUE = re.compile(r"v0=[0-9a-f]{64}")

UNSIGNED = "Slack's signature is missing, or stands there twice"
STALE = "the signature is not of the last five minutes; compare this machine's clock"
WRONG = "this was not signed with the app's signing secret"


class RequestUrl:
    """Receives Slack's requests. Answers Slack's challenge at once, and everything else once the door is open."""

    def __init__(self, signing_secret: str, clock: Clock) -> None:
        self._verifier = SignatureVerifier(signing_secret, _Wall(clock))
        self._clock = clock
        self._rate_limited = RateLimitedLog(clock)
        self._door: Door | None = None
        self._serving: set[asyncio.Task[BoltResponse]] = set()
        self.last_at: datetime | None = None  # when Slack last sent something with a valid signature
        self.refused_at: datetime | None = None  # when something last arrived without one

    def open(self, door: Door) -> None:
        """Start passing requests on."""
        self._door = door

    async def close(self, within_s: float = 3.0) -> None:
        """Accept no more, and let pending ones be acknowledged."""
        self._door = None
        if self._serving:
            await asyncio.wait(self._serving, timeout=within_s)

    def distrust(self, signature: Signature) -> str:
        """Why the signature is invalid whatever the body is; empty if it may be valid."""
        why = ""
        if not (TIMESTAMP.fullmatch(signature.timestamp) and VALUE.fullmatch(signature.value)):
            why = UNSIGNED
        elif abs(self._clock.now().timestamp() - int(signature.timestamp)) > GOOD_FOR_S:
            why = STALE
        return self._refused(why) if why else ""

    async def answer(self, request: SignedRequest) -> Reply:
        """Check the signature, and handle the request."""
        why = self.distrust(request.signature)
        if not why and not self._is_signed(request):
            why = self._refused(WRONG)
        if why:
            return Reply(401, why)
        self.last_at = self._clock.now()
        payload = _payload(request)
        if isinstance(payload, dict) and payload.get("type") == "url_verification":
            return _json({"challenge": str(payload.get("challenge"))[:1000]})
        if self._door is None:
            return Reply(503, "The bot is not connected to Slack yet.")
        arrival = Arrival(
            payload, is_command=isinstance(payload, dict) and "command" in payload, headers=_retry(request),
            once=f"signature/{request.signature.value}",
        )  # fmt: skip
        # A separate task: a client that disconnects does not interrupt the work.
        serving = asyncio.create_task(self._door.answer(arrival), name="answering Slack")
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        return _reply(await asyncio.shield(serving))

    def _is_signed(self, request: SignedRequest) -> bool:
        try:
            return self._verifier.is_valid(request.body, request.signature.timestamp, request.signature.value)
        except UnicodeDecodeError:  # Slack sends UTF-8; the SDK signs text
            return False

    def _refused(self, why: str) -> str:
        self.refused_at = self._clock.now()
        if (unsaid := self._rate_limited.may(why)) is not None:
            log.warning("a request that Slack did not sign was refused", why=why, since_last=unsaid)
        return why


class _Wall(VerifierClock):
    """Our clock, in the form that the SDK expects."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


def _payload(request: SignedRequest) -> Any:
    """The payload as the socket would deliver it; None if it is not one, which the door answers."""
    try:
        return parse_body(request.body.decode(), request.content_type)
    except (ValueError, RecursionError):
        return None


def _retry(request: SignedRequest) -> Mapping[str, str]:
    names = ("x-slack-retry-num", "x-slack-retry-reason")
    return {name: value[:100] for name, value in zip(names, request.retry, strict=True) if value}


def _reply(response: BoltResponse) -> Reply:
    kind = next(iter(response.headers.get("content-type", ["text/plain"])))
    return Reply(response.status, response.body or "", kind.partition(";")[0])


def _json(answer: Mapping[str, str]) -> Reply:
    return Reply(200, json.dumps(answer), "application/json")
