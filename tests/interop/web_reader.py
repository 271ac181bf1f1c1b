"""A page in a real browser that reads the flag every 20 ms until the input closes: `web_reader.py BUNDLE URL PAGE FOLDER`.

The page stands at PAGE. Another reader with the same FOLDER opens it once more in the same browser, as a customer does who
opens the shop in a second tab.
"""

import http.server
import json
import shutil
import sys
import threading
import time
from os import environ
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright, sync_playwright

HTML = b"<!doctype html><title>shop</title><script src=page.js></script>"


def main(bundle: str, url: str, page: str, folder: str) -> None:
    serve(page, Path(bundle).read_bytes())
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with sync_playwright() as driver:
        context = browser(driver, Path(folder))
        shown = context.new_page()
        shown.goto(page)
        shown.evaluate("([url, token]) => openPage(url, token)", [url, environ["UNDERSTUDY_READ_TOKEN"]])
        while not ended.wait(0.02):
            began, at = time.perf_counter(), time.time()
            provider, reason = shown.evaluate("read()")
            took_s = time.perf_counter() - began
            print(json.dumps({"at": at, "took_s": took_s, "provider": provider, "reason": reason}), flush=True)
        shown.close()


def serve(page: str, script: bytes) -> None:
    """The shop's own server, unless another reader has it up already: a page, and its script."""

    class Shop(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            kind, body = ("text/javascript", script) if self.path == "/page.js" else ("text/html", HTML)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(page.rpartition(":")[2])), Shop)
    except OSError:
        return
    threading.Thread(target=server.serve_forever, daemon=True).start()


def browser(driver: Playwright, folder: Path) -> BrowserContext:
    """The browser of this folder: the one that runs, else a new one, which ends with the reader that began it."""
    address = folder / "DevToolsActivePort"
    if address.exists():
        port = address.read_text(encoding="ascii").splitlines()[0]
        return driver.chromium.connect_over_cdp(f"http://127.0.0.1:{port}").contexts[0]
    args = ["--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    return driver.chromium.launch_persistent_context(folder, executable_path=shutil.which("chromium"), args=args)


if __name__ == "__main__":
    main(*sys.argv[1:])
