"""A bot that answers as a test scripts it, byte for byte, and records its requests."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Reply = bytes | Callable[[Any], None]  # bytes to send, or what to do with the connection

SCOPE = {"key": "chat", "value": {"model": "c"}, "reason": "STATIC", "variant": "claude", "metadata": {"phase": "normal"}}


def flags(*items: Any, **more: Any) -> bytes:
    """A good answer with these flags."""
    return answer(json.dumps({"rules": 1, "flags": list(items) or [SCOPE], "metadata": {"revision": 1}, **more}))


def flag(value: Any, key: str = "chat", **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "reason": "STATIC", "variant": "v", "metadata": {"phase": "normal"}, **more}


def answer(body: str | bytes, status: str = "200 OK", type: str = "application/json", **headers: str) -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {len(raw)}\r\n{told}\r\n"
    return head.encode() + raw


@dataclass
class Asked:
    """One request as it came in."""

    head: str
    body: Any


@dataclass
class ScriptedBot:
    """Answers every request with `reply`."""

    reply: Reply = b""
    events: Callable[[Any], None] | None = None  # what to do with who listens; without it there is nothing to listen to
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(reply: Reply) -> Iterator[ScriptedBot]:
    """A scripted bot on a free port."""
    bot = ScriptedBot(reply)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self._head():
                if head.startswith("GET"):
                    if bot.events is not None:
                        bot.events(self)
                    return
                length = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
                body = self.rfile.read(length)
                bot.asked.append(Asked(head, json.loads(body) if body else None))
                reply = bot.reply
                if callable(reply):
                    reply(self)
                    return
                self.wfile.write(reply)

        def _head(self) -> str:
            lines = b""
            while not lines.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return ""
                lines += line
            return lines.decode()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        bot.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield bot
        finally:
            server.shutdown()
            thread.join()
