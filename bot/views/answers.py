"""Answers that offer a press: what was refused may be done in another way, and here it is."""

from bot.core.signals import Answer, Code
from bot.ports import Message
from bot.views.blocks import Block, actions, button, section
from bot.views.limits import fit
from bot.views.text import code, inert, plain

TITLE_MAX = 200
MOST_CHOICES = 5  # more incidents about one matter are a list, not a row of buttons


def answer_message(answer: Answer, word: str, *, title: str = "", severity: str = "") -> Message | None:
    """The answer with the way on as a button; None where the words are enough. `word` is `/incident` as it is called here.

    `title` and `severity` are those of a declaration, for declaring it all the same.
    """
    if answer.incident is None:
        return None
    name = f"INC-{answer.incident}"
    match answer.code:
        case Code.OPEN_ALREADY:
            open_ones = (answer.choices or (answer.incident,))[:MOST_CHOICES]
            joins = [_join(number, first=not n) for n, number in enumerate(open_ones)]
            again = {"title": plain(title, TITLE_MAX), "severity": severity}
            other = button("Declare a separate one", "incident.separate", again)
            ways = [code(f"{word} join INC-{number}") for number in open_ones]
            typed = f"Or type {', or '.join([*ways, code(f'{word} declare separate TITLE')])}."
            return _offer(answer.text, typed, *joins, *([other] if title else []))
        case Code.STILL_FAILING:
            name = f"INC-{answer.incident}"
            value = {"incident": answer.incident, "force": True}
            made = button("Resolve anyway", "incident.resolve:force", value, style="danger")
            return _offer(answer.text, f"Or type {code(f'{word} resolve {name} force REASON')}.", made)
    return None


def _join(number: int, *, first: bool) -> Block:
    """Only one button of a row stands out; each has an id of its own, as Slack demands."""
    style = "primary" if first else ""
    return button(f"Join INC-{number}", f"incident.join:{number}", {"incident": number}, style=style)


def _offer(text: str, other_way: str, *buttons: Block) -> Message:
    return fit(Message(inert(text), (section(f"{inert(text)}\n{other_way}"), *actions(buttons))))
