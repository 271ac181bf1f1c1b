"""The single values of the configuration: durations, numbers, URLs, addresses, credentials, and their messages."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_LONGEST = timedelta(days=366)  # keeps every sum of durations far away from what a datetime can hold
_EXPANDED = r"^.*\$\{.*$"  # what editors must let through: its value is known only when the file is loaded


def bad(message: str, remedy: str) -> PydanticCustomError:
    """An error of ours in pydantic's clothes; `explain` takes message and remedy out again."""
    return PydanticCustomError("config", "{message}", {"message": message, "remedy": remedy})


def show(span: timedelta) -> str:
    """A duration as the file writes it, in the largest unit that keeps it whole: `90s`, `5m`, `2d`."""
    ms = span // timedelta(milliseconds=1)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if ms and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms" if ms else "0s"


def parse_duration(value: object) -> timedelta:
    """Turn `900ms`, `30s`, `10m`, `4h` or `2d` into a timedelta; anything else is an error that says how to write it."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise bad("a duration needs its unit", "write a whole number with ms, s, m, h or d, such as 30s")
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise bad("not a duration", "write a whole number with ms, s, m, h or d, such as 900ms, 30s, 10m, 4h or 2d")
    digits = match[1].lstrip("0") or "0"
    if len(digits) <= 9:  # a timedelta holds at most 999999999 days
        span = timedelta(**{_UNITS[match[2]]: int(digits)})
        if span <= _LONGEST:
            return span
    raise bad("the duration is too long", f"at most {show(_LONGEST)}")


def _within(low: timedelta, high: timedelta) -> Callable[[timedelta], timedelta]:
    def check(span: timedelta) -> timedelta:
        if span < low:
            raise bad("the duration is too short", f"at least {show(low)}")
        if span > high:
            raise bad("the duration is too long", f"at most {show(high)}")
        return span

    return check


def _parse_cadence(value: object) -> timedelta | None:
    if value is None or value == "on_change":
        return None
    try:
        return _within(timedelta(seconds=1), _LONGEST)(parse_duration(value))
    except PydanticCustomError as error:
        context = error.context or {}
        raise bad(str(context["message"]), f"{context['remedy']}; or on_change") from error


def _strict_bool(value: object) -> bool:
    if value in ("true", "false"):
        return value == "true"  # what an expanded ${VAR} gives
    if not isinstance(value, bool):
        raise bad("must be true or false", "write true or false; every other word is only a word here")
    return value


@dataclass(frozen=True)
class Whole:
    """Metadata of a whole number within limits: `Annotated[int, Whole(1, 9)]`. Digits from an expanded variable count too."""

    low: int
    high: int

    def check(self, value: object) -> int:
        """Return the number, or raise an error that names the limits."""
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad("must be a whole number", "write digits only, without quotes")
        if not self.low <= value <= self.high:
            raise bad("the number is out of range", f"from {self.low} to {self.high}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        limits = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return {"anyOf": [limits, {"type": "string", "pattern": _EXPANDED}]}


def check_url(value: str) -> str:
    """Accept an absolute http or https URL with a host and without a password in it; anything else is an error."""
    if re.search(r"[\x00-\x20\x7f]", value):
        raise bad("the URL holds a blank or a control character", "write it without blanks, percent-encoded where needed")
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise bad("not a URL", "write it as https://host/path") from error
    if parts.scheme not in ("http", "https"):
        raise bad("the URL does not start with http:// or https://", "write it as https://host/path")
    if not host:
        raise bad("the URL has no host", "write it as https://host/path")
    if parts.username is not None or parts.password is not None:
        raise bad("the URL carries a login", "put credentials into headers, where they are kept out of messages")
    return value


def _network(value: object) -> object:
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    try:
        return ipaddress.ip_network(value.strip() if isinstance(value, str) else "")  # it would take numbers for addresses
    except ValueError as error:
        raise bad("not a network", "write it as 10.0.0.0/8 or fd00::/8, with the bits after the prefix zero") from error


def split_listen(value: str) -> tuple[str, int]:
    """Take `127.0.0.1:8080` or `[::1]:8080` apart into host and port; port 0 asks the system for a free one."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", value)
    if match is None or int(match[3]) > 65535:
        raise bad("not an address to listen on", "write host:port, such as 127.0.0.1:8080 or 0.0.0.0:8080")
    return match[1] or match[2], int(match[3])


def _check_listen(value: str) -> str:
    split_listen(value)
    return value


def _credential(value: object) -> object:
    """Credentials from files and shells often end in a newline, which no header may carry."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise bad("the value holds a control character", "a credential is one line of plain characters; set it again")
    return value


def _notify_url(value: object) -> object:
    value = _credential(value)
    if isinstance(value, str) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://.", value):
        raise bad("not a URL that Apprise takes", "write it as scheme://..., such as mailto://, pagerduty:// or json://")
    return value


def _text_schema(pattern: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "anyOf": [{"pattern": pattern}, {"pattern": _EXPANDED}], **more})


def _or_expanded(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, {"type": "string", "pattern": _EXPANDED}]})


_DURATION_SCHEMA = _text_schema(r"^[0-9]+(ms|s|m|h|d)$", examples=["30s", "10m"])

Span = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_within(timedelta(0), _LONGEST)), _DURATION_SCHEMA]
PositiveSpan = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_within(timedelta(milliseconds=1), _LONGEST)),
    _DURATION_SCHEMA,
]
Every = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_within(timedelta(milliseconds=100), timedelta(days=1))),
    _DURATION_SCHEMA,
]
Deadline = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_within(timedelta(milliseconds=1), timedelta(minutes=10))),
    _DURATION_SCHEMA,
]
Cadence = Annotated[timedelta | None, BeforeValidator(_parse_cadence), _text_schema(r"^([0-9]+(ms|s|m|h|d)|on_change)$")]
Switch = Annotated[bool, BeforeValidator(_strict_bool), _or_expanded({"type": "boolean"})]


Port = Annotated[int, Whole(1, 65535)]
Url = Annotated[str, AfterValidator(check_url), _text_schema("^https?://")]
OptionalUrl = Annotated[Url | None, BeforeValidator(lambda value: None if value == "" else value)]
Listen = Annotated[str, AfterValidator(_check_listen), _text_schema(r":[0-9]{1,5}$")]
Network = Annotated[IpNetwork, BeforeValidator(_network), WithJsonSchema({"type": "string"})]
Secret = Annotated[SecretStr, BeforeValidator(_credential), WithJsonSchema({"type": "string"})]
NotifyUrl = Annotated[SecretStr, BeforeValidator(_notify_url), WithJsonSchema({"type": "string"})]
Text = Annotated[str, StringConstraints(min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
