"""What all dialects share: the check, the request made from it, and the content of an answer. Pure values."""

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from bot.checks.llm.budget import USUAL, Budget
from bot.core.lazy_dataclass import dataclass

Name = Literal["anthropic", "openai", "azure", "gemini", "bedrock"]
Rung = Literal["inference", "tokens", "free"]
ROOM_FOR_AN_ANSWER = 64  # tokens, if an answer is expected and no limit is set


@dataclass(frozen=True)
class LlmCheck:
    """One short question to one model. Keys and headers are not in the repr.

    `rung` is how far it goes: one streamed inference, a token count, or the free list of models. `answer` is text that a
    completion must contain (in any case), or a `/regular expression/`. `under`, `first_token_under` and `tokens_per_second`
    make a good answer SLOW. Spans and the deadline are in domain time. `url` may be empty for bedrock, which has one per
    region.
    """

    id: str
    component: str
    dialect: Name
    url: str
    model: str
    api_key: str = field(default="", repr=False)
    api: Literal["chat", "responses"] = "chat"
    rung: Rung = "inference"
    prompt: str = "ping"
    max_tokens: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str | None = None
    region: str | None = None
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    under: timedelta | None = None
    first_token_under: timedelta | None = None
    answer: str | None = None
    tokens_per_second: float | None = None
    budget: Budget = USUAL
    every: timedelta = timedelta(seconds=60)
    deadline: timedelta = timedelta(seconds=30)
    more: Mapping[str, Any] = field(default_factory=dict)  # further fields of the dialect's request, such as tools

    def room(self, least: int = 1) -> int:
        """The limit of answer tokens: as configured, else as few as possible; at least the dialect's minimum."""
        return max(least, self.max_tokens or (ROOM_FOR_AN_ANSWER if self.answer else least))


@dataclass(frozen=True)
class LlmRequest:
    """A request. Headers contain the key."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Event:
    """One event of a stream: its name (empty if the dialect has none), its text, and its JSON (None if it is not JSON)."""

    name: str
    text: str
    payload: Any = None


@dataclass(frozen=True)
class EventContent:
    """The content of an event, in the same form for every dialect; fields it does not have are empty.

    `complete` is the provider's own end mark; `last` means that nothing worth waiting for follows. `known` is False for events
    of an undocumented shape. `error` is the unmodified error object.
    """

    text: str = ""
    thought: str = ""
    stop: str = ""
    complete: bool = False
    last: bool = False
    model: str = ""
    tool: str = ""  # name of the tool called
    arguments: str = ""  # a piece of its arguments
    tokens_in: int | None = None
    tokens_cached: int | None = None  # of `tokens_in`, those read from a cache
    tokens_out: int | None = None
    unseen: int = 0  # of `tokens_out`, reasoning tokens that were not streamed
    error: Any = None
    known: bool = True


UNKNOWN = EventContent(known=False)


class Frames(Protocol):
    """Splits a body into events. Raises httpx.RemoteProtocolError with a `failure` if it is not such a stream."""

    def feed(self, data: bytes) -> list[Event]:
        """The events completed by this piece."""

    def finish(self) -> list[Event]:
        """What is left at the end of the body."""


@dataclass(frozen=True)
class Dialect:
    """How to talk to one provider. `counted` is None if tokens cannot be counted without an inference.

    `ran_out` recognizes refusals that only mean that the answer had too little room: the model did run.
    """

    name: Name
    asked: Callable[[LlmCheck, Rung, datetime], LlmRequest]
    said: Callable[[Event], EventContent]
    lists: Callable[[Any], bool]
    frames: Callable[[], Frames]
    counted: Callable[[Any], int | None] | None = None
    ran_out: Callable[[int, bytes], bool] = lambda status, body: False


def at_path(base: str, path: str, version: str = "", **query: str) -> str:
    """An address under `base`. `version` (`/v1`) is inserted unless the base already ends with it."""
    parts = urlsplit(base)
    root = parts.path.rstrip("/")
    if version and not root.endswith(version):
        root += version
    asked = "&".join(part for part in (parts.query, urlencode(query)) if part)
    return urlunsplit((parts.scheme, parts.netloc, root + path, asked, ""))


def in_path(name: str) -> str:
    """A model's name as a single path segment."""
    return quote(name, safe="")


def posted(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> LlmRequest:
    """A POST request with JSON."""
    content = json.dumps(body, separators=(",", ":")).encode()
    return LlmRequest("POST", url, {"content-type": "application/json", **headers}, content)


def with_more(body: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A request with the additions in `more`; objects in both are merged."""
    joined = {key: {**body[key], **value} for key, value in more.items() if isinstance(body.get(key), dict)}
    return {**body, **more, **joined}


def parsed(text: str | bytes) -> Any:
    """The parsed JSON of a text; None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def obj(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one: providers' answers are not trusted to have the right shape."""
    return value if isinstance(value, dict) else {}


def first(value: Any) -> dict[str, Any]:
    """The first object of a list, else an empty one."""
    return obj(value[0]) if isinstance(value, list) and value else {}


def text_of(value: Any) -> str:
    """The value if it is text, else ""."""
    return value if isinstance(value, str) else ""


def count_of(value: Any) -> int | None:
    """The value if it is a non-negative whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
