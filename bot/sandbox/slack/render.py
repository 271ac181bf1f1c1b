"""What a person reads: mrkdwn and Block Kit as plain text, with names in place of ids and UTC in place of date tokens."""

import re
from html import unescape
from typing import Any

from bot.sandbox.slack.records import SLACKBOT_ID, Json, Message, View
from bot.sandbox.slack.team import Team

TOKEN = re.compile(r"<([^<>]+)>")
CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
STYLED = [re.compile(rf"(?<![\w{c}]){re.escape(c)}(?=\S)([^{c}\n]+?)(?<=\S){re.escape(c)}(?![\w{c}])") for c in "*_~"]


def plain(team: Team, text: str) -> str:
    """One mrkdwn text without its markup: `<@U1>` is @ana, `<url|label>` is label, a date token is its fallback."""
    parts, at = [], 0
    for code in CODE.finditer(text):
        parts += [_unstyled(text[at : code.start()]), code[1] or code[2]]
        at = code.end()
    parts.append(_unstyled(text[at:]))
    return unescape(TOKEN.sub(lambda match: _token(team, match[1]), "".join(parts)))


def blocks_text(team: Team, blocks: list[Json]) -> str:
    """Blocks line by line; buttons are in brackets."""
    lines = (_block(team, block) for block in blocks)
    return "\n".join(line for line in lines if line)


def message_text(team: Team, message: Message) -> str:
    """A message as its reader sees it: the blocks, or the text if there are none, then files and reactions."""
    lines = [blocks_text(team, message.blocks) if message.blocks else plain(team, message.text)]
    lines += [plain(team, str(a.get("text") or a.get("fallback") or "")) for a in message.attachments]
    lines += [f"[file: {team.files[file_id].title}]" for file_id in message.files]
    lines += [f":{name}: {len(users)}" for name, users in message.reactions.items()]
    return "\n".join(line for line in lines if line)


def view_text(team: Team, view: View) -> str:
    """A modal or Home tab: title, contents, buttons."""
    body = view.body
    title = body["title"]["text"] if "title" in body else "Home"
    buttons = [body[name]["text"] for name in ("close", "submit") if body.get(name)]
    foot = " ".join(f"[{text}]" for text in buttons)
    return "\n".join(line for line in (f"== {title} ==", blocks_text(team, body["blocks"]), foot) if line)


def author(team: Team, user_id: str) -> str:
    if user_id == SLACKBOT_ID:
        return "Slackbot"
    return team.users[user_id].name


def _unstyled(text: str) -> str:
    for style in STYLED:
        text = style.sub(r"\1", text)
    return text


def _token(team: Team, inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        user = team.users.get(target[1:])
        return f"@{user.name}" if user else f"@{label or target[1:]}"
    if target.startswith("#"):
        channel = team.channels.get(target[1:])
        return f"#{channel.name}" if channel else f"#{label or target[1:]}"
    if target.startswith("!subteam^"):
        group = team.groups.get(target.removeprefix("!subteam^"))
        return f"@{group.handle}" if group else label
    if target.startswith("!date^"):
        return label
    if target.startswith("!"):
        return f"@{target[1:]}"
    return label or target


def _block(team: Team, block: Json) -> str:
    match block["type"]:
        case "section":
            parts = [_text(team, block.get("text")), *(_text(team, field) for field in block.get("fields") or [])]
            accessory = block.get("accessory")
            return "\n".join(part for part in (*parts, _element(team, accessory) if accessory else "") if part)
        case "header":
            return _text(team, block["text"])
        case "divider":
            return "---"
        case "context" | "actions":
            return " ".join(_element(team, element) for element in block["elements"])
        case "image":
            return f"[image: {block['alt_text']}]"
        case "markdown":
            return str(block["text"])
        case "input":
            label, hint = _text(team, block["label"]), _text(team, block.get("hint"))
            return " ".join(part for part in (f"{label}:", _element(team, block["element"]), hint) if part)
        case "rich_text":
            return "\n".join(_rich(team, element) for element in block["elements"])
        case "table":
            return "\n".join(" | ".join(_cell(team, cell) for cell in row) for row in block["rows"])
    return ""


def _text(team: Team, value: Any) -> str:
    if not value:
        return ""
    return plain(team, value["text"]) if value["type"] == "mrkdwn" else str(value["text"])


def _element(team: Team, element: Json) -> str:
    match element["type"]:
        case "plain_text" | "mrkdwn":
            return _text(team, element)
        case "button":
            return f"[{element['text']['text']}]"
        case "image":
            return f"[image: {element['alt_text']}]"
        case "plain_text_input" | "number_input" | "url_text_input" | "email_text_input":
            return f"[{element.get('initial_value') or _text(team, element.get('placeholder'))}]"
        case _:
            choices = [_text(team, option["text"]) for option in options_of(element)]
            return f"[{' | '.join(choices) or _text(team, element.get('placeholder')) or element['type']}]"


def options_of(element: Json) -> list[Json]:
    """The options of a menu, in groups or not."""
    groups = element.get("option_groups") or []
    return list(element.get("options") or []) + [option for group in groups for option in group["options"]]


def _rich(team: Team, element: Json) -> str:
    if element["type"] == "rich_text_list":
        return "\n".join(f"- {_rich(team, item)}" for item in element["elements"])
    return "".join(_rich_part(team, part) for part in element["elements"])


def _rich_part(team: Team, part: Json) -> str:
    match part.get("type"):
        case "text":
            return str(part["text"])
        case "link":
            return str(part.get("text") or part["url"])
        case "user":
            return _token(team, f"@{part['user_id']}")
        case "channel":
            return _token(team, f"#{part['channel_id']}")
        case "emoji":
            return f":{part['name']}:"
    return ""


def _cell(team: Team, cell: Json) -> str:
    return _block(team, cell) if cell["type"] == "rich_text" else str(cell.get("text", cell.get("value", "")))
