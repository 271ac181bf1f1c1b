"""A small service downstream: answers customers with whatever provider its flag names, read by the official client.

Run as a process of its own: `python -m bot.demo.downstream FLAG_URL LOG VENDORS_JSON EVERY_S ALIVE_EVERY_S ALIVE_TOKEN`. It
writes one JSON line per customer, tells Understudy now and then that it lives, and knows no more of it than this address.
"""

import itertools
import json
import logging
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

FLAG = "support-chat.llm"
CODE_DEFAULT: dict[str, Any] = {"provider": "openai", "model": "gpt-5"}  # the fallback, as docs/flags.md advises
CUSTOMERS = 200
KEY = "demo-key-not-a-secret"


def ask(client: httpx.Client, vendors: dict[str, str], route: dict[str, Any]) -> tuple[bool, str]:
    """One customer's question to the provider that the flag named: (served, how it went)."""
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
    """Give a sign of life every so often; one that does not arrive is missed there, which is the point."""
    with httpx.Client(trust_env=False, timeout=0.5, headers={"authorization": f"Bearer {token}"}) as client:
        while True:
            with suppress(httpx.HTTPError):
                client.post(f"{url}/hooks/heartbeat/ours.chat.alive")
            if ended.wait(every_s):
                return


def serve(flag_url: str, log: Path, vendors: dict[str, str], every_s: float, alive_every_s: float, alive_token: str) -> None:
    """Answer one customer after the other until standard input closes."""
    logging.getLogger("openfeature").setLevel(logging.CRITICAL)
    api.set_provider(OFREPProvider(flag_url, timeout=0.5))
    flags = api.get_client()
    ended = threading.Event()
    threading.Thread(target=_until_closed, args=(ended,), daemon=True).start()
    threading.Thread(target=tell_alive, args=(flag_url, alive_token, alive_every_s, ended), daemon=True).start()
    with log.open("a", encoding="utf-8") as out, httpx.Client(trust_env=False, timeout=0.25) as client:
        for number in itertools.count():
            customer = f"customer-{number % CUSTOMERS}"
            found = flags.get_object_details(FLAG, CODE_DEFAULT, EvaluationContext(customer))
            route = found.value if isinstance(found.value, dict) else CODE_DEFAULT
            served, how = ask(client, vendors, route)
            row = {
                "customer": customer, "variant": found.variant, "reason": str(found.reason), "served": served, "how": how,
                "error": str(found.error_code) if found.error_code else None,
            }  # fmt: skip
            out.write(json.dumps(row) + "\n")
            out.flush()
            if ended.wait(every_s):
                return


def _until_closed(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # started by hand it ends at once, without a traceback
    serve(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]), sys.argv[6])
