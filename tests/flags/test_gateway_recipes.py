"""The receiver of docs/gateways.md and each of its recipes, run against a server that records the requests."""

import base64
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.flags.sinks.webhook import message, sign
from bot.ports.sinks import Target

TEXT = (Path(__file__).parents[2] / "docs" / "gateways.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"```python\n(.*?)```", TEXT.partition("\n## Systems without a sink of their own\n")[2], re.DOTALL)
NOW = datetime(2026, 3, 20, 12, 43, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
HALF_WAY = Target("support-chat.llm", "gpt", 25, "claude", {"claude": 1, "gpt": 2}, {"incident": "INC-7"}, {}, "msg_1")

Call = tuple[str, str, Any]


@pytest.fixture
def there() -> Iterator[tuple[str, list[Call]]]:
    """A server that takes everything, and what it took."""
    took: list[Call] = []

    class Server(BaseHTTPRequestHandler):
        def take(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            took.append((self.command, self.path, json.loads(body)))
            self.send_response(500 if "refuse" in self.path else 200)
            self.end_headers()

        do_POST = do_PUT = do_PATCH = take  # noqa: N815 # the names that the library asks for

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", took
    server.shutdown()
    server.server_close()


def loaded(recipe: str, url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The receiver with one recipe, as a user would save it; all its addresses point to the test server."""
    words = ("LAUNCHDARKLY", "CONFIGCAT", "FLIPT", "KONG_ADMIN", "CLOUDFLARE")
    for name in [f"{word}_URL" for word in words]:
        monkeypatch.setenv(name, url)
    for name in ("LAUNCHDARKLY_TOKEN", "CONFIGCAT_USER", "CONFIGCAT_PASSWORD", "CONFIGCAT_SDK_KEY", "FLIPT_TOKEN",
                 "KONG_PLUGIN", "CLOUDFLARE_ACCOUNT", "CLOUDFLARE_TOKEN"):  # fmt: skip
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("FLAG_HOOK_SECRET", SECRET)
    module: dict[str, Any] = {}
    exec(compile(RECIPES[0] + recipe, "gateways.md", "exec"), module)  # noqa: S102 # our own page
    return module


def post(module: dict[str, Any], signature: str = "") -> int:
    """The receiver's answer to a message about a hand-back that is half way."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), module["Receiver"])
    module["Receiver"].log_message = lambda *args: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    body, at = message(HALF_WAY, NOW), int(NOW.timestamp())
    headers = {
        "webhook-id": "msg_1", "webhook-timestamp": str(at),
        "webhook-signature": signature or sign(SECRET, "msg_1", at, body),
    }  # fmt: skip
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{server.server_port}/", body, headers, method="POST"), timeout=5
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    finally:
        server.shutdown()
        server.server_close()


WANTED = [
    ("PATCH", "/api/v2/flags/my-project/use-gpt", {"5f0d...": 75000, "5f0c...": 25000}),
    ("PATCH", "/v1/settings/useGpt/value", True),
    ("PUT", "/api/v1/namespaces/default/flags/use-gpt", True),
    ("PATCH", "/plugins/given", [25, 75]),
    ("POST", "/accounts/given/ai-gateway/gateways/my-gateway/routes/my-route/deployments", "version-of-gpt"),
]


def meant(body: Any) -> Any:
    """The share in a recorded call, wherever that system expects it."""
    match body:
        case {"instructions": [_, {"rolloutWeights": weights}]}:
            return weights
        case [{"value": value}]:
            return value
        case {"enabled": value}:
            return value
        case {"config": {"targets": targets}}:
            return [one["weight"] for one in targets]
        case {"version_id": version}:
            return version
    return None


@pytest.mark.parametrize(("recipe", "wanted"), list(zip(RECIPES[1:], WANTED, strict=True)), ids=[one[1] for one in WANTED])
def test_recipe_makes_the_call_that_its_system_documents(
    recipe: str, wanted: Call, there: tuple[str, list[Call]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expected calls come from the systems' documentation; the real systems are not called."""
    url, took = there
    assert 204 == post(loaded(recipe, url, monkeypatch))

    assert [wanted] == [(method, path, meant(body)) for method, path, body in took]


def test_receiver_refuses_a_wrong_secret(there: tuple[str, list[Call]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender without the secret switches nothing."""
    url, took = there

    assert (401, []) == (post(loaded(RECIPES[3], url, monkeypatch), "v1,bm90IHNpZ25lZA=="), took)


def test_receiver_passes_on_a_failure(there: tuple[str, list[Call]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Understudy then retries and reports it."""
    url, _ = there

    assert 502 == post(loaded(RECIPES[3], url + "/refuse", monkeypatch))
