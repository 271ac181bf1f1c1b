"""Envoy routes in a file: which get new weights, and which stay unchanged. `tests/interop` uses the real Envoy."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.flags.sinks.envoy_rds import EnvoyRds
from bot.ports.sinks import SinkError, Target

NORMAL = Target("support-chat.llm", "", 0, "claude", {})
AWAY = Target("support-chat.llm", "gpt", 0, "claude", {})
HALF_WAY = Target("support-chat.llm", "gpt", 25, "claude", {})
CLUSTERS = {"claude": "anthropic", "gpt": "openai", "mini": "openai"}


def sink(file: Path) -> EnvoyRds:
    return EnvoyRds(file, "llm", CLUSTERS, None, "")


def routes(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["resources"][0]["virtual_hosts"][0]["routes"]
    return found


def team_s(*actions: dict[str, Any], name: str = "llm") -> str:
    """A file as a team writes it: each action after a header of its own."""
    made = [{"match": {"prefix": f"/{n}"}, "route": action, "name": f"r{n}"} for n, action in enumerate(actions)]
    host = {"name": "h", "domains": ["llm.internal"], "routes": made, "request_headers_to_remove": ["x-debug"]}
    kind = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    return json.dumps({"resources": [{"@type": kind, "name": name, "virtual_hosts": [host]}]})


def weights(action: dict[str, Any]) -> dict[str, int]:
    return {one["name"]: one["weight"] for one in action["weighted_clusters"]["clusters"]}


async def test_missing_file_is_created(tmp_path: Path) -> None:
    """Envoy does not start without it; everything goes to the default."""
    file = tmp_path / "llm.json"
    await sink(file).apply(NORMAL)

    assert [{"anthropic": 100}] == [weights(route["route"]) for route in routes(file)]


async def test_weights_match_the_shares(tmp_path: Path) -> None:
    """When engaged, and half way back."""
    file = tmp_path / "llm.json"
    found = []
    for target in (AWAY, HALF_WAY):
        await sink(file).apply(target)
        found.append(weights(routes(file)[0]["route"]))

    assert [{"openai": 100}, {"openai": 75, "anthropic": 25}] == found


async def test_variants_with_one_cluster_share_it(tmp_path: Path) -> None:
    """Such as another model of the same vendor."""
    file = tmp_path / "llm.json"
    await sink(file).apply(Target("k", "mini", 50, "gpt", {}))

    assert {"openai": 100} == weights(routes(file)[0]["route"])


async def test_only_the_weights_of_our_clusters_change(tmp_path: Path) -> None:
    """Timeouts, hosts and names belong to the team."""
    file = tmp_path / "llm.json"
    other = {"cluster": "billing", "timeout": "3s"}
    mixed = {"weighted_clusters": {"clusters": [{"name": "openai", "weight": 1}, {"name": "billing", "weight": 1}]}}
    file.write_text(team_s({"cluster": "anthropic", "timeout": "60s"}, other, mixed))
    await sink(file).apply(AWAY)
    first, *rest = (route["route"] for route in routes(file))

    assert ("60s", {"openai": 100}, False) == (first["timeout"], weights(first), "cluster" in first)
    assert [other, mixed] == rest


async def test_camel_case_field_names_are_understood(tmp_path: Path) -> None:
    """`weightedClusters` is the same field."""
    file = tmp_path / "llm.json"
    file.write_text(team_s({"weightedClusters": {"clusters": [{"name": "anthropic", "weight": 7}]}}))
    await sink(file).apply(AWAY)

    assert {"openai": 100} == weights(routes(file)[0]["route"])
    assert "weightedClusters" not in routes(file)[0]["route"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("resources: []", "is not a DiscoveryResponse in JSON"),
        (team_s({"cluster": "anthropic"}, name="other"), "leads to anthropic or openai"),
        (team_s({"cluster": "billing"}), "leads to anthropic or openai"),
    ],
)
async def test_file_without_our_clusters_is_reported_and_unchanged(tmp_path: Path, content: str, words: str) -> None:
    """The doctor already reports it."""
    file = tmp_path / "llm.json"
    file.write_text(content)
    for ask in (sink(file).plan, sink(file).apply):
        with pytest.raises(SinkError, match=words):
            await ask(AWAY)

    assert content == file.read_text()


async def test_variant_without_a_cluster_is_reported(tmp_path: Path) -> None:
    """The configuration refuses it too."""
    with pytest.raises(SinkError, match="no cluster is configured for cached"):
        await sink(tmp_path / "llm.json").apply(Target("k", "cached", 0, "claude", {}))
