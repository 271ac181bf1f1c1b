"""The HTTP check, and what its answer must be like."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, WithJsonSchema, field_validator

from bot.config.checks.base import CheckBase, Part
from bot.config.checks.json_rules import parse_expectation
from bot.config.scalars import OptionalUrl, PositiveSpan, Secret, Switch, Text, Url, Whole, bad

_SCHEMES = {"", "bearer", "basic", "token", "apikey", "key", "digest"}  # what remains of a header when its secret is missing
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 token


def _one_status(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[1-5]xx", value):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{3}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise bad("not an HTTP status", "write a number such as 200, or a class such as 2xx")
    return value


def _statuses(value: object) -> object:
    found = tuple(_one_status(one) for one in (value if isinstance(value, list | tuple) else [value]))
    if not found:
        raise bad("no status is expected", "name at least one, such as 200 or 2xx")
    return found


def _check_names(headers: dict[str, Any]) -> dict[str, Any]:
    seen: dict[str, str] = {}
    for name in headers:
        if not _HEADER.fullmatch(name):
            raise bad(f"{name[:100]!r} is not a header name", "letters, digits and hyphens only")
        if name.lower() in seen:
            raise bad(f"the header {name} is given twice, as {seen[name.lower()]} and {name}", "keep one of them")
        seen[name.lower()] = name
    return headers


def check_pattern(value: str) -> str:
    """Accept a regular expression; if it does not compile, the error says where."""
    import regex  # loaded only for a pattern: a start without any need not wait for it

    try:
        regex.compile(value)
    except regex.error as error:
        raise bad(f"not a pattern: {error}", "write a regular expression, and put it in single quotes") from error
    except (RecursionError, MemoryError) as error:
        raise bad("not a pattern that can be read: it is nested too deeply", "write a shorter one") from error
    return value


def _json_rule(value: str) -> str:
    try:
        parse_expectation(value)
    except ValueError as error:
        raise bad(f"not a comparison: {error}", "put it in quotes: \"$.status == 'ok'\"") from error
    return value


_STATUS_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string"}]}
Statuses = Annotated[
    tuple[int | str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [*_STATUS_SCHEMA["anyOf"], {"type": "array", "items": _STATUS_SCHEMA, "minItems": 1}]}),
]
Headers = Annotated[dict[str, Secret], AfterValidator(_check_names)]
Pattern = Annotated[Text, AfterValidator(check_pattern)]
HeaderPatterns = Annotated[dict[str, Pattern], AfterValidator(_check_names)]
JsonRule = Annotated[Text, AfterValidator(_json_rule)]


class Expect(Part):
    """What an answer must be like."""

    status: Statuses = Field(
        default=("2xx",), description="Statuses that count as good: a number, a class such as 2xx, or a list of both."
    )
    under: PositiveSpan | None = Field(default=None, description="An answer that takes longer than this counts as slow.")
    header: HeaderPatterns = Field(
        default={}, description="Headers that the answer must have, each with a pattern that its value must match."
    )
    contains: Text | None = Field(default=None, description="Text that must occur in the body of the answer.")
    excludes: Text | None = Field(default=None, description="Text that must not occur in the body.")
    matches: Pattern | None = Field(default=None, description="Regular expression that must occur in the body.")
    json_rules: tuple[JsonRule, ...] = Field(
        default=(), alias="json", description="Comparisons that the body's JSON must meet, such as `$.status == 'ok'`."
    )

    def accepts(self, status: int) -> bool:
        """Whether a status counts as good."""
        return status in self.status or f"{status // 100}xx" in self.status


_USUAL = Expect()  # one instance for all: ten thousand are heavy, and it is immutable


class HttpCheck(CheckBase):
    """One HTTP request, judged by status, duration, headers and body."""

    type: Literal["http"] = Field(default="http", description="`http`")
    url: Url = Field(description="Address to ask, http or https.")
    method: Literal["GET", "POST", "HEAD", "PUT"] = Field(default="GET", description="`GET`, `POST`, `HEAD` or `PUT`.")
    headers: Headers = Field(
        default={}, description="Headers to send. Values are kept out of logs and messages; an empty one turns the check off."
    )
    body: str | None = Field(default=None, repr=False, description="Text to send as the body.")
    json_body: Any = Field(
        default=None,
        alias="json",
        repr=False,
        description="Value to send as a JSON body, instead of `body`; kept as it is written.",
    )
    expect: Expect = Field(default_factory=lambda: _USUAL, description="What the answer must be like.")
    redirects: Annotated[int, Whole(0, 5)] = Field(
        default=0, description="How many redirects to follow, 0 to 5; each address is checked again."
    )
    http2: Switch = Field(default=False, description="Whether HTTP/2 is offered.")
    reuse: Switch = Field(
        default=False, description="Whether to keep the connection for the next run; a new one finds more faults."
    )
    proxy: OptionalUrl = Field(default=None, description="Proxy to go through, `http://host:port`.")

    @field_validator("json_body")
    @classmethod
    def _one_body(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("body") is not None:
            raise bad("both body and json are given", "keep one of them")
        return value

    @property
    def missing_credential(self) -> str | None:
        """The first header whose value is empty, or only a scheme before a credential, such as `Bearer`."""
        for name, value in self.headers.items():
            if value.get_secret_value().strip().lower() in _SCHEMES:
                return f"headers.{name}"
        return None

    @property
    def slow_over(self) -> timedelta | None:
        """Its own limit."""
        return self.expect.under

    @property
    def target(self) -> str:
        """Its host."""
        return urlsplit(self.url).netloc

    @property
    def address(self) -> str:
        """Its URL."""
        return self.url

    def secrets(self) -> tuple[SecretStr, ...]:
        """The values of its headers, except harmless ones."""
        return tuple(value for name, value in self.headers.items() if name.lower() not in HARMLESS_HEADERS)


def plain(headers: Headers) -> dict[str, str]:
    """Headers in the form in which they are sent."""
    return {name: value.get_secret_value() for name, value in headers.items()}


HARMLESS_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "content-type", "user-agent", "anthropic-version"}
)
