"""LiteLLM and Envoy as `python -m bench gateways` starts them: tuned as their documentation says, at a tenth of the times."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

ROOT = Path(__file__).resolve().parents[1]
LITELLM = ROOT / ".venv" / "litellm" / "bin" / "litellm"
ENVOY = ROOT / ".venv" / "envoy" / "bin" / "envoy"
KIT = ROOT / "clients" / "python" / "src"
KEY = "sk-a-master-key-for-benchmarks-of-understudy"
STARTS_WITHIN_S = 180.0
IDLE_S = 1.0  # how long a gateway waits for the next byte of an answer: 10 s in life
HOOK = """
from understudy_client.litellm import UnderstudyModels

proxy_handler_instance = UnderstudyModels({bot!r}, flags={flags!r}, poll_every=1.0)
"""


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def litellm_config(groups: Mapping[str, Sequence[str]], spare: str) -> dict[str, Any]:
    """Model groups, each with its deployments in the order of preference; `spare` is the one that the others fall back to.

    Only first choices are checked in the background: what a fallback does is not in question here.
    """
    models = [_deployment(group, url, order) for group, urls in groups.items() for order, url in enumerate(urls, 1)]
    fallbacks = [{group: [spare]} for group in groups if group != spare]
    return {
        "model_list": models,
        "router_settings": {
            "num_retries": 1, "retry_after": 0, "allowed_fails": 2, "cooldown_time": 6, "fallbacks": fallbacks,
        },
        "litellm_settings": {"callbacks": "understudy_hook.proxy_handler_instance", "telemetry": False},
        "general_settings": {
            "master_key": KEY, "background_health_checks": True, "health_check_interval": 3,
            "enable_health_check_routing": True, "health_check_staleness_threshold": 9,
        },
    }  # fmt: skip


def _deployment(group: str, url: str, order: int) -> dict[str, Any]:
    params = {
        "model": "openai/gpt-4o-mini", "api_key": "k", "api_base": f"{url}/v1", "max_retries": 0, "order": order,
        "timeout": IDLE_S, "stream_timeout": IDLE_S,
    }  # fmt: skip
    info = {"health_check_timeout": 1, "disable_background_health_check": order > 1}
    return {"model_name": group, "litellm_params": params, "model_info": info}


@asynccontextmanager
async def litellm(folder: Path, config: Mapping[str, Any], bot: str, flags: Mapping[str, str]) -> AsyncIterator[str]:
    """Its address. Requests for the models in `flags` follow a flag of the bot."""
    folder.mkdir()
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    (folder / "understudy_hook.py").write_text(HOOK.format(bot=bot, flags=dict(flags)), encoding="utf-8")
    port = free_port()
    given = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = {**given, "PYTHONPATH": str(KIT), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = (LITELLM, "--config", folder / "config.yaml", "--host", "127.0.0.1", "--port", str(port))
    async with _started(folder / "log", command, f"http://127.0.0.1:{port}/health/liveliness", folder, environment):
        yield f"http://127.0.0.1:{port}"


def routes(name: str, cluster: str) -> dict[str, Any]:
    """Everything to one cluster, and once more to the next vendor where it fails."""
    retry = {
        "retry_on": "5xx,reset,connect-failure", "num_retries": 1, "per_try_idle_timeout": f"{IDLE_S}s",
        "retry_priority": {
            "name": "previous", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                "update_frequency": 1,
            },
        },
    }  # fmt: skip
    to = {"cluster": cluster, "timeout": "0s", "retry_policy": retry}
    hosts = [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": to}]}]
    return {"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name": name, "virtual_hosts": hosts}


def envoy_config(
    clusters: Mapping[str, Sequence[str]], listeners: Mapping[int, tuple[str, Path]], admin: int
) -> dict[str, Any]:
    """Clusters of vendors in the order of preference, with outlier detection; by port, its routes' name and file."""
    return {
        "node": {"id": "bench", "cluster": "bench"},
        "admin": {"address": _address("127.0.0.1", admin)},
        "static_resources": {
            "listeners": [_listener(port, *of) for port, of in listeners.items()],
            "clusters": [_cluster(*one) for one in clusters.items()],
        },
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _cluster(name: str, urls: Sequence[str]) -> dict[str, Any]:
    places = [urlsplit(url) for url in urls]
    endpoints = [
        {"priority": n, "lb_endpoints": [{"endpoint": {"address": _address(str(place.hostname), place.port or 80)}}]}
        for n, place in enumerate(places)
    ]
    outliers = {
        "consecutive_5xx": 3, "consecutive_gateway_failure": 3, "enforcing_consecutive_gateway_failure": 100,
        "interval": "1s", "base_ejection_time": "3s", "max_ejection_percent": 100,
    }  # fmt: skip
    return {
        "name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        "outlier_detection": outliers,
    }  # fmt: skip


def _listener(port: int, name: str, file: Path) -> dict[str, Any]:
    path = {"path": str(file), "watched_directory": {"path": str(file.parent)}}
    types = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": name,
        "rds": {"route_config_name": name, "config_source": {"path_config_source": path, "resource_api_version": "V3"}},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}],
    }  # fmt: skip
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": name, "address": _address("127.0.0.1", port), "filter_chains": [chain]}


def write_routes(file: Path, name: str, cluster: str) -> None:
    """What Envoy reads before anybody switches."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"version_info": "1", "resources": [routes(name, cluster)]}), encoding="utf-8")


@asynccontextmanager
async def envoy(folder: Path, config: Mapping[str, Any], admin: int) -> AsyncIterator[None]:
    """It runs."""
    file = folder / "envoy.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    command = (ENVOY, "-c", file, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart")
    async with _started(folder / "envoy.log", command, f"http://127.0.0.1:{admin}/ready", folder, dict(os.environ)):
        yield


@asynccontextmanager
async def _started(
    log: Path, command: Sequence[str | Path], url: str, folder: Path, environment: Mapping[str, str]
) -> AsyncIterator[None]:
    """A program of somebody else's, once this address answers with 200."""
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        async with asyncio.timeout(STARTS_WITHIN_S), aiohttp.ClientSession() as http:
            while not await _answers(http, url):
                if process.returncode is not None:
                    raise RuntimeError(f"{command[0]} ended: {log.read_text(encoding='utf-8')[-2000:]}")
                await asyncio.sleep(0.2)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(1)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
