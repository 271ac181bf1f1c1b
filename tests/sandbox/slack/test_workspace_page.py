"""The web page's endpoints: what a screen shows, and what a person does on it."""

import asyncio
import json
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_refusals import MODAL, TEXT
from slack_stage import Stage, bolt, until

BUTTON = {"type": "button", "action_id": "go", "text": TEXT}


async def screen(stage: Stage, user: str) -> dict[str, Any]:
    url = f"{stage.ws.page_url}ui/state?user={user}"
    async with stage.client.session.get(url) as response:  # type: ignore[union-attr]
        return dict(await response.json())


async def act(stage: Stage, what: str, **body: Any) -> dict[str, Any]:
    url = f"{stage.ws.page_url}ui/{what}"
    async with stage.client.session.post(url, json=body) as response:  # type: ignore[union-attr]
        return dict(await response.json())


async def test_screen_shows_what_this_person_may_see(stage: Stage) -> None:
    """Public channels and their own private ones, their own ephemeral messages, pins, bookmarks, threads and edits."""
    ts = await stage.post("card")
    await stage.post("reply", thread_ts=ts)
    await stage.client.chat_update(channel=stage.ops, ts=ts, text="card 2")
    await stage.client.pins_add(channel=stage.ops, timestamp=ts)
    await stage.client.bookmarks_add(channel_id=stage.ops, title="Board", type="link", link="https://example.org")
    await stage.client.chat_postEphemeral(channel=stage.ops, user=stage.ana.id, text="psst")
    ana, ben = await screen(stage, stage.ana.id), await screen(stage, stage.ben.id)

    assert ["general", "ops", "hall", "secret", "den"] == [channel["name"] for channel in ana["channels"]]
    assert ["general", "ops", "hall"] == [channel["name"] for channel in ben["channels"]]
    assert (["psst"], []) == ([m["text"] for m in ana["ephemerals"]], ben["ephemerals"])
    root, reply = ana["messages"][stage.ops]
    assert ("card 2", True, 1, True, ts) == (root["text"], root["edited"], root["reply_count"], root["bot"], reply["thread_ts"])
    ops = ana["channels"][1]
    assert ([ts], ["Board"], True) == (ops["pins"], [b["title"] for b in ops["bookmarks"]], ops["is_member"])
    assert {"/health", "/incident", "/fallback", "/drill", "/understudy"} == {c["command"] for c in ana["commands"]}
    assert ("ana", "Ana Silva") == (ana["me"]["name"], ana["me"]["real_name"])


async def test_person_acts_through_the_page(stage: Stage) -> None:
    """Say, reply, command, click, pick, submit: the app receives them as from Slack."""
    received: list[Any] = []

    def register(app: AsyncApp) -> None:
        @app.command("/health")
        async def health(ack: Any) -> None:
            await ack("well")

        @app.action("go")
        async def go(ack: Any, body: dict[str, Any], client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL | {"callback_id": "form"})

        @app.view("form")
        async def form(ack: Any, view: dict[str, Any]) -> None:
            (block_id,) = view["state"]["values"]
            value = view["state"]["values"][block_id]["t"]["value"]
            received.append(value)
            await (ack(response_action="errors", errors={block_id: "no"}) if value == "bad" else ack())

    ana = stage.ana.id
    async with bolt(stage, register):
        ts = await stage.post("card", blocks=[{"type": "actions", "block_id": "a", "elements": [BUTTON]}])
        assert {"ok": True} == await act(stage, "say", user=ana, channel=stage.ops, text="hi", thread_ts=ts)
        assert {"ok": True} == await act(stage, "say", user=ana, channel=stage.ops, text="/health")
        assert {"ok": True} == await act(stage, "act", user=ana, channel=stage.ops, ts=ts, block_id="a", action_id="go")
        await until(lambda: stage.ana.modal is not None)
        view = (await screen(stage, ana))["modals"][-1]
        block_id = view["blocks"][0]["block_id"]
        for text, reply in (("bad", {"ok": False, "errors": {block_id: "no"}}), ("good", {"ok": True})):
            values = {block_id: {"t": {"type": "plain_text_input", "value": text}}}
            assert reply == await act(stage, "submit", user=ana, view_id=view["id"], values=values)

    assert (["bad", "good"], None) == (received, stage.ana.modal)
    assert "(only you) understudy: well" in stage.ana.sees("ops")


async def test_page_explains_errors_in_words(stage: Stage) -> None:
    """Slackbot's own texts, and plain words for the rest."""
    ana = stage.ana.id
    replies = [
        await act(stage, "say", user=ana, channel=stage.ops, text="/nonsense"),
        await act(stage, "say", user=ana, channel=stage.ops, text="/health"),
        await act(stage, "say", user="U0", channel=stage.ops, text="x"),
        await act(stage, "close", user=ana, view_id="V0"),
        await act(stage, "say", user=ana, channel=stage.ops),
    ]

    assert [
        "`/nonsense` is not a valid command.",
        '/health failed with the error "dispatch_failed"',
        "no such person",
        "this form is no longer open",
        "not understood: KeyError('text')",
    ] == [reply["error"] for reply in replies]


async def test_closing_a_modal_removes_it_from_the_screen(stage: Stage) -> None:
    """The one in front."""
    view = (await stage.client.views_open(trigger_id=stage.trigger(), view=MODAL))["view"]
    await act(stage, "close", user=stage.ana.id, view_id=view["id"])

    assert [] == (await screen(stage, stage.ana.id))["modals"]


async def test_page_is_notified_of_changes(stage: Stage) -> None:
    """Server-sent events with a rising version."""
    url = f"{stage.ws.page_url}ui/events?user={stage.ana.id}"
    async with stage.client.session.get(url) as stream:  # type: ignore[union-attr]
        versions = [await _version(stream)]
        await stage.post("x")
        versions.append(await _version(stream))

    assert versions[0] < versions[1] == stage.ws.team.version


async def _version(stream: Any) -> int:
    async with asyncio.timeout(2):
        while not (line := (await stream.content.readline()).decode()).startswith("data: "):
            pass
    return int(json.loads(line.removeprefix("data: "))["version"])


async def test_other_sites_cannot_act_with_a_form(stage: Stage) -> None:
    """Only JSON is accepted, which a foreign page cannot send without a preflight request."""
    url = f"{stage.ws.page_url}ui/say"
    body = json.dumps({"user": stage.ana.id, "channel": stage.ops, "text": "x"})
    async with stage.client.session.post(url, data=body, headers={"Content-Type": "text/plain"}) as response:  # type: ignore[union-attr]
        assert 415 == response.status


async def test_only_the_pages_own_files_are_served(stage: Stage) -> None:
    """The index and its parts; no path leads out of the folder."""
    statuses = {}
    for path in ("", "page/none.js", "page/..%2Fworkspace.py", "page/.hidden"):
        async with stage.client.session.get(stage.ws.page_url + path) as response:  # type: ignore[union-attr]
            statuses[path] = response.status

    assert {"": 200, "page/none.js": 404, "page/..%2Fworkspace.py": 404, "page/.hidden": 404} == statuses
