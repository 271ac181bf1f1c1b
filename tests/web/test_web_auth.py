"""Authentication: every route and every kind of token, from this machine and from elsewhere."""

import base64
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from web_house import CONTROL, LOCAL, READ, House, OpenHouse, headers

from bot.web.hooks.intake import _may_do_without_token
from bot.web.server.auth import is_local
from bot.web.server.origins import is_loopback_address
from bot.web.services import SERVICES

READS = [
    ("GET", "/"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/incidents"),
    ("GET", "/api/v1/flags"),
    ("POST", "/ofrep/v1/evaluate/flags"),
    ("POST", "/ofrep/v1/evaluate/flags/on"),
]
DECLARE = {"title": "Chat is slow"}
PROXIED = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Proto": "https"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"CF-Connecting-IP": "127.0.0.1"},
]
FOREIGN = [{"Host": "rebound.example.com"}, {"Host": "demo.localhost"}]


async def ask(http: aiohttp.ClientSession, house: House, method: str, path: str, **more: Any) -> tuple[int, str]:
    answer = await http.request(method, house.url + path, **more)
    return answer.status, await answer.text()


@pytest.mark.parametrize(("method", "path"), READS)
@pytest.mark.parametrize(("token", "status"), [(READ, 200), (CONTROL, 200), (LOCAL, 200), ("wrong", 401), ("", 401)])
async def test_reading_needs_a_known_token_when_tokens_are_configured(
    house: House, http: aiohttp.ClientSession, method: str, path: str, token: str, status: int
) -> None:
    """Every read route accepts read, control and local tokens and no others, even from this machine."""
    sent = headers(token) if token else {}
    assert status == (await ask(http, house, method, path, headers=sent))[0]


@pytest.mark.parametrize(("method", "path"), READS)
@pytest.mark.parametrize("tokens", [{}, {"read_tokens": (READ,)}])
async def test_reading_is_open_to_this_machine_when_configured(
    open_house: OpenHouse, http: aiohttp.ClientSession, method: str, path: str, tokens: dict[str, Any]
) -> None:
    """A first try on a laptop needs no token; other machines still do."""
    house = await open_house(open_to_loopback=True, **tokens)
    assert 200 == (await ask(http, house, method, path))[0]


@pytest.mark.parametrize(("method", "path"), READS)
@pytest.mark.parametrize(
    ("tokens", "status"), [({}, 403), ({"control_tokens": (CONTROL,)}, 401), ({"read_tokens": ("",)}, 403)]
)
async def test_reading_needs_a_token_by_default(
    open_house: OpenHouse, http: aiohttp.ClientSession, method: str, path: str, tokens: dict[str, Any], status: int
) -> None:
    """Behind a proxy that adds no header all clients appear local, so open reading must be a choice."""
    house = await open_house(**tokens)
    found, text = await ask(http, house, method, path)
    assert status == found
    assert "server.read_tokens" in text


@pytest.mark.parametrize("sent", PROXIED + FOREIGN)
async def test_reading_open_to_this_machine_stays_closed_to_others(
    open_house: OpenHouse, http: aiohttp.ClientSession, sent: dict[str, str]
) -> None:
    """Behind a proxy all clients have this machine's address, and a foreign DNS name can be rebound to it."""
    house = await open_house(open_to_loopback=True)
    status, text = await ask(http, house, "GET", "/api/v1/status", headers=sent)
    assert 403 == status
    assert "server.read_tokens" in text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080"])
async def test_reading_is_open_under_every_name_of_this_machine(
    open_house: OpenHouse, http: aiohttp.ClientSession, host: str
) -> None:
    """Loopback has several spellings."""
    house = await open_house(open_to_loopback=True, read_tokens=("",))
    sent = {"Host": host, "Origin": f"http://{host}"}
    assert 200 == (await ask(http, house, "GET", "/api/v1/status", headers=sent))[0]


async def test_proxied_reader_is_served_with_a_token(house: House, http: aiohttp.ClientSession) -> None:
    """A proxy is fine as long as the token is passed on."""
    sent = {**headers(READ), **PROXIED[0], **FOREIGN[0]}
    assert 200 == (await ask(http, house, "GET", "/api/v1/status", headers=sent))[0]


async def test_read_token_is_accepted_as_an_api_key(house: House, http: aiohttp.ClientSession) -> None:
    """OFREP clients send either header."""
    assert 200 == (await ask(http, house, "GET", "/api/v1/flags", headers={"X-API-Key": READ}))[0]


@pytest.mark.parametrize(
    ("token", "status", "says"),
    [
        (CONTROL, 200, "declared"),
        (LOCAL, 200, "declared"),
        (READ, 403, "server.control_tokens"),
        ("wrong", 401, "server.control_tokens"),
        ("", 401, "server.control_tokens"),
    ],
)
async def test_changing_needs_a_control_token(
    house: House, http: aiohttp.ClientSession, token: str, status: int, says: str
) -> None:
    """A read token may not change anything, and the answer says which token may."""
    sent = headers(token) if token else {}
    found = await ask(http, house, "POST", "/api/v1/incidents", headers=sent, json=DECLARE)
    assert status == found[0]
    assert says in found[1]
    assert (status == 200) == bool(house.engine.signals)


async def test_changing_is_off_when_no_control_token_is_configured(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """Even this machine needs the local token; empty tokens are never valid."""
    house = await open_house(control_tokens=("",), local_token="")
    for sent in ({}, headers("anything"), {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
        status, text = await ask(http, house, "POST", "/api/v1/incidents", headers=sent, json=DECLARE)
        assert (403, True) == (status, "no control tokens are configured" in text)
    house = await open_house(local_token=LOCAL)
    assert 200 == (await ask(http, house, "POST", "/api/v1/incidents", headers=headers(LOCAL), json=DECLARE))[0]


async def test_api_key_and_password_do_not_change_things(house: House, http: aiohttp.ClientSession) -> None:
    """Only a Bearer header changes things: a browser never sends one by itself."""
    basic = "Basic " + base64.b64encode(f"ana:{CONTROL}".encode()).decode()
    for sent in ({"X-API-Key": CONTROL}, {"Authorization": basic}, {"Cookie": f"token={CONTROL}"}):
        assert 401 == (await ask(http, house, "POST", "/api/v1/incidents", headers=sent, json=DECLARE))[0]


async def test_browser_may_read_the_board_with_the_token_as_password(house: House, http: aiohttp.ClientSession) -> None:
    """A browser cannot send Bearer, so the board asks for a password; only the board does."""
    answer = await http.get(house.url + "/")
    assert (401, 'Basic realm="Understudy"') == (answer.status, answer.headers["WWW-Authenticate"])
    sent = {"Authorization": "Basic " + base64.b64encode(f"anybody:{READ}".encode()).decode()}
    assert 200 == (await ask(http, house, "GET", "/", headers=sent))[0]
    assert 401 == (await ask(http, house, "GET", "/api/v1/status", headers=sent))[0]
    for broken in ("Basic ???", "Basic", "Basic " + base64.b64encode(b"\xff\xfe").decode()):
        assert 401 == (await ask(http, house, "GET", "/", headers={"Authorization": broken}))[0]


async def test_health_probes_need_no_token(house: House, http: aiohttp.ClientSession) -> None:
    """A kubelet has no token."""
    for path in ("/healthz", "/readyz", "/board.css"):
        assert 200 == (await ask(http, house, "GET", path, headers=PROXIED[0]))[0]


async def test_only_known_routes_are_open(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """Without a token and from elsewhere, only probes, style sheet, script and heartbeats answer."""
    house = await open_house(open_to_loopback=True)
    assert house.server is not None
    app = house.server.app
    opened = set()
    for route in app.router.routes():
        path = (route.resource.canonical if route.resource else "").replace("{incident}", "1").replace("{key}", "on")
        path = re.sub(r"{(name|what|peer|component)}", "start", path)
        method = "GET" if route.method == "*" else route.method
        if (await ask(http, house, method, path, headers=PROXIED[0]))[0] not in (401, 403):
            opened.add((route.method, path))
    probes = {("GET", path) for path in ("/healthz", "/readyz", "/board.css", "/board.js")}
    beat = "/hooks/heartbeat/start"
    beats = {(method, path) for method in ("GET", "POST") for path in (beat, beat + "/start")}
    heads = {("HEAD", path) for _, path in probes | beats}
    assert probes | beats == opened - heads


async def test_tokens_are_not_in_the_repr(house: House) -> None:
    """A log line that contains the services must not leak a token."""
    assert house.server is not None
    shown = repr(house.server.app[SERVICES])
    assert [] == [token for token in (READ, CONTROL, LOCAL) if token in shown]


async def test_remote_address_is_never_local_whatever_the_host_header() -> None:
    """Only the peer address says where a connection comes from; the Host header is the client's choice."""

    async def judge(request: web.Request) -> web.Response:
        elsewhere = request.clone(remote="192.0.2.7")
        return web.json_response([is_local(request), is_local(elsewhere), _may_do_without_token(elsewhere)])

    app = web.Application()
    app.router.add_get("/", judge)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        told = [
            await (await http.get(server.make_url("/"), headers={"Host": host})).json() for host in ("localhost", "bot.lan")
        ]

    assert [[True, False, True], [False, False, True]] == told


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_every_loopback_address_is_local(address: str) -> None:
    """This includes the form in which a dual-stack socket writes IPv4 addresses."""
    assert is_loopback_address(address)


@pytest.mark.parametrize("address", ["", "192.0.2.7", "::ffff:192.0.2.7", "0.0.0.0", "localhost", "127.0.0.1.evil.example.com"])
def test_other_addresses_are_not_local(address: str) -> None:
    """An unreadable address is not local either."""
    assert not is_loopback_address(address)
