"""Pages that the configuration names may read flags from within a browser, and do nothing else."""

import aiohttp
import pytest
from web_house import READ, House, OpenHouse, headers

SHOP = "https://shop.example.com"
FLAGS = "/ofrep/v1/evaluate/flags"
PAGE = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    return await open_house(read_tokens=(READ,), browsers=(SHOP,))


@pytest.mark.parametrize("path", [FLAGS, FLAGS + "/on", "/ofrep/v1/events"])
async def test_browser_is_told_that_the_page_may_ask(house: House, http: aiohttp.ClientSession, path: str) -> None:
    """With the headers that the web client of OpenFeature sends."""
    wants = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,if-none-match",
    }
    async with http.options(house.url + path, headers=PAGE | wants) as answer:
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        assert (204, SHOP) == (answer.status, answer.headers["Access-Control-Allow-Origin"])
        assert all(name in allowed for name in ("authorization", "content-type", "if-none-match"))
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(("token", "status"), [(READ, 200), ("wrong", 401)])
async def test_page_may_see_every_answer(house: House, http: aiohttp.ClientSession, token: str, status: int) -> None:
    """Also the one that says what is wrong; and its tag, so that it need not read the same again."""
    async with http.post(house.url + FLAGS, headers={**headers(token), **PAGE}) as answer:
        assert (status, SHOP) == (answer.status, answer.headers["Access-Control-Allow-Origin"])
        assert ("Origin", "cross-origin") == (answer.headers["Vary"], answer.headers["Cross-Origin-Resource-Policy"])
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://shop.example.com", f"{SHOP}.evil.com", "null"])
async def test_other_pages_may_not(house: House, http: aiohttp.ClientSession, origin: str) -> None:
    for method in ("POST", "OPTIONS"):
        async with http.request(method, house.url + FLAGS, headers={**headers(READ), "Origin": origin}) as answer:
            assert (403, None) == (answer.status, answer.headers.get("Access-Control-Allow-Origin"))


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/status"), ("GET", "/"), ("POST", "/api/v1/incidents")])
async def test_page_gets_nothing_but_flags(house: House, http: aiohttp.ClientSession, method: str, path: str) -> None:
    async with http.request(method, house.url + path, headers={**headers(READ), **PAGE}) as answer:
        assert (403, None) == (answer.status, answer.headers.get("Access-Control-Allow-Origin"))


async def test_page_without_a_token_reads_nothing(house: House, http: aiohttp.ClientSession) -> None:
    """Its address opens no door by itself."""
    async with http.post(house.url + FLAGS, headers=PAGE) as answer:
        assert 401 == answer.status
