"""Services' reports on their requests: `POST /api/v1/outcomes`, in batches, each counted once by its key."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from bot.core.outcomes.counts import Counts, Route
from bot.core.outcomes.known import Known
from bot.core.outcomes.outcome import AHEAD, Outcome, error_kind, make_outcome, untimely
from bot.core.policy import Policy
from bot.outcomes.intake import IntakeResult
from bot.web.api.carrying_out import key_reused, signal_id
from bot.web.api.reads import NO_STORE
from bot.web.server.auth import presented
from bot.web.server.bodies import DIGEST, nearest, read_json
from bot.web.server.errors import Refusal, answer_json
from bot.web.services import SERVICES

OUTCOMES = "/api/v1/outcomes"
OUTCOMES_BYTES = 256 * 1024
MOST_OUTCOMES = 1_000
MOST_COUNT = 1_000_000
LONGEST_MS = 24 * 3_600_000.0
MOST_NAMED = 20
MOST_MINUTES = 1_440
FIELDS = ("service", "flag", "variant", "provider", "ok", "error", "latency_ms", "count", "at")

_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@-]{0,63}", re.ASCII)
_MINUTES = re.compile(r"[0-9]{1,4}", re.ASCII)


class KnownNames:
    """The names that outcomes may use, rebuilt when the policy changes."""

    def __init__(self) -> None:
        self._of: Policy | None = None
        self._known = Known({}, {})

    def of(self, policy: Policy) -> Known:
        """The names that this policy knows."""
        if self._of is not policy:
            self._of, self._known = policy, Known.of(policy)
        return self._known


NAMES = web.AppKey("names", KnownNames)


async def outcomes(request: web.Request) -> web.Response:
    """Receive one batch. An error rejects all of it; reports of another day or of the future are skipped and listed."""
    services = request.app[SERVICES]
    intake, now = services.hooks.outcomes, services.clock.now()
    if intake is None:
        raise web.HTTPNotFound
    key = signal_id(request) if "Idempotency-Key" in request.headers else ""
    entries = _entries(await read_json(request, OUTCOMES_BYTES))
    known = request.app[NAMES].of(services.engine.policy)
    taken: list[Outcome] = []
    refused: dict[str, list[int]] = defaultdict(list)
    for index, entry in enumerate(entries):
        outcome = _read(entry, index, known, now)
        if why := untimely(outcome.at, now):
            refused[why].append(index)
        else:
            outcome.at = min(outcome.at, now)
            taken.append(outcome)
    match await intake.take(taken, sender=presented(request), key=key, digest=request.get(DIGEST, "")):
        case IntakeResult.FULL:
            raise too_much()
        case IntakeResult.OTHER:
            raise key_reused("Nothing was counted.")
        case IntakeResult.BEFORE:
            data = {"ok": True, "text": "These were counted before.", "taken": 0, "refused": {}, "repeated": True}
            return answer_json(data, headers=NO_STORE)
    return _told(len(taken), refused)


async def recent_outcomes(request: web.Request) -> web.Response:
    """What was reported in the last minutes: `?minutes=60`, up to a day."""
    services = request.app[SERVICES]
    given = request.query.get("minutes", "60")
    minutes = int(given) if _MINUTES.fullmatch(given) else 0
    if not 1 <= minutes <= MOST_MINUTES:
        raise Refusal(400, "minutes is not a whole number from 1 to 1440.", field="minutes", remedy="Write ?minutes=60.")
    now = services.clock.now()
    since = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes - 1)
    sums: dict[Route, Counts] = defaultdict(Counts)
    for one in await services.samples.outcomes.between(since, now):
        sums[one.route].add(one.counts)
    rows = [_row(route, counts) for route, counts in sorted(sums.items())]
    return answer_json({"since": since.isoformat(), "until": now.isoformat(), "outcomes": rows}, headers=NO_STORE)


def _row(route: Route, counts: Counts) -> dict[str, Any]:
    latency = {f"p{share}": counts.latency_ms(share / 100) for share in (50, 95)}
    return {
        **route._asdict(),
        "ok": counts.ok,
        "failed": counts.failed,
        "errors": counts.errors,
        "latency_ms": {name: None if value is None else round(value, 1) for name, value in latency.items()},
    }


def too_much() -> Refusal:
    """Earlier batches are still waiting for the disk."""
    text = "Earlier outcomes are not saved yet, and there is no room for more. None of these was accepted."
    return Refusal(
        503, text, remedy="Send it again in some seconds, with the same Idempotency-Key.", headers={"Retry-After": "5"}
    )


def _entries(data: Any) -> list[Any]:
    remedy = 'Send {"outcomes": [{"service": "support-chat", "ok": true}]}.'
    if not isinstance(data, Mapping) or not isinstance(data.get("outcomes"), list):
        raise Refusal(400, "There is no list of outcomes.", field="outcomes", remedy=remedy)
    if more := [name for name in data if name != "outcomes"]:
        raise Refusal(400, f"There is no field {more[0][:100]!r} here.", field=more[0][:100], remedy=remedy)
    entries: list[Any] = data["outcomes"]
    if len(entries) > MOST_OUTCOMES:
        remedy = f"At most {MOST_OUTCOMES} in one request; `count` says that several went alike."
        raise Refusal(413, f"There are {len(entries)} outcomes.", field="outcomes", remedy=remedy)
    return entries


class _Wrong(Exception):  # noqa: N818 # becomes the refusal of an entry
    def __init__(self, name: str, text: str, remedy: str) -> None:
        super().__init__(text)
        self.name, self.text, self.remedy = name, text, remedy


def _read(entry: Any, index: int, known: Known, now: datetime) -> Outcome:
    try:
        return _outcome(entry, known, now)
    except _Wrong as wrong:
        field = f"outcomes[{index}].{wrong.name}" if wrong.name else f"outcomes[{index}]"
        raise Refusal(400, f"{field} {wrong.text}. Nothing was taken.", field=field, remedy=wrong.remedy) from wrong


def _outcome(entry: Any, known: Known, now: datetime) -> Outcome:
    if not isinstance(entry, dict):
        raise _Wrong("", "is not a JSON object", 'Send {"service": "support-chat", "ok": true}.')
    for name in entry:
        if name not in FIELDS:
            raise _Wrong(name[:100], "is not a field of an outcome", nearest(name, FIELDS))
    ok = entry.get("ok")
    if not isinstance(ok, bool):
        raise _Wrong("ok", "must be true or false", 'Send "ok": true where the customer was served.')
    error = "" if ok else error_kind(_text(entry, "error"))
    count = entry.get("count", 1)
    if type(count) is not int or not 1 <= count <= MOST_COUNT:
        raise _Wrong("count", "is not a whole number from 1 to a million", "Say how many requests went like this.")
    return make_outcome(_at(entry, now), _route(entry, known), ok=ok, count=count, error=error, latency_ms=_latency(entry))


def _route(entry: Mapping[str, Any], known: Known) -> Route:
    service, flag, variant, provider = (_text(entry, name) for name in ("service", "flag", "variant", "provider"))
    if not _SERVICE.fullmatch(service):
        remedy = "Up to 64 letters, digits, spaces and . _ - : / @, such as support-chat."
        raise _Wrong("service", "is missing" if not service else "is not a valid name", remedy)
    if flag and flag not in known.flags:
        raise _Wrong("flag", f"names {flag[:100]!r}, which is not configured", nearest(flag, tuple(known.flags)))
    if variant and not flag:
        raise _Wrong("variant", "needs the flag that it belongs to", 'Send "flag" too.')
    if variant and variant not in known.flags[flag].variants:
        text = f"names {variant[:100]!r}, which is not a variant of {flag}"
        raise _Wrong("variant", text, nearest(variant, tuple(known.flags[flag].variants)))
    meant = known.provider(provider) if provider else known.provider_of(flag, variant)
    if meant is None:
        remedy = nearest(provider, tuple(known.providers))
        raise _Wrong("provider", f"names {provider[:100]!r}, which is not configured", remedy)
    return Route(service, flag, variant, meant)


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Wrong(name, "must be a string", f'Send "{name}": "...".')
    return value.strip()


def _latency(entry: Mapping[str, Any]) -> float | None:
    value = entry.get("latency_ms")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_MS:
        raise _Wrong("latency_ms", "is not a duration in milliseconds", "Send a number from 0 to 86400000.")
    return float(value)


def _at(entry: Mapping[str, Any], now: datetime) -> datetime:
    value = entry.get("at")
    if value is None:
        return now
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        else:
            raise TypeError
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        raise _Wrong("at", "is not a time", 'Send "2026-03-20T14:00:00Z", or seconds since 1970.') from None


def _told(taken: int, refused: Mapping[str, list[int]]) -> web.Response:
    """The counted and rejected entries."""
    text = f"{taken} taken"
    if refused:
        over = sum(map(len, refused.values()))
        text += f", {over} passed over: more than a day old, or more than {AHEAD.seconds} s ahead of this machine's clock"
    reasons = {why: {"count": len(found), "entries": found[:MOST_NAMED]} for why, found in sorted(refused.items())}
    data = {"ok": True, "text": f"{text}.", "taken": taken, "refused": reasons, "repeated": False}
    return answer_json(data, headers=NO_STORE)
