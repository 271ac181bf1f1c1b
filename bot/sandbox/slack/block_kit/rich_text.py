"""The rules for rich_text: sections, lists, quotes and code, and the parts in their lines."""

from typing import Any

from bot.sandbox.slack.block_kit.checks import Findings

PARTS_MAX = 1000
NEEDS = {
    "text": ("text",),
    "link": ("url",),
    "user": ("user_id",),
    "usergroup": ("usergroup_id",),
    "channel": ("channel_id",),
    "emoji": ("name",),
    "date": ("timestamp", "format"),
    "broadcast": ("range",),
    "color": ("value",),
}
CONTAINERS = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")


def check_rich_text(found: Findings, at: str, block: dict[str, Any]) -> None:
    """A rich_text block, or a cell of a table that is one."""
    for n, container in enumerate(found.items(f"{at}/elements", block.get("elements"), 100)):
        here = f"{at}/elements/{n}"
        if not found.is_object(here, container):
            continue
        found.one_of(f"{here}/type", container.get("type"), CONTAINERS)
        if container.get("type") == "rich_text_list":
            found.one_of(f"{here}/style", container.get("style"), ("bullet", "ordered"))
            for m, item in enumerate(found.items(f"{here}/elements", container.get("elements"), PARTS_MAX)):
                if found.is_object(f"{here}/elements/{m}", item):
                    found.one_of(f"{here}/elements/{m}/type", item.get("type"), CONTAINERS[:1])
                    _check_parts(found, f"{here}/elements/{m}", item)
        else:
            _check_parts(found, here, container)


def _check_parts(found: Findings, at: str, section: dict[str, Any]) -> None:
    for n, part in enumerate(found.items(f"{at}/elements", section.get("elements"), PARTS_MAX, least=0)):
        here = f"{at}/elements/{n}"
        if not found.is_object(here, part):
            continue
        found.one_of(f"{here}/type", part.get("type"), tuple(NEEDS))
        for name in NEEDS.get(str(part.get("type")), ()):
            if name == "timestamp":
                if not isinstance(part.get(name), int):
                    found.note(f"{here}/{name}", "must be an integer")
            else:
                found.string(f"{here}/{name}", part.get(name), 12_000, required=True)
