"""HTTP mode from Slack's side: requests to the app's request URL, signed as Slack signs them, and their answers."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.errors import SlackbotSays
from bot.sandbox.slack.records import Json

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Sent:
    """One request as sent; the signature covers exactly these bytes."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def sent(kind: str, payload: Json | str, extra: Mapping[str, object]) -> Sent:
    """Events are JSON, commands a form of fields, everything else a form with one field; retries say so in headers."""
    retry: dict[str, str] = {}
    if extra.get("retry_attempt"):
        retry = {"X-Slack-Retry-Num": str(extra["retry_attempt"]), "X-Slack-Retry-Reason": f"http_{extra['retry_reason']}"}
    if kind == "slash_commands" and isinstance(payload, dict):
        return Sent(urlencode(payload).encode(), FORM)
    text = payload if isinstance(payload, str) else json.dumps(payload)
    if kind == "events_api":
        return Sent(text.encode(), "application/json", retry)
    return Sent(urlencode({"payload": text}).encode(), FORM)


@dataclass
class RequestUrl:
    """The URL at which the app of this workspace takes requests. `ahead_s` shifts the clock that signs the requests."""

    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    url: str = ""
    ahead_s: float = 0.0
    _session: aiohttp.ClientSession | None = None

    async def verify(self, url: str) -> None:
        """What Slack does when a request URL is entered. Raises ValueError when the app does not answer the challenge."""
        challenge = secrets.token_hex(26)
        body = json.dumps({"token": "legacy", "challenge": challenge, "type": "url_verification"})
        status, said, kind = await self._post(url, Sent(body.encode(), "application/json"))
        answer = json.loads(said).get("challenge") if kind == "application/json" else said
        if status != 200 or answer != challenge:
            raise ValueError(f"Your URL didn't respond with the value of the challenge parameter (HTTP {status}).")
        self.url = url

    def signed(self, request: Sent) -> dict[str, str]:
        """The headers that Slack sends with the request."""
        timestamp = str(int(time() + self.ahead_s))
        base = f"v0:{timestamp}:".encode() + request.body
        value = hmac.new(self.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {
            "Content-Type": request.content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={value}", **request.headers,
        }  # fmt: skip

    async def deliver(self, request: Sent, *, times: int, within_s: float) -> Json | None:
        """Send the same bytes `times` times and read the acknowledgement. Raises SlackbotSays and TimeoutError."""
        headers = self.signed(request)
        try:
            answers = [await self._post(self.url, request, headers, within_s) for _ in range(times)]
        except aiohttp.ClientError:
            raise SlackbotSays("dispatch_failed") from None
        status, said, kind = answers[0]
        if status != 200:
            raise SlackbotSays("dispatch_failed")
        if not said:
            return None
        answer = json.loads(said) if kind == "application/json" else {"text": said}
        return answer if isinstance(answer, dict) else None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(
        self, url: str, request: Sent, headers: Mapping[str, str] | None = None, within_s: float = 3.0
    ) -> tuple[int, str, str]:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        patience = aiohttp.ClientTimeout(total=within_s)
        made = headers or self.signed(request)
        async with self._session.post(
            url, data=request.body, headers=made, timeout=patience, allow_redirects=False
        ) as response:
            return response.status, await response.text(), response.content_type
