"""How a terminal verb reaches the ledger: through the running bot, or through one started for this verb alone.

The running bot leaves `control.json` (0600) in its data folder with its address and a token. Without it, the verb takes the
data lock itself, serves the same API on a loopback port for a moment, and asks that: one way of doing things, not two.
"""

import asyncio
import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.app import build
from bot.cli.options import data_folder, fail, load_or_exit
from bot.store.errors import StoreError

CONTROL_FILE = "control.json"
ANSWER_WITHIN_S = 15.0


@dataclass(frozen=True)
class Reply:
    """What the API said."""

    status: int
    body: Any
    content: bytes


def call(config_path: Path, data_path: Path | None, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
    """Ask `/api/v1` + path. Ends the program with a clear sentence where nobody can be asked."""
    folder = data_folder(config_path, data_path)
    control = folder / CONTROL_FILE
    if control.exists():
        found = json.loads(control.read_text(encoding="utf-8"))
        try:
            return _ask(found["url"], found["token"], method, path, body)
        except httpx.ConnectError:
            pass  # it was left by a bot that died; the lock tells whether one runs
    try:
        return asyncio.run(_alone(config_path, folder, method, path, body))
    except StoreError as error:
        fail(str(error))


def _ask(url: str, token: str, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
    headers = {"Authorization": f"Bearer {token}", "X-Understudy-Actor": getpass.getuser()}
    with httpx.Client(trust_env=False, timeout=ANSWER_WITHIN_S) as client:
        response = client.request(method, f"{url}/api/v1{path}", json=body, headers=headers)
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return Reply(response.status_code, response.json() if is_json else None, response.content)


async def _alone(config_path: Path, folder: Path, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
    loaded = load_or_exit(config_path, lenient=True)
    app = build(loaded, data=folder, listen=("127.0.0.1", 0), alone=True)
    await app.start()
    try:
        return await asyncio.to_thread(_ask, app.url, app.local_token, method, path, body)
    finally:
        await app.stop()


def said(reply: Reply) -> Any:
    """The body of a good answer; ends the program with the API's own words and exit status 1 otherwise."""
    if reply.status < 400:
        return reply.body
    body = reply.body if isinstance(reply.body, dict) else {}
    words = body.get("text") or body.get("error") or body.get("errorDetails") or f"the bot answered {reply.status}"
    remedy = body.get("remedy")
    fail(f"{words} {remedy}" if remedy else str(words))
