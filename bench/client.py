"""What a read costs a service that has the client kit: the time of one, from memory, by kind of flag."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from understudy_client import UnderstudyProvider

from bench.report import line, percentile, timed

READS, ROUNDS = 5_000, 15
METADATA = {"phase": "handing_back", "percent_on_fallback": 75, "engagedAt": "2026-03-20T12:43:00+00:00", "revision": 7}
ROUTE, BACK = {"provider": "openai", "model": "gpt-5"}, {"provider": "anthropic", "model": "claude-sonnet-4-5"}
SPLIT = {"seed": "support-chat.llm#1", "below": 2500, "variant": "claude", "value": BACK}


def main() -> bool:
    """Read flags of each kind as services do, through the SDK, and without it; the background thread polls meanwhile."""
    print(f"client: {READS * ROUNDS:,} reads of each kind, out of 50 flags, polled every 0.1 s")
    holds = True
    with _bot() as url:
        provider = UnderstudyProvider(url, poll_every=0.1)
        api.set_provider_and_wait(provider, "bench")
        client = api.get_client("bench")
        me = EvaluationContext("customer-4711", {"plan": "gold"})
        for what, key, through_sdk, by_itself, default in (
            ("a string", "text-7", client.get_string_details, provider.resolve_string_details, "-"),
            ("an object", "route", client.get_object_details, provider.resolve_object_details, {}),
            ("an object in a hand-back", "split", client.get_object_details, provider.resolve_object_details, {}),
        ):
            assert through_sdk(key, default, me).error_code is None
            holds = line(f"{what}, the kit", _a_read_us(by_itself, key, default, me), "us", 15) and holds
            line(f"{what}, with the OpenFeature SDK", _a_read_us(through_sdk, key, default, me), "us")
        provider.shutdown()
    return holds


def _a_read_us(read: Any, key: str, default: Any, context: EvaluationContext) -> float:
    """Processor time, so that what else the machine does counts for nothing; the median of rounds."""
    took: list[float] = []
    for _ in range(ROUNDS):
        with timed(took, time.thread_time):
            for _ in range(READS):
                read(key, default, context)
    return percentile(took, 0.5) / READS * 1e6


@contextmanager
def _bot() -> Iterator[str]:
    """As much of a bot as the kit asks: the same flags for ever."""
    plain: dict[str, Any] = {"reason": "STATIC", "variant": "gpt", "metadata": METADATA}
    flags = [{"key": f"text-{n}", "value": "openai", **plain} for n in range(48)]
    flags.append({"key": "route", "value": ROUTE, **plain})
    flags.append({"key": "split", "value": ROUTE, **plain, "reason": "SPLIT", "split": SPLIT})
    body = json.dumps({"rules": 1, "flags": flags, "metadata": {"revision": 7}}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
