"""The scripted vendors of `python -m bench gateways`: they answer in the way of OpenAI or fail, and note who asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

CUSTOMER = "customer "  # how a customer's question begins; whoever else asks is a check
FIRST_TOKEN_S = 2.1  # of the slow one: 21 s in life
BURST_S, GAP_S = 4.0, 2.0  # of the flapping one
WORDS = ("It ", "is ", "on ", "its ", "way.")


class Fault(StrEnum):
    """How a vendor fails."""

    ERROR = "error"
    SILENT = "silent"
    SLOW = "slow first token"
    FLAP = "flap"


@dataclass
class Vendor:
    """One vendor. It is well outside of the time between `fails_from` and `fails_to`, by the loop's clock."""

    fault: Fault | None = None
    url: str = ""
    fails_from: float = float("inf")
    fails_to: float = float("inf")
    attempts: dict[str, list[float]] = field(default_factory=dict)  # when each customer's question came, by question
    checks: int = 0

    def fails(self, at: float) -> bool:
        """Whether it fails at this moment; the flapping one in bursts."""
        if not self.fails_from <= at < self.fails_to:
            return False
        return self.fault is not Fault.FLAP or (at - self.fails_from) % (BURST_S + GAP_S) < BURST_S

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A chat completion; streamed where that is asked for."""
        asked = await request.json()
        now = asyncio.get_running_loop().time()
        question = str(asked["messages"][-1]["content"])
        if question.startswith(CUSTOMER):
            self.attempts.setdefault(question, []).append(now)
        else:
            self.checks += 1
        fails = self.fails(now)
        if fails and self.fault in (Fault.ERROR, Fault.FLAP):
            return web.json_response({"error": {"message": "overloaded", "type": "server_error"}}, status=500)
        if fails and self.fault is Fault.SILENT:
            await asyncio.sleep(600)
        if not asked.get("stream"):
            if fails:
                await asyncio.sleep(FIRST_TOKEN_S)
            return web.json_response(_whole(str(asked["model"])))
        return await self._stream(request, str(asked["model"]), FIRST_TOKEN_S if fails else 0.0)

    async def _stream(self, request: web.Request, model: str, wait_s: float) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(wait_s)
        try:
            for word in WORDS:
                await response.write(_piece(model, {"role": "assistant", "content": word}, None))
            await response.write(_piece(model, {}, "stop") + b"data: [DONE]\n\n")
        except ConnectionError:
            pass  # whoever asked did not wait
        return response


def _whole(model: str) -> dict[str, object]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


def _piece(model: str, delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    piece = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}
    return b"data: " + json.dumps(piece).encode() + b"\n\n"


@asynccontextmanager
async def serving(vendor: Vendor) -> AsyncIterator[Vendor]:
    """Have it listen, and tell it its address."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", vendor.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield vendor
    finally:
        await runner.cleanup()
