"""A small downstream service: answers customers with the provider named by its flag, read by the official client.

Runs as a separate process: `python -m bot.demo.downstream FLAG_URL LOG GATEWAY_LOG VENDORS_JSON EVERY_S ALIVE_EVERY_S PAUSE_S
ALIVE_TOKEN OUTCOME_TOKEN`. It writes one JSON line per customer, reports heartbeats and outcomes to Understudy, and knows
nothing else about it than this address. In GATEWAY_LOG, the same customers use a gateway without a flag.
"""

import itertools
import json
import logging
import queue
import signal
import sys
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

from bot.demo.gateway import Gateway
from bot.system.clock import SystemClock

FLAG = "support-chat.llm"
CODE_DEFAULT: dict[str, Any] = {"provider": "openai", "model": "gpt-5"}  # the fallback, as docs/flags.md recommends
CUSTOMERS = 200
KEY = "demo-key-not-a-secret"
TELL_EVERY_S = 0.1
LIMIT_S = 0.25  # for an answer, with or without a gateway
DEFAULT: dict[str, Any] = {"provider": "anthropic", "model": "claude-haiku-4-5"}
MOST_TOLD = 500  # outcomes in one request


def ask(client: httpx.Client, vendors: dict[str, str], route: dict[str, Any]) -> tuple[bool, str]:
    """Ask the flag's provider one customer's question; returns (served, how it went)."""
    provider = route.get("provider")
    if provider is None:
        return True, "answered from the cache"
    model = str(route.get("model", ""))
    body: dict[str, Any] = {"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": "Where is my order?"}]}
    headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01", "authorization": f"Bearer {KEY}"}
    path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
    try:
        response = client.post(vendors[provider] + path, json=body, headers=headers)
    except httpx.HTTPError as error:
        return False, type(error).__name__
    return response.status_code == 200, f"HTTP {response.status_code}"


def tell_alive(url: str, token: str, every_s: float, ended: threading.Event) -> None:
    """Send a heartbeat regularly; one that does not arrive is missed there, which is the point."""
    with httpx.Client(trust_env=False, timeout=0.5, headers={"authorization": f"Bearer {token}"}) as client:
        while True:
            with suppress(httpx.HTTPError):
                client.post(f"{url}/hooks/heartbeat/ours.chat.alive")
            if ended.wait(every_s):
                return


def tell_outcomes(url: str, token: str, told: "queue.SimpleQueue[dict[str, Any]]", ended: threading.Event) -> None:
    """Report outcomes of requests in batches; a batch without a response is sent again under the same key."""
    with httpx.Client(trust_env=False, timeout=2.0, headers={"authorization": f"Bearer {token}"}) as client:
        batch: list[dict[str, Any]] = []
        while not ended.is_set() or not told.empty() or batch:
            ended.wait(TELL_EVERY_S)
            while not batch and not told.empty():
                batch = [told.get() for _ in range(min(told.qsize(), MOST_TOLD))]
                key = str(uuid.uuid4())
            if not batch:
                continue
            try:
                answer = client.post(f"{url}/api/v1/outcomes", json={"outcomes": batch}, headers={"idempotency-key": key})
            except httpx.HTTPError:
                if ended.is_set():
                    return  # the receiver is gone
                continue
            if answer.status_code < 500:
                batch = []


def serve_by_gateway(log: Path, vendors: dict[str, str], every_s: float, pause_s: float, ended: threading.Event) -> None:
    """Serve the same customers through a tuned gateway, which tries the primary and then the fallback, without a flag."""
    clock, routes = SystemClock(), {str(route["provider"]): route for route in (DEFAULT, CODE_DEFAULT)}
    with log.open("w", encoding="utf-8") as out, httpx.Client(trust_env=False, timeout=LIMIT_S) as client:
        ways = Gateway(
            "anthropic", "openai", pause_s, lambda provider: ask(client, vendors, routes[provider])[0], clock.monotonic
        )
        while True:
            passed = ways.serve()
            out.write(
                json.dumps({"served": passed.served, "failed_tries": passed.failed_tries, "lost_s": passed.lost_s}) + "\n"
            )
            out.flush()
            if ended.wait(every_s):
                return


def serve(
    flag_url: str, log: Path, vendors: dict[str, str], every_s: float, outcome_token: str, ended: threading.Event
) -> None:  # fmt: skip
    """Answer one customer after another until the end."""
    logging.getLogger("openfeature").setLevel(logging.CRITICAL)
    api.set_provider(OFREPProvider(flag_url, timeout=0.5))
    flags, clock = api.get_client(), SystemClock()
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    teller = threading.Thread(target=tell_outcomes, args=(flag_url, outcome_token, told, ended))
    teller.start()
    with log.open("a", encoding="utf-8") as out, httpx.Client(trust_env=False, timeout=LIMIT_S) as client:
        for number in itertools.count():
            customer = f"customer-{number % CUSTOMERS}"
            found = flags.get_object_details(FLAG, CODE_DEFAULT, EvaluationContext(customer))
            route = found.value if isinstance(found.value, dict) else CODE_DEFAULT
            began = clock.monotonic()
            served, how = ask(client, vendors, route)
            took_s = clock.monotonic() - began
            outcome = {"service": "support-chat", "flag": FLAG, "ok": served, "error": how, "latency_ms": took_s * 1_000}
            told.put({**outcome, "variant": found.variant} if found.variant else outcome)
            row = {
                "at": began, "customer": customer, "variant": found.variant, "reason": str(found.reason), "served": served,
                "how": how, "took_s": took_s, "error": str(found.error_code) if found.error_code else None,
            }  # fmt: skip
            out.write(json.dumps(row) + "\n")
            out.flush()
            if ended.wait(every_s):
                return


def main(
    flag_url: str, log: str, gateway_log: str, vendors: str, every_s: str, alive_every_s: str, pause_s: str, *tokens: str
) -> None:
    """Serve customers in both ways until standard input closes."""
    ended, (alive_token, outcome_token), addresses = threading.Event(), tokens, json.loads(vendors)
    alive = (flag_url, alive_token, float(alive_every_s), ended)
    gateway = (Path(gateway_log), addresses, float(every_s), float(pause_s), ended)
    threading.Thread(target=_until_closed, args=(ended,), daemon=True).start()
    threading.Thread(target=tell_alive, args=alive, daemon=True).start()
    threading.Thread(target=serve_by_gateway, args=gateway, daemon=True).start()
    serve(flag_url, Path(log), addresses, float(every_s), outcome_token, ended)


def _until_closed(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # when started by hand it ends at once, without a traceback
    main(*sys.argv[1:])
