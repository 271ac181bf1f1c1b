"""A message after its button was pressed: the button is replaced by a line of record."""

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
    """The message without the button `pressed` (an action_id), saying who pressed it and when; other buttons stay.

    With `stays`, that button remains for others too.
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
