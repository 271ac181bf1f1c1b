"""What Slack sends over HTTP, as the web server hands it on: what the signature is about, byte for byte, and the answer."""

from dataclasses import field
from typing import Protocol

from bot.core.lazy_dataclass import dataclass

REQUEST_PATH = "/slack/events"  # Bolt's own default


@dataclass(frozen=True)
class Signature:
    """What a request says of itself: when it was signed, and with what. Empty where a header is missing or stands twice."""

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
    """What Slack is answered: 200 is an acknowledgement, and may carry an answer."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


class SlackRequests(Protocol):
    """Takes Slack's requests where it is reached over HTTP."""

    def distrust(self, signature: Signature) -> str:
        """Why no body could make this request one of Slack's; empty where one could. Asked before a body is read."""

    async def answer(self, request: SignedRequest) -> Reply:
        """Check the signature, and do what the request asks. 401 for whatever Slack did not sign."""
