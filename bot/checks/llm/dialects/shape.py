"""What all dialects share: the check, the request that it becomes, and what an answer says. Pure values."""

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
ROOM_FOR_AN_ANSWER = 64  # tokens, where an answer is expected and no limit is set


@dataclass(frozen=True)
class LlmCheck:
    """One short question to one model. Keys and headers stay out of its repr.

    `rung` is how far it goes: one streamed inference, a count of tokens, or the free list of models. `answer` is text that a
    completion must hold (whatever the case), or a `/regular expression/`. `under`, `first_token_under` and `tokens_per_second`
    make a good answer SLOW. Spans and the deadline are domain time. `url` may be empty for bedrock, which has one by region.
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
    more: Mapping[str, Any] = field(default_factory=dict)  # what the dialect's request holds besides, such as tools

    def room(self, least: int = 1) -> int:
        """How many tokens may be answered: what is set, else as few as will do; never fewer than the dialect takes."""
        return max(least, self.max_tokens or (ROOM_FOR_AN_ANSWER if self.answer else least))


@dataclass(frozen=True)
class Asked:
    """A request. Headers hold the key."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Event:
    """One event of a stream: its name (empty where the dialect has none), its text, and the JSON in it (None if it is none)."""

    name: str
    text: str
    payload: Any = None


@dataclass(frozen=True)
class Said:
    """What an event tells, in every dialect's stead; what it does not tell is empty.

    `complete` is the provider's own end mark; `last` says that nothing worth waiting for follows. `known` is False for events
    of a shape that is not documented. `error` is the error object as it came.
    """

    text: str = ""
    thought: str = ""
    stop: str = ""
    complete: bool = False
    last: bool = False
    model: str = ""
    tool: str = ""  # the name of one that is called
    arguments: str = ""  # a piece of what it is called with
    tokens_in: int | None = None
    tokens_cached: int | None = None  # of `tokens_in`, those that were read from a cache
    tokens_out: int | None = None
    unseen: int = 0  # of `tokens_out`, those that were thought and not streamed
    error: Any = None
    known: bool = True


UNKNOWN = Said(known=False)


class Frames(Protocol):
    """Cuts a body into events. Raises httpx.RemoteProtocolError with a `failure` for what is no such stream."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that this piece completes."""

    def finish(self) -> list[Event]:
        """What is left when the body has ended."""


@dataclass(frozen=True)
class Dialect:
    """How one provider is spoken to. `counted` is None where tokens cannot be counted without an inference.

    `ran_out` knows the refusals that only mean that the answer's room was too small: the model did run.
    """

    name: Name
    asked: Callable[[LlmCheck, Rung, datetime], Asked]
    said: Callable[[Event], Said]
    lists: Callable[[Any], bool]
    frames: Callable[[], Frames]
    counted: Callable[[Any], int | None] | None = None
    ran_out: Callable[[int, bytes], bool] = lambda status, body: False


def at_path(base: str, path: str, version: str = "", **query: str) -> str:
    """An address under `base`. `version` (`/v1`) is put in between unless the base ends with it already."""
    parts = urlsplit(base)
    root = parts.path.rstrip("/")
    if version and not root.endswith(version):
        root += version
    asked = "&".join(part for part in (parts.query, urlencode(query)) if part)
    return urlunsplit((parts.scheme, parts.netloc, root + path, asked, ""))


def in_path(name: str) -> str:
    """A model's name as one segment of a path."""
    return quote(name, safe="")


def posted(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked:
    """A POST of JSON."""
    content = json.dumps(body, separators=(",", ":")).encode()
    return Asked("POST", url, {"content-type": "application/json", **headers}, content)


def with_more(body: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A request with what `more` adds; an object that both have is joined."""
    joined = {key: {**body[key], **value} for key, value in more.items() if isinstance(body.get(key), dict)}
    return {**body, **more, **joined}


def parsed(text: str | bytes) -> Any:
    """The JSON in a text; None where there is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def obj(value: Any) -> dict[str, Any]:
    """The value where it is an object, else an empty one: providers' answers are not trusted to have their shape."""
    return value if isinstance(value, dict) else {}


def first(value: Any) -> dict[str, Any]:
    """The first object of a list, else an empty one."""
    return obj(value[0]) if isinstance(value, list) and value else {}


def text_of(value: Any) -> str:
    """The value where it is a text, else nothing."""
    return value if isinstance(value, str) else ""


def count_of(value: Any) -> int | None:
    """The value where it is a whole number that can count something, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
