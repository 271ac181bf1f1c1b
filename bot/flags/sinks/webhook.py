"""Tells a receiver of each switch, signed according to Standard Webhooks 1.0: https://www.standardwebhooks.com.

A message gives the state, not the change, so a late or repeated one does no harm; `webhook-id` is the same at each attempt.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime

from bot.flags.sinks.web import SinkClient, refusal
from bot.ports.sinks import Plan, Target


class Webhook:
    """A receiver. `now` is wall-clock time, which the receiver compares with its own. Without a secret nothing is signed."""

    def __init__(self, client: SinkClient, url: str, secret: str, now: Callable[[], datetime]) -> None:
        self._client = client
        self._url = url
        self._secret = secret
        self._now = now

    async def plan(self, target: Target) -> Plan:
        """Send nothing: a receiver cannot be asked for its state."""
        signed = "signed" if self._secret else "unsigned, since its secret is empty"
        return Plan("", f"it would be told that {target.flag} serves {target.in_words}, {signed}")

    async def apply(self, target: Target) -> str:
        """Tell it; any 2xx counts as success."""
        body, at = message(target, self._now()), int(self._now().timestamp())
        headers = {"content-type": "application/json", "webhook-id": target.id, "webhook-timestamp": str(at)}
        if self._secret:
            headers["webhook-signature"] = sign(self._secret, target.id, at, body)
        answer = await self._client.ask("POST", self._url, headers, body)
        if not 200 <= answer.status < 300:
            raise refusal(answer)
        return ""

    async def read_back(self) -> str:
        """Nothing: a receiver cannot be read."""
        return ""

    async def revert(self, target: Target, before: str) -> str:
        """Tell it that the default serves everybody."""
        return await self.apply(target)


def message(target: Target, at: datetime) -> bytes:
    """The payload: `type`, `timestamp` and `data`, as the specification recommends."""
    kind = "released" if not target.variant else "handing_back" if target.share_back else "engaged"
    serves = target.variant or target.default
    data = {
        "flag": target.flag,
        "variant": serves,
        "value": target.values[serves],
        "default": target.default,
        "shares": dict(target.shares),
        "values": dict(target.values),
        "metadata": dict(target.metadata),
    }
    said = {"type": f"flag.{kind}", "timestamp": at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(said, allow_nan=False).encode()


def sign(secret: str, id: str, at: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 over `id.timestamp.body` in base64. A secret is `whsec_` and base64, or else taken as it is."""
    signed = hmac.new(_key(secret), f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass  # the configuration warns about this
    return secret.encode()
