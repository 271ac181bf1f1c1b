"""How to provoke every refusal that the workspace can give: one row for each method and code."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk.models.views import View

Args = dict[str, Any]
Prepare = Callable[[Any], Awaitable[Args] | Args]

TEXT = {"type": "plain_text", "text": "Hello"}
INPUT = {"type": "input", "label": TEXT, "element": {"type": "plain_text_input", "action_id": "t"}}
SECTION = {"type": "section", "text": TEXT}
MODAL = {"type": "modal", "title": TEXT, "submit": TEXT, "blocks": [INPUT]}
HOME = {"type": "home", "blocks": [SECTION]}
BIG_VIEW = MODAL | {"blocks": [{"type": "section", "text": TEXT | {"text": "x" * 3000}}] * 8}
LONG_BLOCKS = [{"type": "section", "text": TEXT | {"text": "x" * 2900}}] * 5
NOWHERE, NOBODY, NO_TS = "C0000000000", "U0000000000", "1700000000.000001"


@dataclass(frozen=True)
class Row:
    """One refusal: `args` makes (and first prepares) the arguments of the call."""

    method: str
    code: str
    args: Prepare

    def __str__(self) -> str:
        return f"{self.method}-{self.code}"


async def _archived(s: Any, **more: Any) -> Args:
    return {"channel": await s.archived(), **more}


async def _in_archive(s: Any) -> Args:
    """A message of the bot in a channel that has been archived since."""
    channel = (await s.client.conversations_create(name="gone"))["channel"]["id"]
    ts = (await s.client.chat_postMessage(channel=channel, text="x"))["ts"]
    await s.client.conversations_archive(channel=channel)
    return {"channel": channel, "ts": ts}


async def _own(s: Any, **more: Any) -> Args:
    return {"channel": s.ops, "ts": await s.post(), **more}


async def _theirs(s: Any) -> Args:
    return {"channel": s.ops, "ts": await s.ana.says("mine", channel="ops")}


async def _joined_line(s: Any, arg: str) -> Args:
    """The ts of a message that Slack itself posted about a joining member."""
    await s.client.conversations_setTopic(channel=s.ops, topic="t")
    return {"channel": s.ops, arg: s.ws.messages("ops", system=True)[-1].ts}


def _names(method: str, base: Callable[[Any], Awaitable[Args]]) -> list[Row]:
    bad = {
        "invalid_name_required": "",
        "invalid_name_maxlength": "x" * 81,
        "invalid_name_punctuation": "---",
        "invalid_name_specials": "Bad Name",
        "name_taken": "hall",
    }

    def named(name: str) -> Prepare:
        async def args(s: Any) -> Args:
            return await base(s) | {"name": name}

        return args

    return [Row(method, code, named(name)) for code, name in bad.items()]


async def _no_base(s: Any) -> Args:
    return {}


async def _own_channel(s: Any) -> Args:
    return {"channel": (await s.client.conversations_create(name="mine"))["channel"]["id"]}


CHANNELS = [
    *_names("conversations.create", _no_base),
    *_names("conversations.rename", _own_channel),
    Row("conversations.rename", "channel_not_found", lambda s: {"channel": NOWHERE, "name": "x"}),
    Row("conversations.rename", "not_in_channel", lambda s: {"channel": s.hall, "name": "x"}),
    Row("conversations.rename", "is_archived", lambda s: _archived(s, name="x")),
    Row("conversations.rename", "not_authorized", lambda s: {"channel": s.ops, "name": "x"}),
    Row("conversations.archive", "channel_not_found", lambda s: {"channel": s.secret}),
    Row("conversations.archive", "already_archived", _archived),
    Row("conversations.archive", "cant_archive_general", lambda s: {"channel": s.ws.channel("general").id}),
    Row("conversations.archive", "not_in_channel", lambda s: {"channel": s.hall}),
    Row("conversations.unarchive", "channel_not_found", lambda s: {"channel": NOWHERE}),
    Row("conversations.unarchive", "not_archived", lambda s: {"channel": s.ops}),
    Row("conversations.unarchive", "not_in_channel", _archived),
    Row("conversations.setTopic", "channel_not_found", lambda s: {"channel": NOWHERE, "topic": "t"}),
    Row("conversations.setTopic", "not_in_channel", lambda s: {"channel": s.hall, "topic": "t"}),
    Row("conversations.setTopic", "is_archived", lambda s: _archived(s, topic="t")),
    Row("conversations.setTopic", "too_long", lambda s: {"channel": s.ops, "topic": "t" * 251}),
    Row("conversations.setPurpose", "channel_not_found", lambda s: {"channel": NOWHERE, "purpose": "t"}),
    Row("conversations.setPurpose", "not_in_channel", lambda s: {"channel": s.hall, "purpose": "t"}),
    Row("conversations.setPurpose", "is_archived", lambda s: _archived(s, purpose="t")),
    Row("conversations.setPurpose", "too_long", lambda s: {"channel": s.ops, "purpose": "t" * 251}),
    Row("conversations.info", "channel_not_found", lambda s: {"channel": s.secret}),
    Row("conversations.list", "invalid_types", lambda s: {"types": "public"}),
    Row("conversations.list", "invalid_cursor", lambda s: {"cursor": "nonsense"}),
    Row("conversations.list", "invalid_limit", lambda s: {"limit": 1000}),
    Row("users.conversations", "invalid_types", lambda s: {"types": "public"}),
    Row("users.conversations", "invalid_cursor", lambda s: {"cursor": "next:9999"}),
    Row("users.conversations", "invalid_limit", lambda s: {"limit": 0}),
    Row("conversations.history", "channel_not_found", lambda s: {"channel": s.secret}),
    Row("conversations.history", "not_in_channel", _archived),
    Row("conversations.history", "invalid_cursor", lambda s: {"channel": s.ops, "cursor": "x"}),
    Row("conversations.history", "invalid_ts_oldest", lambda s: _ready(s, oldest="yesterday")),
    Row("conversations.history", "invalid_ts_latest", lambda s: _ready(s, latest="today")),
    Row("conversations.replies", "channel_not_found", lambda s: {"channel": s.hall, "ts": NO_TS}),
    Row("conversations.replies", "thread_not_found", lambda s: {"channel": s.ops, "ts": NO_TS}),
    Row("conversations.replies", "invalid_cursor", lambda s: _own(s, cursor="x")),
    Row("conversations.replies", "invalid_ts_oldest", lambda s: _thread(s, oldest="yesterday")),
    Row("conversations.replies", "invalid_ts_latest", lambda s: _thread(s, latest="today")),
    Row("conversations.mark", "channel_not_found", lambda s: {"channel": NOWHERE, "ts": NO_TS}),
    Row("conversations.mark", "not_in_channel", lambda s: {"channel": s.hall, "ts": NO_TS}),
    Row("conversations.mark", "invalid_timestamp", lambda s: {"channel": s.ops, "ts": "now"}),
]


async def _ready(s: Any, **more: Any) -> Args:
    await s.post()
    return {"channel": s.ops, **more}


async def _thread(s: Any, **more: Any) -> Args:
    root = await s.post()
    await s.post("reply", thread_ts=root)
    return {"channel": s.ops, "ts": root, **more}


MEMBERSHIP = [
    Row("conversations.invite", "channel_not_found", lambda s: {"channel": NOWHERE, "users": s.ana.id}),
    Row("conversations.invite", "is_archived", lambda s: _archived(s, users=s.ana.id)),
    Row("conversations.invite", "not_in_channel", lambda s: {"channel": s.hall, "users": s.ana.id}),
    Row("conversations.invite", "no_user", lambda s: {"channel": s.ops, "users": ""}),
    Row("conversations.invite", "user_not_found", lambda s: {"channel": s.den, "users": f"{s.ben.id},{NOBODY}"}),
    Row("conversations.invite", "cant_invite_self", lambda s: {"channel": s.ops, "users": s.ws.bot_user_id}),
    Row("conversations.invite", "already_in_channel", lambda s: {"channel": s.ops, "users": s.ana.id}),
    Row("conversations.kick", "channel_not_found", lambda s: {"channel": NOWHERE, "user": s.ana.id}),
    Row("conversations.kick", "not_in_channel", lambda s: {"channel": s.hall, "user": s.ana.id}),
    Row("conversations.kick", "user_not_found", lambda s: {"channel": s.ops, "user": NOBODY}),
    Row("conversations.kick", "cant_kick_self", lambda s: {"channel": s.ops, "user": s.ws.bot_user_id}),
    Row("conversations.kick", "cant_kick_from_general", lambda s: _general(s, user=s.ana.id)),
    Row("conversations.join", "channel_not_found", lambda s: {"channel": s.secret}),
    Row("conversations.join", "is_archived", _archived),
    Row("conversations.join", "method_not_supported_for_channel_type", lambda s: {"channel": s.den}),
    Row("conversations.leave", "channel_not_found", lambda s: {"channel": NOWHERE}),
    Row("conversations.leave", "is_archived", _archived),
    Row("conversations.leave", "cant_leave_general", lambda s: _general(s)),
    Row("conversations.members", "channel_not_found", lambda s: {"channel": s.secret}),
    Row("conversations.members", "invalid_cursor", lambda s: {"channel": s.ops, "cursor": "x"}),
    Row("conversations.members", "invalid_limit", lambda s: {"channel": s.ops, "limit": 1000}),
    Row("conversations.open", "channel_not_found", lambda s: {"channel": NOWHERE}),
    Row("conversations.open", "method_not_supported_for_channel_type", lambda s: {"channel": s.ops}),
    Row("conversations.open", "users_list_not_supplied", lambda s: {}),
    Row("conversations.open", "too_many_users", lambda s: {"users": [s.ana.id] * 9}),
    Row("conversations.open", "user_not_found", lambda s: {"users": NOBODY}),
    Row("conversations.close", "channel_not_found", lambda s: {"channel": NOWHERE}),
    Row("conversations.close", "method_not_supported_for_channel_type", lambda s: {"channel": s.ops}),
]


async def _general(s: Any, **more: Any) -> Args:
    general = s.ws.channel("general").id
    await s.client.conversations_join(channel=general)
    return {"channel": general, **more}


def _content(method: str, base: Callable[[Any], Awaitable[Args]]) -> list[Row]:
    bad: dict[str, Args] = {
        "no_text": {},
        "markdown_text_conflict": {"text": "x", "markdown_text": "y"},
        "invalid_blocks": {"text": "x", "blocks": [{"type": "header", "text": TEXT | {"text": "x" * 151}}]},
        "invalid_blocks_format": {"text": "x", "blocks": "{not json"},
        "too_many_attachments": {"text": "x", "attachments": [{"text": "a"}] * 101},
    }

    def with_(more: Args) -> Prepare:
        async def args(s: Any) -> Args:
            return await base(s) | more

        return args

    return [Row(method, code, with_(more)) for code, more in bad.items()]


def _metadata(method: str, base: Callable[[Any], Awaitable[Args]]) -> list[Row]:
    bad: dict[str, Any] = {
        "invalid_metadata_format": {"kind": "x"},
        "invalid_metadata_schema": {"event_type": "Has Spaces", "event_payload": {}},
        "metadata_too_large": {"event_type": "x", "event_payload": {"k": "v" * 8000}},
    }

    def with_(metadata: Any) -> Prepare:
        async def args(s: Any) -> Args:
            return await base(s) | {"text": "x", "metadata": metadata}

        return args

    return [Row(method, code, with_(metadata)) for code, metadata in bad.items()]


async def _ops(s: Any) -> Args:
    return {"channel": s.ops}


async def _to_ana(s: Any) -> Args:
    return {"channel": s.ops, "user": s.ana.id}


CHAT = [
    *_content("chat.postMessage", _ops),
    *_metadata("chat.postMessage", _ops),
    Row("chat.postMessage", "channel_not_found", lambda s: {"channel": "secret", "text": "x"}),
    Row("chat.postMessage", "is_archived", lambda s: _archived(s, text="x")),
    Row("chat.postMessage", "not_in_channel", lambda s: {"channel": s.hall, "text": "x"}),
    Row("chat.postMessage", "msg_blocks_too_long", lambda s: {"channel": s.ops, "text": "x", "blocks": LONG_BLOCKS}),
    Row("chat.postMessage", "cannot_reply_to_message", lambda s: _joined_line_text(s)),
    *_content("chat.update", _own),
    *_metadata("chat.update", _own),
    Row("chat.update", "channel_not_found", lambda s: {"channel": s.secret, "ts": NO_TS, "text": "x"}),
    Row("chat.update", "message_not_found", lambda s: {"channel": s.ops, "ts": NO_TS, "text": "x"}),
    Row("chat.update", "is_inactive", lambda s: _plus(_in_archive(s), text="x")),
    Row("chat.update", "cant_update_message", lambda s: _plus(_theirs(s), text="x")),
    Row("chat.update", "msg_too_long", lambda s: _own(s, text="x" * 4001)),
    *_content("chat.postEphemeral", _to_ana),
    Row("chat.postEphemeral", "channel_not_found", lambda s: {"channel": NOWHERE, "user": s.ana.id, "text": "x"}),
    Row("chat.postEphemeral", "is_archived", lambda s: _archived(s, user=s.ana.id, text="x")),
    Row("chat.postEphemeral", "not_in_channel", lambda s: {"channel": s.hall, "user": s.ana.id, "text": "x"}),
    Row("chat.postEphemeral", "user_not_in_channel", lambda s: {"channel": s.den, "user": s.ben.id, "text": "x"}),
    Row("chat.postEphemeral", "msg_too_long", lambda s: {"channel": s.ops, "user": s.ana.id, "text": "x" * 40_001}),
    Row(
        "chat.postEphemeral",
        "cannot_reply_to_message",
        lambda s: {"channel": s.ops, "user": s.ana.id, "text": "x", "thread_ts": NO_TS},
    ),
    Row("chat.delete", "channel_not_found", lambda s: {"channel": s.secret, "ts": NO_TS}),
    Row("chat.delete", "message_not_found", lambda s: {"channel": s.ops, "ts": NO_TS}),
    Row("chat.delete", "cant_delete_message", _theirs),
    Row("chat.getPermalink", "channel_not_found", lambda s: {"channel": s.secret, "message_ts": NO_TS}),
    Row("chat.getPermalink", "message_not_found", lambda s: {"channel": s.ops, "message_ts": NO_TS}),
]


async def _plus(args: Awaitable[Args], **more: Any) -> Args:
    return await args | more


async def _joined_line_text(s: Any) -> Args:
    return await _joined_line(s, "thread_ts") | {"text": "x"}


async def _pinned(s: Any) -> Args:
    ts = await s.post()
    await s.client.pins_add(channel=s.ops, timestamp=ts)
    return {"channel": s.ops, "timestamp": ts}


async def _third_pin(s: Any) -> Args:
    await _pinned(s)
    await _pinned(s)
    return {"channel": s.ops, "timestamp": await s.post()}


def _pin_rows(method: str) -> list[Row]:
    return [
        Row(method, "channel_not_found", lambda s: {"channel": NOWHERE, "timestamp": NO_TS}),
        Row(method, "no_item_specified", lambda s: {"channel": s.ops}),
        Row(method, "bad_timestamp", lambda s: {"channel": s.ops, "timestamp": "now"}),
        Row(method, "message_not_found", lambda s: {"channel": s.ops, "timestamp": NO_TS}),
    ]


LINK = {"title": "Board", "type": "link", "link": "https://example.org/"}


def _bookmark(s: Any, **more: Any) -> Args:
    return {"channel_id": s.ops, **LINK, **more}


async def _third_bookmark(s: Any) -> Args:
    for _ in range(2):
        await s.client.bookmarks_add(**_bookmark(s))
    return _bookmark(s)


async def _edit(s: Any, **more: Any) -> Args:
    bookmark = (await s.client.bookmarks_add(**_bookmark(s)))["bookmark"]
    return {"channel_id": s.ops, "bookmark_id": bookmark["id"], **more}


MARKS = [
    *_pin_rows("pins.add"),
    Row("pins.add", "not_in_channel", lambda s: {"channel": s.hall, "timestamp": NO_TS}),
    Row("pins.add", "not_pinnable", lambda s: _joined_line(s, "timestamp")),
    Row("pins.add", "already_pinned", _pinned),
    Row("pins.add", "too_many_pins", _third_pin),
    *_pin_rows("pins.remove"),
    Row("pins.remove", "no_pin", lambda s: _unpinned(s)),
    Row("pins.list", "channel_not_found", lambda s: {"channel": s.secret}),
    Row("bookmarks.add", "channel_not_found", lambda s: _bookmark(s, channel_id=NOWHERE)),
    Row("bookmarks.add", "access_denied", lambda s: _bookmark(s, channel_id=s.hall)),
    Row("bookmarks.add", "invalid_bookmark_type", lambda s: _bookmark(s, type="folder")),
    Row("bookmarks.add", "invalid_link", lambda s: _bookmark(s, link="javascript:alert(1)")),
    Row("bookmarks.add", "invalid_emoji", lambda s: _bookmark(s, emoji="red circle")),
    Row("bookmarks.add", "too_many_bookmarks", _third_bookmark),
    Row("bookmarks.edit", "channel_not_found", lambda s: {"channel_id": NOWHERE, "bookmark_id": "Bk1"}),
    Row("bookmarks.edit", "access_denied", lambda s: {"channel_id": s.hall, "bookmark_id": "Bk1"}),
    Row("bookmarks.edit", "not_found", lambda s: {"channel_id": s.ops, "bookmark_id": "Bk1"}),
    Row("bookmarks.edit", "invalid_link", lambda s: _edit(s, link="ftp://x")),
    Row("bookmarks.edit", "invalid_emoji", lambda s: _edit(s, emoji="x")),
    Row("bookmarks.list", "channel_not_found", lambda s: {"channel_id": s.secret}),
    Row("bookmarks.list", "access_denied", lambda s: {"channel_id": s.hall}),
    Row("bookmarks.remove", "channel_not_found", lambda s: {"channel_id": NOWHERE, "bookmark_id": "Bk1"}),
    Row("bookmarks.remove", "access_denied", lambda s: {"channel_id": s.hall, "bookmark_id": "Bk1"}),
    Row("bookmarks.remove", "not_found", lambda s: {"channel_id": s.ops, "bookmark_id": "Bk1"}),
]


async def _unpinned(s: Any) -> Args:
    return {"channel": s.ops, "timestamp": await s.post()}


async def _file(s: Any, **more: Any) -> Args:
    """The arguments that complete an upload whose bytes have arrived."""
    reply = await s.client.files_getUploadURLExternal(filename="a.txt", length=3)
    async with s.client.session.post(reply["upload_url"], data=b"abc") as response:
        assert response.status == 200
    return {"files": [{"id": reply["file_id"], "title": "A"}], **more}


async def _unsent(s: Any) -> Args:
    reply = await s.client.files_getUploadURLExternal(filename="a.txt", length=3)
    return {"files": [{"id": reply["file_id"], "title": "A"}]}


async def _into_archive(s: Any) -> Args:
    return await _file(s, channel_id=await s.archived())


FILES = [
    Row("files.getUploadURLExternal", "alt_txt_too_large", lambda s: _named(alt_txt="x" * 1001)),
    Row("files.getUploadURLExternal", "snippet_too_large", lambda s: _named(length=1_000_001, snippet_type="python")),
    Row("files.getUploadURLExternal", "file_upload_size_restricted", lambda s: _named(length=2_000_001)),
    Row("files.completeUploadExternal", "file_not_found", _unsent),
    Row("files.completeUploadExternal", "invalid_channel", lambda s: _file(s, channel_id="ops")),
    Row("files.completeUploadExternal", "channel_not_found", lambda s: _file(s, channel_id=s.secret)),
    Row("files.completeUploadExternal", "not_in_channel", lambda s: _file(s, channel_id=s.hall)),
    Row("files.completeUploadExternal", "posting_to_channel_denied", _into_archive),
    Row("files.completeUploadExternal", "channels_limit_exceeded", lambda s: _file(s, channels=[s.ops] * 101)),
    Row(
        "files.completeUploadExternal",
        "invalid_blocks",
        lambda s: _file(s, channel_id=s.ops, blocks='[{"type": "nonsense"}]'),
    ),
    Row("files.info", "file_not_found", lambda s: {"file": "F0000000000"}),
]


def _named(**more: Any) -> Args:
    return {"filename": "a.txt", "length": 3} | more


async def _no_plan(s: Any, **more: Any) -> Args:
    s.ws.team.settings = type(s.ws.team.settings)(paid_plan=False)
    return more


PEOPLE = [
    Row("users.info", "user_not_found", lambda s: {"user": NOBODY}),
    Row("auth.teams.list", "invalid_cursor", lambda s: {"cursor": "x"}),
    Row("auth.teams.list", "invalid_limit", lambda s: {"limit": 0}),
    Row("users.list", "invalid_cursor", lambda s: {"cursor": "x"}),
    Row("usergroups.list", "plan_upgrade_required", _no_plan),
    Row("usergroups.users.list", "plan_upgrade_required", lambda s: _no_plan(s, usergroup="S1")),
    Row("usergroups.users.list", "no_such_subteam", lambda s: {"usergroup": "S1"}),
]


async def _used(s: Any) -> Args:
    trigger = s.trigger()
    await s.client.views_open(trigger_id=trigger, view=MODAL)
    return {"trigger_id": trigger, "view": MODAL}


def _expired(s: Any) -> Args:
    trigger = s.trigger()
    s.ws.team.triggers[trigger].born_at -= 3.1
    return {"trigger_id": trigger, "view": MODAL}


async def _open(s: Any, view: Args | None = None) -> Args:
    return dict((await s.client.views_open(trigger_id=s.trigger(), view=view or MODAL))["view"])


async def _twin(s: Any, **more: Any) -> Args:
    await _open(s, MODAL | {"external_id": "one"})
    return {"view": MODAL | {"external_id": "one"}, **more}


def _inside(s: Any, view_id: str) -> str:
    return str(s.ws.team.new_trigger(s.ana.id, view_id))


async def _twin_push(s: Any) -> Args:
    view = await _open(s, MODAL | {"external_id": "one"})
    return {"trigger_id": _inside(s, view["id"]), "view": MODAL | {"external_id": "one"}}


async def _fourth(s: Any) -> Args:
    view = await _open(s)
    for _ in range(2):
        view = (await s.client.views_push(trigger_id=_inside(s, view["id"]), view=MODAL))["view"]
    return {"trigger_id": _inside(s, view["id"]), "view": MODAL}


async def _twin_update(s: Any) -> Args:
    other = await s.client.views_open(trigger_id=s.trigger(s.ben), view=MODAL)
    return await _twin(s, view_id=other["view"]["id"])


def _without_home(s: Any) -> Args:
    s.ws.team.settings = replace(s.ws.team.settings, home_tab=False)
    return {"user_id": s.ana.id, "view": HOME}


async def _stale_home(s: Any) -> Args:
    await s.client.views_publish(user_id=s.ana.id, view=HOME)
    return {"user_id": s.ana.id, "view": HOME, "hash": "1.old"}


def _trigger_rows(method: str) -> list[Row]:
    return [
        Row(method, "invalid_trigger_id", lambda s: {"trigger_id": "1.2.abc", "view": MODAL}),
        Row(method, "expired_trigger_id", _expired),
        Row(method, "exchanged_trigger_id", _used),
        Row(method, "view_too_large", lambda s: {"trigger_id": s.trigger(), "view": BIG_VIEW}),
    ]


VIEWS = [
    *_trigger_rows("views.open"),
    Row("views.open", "duplicate_external_id", lambda s: _twin_open(s)),
    *_trigger_rows("views.push"),
    Row("views.push", "duplicate_external_id", _twin_push),
    Row("views.push", "not_found", lambda s: {"trigger_id": s.trigger(), "view": MODAL}),
    Row("views.push", "push_limit_reached", _fourth),
    Row("views.update", "not_found", lambda s: {"view_id": "V0000000000", "view": MODAL}),
    Row("views.update", "hash_conflict", lambda s: _stale(s)),
    Row("views.update", "duplicate_external_id", _twin_update),
    Row("views.update", "view_too_large", lambda s: _too_large(s)),
    Row("views.publish", "not_enabled", _without_home),
    Row("views.publish", "hash_conflict", _stale_home),
    Row("views.publish", "duplicate_external_id", lambda s: _twin_home(s)),
    Row("blocks.validate", "invalid_blocks", lambda s: {"blocks": [{"type": "section"}]}),
    Row("blocks.validate", "invalid_message", lambda s: {"message": {"blocks": [{"type": "section"}]}}),
    Row("blocks.validate", "invalid_view", lambda s: {"view": {"type": "modal", "blocks": []}}),
    Row("views.publish", "view_too_large", lambda s: {"user_id": s.ana.id, "view": BIG_VIEW | {"type": "home"}}),
]


async def _twin_open(s: Any) -> Args:
    return await _twin(s, trigger_id=s.trigger(s.ben))


async def _stale(s: Any) -> Args:
    return {"view_id": (await _open(s))["id"], "view": MODAL, "hash": "1.old"}


async def _too_large(s: Any) -> Args:
    return {"view_id": (await _open(s))["id"], "view": BIG_VIEW}


async def _twin_home(s: Any) -> Args:
    await s.client.views_publish(user_id=s.ben.id, view=HOME | {"external_id": "one"})
    return {"user_id": s.ana.id, "view": HOME | {"external_id": "one"}}


ROWS: list[Row] = [*CHANNELS, *MEMBERSHIP, *CHAT, *MARKS, *FILES, *PEOPLE, *VIEWS]

assert View(**MODAL).validate_json() is None  # the SDK accepts the valid parts of the table
