"""The document for flagd, over real HTTP, judged by its schema and read by the official provider with flagd inside."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
import pytest_asyncio
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext
from web_house import READ, ROUTE, House, OpenHouse, headers

from bot.core.model import Actor, Level
from bot.core.signals import EngageFlag, ReleaseFlag, StartDrill, StepBack, TimePassed

ANA = Actor.operator("ana")
CHAT = "support-chat.llm"
WHOLE, OVERLAY = "/flagd/v1/flags.json", "/flagd/v1/flags.json?overlay=1"


def _typed(kind: str) -> dict[str, Any]:
    return {"type": "object", "minProperties": 1, "additionalProperties": {"type": kind}}


PRIMITIVES = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
# What flagd.dev/schema/v0/flags.json asks of flags, and nothing besides, which the Python provider would refuse.
SCHEMA = {
    "type": "object",
    "required": ["$schema", "metadata", "flags"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://flagd.dev/schema/v0/flags.json"},
        "metadata": PRIMITIVES | {"properties": {"flagSetId": {"type": "string"}, "version": {"type": "string"}}},
        "flags": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["state", "variants", "defaultVariant"],
                "additionalProperties": False,
                "properties": {
                    "state": {"enum": ["ENABLED", "DISABLED"]},
                    "variants": {"anyOf": [_typed(kind) for kind in ("boolean", "string", "number", "object")]},
                    "defaultVariant": {"type": "string"},
                    "targeting": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"if": {"type": "array", "minItems": 3, "maxItems": 3}},
                    },
                    "metadata": PRIMITIVES,
                },
            },
        },
    },
}


@pytest_asyncio.fixture
async def engaged(house: House) -> AsyncIterator[House]:
    assert (await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))).ok
    yield house


async def get(http: aiohttp.ClientSession, house: House, path: str, **more: str) -> tuple[int, str, str]:
    """Status, tag and text of the answer."""
    async with http.get(house.url + path, headers=headers(READ, **more)) as answer:
        return answer.status, answer.headers.get("ETag", ""), await answer.text()


Ask = Callable[..., Any]


@contextmanager
def reading(text: str, folder: Path) -> Iterator[Ask]:
    """An application with flagd inside, which was handed this document."""
    file = folder / "flags.json"
    file.write_text(text)
    domain = str(folder)
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(file))
    api.set_provider_and_wait(provider, domain)
    client = api.get_client(domain)

    def ask(key: str, default: Any, reader: str = "svc-a", **attributes: Any) -> Any:
        kind = {bool: "boolean", str: "string", int: "integer", float: "float", dict: "object"}[type(default)]
        return getattr(client, f"get_{kind}_details")(key, default, EvaluationContext(reader, attributes))

    try:
        yield ask
    finally:
        provider.shutdown()


async def test_document_keeps_to_flagd_s_schema_in_every_phase(house: House, http: aiohttp.ClientSession) -> None:
    """In normal times, engaged, half handed back and in a drill: whole and as an overlay."""
    signals = [
        StartDrill(actor=ANA, components=("anthropic.api",), flag=CHAT),
        EngageFlag(ANA, flag=CHAT, reason="claude is down"),
        StepBack(ANA, flag=CHAT),
    ]
    for signal in [None, *signals]:
        if signal:
            assert (await house.engine.handle(signal)).ok, signal
        for path in (WHOLE, OVERLAY):
            jsonschema.validate(json.loads((await get(http, house, path))[2]), SCHEMA)


@pytest.mark.parametrize(
    ("key", "default", "normal", "fallback"),
    [
        (CHAT, "code default", "anthropic", "openai"),
        ("on", False, True, False),
        ("count", 99, 3, 0),
        ("rate", 9.9, 1.0, 0.5),
        ("route", {"none": 1}, ROUTE, {}),
    ],
)
async def test_flagd_gives_default_and_fallback_of_every_type(
    house: House, http: aiohttp.ClientSession, tmp_path: Path, key: str, default: Any, normal: Any, fallback: Any
) -> None:
    """As OFREP does, without an error."""
    with reading((await get(http, house, WHOLE))[2], tmp_path) as ask:
        before = ask(key, default)
    await house.engine.handle(EngageFlag(ANA, flag=key, reason="provider is down"))
    with reading((await get(http, house, WHOLE))[2], tmp_path) as ask:
        after = ask(key, default)
    assert [(normal, None), (fallback, None)] == [(before.value, before.error_code), (after.value, after.error_code)]


async def test_flagd_tells_its_readers_the_incident(engaged: House, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """Metadata go along, those of the set too."""
    with reading((await get(http, engaged, WHOLE))[2], tmp_path) as ask:
        metadata = ask(CHAT, "code default").flag_metadata
    assert ("engaged", 100, "understudy") == (metadata["phase"], metadata["percent_on_fallback"], metadata["flagSetId"])


async def test_everybody_stays_on_the_fallback_while_a_hand_back_is_half_way(
    engaged: House, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """flagd would send other readers back than we do, and another set in each language."""
    await engaged.engine.handle(StepBack(ANA, flag=CHAT))
    with reading((await get(http, engaged, WHOLE))[2], tmp_path) as ask:
        found = [ask(CHAT, "code default", f"user-{number}") for number in range(100)]
    assert {"openai"} == {one.value for one in found}
    assert (100, "10 % are back on the default elsewhere; flagd's readers follow when all are") == (
        found[0].flag_metadata["percent_on_fallback"], found[0].flag_metadata["hand_back"],
    )  # fmt: skip


async def test_default_is_back_when_all_are_handed_back(engaged: House, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """The last step is a release."""
    await engaged.engine.handle(StepBack(ANA, flag=CHAT))
    for _ in range(4):
        engaged.clock.advance(timedelta(minutes=6))
        await engaged.engine.handle(TimePassed(Actor.rule("time")))
    with reading((await get(http, engaged, WHOLE))[2], tmp_path) as ask:
        assert "anthropic" == ask(CHAT, "code default").value


async def test_drill_s_scope_gets_the_fallback_and_nobody_else(
    house: House, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """By the value true, as everywhere. (That 1 is true as well is flagd's Python alone.)"""
    assert (await house.engine.handle(StartDrill(actor=ANA, components=("anthropic.api",), flag=CHAT))).ok
    with reading((await get(http, house, WHOLE))[2], tmp_path) as ask:
        scopes: list[dict[str, Any]] = [{"understudy_drill": value} for value in (True, False, "true")]
        found = [ask(CHAT, "code default", **scope).value for scope in [*scopes, {}]]
    assert ["openai", "anthropic", "anthropic", "anthropic"] == found


async def test_overlay_holds_what_is_engaged_and_nothing_else(house: House, http: aiohttp.ClientSession) -> None:
    """Laid over the team's own file, it takes a flag over while it is engaged, and gives it back."""
    found = [list(json.loads((await get(http, house, OVERLAY))[2])["flags"])]
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))
    found.append(list(json.loads((await get(http, house, OVERLAY))[2])["flags"]))
    await house.engine.handle(ReleaseFlag(ANA, flag=CHAT, reason="well again", force=True))
    found.append(list(json.loads((await get(http, house, OVERLAY))[2])["flags"]))
    assert [[], [CHAT], []] == found


@pytest.mark.parametrize("path", [WHOLE, OVERLAY])
async def test_unchanged_document_is_a_304_until_a_flag_changes(house: House, http: aiohttp.ClientSession, path: str) -> None:
    """flagd asks every five seconds."""
    _, tag, _ = await get(http, house, path)
    assert (304, tag, "") == await get(http, house, path, If_None_Match=tag)
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))
    status, changed, _ = await get(http, house, path, If_None_Match=tag)
    assert (200, False) == (status, tag == changed)


async def test_whoever_polls_counts_as_a_reader(house: House, http: aiohttp.ClientSession) -> None:
    """A flagd is one reader, however many ask it."""
    for _ in range(3):
        await get(http, house, WHOLE, User_Agent="flagd/0.12")
    assert 1 == house.board.readers(CHAT)


async def test_another_overlay_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """A typing error must not look like an empty overlay."""
    status, _, text = await get(http, house, WHOLE + "?overlay=yes")
    assert (400, "overlay is 0 or 1.") == (status, json.loads(text)["text"])


async def test_document_needs_a_read_token(house: House, http: aiohttp.ClientSession) -> None:
    """As every read does; flagd sends it as `authHeader`."""
    async with http.get(house.url + WHOLE) as answer:
        assert 401 == answer.status


async def test_no_document_before_the_state_is_restored(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """flagd keeps what it has on a 503; an empty document would send everybody to the default."""
    house = await open_house(restored=False, read_tokens=(READ,))
    assert 503 == (await get(http, house, WHOLE))[0]


async def test_flag_without_a_known_value_is_not_laid_over_the_team_s_own(engaged: House, http: aiohttp.ClientSession) -> None:
    """Engaged on a variant that left the configuration: the team's file knows more than we do."""
    policy = engaged.engine.policy
    shorter = replace(policy.flags[CHAT], variants={"claude": "anthropic"}, fallbacks=())
    engaged.engine.policy = replace(policy, flags={**policy.flags, CHAT: shorter})
    await engaged.verdict("openai.api", Level.DEGRADED)
    assert {} == json.loads((await get(http, engaged, OVERLAY))[2])["flags"]
