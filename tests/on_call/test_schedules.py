"""Who is on call by other services' schedules, with answers shaped as in their documentation."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import ThreadResolver, machine_look_up
from bot.checks.net.transport import Transport
from bot.checks.net.trust_store import tls_context
from bot.on_call.jsm import Jsm
from bot.on_call.pagerduty import PagerDuty
from bot.on_call.shifts import SourceError, on_duty
from bot.on_call.web import Asker

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
SHAPES = Path(__file__).parent / "shapes"
USERS = {"ana@example.com": "U0ANA", "PBEN002": "U0BEN", "5b2b0e011b3a756623f4e25e": "U0EVE"}
TOKEN = "canary-token-1"


def shape(name: str) -> Any:
    return json.loads((SHAPES / name).read_text(encoding="utf-8"))


class Service:
    """A server with scripted answers that records the requests."""

    def __init__(self) -> None:
        self.says: list[Any] = []
        self.status = 200
        self.asked: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        said = self.says[min(len(self.asked), len(self.says)) - 1]
        return web.json_response(said, status=self.status)


@pytest.fixture
async def service() -> AsyncIterator[tuple[Service, str, Asker]]:
    """The server, its address, and a client."""
    service, app, resolver = Service(), web.Application(), ThreadResolver(machine_look_up)
    app.router.add_get("/{tail:.*}", service.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    guard = Guard(["127.0.0.0/8"])
    asker = Asker(Transport(ssl_context=tls_context(), resolver=resolver, guard=guard, version="test"), version="test")
    yield service, f"http://127.0.0.1:{runner.addresses[0][1]}", asker
    await asker.close()
    await runner.cleanup()
    resolver.close()


ServiceAndClient = tuple[Service, str, Asker]


# --- PagerDuty


def pagerduty(service: ServiceAndClient) -> PagerDuty:
    return PagerDuty(service[2], service[1], "PABC123", TOKEN, USERS)


async def test_pagerduty_gives_the_current_and_next_shifts(service: ServiceAndClient) -> None:
    """By address and by id; a schedule in two escalation policies gives each shift once."""
    service[0].says = [shape("pagerduty_oncalls.json")]
    shifts = await pagerduty(service).shifts(NOW)

    assert ("U0ANA",) == on_duty(shifts, NOW)
    assert ("U0BEN",) == on_duty(shifts, datetime(2026, 3, 24, tzinfo=UTC))
    assert 2 == len(shifts)


async def test_pagerduty_request_names_schedule_and_token(service: ServiceAndClient) -> None:
    """As its documentation requires."""
    service[0].says = [shape("pagerduty_oncalls.json")]
    await pagerduty(service).shifts(NOW)
    [asked] = service[0].asked

    assert "/oncalls" == asked.path
    assert ("PABC123", "users") == (asked.query["schedule_ids[]"], asked.query["include[]"])
    assert "2026-03-20T12:00:00+00:00" == asked.query["since"]
    assert f"Token token={TOKEN}" == asked.headers["Authorization"]
    assert "application/vnd.pagerduty+json;version=2" == asked.headers["Accept"]


async def test_pagerduty_answer_is_read_page_by_page(service: ServiceAndClient) -> None:
    """A hundred at a time, up to a limit."""
    service[0].says = [{"oncalls": [], "more": True}]
    await pagerduty(service).shifts(NOW)

    assert ["0", "100", "200", "300", "400"] == [asked.query["offset"] for asked in service[0].asked]


async def test_pagerduty_person_without_times_is_always_on_call(service: ServiceAndClient) -> None:
    """PagerDuty gives no times for a person who is in the escalation policy directly."""
    entry = {"user": {"id": "PBEN002", "type": "user_reference", "summary": "Ben Okafor"}, "start": None, "end": None}
    service[0].says = [{"oncalls": [entry], "more": False}]

    assert ("U0BEN",) == on_duty(await pagerduty(service).shifts(NOW), NOW)


async def test_unmatched_pagerduty_person_is_named(service: ServiceAndClient) -> None:
    """By the address to add in the configuration."""
    entry = {"user": {"id": "PEVE003", "email": "eve@example.com", "summary": "Eve"}, "start": None, "end": None}
    service[0].says = [{"oncalls": [entry]}]
    [shift] = await pagerduty(service).shifts(NOW)

    assert ((), ("eve@example.com",)) == (shift.people, shift.unknown)


# --- Jira Service Management


def jsm(service: ServiceAndClient) -> Jsm:
    return Jsm(service[2], f"{service[1]}/jsm/ops/api", "cloud-1", "f8f2a4ec", "ana@example.com", TOKEN, USERS)


@pytest.mark.parametrize("name", ["jsm_on_calls_flat.json", "jsm_on_calls.json"])
async def test_jira_gives_the_people_on_call_now(service: ServiceAndClient, name: str) -> None:
    """Flat, or within teams and escalations; an unmapped id is named."""
    service[0].says = [shape(name)]
    [shift] = await jsm(service).shifts(NOW)

    assert (("U0EVE",), ("70121:0f1c4c1e-0000-4000-8000-000000000001",)) == (shift.people, shift.unknown)
    assert shift.covers(NOW)


async def test_jira_request_names_schedule_and_login(service: ServiceAndClient) -> None:
    """As its documentation requires."""
    service[0].says = [shape("jsm_on_calls_flat.json")]
    await jsm(service).shifts(NOW)
    [asked] = service[0].asked
    kind, _, login = asked.headers["Authorization"].partition(" ")

    assert "/jsm/ops/api/cloud-1/v1/schedules/f8f2a4ec/on-calls" == asked.path
    assert "true" == asked.query["flat"]
    assert ("Basic", f"ana@example.com:{TOKEN}") == (kind, b64decode(login).decode())


# --- both


@pytest.mark.parametrize("make", [pagerduty, jsm])
@pytest.mark.parametrize("said", [[], {}, {"oncalls": 5}, {"oncalls": [{}]}, {"onCallUsers": 5}, "x", None])
async def test_unexpected_answer_is_reported(service: ServiceAndClient, make: Any, said: Any) -> None:
    """From a proxy's page or a changed version; nobody is put on call by a guess."""
    service[0].says = [said]
    with pytest.raises(SourceError, match="the answer is not in"):
        await make(service).shifts(NOW)


@pytest.mark.parametrize("make", [pagerduty, jsm])
async def test_refused_token_is_reported_without_the_token(service: ServiceAndClient, make: Any) -> None:
    """The sentence says what to look at."""
    service[0].says, service[0].status = [{}], 401
    with pytest.raises(SourceError) as caught:
        await make(service).shifts(NOW)

    assert "HTTP 401: is the token right and allowed to read this?" == str(caught.value)


@pytest.mark.parametrize("make", [pagerduty, jsm])
async def test_empty_token_sends_no_request(service: ServiceAndClient, make: Any) -> None:
    """`${TOKEN:-}` may be empty, and the error says so."""
    source = make(service)
    kind = type(source)
    fields = {name: getattr(source, name) for name in kind.__dataclass_fields__} | {"token": ""}
    with pytest.raises(SourceError, match="its token is empty"):
        await kind(**fields).shifts(NOW)

    assert [] == service[0].asked
