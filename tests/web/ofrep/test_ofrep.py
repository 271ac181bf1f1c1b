"""The reply contract of OFREP, row by row: what each family of OpenFeature clients breaks on if it is missing."""

import gzip
import json
from typing import Any

import aiohttp
import pytest
from web_house import READ, House, OpenHouse, headers

from bot.core.model import Actor
from bot.core.signals import EngageFlag, StepBack

FLAGS = "/ofrep/v1/evaluate/flags"
DEEP = "[" * 30_000


async def post(http: aiohttp.ClientSession, house: House, path: str, body: Any = None, **more: str) -> aiohttp.ClientResponse:
    """POST `body` (bytes and strings as they are) with the read token."""
    data = body if isinstance(body, bytes | str) else json.dumps(body or {})
    answer = await http.post(house.url + path, data=data, headers=headers(READ, **more))
    await answer.read()
    return answer


async def engage(house: House, flag: str = "support-chat.llm", variant: str = "") -> None:
    answer = await house.engine.handle(EngageFlag(Actor.operator("ana"), flag=flag, variant=variant, reason="claude is down"))
    assert answer.ok, answer.text


async def test_answer_is_complete_when_one_flag_is_asked(house: House, http: aiohttp.ClientSession) -> None:
    """Key, value, reason, variant and metadata, as bare application/json."""
    answer = await post(http, house, FLAGS + "/support-chat.llm", {"context": {"targetingKey": "svc-a"}})
    assert 200 == answer.status
    assert "application/json" == answer.headers["Content-Type"]
    assert {
        "key": "support-chat.llm",
        "value": "anthropic",
        "reason": "STATIC",
        "variant": "claude",
        "metadata": {"phase": "normal", "percent_on_fallback": 0, "revision": 0, "description": "Who answers the chat"},
    } == await answer.json()


@pytest.mark.parametrize("flag", ["support-chat.llm", "on", "count", "rate", "route"])
@pytest.mark.parametrize("state", ["normal", "engaged", "handing_back"])
async def test_answer_suits_all_clients_whatever_the_type_and_state(
    house: House, http: aiohttp.ClientSession, flag: str, state: str
) -> None:
    """Every type in every phase: a reason from OFREP's list, a variant, a value, and metadata of primitives without null."""
    if state != "normal":
        await engage(house, flag)
    if state == "handing_back":
        assert (await house.engine.handle(StepBack(Actor.operator("ana"), flag=flag))).ok
    found = await (await post(http, house, f"{FLAGS}/{flag}", {"context": {"targetingKey": "a"}})).json()
    assert ["key", "value", "reason", "variant", "metadata"] == list(found)
    assert found["reason"] in {"STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"}
    assert state == found["metadata"]["phase"]
    assert found["value"] is not None
    assert {str, int, float, bool} >= {type(value) for value in found["metadata"].values()}


async def test_float_keeps_its_point_when_its_value_is_whole(house: House, http: aiohttp.ClientSession) -> None:
    """Python and Java refuse `1` for a float flag."""
    answer = await post(http, house, FLAGS + "/rate")
    assert '"value": 1.0,' in await answer.text()


@pytest.mark.parametrize("key", ["nope", "team/flag", "a?b", "sp ace", "日本", "x" * 3000])
async def test_unknown_flag_is_json_with_details_when_asked(house: House, http: aiohttp.ClientSession, key: str) -> None:
    """A 404 in plain text or without errorDetails makes clients raise the wrong error."""
    answer = await post(http, house, f"{FLAGS}/{key.replace('?', '%3F')}")
    found = await answer.json()
    assert 404 == answer.status
    assert ["key", "errorCode", "errorDetails", "metadata"] == list(found)
    assert ("FLAG_NOT_FOUND", {}) == (found["errorCode"], found["metadata"])
    assert found["errorDetails"]


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{}", b'{"context":{}}', b'{"context":null}', b'{"context":{"targetingKey":null}}']
)
@pytest.mark.parametrize("path", ["/on", "/on/", "", "/"])
async def test_flag_is_answered_when_no_context_is_given(
    house: House, http: aiohttp.ClientSession, body: bytes, path: str
) -> None:
    """Clients without a context send nothing or `{}`; a trailing slash does not matter either."""
    answer = await post(http, house, FLAGS + path, body)
    assert 200 == answer.status


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "PARSE_ERROR"),
        ("[]", "PARSE_ERROR"),
        ('"text"', "PARSE_ERROR"),
        ('{"context": {"n": NaN}}', "PARSE_ERROR"),
        ('{"context": {"n": -Infinity}}', "PARSE_ERROR"),
        (DEEP, "PARSE_ERROR"),
        ('{"context": {"n": ' + "9" * 5000 + "}}", "PARSE_ERROR"),
        (b"\xff\xfe{}", "PARSE_ERROR"),
        ('{"context": []}', "INVALID_CONTEXT"),
        ('{"context": "svc"}', "INVALID_CONTEXT"),
        ('{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
        ('{"context": {"targetingKey": {}}}', "INVALID_CONTEXT"),
    ],
)
@pytest.mark.parametrize("path", ["/on", ""])
async def test_bad_body_is_refused_with_its_code(
    house: House, http: aiohttp.ClientSession, body: str | bytes, code: str, path: str
) -> None:
    """400 always has errorCode and errorDetails; Python's client raises KeyError without them."""
    answer = await post(http, house, FLAGS + path, body)
    found = await answer.json()
    assert (400, code) == (answer.status, found["errorCode"])
    assert found["errorDetails"]
    assert {} == found["metadata"]
    assert ("on" if path else None) == found.get("key")


async def test_lone_surrogate_is_a_key_like_any_other(house: House, http: aiohttp.ClientSession) -> None:
    """JSON may carry half a surrogate pair; it hashes and is counted."""
    await engage(house)
    await house.engine.handle(StepBack(Actor.operator("ana"), flag="support-chat.llm"))
    answer = await post(http, house, FLAGS + "/support-chat.llm", '{"context": {"targetingKey": "\\ud800"}}')
    assert 200 == answer.status


@pytest.mark.parametrize("packed", [False, True])
async def test_large_body_is_refused(house: House, http: aiohttp.ClientSession, packed: bool) -> None:
    """More than 64 KiB, also when it arrives packed small, is 413 in JSON."""
    body = json.dumps({"context": {"x": "y" * 70_000}}).encode()
    more = {"Content_Encoding": "gzip"} if packed else {}
    answer = await post(http, house, FLAGS + "/on", gzip.compress(body) if packed else body, **more)
    assert 413 == answer.status
    assert "GENERAL" == (await answer.json())["errorCode"]


async def test_broken_packing_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """A body that says gzip and is not gets 400, not a traceback."""
    answer = await post(http, house, FLAGS + "/on", b"not gzip", Content_Encoding="gzip")
    assert (400, "PARSE_ERROR") == (answer.status, (await answer.json())["errorCode"])


async def test_bulk_is_not_modified_until_an_answer_changes(house: House, http: aiohttp.ClientSession) -> None:
    """The ETag is of the bytes: the same until any flag's answer changes, and good for 304 in any spelling."""
    first = await post(http, house, FLAGS)
    tag = first.headers["ETag"]
    assert ["count", "on", "rate", "route", "support-chat.llm"] == [flag["key"] for flag in (await first.json())["flags"]]
    for sent in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await post(http, house, FLAGS, If_None_Match=sent)
        assert (304, tag, b"") == (again.status, again.headers["ETag"], await again.read())
    await engage(house)
    changed = await post(http, house, FLAGS + "?flagConfigEtag=x&flagConfigLastModified=1", If_None_Match=tag)
    assert 200 == changed.status
    assert tag != changed.headers["ETag"]


async def test_bulk_etag_is_the_same_after_a_restart(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """A counter would start anew and could tell a client `not modified` wrongly; bytes cannot."""
    tags = []
    for _ in range(2):
        house = await open_house(read_tokens=(READ,))
        tags.append((await post(http, house, FLAGS)).headers["ETag"])
    assert tags[0] == tags[1]


async def test_single_flag_is_never_not_modified(house: House, http: aiohttp.ClientSession) -> None:
    """No client understands a 304 on one flag."""
    answer = await post(http, house, FLAGS + "/on", If_None_Match="*")
    assert 200 == answer.status
    assert "ETag" not in answer.headers


async def test_nothing_is_served_before_the_state_is_restored(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """A default served too early would send traffic back to the broken provider: 503 in JSON instead."""
    house = await open_house(restored=False, read_tokens=(READ,))
    for path in ("/on", ""):
        answer = await post(http, house, FLAGS + path)
        assert (503, "GENERAL", "1") == (answer.status, (await answer.json())["errorCode"], answer.headers["Retry-After"])


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/on", 405), ("GET", "", 405), ("DELETE", "/on", 405)])
async def test_other_methods_are_refused_in_json(
    house: House, http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    """Whatever goes wrong on an OFREP path is OFREP's JSON."""
    answer = await http.request(method, house.url + FLAGS + path, headers=headers(READ))
    assert (status, "GENERAL") == (answer.status, (await answer.json())["errorCode"])


async def test_removed_endpoint_is_json_404(house: House, http: aiohttp.ClientSession) -> None:
    """Old clients ask for the removed configuration endpoint."""
    answer = await http.get(house.url + "/ofrep/v1/configuration", headers=headers(READ))
    assert (404, "application/json") == (answer.status, answer.headers["Content-Type"])


async def test_readers_are_known_by_key_or_by_address(house: House, http: aiohttp.ClientSession) -> None:
    """A service that names itself is one reader; one that does not is known by address and program."""
    for context in ({"targetingKey": "svc-a"}, {"targetingKey": "svc-a"}, {}, {}):
        await post(http, house, FLAGS + "/on", {"context": context})
    assert 2 == house.board.readers("on")
