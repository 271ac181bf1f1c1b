"""Converts OTLP bodies, in protobuf or JSON, to outcomes of requests to models (GenAI semantic conventions).

Everything else that a service exports is ignored silently: an exporter sends all it has. For requests that cannot be counted
the answer says how many, and why, as OTLP's partial success.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from bot.core.histogram import bucket
from bot.core.outcomes.counts import Route
from bot.core.outcomes.known import Known
from bot.core.outcomes.outcome import Outcome, untimely
from bot.core.outcomes.series import Point, Reading, counted, moment

DURATION = "gen_ai.client.operation.duration"
OPERATIONS = frozenset({"chat", "generate_content", "text_completion", "embeddings"})  # not agents and tools, which hold those
ERROR_STATUS = 2
DELTA = 1
IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})  # hexadecimal in OTLP's JSON
SERVICE_CHARS = 64
LONGEST_S = 86_400.0
MOST_NS = 2**62  # the year 2116
MOST_REQUESTS = 10**9  # of one point; more is a mistake, and would overflow a column eventually
OTHER_TIME = "a request is of more than a day ago, or still to come: compare the clocks"
TOO_MANY = f"a point tells of more than {MOST_REQUESTS:,} requests"

_NO_NAME = re.compile(r"[^A-Za-z0-9 ._:/@-]+", re.ASCII)


class OtlpError(ValueError):
    """The body is invalid; the sentence says why."""


@dataclass
class Read:
    """The content of a body: `rejected` counts points or spans, `why` has a sentence for the first of each kind.

    The growth in `readings` of a cumulative series is computed when they are stored.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    rejected: int = 0
    why: dict[str, str] = field(default_factory=dict)

    def reject(self, kind: str, sentence: str) -> None:
        """Leave one out."""
        self.rejected += 1
        self.why.setdefault(kind, sentence)


def read_metrics(body: bytes, packed: bool, known: Known, now: datetime) -> Read:
    """Read the data points on durations of requests to models; `packed` = protobuf, else JSON. Raises OtlpError."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest  # see `_parsed`

    found = Read()
    for resource in _parsed(ExportMetricsServiceRequest, body, packed).resource_metrics:
        told = _attributes(resource.resource.attributes)
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics if metric.name == DURATION):
            kind = metric.WhichOneof("data")
            if kind not in ("histogram", "exponential_histogram"):
                found.reject("kind", f"{DURATION} is not a histogram")
                continue
            data = getattr(metric, kind)
            for raw in data.data_points:
                said = {**told, **_attributes(raw.attributes)}
                route = _route(said, known, found)
                if route is None:
                    continue
                point = _point(raw, kind)
                if max([point.count, *point.latency.values()]) > MOST_REQUESTS:
                    found.reject("count", TOO_MANY)
                elif data.aggregation_temporality == DELTA:
                    _count(found, route, said, point, now)
                else:
                    _keep(found, route, said, point, now)
    return found


def read_spans(body: bytes, packed: bool, known: Known, now: datetime) -> Read:
    """Read the spans of requests to models. Raises OtlpError."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # see `_parsed`

    found = Read()
    for resource in _parsed(ExportTraceServiceRequest, body, packed).resource_spans:
        told = _attributes(resource.resource.attributes)
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            said = {**told, **_attributes(span.attributes)}
            if said.get("gen_ai.operation.name") not in OPERATIONS:
                continue
            route = _route(said, known, found)
            if route is None:
                continue
            if span.status.code == ERROR_STATUS:
                said.setdefault("error.type", "error")
            took = max(0, span.end_time_unix_nano - span.start_time_unix_nano) // 1_000
            known_span = span.start_time_unix_nano > 0 and took < LONGEST_S * 1e6  # some senders leave the start out
            point = Point(span.end_time_unix_nano, span.end_time_unix_nano, 1, {bucket(took): 1} if known_span else {})
            _count(found, route, said, point, now)
    return found


def _parsed(kind: Any, body: bytes, packed: bool) -> Any:
    """The message. Protobuf is loaded at the first export, so that starts, and users without exports, need not wait for it."""
    from google.protobuf.json_format import ParseDict, ParseError
    from google.protobuf.message import DecodeError

    try:
        if packed:
            return kind.FromString(body)
        data = json.loads(body)
        if not isinstance(data, dict):
            raise OtlpError("The body is not OTLP in JSON: expected an object")
        return ParseDict(_without_ids(data), kind(), ignore_unknown_fields=True, max_recursion_depth=40)
    except OtlpError:
        raise
    except (DecodeError, ParseError, ValueError, RecursionError, TypeError) as error:
        raise OtlpError(f"The body is not OTLP in {'protobuf' if packed else 'JSON'}: {str(error)[:200]}") from error


def _without_ids(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_ids(value) for key, value in data.items() if key not in IDS}
    return [_without_ids(one) for one in data] if isinstance(data, list) else data


def _attributes(given: Iterable[Any]) -> dict[str, str]:
    """Attributes with plain text values; others are not needed."""
    return {one.key: one.value.string_value for one in given if one.value.HasField("string_value")}


def _route(said: Mapping[str, str], known: Known, found: Read) -> Route | None:
    service = _NO_NAME.sub("_", said.get("service.name", ""))[:SERVICE_CHARS].strip("_ ") or "unknown_service"
    flag = said.get("feature_flag.key", "")
    policy = known.flags.get(flag)
    variant = said.get("feature_flag.result.variant") or said.get("feature_flag.variant", "")
    flag, variant = (flag, variant if variant in policy.variants else "") if policy else ("", "")
    named = said.get("gen_ai.provider.name") or said.get("gen_ai.system", "")
    provider = known.provider(named) if named else known.provider_of(flag, variant)
    if provider:
        return Route(service, flag, variant, provider)
    if named:
        found.reject("provider", f"provider {named[:60]!r} is not configured")
    else:
        found.reject("unnamed", "a request names no provider (gen_ai.provider.name)")
    return None


def _count(found: Read, route: Route, said: Mapping[str, str], point: Point, now: datetime) -> None:
    if point.count <= 0:
        return
    if outcome := counted(route, said.get("error.type", ""), point, now):
        found.outcomes.append(outcome)
    else:
        found.reject("time", OTHER_TIME)


def _keep(found: Read, route: Route, said: Mapping[str, str], point: Point, now: datetime) -> None:
    at = moment(point.end)
    if at is None or not 0 <= point.start < MOST_NS or untimely(at, now):
        found.reject("time", OTHER_TIME)
        return
    # Hashed, since foreign text may be long. Includes the start, the only thing that distinguishes one service's workers.
    key = hashlib.sha256(repr((route, point.start, sorted(said.items()))).encode("utf-8", "backslashreplace")).digest()
    found.readings.append(Reading(key, point, route, said.get("error.type", "")))


def _point(raw: Any, kind: str) -> Point:
    latency: dict[int, int] = {}
    for seconds, count in _buckets(raw) if kind == "histogram" else _exponential(raw):
        if count and 0 <= seconds < LONGEST_S:
            place = bucket(round(seconds * 1e6))
            latency[place] = latency.get(place, 0) + count
    return Point(raw.start_time_unix_nano, raw.time_unix_nano, raw.count, latency)


def _buckets(raw: Any) -> Iterator[tuple[float, int]]:
    """Each bucket at its middle, the last one at its lower bound; seconds."""
    bounds = list(raw.explicit_bounds)
    if len(raw.bucket_counts) == len(bounds) + 1:
        middles = ((low + high) / 2 for low, high in pairwise([0.0, *bounds, *bounds[-1:]]))
        yield from zip(middles, raw.bucket_counts, strict=False)


def _exponential(raw: Any) -> Iterator[tuple[float, int]]:
    """Bucket `i` covers base ** i to base ** (i + 1), where base is 2 ** (2 ** -scale)."""
    for index, count in enumerate(raw.positive.bucket_counts):
        power = (raw.positive.offset + index + 0.5) * 2.0**-raw.scale if -10 <= raw.scale <= 20 else 0.0
        yield (2.0**power if abs(power) < 60 else -1.0), count
