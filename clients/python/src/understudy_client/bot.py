"""Asking the bot for all flags over HTTP, within limits of time and size."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from understudy_client.flags import VERSION, Stream

PATH = f"/ofrep/v1/evaluate/flags?rules={VERSION}"
WAIT_S = 1.0  # to connect, and for each next piece of an answer
WHOLE_S = 5.0  # for an answer that comes in drops
MOST_BYTES = 8 * 1024 * 1024
LONGEST_PAUSE_S = 30.0
IDLE_STREAM_S = 45.0  # three of the pings that keep a stream alive
USER_AGENT = "understudy-client/0.1.0 python"


class BotError(Exception):
    """The bot gave no flags; the sentence says why. `pause_s` is how long it asked us to wait, if it did."""

    def __init__(self, sentence: str, pause_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.pause_s = pause_s


@dataclass(frozen=True)
class Received:
    """An answer of the bot, not yet understood."""

    text: str
    etag: str


class Bot:
    """The bot at one address. One thread uses it at a time; after a fork, make a new one."""

    def __init__(self, url: str, token: str | None, name: str, now: Callable[[], float] = time.monotonic) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the bot's address must begin with http:// or https://, not {parts.scheme or 'nothing'!r}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("the bot's address must hold no user, query or fragment; give the token as `token=`")
        self.url = url.rstrip("/")
        self._origin = (parts.scheme, parts.netloc)
        self._now = now
        self._name = name
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        # A pool follows no redirect and no proxy: a token must not travel to an address that nobody wrote down.
        self._http = urllib3.PoolManager(num_pools=2, maxsize=2, retries=False, timeout=Timeout(connect=WAIT_S, read=WAIT_S))

    def ask(self, etag: str, read_in_drill: Mapping[str, list[str]]) -> Received | None:
        """All flags; None when they are still those of `etag`. Raises BotError."""
        headers = {**self._headers, "Content-Type": "application/json"}
        if etag:
            headers["If-None-Match"] = etag
        body = json.dumps({"context": {"targetingKey": self._name}, **read_in_drill}).encode()
        began = self._now()
        try:
            response = self._http.request(
                "POST", self.url + PATH, body=body, headers=headers, redirect=False, preload_content=False
            )
        except HTTPError as error:
            raise BotError(f"{self.url} does not answer ({_kind(error)})") from error
        try:
            if response.status == 304 and etag:
                response.drain_conn()
                return None
            return self._received(response, began)
        except HTTPError as error:
            response.close()
            raise BotError(f"an answer of {self.url} broke off ({_kind(error)})") from error
        except BotError:
            response.close()
            raise
        finally:
            response.release_conn()

    def stream(self, announced: Stream, last_event: str) -> urllib3.BaseHTTPResponse:
        """Open an announced stream of events; raises BotError. What waits in a read of it is ended by its `shutdown()`."""
        # A path is one of the bot's own, wherever a proxy has put it.
        address = self.url + announced.address if announced.address.startswith("/") else announced.address
        parts = urlsplit(address)
        if (parts.scheme, parts.netloc) != self._origin:
            raise BotError(f"{self.url} announced a stream elsewhere, which is not followed")
        headers = {**self._headers, "Accept": "text/event-stream"}
        if last_event:
            headers["Last-Event-ID"] = last_event
        try:
            response = self._http.request(
                "GET", address, headers=headers, redirect=False, preload_content=False,
                timeout=Timeout(connect=WAIT_S, read=IDLE_STREAM_S),
            )  # fmt: skip
        except HTTPError as error:
            raise BotError(f"the stream of {self.url} does not answer ({_kind(error)})") from error
        if response.status != 200 or _type(response) != "text/event-stream":
            response.close()
            raise BotError(f"the stream of {self.url} answered {response.status}, {_type(response) or 'no type'}")
        return response

    def close(self) -> None:
        """Let go of idle connections."""
        self._http.clear()

    def _received(self, response: urllib3.BaseHTTPResponse, began: float) -> Received:
        if response.status in (401, 403):
            raise BotError(f"{self.url} refuses the token ({response.status}): give one of its server.read_tokens")
        if response.status != 200:
            raise BotError(f"{self.url} answered {response.status}", _pause(response.headers.get("Retry-After", "")))
        if _type(response) != "application/json":
            raise BotError(f"{self.url} answered {_type(response) or 'no type'} instead of JSON: is that the bot's address?")
        raw = bytearray()
        while piece := response.read1(65_536):
            raw += piece
            if len(raw) > MOST_BYTES:
                raise BotError(f"{self.url} answered more than {MOST_BYTES // 1024 // 1024} MiB")
            if self._now() - began > WHOLE_S:
                raise BotError(f"an answer of {self.url} took more than {WHOLE_S:g} s")
        try:
            return Received(raw.decode(), response.headers.get("ETag", ""))
        except UnicodeDecodeError as error:
            raise BotError(f"{self.url} answered bytes that are no text") from error


def _kind(error: HTTPError) -> str:
    """The cause in one word: the library's own sentences hold addresses of memory, which would make each a new trouble."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__


def _type(response: urllib3.BaseHTTPResponse) -> str:
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _pause(retry_after: str) -> float:
    """Whole seconds only: clients that guess at dates pause for half an hour."""
    return min(float(retry_after), LONGEST_PAUSE_S) if retry_after.isascii() and retry_after.isdigit() else 0.0
