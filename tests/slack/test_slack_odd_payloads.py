"""Malformed payloads are acknowledged at once, logged in one line, and have no effect."""

import asyncio
import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from odd import Json, mutations, paths, replaced, samples

from bot.ports.payload_reading import Unreadable, parse
from bot.ports.payloads import Form, Press
from bot.slack.door import UNREADABLE
from bot.system.clock import ManualClock
from bot.system.logs import RateLimitedLog
from tests.house import FLAG, START, House, a_house

KINDS = ("command", "press", "declare form", "update form", "closed form", "shortcut", "message shortcut", "event")
AT_ONCE_S = 2.0  # Slack gives up after three seconds; a test machine may be busy
CROWD = 8
AT_EACH = 7  # odd values tried at each path
COUNT = itertools.count(1)


def readable(payload: Json) -> bool:
    try:
        parse(payload)
    except Unreadable:
        return False
    return True


def fresh(payload: Json, original: Json) -> Json:
    """The payload under a new id, unless the id is the odd part."""
    made = dict(payload)
    for name in ("trigger_id", "event_id"):
        if name in original and made.get(name) == original[name]:
            made[name] = f"{original[name]}{next(COUNT)}"
    return made


async def facts(house: House) -> int:
    assert house.app is not None
    return len(await house.app.ledger.read(lambda store: store.all_facts()))


async def deliver(house: House, kind: str, sent: list[Json]) -> float:
    """Send payloads over the websocket, some at a time; return how long the slowest acknowledgement took."""
    links = house.workspace.links
    before = len(links.acks)
    for n in range(0, len(sent), CROWD):
        await asyncio.gather(*(links.deliver(kind, payload) for payload in sent[n : n + CROWD]))
    return max(ack.seconds if ack.seconds is not None else float("inf") for ack in links.acks[before:])


@pytest.fixture
async def outage(tmp_path: Path) -> Any:
    """An incident is open, so that every button and form has something to change."""
    async with a_house(tmp_path) as house:
        await house.fails("anthropic.api")
        await house.quiet()
        yield house


@pytest.mark.parametrize("kind", KINDS)
async def test_odd_payload_is_acknowledged_without_a_traceback(
    outage: House, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is odd and wherever: Slack is answered at once."""
    envelope, payload = (await samples(outage.workspace, outage.ana))[kind]
    odd = [fresh(made, payload) for made in mutations(payload, AT_EACH)]
    unreadable, rest = [p for p in odd if not readable(p)], [p for p in odd if readable(p)]
    before = await facts(outage)
    slowest = await deliver(outage, envelope, unreadable)
    assert before == await facts(outage), "an unreadable payload was committed as a fact"
    slowest = max(slowest, await deliver(outage, envelope, rest))
    await outage.quiet()

    logged = "".join(capfd.readouterr())
    assert ("Traceback" in logged, "a request failed" in logged) == (False, False), logged[-6000:]
    assert slowest < AT_ONCE_S


@pytest.mark.parametrize("payload", [None, [], "abc", {}, {"type": []}, 7])
async def test_envelope_without_a_payload_is_acknowledged(outage: House, payload: Any) -> None:
    """Slack would send it again and again."""
    assert await deliver(outage, "interactive", [payload]) < AT_ONCE_S


async def test_unreadable_payloads_are_one_line_in_the_log(outage: House, capfd: pytest.CaptureFixture[str]) -> None:
    """A flood of them must not fill the disk."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["press"]
    del payload["user"]
    capfd.readouterr()
    await deliver(outage, envelope, [fresh(payload, payload) for _ in range(200)])

    assert 1 == "".join(capfd.readouterr()).count("a payload from Slack cannot be read")


async def test_person_is_told_if_their_command_is_unreadable(outage: House) -> None:
    """In the acknowledgement itself, since the response URL may be the missing part."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["command"]
    del payload["trigger_id"]

    assert {"response_type": "ephemeral", "text": UNREADABLE} == await outage.workspace.links.deliver(envelope, payload)


async def test_unreadable_form_says_so(outage: House) -> None:
    """It must not just close over what somebody typed."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["declare form"]
    payload["view"]["state"] = []
    answer = await outage.workspace.links.deliver(envelope, payload)

    assert answer is not None
    assert ("update", True) == (answer["response_action"], UNREADABLE in str(answer["view"]))


async def test_unknown_severity_is_refused_at_its_field(outage: House) -> None:
    """SEV9 does not exist."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["declare form"]
    state = payload["view"]["state"]["values"]
    state["title"]["title"]["value"] = "Trouble"
    state["severity"]["severity"]["selected_option"]["value"] = "SEV9"
    answer = await outage.workspace.links.deliver(envelope, payload)

    assert answer is not None
    assert "`SEV9` is not a severity." in answer["errors"]["severity"]


async def test_update_form_without_its_incident_keeps_the_text(outage: House) -> None:
    """The form stays open and says what to do."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["update form"]
    payload["view"]["private_metadata"] = "abc"
    answer = await outage.workspace.links.deliver(envelope, payload)

    assert answer is not None
    assert "This form no longer knows its incident" in answer["errors"]["text"]


async def test_export_in_an_unknown_format_is_refused(outage: House) -> None:
    """Otherwise the bot would promise a file that never comes."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["press"]
    action = {**payload["actions"][0], "action_id": "incident.export", "value": json.dumps({"incident": 1, "format": "exe"})}
    await outage.workspace.links.deliver(envelope, {**payload, "actions": [action]})

    assert "exe is not an export format." in (await outage.ana.waits_for("is not an export format")).replace("`", "")


async def test_button_without_a_response_url_is_answered_directly(outage: House) -> None:
    """The Home tab and forms have none."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["press"]
    del payload["response_url"]
    await outage.workspace.links.deliver(envelope, payload)
    async with asyncio.timeout(5.0):
        while not (replies := outage.workspace.direct_messages(outage.ana)):
            await asyncio.sleep(0.01)

    assert "INC-1 is yours." == replies[-1].text


@pytest.mark.parametrize("name", ["event", "view", "message", "user"])
def test_deeply_nested_payload_is_unreadable(name: str) -> None:
    """At any depth, reading it must not exhaust the stack."""
    bombed: Any = {}
    for _ in range(20_000):
        bombed = {name: bombed}

    with pytest.raises(Unreadable, match="too deep"):
        parse(bombed)


@pytest.mark.parametrize("value", ['{"incident":' * 100 + "1" + "}" * 100, "[" * 99_000, "[1]", "7", '"1"', "null"])
def test_malformed_button_value_counts_as_none(value: str) -> None:
    """Deeply nested, endless, or no object: the button then means nothing."""
    press = {
        "type": "block_actions",
        "user": {"id": "U0EVE"},
        "trigger_id": "1",
        "actions": [{"action_id": "a", "value": value}],
    }
    read = parse(press)

    assert isinstance(read, Press)
    assert {} == read.value


def test_payload_with_too_many_parts_is_unreadable() -> None:
    """Flat, but larger than anything that Slack sends."""
    with pytest.raises(Unreadable, match="too many parts"):
        parse({"type": "event_callback", "event": {"type": "x", "blocks": [{}] * 20_001}})


@pytest.mark.parametrize("id", ["a\x00b", "a\nb", "\u202eack"])
def test_id_with_untypable_characters_is_unreadable(id: str) -> None:
    """It would reach the log and reverse a line there."""
    with pytest.raises(Unreadable, match="characters that nobody can type"):
        parse({"type": "block_suggestion", "user": {"id": "U0EVE"}, "action_id": id})


def test_empty_form_fields_are_absent() -> None:
    """Nothing typed, nothing chosen, and a field whose name is longer than any of Slack's."""
    values = {"b": {"typed": {"value": "x"}, "empty": {"value": ""}, "untouched": {"value": None}, "n" * 256: {"value": "y"}}}
    view = {"type": "modal", "callback_id": "c", "state": {"values": values}}
    read = parse({"type": "view_submission", "user": {"id": "U0EVE"}, "trigger_id": "1", "view": view})

    assert isinstance(read, Form)
    assert {"typed": "x"} == read.fields


@pytest.mark.parametrize(("pressed", "is_link"), [("docs", True), ("incident.ack", False)])
def test_link_next_to_a_button_is_no_press(pressed: str, is_link: bool) -> None:
    """Slack opens a link itself, and it needs no reply; the button does."""
    elements = [{"action_id": "docs", "url": "https://wiki.example.com"}, {"action_id": "incident.ack"}]
    message = {"ts": "1.2", "blocks": [{"type": "actions", "elements": elements}]}
    press = {"type": "block_actions", "user": {"id": "U0EVE"}, "trigger_id": "1", "actions": [{"action_id": pressed}]}
    read = parse({**press, "message": message})

    assert isinstance(read, Press)
    assert is_link == read.is_link


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "javascript:1", "//a/b"])
def test_replies_go_to_web_addresses_only(url: str) -> None:
    """The address comes from the payload."""
    press = {"type": "block_actions", "user": {"id": "U0EVE"}, "trigger_id": "1", "actions": [{"action_id": "a"}]}
    with pytest.raises(Unreadable, match="response_url is not a URL"):
        parse({**press, "response_url": url})


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("incident.ack", {"incident": True}),
        ("incident.ack", {"incident": 1.0}),
        ("incident.ack", {"incident": "1"}),
        ("incident.separate", {"title": ["x"]}),
        ("flag.engage", {"flag": FLAG, "variant": ["gpt"]}),
        ("flag.engage", {"flag": FLAG, "variant": {}}),
        ("flag.release", {"flag": 1}),
    ],
)
async def test_forged_button_value_changes_nothing(outage: House, action: str, value: Json) -> None:
    """`true` is not incident 1, and a list is no variant: the person is told, and nothing is recorded."""
    envelope, payload = (await samples(outage.workspace, outage.ana))["press"]
    before = await facts(outage)
    forged = {**payload["actions"][0], "action_id": action, "value": json.dumps(value)}
    await outage.workspace.links.deliver(envelope, {**payload, "actions": [forged]})

    assert "This button no longer works" in await outage.ana.waits_for("no longer works")
    assert before == await facts(outage)


def test_mutations_reach_every_path() -> None:
    """A fuzz test that misses the inner paths proves little."""
    assert [("a",), ("a", 0), ("a", 0, "b")] == list(paths({"a": [{"b": 1}]}))
    assert {"a": [{"b": 2}]} == replaced({"a": [{"b": 1}]}, ("a", 0, "b"), 2)


def test_repeated_log_lines_are_held_back_and_counted() -> None:
    """The next line says how many there were."""
    clock = ManualClock(START)
    rate_limited = RateLimitedLog(clock)
    said = [rate_limited.may("a"), rate_limited.may("a"), rate_limited.may("a"), rate_limited.may("b")]
    clock.advance(timedelta(minutes=1))

    assert [0, None, None, 0, 2] == [*said, rate_limited.may("a")]
