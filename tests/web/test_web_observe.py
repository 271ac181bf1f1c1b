"""Metrics and health, response headers, starting and stopping the server, and the docs that describe them."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from web_house import POLICY, READ, START, House, OpenHouse, headers

from bot.core.model import Actor, Level, Outcome, Sample
from bot.core.signals import Declare, EngageFlag, StepBack
from bot.flags.evaluate import snapshot
from bot.web.app import WebError, WebServer
from bot.web.check_results import CheckResults
from bot.web.health import Health, Part

DOCS = Path(__file__).resolve().parents[2] / "docs"
CHAT = "support-chat.llm"
ANA = Actor.operator("ana")


async def scrape(http: aiohttp.ClientSession, house: House) -> dict[tuple[str, ...], float]:
    """All samples by name and sorted label values."""
    answer = await http.get(house.url + "/metrics", headers=headers(READ))
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(await answer.text())
    return {(s.name, *(s.labels[k] for k in sorted(s.labels))): s.value for family in families for s in family.samples}


async def test_metrics_follow_the_committed_world(house: House, http: aiohttp.ClientSession) -> None:
    """Levels, incidents, flags and readers are read at the scrape, so they never lag behind."""
    await house.verdict("anthropic.api", Level.DOWN)
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="down"))
    await http.post(f"{house.url}/ofrep/v1/evaluate/flags/{CHAT}", headers=headers(READ))
    await http.post(f"{house.url}/ofrep/v1/evaluate/flags/nope", headers=headers(READ))
    found = await scrape(http, house)
    assert [1, 0] == [found["understudy_component_level", "anthropic.api", level] for level in ("down", "operational")]
    assert START.timestamp() == found["understudy_component_since_timestamp_seconds", "anthropic.api"]
    assert [1, 0] == [found["understudy_incidents_open", severity] for severity in ("SEV2", "SEV1")]
    assert (1, 100, 1) == tuple(
        found[f"understudy_flag_{name}", CHAT] for name in ("engaged", "percent_on_fallback", "readers")
    )
    assert 1 == found["understudy_flag_evaluations_total", CHAT, "STATIC", "gpt"]
    assert 1 == found["understudy_flag_not_found_total",]
    await house.engine.handle(StepBack(ANA, flag=CHAT))
    await house.verdict("anthropic.api", Level.OPERATIONAL)
    after = await scrape(http, house)
    assert [0, 1] == [after["understudy_component_level", "anthropic.api", level] for level in ("down", "operational")]


class NotesThread(Collector):
    """Empty metrics that note on which thread they were collected."""

    asked_on: frozenset[int] = frozenset()

    def collect(self) -> Iterator[Metric]:
        self.asked_on |= {threading.get_ident()}
        yield from ()


async def test_metrics_are_rendered_off_the_event_loop(house: House, http: aiohttp.ClientSession) -> None:
    """For hundreds of components it takes a fifth of a second, which would delay checks and flag readers."""
    notes = NotesThread()
    house.metrics.registry.register(notes)
    before = notes.asked_on  # a registry asks what it is given for its names
    await scrape(http, house)

    assert len(notes.asked_on) > len(before)
    assert threading.get_ident() not in notes.asked_on - before


async def test_reported_events_appear_in_the_metrics(house: House, http: aiohttp.ClientSession) -> None:
    """Each count is on the page under its documented name."""
    await house.verdict("anthropic.api", Level.DOWN)
    await house.engine.handle(Declare(ANA, title="by hand"))
    for fact in house.engine.facts:
        house.metrics.observe_fact(fact)
    sample = Sample("inference", "anthropic.api", START, Outcome.FAIL, error="http_5xx", phases_ms={"total": 300.0})
    house.metrics.observe_sample(sample)
    house.metrics.observe_commit(timedelta(milliseconds=4))
    house.metrics.set_outbox({"pending": 3, "dead": 1}, timedelta(seconds=90))
    house.metrics.set_slack(True)
    found = await scrape(http, house)
    assert 1 == found["understudy_check_results_total", "inference", "anthropic.api", "http_5xx", "fail"]
    assert 0.3 == found["understudy_probe_duration_seconds_sum", "anthropic.api"]
    assert 1 == found["understudy_verdict_changes_total", "anthropic.api", "down"]
    assert 2 == found["understudy_incidents_declared_total", "SEV2"]
    assert 2 == found["understudy_facts_total", "incident.declared"]
    assert [3, 0, 1] == [found["understudy_outbox_rows", state] for state in ("pending", "ambiguous", "dead")]
    assert 90 == found["understudy_outbox_oldest_pending_age_seconds",]
    assert 1 == found["understudy_slack_socket_connected",]
    assert 1 == found["understudy_store_commit_seconds_count",]
    assert 1 == max(value for (name, *_), value in found.items() if name == "understudy_build_info")


async def test_health_and_readiness_name_the_missing_part(house: House, http: aiohttp.ClientSession) -> None:
    """Liveness and readiness are separate; a part in trouble is named in a sentence."""
    assert 200 == (await http.get(house.url + "/healthz")).status
    assert 200 == (await http.get(house.url + "/readyz")).status
    assert 200 == (await http.head(house.url + "/readyz")).status
    house.health = Health(False, False, {"store": Part(False, "read-only", START, "The disk is full.")})
    alive, ready = await http.get(house.url + "/healthz"), await http.get(house.url + "/readyz")
    assert (503, 503) == (alive.status, ready.status)
    part = {"ok": False, "state": "read-only", "since": "2026-03-20T12:00:00+00:00", "sentence": "The disk is full."}
    assert {"ready": False, "missing": ["store"], "parts": {"store": part}} == await ready.json()


async def test_unready_until_flags_can_be_served(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """A load balancer must not send readers before the state is restored."""
    house = await open_house(restored=False)
    answer = await http.get(house.url + "/readyz")
    assert (503, ["flags"]) == (answer.status, (await answer.json())["missing"])
    house.engine.restore()
    assert 200 == (await http.get(house.url + "/readyz")).status


async def test_flag_readers_are_served_while_nothing_can_be_committed(
    open_house: OpenHouse, http: aiohttp.ClientSession
) -> None:
    """Losing the database blocks changes on every replica, but services can still read flags."""
    house = await open_house(restored=False)
    assert 503 == (await http.get(house.url + "/readyz?for=flags")).status
    house.engine.restore()
    house.health = Health(False, True, {"store": Part(False, "away", START, "The database cannot be reached.")})
    answer = await http.get(house.url + "/readyz?for=flags")
    assert (200, False, ["store"]) == (answer.status, (found := await answer.json())["ready"], found["missing"])
    assert 503 == (await http.get(house.url + "/readyz")).status


async def test_unservable_engagement_is_reported_but_the_bot_stays_ready(house: House, http: aiohttp.ClientSession) -> None:
    """A flag that left the configuration without a known value is reported, and the other flags are served."""
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="down"))
    house.board.swap(snapshot(house.engine.world, replace(POLICY, flags={}), 1))
    answer = await http.get(house.url + "/readyz")
    assert (200, ["flags"]) == (answer.status, (await answer.json())["missing"])


@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/ofrep/v1/evaluate/flags", "/nope", "/healthz"])
async def test_every_answer_has_security_headers(house: House, http: aiohttp.ClientSession, path: str) -> None:
    """No sniffing, no referrer, and no server version."""
    answer = await http.get(house.url + path)
    assert ("nosniff", "no-referrer", "understudy") == (
        answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"], answer.headers["Server"],
    )  # fmt: skip


async def test_server_says_what_to_do_when_it_cannot_listen(house: House) -> None:
    """A taken port may become free; an address of another machine never becomes ours."""
    assert house.server is not None
    second = House()
    second.port = house.port
    with pytest.raises(WebError, match=f"Cannot listen on 127.0.0.1:{house.port}.*server.listen") as taken:
        await second.open(port=house.port)
    assert not taken.value.permanent
    other = House()
    await other.open()
    await other.close()
    with pytest.raises(WebError, match=r"Cannot listen on 192\.0\.2\.1:0") as foreign:
        await WebServer(House().build()).start("192.0.2.1", 0)
    assert foreign.value.permanent


async def test_server_can_be_stopped_twice() -> None:
    """Stopping is safe at any time, even before the start."""
    house = House()
    server = WebServer(house.build())
    await server.stop()
    port = await server.start("127.0.0.1", 0)
    assert port > 0
    await server.stop()
    await server.stop()


async def test_docs_name_every_route_and_metric(house: House, http: aiohttp.ClientSession) -> None:
    """The reference is complete, and describes nothing that does not exist."""
    text = (DOCS / "http-api.md").read_text()
    assert house.server is not None
    routes = {(r.method, r.resource.canonical) for r in house.server.app.router.routes() if r.resource}
    routes = {(m, p.replace("{incident}", "{n}")) for m, p in routes if m not in ("HEAD", "OPTIONS")}
    documented = set(re.findall(r"`(GET|POST|DELETE) (/[^`? ]*)[^`]*`", text))
    assert routes == documented
    families = {family.name for family in house.metrics.registry.collect()}
    counters = {family.name for family in house.metrics.registry.collect() if family.type == "counter"}
    promised = set(re.findall(r"`(understudy_[a-z_]+)", text))
    assert {name + "_total" if name in counters else name for name in families} == promised


def test_docs_name_all_metadata_and_reasons() -> None:
    """Everything that a flag reader can rely on is documented."""
    text = (DOCS / "flags.md").read_text()
    names = ("phase", "percent_on_fallback", "engagedAt", "expiresAt", "incident", "revision", "description")
    for word in (*names, "STATIC", "SPLIT", "UNKNOWN", "targetingKey", "handing_back"):
        assert f"`{word}`" in text, word


def test_check_results_have_the_labels_that_dashboards_query() -> None:
    """Each pair of check and outcome is a series of its own, and a success has an empty error label."""
    metrics, registry = CheckResults(), CollectorRegistry()
    registry.register(metrics)
    for outcome, error in ((Outcome.OK, None), (Outcome.OK, None), (Outcome.FAIL, "http_5xx")):
        metrics.see(Sample("inference", "anthropic.api", START, outcome, error=error))

    name, of = "understudy_check_results_total", {"component": "anthropic.api", "check": "inference"}
    assert 2 == registry.get_sample_value(name, {**of, "outcome": "ok", "error": ""})
    assert 1 == registry.get_sample_value(name, {**of, "outcome": "fail", "error": "http_5xx"})
