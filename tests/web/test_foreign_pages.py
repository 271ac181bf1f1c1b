"""A foreign web page makes a browser on our network send requests to the bot: they change nothing and read nothing."""

import http.server
import re
import shutil
import threading
from collections.abc import Iterator

import aiohttp
import pytest
from raw_http import send_raw, status_of
from web_house import CONTROL, READ, House, OpenHouse, headers

from bot.web.server.origins import LINKED

BEAT = "/hooks/heartbeat/jobs.nightly.beat/fail"
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another port of this machine, or a sister of our name
    {"Sec-Fetch-Site": "something-new"},
    {"Origin": "https://evil.example.com"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://demo.localhost"},
    {"Origin": "file://"},
    {"Origin": "chrome-extension://abcdefghijklmnop"},
    {"Origin": "javascript:alert(1)"},
    {"Origin": "http://[::1"},
]
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def routes(house: House) -> Iterator[tuple[str, str]]:
    assert house.server is not None
    for route in house.server.app.router.routes():
        path = route.resource.canonical if route.resource else "/"
        yield ("GET" if route.method == "*" else route.method), re.sub(r"{[^}]+}", "on", path)


async def test_no_route_answers_a_foreign_page(house: House, http: aiohttp.ClientSession) -> None:
    """This holds for every route and method and even with a token; missing routes look the same as existing ones."""
    asked = [*routes(house), ("OPTIONS", "/ofrep/v1/evaluate/flags"), ("PUT", "/nothing/here")]
    for method, path in asked:
        for sent in FOREIGN[:4]:
            answer = await http.request(method, house.url + path, headers={**headers(CONTROL), **sent})
            assert (403, method, path, sent) == (answer.status, method, path, sent)
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("sent", FOREIGN)
async def test_foreign_page_reads_nothing(house: House, http: aiohttp.ClientSession, sent: dict[str, str]) -> None:
    """This holds for every header in which a browser names the page's origin."""
    answer = await http.post(f"{house.url}/ofrep/v1/evaluate/flags/on", headers={**headers(READ), **sent})
    assert 403 == answer.status
    assert "another site" in (await answer.json())["errorDetails"]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "own"},
        {"Origin": "HTTPS://bot.example.com"},
    ],
)
async def test_own_pages_and_programs_are_answered(house: House, http: aiohttp.ClientSession, sent: dict[str, str]) -> None:
    """Behind TLS the page's origin has the scheme https, and default ports are left out."""
    if sent.get("Origin") == "own":
        sent = {"Origin": house.url}
    elif "Origin" in sent:
        sent = {**sent, "Host": "bot.example.com"}
    assert 200 == (await http.get(f"{house.url}/api/v1/flags", headers={**headers(READ), **sent})).status


async def test_link_in_slack_opens_the_board(house: House, http: aiohttp.ClientSession) -> None:
    """A person may follow a link; a frame, a form or a script of the page gets nothing."""
    assert frozenset({"/"}) == LINKED
    assert 200 == (await http.get(f"{house.url}/", headers={**headers(READ), **LINK})).status
    for more in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors"}):
        assert 403 == (await http.get(f"{house.url}/", headers={**headers(READ), **LINK, **more})).status
    assert 403 == (await http.post(f"{house.url}/", headers={**headers(READ), **LINK})).status
    assert 403 == (await http.get(house.url + BEAT, headers=LINK)).status


@pytest.mark.parametrize("scheme", ["ftp", "file", "chrome-extension", "javascript", "data", "ws"])
async def test_own_host_with_another_scheme_changes_nothing(house: House, http: aiohttp.ClientSession, scheme: str) -> None:
    """No page of ours has such an origin, so even a valid token is refused."""
    sent = {**headers(CONTROL), "Origin": house.url.replace("http", scheme, 1)}
    answer = await http.post(f"{house.url}/api/v1/flags/on/engage", headers=sent, json={"reason": "slow"})

    assert 403 == answer.status


STATUS = "/api/v1/status"
TARGETS = [
    (f"GET {STATUS} HTTP/1.1\r\nHost: localhost\r\n", 200),
    (f"GET http://localhost{STATUS} HTTP/1.1\r\nHost: localhost\r\n", 200),
    (f"GET http://127.0.0.1:8080{STATUS} HTTP/1.1\r\nHost: localhost:8080\r\n", 200),
    (f"GET http://evil.example.com{STATUS} HTTP/1.1\r\nHost: localhost\r\n", 403),
    (f"GET HTTPS://evil.example.com{STATUS}?a=/ HTTP/1.1\r\nHost: localhost\r\n", 403),
    (f"GET http://localhost{STATUS} HTTP/1.1\r\nHost: evil.example.com\r\n", 403),
    (f"GET http://localhost@evil.example.com{STATUS} HTTP/1.1\r\nHost: localhost\r\n", 403),
    (f"GET http://evil.example.com{STATUS} HTTP/1.1\r\nHost: evil.example.com\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: evil.localhost\r\n", 403),
    (f"GET http://evil.localhost{STATUS} HTTP/1.1\r\nHost: localhost\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: localhost.\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost:\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: [::1\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: localhost:http\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: evil.example.com@localhost\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: localhost#evil.example.com\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: localhost/evil.example.com\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: localhost?evil.example.com\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: [::1\r\nOrigin: http://[::1\r\nAuthorization: Bearer {READ}\r\n", 403),
    (f"GET {STATUS} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n", 400),
    (f"GET {STATUS} HTTP/1.0\r\n", 200),
]


@pytest.mark.parametrize(("head", "status"), TARGETS)
async def test_every_host_name_in_a_request_is_checked_when_reading_is_open(
    open_house: OpenHouse, head: str, status: int
) -> None:
    """A DNS name rebound to this machine opens nothing, neither in the request target nor in the Host header."""
    house = await open_house(open_to_loopback=True)
    assert status == status_of(await send_raw(house.port, f"{head}Connection: close\r\n\r\n".encode()))


PAGE = """<!doctype html><body><img src="{bot}/hooks/heartbeat/beat/fail"><iframe src="{bot}/"></iframe>
<form id=f method=post action="{bot}/hooks/heartbeat/beat" target=t></form><iframe name=t></iframe><script>
const seen = [];
async function all() {{
  for (const [path, how] of [["/api/v1/status", {{}}], ["/api/v1/flags", {{headers: {{"X-API-Key": "read-token-for-tests"}}}}],
      ["/ofrep/v1/evaluate/flags/on", {{method: "POST", body: "{{}}"}}],
      ["/hooks/heartbeat/beat", {{method: "POST", mode: "no-cors"}}]])
    try {{ const found = await fetch("{bot}" + path, how); seen.push(found.type + " " + found.status); }}
    catch (error) {{ seen.push("failed"); }}
  document.getElementById("f").submit();
  return seen;
}}
</script>"""


@pytest.mark.browser
async def test_foreign_page_in_a_real_browser_changes_nothing(open_house: OpenHouse) -> None:
    """Chromium opens a page on another port and tries image, frame, form and fetch on a bot that is open to this machine."""
    from playwright.async_api import async_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("NO CHROMIUM: foreign pages were NOT tested in a browser (Debian: apt-get install chromium)")
    house = await open_house(open_to_loopback=True)
    refused: list[tuple[str, int]] = []

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        page.on("response", lambda found: refused.append((found.url, found.status)) if house.url in found.url else None)
        with _page_at(PAGE.format(bot=house.url)) as address:
            await page.goto(address, wait_until="networkidle")
            seen = await page.evaluate("all()")
            await page.wait_for_load_state("networkidle")
        linked = await page.goto(house.url + "/")
        await browser.close()

    assert ["failed"] * 4 == seen
    assert linked is not None
    assert 200 == linked.status
    assert {403} == {status for url, status in refused if "/hooks/" in url}


class _page_at:  # noqa: N801 # used as a function is
    """Serves one page on a port of its own."""

    def __init__(self, text: str) -> None:
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
