"""Answers to signals in Slack: the same words as everywhere (`words`), with buttons for the next step."""

from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from bot.core.answers import base
from bot.core.answers import flags as fa
from bot.core.answers import incident as a
from bot.core.answers.rehearsals import Unrehearsed
from bot.core.decide.incident.tasks import TaskIsAdded, TaskIsChanged
from bot.core.decide.permissions import Denied
from bot.core.decide.warned import warned_unready
from bot.ports import Message
from bot.views.answers.words import for_when, words
from bot.views.blocks import Block, actions, button, section, warning
from bot.views.denied import denied_message
from bot.views.faces import Slack
from bot.views.incident.buttons import join_button
from bot.views.incident.tasks import task_message
from bot.views.limits import fit
from bot.views.text import clock, code, foreign, inert, mention, plain, spoken, stop, unmarked

TITLE_MAX = 200
MOST_CHOICES = 5  # more incidents about the same thing become a list, not a row of buttons


def told(answer: base.Answer) -> str:
    """The answer as said in Slack; a declaration says where people will meet. Foreign words cannot break our markup."""
    answer = _unmarked(answer)
    said = words(answer, Slack())
    return _where_next(said, answer) if isinstance(answer, a.Declared) else said


def _unmarked(value: Any) -> Any:
    """The same with all text in it `unmarked`, except flag keys, which people type."""
    if is_dataclass(value) and not isinstance(value, type):
        texts = {one.name: _unmarked(getattr(value, one.name)) for one in fields(value) if one.name != "flag"}
        return replace(value, **texts)
    if isinstance(value, tuple):
        return tuple(map(_unmarked, value))
    return unmarked(value) if type(value) is str else value


def _where_next(said: str, declared: a.Declared) -> str:
    over = " It is over, so nobody is paged." if declared.ended_at else ""
    if declared.channel:
        return f"{stop(said)}{over} This is its channel now."
    return f"{stop(said)}{over} Its channel #{declared.channel_name} is being created; you are invited."


def answer_message(answer: base.Answer, word: str, *, title: str = "", severity: str = "", **more: str) -> Message | None:
    """The answer with the next step as a button; None if words are enough. `word` is `/incident` as named in this workspace.

    `title`, `severity` and `more` (times, a channel) are those of a declaration, for declaring it anyway.
    """
    match answer:
        case fa.NoApprover(flag=flag, named=named):
            text = f"Only the approvers of {code(flag)} may answer that: {' '.join(map(mention, named))}. Nothing was changed."
            return Message(text, (section(text),))
        case Denied(named=named) if named:
            return denied_message(answer)
        case a.Declared(began_at=datetime()) as b:
            # In each reader's own time zone, since that is what was typed.
            shown = _where_next(f"{b.name} is declared{for_when(b, clock)}: {foreign(b.title)}", b)
            return fit(Message(spoken(inert(told(b))), (section(shown),)))
        case TaskIsAdded() | TaskIsChanged():
            return task_message(answer)
        case a.OpenAlready(choices=choices):
            open_ones = choices[:MOST_CHOICES]
            carried = str(more.get("message", ""))
            styles = ["primary", *[""] * len(open_ones)]  # only one stands out
            joins = [join_button(n, style=style, message=carried) for n, style in zip(open_ones, styles, strict=False)]
            again = {"title": plain(title, TITLE_MAX), "severity": severity, **more, "warned": list(choices)}
            other = button("Declare a separate one", "incident.separate", again)
            ways = [code(f"{word} join INC-{number}") for number in open_ones]
            typed = f"Or type {', or '.join([*ways, code(f'{word} declare separate TITLE')])}."
            return _offer(told(answer), typed, *joins, *([other] if title else []))
        case a.StillFailing():
            value = {"incident": answer.incident, **warning(answer.warned)}
            made = button("Resolve anyway", "incident.resolve:force", value, style="danger")
            return _offer(told(answer), f"Or type {code(f'{word} resolve {answer.name} force REASON')}.", made)
    return None


def press_message(answer: base.Answer, word: str) -> Message | None:
    """The same for whoever pressed a button: a fallback that did not pass its rehearsal may be switched to knowing that."""
    if not isinstance(answer, Unrehearsed):
        return answer_message(answer, word)
    marks = warned_unready(answer.flag, answer.variant, answer.reason)
    value: dict[str, object] = {"flag": answer.flag, "variant": answer.variant, **warning(marks)}
    value |= {"approves": True} if answer.approves else {}
    return _offer(told(answer), "", button("Switch anyway", "flag.engage:anyway", value, style="danger"))


def shown(answer: base.Answer, word: str = "/incident") -> Message:
    """The answer as a message for its recipient."""
    return answer_message(answer, word) or Message(inert(told(answer)))


def _offer(text: str, other_way: str, *buttons: Block) -> Message:
    return fit(Message(inert(text), (section(f"{inert(text)}\n{other_way}".rstrip()), *actions(buttons))))
