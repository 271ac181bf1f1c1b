"""/hooks/samples: samples of another Understudy are accepted when signed, fresh, new and about a known check."""

import asyncio
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs
from web_house import START, House, OpenHouse

from bot.core.model import Outcome, Sample
from bot.vantage.courier import Courier, CourierTiming, Peer
from bot.vantage.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from bot.vantage.wire import pack
from bot.web.services import Hooks

SECRET, OTHER_SECRET = "shared-with-eu-1", "shared-with-us-1"
PATH = "/hooks/samples/eu-1"
KNOWN = {"anthropic.api.models": "anthropic.api", "openai.api.models": "openai.api"}


@dataclass
class ListedIntake:
    """Keeps the samples that it is given."""

    taken: list[Sample] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    async def first_sight(self, id: str) -> bool:
        new = id not in self.seen
        self.seen.add(id)
        return new

    async def take_samples(self, samples: Sequence[Sample]) -> None:
        self.taken.extend(samples)


@pytest.fixture
def intake() -> ListedIntake:
    return ListedIntake()


@pytest.fixture
async def peered(open_house: OpenHouse, intake: ListedIntake) -> House:
    """A house with two enabled peers and a disabled one."""
    peers = {"eu-1": SECRET, "us-1": OTHER_SECRET, "off-1": ""}
    return await open_house(hooks=Hooks(intake=intake, peers=peers, checks=KNOWN))


def sample(check: str = "anthropic.api.models", component: str = "anthropic.api", **changes: Any) -> Sample:
    fields = {"at": START, "outcome": Outcome.OK, "vantage": "eu-1", "phases_ms": {"total": 120.0}, **changes}
    return Sample(check=check, component=component, **fields)


def batch(*samples: Sample, id: str = "batch-0001", vantage: str = "eu-1") -> bytes:
    return pack(id, vantage, samples or [sample()])[0]


async def post(
    http: aiohttp.ClientSession, house: House, body: bytes, sent: Mapping[str, str] | None = None, path: str = PATH
) -> tuple[int, Any]:
    headers = sign(SECRET, body, house.clock.now()) if sent is None else sent
    answer = await http.post(house.url + path, data=io.BytesIO(body), headers=headers)
    return answer.status, await answer.json()


async def test_samples_are_stored_under_the_label_of_their_peer(
    peered: House, http: aiohttp.ClientSession, intake: ListedIntake
) -> None:
    """They are stored oldest first, as the detector needs them."""
    newer, older = sample(at=START), sample(at=START - timedelta(seconds=30), outcome=Outcome.FAIL, error="http_5xx")
    status, found = await post(http, peered, batch(newer, older))

    assert (200, {"ok": True, "text": "2 taken.", "taken": 2, "refused": {}}) == (status, found)
    assert [older, newer] == intake.taken


class CountingThreads(ThreadPoolExecutor):
    """Counts the submitted jobs."""

    given = 0

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given += 1
        return super().submit(*args, **kwargs)


async def test_batch_is_unpacked_off_the_event_loop(peered: House, http: aiohttp.ClientSession) -> None:
    """Unpacking a mebibyte on the loop would delay every flag evaluation."""
    threads = CountingThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    status, _ = await post(http, peered, batch())

    assert (200, 1) == (status, threads.given)


async def test_unknown_and_old_samples_are_counted_and_named(
    peered: House, http: aiohttp.ClientSession, intake: ListedIntake
) -> None:
    """Samples of an unknown check, of the wrong component or too old are refused; the rest are stored."""
    samples = [
        sample("anthropic.api.chat"), sample("anthropic.api.chat"), sample("openai.api.models", "anthropic.api"),
        sample(at=START - timedelta(hours=2)), sample(),
    ]  # fmt: skip
    status, found = await post(http, peered, batch(*samples))

    assert (200, 1) == (status, found["taken"])
    assert {
        "unknown": {"count": 3, "checks": ["anthropic.api.chat", "openai.api.models"]},
        "too_old": {"count": 1, "checks": ["anthropic.api.models"]},
    } == found["refused"]
    assert [sample()] == intake.taken


async def test_batch_is_accepted_once(peered: House, http: aiohttp.ClientSession, intake: ListedIntake) -> None:
    """A recorded batch cannot be replayed; the same id from another peer is a different batch."""
    body = batch()
    sent = sign(SECRET, body, peered.clock.now())
    assert 200 == (await post(http, peered, body, sent))[0]
    status, found = await post(http, peered, body, sent)

    assert (400, "batch") == (status, found["field"])
    assert 1 == len(intake.taken)
    theirs = batch(vantage="us-1")
    assert 200 == (await post(http, peered, theirs, sign(OTHER_SECRET, theirs, START), "/hooks/samples/us-1"))[0]


async def test_old_replay_is_refused(peered: House, http: aiohttp.ClientSession) -> None:
    """A signature expires after five minutes."""
    body = batch()
    sent = sign(SECRET, body, peered.clock.now())
    peered.clock.advance(timedelta(minutes=5, seconds=1))
    status, found = await post(http, peered, body, sent)

    assert 401 == status
    assert "more than 5 minutes behind" in found["text"]


GOOD = "v1=" + "0" * 64
HOSTILE: list[dict[str, str]] = [
    {},
    {TIMESTAMP_HEADER: "1774008000"},
    {SIGNATURE_HEADER: GOOD},
    *({TIMESTAMP_HEADER: text, SIGNATURE_HEADER: GOOD} for text in ("abc", "-1", "9" * 400, "1.5", "1e9", "é", " ", "0")),
    *(
        {TIMESTAMP_HEADER: "1774008000", SIGNATURE_HEADER: text}
        for text in (GOOD, "v1=é", "v1=", f"v1={'G' * 64}", f"v2={'0' * 64}", "0" * 64, GOOD + "0" * 5000, GOOD * 2, "é")
    ),
    {"Authorization": "Bearer control-token-for-tests"},
]  # fmt: skip


@pytest.mark.parametrize("sent", HOSTILE, ids=[str(n) for n in range(len(HOSTILE))])
@pytest.mark.parametrize("path", [PATH, "/hooks/samples/nobody", "/hooks/samples/off-1", "/hooks/samples/%00"])
async def test_unsigned_request_gets_401(
    peered: House, http: aiohttp.ClientSession, intake: ListedIntake, sent: dict[str, str], path: str
) -> None:
    """Hostile headers cause no traceback and no 500, and nothing is stored."""
    with capture_logs() as logged:
        status, found = await post(http, peered, batch(), sent, path)

    assert (401, False) == (status, found["ok"])
    assert [] == intake.taken
    assert not [event for event in logged if "exc_info" in event]


async def test_refusal_does_not_reveal_which_peers_exist(peered: House, http: aiohttp.ClientSession) -> None:
    """A wrong secret, a disabled peer and an unknown peer get the same answer."""
    body = batch()
    sent = sign("guessed", body, START)
    answers = [await post(http, peered, body, sent, f"/hooks/samples/{peer}") for peer in ("eu-1", "us-1", "off-1", "nobody")]
    empty = {**sent, SIGNATURE_HEADER: sign(SECRET, body, START)[SIGNATURE_HEADER]}
    answers.append(await post(http, peered, body, empty, "/hooks/samples/off-1"))

    assert [answers[0]] * 5 == answers
    assert 401 == answers[0][0]


async def test_peer_cannot_post_as_another_peer(peered: House, http: aiohttp.ClientSession, intake: ListedIntake) -> None:
    """Its secret does not work on another peer's path, and its batch cannot carry another label."""
    body = batch()
    assert 401 == (await post(http, peered, body, path="/hooks/samples/us-1"))[0]
    status, found = await post(http, peered, batch(vantage="us-1"))

    assert (400, "vantage") == (status, found["field"])
    assert [] == intake.taken


@pytest.mark.parametrize("name", [TIMESTAMP_HEADER, SIGNATURE_HEADER])
async def test_duplicate_signature_header_is_refused(peered: House, http: aiohttp.ClientSession, name: str) -> None:
    """A proxy and the bot might each read a different copy."""
    body = batch()
    sent = [*sign(SECRET, body, START).items(), (name, "1")]
    answer = await http.post(peered.url + PATH, data=body, headers=sent)

    assert 401 == answer.status


def with_row(**changes: Any) -> bytes:
    data = json.loads(batch())
    data["samples"][0] |= changes
    return json.dumps(data).encode()


BODIES: dict[str, bytes] = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe\x00",
    "not JSON": b"samples=1",
    "twice a name": batch().replace(b'{"v":1', b'{"v":1,"v":1'),
    "NaN": with_row(phases_ms={"total": float("nan")}),
    "deep": b'{"samples":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "long number": b'{"v":' + b"1" * 5000 + b"}",
    "far future": batch(sample(at=START + timedelta(minutes=6))),
    "very far future": with_row(at="9999-12-31T23:59:59+00:00"),
    "very far past": with_row(at="0001-01-01T00:00:00+14:00"),
    "no offset": with_row(at="2026-03-20T12:00:00"),
    "a list": b"[]",
    "surrogates": with_row(check="\ud800"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_signed_but_malformed_batch_gets_400(
    peered: House, http: aiohttp.ClientSession, intake: ListedIntake, name: str
) -> None:
    """A trusted peer may still be broken."""
    with capture_logs() as logged:
        status, found = await post(http, peered, BODIES[name])

    assert (400, False) == (status, found["ok"])
    assert found["text"]
    assert [] == intake.taken
    assert not [event for event in logged if "exc_info" in event]


@pytest.mark.parametrize("packed", [gzip.compress(batch(), mtime=0), batch(), b"\x1f\x8b" + b"\x00" * 50])
async def test_compressed_body_is_refused(
    peered: House, http: aiohttp.ClientSession, packed: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The signature covers the bytes as sent; a false Content-Encoding leaves no traceback."""
    sent = {**sign(SECRET, packed, START), "Content-Encoding": "gzip"}
    assert 400 == (await post(http, peered, packed, sent))[0]
    assert [] == [record for record in caplog.records if record.exc_info]


async def test_oversized_body_is_refused(peered: House, http: aiohttp.ClientSession) -> None:
    """The limit is 1 MiB, with or without a Content-Length."""
    body = b" " * (1024 * 1024 + 1)
    assert 413 == (await post(http, peered, body))[0]

    async def told_nothing() -> Any:
        for _ in range(17):
            yield b" " * 65_536

    answer = await http.post(peered.url + PATH, data=told_nothing(), headers=sign(SECRET, body, START))
    assert 413 == answer.status


async def test_samples_are_refused_when_no_peer_is_configured(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """The route exists but accepts nothing."""
    house = await open_house()
    assert 401 == (await post(http, house, batch()))[0]


async def test_batches_of_a_real_courier_are_accepted(peered: House, intake: ListedIntake) -> None:
    """Sender and receiver agree on the wire format: one bot's samples arrive at the other."""
    clock, pace = peered.clock, CourierTiming(every_s=0.01, first_wait_s=0.01, longest_wait_s=0.02)
    courier = Courier([Peer("here", peered.url, SECRET)], "eu-1", clock, pace=pace)
    await courier.start()
    sent = [sample(at=START - timedelta(milliseconds=n), evidence={"status": "200"}) for n in range(2500, 0, -1)]
    courier.offer(sent)
    async with asyncio.timeout(10):
        while len(intake.taken) < len(sent):
            await asyncio.sleep(0.01)
    await courier.close()

    assert sent == intake.taken
    assert () == courier.troubles()
