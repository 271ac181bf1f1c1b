"""The proxies of docs/running.md, as they stand there: real ones, with TLS, before a real bot."""

import asyncio
import hashlib
import hmac
import json
import re
import shutil
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from bot.core.model import Actor
from bot.core.signals import EngageFlag
from tests.house import FLAG, House, a_house

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
NAME = "understudy.example.com"
READ, CONTROL = "read-token-of-the-test", "control-token-of-the-test"
WITHIN = "10.0.0.0/8"
PLACES = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {page}
}}
"""
CADDY = "{{\n\tadmin off\n\thttps_port {port}\n\tdefault_bind 127.0.0.1\n\tauto_https disable_redirects\n}}\n{page}"


def told(language: str) -> str:
    """The block of the page in that language."""
    [block] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert WITHIN in block
    return str(block)


@dataclass(frozen=True)
class Made:
    """Where a proxy is built: its folder, its port, and the ports of the two replicas."""

    folder: Path
    port: int
    replicas: tuple[int, int]

    def put(self, text: str, places: dict[str, str]) -> str:
        """The text with the addresses of this test; each has to be there."""
        places = {
            **places,
            "127.0.0.1:8081": f"127.0.0.1:{self.replicas[0]}",
            "127.0.0.1:8082": f"127.0.0.1:{self.replicas[1]}",
        }
        for place, here in places.items():
            assert place in text, place
            text = text.replace(place, here)
        return text


def nginx(made: Made, within: str) -> list[str]:
    """The command that runs it."""
    page = made.put(told("nginx"), {
        "listen 443 ssl": f"listen 127.0.0.1:{made.port} ssl", WITHIN: within,
        "/etc/ssl/understudy.crt": f"{made.folder}/cert.pem", "/etc/ssl/private/understudy.key": f"{made.folder}/key.pem",
    })  # fmt: skip
    (made.folder / "nginx.conf").write_text(NGINX.format(folder=made.folder, page=page), encoding="utf-8")
    return ["nginx", "-e", str(made.folder / "log"), "-c", str(made.folder / "nginx.conf")]


def caddy(made: Made, within: str) -> list[str]:
    """The command that runs it; the certificate is ours, for nobody hands one out here."""
    head = f"{NAME} {{\n"
    page = made.put(told("caddy"), {head: f"{head}\ttls {made.folder}/cert.pem {made.folder}/key.pem\n", WITHIN: within})
    (made.folder / "Caddyfile").write_text(CADDY.format(port=made.port, page=page), encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(made.folder / "Caddyfile")]


class Proxied:
    """A bot behind a proxy; `asks` comes by the proxy, under the name that people know."""

    def __init__(self, house: House, url: str, trusted: ssl.SSLContext) -> None:
        self.house = house
        self._url = url
        self._trusted = trusted

    def asks(self, session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> Any:
        headers = {"Host": NAME, **more.pop("headers", {})}
        return session.request(
            method, self._url + path, headers=headers, ssl=self._trusted, server_hostname=NAME, allow_redirects=False, **more
        )

    async def status(self, method: str, path: str, **more: Any) -> int:
        async with aiohttp.ClientSession() as session, self.asks(session, method, path, **more) as answer:
            await answer.read()
            return int(answer.status)


Behind = Callable[[str], Awaitable[Proxied]]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A bot that Slack reaches over HTTP, with tokens and without anything open to this machine."""
    server = {
        "listen": "127.0.0.1:0", "read_tokens": [READ], "control_tokens": [CONTROL], "public_url": f"https://{NAME}",
    }  # fmt: skip
    (tmp_path / "bot").mkdir()
    async with a_house(tmp_path / "bot", slack={"mode": "http"}, server=server) as found:
        yield found


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
async def behind(request: pytest.FixtureRequest, house: House, tmp_path: Path) -> AsyncIterator[Behind]:
    """Puts the proxy before the bot; who asks comes from within, or from the internet. The first replica is dead."""
    assert house.app is not None
    replicas = (free_port(), int(house.app.url.rpartition(":")[2]))
    program = shutil.which(request.param.__name__, path=PLACES)
    if program is None:
        pytest.skip(f"NO {request.param.__name__.upper()}: its example in docs/running.md was NOT tested (`make proxy`)")
    authority = trustme.CA()
    certificate = authority.issue_cert(NAME)
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    running: list[asyncio.subprocess.Process] = []

    async def before(who: str) -> Proxied:
        made = Made(tmp_path, free_port(), replicas)
        _, *words = request.param(made, "127.0.0.0/8" if who == "from within" else WITHIN)
        with (tmp_path / "out").open("wb") as out:
            running.append(
                await asyncio.create_subprocess_exec(
                    program, *words, stdout=out, stderr=out, env={"HOME": str(tmp_path), "PATH": PLACES}
                )
            )
        async with asyncio.timeout(20):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", made.port))[1].close()
                    return Proxied(house, f"https://127.0.0.1:{made.port}", trusted)
                except OSError:
                    assert running[-1].returncode is None, (tmp_path / "out").read_text(encoding="utf-8")
                    await asyncio.sleep(0.05)

    try:
        yield before
    finally:
        for process in running:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.wait() for process in running))


def from_slack(house: House, body: bytes) -> dict[str, str]:
    """The headers with which Slack signs a body."""
    stamp = str(int(time.time()))
    value = hmac.new(house.workspace.signing_secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={value}"}


async def test_slack_comes_in_from_the_internet(behind: Behind) -> None:
    """Its challenge is answered through the proxy, and what it did not sign is refused by the bot, not by the proxy."""
    proxied = await behind("from the internet")
    body = json.dumps({"type": "url_verification", "challenge": "of-the-test", "token": "t"}).encode()
    async with (
        aiohttp.ClientSession() as session,
        proxied.asks(session, "POST", "/slack/events", data=body, headers=from_slack(proxied.house, body)) as answer,
    ):
        assert (200, True) == (answer.status, "of-the-test" in await answer.text())

    assert 401 == await proxied.status("POST", "/slack/events", data=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/api/v1/status", "/ofrep/v1/evaluate/flags", "/slack/eventsx"])
async def test_nothing_else_is_seen_from_the_internet(behind: Behind, path: str) -> None:
    """Not even with a good token."""
    proxied = await behind("from the internet")

    assert 403 == await proxied.status("GET", path, headers={"Authorization": f"Bearer {CONTROL}"})


async def test_people_work_with_the_board_under_its_name(behind: Behind) -> None:
    """The page, its style, and what a browser changes from there, which is no other site's; nothing without a token."""
    proxied = await behind("from within")
    ask = proxied.status
    title = {"title": "Chat is slow"}
    own = {"Authorization": f"Bearer {CONTROL}", "Origin": f"https://{NAME}"}

    assert 401 == await ask("GET", "/")
    assert 200 == await ask("GET", "/", headers={"Authorization": aiohttp.encode_basic_auth("ana", READ)})
    assert 200 == await ask("GET", "/board.css")
    assert 200 == await ask("POST", "/api/v1/incidents", json=title, headers=own)
    assert 403 == await ask("POST", "/api/v1/incidents", json=title, headers={**own, "Origin": "https://evil.example.com"})


async def next_revision(stream: aiohttp.ClientResponse) -> bytes:
    """The id of the next event; what comes in between are settings and comments."""
    while True:
        event = await stream.content.readuntil(b"\n\n")
        if found := re.search(rb"^id: ?(.+)$", event, re.MULTILINE):
            return found[1]


async def test_a_switch_reaches_listeners_at_once(behind: Behind) -> None:
    """The proxy holds no event back, and leaves the stream open."""
    proxied = await behind("from within")
    assert proxied.house.app is not None
    async with (
        aiohttp.ClientSession() as session,
        proxied.asks(session, "GET", "/ofrep/v1/events", headers={"Authorization": f"Bearer {READ}"}) as stream,
    ):
        assert 200 == stream.status
        async with asyncio.timeout(5):
            before = await next_revision(stream)  # whoever comes is told at once
            await proxied.house.app.engine.handle(EngageFlag(Actor.operator("ana"), flag=FLAG, reason="down"))
            after = await next_revision(stream)

    assert before != after


async def test_a_dead_replica_is_not_noticed(behind: Behind) -> None:
    """The other one answers everything."""
    proxied = await behind("from within")
    found = [
        await proxied.status("POST", "/ofrep/v1/evaluate/flags", json={}, headers={"Authorization": f"Bearer {READ}"})
        for _ in range(20)
    ]

    assert [200] * 20 == found
