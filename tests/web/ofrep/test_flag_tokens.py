"""A token for some flags: it reads those by every way, and nothing else."""

import json

import aiohttp
import pytest
from web_house import CONTROL, LOCAL, READ, House, OpenHouse, headers

from bot.web.services import FlagToken

SOME = "some-flags-token-for-tests"
CHAT = "support-chat.llm"


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    some = FlagToken("checkout", SOME, ("support-*", "on"))
    return await open_house(read_tokens=(READ,), control_tokens=(CONTROL,), local_token=LOCAL, flag_tokens=(some,))


@pytest.mark.parametrize("query", ["", "?rules=1"])
async def test_all_flags_are_its_own(house: House, http: aiohttp.ClientSession, query: str) -> None:
    """As if there were no others."""
    async with http.post(f"{house.url}/ofrep/v1/evaluate/flags{query}", headers=headers(SOME)) as answer:
        assert ["on", CHAT] == [one["key"] for one in json.loads(await answer.text())["flags"]]


async def test_flagd_gets_its_own(house: House, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{house.url}/flagd/v1/flags.json", headers=headers(SOME)) as answer:
        assert ["on", CHAT] == list(json.loads(await answer.text())["flags"])


@pytest.mark.parametrize(("key", "status"), [(CHAT, 200), ("on", 200), ("rate", 404), ("nope", 404)])
async def test_other_flags_are_not_there(house: House, http: aiohttp.ClientSession, key: str, status: int) -> None:
    """Another team's flag looks like one that nobody configured."""
    async with http.post(f"{house.url}/ofrep/v1/evaluate/flags/{key}", headers=headers(SOME)) as answer:
        assert status == answer.status


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/status", "/api/v1/flags", f"/api/v1/flags/{CHAT}/readers"])
async def test_it_reads_nothing_else(house: House, http: aiohttp.ClientSession, path: str) -> None:
    """Status, board and metrics tell of everything."""
    async with http.get(house.url + path, headers=headers(SOME)) as answer:
        assert (403, True) == (answer.status, "may only read flags" in await answer.text())


async def test_it_changes_nothing(house: House, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{house.url}/api/v1/flags/{CHAT}/engage", headers=headers(SOME), json={"reason": "x"}) as answer:
        assert 403 == answer.status


async def test_its_readers_are_known_by_its_name(house: House, http: aiohttp.ClientSession) -> None:
    """First those that lack the last switch, in the API."""
    asked = [
        ("/ofrep/v1/evaluate/flags", SOME, {"context": {"targetingKey": "web-1"}}),
        ("/ofrep/v1/evaluate/flags/on", READ, {"context": {"targetingKey": "ben"}}),
        ("/api/v1/flags/on/engage", CONTROL, {"reason": "we see it too"}),
    ]
    for path, token, body in asked:
        async with http.post(house.url + path, headers=headers(token), json=body) as answer:
            assert 200 == answer.status
    async with http.get(f"{house.url}/api/v1/flags/on/readers", headers=headers(READ)) as answer:
        found = json.loads(await answer.text())

    assert (2, 1, 0) == (found["count"], found["copies"], found["current"])
    assert [("checkout: web-1", False), ("ben", True)] == [(one["name"], one["current"]) for one in found["readers"]]
