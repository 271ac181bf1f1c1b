"""Quiet threads in the ops channel: trouble that is no incident, and vendors' words that do not touch us."""

from bot.core import facts as f
from bot.core.model import Policy
from bot.core.state import World
from bot.ports import Message
from bot.views.blocks import Block, actions, button, section
from bot.views.limits import fit
from bot.views.lines import fact_line
from bot.views.names import FAULT_WORDS, component_name, page_words
from bot.views.text import by, foreign, stop, utc, when


def quiet(fact: f.Fact, world: World, policy: Policy) -> Message:
    """The first line of a quiet thread: a component that is degraded, or a notice that touches none of our incidents."""
    match fact.body:
        case f.VerdictChanged() as b:
            text, body = _verdict(fact, b, policy)
            component = policy.components.get(b.component)
            page = (
                page_words(component.provider, list(world.provider(component.provider).notices), world, policy)
                if component
                else ""
            )
            evidence = "\n".join(f"• {foreign(line, 240)}" for line in b.evidence[:6])
            lines = [body, evidence, f"Theirs or ours: {FAULT_WORDS[b.fault]}.", page]
            lines.append("No incident is declared for that by configuration; one can be declared by hand.")
            declare: list[Block] = [button("Declare incident", f"incident.declare:{b.component}", {"component": b.component})]
            return fit(Message(text, (section("\n".join(line for line in lines if line)), *actions(declare))))
        case f.NoticeSeen(notice=n):
            names = ", ".join(component_name(policy, id) for id in n.components)
            about = f"It names {names}; " if names else "It names no component of ours; "
            told = fact_line(fact, world, policy)
            return fit(Message(told.text, (*told.blocks, section(f"{about}no incident of ours is open for it."))))
    return fact_line(fact, world, policy)


def quiet_reply(fact: f.Fact, world: World, policy: Policy) -> Message:
    """A later word in that thread: the component is well again or worse, the vendor said more."""
    match fact.body:
        case f.VerdictChanged() as b:
            text, body = _verdict(fact, b, policy)
            return fit(Message(text, (section(body),)))
    return fact_line(fact, world, policy)


def _verdict(fact: f.Fact, b: f.VerdictChanged, policy: Policy) -> tuple[str, str]:
    name, again = component_name(policy, b.component), "" if b.level.bad else " again"
    text = f"{name}: {b.level}{again} since {utc(b.began_at)}"
    state = f"*{name}*: *{b.level}*{again} since {when(b.began_at)}, was {b.previous}"
    return text, f"{state}. {stop(foreign(b.reason, 600))} Seen {by(fact.actor)}."
