"""The workspace against independent facts: Slack's reference, and the keys of its real replies and payloads."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_refusals import HOME, MODAL, TEXT
from slack_stage import Stage, until

from bot.sandbox.slack.api.catalogue import catalogue
from bot.sandbox.slack.errors import COMMON
from bot.sandbox.slack.web_api import EMITS
from tests.truth import truth_dir

DOCUMENTED_COMMON = {
    "not_authed",
    "invalid_auth",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "invalid_arguments",
    "invalid_arg_name",
    "invalid_array_arg",
    "invalid_charset",
    "invalid_form_data",
    "invalid_json",
    "json_not_object",
    "missing_post_type",
    "invalid_post_type",
    "request_timeout",
    "ratelimited",
    "fatal_error",
    "internal_error",
    "org_login_required",
    "ekm_access_denied",
    "team_added_to_org",
    "upgrade_required",
}
UNDOCUMENTED = {
    ("conversations.unarchive", "not_in_channel"),  # the error that bot tokens really get
    ("*", "unknown_method"),  # a method that does not exist has no page
}
TIERS = {"Tier1": "t1", "Tier2": "t2", "Tier3": "t3", "Tier4": "t4"}
SPECIAL = {
    "auth.test": "auth_test", "blocks.validate": "t4", "chat.getPermalink": "get_permalink", "chat.postMessage": "post_message",
}  # fmt: skip
FREE = ("args.", "message.metadata.event_payload.", "messages[].metadata.event_payload.", "view.state.values")
KINDS_OF_PEOPLE: tuple[dict[str, Any], ...] = (
    {"guest": "multi"}, {"guest": "single"}, {"deleted": True}, {"is_bot": True}, {"stranger": True, "team_id": "T07OTHER"},
    {"enterprise_id": "E07GRID", "team_id": "T07OTHER", "workspaces": ("T07OTHER",)},
)  # fmt: skip
SAMPLED_EMPTY = ("view.blocks", "view.state.values", "state.values", "event.view.blocks", "event.view.state.values")
"""Recorded samples hold these empty, so that no key below them was seen."""


def truth(name: str) -> Any:
    folder = truth_dir()
    if folder is None:
        pytest.skip("the facts about Slack's API are not beside this checkout (UNDERSTUDY_TRUTH names their folder)")
    return json.loads((Path(folder) / "slack" / f"{name}.json").read_text("utf-8"))


def paths(value: Any, at: str = "") -> set[str]:
    """All keys of a JSON value as `a.b[].c`."""
    match value:
        case dict():
            return {p for k, v in value.items() for p in (f"{at}.{k}".lstrip("."), *paths(v, f"{at}.{k}".lstrip(".")))}
        case list():
            return {p for item in value for p in paths(item, f"{at}[]")}
    return set()


def unseen(value: Any, seen: set[str], *, deep: int, free: tuple[str, ...]) -> set[str]:
    """The keys of `value`, down to `deep`, that real data does not have; the inside of blocks is the app's own."""
    mine = {path for path in paths(value) if "blocks[]." not in path and not path.startswith(free)}
    found = {".".join(path.split(".")[:deep]) for path in mine}
    parents = {path[:n].removesuffix("[]") for path in seen for n, letter in enumerate(path) if letter == "."}
    return {path for path in found - seen - parents if path.removesuffix("[]") not in seen | parents}


def test_data_file_agrees_with_the_reference() -> None:
    """Arguments, required arguments, scopes and error codes match the reference."""
    reference = truth("methods")
    for method, facts in catalogue().items():
        page = reference[method]
        assert (set(page["args"]), set(page["required"])) == (facts.args, set(facts.required)), method
        assert (page["bot_scopes_any_of"], set(page["errors"])) == (list(facts.scopes_any_of), facts.errors), method


def test_tiers_are_the_stricter_of_two_sources() -> None:
    """If the reference and the Java SDK's metadata differ, the lower rate counts, except for opening sockets."""
    reference = truth("methods")
    for method, facts in catalogue().items():
        page = reference[method]
        tiers = [page["tier"], TIERS.get(page["tier_official"], page["tier"])]
        # One connection a minute would forbid the reconnections that Slack itself asks for.
        stricter = page["tier"] if method == "apps.connections.open" else min(filter(None, tiers), default=None)
        assert SPECIAL.get(method, stricter) == facts.tier, method


def test_every_refusal_is_documented() -> None:
    """No error code is invented."""
    reference = truth("methods")
    made_up = {
        (method, code)
        for method, codes in EMITS.items()
        for code in codes
        if code not in reference[method]["errors"] and code not in DOCUMENTED_COMMON
    } | {("*", code) for code in COMMON - DOCUMENTED_COMMON}

    assert UNDOCUMENTED == made_up


def test_every_served_method_has_data_and_refusals() -> None:
    """The data file and the refusals name the same methods, except three that refuse nothing of their own."""
    assert {"api.test", "auth.test", "apps.connections.open"} == set(catalogue()) - set(EMITS)


class Tour:
    """Calls every method once with success, through the SDK, and keeps the replies."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.replies: dict[str, Any] = {}

    async def call(self, method: str, **args: Any) -> Any:
        client = self.stage.client
        if method == "apps.connections.open":
            reply = await client.apps_connections_open(app_token=self.stage.ws.app_token)
        else:
            reply = await getattr(client, method.replace(".", "_"))(**args)
        self.replies[method] = reply.data
        return reply

    async def run(self) -> None:
        await self._basics()
        await self._channels()
        await self._marks()
        await self._files()
        await self._views()

    async def _basics(self) -> None:
        stage = self.stage
        group = stage.ws.add_group("oncall", "On call", ["ana"])
        for method in ("api.test", "auth.test", "auth.teams.list", "apps.connections.open", "users.list"):
            await self.call(method)
        await self.call("users.info", user=stage.ana.id)
        for number, kind in enumerate(KINDS_OF_PEOPLE):
            await self.call("users.info", user=stage.ws.add_user(f"person{number}", **kind).id)
        await self.call("usergroups.list", include_users=True, include_count=True)
        await self.call("usergroups.users.list", usergroup=group)

    async def _channels(self) -> None:
        stage = self.stage
        channel = (await self.call("conversations.create", name="inc-1"))["channel"]["id"]
        await self.call("conversations.rename", channel=channel, name="inc-2")
        await self.call("conversations.setTopic", channel=channel, topic="t")
        await self.call("conversations.setPurpose", channel=channel, purpose="p")
        await self.call("conversations.invite", channel=channel, users=[stage.ana.id, stage.ben.id])
        await self.call("conversations.kick", channel=channel, user=stage.ben.id)
        await self.call("conversations.info", channel=channel, include_num_members=True)
        await self.call("conversations.list", types="public_channel,private_channel,im,mpim")
        await self.call("users.conversations", types="public_channel,private_channel")
        await self.call("conversations.members", channel=channel)
        await self._messages(channel)
        await self.call("conversations.leave", channel=channel)
        await self.call("conversations.join", channel=channel)
        await self.call("conversations.join", channel=channel)
        await self.call("conversations.archive", channel=channel)
        im = (await self.call("conversations.open", users=stage.ana.id, return_im=True))["channel"]["id"]
        await self.call("conversations.close", channel=im)

    async def _messages(self, channel: str) -> None:
        stage = self.stage
        metadata = {"event_type": "effect", "event_payload": {"key": "INC-1/update/1"}}
        blocks = [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*x*"}},
            {"type": "actions", "elements": [{"type": "button", "text": TEXT, "style": "danger"}]},
        ]
        post = {"channel": channel, "text": "x", "blocks": blocks, "metadata": metadata}
        ts = (await self.call("chat.postMessage", **post))["ts"]
        await self.call("chat.postMessage", **post, thread_ts=ts)
        await self.call("chat.update", **post, ts=ts)
        await stage.ana.says("mine", channel=channel)
        await stage.ana.reacts("pushpin", message_containing="mine", channel=channel)
        await self.call("conversations.history", channel=channel, include_all_metadata=True, limit=5)
        await self.call("conversations.replies", channel=channel, ts=ts, include_all_metadata=True)
        await self.call("conversations.mark", channel=channel, ts=ts)
        await self.call("chat.getPermalink", channel=channel, message_ts=ts)
        await self.call("chat.postEphemeral", channel=channel, user=stage.ana.id, text="psst")
        await self.call("pins.add", channel=channel, timestamp=ts)
        await self.call("pins.list", channel=channel)
        await self.call("pins.remove", channel=channel, timestamp=ts)
        await self.call("chat.delete", channel=channel, ts=ts)

    async def _marks(self) -> None:
        link = {"channel_id": self.stage.ops, "title": "Board", "type": "link", "link": "https://example.org"}
        bookmark = (await self.call("bookmarks.add", **link, emoji=":fire:"))["bookmark"]["id"]
        await self.call("bookmarks.edit", channel_id=self.stage.ops, bookmark_id=bookmark, title="B")
        await self.call("bookmarks.list", channel_id=self.stage.ops)
        await self.call("bookmarks.remove", channel_id=self.stage.ops, bookmark_id=bookmark)

    async def _files(self) -> None:
        stage = self.stage
        reply = await self.call("files.getUploadURLExternal", filename="t.md", length=3)
        async with aiohttp.ClientSession() as session, session.post(reply["upload_url"], data=b"abc") as response:
            assert "OK - 3" == await response.text()
        await self.call("files.completeUploadExternal", files=[{"id": reply["file_id"], "title": "T"}], channel_id=stage.ops)
        await stage.ana.waits_for("[file: T]")
        await self.call("files.info", file=reply["file_id"])

    async def _views(self) -> None:
        stage = self.stage
        view = (await self.call("views.open", trigger_id=stage.trigger(), view=MODAL))["view"]
        inside = stage.ws.team.new_trigger(stage.ana.id, view["id"])
        await self.call("views.push", trigger_id=inside, view=MODAL)
        await self.call("views.update", view_id=view["id"], hash=view["hash"], view=MODAL)
        await self.call("views.publish", user_id=stage.ana.id, view=HOME)
        await self.call("blocks.validate", view=MODAL)


async def test_replies_have_only_keys_of_real_replies(stage: Stage) -> None:
    """Every method, called with success through the SDK."""
    seen = truth("response_keys")
    tour = Tour(stage)
    await tour.run()

    common = {"ok", "response_metadata.next_cursor", "response_metadata"}
    strange = {
        method: unseen(reply, set(seen.get(method, ())) | common, deep=3, free=FREE) for method, reply in tour.replies.items()
    }
    # The recorded list of pins holds only files; the page of the method shows these keys for messages.
    strange["pins.list"] -= {f"items[].message.{key}" for key in ("type", "user", "text", "ts", "permalink", "pinned_to")}
    strange["pins.list"] -= {"items[].message", "items[].channel"}
    # No recorded reply lists workspaces; the page of the method shows these.
    strange["auth.teams.list"] -= {"teams", "teams[].id", "teams[].name"}
    assert {} == {method: keys for method, keys in strange.items() if keys}
    assert (set(catalogue()) - {"conversations.unarchive"}) == set(tour.replies)  # a bot can never unarchive


@asynccontextmanager
async def listening(stage: Stage) -> AsyncIterator[list[dict[str, Any]]]:
    """A bare websocket that acknowledges everything, and the payloads that arrived over it."""
    payloads: list[dict[str, Any]] = []
    url = (await stage.client.apps_connections_open(app_token=stage.ws.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:

        async def read() -> None:
            async for message in socket:
                envelope = message.json()
                if "envelope_id" in envelope:
                    payloads.append(envelope["payload"])
                    await socket.send_json({"envelope_id": envelope["envelope_id"]})

        task = asyncio.create_task(read())
        await stage.ws.connected()
        yield payloads
        task.cancel()


async def _live_a_little(stage: Stage) -> None:
    """Do everything that a person can do, once each."""
    menu = {
        "type": "static_select",
        "action_id": "menu",
        "options": [{"text": TEXT, "value": "v"}],
    }
    button = {"type": "button", "action_id": "go", "text": TEXT, "value": "1"}
    blocks = [{"type": "actions", "elements": [button, menu]}]
    await stage.ana.types("/health @ben #ops <all>")
    await stage.post("card", blocks=blocks)
    await stage.ana.clicks("go")
    await stage.ana.picks("menu", "v")
    await stage.client.chat_postEphemeral(channel=stage.ops, user=stage.ana.id, text="x", blocks=blocks)
    await stage.ana.clicks("go")
    await stage.client.views_open(
        trigger_id=stage.trigger(),
        view=MODAL | {"notify_on_close": True, "blocks": [*MODAL["blocks"], *blocks]},
    )
    await stage.ana.clicks("go")
    await stage.ana.submits(t="words")
    await stage.client.views_open(trigger_id=stage.trigger(), view=MODAL | {"notify_on_close": True})
    await stage.ana.closes_modal()
    await stage.ana.says("mark this, @understudy", channel="ops")
    await stage.ana.uses_shortcut("add_to_timeline", message_containing="mark this")
    await stage.ana.reacts("pushpin", message_containing="mark this")
    await stage.ana.opens_home()
    await stage.ana.types("/invite @ben", channel="den")
    await stage.ben.types("/leave", channel="den")
    stage.ws.change_user(stage.ben, guest="multi", enterprise_id="E07GRID", workspaces=(stage.ws.team_id,))
    stage.ws.change_user(stage.ben, deleted=True)


def _kind(payload: dict[str, Any]) -> str:
    if "command" in payload:
        return "SlashCommandPayload"
    event = payload.get("event", {}).get("type", payload["type"])
    return {"block_actions": "BlockAction", "message_action": "MessageShortcut"}.get(
        event,
        "".join(word.capitalize() for word in event.split("_")),
    ) + "Payload"


async def test_payloads_have_only_keys_of_real_payloads(stage: Stage) -> None:
    """Commands, interactions and events, read from the websocket."""
    seen = truth("payload_keys")
    async with listening(stage) as payloads:
        kinds: dict[str, set[str]] = {}
        await _live_a_little(stage)
        await until(lambda: len({_kind(payload) for payload in payloads}) == 12)
        for payload in payloads:
            kinds.setdefault(_kind(payload), set()).update(
                unseen(payload, set(seen[_kind(payload)]), deep=9, free=SAMPLED_EMPTY)
            )

    assert {
        "SlashCommandPayload": set(),
        "BlockActionPayload": set(),
        "ViewSubmissionPayload": set(),
        "ViewClosedPayload": set(),
        "MessageShortcutPayload": set(),
        "MessagePayload": set(),
        "AppMentionPayload": set(),
        "ReactionAddedPayload": set(),
        "AppHomeOpenedPayload": set(),
        "MemberJoinedChannelPayload": set(),
        "MemberLeftChannelPayload": set(),
        "UserChangePayload": set(),
    } == kinds
