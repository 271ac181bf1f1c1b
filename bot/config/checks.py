"""The checks that a component may have, one model per type, told apart by `type`."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from bot.config.scalars import Deadline, Every, Port, PositiveSpan, Secret, Span, Text, Url, Whole, bad

_SCHEMES = {"", "bearer", "basic", "token", "apikey", "key", "digest"}  # what is left of a header when its secret is missing
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 token


class Part(BaseModel):
    """What all parts of the configuration share: unknown keys are errors, nothing changes later, input stays out of errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


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


def _check_headers(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    seen: dict[str, str] = {}
    for name in headers:
        if not _HEADER.fullmatch(name):
            raise bad(f"{name[:100]!r} is not a header name", "letters, digits and hyphens only")
        if name.lower() in seen:
            raise bad(f"the header {name} is given twice, as {seen[name.lower()]} and {name}", "keep one of them")
        seen[name.lower()] = name
    return headers


_STATUS_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string"}]}
Statuses = Annotated[
    tuple[int | str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [*_STATUS_SCHEMA["anyOf"], {"type": "array", "items": _STATUS_SCHEMA, "minItems": 1}]}),
]
Headers = Annotated[dict[str, Secret], AfterValidator(_check_headers)]


class Expect(Part):
    """What an answer must be like."""

    status: Statuses = Field(
        default=("2xx",), description="Statuses that count as good: a number, a class such as 2xx, or a list of both."
    )
    under: PositiveSpan | None = Field(default=None, description="An answer that takes longer than this counts as slow.")
    contains: Text | None = Field(default=None, description="Text that must occur in the body of the answer.")

    def accepts(self, status: int) -> bool:
        """Whether an answer with this status counts as good."""
        return status in self.status or f"{status // 100}xx" in self.status


class CheckBase(Part):
    """What all checks share."""

    name: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,62})?$")] = Field(
        default="", description="Name within its component; without one, the type stands in, numbered."
    )
    every: Every = Field(default=timedelta(seconds=30), description="How often it runs, 100ms to 1d.")
    deadline: Deadline = Field(default=timedelta(seconds=10), description="When a run is given up, start to end, 1ms to 10m.")

    @property
    def missing_credential(self) -> str | None:
        """What is empty although the check needs it (`api_key`, `headers.x-api-key`), or None. Such a check is off."""
        return None


class HttpCheck(CheckBase):
    """One HTTP request, judged by status, duration and body."""

    type: Literal["http"] = Field(default="http", description="`http`")
    url: Url = Field(description="Where to, http or https.")
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
    expect: Expect = Field(default=Expect(), description="What the answer must be like.")

    @field_validator("json_body")
    @classmethod
    def _one_body(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("body") is not None:
            raise bad("both body and json are given", "keep one of them")
        return value

    @property
    def missing_credential(self) -> str | None:
        """The first header whose value is empty, or only the word before a credential such as `Bearer`."""
        for name, value in self.headers.items():
            if value.get_secret_value().strip().lower() in _SCHEMES:
                return f"headers.{name}"
        return None


class LlmCheck(CheckBase):
    """One short inference: the only check that sees whether a model answers."""

    type: Literal["llm"] = Field(default="llm", description="`llm`")
    dialect: Literal["anthropic", "openai", "azure", "gemini", "bedrock"] = Field(
        description="How the provider is spoken to: `anthropic`, `openai`, `azure`, `gemini` or `bedrock`."
    )
    url: Url = Field(description="Base URL of the provider's API.")
    model: Text = Field(description="Model, or deployment, to ask.")
    api_key: Secret = Field(default=SecretStr(""), description="Credential; empty turns the check off.")
    prompt: Text = Field(default="ping", description="What is asked.")
    max_tokens: Annotated[int, Whole(1, 1024)] | None = Field(
        default=None, description="Upper limit of the answer, 1 to 1024; the least that the dialect takes when not given."
    )
    every: Every = Field(default=timedelta(seconds=60), description="How often it runs, 100ms to 1d.")
    deadline: Deadline = Field(default=timedelta(seconds=30), description="When a run is given up, start to end, 1ms to 10m.")

    @property
    def missing_credential(self) -> str | None:
        """`api_key` when it is empty."""
        return None if self.api_key.get_secret_value() else "api_key"


class TcpCheck(CheckBase):
    """One TCP connection."""

    type: Literal["tcp"] = Field(default="tcp", description="`tcp`")
    host: Text = Field(description="Host name or address.")
    port: Port = Field(description="Port, 1 to 65535.")


class TlsCheck(CheckBase):
    """One TLS handshake, with the certificate verified."""

    type: Literal["tls"] = Field(default="tls", description="`tls`")
    host: Text = Field(description="Host name, also the name that the certificate must be for.")
    port: Port = Field(default=443, description="Port, 1 to 65535.")


class DnsCheck(CheckBase):
    """One look-up of a name."""

    type: Literal["dns"] = Field(default="dns", description="`dns`")
    host: Text = Field(description="Name to look up.")
    record: Literal["A", "AAAA", "CNAME", "MX", "NS", "TXT"] = Field(
        default="A", description="Kind of record: `A`, `AAAA`, `CNAME`, `MX`, `NS` or `TXT`."
    )
    expect: tuple[Text, ...] = Field(default=(), description="Answers of which one must come; any answer is good when empty.")


class HeartbeatCheck(CheckBase):
    """A sign of life that something else sends; its absence is the failure."""

    type: Literal["heartbeat"] = Field(default="heartbeat", description="`heartbeat`")
    every: Every = Field(default=timedelta(seconds=60), description="How often a sign of life is due, 100ms to 1d.")
    grace: Span = Field(default=timedelta(seconds=60), description="How much later than due it may come.")


Check = Annotated[HttpCheck | LlmCheck | TcpCheck | TlsCheck | DnsCheck | HeartbeatCheck, Field(discriminator="type")]

CHECK_MODELS: dict[str, type[CheckBase]] = {
    "http": HttpCheck,
    "llm": LlmCheck,
    "tcp": TcpCheck,
    "tls": TlsCheck,
    "dns": DnsCheck,
    "heartbeat": HeartbeatCheck,
}
