"""A bot reads the list of certificate authorities once, however many it talks to."""

import asyncio
import gc
import ssl
from pathlib import Path

from bot.app import build
from bot.checks.net.trust_store import tls_context
from bot.config.load import load

CONFIG = """
slack: {mode: none}
control_group: []
vantage: fra-1
peers:
  - {vantage: iad-1, secret: shared-by-these-two, url: "https://127.0.0.1:9/"}
  - {vantage: sin-1, secret: shared-by-those-two, url: "https://127.0.0.1:9/"}
providers: {shop: {components: {api: {checks: [{type: http, url: "https://127.0.0.1:9/", every: 30s}]}}}}
"""


def contexts() -> dict[int, ssl.SSLContext]:
    gc.unfreeze()
    return {id(one): one for one in gc.get_objects() if isinstance(one, ssl.SSLContext)}


async def test_peers_and_checks_share_their_authorities(tmp_path: Path) -> None:
    """Each reading takes a megabyte, and holds the loop for 25 ms in which no flag is answered."""
    config = tmp_path / "understudy.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    tls_context()
    before = contexts()

    app = build(load(config, {}), data=tmp_path / "data", listen=("127.0.0.1", 0))
    await app.start()
    try:
        await asyncio.sleep(0)  # every task has begun
        made = [one for key, one in contexts().items() if key not in before]
    finally:
        await app.stop()

    assert [] == made
