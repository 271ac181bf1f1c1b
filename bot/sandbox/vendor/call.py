"""Requests and replies of scripted APIs, and what their dialects share. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from bot.core.lazy_dataclass import dataclass

MADE_AT = 1767225600  # a fixed time for `created` fields
PONG = ("po", "ng")  # what a healthy model answers, token by token
NONSENSE = ("blue ", "blue ", "of ", "the ", "the ", "7")


@dataclass(frozen=True)
class Call:
    """The parts of a request that the answers depend on. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    number: int  # counts the requests of the surface

    @property
    def request_id(self) -> str:
        """The id that the answer carries."""
        return f"req_sim_{self.number:06d}"

    @property
    def asked(self) -> dict[str, Any]:
        """The JSON object in the body; empty if there is none."""
        try:
            asked = json.loads(self.body)
        except ValueError:
            return {}
        return asked if isinstance(asked, dict) else {}

    def missing(self, *keys: str) -> str:
        """What is wrong with the body; empty if nothing is."""
        try:
            asked = json.loads(self.body)
        except ValueError:
            return "the body is not JSON"
        if not isinstance(asked, dict):
            return "the body is not an object"
        return next((f"{key}: field required" for key in keys if key not in asked), "")


@dataclass(frozen=True)
class Reply:
    """An answer: its parts are sent one by one; `streamed` means chunked, without a length.

    In a streamed answer of a model, `begins` is the index of the part with its first words; `ping` keeps it open until then.
    """

    status: int
    parts: tuple[bytes, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False
    begins: int = 0
    ping: bytes = b""


@dataclass(frozen=True)
class Speaker:
    """How one dialect speaks. `words` are the tokens of a model's answer, cut to the room that was asked for."""

    healthy: Callable[[Call, tuple[str, ...]], Reply]
    error: Callable[[int, str, Call], Reply]  # status, message
    trouble: Callable[[str, Call], Reply]  # bad_key, spend_limit, capacity, retired
    stream_error: Callable[[Call], bytes]
    infers: Callable[[Call], bool]  # whether the call is for a model's answer


LONG_CALL = 2_000  # bytes; a shorter body is the usual question, for which the token count is fixed
BYTES_PER_TOKEN = 5
TOOL_ARGUMENTS = ('{"city": ', '"Paris"}')  # as streamed
JSON_WORDS = ('{"city": ', '"Paris"}')


def tokens_of(call: Call, usual: int) -> int:
    """The number of input tokens."""
    return usual if len(call.body) < LONG_CALL else len(call.body) // BYTES_PER_TOKEN


def cut(words: tuple[str, ...], room: Any) -> tuple[tuple[str, ...], bool]:
    """The words that fit into the room, and whether the rest was cut off."""
    if not isinstance(room, int) or room >= len(words):
        return words, False
    return words[: max(0, room)], True


def sse(payload: Mapping[str, Any], name: str = "") -> bytes:
    """One server-sent event."""
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(payload)}\n\n".encode()


def json_reply(status: int, payload: dict[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    """JSON with a Content-Length."""
    return Reply(status, (json.dumps(payload).encode(),), {"content-type": "application/json", **(headers or {})})


def html_reply(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A page for people."""
    body = f"<!doctype html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Reply(status, (body.encode(),), {"content-type": "text/html; charset=utf-8", **(headers or {})})


def sse_reply(parts: tuple[bytes, ...], headers: Mapping[str, str], begins: int, ping: bytes = b": keep-alive\n\n") -> Reply:
    """A stream of server-sent events."""
    kind = {"content-type": "text/event-stream; charset=utf-8"}
    return Reply(200, parts, {**kind, **headers}, streamed=True, begins=begins, ping=ping)
