"""Messages to people outside Slack, through Apprise: mail, SMS, pagers and a hundred other services."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import structlog

from bot.core.effects import ALL
from bot.ports import NotifyResult

log = structlog.get_logger(__name__)

ANSWER_WITHIN_S = 30.0  # Apprise's own timeouts are 4 s to connect and 4 s to read, for each of its requests


class AppriseNotifier:
    """Sends to every address (https://appriseit.com/services). Addresses contain secrets, so they appear nowhere."""

    def __init__(self, urls: Sequence[str], *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._urls = tuple(urls)
        self._answer_within_s = answer_within_s

    async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
        """Send at once to addresses named by number, by scheme or as `all`; returns the names of those that took it."""
        schemes = dict(enumerate(map(_scheme, self._urls), start=1))
        chosen = [n for n, scheme in schemes.items() if ALL in named or str(n) in named or scheme in named]
        known = {ALL, *map(str, schemes), *schemes.values()}
        unknown = [f"notify has no address {name!r}" for name in named if name not in known]
        answers = await asyncio.gather(*(self._send(n, self._urls[n - 1], title, body) for n in chosen))
        reached = tuple(f"{n} ({schemes[n]})" for n, trouble in zip(chosen, answers, strict=True) if not trouble)
        return NotifyResult(reached, (*unknown, *filter(None, answers)))

    async def _send(self, number: int, url: str, title: str, body: str) -> str:
        name = f"notify address {number} ({_scheme(url)})"
        try:
            async with asyncio.timeout(self._answer_within_s):
                # In a thread, since Apprise blocks, and importing it takes half a second.
                trouble = await asyncio.to_thread(_deliver, url, title, body)
        except TimeoutError:
            trouble = f"did not answer within {self._answer_within_s:.0f} s"
        if trouble:
            log.warning("an out-of-band notice was not accepted", address=name, why=trouble)
            return f"{name} {trouble}"
        return ""


def _deliver(url: str, title: str, body: str) -> str:
    """What went wrong, without the address; empty if it succeeded."""
    import apprise

    # Apprise logs addresses, with their tokens, at several levels; the caller says what matters.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    service: Any = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        return "is not an address that Apprise understands: see https://appriseit.com/services"
    try:
        taken = service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001 # a thread's root, over a hundred services; the message may contain the address
        return f"failed with {type(error).__name__}"
    return "" if taken else "did not take the notice: is it right, and is that service up?"


def _scheme(url: str) -> str:
    scheme, found, _ = url.partition("://")
    return scheme if found and scheme.isalnum() else "unreadable"
