"""Parses Slack's payloads into `bot.ports.payloads`, once at the door, or says in a sentence why that is impossible.

A name means the same everywhere in Slack's payloads (https://docs.slack.dev/reference/interaction-payloads), so the raw body
is also checked by names, for the libraries that read it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.ports.payloads import (
    Changed,
    Command,
    Event,
    Form,
    Json,
    Menu,
    Payload,
    Press,
    Pressed,
    Question,
    Reaction,
    Shortcut,
    Who,
    Written,
)

LONGEST_ID = 255  # Slack's own limit for action_id, callback_id, block_id
LONGEST_TEXT = 50_000  # of one field; Slack accepts 3,000 in a form, 40,000 in a message, and cuts typed commands earlier
LONGEST_LINK = 3_000
STAMP = re.compile(r"[0-9]{1,10}\.[0-9]{1,9}")
MOST_FILES = 10  # of one message; what a person attaches at once
DEEPEST = 40  # Slack's deepest, rich text in a message in a view, has about 15 levels
MOST_PARTS = 20_000


class Unreadable(Exception):  # noqa: N818 # an outcome, not a bug
    """Not a payload of Slack's, or of an unknown kind. Says what is wrong with it, without its content."""


def parse(body: Any) -> Payload:
    """Parse a payload. Raises Unreadable and nothing else, whatever it is given."""
    _measure(body)
    _check_names(body)
    if "command" in body:
        return _command(body)
    match _text(body, "type", LONGEST_ID):
        case "block_actions":
            return _press(body)
        case "view_submission":
            return _form(body, closed=False)
        case "view_closed":
            return _form(body, closed=True)
        case "shortcut" | "message_action":
            return _shortcut(body)
        case "block_suggestion":
            return Menu(request_id(body), _who(body), _text(body, "action_id", LONGEST_ID))
        case "event_callback":
            return _event(body)
    raise Unreadable("its type is unknown")


def request_id(body: Json) -> str:
    """A request's id, equal if Slack sends it again; empty if it has none."""
    for name in ("event_id", "trigger_id"):
        if found := _optional(body, name, LONGEST_ID):
            return f"{name}/{found}"
    view = _object(body, "view")
    if id := _optional(view, "id", LONGEST_ID):
        return f"view/{body.get('type')}/{id}/{view.get('hash')}"
    return ""


# --- one parser per kind


def _command(body: Json) -> Command:
    who = Who(
        _text(body, "user_id", LONGEST_ID), _optional(body, "user_name", LONGEST_ID), _optional(body, "team_id", LONGEST_ID)
    )
    return Command(
        id=request_id(body), who=who, channel=_text(body, "channel_id", LONGEST_ID), word=_text(body, "command", LONGEST_ID),
        text=_optional(body, "text"), trigger=_text(body, "trigger_id", LONGEST_ID), response_url=_response_url(body),
    )  # fmt: skip


def _press(body: Json) -> Press:
    actions = body.get("actions") or ()
    if not actions:
        raise Unreadable("it names no action")
    action = actions[0]
    name = _text(action, "action_id", LONGEST_ID)
    around = _object(body, "message")
    shown = _blocks(around) or _blocks(_object(body, "view"))
    pressed = Pressed(_text(around, "ts", LONGEST_ID), _optional(around, "text"), _blocks(around)) if around else None
    return Press(
        id=request_id(body), who=_who(body), channel=_optional(_object(body, "channel"), "id", LONGEST_ID), action=name,
        value=_value(action), label=_label(action), is_link=_is_link(shown, name), message=pressed,
        trigger=_text(body, "trigger_id", LONGEST_ID), response_url=_response_url(body),
        view=_modal_id(_object(body, "view")), at_home=_object(body, "view").get("type") == "home",
        metadata=_optional(_object(body, "view"), "private_metadata"),
    )  # fmt: skip


def _modal_id(view: Json) -> str:
    """The id of a form; empty for a Home tab, which is not a form."""
    return _optional(view, "id", LONGEST_ID) if view.get("type") == "modal" else ""


def _form(body: Json, *, closed: bool) -> Form:
    view = _object(body, "view")
    if _text(view, "type", LONGEST_ID) != "modal":
        raise Unreadable("it is of a view that has no form")
    values = _object(_object(view, "state"), "values")
    fields = {action: entry for block in values for action, entry in _object(values, block).items() if isinstance(entry, dict)}
    read = {action: _field(entry) for action, entry in fields.items() if len(action) <= LONGEST_ID}
    trigger = (_optional if closed else _text)(body, "trigger_id", LONGEST_ID)
    return Form(
        id=request_id(body), who=_who(body), callback=_text(view, "callback_id", LONGEST_ID),
        fields={action: words for action, words in read.items() if words},
        metadata=_optional(view, "private_metadata"), trigger=trigger, closed=closed,
        view=_optional(view, "id", LONGEST_ID),
    )  # fmt: skip


def _shortcut(body: Json) -> Shortcut:
    channel, message = _optional(_object(body, "channel"), "id", LONGEST_ID), _object(body, "message")
    return Shortcut(
        id=request_id(body), who=_who(body), callback=_text(body, "callback_id", LONGEST_ID), channel=channel,
        trigger=_text(body, "trigger_id", LONGEST_ID), response_url=_response_url(body),
        message=written(message, channel) if message else None,
        domain=_optional(_object(body, "team"), "domain", LONGEST_ID),
    )  # fmt: skip


def written(message: Json, channel: str) -> Written:
    """A message from a shortcut, an event or the history. Raises Unreadable."""
    user, profile = _optional(message, "user", LONGEST_ID), _object(message, "bot_profile")
    bot = _optional(message, "bot_id", LONGEST_ID)
    name = _optional(message, "username") or _optional(profile, "name")
    return Written(
        channel=channel, ts=_stamp(message, "ts"), thread_ts=_optional(message, "thread_ts", LONGEST_ID),
        who=Who(user or bot, name) if user or bot else None, is_bot=bool(bot),
        text=_optional(message, "text") or _fallback(message), files=tuple(_files(message)),
        edited_ts=_stamp(_object(message, "edited"), "ts") if message.get("edited") else "",
        gone=_optional(message, "subtype", LONGEST_ID) == "tombstone",
    )  # fmt: skip


def _stamp(body: Json, name: str) -> str:
    """The timestamp that identifies a message in its channel."""
    found = _text(body, name, LONGEST_ID)
    if not STAMP.fullmatch(found):
        raise Unreadable(f"its {name} names no message")
    return found


def _fallback(message: Json) -> str:
    """The text of an attachment, for messages without text of their own, as other programs post them."""
    texts = (_optional(one, name) for one in _parts(message, "attachments") for name in ("fallback", "text", "title"))
    return next(filter(None, texts), "")


def _files(message: Json) -> Iterator[tuple[str, str]]:
    for one in _parts(message, "files")[:MOST_FILES]:
        name = _optional(one, "title") or _optional(one, "name")
        if link := _optional(one, "permalink", LONGEST_LINK):
            yield name or "file", link


def _parts(message: Json, name: str) -> list[Json]:
    found = message.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _event(body: Json) -> Event | Reaction | Changed | Question:
    event = _object(body, "event")
    match _text(event, "type", LONGEST_ID), _optional(event, "subtype", LONGEST_ID):
        case ("reaction_added" | "reaction_removed") as name, _ if _object(event, "item").get("type") == "message":
            item, who = _object(event, "item"), Who(_text(event, "user", LONGEST_ID))
            at = _text(item, "channel", LONGEST_ID), _stamp(item, "ts")
            return Reaction(request_id(body), who, *at, _text(event, "reaction", LONGEST_ID), name == "reaction_added")
        case "message", "message_changed":
            channel = _text(event, "channel", LONGEST_ID)
            message = written(_object(event, "message"), channel)
            return Changed(request_id(body), channel, message.ts, None if message.gone else message)
        case "message", "message_deleted":
            return Changed(request_id(body), _text(event, "channel", LONGEST_ID), _stamp(event, "deleted_ts"), None)
        case ("app_mention" | "message") as name, "" | "file_share" if _is_asked(event, direct=name == "message"):
            return _question(event, direct=name == "message")
    return _other_event(body, event)


def _is_asked(event: Json, *, direct: bool) -> bool:
    """Whether a person has just written it to us: not a bot, and not an edit of an old message."""
    by_person = bool(event.get("user")) and not (event.get("bot_id") or event.get("bot_profile") or event.get("edited"))
    return by_person and (not direct or event.get("channel_type") == "im")


def _question(event: Json, *, direct: bool) -> Question:
    channel, ts = _text(event, "channel", LONGEST_ID), _stamp(event, "ts")
    return Question(
        id=f"question/{channel}/{ts}", who=Who(_text(event, "user", LONGEST_ID)), channel=channel, ts=ts,
        text=_optional(event, "text"), thread_ts=_optional(event, "thread_ts", LONGEST_ID), direct=direct,
    )  # fmt: skip


def _other_event(body: Json, event: Json) -> Event:
    user, channel = event.get("user"), event.get("channel")
    who = _person(user) if isinstance(user, dict) else Who(user or "", team=_optional(event, "user_team", LONGEST_ID))
    place = channel if isinstance(channel, str) else _optional(_object(event, "channel"), "id", LONGEST_ID)
    return Event(request_id(body), who, _text(event, "type", LONGEST_ID), place, event)


def _who(body: Json) -> Who:
    user = body.get("user")
    if not isinstance(user, dict):
        raise Unreadable("it names no person")
    return _person(user)


def _person(user: Json) -> Who:
    name = _optional(user, "username", LONGEST_ID) or _optional(user, "name", LONGEST_ID)
    return Who(_text(user, "id", LONGEST_ID), name, _optional(user, "team_id", LONGEST_ID))


def _value(action: Json) -> Json:
    """The JSON value of our buttons and menu choices."""
    value = _object(action, "selected_option").get("value") or action.get("value")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return {}
    try:
        found = json.loads(value)
        _measure(found)
    except (ValueError, RecursionError, Unreadable):
        return {}
    return found if isinstance(found, dict) else {}


def _label(action: Json) -> str:
    """The label of the button or menu choice."""
    return _optional(_object(_object(action, "selected_option") or action, "text"), "text")


def _field(entry: Json) -> str:
    """What was typed into or chosen in one form element."""
    if chosen := _object(entry, "selected_option"):
        return _optional(chosen, "value")
    at = entry.get("selected_date_time")
    return str(at) if type(at) is int else _optional(entry, "value") or _optional(entry, "selected_user", LONGEST_ID)


def _blocks(around: Json) -> tuple[Json, ...]:
    blocks = around.get("blocks") or ()
    if not isinstance(blocks, list | tuple) or not all(isinstance(block, dict) for block in blocks):
        raise Unreadable("its blocks are none")
    for block in blocks:
        elements = block.get("elements") or ()
        if not isinstance(elements, list | tuple) or not all(isinstance(element, dict) for element in elements):
            raise Unreadable("the elements of its blocks are none")
        _object(block, "accessory")
    return tuple(blocks)


def _is_link(blocks: tuple[Json, ...], action: str) -> bool:
    """Whether the pressed button opens an address: the press has only its ids, so look in the message or view around it."""
    elements = [element for block in blocks for element in [*(block.get("elements") or ()), block.get("accessory") or {}]]
    return any(element.get("url") and element.get("action_id") == action for element in elements)


def _response_url(body: Json) -> str:
    url = _optional(body, "response_url", LONGEST_LINK)
    if url and not url.startswith(("https://", "http://")):
        raise Unreadable("its response_url is not a URL")
    return url


# --- the raw body, for libraries that read it

TEXTS = frozenset({
    "type", "subtype", "command", "callback_id", "trigger_id", "event_id", "response_url", "user_id", "channel_id", "team_id",
    "enterprise_id", "thread_ts", "function_execution_id", "bot_access_token", "user_team", "app_installed_team_id",
    "channel_type", "bot_id", "context_team_id", "context_enterprise_id",
})  # fmt: skip
TEXTS_OR_OBJECTS = frozenset({"enterprise", "team", "user", "channel"})
OBJECTS = frozenset({"event", "item", "assistant_thread", "message", "previous_message", "view", "function_data", "function"})
LISTS = frozenset({"actions", "authorizations", "response_urls"})


def _check_names(body: Any) -> None:
    """Check that every name that Bolt reads, at any depth that it reads, has a value of the right type."""
    if not isinstance(body, dict):
        raise Unreadable("it is not an object")
    for name, value in body.items():
        if value is None:
            continue
        if name in OBJECTS or (name in TEXTS_OR_OBJECTS and not isinstance(value, str)):
            _check_names(_object(body, name))
        elif name in TEXTS:
            _optional(body, name, LONGEST_LINK)
        elif name in TEXTS_OR_OBJECTS:
            _optional(body, name, LONGEST_ID)
        elif name in LISTS:
            if not isinstance(value, list):
                raise Unreadable(f"its {name} are not a list")
            for entry in value:
                _check_names(entry)


def _measure(body: Any) -> None:
    """Check that it is small enough to walk through; without recursion, since depth is what is measured."""
    level, parts = [body], 0
    for _ in range(DEEPEST):
        level = [child for part in level if isinstance(part, dict | list) for child in _children(part)]
        parts += len(level)
        if parts > MOST_PARTS:
            raise Unreadable("it has too many parts")
        if not level:
            return
    raise Unreadable("it is too deep")


def _children(part: dict[str, Any] | list[Any]) -> list[Any]:
    return list(part.values()) if isinstance(part, dict) else part


def _object(body: Json, name: str) -> Json:
    found = body.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Unreadable(f"its {name} is not an object")
    return found


def _text(body: Json, name: str, most: int = LONGEST_TEXT) -> str:
    found = _optional(body, name, most)
    if not found:
        raise Unreadable(f"it has no {name}")
    return found


def _optional(body: Json, name: str, most: int = LONGEST_TEXT) -> str:
    found = body.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Unreadable(f"its {name} is not text")
    if len(found) > most:
        raise Unreadable(f"its {name} is too long")
    if most == LONGEST_ID and not found.isprintable():
        raise Unreadable(f"its {name} contains characters that nobody can type")
    return found
