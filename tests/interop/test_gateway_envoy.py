"""The real Envoy follows the sink: it is served by the right cluster, in the right share, and reads back what it has.

It lives in an environment of its own, which `make interop` makes; where that is missing, nothing of this page is proven.
"""

import asyncio
import json
import socket
import subprocess
import threading
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.flags.sinks.envoy_rds import EnvoyRds
from bot.flags.sinks.web import SinkClient
from bot.ports.sinks import SinkError, Target

ROOT = Path(__file__).resolve().parents[2]
ENVOY = ROOT / ".venv" / "envoy" / "bin" / "envoy"
NORMAL = Target("support-chat.llm", "", 0, "claude", {})
AWAY = Target("support-chat.llm", "gpt", 0, "claude", {})
HALF_WAY = Target("support-chat.llm", "gpt", 90, "claude", {})

pytestmark = pytest.mark.skipif(not ENVOY.exists(), reason=f"NO ENVOY: {ENVOY} is missing; `make interop` makes it")


@contextmanager
def upstream(name: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Stand:
    """A running Envoy and the sink that feeds it."""

    sink: EnvoyRds
    file: Path
    port: int

    async def served_by(self, times: int = 1) -> Counter[str]:
        """Who answers requests that come through Envoy."""

        def ask() -> str:
            return str(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).read().decode())

        return Counter([await asyncio.to_thread(ask) for _ in range(times)])


def bootstrap(file: Path, listen: int, admin: int, clusters: dict[str, int]) -> dict[str, Any]:
    """As docs/gateways.md shows it: the routes are called `llm`, and their folder is watched."""

    def address(port: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    def cluster(name: str, port: int) -> dict[str, Any]:
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]
        return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}

    path = {"path": str(file), "watched_directory": {"path": str(file.parent)}}
    source = {"path_config_source": path, "resource_api_version": "V3"}
    types = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "llm",
        "rds": {"route_config_name": "llm", "config_source": source},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}],
    }  # fmt: skip
    chains = [{"filters": [{"name": "http", "typed_config": manager}]}]
    listener = {"name": "llm", "address": address(listen), "filter_chains": chains}
    return {
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": address(admin)},
        "static_resources": {"listeners": [listener], "clusters": [cluster(*one) for one in clusters.items()]},
    }


@asynccontextmanager
async def a_stand(folder: Path) -> AsyncIterator[Stand]:
    file, listen, admin = folder / "routes" / "llm.json", free_port(), free_port()
    file.parent.mkdir()
    client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
    sink = EnvoyRds(file, "llm", {"claude": "anthropic", "gpt": "openai"}, client, f"http://127.0.0.1:{admin}")
    with upstream("anthropic") as first, upstream("openai") as second:
        await sink.apply(NORMAL)  # Envoy does not start without the file
        config = folder / "envoy.json"
        config.write_text(json.dumps(bootstrap(file, listen, admin, {"anthropic": first, "openai": second})))
        command = [ENVOY, "-c", config, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]
        process = subprocess.Popen(command)  # noqa: ASYNC220 # it is only begun
        stand = Stand(sink, file, listen)
        try:
            async with asyncio.timeout(20):
                while True:
                    try:
                        await stand.served_by()
                        break
                    except OSError:
                        await asyncio.sleep(0.1)
            yield stand
        finally:
            process.terminate()
            process.wait(10)
            await client.close()


async def test_requests_go_where_the_flag_says_there_and_back(tmp_path: Path) -> None:
    """From the first request after the answer."""
    async with a_stand(tmp_path) as stand:
        found = [await stand.served_by(20)]
        before = (await stand.sink.plan(AWAY)).before
        await stand.sink.apply(AWAY)
        found.append(await stand.served_by(20))
        await stand.sink.revert(NORMAL, before)
        found.append(await stand.served_by(20))

    assert [{"anthropic": 20}, {"openai": 20}, {"anthropic": 20}] == found


async def test_share_of_a_hand_back_is_the_share_of_requests(tmp_path: Path) -> None:
    """A tenth of them, within what chance allows."""
    async with a_stand(tmp_path) as stand:
        assert "anthropic 90 %, openai 10 %" in await stand.sink.apply(HALF_WAY)
        served = await stand.served_by(400)

    assert 15 <= served["openai"] <= 75


async def test_envoy_reads_back_what_it_was_given(tmp_path: Path) -> None:
    """From its admin interface."""
    async with a_stand(tmp_path) as stand:
        put = await stand.sink.apply(AWAY)

        assert put == await stand.sink.read_back()
        assert put.startswith("openai 100 %")


async def test_file_that_somebody_broke_reads_back_otherwise_and_envoy_keeps_what_it_has(tmp_path: Path) -> None:
    """Customers are served, and people hear of it."""
    async with a_stand(tmp_path) as stand:
        put = await stand.sink.apply(AWAY)
        stand.file.write_text("garbage")

        assert put != await stand.sink.read_back()
        assert {"openai": 5} == await stand.served_by(5)


async def test_envoy_that_watches_another_file_is_found_out(tmp_path: Path) -> None:
    """Its routes are called otherwise, say."""
    async with a_stand(tmp_path) as stand:
        stand.sink._route = "other"  # what somebody would have in the configuration
        stand.file.write_text(stand.file.read_text().replace('"llm"', '"other"'))
        with pytest.raises(SinkError, match="Envoy has no routes called other"):
            await stand.sink.apply(AWAY)
