"""The scripted vendors over real sockets, and the shipped scenarios."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.transport import Transport
from bot.core.model import FeedState, Level, Outcome
from bot.feeds.fetch import FeedReader, FeedSource
from bot.sandbox.vendor import Scenario, ScenarioError, Vendors
from bot.sandbox.vendor.load import read
from bot.sandbox.vendor.scenario import WIRE_WORDS
from bot.system.clock import ManualClock, ScaledClock
from tests.truth import truth_dir

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
HEAD = """\
name: test
title: A test
minutes: 60
providers:
  anthropic: {name: Claude, dialect: anthropic, components: {api: Claude API, web: claude.ai}, also_on_page: {console: Console}}
  openai: {name: OpenAI, dialect: openai, components: {api: OpenAI API}}
events:
"""
ANTHROPIC = {"x-api-key": "sim", "anthropic-version": "2023-06-01"}
OPENAI = {"authorization": "Bearer sim"}
PING = [{"role": "user", "content": "ping"}]


@asynccontextmanager
async def playing(events: str = "  []\n", clock: ManualClock | None = None, seed: int = 0) -> AsyncIterator[Vendors]:
    vendors = Vendors(read(HEAD + events, "test.yaml"), clock or ManualClock(START), seed=seed)
    await vendors.start()
    try:
        yield vendors
    finally:
        await vendors.stop()


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=5)


async def outcome(vendors: Vendors, surface: str = "api", deadline_s: float = 0.3) -> tuple[str | None, str]:
    """The prober's result for a surface: error class and reason."""
    url = vendors.url("anthropic", surface) + ("/v1/models" if surface == "api" else "")
    prober = HttpProber(ManualClock(START))
    check = HttpCheck("c", f"anthropic.{surface}", url, headers=ANTHROPIC, deadline=timedelta(seconds=deadline_s))
    sample = await prober.probe(check)
    while sample.error == "stalled":  # a busy machine; ask again
        sample = await prober.probe(check)
    await prober.close()
    return sample.error, sample.reason


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("ok", None),
        ("502", "gateway"),
        ("504", "gateway"),
        ("529", "overloaded"),
        ("429", "rate_limited"),
        ("500", "http_5xx"),
        ("503", "http_5xx"),
        ("401", "auth"),
        ("hang", "deadline"),
        ("reset", "reset"),
        ("slow 12s", "deadline"),
        ("slow 20ms", None),
        ("truncated", "truncated"),
        ("wrong_json", None),
        ("html", None),
        ("challenge", "challenge"),
        ("refuse", "connect_refused"),
    ],
)
async def test_vendor_fails_as_scripted(word: str, error: str | None) -> None:
    """Each word is a real fault on the wire, and the prober classifies it."""
    async with playing(f"  - {{at: 0, component: [anthropic.api, anthropic.web], answer: {word}}}\n") as vendors:
        for surface in ("api", "web"):
            assert error == (await outcome(vendors, surface))[0]


def test_matrix_covers_every_answer_word() -> None:
    """The list of words and the matrix above must not drift apart."""
    marks = test_vendor_fails_as_scripted.pytestmark  # type: ignore[attr-defined]
    assert set(WIRE_WORDS) == {row[0].split()[0] for row in marks[0].args[1]}


async def test_vendor_reopens_the_same_port_after_refusing() -> None:
    """Clients keep using the same address."""
    clock = ManualClock(START)
    async with playing("  - {at: 1, for: 1, component: anthropic.api, answer: refuse}\n", clock) as vendors:
        before = vendors.url("anthropic", "api")
        seen = []
        for _ in range(3):
            wanted = "connect_refused" if len(seen) == 1 else None
            for _ in range(100):
                error, _reason = await outcome(vendors)
                if error == wanted:
                    break
                await asyncio.sleep(0.02)
            seen.append(error)
            clock.advance(timedelta(minutes=1))
        assert [None, "connect_refused", None] == seen
        assert before == vendors.url("anthropic", "api")


async def test_slow_answers_follow_the_scenarios_clock() -> None:
    """`slow 12s` at a hundred times the speed takes 120 real milliseconds."""
    clock = ScaledClock(100, START)
    scenario = read(HEAD + "  - {at: 0, component: anthropic.api, answer: slow 12s}\n", "test.yaml")
    vendors = Vendors(scenario, clock)
    await vendors.start()
    prober = HttpProber(clock)
    check = HttpCheck(
        "c",
        "anthropic.api",
        vendors.url("anthropic", "api") + "/v1/models",
        headers=ANTHROPIC,
        deadline=timedelta(seconds=200),
        under=timedelta(seconds=5),
    )
    sample = await prober.probe(check)
    await prober.close()
    await vendors.stop()
    assert Outcome.SLOW == sample.outcome
    assert sample.phases_ms["total"] >= 12_000


async def test_vendor_logs_nothing_if_the_client_hangs_up(caplog: pytest.LogCaptureFixture) -> None:
    """A probe that gives up is no server error: no traceback on anybody's terminal."""
    body = json.dumps({"model": "claude-haiku-4-5", "max_tokens": 16, "messages": PING, "stream": True}).encode()
    fields = {"host": "sim", "content-length": str(len(body)), **ANTHROPIC}
    head = "POST /v1/messages HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    async with playing() as vendors, client() as http:
        url = httpx.URL(vendors.url("anthropic", "api"))
        with socket.create_connection(
            (url.host, url.port)
        ) as asking:  # blocks the loop, so all is sent before the vendor reads
            asking.sendall(head.encode() + body)
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        while len(vendors.requests) < 2:
            await http.get(f"{url}/v1/models", headers=ANTHROPIC)

    assert "/v1/messages" == vendors.requests[0].path
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


async def test_same_seed_fails_the_same_requests() -> None:
    """A rate is a fraction, and a run can be repeated."""
    events = "  - {at: 0, component: anthropic.api, answer: [502, 529], rate: 0.3}\n"
    runs = []
    for seed in (1, 1, 2):
        async with playing(events, seed=seed) as vendors, client() as http:
            for _ in range(100):
                await http.get(vendors.url("anthropic", "api") + "/v1/models", headers=ANTHROPIC)
            runs.append([request.answer for request in vendors.requests])
    assert runs[0] == runs[1] != runs[2]
    assert 15 <= sum(answer != "ok" for answer in runs[0]) <= 45
    assert {"ok", "502", "529"} == set(runs[0])


async def test_healthy_anthropic_answers_in_the_real_shapes() -> None:
    """Models, messages and token counts have what a client reads, with a request id."""
    async with playing() as vendors, client() as http:
        base = vendors.url("anthropic", "api")
        models = await http.get(f"{base}/v1/models", headers=ANTHROPIC)
        asked = {"model": "claude-haiku-4-5", "max_tokens": 16, "messages": PING}
        message = await http.post(f"{base}/v1/messages", headers=ANTHROPIC, json=asked)
        counted = await http.post(f"{base}/v1/messages/count_tokens", headers=ANTHROPIC, json=asked)
        stream = await http.post(f"{base}/v1/messages", headers=ANTHROPIC, json=asked | {"stream": True})
    assert "model" == models.json()["data"][0]["type"]
    assert ("message", "end_turn") == (message.json()["type"], message.json()["stop_reason"])
    assert counted.json()["input_tokens"] > 0
    assert message.headers["request-id"].startswith("req_")
    events = [line.removeprefix("event: ") for line in stream.text.splitlines() if line.startswith("event: ")]
    assert ("message_start", "message_stop") == (events[0], events[-1])
    assert "text/event-stream; charset=utf-8" == stream.headers["content-type"]


async def test_healthy_anthropic_stream_has_the_recorded_event_shapes() -> None:
    """The events have the keys of a recorded stream."""
    truth = truth_dir()
    if truth is None:
        pytest.skip("recorded streams are not in this checkout")
    asked = {"model": "m", "max_tokens": 1, "messages": PING, "stream": True}
    async with playing() as vendors, client() as http:
        said = await http.post(vendors.url("anthropic", "api") + "/v1/messages", headers=ANTHROPIC, json=asked)
    recorded = (truth / "feeds" / "anthropic_stream_basic.txt").read_text()
    assert _keys_by_event(recorded) == _keys_by_event(said.text)


def _keys_by_event(stream: str) -> dict[str, set[str]]:
    rows = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]
    return {row["type"]: set(_paths(row)) for row in rows}


def _paths(value: Any, path: str = "") -> list[str]:
    if not isinstance(value, dict):
        return [path]
    return [found for key, inner in value.items() for found in [f"{path}.{key}", *_paths(inner, f"{path}.{key}")]]


async def test_truncated_anthropic_stream_ends_without_message_stop() -> None:
    """The connection closes normally, so only a reader that looks for the event can tell."""
    asked = {"model": "m", "max_tokens": 1, "messages": PING, "stream": True}
    async with playing("  - {at: 0, component: anthropic.api, answer: truncated}\n") as vendors, client() as http:
        said = await http.post(vendors.url("anthropic", "api") + "/v1/messages", headers=ANTHROPIC, json=asked)
    assert "message_start" in said.text
    assert "message_stop" not in said.text


@pytest.mark.parametrize(
    ("word", "type_"),
    [
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
async def test_anthropic_error_has_the_real_shape(word: int, type_: str) -> None:
    """Its type, the request id in body and header, and Retry-After if the script gives one."""
    events = f"  - {{at: 0, component: anthropic.api, answer: {word}, retry_after: 7}}\n"
    async with playing(events) as vendors, client() as http:
        said = await http.get(vendors.url("anthropic", "api") + "/v1/models", headers=ANTHROPIC)
    assert (word, "7") == (said.status_code, said.headers["retry-after"])
    assert ("error", type_) == (said.json()["type"], said.json()["error"]["type"])
    assert said.headers["request-id"] == said.json()["request_id"]


async def test_anthropic_refuses_wrong_requests_like_the_real_api() -> None:
    """A missing key, version, field or endpoint."""
    async with playing() as vendors, client() as http:
        base = vendors.url("anthropic", "api")
        said = [
            await http.get(f"{base}/v1/models"),
            await http.get(f"{base}/v1/models", headers={"x-api-key": "sim"}),
            await http.post(f"{base}/v1/messages", headers=ANTHROPIC, json={"model": "m"}),
            await http.get(f"{base}/v1/nothing", headers=ANTHROPIC),
        ]
    assert [401, 400, 400, 404] == [one.status_code for one in said]


async def test_healthy_openai_answers_in_the_real_shapes() -> None:
    """Models, chat completions and responses, streamed or whole."""
    async with playing() as vendors, client() as http:
        base = vendors.url("openai", "api")
        models = await http.get(f"{base}/v1/models", headers=OPENAI)
        chat = {"model": "gpt-5", "messages": PING}
        whole = await http.post(f"{base}/v1/chat/completions", headers=OPENAI, json=chat)
        stream = await http.post(f"{base}/v1/chat/completions", headers=OPENAI, json=chat | {"stream": True})
        asked = {"model": "gpt-5", "input": "ping"}
        response = await http.post(f"{base}/v1/responses", headers=OPENAI, json=asked)
        events = await http.post(f"{base}/v1/responses", headers=OPENAI, json=asked | {"stream": True})
        no_key = await http.get(f"{base}/v1/models")
    assert "gpt-5" == models.json()["data"][0]["id"]
    assert "stop" == whole.json()["choices"][0]["finish_reason"]
    assert stream.text.endswith("data: [DONE]\n\n")
    assert "completed" == response.json()["status"]
    assert "event: response.completed" in events.text
    assert (401, "invalid_api_key") == (no_key.status_code, no_key.json()["error"]["code"])
    assert "x-request-id" in models.headers


async def test_status_page_follows_the_script() -> None:
    """Components and incidents; a resolved incident leaves the summary and stays in the list."""
    clock = ManualClock(START)
    events = """\
  - at: 5
    page: anthropic
    components: {api: major_outage}
    incident: {id: i1, name: N, impact: major, status: investigating, body: B}
  - {at: 9, page: anthropic, components: {api: operational}, incident: {id: i1, status: resolved, body: C}}
"""
    async with playing(events, clock) as vendors, client() as http:
        green = (await http.get(vendors.status_url("anthropic"))).json()
        clock.advance(timedelta(minutes=6))
        red = (await http.get(vendors.status_url("anthropic"))).json()
        clock.advance(timedelta(minutes=6))
        after = (await http.get(vendors.status_url("anthropic"))).json()
        listed = (await http.get(vendors.url("anthropic", "page") + "/api/v2/incidents.json")).json()
    assert ("none", []) == (green["status"]["indicator"], green["incidents"])
    assert ("critical", "major_outage") == (red["status"]["indicator"], red["components"][0]["status"])
    assert "2030-01-07T09:05:00.000Z" == red["incidents"][0]["created_at"]
    assert ("none", []) == (after["status"]["indicator"], after["incidents"])
    assert ["resolved", "investigating"] == [update["status"] for update in listed["incidents"][0]["incident_updates"]]


async def test_unchanged_status_page_answers_304() -> None:
    """The validator holds until the script changes the page."""
    clock = ManualClock(START)
    async with playing("  - {at: 5, page: anthropic, components: {web: partial_outage}}\n", clock) as vendors, client() as http:
        first = await http.get(vendors.status_url("anthropic"))
        clock.advance(timedelta(minutes=4))
        same = await http.get(vendors.status_url("anthropic"), headers={"if-none-match": first.headers["etag"]})
        clock.advance(timedelta(minutes=4))
        changed = await http.get(vendors.status_url("anthropic"), headers={"if-none-match": first.headers["etag"]})
    assert [200, 304, 200] == [first.status_code, same.status_code, changed.status_code]


@pytest.mark.parametrize("word", ["503", "hang", "reset", "truncated", "wrong_json", "refuse"])
async def test_status_page_is_unreadable_as_scripted(word: str) -> None:
    """The page fails separately, and a reader must never take that for a green page."""
    async with playing(f"  - {{at: 0, component: anthropic.page, answer: {word}}}\n") as vendors:
        reader = FeedReader(ManualClock(START), Transport(), deadline=timedelta(seconds=0.3))
        page = FeedSource("anthropic", "statuspage", (vendors.status_url("anthropic"),), {"anthropic.api": "sim-anthropic-api"})
        report = await reader.read(page)
        await reader.close()
        assert None is (await outcome(vendors))[0]
    assert (FeedState.UNKNOWN, {}) == (report.state, report.levels)


async def test_feed_reads_the_scripted_outage() -> None:
    """The shipped story reaches the feed's values: three surfaces down, one notice."""
    vendors = Vendors(Scenario.load("four-hours"), clock := ManualClock(START))
    await vendors.start()
    clock.advance(timedelta(minutes=56))
    ids = {f"anthropic.{key}": line.id for key, line in vendors.scenario.providers["anthropic"].listed.items()}
    reader = FeedReader(clock, Transport())
    report = await reader.read(FeedSource("anthropic", "statuspage", (vendors.status_url("anthropic"),), ids))
    await reader.close()
    await vendors.stop()
    down = {"anthropic.api": Level.DOWN, "anthropic.web": Level.DOWN, "anthropic.mobile": Level.DOWN}
    assert down | {"anthropic.console": Level.OPERATIONAL} == report.levels
    assert [("investigating", tuple(down))] == [(notice.status, notice.components) for notice in report.notices]


async def test_status_page_has_the_keys_of_a_real_page() -> None:
    """Every key of a recorded summary, at every level, with an incident open."""
    truth = truth_dir()
    if truth is None:
        pytest.skip("recorded status pages are not in this checkout")
    recorded = json.loads((truth / "feeds" / "anthropic_summary_2026-10-07.json").read_text())
    vendors = Vendors(Scenario.load("four-hours"), clock := ManualClock(START))
    await vendors.start()
    clock.advance(timedelta(minutes=60))
    async with client() as http:
        ours = (await http.get(vendors.status_url("anthropic"))).json()
    await vendors.stop()

    def shapes(page: dict[str, Any]) -> list[set[str]]:
        incident = page["incidents"][0]
        update = incident["incident_updates"][0]
        values = [page, page["page"], page["status"], page["components"][0], incident, incident["components"][0], update]
        return [set(value) for value in [*values, update["affected_components"][0]]]

    assert shapes(recorded) == shapes(ours)


def test_four_hours_scenario_tells_its_story() -> None:
    """All down at ten, the page 45 minutes late, and recovery in the order API, web, mobile."""
    scenario = Scenario.load("four-hours")

    def kinds(surface: str, minute: float) -> set[str]:
        return {word.kind for word in scenario.answers("anthropic", surface, minute).words}

    surfaces = ("api", "web", "mobile")
    assert [{"ok"}] * 3 == [kinds(surface, 9.9) for surface in surfaces]
    assert [{"502", "504", "hang"}] * 3 == [kinds(surface, 10) for surface in surfaces]
    assert () == scenario.page("anthropic", 54.9)
    assert [{"ok"}, {"502", "504", "hang"}, {"502", "504", "hang"}] == [kinds(surface, 206) for surface in surfaces]
    assert [{"ok"}, {"ok"}, {"502", "504", "hang"}] == [kinds(surface, 231) for surface in surfaces]
    assert [{"ok"}] * 3 == [kinds(surface, 250) for surface in surfaces]
    posted_statuses = [event.post.status for event in scenario.page("anthropic", 320) if event.post]
    assert ["investigating", "investigating", "identified", "identified", "monitoring", "resolved"] == posted_statuses
    assert {"ok"} == {word.kind for m in range(320) for word in scenario.answers("openai", "api", m).words}


def test_calm_scenario_never_fails_for_long() -> None:
    """Blips last seconds, noise is one in a hundred, and the page never mentions what we use."""
    scenario = Scenario.load("calm")
    long_ones = [event for event in scenario.answer_events if (event.lasts is None or event.lasts > 0.2)]
    assert all(event.answering.rate <= 0.01 or event.surfaces == ("page",) for event in long_ones)
    assert {"console"} == {key for event in scenario.page_events for key in event.statuses}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            HEAD + "  - {at: 1, component: anthropic.api, answer: 418}\n",
            ["test.yaml:8: events.0.answer is 418", "choose of ok, 500", "slow 12s", "slow_token 12s"],
        ),
        (HEAD + "  - {at: 1, component: anthropic.tv, answer: 502}\n", ["test.yaml:8", "choose one of anthropic.api"]),
        (HEAD + "  - {at: 1, component: anthropic.api, answer: 502, rate: 2}\n", ["events.0.rate is 2", "at most 1"]),
        (HEAD + "  - {at: 1, component: anthropic.api, answr: 502}\n", ["events.0.answr is not a known key", "use at, for"]),
        (HEAD + "  - {at: x, component: anthropic.api, answer: 502}\n", ["events.0.at is 'x', not a number"]),
        (HEAD + "  - {component: anthropic.api, answer: 502}\n", ["events.0 has no `at`", "add `at:`"]),
        (HEAD + "  - {at: 1, component: anthropic.api, answer: refuse, rate: 0.5}\n", ["let `refuse` stand alone"]),
        (HEAD + "  - {at: 1, component: anthropic.api, answer: slow_token}\n", ["answer is 'slow_token'", "slow_token 12s"]),
        (HEAD + "  - {at: 1, component: anthropic.web, answer: capacity}\n", ["answer is capacity", "component `api` alone"]),
        (HEAD + "  - {at: 1, component: anthropic.page, answer: [502, pings]}\n", ["answer is pings, which only the API"]),
        (HEAD + "  - {at: 1, component: [anthropic.api, openai.api], answer: ok}\n", ["one event for each provider"]),
        (HEAD + "  - {at: 1, page: anthropic, components: {tv: operational}}\n", ["is not on this page", "api, web, console"]),
        (HEAD + "  - {at: 1, page: anthropic, incident: {id: a, status: open, body: b}}\n", ["has no `name`"]),
        (HEAD.replace("minutes: 60", "minutes: 0") + "  []\n", ["test.yaml:3: minutes is 0", "above 0"]),
        ("name: x\n  title: y\n", ["test.yaml:2: not YAML", "check indentation"]),
        ("- 1\n", ["is not a mapping"]),
        ("name: &a x\ntitle: *a\n", ["alias", "write the value out"]),
        ("name: a\nname: b\n", ["test.yaml:2: name is there twice"]),
    ],
)
def test_scenario_error_gives_place_and_remedy(text: str, words: list[str]) -> None:
    """For people who write scenarios."""
    with pytest.raises(ScenarioError) as caught:
        read(text, "test.yaml")
    assert [word for word in words if word not in str(caught.value)] == []


def test_unknown_scenario_name_lists_the_shipped_ones(tmp_path: Path) -> None:
    """A missing file is named, and a file is read by its path."""
    with pytest.raises(ScenarioError, match="calm, four-hours"):
        Scenario.load("forhours")
    with pytest.raises(ScenarioError, match=r"missing\.yaml"):
        Scenario.load(tmp_path / "missing.yaml")
    (tmp_path / "mine.yaml").write_text(HEAD + "  []\n")
    assert "test" == Scenario.load(tmp_path / "mine.yaml").name
