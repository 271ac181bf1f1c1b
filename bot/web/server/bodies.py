"""Request bodies: read with size limit and deadline, strict JSON, fields extracted by name and type."""

import asyncio
import codecs
import difflib
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from pydantic_core import PydanticCustomError

from bot.config.scalars import parse_duration
from bot.web.server.errors import Refusal
from bot.web.server.packing import UnknownEncoding, pieces

E = TypeVar("E", bound=StrEnum)

KEY_HEADER = "Idempotency-Key"
DIGEST = web.RequestKey("digest", str)
DIGEST_CHARS = 32

BODY_BYTES = 64 * 1024
BODY_WITHIN_S = 10.0  # a client sending its body byte by byte would hold a connection for ever

UNREADABLE = (aiohttp.ClientError, web.RequestPayloadError, ConnectionError)  # cut off, or not compressed as declared

# Never needed in titles or texts: control characters except newline and tab, and lone surrogates, which no store accepts.
_PERCENT = re.compile(r"([0-9]{1,3})\s*%?")
_WHOLE = re.compile(r"[1-9][0-9]{0,8}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


async def read_json(request: web.Request, most: int = BODY_BYTES) -> Any:
    """The body as strict JSON, at most `most` bytes, None if empty; raises Refusal 400 or 413.

    Sets `request[DIGEST]`, which is the same for the same fields, whatever their order and the spaces between them.
    """
    data = parsed(await read_bytes(request, most))
    if KEY_HEADER in request.headers:
        request[DIGEST] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:DIGEST_CHARS]
    return data


def parsed(raw: bytes) -> Any:
    """A body as strict JSON, None if empty; raises Refusal 400."""
    if not raw.strip():
        return None
    try:
        return _STRICT.decode(raw.removeprefix(codecs.BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        raise Refusal(400, "The body is not UTF-8.", remedy="Send a JSON object in UTF-8.", code="PARSE_ERROR") from error
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise Refusal(400, f"The body is not JSON: {why}.", remedy="Send a JSON object.", code="PARSE_ERROR") from error


async def read_bytes(request: web.Request, most: int = BODY_BYTES, *, unpack: bool = True) -> bytes:
    """The body, unpacked unless it is wanted as it was sent, of at most `most` bytes; raises Refusal 400, 408, 413 or 415."""
    too_large = Refusal(413, "The body is too large.", remedy=f"At most {most} bytes.")
    if (request.content_length or 0) > most:
        raise too_large
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for piece in pieces(request) if unpack else request.content.iter_any():
                found += piece
                if len(found) > most:
                    raise too_large
    except TimeoutError as error:
        raise Refusal(408, "The body did not arrive in time.", remedy="Send it at once.") from error
    except UnknownEncoding as error:
        text = f"A body that is packed with {str(error)[:40]!r} is not understood here."
        raise Refusal(415, text, remedy="Send it as it is, or with gzip.", code="PARSE_ERROR") from error
    except UNREADABLE as error:
        raise Refusal(400, "The body could not be read.", remedy="Send it whole and unpacked.", code="PARSE_ERROR") from error
    return bytes(found)


class Fields:
    """The fields of a JSON object, each requested once; `done` refuses any that were not."""

    def __init__(self, data: Any) -> None:
        if data is not None and not isinstance(data, Mapping):
            raise Refusal(400, "The body must be a JSON object.", remedy='Send something like {"text": "..."}.')
        self._data: Mapping[str, Any] = data or {}
        self._asked: list[str] = []

    def text(self, name: str, most: int, *, needed: bool = False) -> str:
        """A string, stripped, at most `most` characters."""
        value = self._take(name)
        if value is None:
            value = ""
        if not isinstance(value, str):
            raise Refusal(400, f"{name} must be a string.", field=name, remedy=f'Send "{name}": "...".')
        value = value.strip()
        if needed and not value:
            raise Refusal(400, f"{name} is missing.", field=name, remedy=f'Send "{name}": "...".')
        if len(value) > most:
            raise Refusal(400, f"{name} is too long.", field=name, remedy=f"At most {most} characters.")
        if _UNPRINTABLE.search(value):
            raise Refusal(400, f"{name} holds control characters.", field=name, remedy="Send plain text.")
        return value

    def texts(self, name: str, known: Sequence[str]) -> tuple[str, ...]:
        """A list of strings, each one of `known`; empty if missing."""
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Refusal(400, f"{name} must be a list of strings.", field=name, remedy=f'Send "{name}": ["..."].')
        for item in value:
            if item not in known:
                text = f"{name} names {item[:100]!r}, which is not known here."
                raise Refusal(400, text, field=name, remedy=nearest(item, known))
        return tuple(dict.fromkeys(value))

    def names(self, name: str, meant: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
        """Everything meant by a list of names, each once; `meant` returns what a name means, nothing if it is unknown."""
        value = self._take(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Refusal(400, f"{name} must be a list of strings.", field=name, remedy=f'Send "{name}": ["..."].')
        found = [(item, meant(item[:100])) for item in value]
        if unknown := next((item for item, ids in found if not ids), None):
            text = f"{name} names {unknown[:100]!r}, which is not known here."
            raise Refusal(400, text, field=name, remedy="Name it by id or by name, as for `/health`.")
        return tuple(dict.fromkeys(id for _, ids in found for id in ids))

    def choice(self, name: str, kind: type[E], *, default: E | None = None) -> E:
        """A value of an enum, in any case; required unless it has a default."""
        return kind(self.one_of(name, [member.value for member in kind], default=default))

    def one_of(self, name: str, known: Sequence[str], *, default: str | None = None) -> str:
        """One of the known words, in any case; required unless it has a default."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        found = next((word for word in known if isinstance(value, str) and word.lower() == value.strip().lower()), None)
        if found is None:
            text = f"{name} is missing." if value is None else f"{name} is not one of the known values."
            raise Refusal(400, text, field=name, remedy=f"One of: {', '.join(known)}.")
        return found

    def truth(self, name: str) -> bool:
        """true or false; false if missing."""
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            raise Refusal(400, f"{name} must be true or false.", field=name, remedy=f'Send "{name}": true.')
        return bool(value)

    def whole(self, name: str) -> int:
        """A positive whole number, also as text; required."""
        value = self._take(name)
        text = str(value) if type(value) is int or isinstance(value, str) else ""
        if not _WHOLE.fullmatch(text):
            wrong = "is missing" if value is None else "is not a whole number"
            raise Refusal(400, f"{name} {wrong}.", field=name, remedy=f'Send "{name}": 3.')
        return int(text)

    def percent(self, name: str, *, needed: bool = False) -> int:
        """1 to 100, also as text with a percent sign; 100 if missing, unless it is required."""
        value = self._take(name)
        if value is None and not needed:
            return 100
        match = _PERCENT.fullmatch(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
        if match is None or not 1 <= int(match[1]) <= 100:
            wrong = "is missing" if value is None else "is not a share"
            raise Refusal(400, f"{name} {wrong}.", field=name, remedy=f'Send "{name}": 25, in percent from 1 to 100.')
        return int(match[1])

    def duration(self, name: str) -> timedelta | None:
        """A positive duration as in the configuration (`90s`, `2h`); None if missing."""
        value = self._take(name)
        if value is None:
            return None
        try:
            span = parse_duration(value)
        except PydanticCustomError as error:
            context = error.context or {}
            text = f"{name}: {context.get('message', 'not a duration')}."
            raise Refusal(400, text, field=name, remedy=f"{context.get('remedy', 'write 30m or 2h')}.") from error
        if span <= timedelta(0):
            raise Refusal(400, f"{name} must be above zero.", field=name, remedy="Write 30m or 2h.")
        return span

    def moment(self, name: str) -> datetime | None:
        """A time in ISO 8601, UTC unless it names a zone; None if missing."""
        value = self._take(name)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
            if found is None:
                raise ValueError("not a string")
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            remedy = 'Write "2026-03-20T14:00Z", or with another zone "2026-03-20T15:00+01:00".'
            raise Refusal(400, f"{name} is not a time.", field=name, remedy=remedy) from error

    def done(self) -> None:
        """Refuse unknown fields: a misspelt one would be silently ignored."""
        for name in self._data:
            if name not in self._asked:
                text = f"There is no field {name[:100]!r} here."
                remedy = nearest(name, self._asked) if self._asked else "This request takes no fields."
                raise Refusal(400, text, field=name[:100], remedy=remedy)

    def _take(self, name: str) -> Any:
        self._asked.append(name)
        return self._data.get(name)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant)


def nearest(word: str, known: Sequence[str]) -> str:
    """What to write instead of an unknown word."""
    near = difflib.get_close_matches(word[:100], known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known)) or 'none'}."
