"""Each kind of fault, as the real SDK experiences it."""

import asyncio
import socket
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_stage import Stage, bolt, until

from bot.sandbox.slack import SlackbotSays


def texts(stage: Stage) -> list[str]:
    return [message.text for message in stage.ws.messages("ops")]


async def status(call: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(SlackApiError) as caught:
        await call
    response = caught.value.response
    return response.status_code, str(response.data["error"] if isinstance(response.data, dict) else "")


async def test_429_gives_retry_after_and_has_no_effect(stage: Stage) -> None:
    """The fault ends after the given number of calls."""
    stage.ws.faults.add("chat.postMessage", "429", retry_after=7)

    with pytest.raises(SlackApiError) as caught:
        await stage.post("one")
    await stage.post("two")

    response = caught.value.response
    assert (429, "7", "ratelimited") == (response.status_code, response.headers["Retry-After"], response["error"])
    assert ["two"] == texts(stage)


@pytest.mark.parametrize(("kind", "landed"), [("500_before", []), ("500_after", ["x"])])
async def test_500_before_or_after_the_effect(stage: Stage, kind: str, landed: list[str]) -> None:
    """The caller cannot tell the two apart."""
    stage.ws.faults.add("chat.postMessage", kind)

    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await stage.post("x")

    assert landed == texts(stage)


@pytest.mark.parametrize(("kind", "landed"), [("drop_before", []), ("drop_after", ["x"])])
async def test_connection_drops_before_or_after_the_effect(stage: Stage, kind: str, landed: list[str]) -> None:
    """The caller sees a lost connection both times."""
    stage.ws.faults.add("chat.postMessage", kind)

    with pytest.raises(aiohttp.ClientError):
        await stage.post("x")

    assert landed == texts(stage)


async def test_effect_of_a_lost_call_can_appear_late(stage: Stage) -> None:
    """What seemed lost appears a moment later."""
    stage.ws.faults.add("chat.postMessage", "late", delay=0.05)

    with pytest.raises(aiohttp.ClientError):
        await stage.post("x")

    assert [] == texts(stage)
    await stage.ana.waits_for("understudy: x")
    assert [("dropped", False), (None, True)] == [(call.error, call.ok) for call in stage.ws.calls]


@pytest.mark.parametrize(("kind", "landed"), [("hang", []), ("hang_after", ["x"])])
async def test_call_hangs_with_or_without_its_effect(stage: Stage, kind: str, landed: list[str]) -> None:
    """No reply ever comes."""
    stage.ws.faults.add("chat.postMessage", kind)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await stage.post("x")

    assert landed == texts(stage)


async def test_chosen_error_is_returned_for_matching_arguments(stage: Stage) -> None:
    """`match` selects the calls to break."""
    stage.ws.faults.add("*", "error:team_added_to_org", match=lambda args: args.get("text") == "bad")

    await stage.post("good")
    got = await status(stage.post("bad"))

    assert (200, "team_added_to_org") == got
    assert ["good"] == texts(stage)


async def test_unknown_kind_of_fault_is_refused(stage: Stage) -> None:
    """A typo in a test must not pass silently."""
    with pytest.raises(ValueError, match="no such fault: 503"):
        stage.ws.faults.add("*", "503")


async def test_hooks_run_before_and_after_the_effect(stage: Stage) -> None:
    """After it, the effect exists, but the caller does not know yet."""
    seen: list[tuple[str, str, list[str]]] = []

    async def hook(method: str, phase: str, args: dict[str, Any]) -> None:
        seen.append((method, phase, texts(stage)))

    forget = stage.ws.faults.on_call(hook)
    await stage.post("x")
    forget()
    await stage.post("y")

    assert [("chat.postMessage", "before", []), ("chat.postMessage", "after", ["x"])] == seen


async def test_offline_refuses_and_online_answers_on_the_same_port(stage: Stage) -> None:
    """Connections are refused while Slack is down."""
    url = stage.ws.api_url
    await stage.ws.faults.offline()
    with pytest.raises(aiohttp.ClientError):
        await stage.client.api_test()
    await stage.ws.faults.online()

    assert (await stage.client.api_test())["ok"]
    assert url == stage.ws.api_url


async def test_port_stays_reserved_while_slack_is_down(stage: Stage) -> None:
    """The workspace must come back where everybody looks for it."""
    await stage.ws.faults.offline()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((stage.ws.host, stage.ws.port))


async def test_lost_share_of_a_file_leaves_no_file(stage: Stage) -> None:
    """The reply is the same; files.info shows that the file never arrived."""
    stage.ws.faults.lose_shares(1)
    shares = []
    for name in ("lost.md", "found.md"):
        upload = await stage.client.files_getUploadURLExternal(filename=name, length=2)
        async with aiohttp.ClientSession() as session, session.post(upload["upload_url"], data=b"hi"):
            pass
        files = [{"id": upload["file_id"], "title": name}]
        done = await stage.client.files_completeUploadExternal(files=files, channel_id=stage.ops)
        assert {} == done["files"][0]["shares"]
        shares.append(upload["file_id"])
    await stage.ana.waits_for("[file: found.md]")

    landed = [(await stage.client.files_info(file=file))["file"]["channels"] for file in shares]
    assert [[], [stage.ops]] == landed


# -- sockets


def echo(app: AsyncApp) -> None:
    """A bot that answers /health and counts the calls."""

    @app.command("/health")
    async def health(ack: Any, say: Any) -> None:
        await ack("well")
        await say("counted")


async def test_refresh_moves_the_app_to_a_new_websocket(stage: Stage) -> None:
    """The SDK reconnects by itself when Slack asks."""
    async with bolt(stage, echo):
        await stage.ws.faults.refresh()
        await _reconnected(stage, tickets=2)
        await _is_taken(stage, "/health")

    assert "well" in stage.ana.sees("ops")


async def test_app_reconnects_after_a_dropped_websocket(stage: Stage) -> None:
    """The SDK notices the TCP reset by its own pings."""
    async with bolt(stage, echo):
        await stage.ws.faults.drop_sockets()
        await _reconnected(stage, tickets=2)
        await _is_taken(stage, "/health")

    assert "well" in stage.ana.sees("ops")


async def test_disconnect_reasons_are_sent_as_slack_writes_them(stage: Stage) -> None:
    """`warning` and `link_disabled`."""
    url = (await stage.client.apps_connections_open(app_token=stage.ws.app_token))["url"]
    async with stage.client.session.ws_connect(url) as socket:  # type: ignore[union-attr]
        await socket.receive_json()
        await stage.ws.faults.warn()
        warned = await socket.receive_json()
        stage.ws.faults.link_disabled()
        disabled = await socket.receive_json()
        closed = await socket.receive()

    assert ("warning", "link_disabled") == (warned["reason"], disabled["reason"])
    assert aiohttp.WSMsgType.CLOSE == closed.type


async def test_refused_upgrade_uses_up_the_ticket(stage: Stage) -> None:
    """HTTP 408, and again 408 for the same ticket, as seen with the real Slack."""
    stage.ws.faults.refuse_upgrades(1)
    url = (await stage.client.apps_connections_open(app_token=stage.ws.app_token))["url"]

    for _ in range(2):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await stage.client.session.ws_connect(url)  # type: ignore[union-attr]
        assert 408 == refused.value.status


async def test_silent_connection_delivers_nothing_until_it_ends(stage: Stage) -> None:
    """The socket is connected but dead, so the person gets a timeout."""
    async with bolt(stage, echo, ping_interval=5):
        stage.ws.faults.silent()
        with pytest.raises(SlackbotSays, match="operation_timeout"):
            await stage.ana.types("/health")
        stage.ws.faults.speak()
        await stage.ana.types("/health")

    assert "well" in stage.ana.sees("ops")


async def test_doubled_delivery_sends_the_envelope_twice(stage: Stage) -> None:
    """Bolt does not deduplicate: the handler runs twice."""
    async with bolt(stage, echo):
        stage.ws.faults.deliver_twice(1)
        await stage.ana.types("/health")
        await until(lambda: len(texts(stage)) == 2)

    assert ["counted", "counted"] == texts(stage)


async def test_held_envelope_arrives_late(stage: Stage) -> None:
    """The person got a timeout after three seconds, but the app still receives it."""
    async with bolt(stage, echo):
        stage.ws.faults.hold_back()
        typing = asyncio.ensure_future(stage.ana.types("/health"))
        await until(lambda: bool(stage.ws.faults.state.held))
        assert [] == texts(stage)
        await stage.ws.faults.let_go()
        await until(lambda: len(texts(stage)) == 1)
        await asyncio.gather(typing, return_exceptions=True)

    assert ["counted"] == texts(stage)


async def test_clear_removes_every_fault(stage: Stage) -> None:
    """The rest of a test runs undisturbed."""
    stage.ws.faults.add("*", "500_before", times=100)
    stage.ws.faults.silent()
    stage.ws.faults.clear()

    assert (await stage.client.api_test())["ok"]
    assert not stage.ws.faults.state.silent


async def _reconnected(stage: Stage, *, tickets: int) -> None:
    await until(lambda: tickets <= sum(call.method == "apps.connections.open" for call in stage.ws.calls))
    await stage.ws.connected()


async def _is_taken(stage: Stage, text: str) -> None:
    """Type until the app accepts it; on a busy machine the SDK may open a third websocket and lose the second's envelopes."""
    for _ in range(2):
        with suppress(SlackbotSays):
            await stage.ana.types(text)
            return
    await stage.ana.types(text)


async def test_upload_can_fail_before_and_after_its_bytes_arrive(stage: Stage) -> None:
    """Faults treat `upload` like any other call."""
    upload = await stage.client.files_getUploadURLExternal(filename="t.md", length=2)
    stage.ws.faults.add("upload", "429", retry_after=3)
    stage.ws.faults.add("upload", "500_after")
    statuses = []
    for _ in range(3):
        async with aiohttp.ClientSession() as session, session.post(upload["upload_url"], data=b"hi") as response:
            statuses.append(response.status)

    assert [429, 500, 404] == statuses  # the third shows that the bytes of the second had arrived


async def test_response_url_can_fail(stage: Stage) -> None:
    """A bot must cope with a reply that does not arrive."""
    url = stage.ws.team.new_response_url(stage.ana.id, stage.ops)
    stage.ws.faults.add("response_url", "drop_after")

    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(url, json={"text": "heard?"})

    assert "heard?" in stage.ana.sees("ops")
