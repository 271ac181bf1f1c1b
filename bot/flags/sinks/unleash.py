"""A feature in Unleash, switched through its admin API (7.x): on for the share that gets a variant listed in `on`.

Unleash combines a feature's strategies with OR, so ours is added and the others are disabled meanwhile. An enabled feature
without an active strategy is on for everybody; so ours is added before the others are disabled, and removed after they are
back.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.core.lazy_dataclass import dataclass
from bot.flags.sinks.web import Answer, SinkClient, refusal
from bot.ports.sinks import Plan, SinkError, Target

TITLE = "Understudy"  # of our strategy, by which we recognize it

Strategy = Mapping[str, Any]


@dataclass(frozen=True)
class Feature:
    """A feature in its environment."""

    enabled: bool
    strategies: Sequence[Strategy]

    @property
    def ours(self) -> Strategy | None:
        """The strategy that we added."""
        return next((one for one in self.strategies if one.get("title") == TITLE), None)

    @property
    def active(self) -> list[Strategy]:
        """Strategies that are not disabled."""
        return [one for one in self.strategies if not one.get("disabled")]

    @property
    def in_words(self) -> str:
        """A text that changes only if something relevant does: `on, Understudy 75 %`."""
        if not self.enabled:
            return "off"
        return ", ".join(["on", *sorted(map(_in_words, self.active))]) if self.active else "on for everybody"


class Unleash:
    """One feature in one environment of a project. `on` lists the variants for which it is on."""

    def __init__(
        self, client: SinkClient, url: str, project: str, environment: str, feature: str, token: str, on: Sequence[str]
    ) -> None:
        self._client = client
        names = (quote(name, safe="") for name in (project, feature, environment))
        self._base = "{}/api/admin/projects/{}/features/{}/environments/{}".format(url.rstrip("/"), *names)
        self._feature = feature
        self._token = token
        self._on = on

    async def plan(self, target: Target) -> Plan:
        """Read its current state, and describe the new one."""
        feature = await self._read()
        before = {
            "enabled": feature.enabled,
            "active": [one["id"] for one in feature.active if one.get("title") != TITLE],
        }
        share = self._share(target)
        return Plan(json.dumps(before), f"it is {feature.in_words}; it would be {f'on, {TITLE} {share} %' if share else 'off'}")

    async def apply(self, target: Target) -> str:
        """On for the share, with only our strategy active; off if nobody gets it."""
        feature, share = await self._read(), self._share(target)
        if share == 0:
            if feature.enabled:
                await self._ask("POST", "/off")
            return await self._checked("off")
        if feature.ours is None:
            await self._ask("POST", "/strategies", self._strategy(share))
        else:
            await self._set(feature.ours, {"/parameters/rollout": str(share), "/disabled": False})
        for other in feature.active:
            if other.get("title") != TITLE:
                await self._set(other, {"/disabled": True})
        if not feature.enabled:
            await self._ask("POST", "/on")
        return await self._checked(f"on, {TITLE} {share} %")

    async def read_back(self) -> str:
        """On or off, and by which strategies."""
        return (await self._read()).in_words

    async def revert(self, target: Target, before: str) -> str:
        """Enable the strategies that were active before, remove ours, and restore on or off."""
        kept, feature = json.loads(before), await self._read()
        if feature.enabled and not kept["enabled"]:
            await self._ask("POST", "/off")
        for one in feature.strategies:
            if one.get("title") != TITLE and bool(one.get("disabled")) == (one["id"] in kept["active"]):
                await self._set(one, {"/disabled": one["id"] not in kept["active"]})
        if feature.ours is not None:
            await self._ask("DELETE", f"/strategies/{quote(str(feature.ours['id']), safe='')}")
        if kept["enabled"] and not feature.enabled:
            await self._ask("POST", "/on")
        found = await self._read()
        if found.enabled != kept["enabled"] or found.ours is not None:
            raise SinkError(f"{self._feature} was put back, and reads back as {found.in_words}")
        return found.in_words

    async def _checked(self, wanted: str) -> str:
        found = await self.read_back()
        if found != wanted:
            raise SinkError(f"{self._feature} should be {wanted}, and reads back as {found}: who changes it at the same time?")
        return found

    def _share(self, target: Target) -> int:
        return sum(share for variant, share in target.shares.items() if variant in self._on)

    def _strategy(self, share: int) -> Strategy:
        parameters = {"rollout": str(share), "stickiness": "default", "groupId": self._feature}
        return {"name": "flexibleRollout", "title": TITLE, "parameters": parameters, "constraints": [], "segments": []}

    async def _set(self, strategy: Strategy, values: Mapping[str, Any]) -> None:
        patch = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
        await self._ask("PATCH", f"/strategies/{quote(str(strategy['id']), safe='')}", patch)

    async def _read(self) -> Feature:
        said = (await self._ask("GET", "")).json("a feature")
        strategies = said.get("strategies") if isinstance(said, dict) else None
        if (
            not isinstance(strategies, list)
            or not all(isinstance(one, dict) and one.get("id") for one in strategies)
            or not isinstance(said.get("enabled"), bool)
        ):
            raise SinkError("the answer is not an Unleash feature: is this the address of its server?")
        return Feature(said["enabled"], strategies)

    async def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        if not self._token:
            raise SinkError("its token is empty", permanent=True)
        headers = {"authorization": self._token, "accept": "application/json", "content-type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        answer = await self._client.ask(method, self._base + path, headers, content)
        if 200 <= answer.status < 300:
            return answer
        if answer.status == 403 and "change request" in answer.words.lower():
            raise SinkError(
                "Unleash wants somebody's approval first (change requests): give the token's role SKIP_CHANGE_REQUEST there",
                permanent=True,
            )
        if answer.status == 404:
            raise SinkError(f"HTTP 404: is there a feature {self._feature} in this project and environment?", permanent=True)
        raise refusal(answer)


def _in_words(strategy: Strategy) -> str:
    parameters = strategy.get("parameters")
    rollout = parameters.get("rollout") if isinstance(parameters, dict) else None
    share = f" {rollout} %" if rollout is not None else ""
    if strategy.get("title") == TITLE:
        return f"{TITLE}{share}"
    return f"{strategy.get('name')}{share} ({str(strategy['id'])[:8]})"
