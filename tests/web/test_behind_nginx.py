"""Behind an ordinary nginx: `proxy_pass` and nothing else, so that every request comes from this machine."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from web_house import CONTROL, READ, OpenHouse, headers

CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{behind}; }} }}
}}
"""
READS = [
    ("GET", "/"), ("GET", "/metrics"), ("GET", "/api/v1/status"), ("GET", "/api/v1/flags"),
    ("POST", "/ofrep/v1/evaluate/flags"), ("POST", "/ofrep/v1/evaluate/flags/on"),
]  # fmt: skip

Proxy = Callable[[int], Awaitable[str]]


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[Proxy]:
    """Puts a real nginx in front of a port and returns its address."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if nginx is None:
        pytest.skip("NO NGINX: reading behind a proxy was NOT tested (Debian: apt-get install nginx-light)")
    running: list[asyncio.subprocess.Process] = []

    async def before(behind: int) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = tmp_path / "nginx.conf"
        config.write_text(CONFIG.format(folder=tmp_path, port=port, behind=behind), encoding="utf-8")
        command = (nginx, "-e", str(tmp_path / "nginx.log"), "-c", str(config))
        running.append(await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL))
        async with asyncio.timeout(10):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    return f"http://127.0.0.1:{port}"
                except OSError:
                    await asyncio.sleep(0.02)

    try:
        yield before
    finally:
        for process in running:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.wait() for process in running))


@pytest.mark.parametrize(("tokens", "status"), [({}, 403), ({"read_tokens": (READ,)}, 401)])
async def test_proxied_request_without_a_token_reads_nothing(
    open_house: OpenHouse, proxied: Proxy, http: aiohttp.ClientSession, tokens: dict[str, tuple[str, ...]], status: int
) -> None:
    """Anybody who reaches nginx could otherwise read status, flags, board and metrics."""
    url = await proxied((await open_house(**tokens)).port)
    answers = [(path, (await http.request(method, url + path)).status) for method, path in READS]
    assert [(path, status) for _, path in READS] == answers


async def test_proxied_request_with_a_token_is_served(
    open_house: OpenHouse, proxied: Proxy, http: aiohttp.ClientSession
) -> None:
    """Services read and people change things as they would without a proxy; liveness probes need no token."""
    url = await proxied((await open_house(read_tokens=(READ,), control_tokens=(CONTROL,))).port)
    for method, path in READS[1:]:
        assert 200 == (await http.request(method, url + path, headers=headers(READ))).status
    declared = await http.post(f"{url}/api/v1/incidents", headers=headers(CONTROL), json={"title": "Chat is slow"})
    assert 200 == declared.status
    assert 200 == (await http.get(f"{url}/readyz")).status
