"""Quiet threads in the ops channel: problems that are no incident, unrelated vendor notices, our own blindness."""

from bot.core.policy import Policy
from bot.core.record.component_facts import AlertResumed, AlertSuppressed, VerdictChanged
from bot.core.record.fact import Fact
from bot.core.record.provider_facts import NoticeSeen
from bot.core.record.world import World
from bot.ports import Message
from bot.views.blocks import Block, actions, button, section
from bot.views.component_messages import REMEDIES, finding
from bot.views.incident.fact_messages import fact_line
from bot.views.limits import fit
from bot.views.names import blame_for, component_name, page_words
from bot.views.text import capital, clock, code, foreign, retold, stop, utc


def quiet(fact: Fact, world: World, policy: Policy) -> Message:
    """A quiet thread's first line: a component that is degraded or fails by our own fault, a notice, an advisory ..."""
    match fact.body:
        case VerdictChanged() as b if b.level.bad:
            none = f"No incident opens for this by configuration; declare one if you need it. {_more(b)}"
            lines = [_whose(b, policy), _page(b.component, world, policy), none]
            return _with(fact, lines, policy, actions([_declare(b.component)]))
        case VerdictChanged() as b:
            ours = f"No incident opens: the provider may be operational. {_more(b)}"
            return _with(fact, [_whose(b, policy), REMEDIES.get(b.fault, ""), ours], policy)
        case AlertSuppressed() as b if b.thread:
            return _down_while_muted(fact, b, world, policy)
        case AlertResumed(component=component):
            state = world.component(component)
            lines = [f"It is {state.level}: {foreign(state.reason, 400)}", _page(component, world, policy)]
            return _with(fact, lines, policy, actions([_declare(component)]))
        case NoticeSeen(notice=n):
            names = ", ".join(component_name(policy, id) for id in n.components)
            about = f"It names {names}. " if names else "It names nothing we check. "
            told = fact_line(fact, world, policy)
            return fit(Message(told.text, (*told.blocks, section(f"{about}We have no incident open for it."))))
    return fact_line(fact, world, policy)


def _whose(b: VerdictChanged, policy: Policy) -> str:
    known = policy.components.get(b.component)
    return blame_for([b.fault], known.provider if known else b.component.partition(".")[0], policy)


def _more(b: VerdictChanged) -> str:
    """Where to find the evidence, which is long and only for people who ask."""
    return f"Evidence: {code(f'/health {b.component}')}"


def _down_while_muted(fact: Fact, body: AlertSuppressed, world: World, policy: Policy) -> Message:
    """The one line that a mute lets through. It mentions nobody."""
    name, why = component_name(policy, body.component), retold(body.why, 300)
    short, long = (f", until {utc(body.until, fact.at)}", f", until {clock(body.until, fact.at)}") if body.until else ("", "")
    lines = [
        f"🔴 *{name} is down* ({why}{long}). No incident opens meanwhile; flags still switch.",
        stop(capital(foreign(world.component(body.component).reason, 400))),
        f"You are told this once. Undo the mute: {code(f'/understudy unmute {body.component}')}",
    ]
    return fit(Message(f"🔴 {name} is down ({why}{short})", (section("\n".join(lines)),)))


def quiet_reply(fact: Fact, world: World, policy: Policy) -> Message:
    """A later message in that thread: the component recovered or got worse, the vendor posted again, we can see again."""
    return fact_line(fact, world, policy)


def _with(fact: Fact, lines: list[str], policy: Policy, buttons: tuple[Block, ...] = ()) -> Message:
    text, body = finding(fact, policy) or ("", "")
    return fit(Message(text, (section("\n".join(line for line in [body, *lines] if line)), *buttons)))


def _page(component: str, world: World, policy: Policy) -> str:
    known = policy.components.get(component)
    return page_words(known.provider, list(world.provider(known.provider).notices), world, policy) if known else ""


def _declare(component: str) -> Block:
    return button("Declare incident", f"incident.declare:{component}", {"component": component})
