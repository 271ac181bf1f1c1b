"""Single values in the configuration: durations, numbers, URLs, addresses, credentials, and their error messages."""

import ipaddress
import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

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

from bot.core.lazy_dataclass import dataclass

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_LONGEST = timedelta(days=366)  # keeps every sum of durations well within the range of datetime
_LABEL = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?|[^\x00-\x7f]{1,63}"
)  # non-ASCII names are left to the resolver
_LEAST_SIZE = 10_000_000
LONGEST_SOCKET = 103  # bytes: macOS allows 104 for `sun_path`, including the final NUL; Linux 108
EXPANDED = r"^.*\$\{.*$"  # what editors must accept, since its value is known only after loading


def bad(message: str, remedy: str) -> PydanticCustomError:
    """An error of ours as a pydantic error; `explain` extracts message and remedy again."""
    return PydanticCustomError("config", "{message}", {"message": message, "remedy": remedy})


def require(module: str, whose: str, *, extra: str) -> None:
    """Refuse a setting whose library is missing, because it comes with an optional extra."""
    if find_spec(module) is None:
        raise bad(f"{whose} needs {module}, which is not installed", f"pip install 'understudy[{extra}]'")


def show(span: timedelta) -> str:
    """A duration as the file writes it, in the largest unit that keeps it whole: `90s`, `5m`, `2d`."""
    ms = span // timedelta(milliseconds=1)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if ms and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms" if ms else "0s"


def parse_duration(value: object) -> timedelta:
    """Parse `900ms`, `30s`, `10m`, `4h` or `2d`; anything else is an error that says how to write it."""
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
    if value is None or value in ("on_change", "never"):
        return None
    try:
        return _within(timedelta(seconds=1), _LONGEST)(parse_duration(value))
    except PydanticCustomError as error:
        context = error.context or {}
        raise bad(str(context["message"]), f"{context['remedy']}; or on_change, or never") from error


def _parse_patience(value: object) -> timedelta | None:
    if value is None or value == "never" or (value == 0 and value is not False):
        return None
    try:
        return _within(timedelta(0), _LONGEST)(parse_duration("0s" if value == "0" else value)) or None
    except PydanticCustomError as error:
        context = error.context or {}
        raise bad(str(context["message"]), f"{context['remedy']}; or never") from error


def _strict_bool(value: object) -> bool:
    if value in ("true", "false"):
        return value == "true"  # the text from an expanded ${VAR}
    if not isinstance(value, bool):
        raise bad("must be true or false", "write true or false without quotes; any other word is text")
    return value


@dataclass(frozen=True)
class Whole:
    """Metadata for a whole number within limits: `Annotated[int, Whole(1, 9)]`. Accepts digits from an expanded variable."""

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
        return {"anyOf": [limits, {"type": "string", "pattern": EXPANDED}]}


@dataclass(frozen=True)
class Real:
    """Metadata for a number within limits: `Annotated[float, Real(0, 1)]`. Also accepts digits from an expanded variable."""

    low: float
    high: float

    def check(self, value: object) -> float:
        """Return the number, or raise an error that names the limits."""
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad("must be a number", "write digits and at most one point, without quotes")
        if not self.low <= value <= self.high:  # always false for NaN
            raise bad("the number is out of range", f"from {self.low:g} to {self.high:g}")
        return float(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        limits = {"type": "number", "minimum": self.low, "maximum": self.high}
        return {"anyOf": [limits, {"type": "string", "pattern": EXPANDED}]}


def parse_size(value: object) -> int:
    """Parse `500MB` or `2GB` into bytes (powers of 1000); anything else is an error that says how to write it."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST_SIZE:
        return value  # already bytes: a default of ours
    match = re.fullmatch(r"([0-9]{1,9})(MB|GB)", value) if isinstance(value, str) else None
    if match is None:
        raise bad("not a size", "write a whole number with MB or GB, such as 500MB or 2GB")
    size = int(match[1]) * (1_000_000 if match[2] == "MB" else 1_000_000_000)
    if size < _LEAST_SIZE:
        raise bad("the size is too small", "at least 10MB")
    return size


def parse_moment(value: object) -> datetime:
    """Parse `2026-11-30T02:00:00Z`; without an offset or `Z` it would be ambiguous, which is an error."""
    if isinstance(value, datetime):
        return value
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise bad("not a moment", "write date, time and offset, such as 2026-11-30T02:00:00Z or 2026-11-30T02:00:00+01:00")
    if not 1971 <= moment.year <= 9000:
        raise bad("the moment is out of range", "years from 1971 to 9000")
    return moment


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, KeyError, OSError) as error:
        raise bad("there is no such time zone", "write a name such as UTC or Europe/Berlin") from error
    return value


def check_url(value: str) -> str:
    """Accept an absolute http or https URL with a host and without a password; anything else is an error."""
    if re.search(r"[\x00-\x20\x7f]", value):
        raise bad("the URL holds a blank or a control character", "write it without blanks, percent-encoded where needed")
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise bad("not a URL", "write it as https://host/path") from error
    if parts.scheme not in ("http", "https"):
        raise bad("the URL does not start with http:// or https://", "write it as https://host/path")
    if _port == 0:
        raise bad("no such port", "from 1 to 65535, or none")
    if not host:
        raise bad("the URL has no host", "write it as https://host/path")
    if parts.username is not None or parts.password is not None:
        raise bad("the URL carries a login", "put credentials into headers, where they are kept out of messages")
    return value


def _ping_url(value: object) -> object:
    """Anybody with this address can pretend that we are alive, so it is a secret."""
    return check_url(value.strip()) if isinstance(value, str) and value.strip() else value


def _store_url(value: object) -> object:
    """Not parsed here but when it is opened: it contains a password."""
    if not isinstance(value, str) or not value.strip():
        return value
    if not value.strip().startswith(("postgresql://", "postgres://")):
        raise bad(
            "it is not the address of a PostgreSQL database", "write postgresql://user:password@host:5432/database, or nothing"
        )
    return value.strip()


def passwords_in(address: str) -> set[str]:
    """The password in an address, both as written and decoded."""
    try:
        parts = urlsplit(address)
        written = {parts.password or "", *(value for name, value in parse_qsl(parts.query) if name == "password")}
    except ValueError:
        return set()
    return {text for one in written for text in (one, unquote(one)) if text}


def _check_public_url(value: str) -> str:
    """An address without trailing slash, query or fragment, so that paths can be appended."""
    if not value:
        return value
    parts = urlsplit(check_url(value))
    if parts.query or parts.fragment:
        raise bad("the address continues after its path", "write it as https://understudy.example.com")
    return value.rstrip("/")


def _check_origin(value: str) -> str:
    """A web page's origin as browsers send it: only scheme, host and port."""
    parts = urlsplit(check_url(value))
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise bad("an origin ends with its host or port", "write it as https://shop.example.com")
    return f"{parts.scheme}://{parts.netloc}".lower()


def check_host(value: str) -> str:
    """Accept a host name, an IPv4 address or an IPv6 address without brackets; anything more is an error."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        pass  # then it is a name
    labels = value.removesuffix(".").split(".")
    if len(value) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise bad("not a host", "write a name or an address alone, without scheme, port, path or brackets")
    return value


def check_name_server(value: str) -> str:
    """Accept an address, with a port unless it is 53: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`."""
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([0-9.]+):([0-9]{1,5})", value)
    host, port = (match[1] or match[3], match[2] or match[4] or "53") if match else (value, "53")
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise bad("not the address of a name server", "write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353") from error
    if not 0 < int(port) < 65536:
        raise bad("no such port", "from 1 to 65535")
    return value


def _network(value: object) -> object:
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    try:
        return ipaddress.ip_network(value.strip() if isinstance(value, str) else "")  # it would accept integers as addresses
    except ValueError as error:
        raise bad("not a network", "write it as 10.0.0.0/8 or fd00::/8, with the bits after the prefix zero") from error


def split_listen(value: str) -> tuple[str, int]:
    """Split `127.0.0.1:8080` or `[::1]:8080` into host and port; port 0 lets the system choose one."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", value)
    if match is None or int(match[3]) > 65535:
        raise bad("not an address to listen on", "write host:port, such as 127.0.0.1:8080 or 0.0.0.0:8080")
    return match[1] or match[2], int(match[3])


def _check_listen(value: str) -> str:
    split_listen(value)
    return value


def _check_socket(value: str) -> str:
    if value and (value[0] != "/" or value[-1] == "/" or "\0" in value or len(os.fsencode(value)) > LONGEST_SOCKET):
        raise bad(
            "not the path of a socket", f"write it from the root, at most {LONGEST_SOCKET} bytes: /run/understudy/read.sock"
        )
    return value


def _credential(value: object) -> object:
    """Credentials from files and shells often end in a newline, which is illegal in a header."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise bad("the value holds a control character", "a credential is one line of plain characters; set it again")
    return value


def _notify_url(value: object) -> object:
    value = _credential(value)
    if isinstance(value, str) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://.", value):
        raise bad("not a URL that Apprise accepts", "write it as scheme://..., such as mailto://, pagerduty:// or json://")
    require("apprise", "`notify`", extra="notify")
    return value


def _text_schema(pattern: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "anyOf": [{"pattern": pattern}, {"pattern": EXPANDED}], **more})


def _or_expanded(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, {"type": "string", "pattern": EXPANDED}]})


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
Cadence = Annotated[timedelta | None, BeforeValidator(_parse_cadence), _text_schema(r"^([0-9]+(ms|s|m|h|d)|on_change|never)$")]
Patience = Annotated[
    timedelta | None,
    BeforeValidator(_parse_patience),
    _or_expanded({"anyOf": [{"const": 0}, {"type": "string", "pattern": r"^([0-9]+(ms|s|m|h|d)|0|never)$"}]}),
]
Size = Annotated[int, BeforeValidator(parse_size), _text_schema(r"^[0-9]+(MB|GB)$", examples=["500MB", "2GB"])]
Moment = Annotated[datetime, BeforeValidator(parse_moment), _text_schema(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")]
Switch = Annotated[bool, BeforeValidator(_strict_bool), _or_expanded({"type": "boolean"})]


Host = Annotated[str, AfterValidator(check_host), _text_schema("^[^/ ]+$")]
NameServer = Annotated[str, AfterValidator(check_name_server), _text_schema("^[0-9A-Fa-f.:\\[\\]]+$")]
Port = Annotated[int, Whole(1, 65535)]
Url = Annotated[str, AfterValidator(check_url), _text_schema("^https?://")]
OptionalUrl = Annotated[Url | None, BeforeValidator(lambda value: None if value == "" else value)]
PingUrl = Annotated[SecretStr, BeforeValidator(_ping_url), WithJsonSchema({"type": "string"})]
StoreUrl = Annotated[SecretStr, BeforeValidator(_store_url), WithJsonSchema({"type": "string"})]
PublicUrl = Annotated[str, AfterValidator(_check_public_url), _text_schema("^(https?://.+)?$")]
Origin = Annotated[str, AfterValidator(_check_origin), _text_schema("^https?://.+$")]
Listen = Annotated[str, AfterValidator(_check_listen), _text_schema(r":[0-9]{1,5}$")]
SocketPath = Annotated[str, AfterValidator(_check_socket), _text_schema("^(/.*[^/])?$")]
Network = Annotated[IpNetwork, BeforeValidator(_network), WithJsonSchema({"type": "string"})]
Secret = Annotated[SecretStr, BeforeValidator(_credential), WithJsonSchema({"type": "string"})]
NotifyUrl = Annotated[SecretStr, BeforeValidator(_notify_url), WithJsonSchema({"type": "string"})]
Text = Annotated[str, StringConstraints(min_length=1)]
TimeZone = Annotated[Text, AfterValidator(_time_zone)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,16}$")]
TeamId = Annotated[str, StringConstraints(pattern=r"^(T[A-Z0-9]{2,20})?$")]
RoleName = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,20}$", to_lower=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
