"""The part of Unleash's admin API (7.5) that a sink uses, strict about requests; `tests/interop` uses the real one."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "*:*.token-for-tests"
BASE = "/api/admin/projects/default/features/use-gpt/environments/production"
KNOWN = {"name", "title", "parameters", "constraints", "segments", "disabled", "variants", "sortOrder"}


def strategy(title: str = "", rollout: str = "100", *, disabled: bool = False) -> dict[str, Any]:
    """A strategy as the server stores it."""
    parameters = {"rollout": rollout, "stickiness": "default", "groupId": "use-gpt"}
    return {
        "id": str(uuid.uuid4()), "name": "flexibleRollout", "title": title, "parameters": parameters, "constraints": [],
        "segments": [], "variants": [], "disabled": disabled,
    }  # fmt: skip


@dataclass
class LocalUnleash:
    """A server with one feature. With `refuses`, every request is answered with this status and message."""

    enabled: bool = False
    strategies: list[dict[str, Any]] = field(default_factory=list)
    refuses: tuple[int, str] | None = None
    changes: list[str] = field(default_factory=list)
    seen_by_users: list[int] = field(default_factory=list)  # percent that got it after each change
    url: str = ""

    @property
    def share(self) -> int:
        """The percentage of users who get the feature: strategies are OR-ed, and without an active strategy everybody does."""
        if not self.enabled:
            return 0
        active = [int(one["parameters"]["rollout"]) for one in self.strategies if not one["disabled"]]
        return max(active, default=100)

    def application(self) -> web.Application:
        """The routes, behind the token check."""

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.headers.get("Authorization") != TOKEN:
                return web.json_response({"name": "AuthenticationRequired", "message": "You must log in"}, status=401)
            if request.method != "GET":
                if self.refuses is not None:
                    status, message = self.refuses
                    return web.json_response({"name": "NoAccessError", "message": message}, status=status)
                self.changes.append(f"{request.method} {request.path.removeprefix(BASE)}")
            answer: web.StreamResponse = await handler(request)
            if request.method != "GET":
                self.seen_by_users.append(self.share)
            return answer

        app = web.Application(middlewares=[guard])
        app.router.add_get(BASE, self._get)
        app.router.add_post(BASE + "/{word:on|off}", self._switch)
        app.router.add_post(BASE + "/strategies", self._add)
        app.router.add_patch(BASE + "/strategies/{id}", self._patch)
        app.router.add_delete(BASE + "/strategies/{id}", self._delete)
        return app

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response({"name": "production", "enabled": self.enabled, "strategies": self.strategies})

    async def _switch(self, request: web.Request) -> web.Response:
        self.enabled = request.match_info["word"] == "on"
        if self.enabled and all(one["disabled"] for one in self.strategies):
            self.strategies.append(strategy())  # as the real one does
        return web.Response()

    async def _add(self, request: web.Request) -> web.Response:
        sent = await request.json()
        assert set(sent) <= KNOWN, sent
        made = strategy() | sent
        self.strategies.append(made)
        return web.json_response(made)

    async def _patch(self, request: web.Request) -> web.Response:
        one = self._named(request)
        for change in await request.json():
            assert change["op"] == "replace", change
            at, *rest = change["path"].strip("/").split("/")
            if rest:
                one[at][rest[0]] = change["value"]
            else:
                one[at] = change["value"]
        return web.json_response(one)

    async def _delete(self, request: web.Request) -> web.Response:
        self.strategies.remove(self._named(request))
        return web.Response()

    def _named(self, request: web.Request) -> dict[str, Any]:
        found = [one for one in self.strategies if one["id"] == request.match_info["id"]]
        if not found:
            raise web.HTTPNotFound
        return found[0]


@asynccontextmanager
async def local_unleash(**given: Any) -> AsyncIterator[LocalUnleash]:
    """A running server on a free port of this machine."""
    unleash = LocalUnleash(**given)
    runner = web.AppRunner(unleash.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    unleash.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield unleash
    finally:
        await runner.cleanup()
