"""A service that reads the flag every 20 ms until its input closes, and prints each read: `reader.py KIND URL CACHE`."""

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from os import environ
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python" / "src")]

from openfeature import api  # noqa: E402 # after the path
from openfeature.contrib.provider.ofrep import OFREPProvider  # noqa: E402
from openfeature.evaluation_context import EvaluationContext  # noqa: E402

from tests.clients.page import at, written  # noqa: E402

FLAG = "support-chat.llm"
CODE_DEFAULT = {"provider": "code"}
Route = Callable[[], tuple[str, str]]  # where to, and why


def by_client(provider: Any) -> Route:
    api.set_provider_and_wait(provider)
    client, me = api.get_client(), EvaluationContext("support-chat/1")

    def route() -> tuple[str, str]:
        found = client.get_object_details(FLAG, CODE_DEFAULT, me)
        return str(found.value["provider"]), str(found.reason)  # type: ignore[call-overload, index] # an object of ours

    return route


def kit(url: str, cache: str) -> Route:
    from understudy_client import UnderstudyProvider  # the others run without it

    return by_client(UnderstudyProvider(url, token=environ["UNDERSTUDY_READ_TOKEN"], cache=cache, poll_every=0.3))


def page(url: str, cache: str) -> Route:
    """What the page writes for Python with the kit; its code default is told apart from the fallback."""
    example = at(written("python", "Python"), url).replace("/var/lib/support-chat/flags.json", cache).replace("openai", "code")
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 # our own page
    return lambda: (names["route"]("customer-1")["provider"], "")


def official(url: str, cache: str) -> Route:
    headers = {"Authorization": f"Bearer {environ['UNDERSTUDY_READ_TOKEN']}"}
    return by_client(OFREPProvider(url, headers_factory=lambda: headers, timeout=1.0))


def flagd(url: str, file: str) -> Route:
    """flagd within the process, which reads the file of our sink."""
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType

    return by_client(FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=file))


def lines(url: str, cache: str) -> Route:
    """What the page writes for Python without a package; its code default is told apart from the fallback."""
    names: dict[str, Any] = {}
    exec(at(written("python", "Without a package"), url).replace("openai", "code"), names)  # noqa: S102 # our own page
    return lambda: (names["route"]()["provider"], "")


def shell(url: str, cache: str) -> Route:
    """What the page writes for a shell: one that keeps the file, and one that reads it."""
    page = (
        at(written("sh", "Without a package"), url)
        .replace("/run/support-chat/variant", cache)
        .replace("|| echo gpt", "|| echo code")
    )
    service = subprocess.Popen(
        ["sh", "-c", page + '\nwhile read -r _; do echo "$(route)"; done; kill $!'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    providers = {"claude": "anthropic", "gpt": "openai", "code": "code"}

    def route() -> tuple[str, str]:
        assert service.stdin and service.stdout
        service.stdin.write("\n")
        service.stdin.flush()
        return providers[service.stdout.readline().strip()], ""

    return route


def main(kind: str, url: str, cache: str) -> None:
    logging.getLogger("openfeature").setLevel(logging.CRITICAL)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    kinds = {"kit": kit, "page": page, "official": official, "flagd": flagd, "lines": lines, "shell": shell}
    route = kinds[kind](url, cache)
    while not ended.wait(0.02):
        began, at = time.perf_counter(), time.time()
        provider, reason = route()
        took_s = time.perf_counter() - began
        print(json.dumps({"at": at, "took_s": took_s, "provider": provider, "reason": reason}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
