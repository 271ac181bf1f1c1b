"""POST /api/v1/outcomes: what services tell of their requests is counted by minute, once, and only where it makes sense."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from web_house import CONTROL, LOCAL, OUTCOME, READ, START, House, OpenHouse, headers

from bot.core.outcomes.counts import MinuteCount, Route
from bot.core.outcomes.outcome import Outcome, make_outcome
from bot.outcomes.intake import MOST_SERVICES, IntakeResult, OutcomeIntake
from bot.ports import Outcomes, StoreError, StoreTrouble
from bot.ports.outcomes import OutcomeBatch
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.web.services import Hooks

PATH = "/api/v1/outcomes"


class Stubborn:
    """A file on a full disk, until it takes what it is given; then `room` says how many times more."""

    def __init__(self, inner: Outcomes) -> None:
        self._inner = inner
        self.takes = False
        self.room = 1_000
        self.digest_of, self.between, self.services = inner.digest_of, inner.between, inner.services

    async def add(
        self,
        counts: Sequence[MinuteCount],
        told: Collection[OutcomeBatch] = (),
        *,
        now: datetime,
        began: datetime | None = None,
    ) -> list[Outcome]:
        self.room -= self.takes
        if not self.takes or self.room < 0:
            raise StoreError("the disk is full", kind=StoreTrouble.FULL)
        return await self._inner.add(counts, told, now=now, began=began)


CLAUDE = {"service": "chat", "flag": "support-chat.llm", "variant": "claude"}


async def tell(
    http: aiohttp.ClientSession, house: House, *outcomes: Any, sent: Mapping[str, str] | None = None, body: Any = None
) -> tuple[int, Any]:
    answer = await http.post(
        house.url + PATH,
        headers=headers(OUTCOME) if sent is None else sent,
        json={"outcomes": outcomes} if body is None else body,
    )
    return answer.status, await answer.json()


async def counted(house: House) -> dict[tuple[int, Route], tuple[int, int]]:
    """What lies on the disk: minutes before the start and way, with how many were served and how many failed."""
    await house.outcomes.flush()
    found = await house.samples.outcomes.between(START - timedelta(days=2), START + timedelta(days=1))
    return {((START - one.at) // timedelta(minutes=1), one.route): (one.counts.ok, one.counts.failed) for one in found}


async def test_requests_of_a_minute_come_to_one_row(house: House, http: aiohttp.ClientSession) -> None:
    """However many batches told of them; `count` stands for many that went alike."""
    await tell(http, house, {**CLAUDE, "ok": True, "count": 90}, {**CLAUDE, "ok": False, "error": "HTTP 529"})
    await house.outcomes.flush()
    await tell(http, house, {**CLAUDE, "ok": True, "count": 9})

    assert {(0, Route("chat", "support-chat.llm", "claude", "anthropic")): (99, 1)} == await counted(house)


async def test_what_failed_and_how_long_it_took_is_kept(house: House, http: aiohttp.ClientSession) -> None:
    """Kinds of error with their counts, and percentiles within 5 %."""
    await tell(
        http,
        house,
        {**CLAUDE, "ok": False, "error": "timeout\n<script>", "count": 3},
        {**CLAUDE, "ok": True, "latency_ms": 800},
    )
    await house.outcomes.flush()
    [row] = await house.samples.outcomes.between(START, START + timedelta(minutes=1))

    assert {"timeout_script": 3} == row.counts.errors
    assert row.counts.latency_ms(0.95) == pytest.approx(800, rel=0.05)


@pytest.mark.parametrize("name", ["openai", "OpenAI", "azure.openai"])
async def test_a_provider_goes_by_key_name_or_what_opentelemetry_calls_it(
    house: House, http: aiohttp.ClientSession, name: str
) -> None:
    """Services need not know what the configuration calls it."""
    await tell(http, house, {"service": "chat", "provider": name, "ok": True})

    assert {(0, Route("chat", provider="openai")): (1, 0)} == await counted(house)


@pytest.mark.parametrize(
    ("entry", "field", "says"),
    [
        ({"ok": True}, "outcomes[1].service", "Up to 64"),
        ({"service": "a\nb", "ok": True}, "outcomes[1].service", "Up to 64"),
        ({"service": "chat"}, "outcomes[1].ok", '"ok": true'),
        ({"service": "chat", "ok": "yes"}, "outcomes[1].ok", '"ok": true'),
        ({"service": "chat", "ok": True, "flag": "suport-chat.llm"}, "outcomes[1].flag", "Did you mean support-chat.llm?"),
        ({"service": "chat", "ok": True, "variant": "claude"}, "outcomes[1].variant", '"flag"'),
        ({**CLAUDE, "ok": True, "variant": "claud"}, "outcomes[1].variant", "Did you mean claude?"),
        ({"service": "chat", "ok": True, "provider": "nobody"}, "outcomes[1].provider", "Known: "),
        ({**CLAUDE, "ok": True, "count": 0}, "outcomes[1].count", "how many"),
        ({**CLAUDE, "ok": True, "count": True}, "outcomes[1].count", "how many"),
        ({**CLAUDE, "ok": True, "latency_ms": -1}, "outcomes[1].latency_ms", "Send a number"),
        ({**CLAUDE, "ok": True, "at": "noon"}, "outcomes[1].at", "2026-03-20T14:00:00Z"),
        ({**CLAUDE, "ok": True, "at": 1e30}, "outcomes[1].at", "2026-03-20T14:00:00Z"),
        ({**CLAUDE, "ok": True, "latency": 3}, "outcomes[1].latency", "Did you mean latency_ms?"),
        (7, "outcomes[1]", "Send"),
    ],
)
async def test_a_mistake_takes_nothing_and_names_the_entry(
    house: House, http: aiohttp.ClientSession, entry: Any, field: str, says: str
) -> None:
    """The good ones of the batch are not taken either: it can be sent again whole."""
    status, found = await tell(http, house, {**CLAUDE, "ok": True}, entry)

    assert (400, field) == (status, found["field"])
    assert says in found["remedy"]
    assert {} == await counted(house)


@pytest.mark.parametrize("body", [[], {}, {"outcomes": {}}, {"outcomes": [], "more": 1}, {"outcomes": None}])
async def test_a_body_of_another_shape_is_refused(house: House, http: aiohttp.ClientSession, body: Any) -> None:
    """It says what to send."""
    status, found = await tell(http, house, body=body)

    assert (400, True) == (status, '{"outcomes": [' in found["remedy"])


async def test_what_is_still_to_come_or_of_another_day_is_passed_over(house: House, http: aiohttp.ClientSession) -> None:
    """The rest is counted, and the answer says which entries were not."""
    ages = {
        "future": timedelta(minutes=-2),
        "ahead": timedelta(seconds=-30),
        "old": timedelta(hours=25),
        "late": timedelta(hours=23),
    }
    batch = [{**CLAUDE, "ok": True, "at": (START - age).isoformat()} for age in ages.values()]
    status, found = await tell(http, house, *batch)

    assert (200, 2) == (status, found["taken"])
    assert {"from_the_future": {"count": 1, "entries": [0]}, "too_old": {"count": 1, "entries": [2]}} == found["refused"]
    assert [0, 23 * 60] == sorted(minute for minute, _ in await counted(house))


async def test_a_repeated_key_counts_once(house: House, http: aiohttp.ClientSession) -> None:
    """Before what it told is written and after."""
    sent = headers(OUTCOME, Idempotency_Key="a7")
    answers = [await tell(http, house, {**CLAUDE, "ok": True}, sent=sent)]
    answers.append(await tell(http, house, {**CLAUDE, "ok": True}, sent=sent))
    await house.outcomes.flush()
    answers.append(await tell(http, house, {**CLAUDE, "ok": True}, sent=sent))

    assert [(200, False), (200, True), (200, True)] == [(status, found["repeated"]) for status, found in answers]
    assert [(1, 0)] == list((await counted(house)).values())


async def test_the_same_key_at_the_same_moment_counts_once(house: House, http: aiohttp.ClientSession) -> None:
    """A client that hedges sends it twice at once."""
    sent = headers(OUTCOME, Idempotency_Key="a7")
    await asyncio.gather(*[tell(http, house, {**CLAUDE, "ok": True}, sent=sent) for _ in range(8)])

    assert [(1, 0)] == list((await counted(house)).values())


async def test_a_key_is_good_over_a_restart(house: House, open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """It is written in the transaction of the counts that it came with."""
    sent = headers(OUTCOME, Idempotency_Key="a7")
    await tell(http, house, {**CLAUDE, "ok": True}, sent=sent)
    await house.outcomes.flush()
    intake = OutcomeIntake(house.samples.outcomes, house.clock)
    started_anew = await open_house(outcome_tokens=(OUTCOME,), hooks=Hooks(outcomes=intake))
    _, found = await tell(http, started_anew, {**CLAUDE, "ok": True}, sent=sent)

    assert found["repeated"]


async def test_another_batch_under_a_used_key_is_refused(
    house: House, open_house: OpenHouse, http: aiohttp.ClientSession
) -> None:
    """Before the first one is written, after it, and by another replica; the order of its fields does not matter."""
    sent = headers(OUTCOME, Idempotency_Key="a7")
    await tell(http, house, {**CLAUDE, "ok": True}, sent=sent)
    answers = [await tell(http, house, {**CLAUDE, "ok": False}, sent=sent)]
    await house.outcomes.flush()
    answers.append(await tell(http, house, {**CLAUDE, "ok": False}, sent=sent))
    intake = OutcomeIntake(house.samples.outcomes, house.clock)
    other = await open_house(outcome_tokens=(OUTCOME,), hooks=Hooks(outcomes=intake))
    answers.append(await tell(http, other, {**CLAUDE, "ok": False}, sent=sent))
    again, found = await tell(http, other, {"ok": True, **CLAUDE}, sent=sent)

    said = "This Idempotency-Key was used for this request with another body. Nothing was counted."
    assert [(422, said)] * 3 == [(status, answer["text"]) for status, answer in answers]
    assert (200, True) == (again, found["repeated"])
    assert [(1, 0)] == list((await counted(house)).values())


async def test_a_key_that_an_earlier_version_kept_alone_counts_as_repeated(house: House) -> None:
    """It kept no digest of the body, so the key decides, as it did then."""
    intake = OutcomeIntake(house.samples.outcomes, house.clock)
    await intake.take([make_outcome(START, Route("chat"), ok=True)], key="a7")
    await intake.flush()

    assert IntakeResult.BEFORE is await intake.take([], key="a7", digest="8f")


async def test_a_key_is_forgotten_after_a_day(house: House, http: aiohttp.ClientSession) -> None:
    """With the next batch that is written."""
    sent = headers(OUTCOME, Idempotency_Key="a7")
    await tell(http, house, {**CLAUDE, "ok": True}, sent=sent)
    await house.outcomes.flush()
    house.clock.advance(timedelta(hours=25))
    await tell(http, house, {**CLAUDE, "ok": True})
    await house.outcomes.flush()
    _, found = await tell(http, house, {**CLAUDE, "ok": True}, sent=sent)

    assert not found["repeated"]


async def test_a_key_is_never_written_before_its_counts(house: House) -> None:
    """Not even where the disk is written while it is asked."""
    asked = Stubborn(house.samples.outcomes)
    asked.takes = True
    intake = OutcomeIntake(asked, house.clock)

    async def written_meanwhile(key: bytes) -> bytes | None:
        await intake.flush()
        return await house.samples.outcomes.digest_of(key)

    asked.digest_of = written_meanwhile  # its own question, at a bad moment
    found = await intake.take([make_outcome(START, Route("chat"), ok=True)], key="a")
    await intake.flush()

    assert (IntakeResult.COUNTED, 1) == (found, len(await house.samples.outcomes.between(START, START + timedelta(minutes=1))))


async def test_another_sender_may_have_chosen_the_same_key(house: House, http: aiohttp.ClientSession) -> None:
    """Nobody can keep another one's outcomes out."""
    for token in (OUTCOME, CONTROL):
        await tell(http, house, {**CLAUDE, "ok": True}, sent=headers(token, Idempotency_Key="a7"))

    assert [(2, 0)] == list((await counted(house)).values())


async def test_a_batch_with_a_mistake_may_come_again_under_its_key(house: House, http: aiohttp.ClientSession) -> None:
    """A key that was refused was not used."""
    sent = headers(OUTCOME, Idempotency_Key="a7")
    await tell(http, house, {**CLAUDE, "ok": 1}, sent=sent)
    _, found = await tell(http, house, {**CLAUDE, "ok": True}, sent=sent)

    assert (1, False) == (found["taken"], found["repeated"])


@pytest.mark.parametrize(
    ("token", "status"), [(OUTCOME, 200), (CONTROL, 200), (LOCAL, 200), (READ, 403), ("x", 401), ("", 401)]
)
async def test_outcomes_need_a_token_of_their_own_kind(
    house: House, http: aiohttp.ClientSession, token: str, status: int
) -> None:
    """A read token is in many hands."""
    assert status == (await tell(http, house, sent=headers(token) if token else {}))[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/status"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/incidents"),
        ("POST", "/ofrep/v1/evaluate/flags"),
        ("GET", "/"),
    ],
)
async def test_a_token_for_outcomes_opens_nothing_else(
    house: House, http: aiohttp.ClientSession, method: str, path: str
) -> None:
    """It stands in the environment of every service."""
    answer = await http.request(method, house.url + path, headers=headers(OUTCOME), json={} if method == "POST" else None)

    assert answer.status in (401, 403)


async def test_nothing_is_taken_where_no_token_is_configured(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """The answer says which setting is missing."""
    status, found = await tell(http, await open_house(local_token=LOCAL), sent=headers("x"))

    assert (403, True) == (status, "server.outcome_tokens" in found["remedy"])


async def test_a_batch_that_is_too_large_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """In number and in bytes."""
    many = await tell(http, house, *[{**CLAUDE, "ok": True}] * 1_001)
    large = await tell(http, house, {**CLAUDE, "ok": False, "error": "x" * 300_000})

    assert (413, 413) == (many[0], large[0])


async def test_more_services_than_can_be_told_apart_are_counted_together(house: House, http: aiohttp.ClientSession) -> None:
    """A name with a pod's id in it costs the figures of nobody."""
    for start in range(0, MOST_SERVICES + 20, 100):
        await tell(
            http, house, *[{"service": f"pod-{start + n}", "ok": True} for n in range(min(100, MOST_SERVICES + 20 - start))]
        )
    found = {route.service: counts for (_, route), counts in (await counted(house)).items()}

    assert (MOST_SERVICES + 1, (20, 0)) == (len(found), found["other"])


async def test_a_full_memory_asks_to_come_again(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """While the disk takes nothing, what is held does not grow without end."""
    samples = InlineSamples.open()
    intake = OutcomeIntake(samples.outcomes, ManualClock(START), most_rows=10)
    house = await open_house(outcome_tokens=(OUTCOME,), hooks=Hooks(outcomes=intake))
    minutes = [{**CLAUDE, "ok": True, "at": (START - timedelta(minutes=n)).isoformat()} for n in range(10)]
    await tell(http, house, *minutes)
    answer = await http.post(house.url + PATH, headers=headers(OUTCOME), json={"outcomes": [{**CLAUDE, "ok": True}]})
    await intake.flush()
    later, _ = await tell(http, house, {**CLAUDE, "ok": True})

    assert (503, "5", 200) == (answer.status, answer.headers["Retry-After"], later)


async def test_requests_are_counted_for_prometheus(house: House, http: aiohttp.ClientSession) -> None:
    """By flag, variant and provider; a service's name is foreign and no label."""
    await tell(http, house, {**CLAUDE, "ok": False, "count": 3})
    text = await (await http.get(f"{house.url}/metrics", headers=headers(READ))).text()

    line = 'flag="support-chat.llm",outcome="failed",provider="anthropic",variant="claude"} 3.0'
    assert line in text
    assert "chat," not in text.replace("support-chat", "")


async def test_what_was_taken_is_written_without_being_asked(house: House) -> None:
    """Nobody waits for the disk, and a process that is killed loses no more than the last second."""
    intake = OutcomeIntake(house.samples.outcomes, house.clock, every_s=0.001)
    await intake.start()
    await intake.take([make_outcome(START, Route("chat"), ok=True)])
    async with asyncio.timeout(5):
        while not (found := await house.samples.outcomes.between(START, START + timedelta(minutes=1))):
            await asyncio.sleep(0.001)
    await intake.stop()

    assert [Route("chat")] == [one.route for one in found]


async def test_what_was_taken_is_written_at_the_end(house: House) -> None:
    """A bot that is stopped in order loses nothing."""
    intake = OutcomeIntake(house.samples.outcomes, house.clock, every_s=3_600)
    await intake.start()
    await intake.take([make_outcome(START, Route("chat"), ok=True)])
    await intake.stop()

    assert 1 == len(await house.samples.outcomes.between(START, START + timedelta(minutes=1)))


async def test_what_the_disk_refuses_is_kept_for_the_next_time(house: House) -> None:
    """With the key that it came with, and joined with what came since."""
    stubborn = Stubborn(house.samples.outcomes)
    intake = OutcomeIntake(stubborn, house.clock)
    await intake.take([make_outcome(START, Route("chat"), ok=True)], key="a")
    await intake.flush()
    await intake.take([make_outcome(START, Route("chat"), ok=False)], key="b")
    stubborn.takes = True
    await intake.flush()
    [row] = await house.samples.outcomes.between(START, START + timedelta(minutes=1))

    assert (1, 1) == (row.counts.ok, row.counts.failed)
    assert IntakeResult.BEFORE is await intake.take([], key="a")


async def test_a_disk_that_fills_up_while_a_batch_is_written_in_parts_keeps_the_rest(house: House) -> None:
    """What was written by then counts once, what spoilt the whole is left out, and all else comes with the next time."""
    stubborn = Stubborn(house.samples.outcomes)
    intake = OutcomeIntake(stubborn, house.clock)
    await intake.take([make_outcome(START, Route("chat"), ok=True)])
    await intake.take([make_outcome(START, Route("chat"), ok=False, count=2**63)], key="spoilt")
    await intake.take([make_outcome(START, Route("chat"), ok=False)], key="a")
    stubborn.takes, stubborn.room = True, 3  # the whole, what came without a key, and both with one
    await intake.flush()
    stubborn.room = 10
    await intake.flush()
    [row] = await house.samples.outcomes.between(START, START + timedelta(minutes=1))

    assert (1, 1) == (row.counts.ok, row.counts.failed)
    assert [False, True] == [await intake.knows(key) for key in ("spoilt", "a")]
