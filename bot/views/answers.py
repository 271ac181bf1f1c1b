"""Answers that offer a press: what was refused may be done in another way, and here it is."""

from bot.core.signals import Answer, Code
from bot.ports import Message
from bot.views.blocks import Block, actions, button, section
from bot.views.limits import fit
from bot.views.text import code, inert, plain

TITLE_MAX = 200


def answer_message(answer: Answer, word: str, *, title: str = "", severity: str = "") -> Message | None:
    """The answer with the way on as a button; None where the words are enough. `word` is `/incident` as it is called here.

    `title` and `severity` are those of a declaration, for declaring it all the same.
    """
    if answer.incident is None:
        return None
    name = f"INC-{answer.incident}"
    match answer.code:
        case Code.OPEN_ALREADY:
            join = button(f"Join {name}", "incident.join", {"incident": answer.incident}, style="primary")
            again = {"title": plain(title, TITLE_MAX), "severity": severity}
            other = button("Declare a separate one", "incident.separate", again)
            typed = f"Or type {code(f'{word} join {name}')}, or {code(f'{word} declare separate TITLE')}."
            return _offer(answer.text, typed, *([join, other] if title else [join]))
        case Code.STILL_FAILING:
            name = f"INC-{answer.incident}"
            value = {"incident": answer.incident, "force": True}
            made = button("Resolve anyway", "incident.resolve:force", value, style="danger")
            return _offer(answer.text, f"Or type {code(f'{word} resolve {name} force REASON')}.", made)
    return None


def _offer(text: str, other_way: str, *buttons: Block) -> Message:
    return fit(Message(inert(text), (section(f"{inert(text)}\n{other_way}"), *actions(buttons))))
