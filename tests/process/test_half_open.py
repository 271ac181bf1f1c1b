"""With few open files allowed and many unfinished requests open, flags, checks and Slack keep working."""

import asyncio
import json
import time
from pathlib import Path

from tests.house import FLAG
from tests.process.rig import Rig, a_rig

OPEN_FILES = 128
CROWD = 148
SOON_S = 1.5  # on a busy machine; without the limit it takes as long as the crowd stays connected


async def test_flags_checks_and_slack_work_despite_half_open_connections(tmp_path: Path) -> None:
    """With `ulimit -n 128` and 148 connections that begin a request and never finish it."""
    async with a_rig(tmp_path) as rig:
        await rig.start(open_files=OPEN_FILES)
        await rig.workspace.connected(within=20.0)
        host, port = await _address(rig)
        crowd = [await asyncio.open_connection(host, port) for _ in range(CROWD)]
        for _, writer in crowd:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: ")
        await asyncio.sleep(0)
        looks, reads = rig.vendor.asked, 0
        slowest = 0.0
        while reads < 10 or (rig.vendor.asked == looks and reads < 50):  # a check may look no sooner than the next beat
            reads += 1
            began = time.perf_counter()
            found = await rig.ask("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {"targetingKey": "t"}})
            slowest = max(slowest, time.perf_counter() - began)
            assert "claude" == found["variant"]
            await asyncio.sleep(0.1)
        await rig.workspace.person("ana").types("/health")
        for _, writer in crowd:
            writer.close()

        assert slowest < SOON_S
        assert rig.vendor.asked > looks
        assert [] == [ack for ack in rig.workspace.acks if ack.seconds is None]


async def _address(rig: Rig) -> tuple[str, int]:
    async with asyncio.timeout(20.0):
        while not (rig.folder / "data" / "control.json").exists():
            await asyncio.sleep(0.05)
    url = json.loads((rig.folder / "data" / "control.json").read_text(encoding="utf-8"))["url"]
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)
