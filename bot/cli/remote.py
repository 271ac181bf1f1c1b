"""How a terminal command reaches the ledger: through the running bot, or through one started just for this command.

The running bot leaves `control.json` (0600) in its data folder, with its address and a token. The folder's lock tells whether
the bot really runs: a file left by a killed bot may name a port that now belongs to another program. Without a running bot the
command takes the lock itself, serves the same API on a loopback port, and asks that: one way of doing things, not two.
"""

import asyncio
import getpass
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from bot.cli.options import data_folder, fail, load_for_verbs
from bot.cli.output import note
from bot.core.lazy_dataclass import dataclass
from bot.store.errors import StoreError
from bot.store.home import Home
from bot.store.lock import is_free
from bot.system.clock import SystemClock
from bot.system.logs import configure_logs
from bot.system.private_files import CONTROL_FILE
from bot.views.answers.words import words
from bot.views.faces import Terminal
from bot.views.text import stop
from bot.views.text import words as listed
from bot.web.api.shapes import answer_from

API = "/api/v1"
ANSWER_WITHIN_S = 15.0
TAKEN_FOR_S = 8.0  # while a bot starts or stops, or another command runs, the folder is briefly locked without an answer
LOOK_AGAIN_S = 0.1


@dataclass(frozen=True)
class Reply:
    """The API's answer, and whether a running bot gave it."""

    status: int
    body: Any
    content: bytes
    running: bool = True


@dataclass(frozen=True)
class Control:
    """The running bot's address and token."""

    url: str
    token: str


def call(
    config_path: Path, data_path: Path | None, method: str, path: str, body: Mapping[str, Any] | None = None, *,
    base: str = API,
) -> Reply:  # fmt: skip
    """Call `/api/v1` + path. Exits with a clear sentence if nobody can be asked."""
    folder = data_folder(config_path, data_path)
    try:
        return asyncio.run(_call(config_path, folder, method, base + path, body))
    except StoreError as error:
        fail(str(error))
    except httpx.HTTPError as error:
        why = "in time" if isinstance(error, httpx.TimeoutException) else f"({type(error).__name__})"
        unclear = "" if method == "GET" else " What you asked for may have been done: look before you repeat it."
        fail(f"The bot on {folder} did not answer {why}.{unclear}")


def said(reply: Reply) -> Any:
    """The body of a successful answer; otherwise exits with the API's own words and status 1."""
    body = reply.body if isinstance(reply.body, dict) else {}
    if reply.status >= 400 or reply.body is None:
        said = worded(body) or f"The bot answered with HTTP {reply.status}."
        remedy = body.get("remedy")
        fail(f"{stop(said)} {remedy}" if remedy else said)
    return reply.body


def worded(body: Mapping[str, Any]) -> str:
    """An answer in the terminal's words; in the API's own if a bot of another version is running."""
    answer = answer_from(body)
    return words(answer, Terminal(str(body.get("zone") or "UTC"))) if answer else str(body.get("text") or "")


def segment(text: str) -> str:
    """A person's input as a single path segment."""
    return quote(text, safe="")


async def _call(config_path: Path, folder: Path, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
    loop = asyncio.get_running_loop()
    until = loop.time() + TAKEN_FOR_S
    while True:
        if is_free(folder):
            try:
                return await _alone(config_path, folder, method, path, body)
            except StoreError:
                if is_free(folder):
                    raise  # not about the lock; otherwise somebody was quicker, and we wait for them
        elif (control := _control(folder / CONTROL_FILE)) is not None:
            try:
                return await _ask(control, method, path, body)
            except httpx.ConnectError:
                pass  # not there yet, or no longer
            except (httpx.ReadError, httpx.RemoteProtocolError):
                if method != "GET":
                    raise  # it may have been done
        if loop.time() > until:
            raise StoreError(f"another process works on {folder} and does not answer; a bot may be starting. Try again")
        await asyncio.sleep(LOOK_AGAIN_S)


def _control(path: Path) -> Control | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Control(str(found["url"]), str(found["token"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); run this as the bot's own user") from error
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is damaged; restart the bot, which writes it again") from error


async def _ask(control: Control, method: str, path: str, body: Mapping[str, Any] | None, *, running: bool = True) -> Reply:
    headers = {"Authorization": f"Bearer {control.token}", "X-Understudy-Actor": login()}
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_WITHIN_S) as client:
        response = await client.request(method, f"{control.url}{path}", json=body, headers=headers)
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return Reply(response.status_code, response.json() if is_json else None, response.content, running)


async def _alone(config_path: Path, folder: Path, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
    from bot.app import build  # loading a whole bot takes a second, which a running one spares us
    from bot.web.app import WebError

    loaded, complete = load_for_verbs(config_path)
    if method == "GET" and not Home(folder, loaded.config.store.get_secret_value()).is_begun():
        raise StoreError(f"there is no ledger in {folder}; check --data and --config")
    configure_logs(loaded.config.secrets(), level="ERROR", pretty=True)
    app = build(loaded, data=folder, listen=("127.0.0.1", 0), alone=True, remembers=complete)
    try:
        await app.start()
        live = await app.ledger.read(lambda store: store.replicas(SystemClock().now()))
        note(_nobody_here(folder, [one.says.name for one in live], asking=method == "GET"), *app.left())
        return await _ask(Control(app.url, app.local_token), method, path, body, running=False)
    except WebError as error:
        fail(str(error))
    finally:
        await app.stop()


def _nobody_here(folder: Path, elsewhere: Sequence[str], *, asking: bool) -> str:
    """Who is watching if no bot runs on this folder: nobody, or the replicas that share its database."""
    if elsewhere:
        named, several = listed(list(elsewhere)), len(elsewhere) > 1
        who, run, tell = ("they", "run", "tell") if several else ("it", "runs", "tells")
        left = f"This is what {who} last recorded." if asking else f"{who.capitalize()} {tell} Slack."
        return f"No bot runs on {folder}; {named} {run} on the same database. {left}"
    left = "this is what the ledger last held" if asking else "what waits for Slack goes out when it starts"
    return f"No bot runs on {folder}: nothing is watched, and {left}."


def login() -> str:
    """The user's name as the API accepts it, even if they have none, as in some containers."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        name = f"uid-{os.getuid()}"
    return re.sub(r"[^A-Za-z0-9_.@+-]", "-", name)[:64] or "operator"
