"""Rates, lifetimes, sizes and pages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from slack_refusals import MODAL, TEXT
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_stage import EVERY_SCOPE, SETTINGS, Stage, furnish

from bot.sandbox.slack import LocalWorkspace, Settings
from bot.system.clock import ManualClock, ScaledClock

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


async def refused(stage: Stage, times: int, **args: object) -> AsyncSlackResponse:
    """The first refusal for a list of topics, which must come at the last call of `times`."""
    for n in range(times - 1):
        await stage.client.conversations_setTopic(channel=stage.ops, topic=str(n))
    with pytest.raises(SlackApiError) as caught:
        await stage.client.conversations_setTopic(channel=stage.ops, topic="last")
    return caught.value.response


async def test_twenty_first_call_in_a_minute_is_limited(stage: Stage) -> None:
    """Tier 2 allows twenty; the reply gives the seconds until the window ends."""
    response = await refused(stage, 21)

    assert (429, "ratelimited") == (response.status_code, response["error"])
    assert 50 <= int(response.headers["Retry-After"]) <= 60


async def test_limit_ends_with_its_window(session: aiohttp.ClientSession) -> None:
    """Waiting for Retry-After is enough."""
    settings = replace(SETTINGS, tier_window_s=0.05, tier_per_minute={**SETTINGS.tier_per_minute, "t2": 1})
    async with LocalWorkspace(scopes=EVERY_SCOPE, settings=settings) as ws:
        stage = furnish(ws, session)
        await refused(stage, 2)
        await asyncio.sleep(0.06)
        await stage.client.conversations_setTopic(channel=stage.ops, topic="again")

    assert "again" == ws.channel("ops").topic


async def test_channel_accepts_one_message_a_second_after_a_burst(session: aiohttp.ClientSession) -> None:
    """Other channels are not affected."""
    settings = Settings(messages_burst=2, messages_per_s=0.5)
    async with LocalWorkspace(scopes=EVERY_SCOPE, settings=settings) as ws:
        stage = furnish(ws, session)
        await stage.post("one")
        await stage.post("two")
        with pytest.raises(SlackApiError) as caught:
            await stage.post("three")
        await stage.client.chat_postMessage(channel=stage.den, text="elsewhere")

    assert (429, "2") == (caught.value.response.status_code, caught.value.response.headers["Retry-After"])


@pytest.mark.parametrize(("passed_s", "error"), [(2.9, None), (3.1, "expired_trigger_id")])
async def test_trigger_expires_after_three_seconds(session: aiohttp.ClientSession, passed_s: float, error: str | None) -> None:
    """By the workspace's clock."""
    clock = ManualClock(START)
    async with LocalWorkspace(scopes=EVERY_SCOPE, clock=clock) as ws:
        stage = furnish(ws, session)
        trigger = stage.trigger()
        clock.advance(timedelta(seconds=passed_s))
        got = None
        try:
            await stage.client.views_open(trigger_id=trigger, view=MODAL)
        except SlackApiError as refusal:
            got = refusal.response["error"]

    assert error == got


async def test_trigger_expires_in_real_time_if_the_clock_runs_fast(session: aiohttp.ClientSession) -> None:
    """A demo's speed must not shorten Slack's deadlines, while messages carry the demo's time."""
    async with LocalWorkspace(scopes=EVERY_SCOPE, clock=ScaledClock(3600, START)) as ws:
        stage = furnish(ws, session)
        trigger = stage.trigger()
        ts = await stage.post("x")
        await stage.client.views_open(trigger_id=trigger, view=MODAL)

    assert START.date() == datetime.fromtimestamp(float(ts), UTC).date()


async def test_response_url_expires_after_half_an_hour(session: aiohttp.ClientSession) -> None:
    """Even if it was never used."""
    clock = ManualClock(START)
    async with LocalWorkspace(scopes=EVERY_SCOPE, clock=clock) as ws:
        stage = furnish(ws, session)
        url = ws.team.new_response_url(stage.ana.id, stage.ops)
        clock.advance(timedelta(minutes=30, seconds=1))
        async with session.post(url, json={"text": "late"}) as response:
            assert (404, "expired_url") == (response.status, await response.text())


async def test_timestamps_rise_when_the_wall_clock_steps_back(session: aiohttp.ClientSession) -> None:
    """A ts is a key: unique and in order, whatever the clock does."""
    clock = ManualClock(START)
    async with LocalWorkspace(scopes=EVERY_SCOPE, clock=clock) as ws:
        stage = furnish(ws, session)
        first = await stage.post("one")
        clock.step_wall(timedelta(hours=-1))
        second = await stage.post("two")

    assert first < second


async def test_long_text_is_cut_with_a_warning(stage: Stage) -> None:
    """40,000 characters are kept, and the reply says that the text was cut."""
    reply = await stage.client.chat_postMessage(channel=stage.ops, text="x" * 40_001)

    assert ["[WARN] message_truncated"] == reply["response_metadata"]["messages"]
    assert [40_000] == [len(message.text) for message in stage.ws.messages("ops")]


async def test_pages_cover_everything_once(stage: Stage) -> None:
    """Cursors for history, threads, channels and members."""
    roots = [await stage.post(str(n)) for n in range(7)]
    replies = [await stage.post(f"r{n}", thread_ts=roots[0]) for n in range(5)]
    pages = await stage.client.conversations_history(channel=stage.ops, limit=3)
    history = [message["ts"] async for page in pages for message in page["messages"]]
    pages = await stage.client.conversations_replies(channel=stage.ops, ts=roots[0], limit=2)
    thread = [message["ts"] async for page in pages for message in page["messages"]]
    pages = await stage.client.conversations_list(limit=1)
    names = [channel["name"] async for page in pages for channel in page["channels"]]
    pages = await stage.client.conversations_members(channel=stage.ops, limit=2)
    members = [member async for page in pages for member in page["members"]]

    assert roots[::-1] == history
    assert [roots[0], *replies] == thread
    assert ["general", "ops", "hall"] == names
    assert [stage.ana.id, stage.ben.id, stage.ws.bot_user_id] == members


async def test_history_honours_oldest_and_include_all_metadata(stage: Stage) -> None:
    """The outbox uses both to look up a post without a reply."""
    before = await stage.post("before")
    key = {"event_type": "effect", "event_payload": {"key": "INC-1/update/3"}}
    await stage.post("mine", metadata=key)
    plain = await stage.client.conversations_history(channel=stage.ops, oldest=before)
    asked = await stage.client.conversations_history(channel=stage.ops, oldest=before, include_all_metadata=True)
    inclusive = await stage.client.conversations_history(channel=stage.ops, oldest=before, inclusive=True)

    assert [("mine", None)] == [(m["text"], m.get("metadata")) for m in plain["messages"]]
    assert [("mine", key)] == [(m["text"], m.get("metadata")) for m in asked["messages"]]
    assert ["mine", "before"] == [m["text"] for m in inclusive["messages"]]


async def test_edit_keeps_metadata_and_drops_blocks_not_sent_again(stage: Stage) -> None:
    """As in Slack; an empty object removes the metadata."""
    key = {"event_type": "effect", "event_payload": {"key": "k"}}
    ts = await stage.post("x", metadata=key, blocks=[{"type": "section", "text": TEXT}])
    (message,) = stage.ws.messages("ops")
    await stage.client.chat_update(channel=stage.ops, ts=ts, text="y")
    after_edit = (message.text, message.blocks, message.metadata)
    await stage.client.chat_update(channel=stage.ops, ts=ts, text="z", metadata={})

    assert ("y", [], key) == after_edit
    assert message.metadata is None


async def test_users_conversations_lists_the_bots_channels(stage: Stage) -> None:
    """To find a channel after a creation without a reply: who made it, and when."""
    made = (await stage.client.conversations_create(name="inc-7"))["channel"]
    mine = (await stage.client.users_conversations(exclude_archived=True, types="public_channel"))["channels"]
    (found,) = [channel for channel in mine if channel["name"] == "inc-7"]

    assert (made["id"], stage.ws.bot_user_id, made["created"]) == (found["id"], found["creator"], found["created"])


async def test_sdk_upload_appears_in_the_channel(stage: Stage) -> None:
    """files_upload_v2, with the bytes unchanged."""
    content = "# Timeline\n" * 100
    await stage.client.files_upload_v2(
        channel=stage.ops, content=content, filename="t.md", title="Timeline", initial_comment="Here"
    )
    await stage.ana.waits_for("[file: Timeline]", channel="ops")
    (message,) = stage.ws.messages("ops")
    info = (await stage.client.files_info(file=message.files[0]))["file"]
    async with aiohttp.ClientSession() as session, session.get(info["url_private"]) as response:
        downloaded = await response.text()

    assert (content, "Here", message.ts) == (downloaded, message.text, info["shares"]["public"][stage.ops][0]["ts"])


async def test_direct_message_can_be_posted_to_a_person_by_id(stage: Stage) -> None:
    """chat.postMessage opens the conversation by itself; others do not see it."""
    await stage.client.chat_postMessage(channel=stage.ana.id, text="psst")

    assert ["psst"] == [message.text for message in stage.ws.direct_messages("ana")]
    assert "psst" in stage.ana.sees()
    assert "psst" not in stage.ben.sees()


async def test_posting_without_membership_needs_its_scope(session: aiohttp.ClientSession) -> None:
    """chat:write.public allows posts in channels without the bot."""
    async with LocalWorkspace(scopes=["chat:write", "chat:write.public"]) as ws:
        stage = furnish(ws, session)
        await stage.client.chat_postMessage(channel=stage.hall, text="hello")

    assert ["hello"] == [message.text for message in ws.messages("hall")]


async def test_calls_are_recorded_with_arguments_and_outcome(stage: Stage) -> None:
    """Tests look at them afterwards."""
    await stage.post("x")
    with pytest.raises(SlackApiError):
        await stage.client.conversations_info(channel="C0000000000")

    assert [("chat.postMessage", True, None, "bot"), ("conversations.info", False, "channel_not_found", "bot")] == [
        (call.method, call.ok, call.error, call.token) for call in stage.ws.calls
    ]
