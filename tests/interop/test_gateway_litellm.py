"""The real LiteLLM proxy with our callback, before two vendors that count: once switched, the dead one gets nothing.

It lives in an environment of its own, which `make interop` makes; where that is missing, nothing of this page is proven.
"""

import json
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LITELLM = ROOT / ".venv" / "litellm" / "bin" / "litellm"
KIT = ROOT / "clients" / "python" / "src"  # as it is now; the environment may hold an older one
KEY = "sk-a-master-key-for-tests-of-understudy"
HOOK = """
from understudy_client.litellm import UnderstudyModels

proxy_handler_instance = UnderstudyModels(
    "{bot}", flags={{"chat": "support-chat.llm"}}, fallback={{"chat": "chat-gpt"}}, poll_every=0.2
)
"""

pytestmark = pytest.mark.skipif(not LITELLM.exists(), reason=f"NO LITELLM: {LITELLM} is missing; `make interop` makes it")


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class Vendor:
    """Answers as OpenAI does, or fails, and counts."""

    def __init__(self, name: str) -> None:
        self.attempts = 0
        self.down = False
        vendor = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                vendor.attempts += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(500 if vendor.down else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                message = {"role": "assistant", "content": name}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
                shape = {
                    "id": "1",
                    "object": "chat.completion",
                    "created": 1,
                    "model": name,
                    "choices": [choice],
                    "usage": usage,
                }
                self.wfile.write(json.dumps(shape).encode())

        self.handler = Handler


class Bot:
    """What the bot answers about its flags: the shape of `?rules=1`, which tests/web/ofrep proves of the real one."""

    def __init__(self) -> None:
        self.model = "chat-claude"
        bot = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                flag = {
                    "key": "support-chat.llm",
                    "value": {"model": bot.model},
                    "variant": bot.model,
                    "reason": "STATIC",
                    "metadata": {},
                }
                body = json.dumps({"rules": 1, "flags": [flag], "metadata": {"revision": 1}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.handler = Handler


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ask(port: int) -> str:
    """Which vendor answered a request for `chat`; what it failed with, where it did."""
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, headers), timeout=30
        ) as answer:
            return str(json.load(answer)["choices"][0]["message"]["content"])
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"


@contextmanager
def a_proxy(folder: Path, bot: str, vendors: dict[str, int]) -> Iterator[int]:
    """LiteLLM with one deployment for each vendor."""

    def deployment(name: str, port: int) -> dict[str, Any]:
        params = {"model": "openai/gpt-4o-mini", "api_key": "k", "api_base": f"http://127.0.0.1:{port}/v1", "max_retries": 0}
        return {"model_name": name, "litellm_params": params}

    config = {
        "model_list": [deployment(name, port) for name, port in vendors.items()],
        "litellm_settings": {"callbacks": "understudy_hook.proxy_handler_instance", "num_retries": 0, "telemetry": False},
        "general_settings": {"master_key": KEY},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / "understudy_hook.py").write_text(HOOK.format(bot=bot))
    port, log = free_port(), folder / "proxy.log"
    given = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = {**given, "PYTHONPATH": str(KIT), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [LITELLM, "--config", folder / "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-3000:]
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def deployments(claude: int, gpt: int) -> dict[str, int]:
    """The port of each; `chat` is what services ask for, and would be the primary's without us."""
    return {"chat-claude": claude, "chat-gpt": gpt, "chat": claude}


@pytest.mark.timeout(300)
def test_dead_primary_gets_no_attempt_after_the_switch(tmp_path: Path) -> None:
    """And all of them again after the way back."""
    claude, gpt, bot = Vendor("claude"), Vendor("gpt"), Bot()
    with (
        serving(claude.handler) as first,
        serving(gpt.handler) as second,
        serving(bot.handler) as at,
        a_proxy(tmp_path, f"http://127.0.0.1:{at}", deployments(first, second)) as port,
    ):
        found = {"before": [ask(port) for _ in range(3)]}
        claude.down, bot.model = True, "chat-gpt"
        time.sleep(1.5)
        claude.attempts = 0
        found["switched"] = [ask(port) for _ in range(20)]
        attempts = claude.attempts
        claude.down, bot.model = False, "chat-claude"
        time.sleep(1.5)
        found["back"] = [ask(port) for _ in range(3)]

    assert {"before": ["claude"] * 3, "switched": ["gpt"] * 20, "back": ["claude"] * 3} == found
    assert 0 == attempts


@pytest.mark.timeout(300)
def test_last_answer_stands_while_the_bot_is_away(tmp_path: Path) -> None:
    """It is killed in the middle of an outage."""
    claude, gpt, bot = Vendor("claude"), Vendor("gpt"), Bot()
    bot.model, claude.down = "chat-gpt", True
    with serving(claude.handler) as first, serving(gpt.handler) as second, ExitStack() as alive:
        at = alive.enter_context(serving(bot.handler))
        with a_proxy(tmp_path, f"http://127.0.0.1:{at}", deployments(first, second)) as port:
            assert "gpt" == ask(port)
            alive.close()
            time.sleep(1)
            found = [ask(port) for _ in range(5)]

    assert (["gpt"] * 5, 0) == (found, claude.attempts)
