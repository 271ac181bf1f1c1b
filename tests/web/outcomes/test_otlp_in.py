"""OTLP over HTTP: what the real OpenTelemetry SDK exports is counted, and nothing that a stranger packs does harm."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from web_house import OUTCOME, READ, START, House, headers

from bot.core.outcomes.counts import Route
from bot.system.clock import SystemClock

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

NOW_NS = int(START.timestamp() * 1e9)
SECOND_NS = 10**9
MAIL = Route("mail", provider="openai")
CUMULATIVE, DELTA = 2, 1


def point(count: int, *, start: int = -60, end: int = -1, **attributes: str) -> dict[str, Any]:
    """A data point of the convention's histogram, seconds from now."""
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", **attributes}
    return {
        "startTimeUnixNano": str(NOW_NS + start * SECOND_NS), "timeUnixNano": str(NOW_NS + end * SECOND_NS),
        "count": str(count), "sum": 0.4 * count, "bucketCounts": ["0", str(count), "0"], "explicitBounds": [0.2, 0.6],
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in said.items()],
    }  # fmt: skip


def export(*points: Mapping[str, Any], temporality: int = DELTA, service: str = "mail") -> dict[str, Any]:
    metric = {
        "name": "gen_ai.client.operation.duration", "unit": "s",
        "histogram": {"aggregationTemporality": temporality, "dataPoints": list(points)},
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}


async def send(http: aiohttp.ClientSession, house: House, body: Any, path: str = "metrics", **more: str) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers(OUTCOME), **more}
    answer = await http.post(f"{house.url}/v1/{path}", data=raw, headers=sent)
    found = await answer.read()
    return answer.status, json.loads(found) if answer.content_type == "application/json" else found


async def counted(house: House) -> dict[Route, tuple[int, int]]:
    await house.outcomes.flush()
    found: dict[Route, tuple[int, int]] = {}
    for one in await house.samples.outcomes.between(START - timedelta(days=2), START + timedelta(days=1)):
        ok, failed = found.get(one.route, (0, 0))
        found[one.route] = (ok + one.counts.ok, failed + one.counts.failed)
    return found


# --- the real exporters


@pytest.fixture
def environment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/outcomes.md tells a service to set."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", house.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{OUTCOME}")


def measured(reader: InMemoryMetricReader) -> Any:
    """A service in which three requests were served and one failed."""
    meters = MeterProvider([reader], resource=Resource.create({"service.name": "support-chat"}))
    duration = meters.get_meter("genai").create_histogram("gen_ai.client.operation.duration", unit="s")
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-5"}
    for seconds in (0.3, 0.4, 0.5):
        duration.record(seconds, said)
    duration.record(2.0, {**said, "error.type": "timeout"})
    data = reader.get_metrics_data()
    meters.shutdown()
    return data


@pytest.mark.usefixtures("environment")
async def test_metrics_of_the_real_sdk_are_counted(house: House) -> None:
    """One variable says where, one brings the token."""
    house.clock.advance(SystemClock().now() - START)
    deltas = InMemoryMetricReader(preferred_temporality={Histogram: AggregationTemporality.DELTA})
    result = await asyncio.to_thread(OTLPMetricExporter().export, measured(deltas))
    await house.outcomes.flush()
    rows = await house.samples.outcomes.between(house.clock.now() - timedelta(hours=1), house.clock.now() + timedelta(hours=1))

    assert MetricExportResult.SUCCESS is result
    assert [(Route("support-chat", provider="openai"), 3, 1, {"timeout": 1})] == [
        (one.route, one.counts.ok, one.counts.failed, one.counts.errors) for one in rows
    ]


@pytest.mark.usefixtures("environment")
async def test_spans_of_the_real_sdk_are_counted(house: House) -> None:
    """A request that raised has failed; what holds it, an agent's span, is no request of its own."""
    house.clock.advance(SystemClock().now() - START)
    tracers = TracerProvider(resource=Resource.create({"service.name": "support-chat"}))
    tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    tracer = tracers.get_tracer("genai")

    def ask() -> None:
        said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
        with tracer.start_as_current_span("invoke_agent", attributes={**said, "gen_ai.operation.name": "invoke_agent"}):
            for failed in (False, False, True):
                with tracer.start_as_current_span("chat gpt-5", kind=SpanKind.CLIENT, attributes=said) as span:
                    if failed:
                        span.set_status(Status(StatusCode.ERROR))

    await asyncio.to_thread(ask)
    await house.outcomes.flush()
    rows = await house.samples.outcomes.between(house.clock.now() - timedelta(hours=1), house.clock.now() + timedelta(hours=1))

    assert (2, 1) == (sum(one.counts.ok for one in rows), sum(one.counts.failed for one in rows))


# --- what a point comes to


async def test_a_delta_counts_as_it_is(house: House, http: aiohttp.ClientSession) -> None:
    """And failures by their `error.type`."""
    status, found = await send(http, house, export(point(9), point(2, **{"error.type": "500"})))

    assert (200, {}) == (status, found)
    assert {MAIL: (9, 2)} == await counted(house)


async def test_a_counter_that_only_grows_counts_what_is_new(house: House, http: aiohttp.ClientSession) -> None:
    """A restart of the service begins it anew."""
    house.clock.advance(timedelta(minutes=10))
    for count, start, end in ((5, 60, 120), (8, 60, 180), (8, 60, 180), (3, 200, 240)):
        await send(http, house, export(point(count, start=start, end=end), temporality=CUMULATIVE))

    assert {MAIL: (11, 0)} == await counted(house)


async def test_workers_of_one_service_count_side_by_side(house: House, http: aiohttp.ClientSession) -> None:
    """They say the same of themselves, and each began at its own moment."""
    house.clock.advance(timedelta(minutes=10))
    for count, end in ((100, 120), (100, 180), (101, 240)):
        for start in (60, 61):
            await send(http, house, export(point(count, start=start, end=end + start % 2), temporality=CUMULATIVE))

    assert {MAIL: (202, 0)} == await counted(house)


async def test_a_counter_that_tells_no_start_counts_what_it_grows_by(house: House, http: aiohttp.ClientSession) -> None:
    """OTLP allows for it. What it held at first may have been counted before, and so may what is less than that."""
    house.clock.advance(timedelta(minutes=10))
    for count, end in ((100, 120), (100, 180), (107, 240), (50, 300), (52, 360)):
        unset = {**point(count, end=end), "startTimeUnixNano": "0"}
        await send(http, house, export(unset, temporality=CUMULATIVE))

    assert {MAIL: (9, 0)} == await counted(house)


async def test_a_delta_that_tells_no_start_counts(house: House, http: aiohttp.ClientSession) -> None:
    """At its end."""
    await send(http, house, export({**point(9), "startTimeUnixNano": "0"}))

    assert {MAIL: (9, 0)} == await counted(house)


async def test_what_a_counter_held_before_we_listened_is_not_counted(house: House, http: aiohttp.ClientSession) -> None:
    """The bot before this one may have counted it."""
    house.clock.advance(timedelta(minutes=10))
    for end, count in ((60, 1_000), (120, 1_007)):
        await send(http, house, export(point(count, start=-3_600, end=end), temporality=CUMULATIVE))

    assert {MAIL: (7, 0)} == await counted(house)


async def test_the_same_bytes_count_once(house: House, http: aiohttp.ClientSession) -> None:
    """An exporter that heard no answer sends them again."""
    for _ in range(3):
        await send(http, house, export(point(9)))

    assert {MAIL: (9, 0)} == await counted(house)


async def test_a_request_may_name_the_flag_that_chose(house: House, http: aiohttp.ClientSession) -> None:
    """By the convention for feature flags; a flag that is not ours is somebody else's."""
    ours = {"feature_flag.key": "support-chat.llm", "feature_flag.result.variant": "gpt"}
    await send(http, house, export(point(1, **ours), point(1, **{**ours, "feature_flag.key": "dark-mode"})))

    assert {Route("mail", "support-chat.llm", "gpt", "openai"), MAIL} == (await counted(house)).keys()


async def test_a_service_cannot_name_itself_in_markup(house: House, http: aiohttp.ClientSession) -> None:
    """Nor at any length."""
    await send(http, house, export(point(1), service="<!channel>\x00 mail"))
    await send(http, house, export(point(1), service="x" * 10_000))

    assert {"channel_ mail", "x" * 64} == {route.service for route in await counted(house)}


async def test_how_long_requests_took_is_known(house: House, http: aiohttp.ClientSession) -> None:
    """As finely as the histogram tells."""
    await send(http, house, export(point(9)))
    await house.outcomes.flush()
    [row] = await house.samples.outcomes.between(START - timedelta(minutes=2), START + timedelta(minutes=1))

    assert row.counts.latency_ms(0.5) == pytest.approx(400, rel=0.05)


async def test_an_exponential_histogram_is_understood(house: House, http: aiohttp.ClientSession) -> None:
    """Some SDKs prefer it."""
    body = export(point(4))
    metric = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
    data = metric.pop("histogram")
    for one in data["dataPoints"]:
        del one["bucketCounts"], one["explicitBounds"]
        one |= {"scale": 0, "positive": {"offset": -2, "bucketCounts": ["4"]}}  # from 0.25 s to 0.5 s
    metric["exponentialHistogram"] = data
    await send(http, house, body)
    await house.outcomes.flush()
    [row] = await house.samples.outcomes.between(START - timedelta(minutes=2), START + timedelta(minutes=1))

    assert (4, pytest.approx(353, rel=0.05)) == (row.counts.ok, row.counts.latency_ms(0.5))


async def test_spans_of_a_service_that_sends_metrics_are_not_counted_too(house: House, http: aiohttp.ClientSession) -> None:
    """They tell the same requests."""
    span = {
        "name": "chat", "traceId": "5b8efff798038103",
        "startTimeUnixNano": str(NOW_NS - SECOND_NS), "endTimeUnixNano": str(NOW_NS),
        "attributes": [
            {"key": key, "value": {"stringValue": value}}
            for key, value in (("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "openai"))
        ],
    }  # fmt: skip
    for service in ("mail", "search"):
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        await send(http, house, export(point(9)))
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
        assert 200 == (await send(http, house, body, "traces"))[0]

    assert {MAIL: (9, 0), Route("search", provider="openai"): (1, 0)} == await counted(house)


@pytest.mark.parametrize("start", ["0", str(NOW_NS - 86_401 * SECOND_NS)])
async def test_a_span_that_does_not_say_when_it_began_is_counted_without_a_duration(
    house: House, http: aiohttp.ClientSession, start: str
) -> None:
    """Else it took 56 years, and every percentile with it."""
    attributes = (("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "openai"), ("service.name", "mail"))
    span = {
        "name": "chat", "startTimeUnixNano": start, "endTimeUnixNano": str(NOW_NS),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes],
    }  # fmt: skip
    await send(http, house, {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}, "traces")
    await house.outcomes.flush()
    [row] = await house.samples.outcomes.between(START - timedelta(minutes=2), START + timedelta(minutes=1))

    assert (1, None) == (row.counts.ok, row.counts.latency_ms(0.5))


# --- what is not taken


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"gen_ai.provider.name": "mistral_ai"}, "'mistral_ai' is not configured"),
        ({"gen_ai.provider.name": ""}, "names no provider"),
    ],
)
async def test_the_rest_of_an_export_is_taken(
    house: House, http: aiohttp.ClientSession, wrong: dict[str, str], says: str
) -> None:
    """The answer says how many were not, as OTLP's partial success."""
    status, found = await send(http, house, export(point(9), point(3, **wrong)))

    assert (200, "1") == (status, found["partialSuccess"]["rejectedDataPoints"])
    assert says in found["partialSuccess"]["errorMessage"]
    assert {MAIL: (9, 0)} == await counted(house)


async def test_old_points_and_those_still_to_come_are_rejected(house: House, http: aiohttp.ClientSession) -> None:
    """As everywhere."""
    _, found = await send(http, house, export(point(1, start=-90_000, end=-90_000), point(1, start=900, end=900)))

    assert "2" == found["partialSuccess"]["rejectedDataPoints"]


@pytest.mark.parametrize("temporality", [CUMULATIVE, DELTA])
async def test_a_count_that_cannot_be_one_is_rejected(house: House, http: aiohttp.ClientSession, temporality: int) -> None:
    """OTLP has room for more requests than any column; the rest of the export is taken."""
    house.clock.advance(timedelta(minutes=10))
    points = [point(count, start=60, end=120) for count in (2**63, 10**9 + 1, 9)]
    crooked = {**point(1, start=60, end=120), "bucketCounts": ["0", str(2**63), "0"]}
    _, found = await send(http, house, export(*points, crooked, temporality=temporality))

    assert "3" == found["partialSuccess"]["rejectedDataPoints"]
    assert "more than 1,000,000,000 requests" in found["partialSuccess"]["errorMessage"]
    assert {MAIL: (9, 0)} == await counted(house)


async def test_partial_success_is_told_in_protobuf_to_whom_speaks_it(house: House, http: aiohttp.ClientSession) -> None:
    """So that the exporter can log it."""
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    body = ParseDict(export(point(3, **{"gen_ai.provider.name": "x"})), ExportMetricsServiceRequest()).SerializeToString()
    status, found = await send_packed(http, house, body)
    told = ExportMetricsServiceResponse.FromString(found)

    assert (200, 1) == (status, told.partial_success.rejected_data_points)
    assert "not configured" in told.partial_success.error_message


async def send_packed(http: aiohttp.ClientSession, house: House, body: bytes, **more: str) -> tuple[int, bytes]:
    sent = {"Content-Type": "application/x-protobuf", **headers(OUTCOME), **more}
    answer = await http.post(f"{house.url}/v1/metrics", data=body, headers=sent)
    assert answer.content_type == "application/x-protobuf"
    return answer.status, await answer.read()


async def test_other_metrics_are_passed_over_in_silence(house: House, http: aiohttp.ClientSession) -> None:
    """An exporter sends all it has."""
    body = export(point(3))
    body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["name"] = "http.server.request.duration"

    assert (200, {}) == await send(http, house, body)
    assert {} == await counted(house)


@pytest.mark.parametrize("body", [b"\x0a\xff\xff\xff\xff\x0f", b"{}", b"\x00" * 40, b"\x0a\x05ab"])
async def test_bytes_that_are_no_protobuf_are_refused(house: House, http: aiohttp.ClientSession, body: bytes) -> None:
    """With a Status, as OTLP wants: the exporter does not try again."""
    status, found = await send_packed(http, house, body)

    assert (400, True) == (status, b"not OTLP in protobuf" in found)


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"7", b'{"resourceMetrics": 7}', b"[" * 100_000])
async def test_text_that_is_no_export_is_refused(house: House, http: aiohttp.ClientSession, body: bytes) -> None:
    """Likewise, in JSON."""
    status, found = await send(http, house, body)

    assert (400, 3) == (status, found["code"])


async def test_a_packed_export_is_unpacked(house: House, http: aiohttp.ClientSession) -> None:
    """Exporters compress with gzip where they are told to."""
    await send(http, house, gzip.compress(json.dumps(export(point(9))).encode()), **{"Content-Encoding": "gzip"})

    assert {MAIL: (9, 0)} == await counted(house)


@pytest.mark.parametrize("cut", [10, -10])
async def test_a_body_that_was_cut_off_is_refused(house: House, http: aiohttp.ClientSession, cut: int) -> None:
    """Nothing of it is counted."""
    body = gzip.compress(json.dumps(export(point(9))).encode())[:cut]

    assert 400 == (await send(http, house, body, **{"Content-Encoding": "gzip"}))[0]
    assert {} == await counted(house)


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """The cap is on what it becomes."""
    bomb = gzip.compress(b" " * 64 * 1024 * 1024)

    assert 413 == (await send(http, house, bomb, **{"Content-Encoding": "gzip"}))[0]


async def test_another_protocol_is_named(house: House, http: aiohttp.ClientSession) -> None:
    """And what to set."""
    status, found = await send(http, house, b"x", **{"Content-Type": "text/plain"})

    assert (415, True) == (status, "OTEL_EXPORTER_OTLP_PROTOCOL" in found["message"])


async def test_an_export_needs_a_token_for_outcomes(house: House, http: aiohttp.ClientSession) -> None:
    """A read token will not do."""
    assert 403 == (await send(http, house, export(point(9)), **headers(READ)))[0]
