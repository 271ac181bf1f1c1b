"""Answers that offer a press: what was refused may be done in another way, and here it is."""

from bot.core.signals import Answer, Code
from bot.ports import Message
from bot.views.blocks import Block, actions, button, section
from bot.views.limits import fit
from bot.views.text import code, inert


def answer_message(answer: Answer, word: str) -> Message | None:
    """The answer with the way on as a button; None where the words are enough. `word` is `/incident` as it is called here."""
    if answer.incident is None:
        return None
    match answer.code:
        case Code.STILL_FAILING:
            name = f"INC-{answer.incident}"
            value = {"incident": answer.incident, "force": True}
            made = button("Resolve anyway", "incident.resolve:force", value, style="danger")
            return _offer(answer.text, f"Or type {code(f'{word} resolve {name} force REASON')}.", made)
    return None


def _offer(text: str, other_way: str, *buttons: Block) -> Message:
    return fit(Message(inert(text), (section(f"{inert(text)}\n{other_way}"), *actions(buttons))))
