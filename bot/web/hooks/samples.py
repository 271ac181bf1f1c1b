"""Samples measured by another Understudy: signed, fresh, each batch once, and only about known checks."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiohttp import web

from bot.core.model import Sample
from bot.vantage.signing import FRESH_FOR, SIGNATURE_HEADER, TIMESTAMP_HEADER, distrust, distrust_headers
from bot.vantage.wire import BATCH_BYTES, Batch, WireError, unpack
from bot.web.api.reads import NO_STORE
from bot.web.server.bodies import read_bytes
from bot.web.server.errors import Refusal, answer_json
from bot.web.services import SERVICES, Hooks

SAMPLES = "/hooks/samples/{peer}"
OLDEST = timedelta(hours=1)  # older results of a check say nothing about now
MOST_NAMED = 20

log = structlog.get_logger(__name__)


async def samples(request: web.Request) -> web.Response:
    """Receive one batch; the answer counts accepted samples and lists the others.

    401 unless it is signed now, with the secret of the peer in the path; 400 if it is signed but is not a batch of that peer's
    own, or was received before.
    """
    services, peer = request.app[SERVICES], request.match_info["peer"]
    now, hooks = services.clock.now(), services.hooks
    intake = hooks.intake
    body = await _trusted(request, hooks.peers.get(peer, "") if intake else "", now)
    try:
        batch = await asyncio.to_thread(unpack, body)  # a mebibyte takes more than 100 ms
    except WireError as error:
        raise Refusal(400, f"{error}.", remedy="Both sides should run the same version of Understudy.") from error
    if batch.vantage != peer:
        text = f"The batch is from vantage {batch.vantage[:100]!r}, but {peer[:100]!r} sent it."
        raise Refusal(400, text, field="vantage", remedy="A peer speaks for its own vantage only.")
    _not_from_the_future(batch, now)
    if intake is None or not await intake.first_sight(f"samples/{peer}/{batch.id}"):
        remedy = "Send each batch once, under an id of its own."
        raise Refusal(400, "This batch was taken before.", field="batch", remedy=remedy)
    taken, refused = _sorted_out(batch, hooks, now)
    await intake.take_samples(taken)
    return _told(peer, taken, refused)


async def _trusted(request: web.Request, secret: str, now: datetime) -> bytes:
    """The body, verified to be the peer's. Strangers learn nothing, not even which peers exist."""
    timestamp, signature = _only(request, TIMESTAMP_HEADER), _only(request, SIGNATURE_HEADER)
    trouble = distrust_headers(timestamp, signature, now)
    if not trouble:
        body = await read_bytes(request, BATCH_BYTES, unpack=False)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refusal(400, "The body is packed.", remedy="Send it as it was signed, without Content-Encoding.")
        trouble = distrust(secret, timestamp, signature, body, now)
        if not trouble:
            return body
    headers = {"WWW-Authenticate": 'Understudy realm="samples"'}
    remedy = "The secret must be the same on both sides, under `peers`, each with the other's vantage; see docs/vantage.md."
    raise Refusal(401, f"{trouble}.", remedy=remedy, headers=headers)


def _only(request: web.Request, name: str) -> str:
    """The header's value; empty if it occurs twice, since it is unclear which one was signed."""
    values = request.headers.getall(name, [])
    return values[0].strip() if len(values) == 1 else ""


def _not_from_the_future(batch: Batch, now: datetime) -> None:
    ahead = max((sample.at for sample in batch.samples), default=now)
    if ahead - now > FRESH_FOR:
        text = f"A sample is of {ahead:%Y-%m-%d %H:%M} UTC, which is still to come."
        raise Refusal(400, text, field="samples", remedy="Compare the clocks of the two machines.")


def _sorted_out(batch: Batch, hooks: Hooks, now: datetime) -> tuple[list[Sample], Counter[tuple[str, str]]]:
    """The samples to accept, oldest first, and the rejected ones: (why, which check) with their number."""
    taken: list[Sample] = []
    refused: Counter[tuple[str, str]] = Counter()
    for sample in sorted(batch.samples, key=lambda one: one.at):
        if hooks.checks.get(sample.check) != sample.component:
            refused["unknown", sample.check] += 1
        elif now - sample.at > OLDEST:
            refused["too_old", sample.check] += 1
        else:
            taken.append(sample)
    return taken, refused


def _told(peer: str, taken: Sequence[Sample], refused: Counter[tuple[str, str]]) -> web.Response:
    reasons: dict[str, Any] = {}
    for why in sorted({why for why, _ in refused}):
        of = {check: count for (because, check), count in refused.items() if because == why}
        reasons[why] = {"count": sum(of.values()), "checks": sorted(of)[:MOST_NAMED]}
    text = f"{len(taken)} taken"
    if refused:
        log.info("samples of a peer were skipped", peer=peer, taken=len(taken), refused=reasons)
        text += f", {sum(refused.values())} passed over: of checks that are not known here, or too old"
    return answer_json({"ok": True, "text": f"{text}.", "taken": len(taken), "refused": reasons}, headers=NO_STORE)
