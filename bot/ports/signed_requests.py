"""Slack's requests over HTTP, as the web server passes them on: the signed content, byte for byte, and the answer."""

from dataclasses import field
from typing import Protocol

from bot.core.lazy_dataclass import dataclass

REQUEST_PATH = "/slack/events"  # Bolt's own default


@dataclass(frozen=True)
class Signature:
    """A request's signature headers: when it was signed, and the signature. Empty if a header is missing or repeated."""

    timestamp: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class SignedRequest:
    """One request with its whole body. `retry` is how often Slack sent it before, and why again, in its own words."""

    signature: Signature
    body: bytes = field(repr=False)
    content_type: str = ""
    retry: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Reply:
    """The answer to Slack: 200 is an acknowledgement, and may include an answer."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


class SlackRequests(Protocol):
    """Receives Slack's requests in HTTP mode."""

    def distrust(self, signature: Signature) -> str:
        """Why the signature is invalid whatever the body is; empty if it may be valid. Called before the body is read."""

    async def answer(self, request: SignedRequest) -> Reply:
        """Check the signature, and handle the request. 401 for anything not signed by Slack."""
