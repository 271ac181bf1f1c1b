"""What becomes of a message whose button was pressed: the button gives way to a line of record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.core.model import Actor
from bot.ports import Message
from bot.views.blocks import Block, context
from bot.views.limits import fit
from bot.views.text import by, foreign, when


def used(
    text: str,
    blocks: Sequence[Mapping[str, Any]],
    pressed: str,
    label: str,
    actor: Actor,
    now: datetime,
    *,
    stays: bool = False,
) -> Message:
    """The same message without the button `pressed` (an action_id), and who pressed it when; other buttons stay.

    With `stays` so does that one, for somebody else.
    """
    kept: list[Block] = []
    for block in blocks:
        if block.get("type") != "actions":
            kept.append(block)
            continue
        left = [element for element in block["elements"] if stays or element.get("action_id") != pressed]
        if left:
            kept.append({**block, "elements": left})
    return fit(Message(text, (*kept, context(f"“{foreign(label, 75)}” was pressed {by(actor)}, {when(now)}."))))
