"""How fast an incident stands in Slack, alone and when fifty open at once, against a Slack that takes 150 ms for each call."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from bench.bot import Running, running
from bench.report import line, percentile, timed
from bot.sandbox.slack.records import Json

SLACK_TAKES_S = 0.15
DECLARED = 8
AT_ONCE = 50
MOST_OUT_OF_TURN = 8  # so many are under way at once
WITHIN_S = 420.0


def main() -> bool:
    """Declare a few by hand, one after the other; then let fifty providers fail in the same moment."""
    print(f"storm: incidents beside a Slack that answers in {SLACK_TAKES_S * 1e3:.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> bool:
    failing = asyncio.Event()
    vendor = web.AppRunner(_vendor(failing), access_log=None)
    await vendor.setup()
    await web.TCPSite(vendor, "127.0.0.1", 0).start()
    providers = {
        f"p{n}": {
            "name": f"Vendor {n}",
            "components": {
                "api": {"checks": [{"type": "http", "url": f"http://127.0.0.1:{vendor.addresses[0][1]}/{n}", "every": "15s"}]}
            },
        }
        for n in range(AT_ONCE)
    }
    try:
        async with running(folder, 0, providers=providers) as bot:
            bot.workspace.faults.on_call(_takes_its_time)
            held = await _declared(bot)
            return await _at_once(bot, failing) and held
    finally:
        await vendor.cleanup()


async def _takes_its_time(method: str, phase: str, args: Json) -> None:
    if phase == "before":
        await asyncio.sleep(SLACK_TAKES_S)


async def _declared(bot: Running) -> bool:
    """From pressing Return to a pinned card."""
    ana, took = bot.workspace.person("ana"), list[float]()
    for number in range(DECLARED):
        pinned = _pinned(bot)
        with timed(took):
            await ana.types(f"/incident declare separate Orders of shop {number} fail")
            await _until(bot, pinned + 1)
    line("declared to pinned card, p50", percentile(took, 0.5), "s")
    return line("declared to pinned card, slowest", max(took), "s", 2.0)


async def _at_once(bot: Running, failing: asyncio.Event) -> bool:
    """Every provider fails in one moment."""
    pinned, since, began = _pinned(bot), len(bot.workspace.calls), time.perf_counter()
    failing.set()
    await _until(bot, pinned + AT_ONCE)
    line(f"{AT_ONCE} at once: all cards pinned after", time.perf_counter() - began, "s")
    calls = bot.workspace.calls[since:]
    held = line("calls that Slack held back (HTTP 429)", sum(call.status == 429 for call in calls), "", 0)
    made = [str(call.args["name"]) for call in calls if call.method == "conversations.create" and call.ok]
    numbers = [int(name.split("-")[2]) for name in made]
    moved = max(abs(place - sorted(numbers).index(number)) for place, number in enumerate(numbers))
    return line("places by which a channel came out of turn, most", moved, "", MOST_OUT_OF_TURN) and held


def _pinned(bot: Running) -> int:
    return sum(call.method == "pins.add" and call.ok for call in bot.workspace.calls)


async def _until(bot: Running, pins: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while _pinned(bot) < pins:  # noqa: ASYNC110 # calls are counted, not announced
            await asyncio.sleep(0.01)


def _vendor(failing: asyncio.Event) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        body: dict[str, Any] = {"ok": not failing.is_set()}
        return web.json_response(body, status=503 if failing.is_set() else 200)

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    return app
