"""Every kind of token on every route of the application."""

import re

import aiohttp
import pytest
from aiohttp import web
from raw_http import send_raw, status_of
from web_house import CONTROL, LOCAL, OUTCOME, READ, House, OpenHouse, headers

from bot.web.services import FlagToken

SOME_FLAGS = "flag-token-for-tests"
TOKENS = {"read": READ, "flags": SOME_FLAGS, "control": CONTROL, "outcomes": OUTCOME, "local": LOCAL, "wrong": "wrong"}

OPEN = {
    "GET /healthz", "GET /readyz", "GET /board.css", "GET /board.js", "GET /hooks/heartbeat/x", "POST /hooks/heartbeat/x",
    "GET /hooks/heartbeat/x/x", "POST /hooks/heartbeat/x/x",
}  # fmt: skip
FLAGS = {
    "POST /ofrep/v1/evaluate/flags", "POST /ofrep/v1/evaluate/flags/on", "GET /ofrep/v1/events", "GET /flagd/v1/flags.json",
}  # fmt: skip
READS = {
    "GET /", "GET /metrics", "GET /api/v1/status", "GET /api/v1/incidents", "GET /api/v1/incidents/1",
    "GET /api/v1/incidents/1/timeline", "GET /api/v1/incidents/1/export", "GET /api/v1/flags", "GET /api/v1/flags/on/readers",
    "GET /api/v1/drills", "GET /api/v1/drills/1", "GET /api/v1/outcomes",
}  # fmt: skip
OUTCOMES = {"POST /api/v1/outcomes", "POST /v1/metrics", "POST /v1/traces"}
BY_SIGNATURE = {"POST /hooks/samples/x"}


def routes(app: web.Application) -> set[str]:
    """Every route with its placeholders filled in; CORS preflight is left out, because it depends on the page alone."""
    found = set()
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else ""
        path = re.sub(r"{\w+}", "x", path.replace("{incident}", "1").replace("{key}", "on"))
        found.add(f"{route.method} {path}")
    return {route for route in found if not route.startswith(("HEAD ", "OPTIONS "))}


async def opened(house: House, http: aiohttp.ClientSession, token: str) -> set[str]:
    """The routes that accept a client with these headers."""
    assert house.server is not None
    found = set()
    for route in routes(house.server.app):
        method, path = route.split(" ")
        async with http.request(method, house.url + path, headers=headers(token)) as answer:
            if answer.status not in (401, 403):
                found.add(route)
    return found


@pytest.mark.parametrize("kind", TOKENS)
async def test_token_opens_only_its_own_routes(open_house: OpenHouse, http: aiohttp.ClientSession, kind: str) -> None:
    """Routes not listed here count as changing, so a new route is closed to all other tokens."""
    flags = FlagToken("checkout", SOME_FLAGS, ("on",))
    house = await open_house(
        read_tokens=(READ,), control_tokens=(CONTROL,), outcome_tokens=(OUTCOME,), flag_tokens=(flags,), local_token=LOCAL
    )
    assert house.server is not None
    everything = routes(house.server.app) - BY_SIGNATURE
    also = {
        "read": FLAGS | READS, "flags": FLAGS, "outcomes": OUTCOMES, "wrong": set(), "control": everything, "local": everything,
    }  # fmt: skip

    assert OPEN | also[kind] == await opened(house, http, TOKENS[kind])


async def test_nothing_is_read_before_the_state_is_restored(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """At start the ledger is read first; until then clients are asked to retry, not told that all is well."""
    house = await open_house(restored=False, control_tokens=(CONTROL,))
    assert house.server is not None
    ready = set()
    for route in routes(house.server.app):
        method, path = route.split(" ")
        async with http.request(method, house.url + path, headers=headers()) as answer:
            if answer.status != 503 or answer.headers.get("Retry-After") != "1":
                ready.add(route)

    assert OPEN | {"GET /", "GET /metrics", "GET /api/v1/reload", "POST /api/v1/reload"} == ready


@pytest.mark.parametrize("sent", [{}, headers("wrong")], ids=["no token", "an unknown one"])
@pytest.mark.parametrize(
    ("route", "scheme"),
    [("GET /", "Basic"), ("GET /metrics", "Bearer"), ("POST /api/v1/incidents", "Bearer"), ("POST /api/v1/outcomes", "Bearer")],
)
async def test_refused_client_learns_how_to_authenticate(
    house: House, http: aiohttp.ClientSession, route: str, scheme: str, sent: dict[str, str]
) -> None:
    """A browser prompts for the password only then, and only for the board."""
    method, path = route.split(" ")
    async with http.request(method, house.url + path, headers=sent) as answer:
        assert (401, f'{scheme} realm="Understudy"') == (answer.status, answer.headers.get("WWW-Authenticate"))


@pytest.mark.parametrize("path", ["/api/v1/status", "/flagd/v1/flags.json"])
async def test_token_with_invalid_bytes_is_unknown(house: House, path: str) -> None:
    """It is the client's mistake, so no error is logged."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ".encode() + b"\xff\xfe\r\n\r\n"

    assert 401 == status_of(await send_raw(house.port, request))
