"""Envoy's route discovery from a file: changes the weights of routes to our clusters and nothing else.

The file is a DiscoveryResponse in JSON with one RouteConfiguration. Envoy loads it when it is moved into place
(`path_config_source`, with its folder as `watched_directory`), and keeps its routes if it cannot read it. Its admin interface
shows which, so that is asked if it is configured.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.flags.sinks.files import digest, kept, read, restored, write
from bot.flags.sinks.web import SinkClient, refusal
from bot.ports.sinks import Plan, SinkError, Target

ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
TAKEN_WITHIN_S = 5.0  # Envoy needs milliseconds; a busy machine somewhat longer
LOOK_EVERY_S = 0.1

Weights = Mapping[str, int]  # of clusters; those with no share are left out
Node = dict[str, Any]


class EnvoyRds:
    """The routes called `route` in a file. `clusters` says which one serves a variant; `admin` is Envoy's admin address."""

    def __init__(self, path: Path, route: str, clusters: Mapping[str, str], client: SinkClient | None, admin: str) -> None:
        self._path = path
        self._route = route
        self._clusters = clusters
        self._client = client
        self._admin = admin

    async def plan(self, target: Target) -> Plan:
        """Read the current weights of file and Envoy."""
        content = await read(self._path)
        wanted = _in_words(self._weights(target))
        if content is None:
            return Plan(kept(None), f"there is no file {self._path}; it would be made, with {wanted}")
        self._weighted(content, self._weights(target))  # raises an error if it contains no route of ours
        now = " or ".join(_in_words(one) for one in await self._there(content))
        return Plan(kept(content), f"it has {now}; it would have {wanted}")

    async def apply(self, target: Target) -> str:
        """Set the routes' weights. A file that exists is left alone until the flag is first engaged."""
        content, weights = await read(self._path), self._weights(target)
        if not target.variant:
            if content is None:
                await write(self._path, self._made(weights))
            return digest(await read(self._path))  # Envoy may not be running yet: it does not start without the file
        await write(self._path, self._made(weights) if content is None else self._weighted(content, weights))
        return await self._taken()

    async def read_back(self) -> str:
        """The weights in Envoy, or else in the file, and the file's digest: any change counts."""
        content = await read(self._path)
        if content is None:
            return digest(None)
        return f"{' or '.join(_in_words(one) for one in await self._there(content))} ({digest(content)})"

    async def revert(self, target: Target, before: str) -> str:
        """Restore the earlier file; if there was none, send everything to the default's cluster."""
        await write(self._path, restored(before) or self._made(self._weights(target)))
        return await self._taken()

    async def _taken(self) -> str:
        """How it reads back, once Envoy has loaded the file."""
        content = await read(self._path)
        wanted = self._found(_resources(content or b"", self._path))
        ends_at = asyncio.get_running_loop().time() + TAKEN_WITHIN_S
        while (there := await self._there(content or b"")) != wanted:
            if asyncio.get_running_loop().time() > ends_at:
                has, should = (" or ".join(map(_in_words, some)) or "nothing" for some in (there, wanted))
                raise SinkError(f"Envoy has {has} instead of {should}: does it watch the folder of {self._path}?")
            await asyncio.sleep(LOOK_EVERY_S)
        return await self.read_back()

    async def _there(self, content: bytes) -> list[Weights]:
        """The different weights that routes to our clusters have: in Envoy, or if it cannot be asked, in the file."""
        if not self._admin or self._client is None:
            return self._found(_resources(content, self._path))
        query = f"/config_dump?resource=dynamic_route_configs&name_regex={quote(f'^{self._route}$')}"
        answer = await self._client.ask("GET", self._admin.rstrip("/") + query, {"accept": "application/json"})
        if answer.status != 200:
            raise refusal(answer)
        said = answer.json("Envoy's config_dump")
        configs = said.get("configs") if isinstance(said, dict) else None
        held = [one.get("route_config") for one in configs or [] if isinstance(one, dict)]
        named = [one for one in held if isinstance(one, dict) and one.get("name") == self._route]
        if not named:
            raise SinkError(
                f"Envoy has no routes called {self._route}: its listener needs `rds` with that route_config_name and the path "
                f"{self._path}"
            )
        return self._found(named)

    # --- the document

    def _weights(self, target: Target) -> Weights:
        weights: dict[str, int] = {}
        for variant, share in target.shares.items():
            if variant not in self._clusters:
                raise SinkError(f"no cluster is configured for {variant}", permanent=True)
            weights[self._clusters[variant]] = weights.get(self._clusters[variant], 0) + share
        return weights

    def _made(self, weights: Weights) -> bytes:
        action = {"weighted_clusters": _clusters(weights)}
        host = {"name": self._route, "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": action}]}
        return _document([{"@type": ROUTES, "name": self._route, "virtual_hosts": [host]}])

    def _weighted(self, content: bytes, weights: Weights) -> bytes:
        resources = _resources(content, self._path)
        actions = list(self._actions(resources))
        if not actions:
            names = " or ".join(sorted(set(self._clusters.values())))
            raise SinkError(f"no route of {self._route} in {self._path} leads to {names}", permanent=True)
        for action in actions:
            for name in ("cluster", "weighted_clusters", "weightedClusters"):
                action.pop(name, None)
            action["weighted_clusters"] = _clusters(weights)
        return _document(resources)

    def _found(self, resources: list[Node]) -> list[Weights]:
        found: list[Weights] = []
        for action in self._actions(resources):
            weights = _weights_of(action)
            if weights not in found:
                found.append(weights)
        return found

    def _actions(self, resources: list[Node]) -> Iterator[Node]:
        """The actions of all routes that lead only to our clusters."""
        ours = set(self._clusters.values())
        for resource in resources:
            if resource.get("name") != self._route:
                continue
            for host in _list(resource, "virtual_hosts", "virtualHosts"):
                for route in _list(host, "routes"):
                    action = route.get("route")
                    if isinstance(action, dict) and (names := _names(action)) and names <= ours:
                        yield action


def _document(resources: list[Node]) -> bytes:
    version = digest(json.dumps(resources).encode()).removeprefix("sha256 ")
    return json.dumps({"version_info": version, "resources": resources}, indent=2).encode() + b"\n"


def _resources(content: bytes, path: Path) -> list[Node]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    resources = _list(found, "resources") if isinstance(found, dict) else []
    if not resources:
        raise SinkError(f"{path} is not a DiscoveryResponse in JSON with `resources`", permanent=True)
    return resources


def _list(node: Node, *names: str) -> list[Node]:
    """The list under one of these names; protobuf's JSON accepts two for each field."""
    found: Any = next((node[name] for name in names if name in node), [])
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _names(action: Node) -> set[str]:
    weighted = action.get("weighted_clusters", action.get("weightedClusters"))
    if isinstance(weighted, dict):
        return {str(one.get("name")) for one in _list(weighted, "clusters")}
    return {str(action["cluster"])} if "cluster" in action else set()


def _weights_of(action: Node) -> Weights:
    """In percent, as far as weights are given."""
    weighted = action.get("weighted_clusters", action.get("weightedClusters"))
    if not isinstance(weighted, dict):
        return {str(action["cluster"]): 100}
    given = {str(one.get("name")): one.get("weight", 0) for one in _list(weighted, "clusters")}
    counted = {name: weight for name, weight in given.items() if isinstance(weight, int) and weight > 0}
    total = sum(counted.values())
    return {name: round(100 * weight / total) for name, weight in sorted(counted.items())}


def _clusters(weights: Weights) -> Node:
    return {"clusters": [{"name": name, "weight": weight} for name, weight in weights.items()]}


def _in_words(weights: Weights) -> str:
    return ", ".join(f"{name} {weight} %" for name, weight in sorted(weights.items())) or "no cluster"
