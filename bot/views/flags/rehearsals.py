"""Rehearsals for people: what changed, what was found, and whether a fallback can be relied on."""

from datetime import datetime

from bot.core.decide.flags.readiness import causes, rehearsed, unready
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.rehearsals.rehearsal_facts import RehearsalSkipped, Rehearsed
from bot.core.record.world import World
from bot.core.rehearsal import Mark, Rehearsal
from bot.ports import Message
from bot.views.blocks import context, section
from bot.views.limits import fit
from bot.views.names import flag_name, variant_name
from bot.views.text import clock, code, foreign, how, retold, spoken, stop, words


def rehearsal_fact(fact: Fact, world: World, policy: Policy) -> Message:
    """The message about a rehearsal for the ops channel: what people can no longer rely on, or can again."""
    body = fact.body
    if not isinstance(body, Rehearsed | RehearsalSkipped):
        return fit(Message("A rehearsal was asked for."))
    flag = policy.flags.get(body.flag) or FlagPolicy(body.flag, {}, "its default")
    variant, name, by = f"*{variant_name(flag, body.variant)}*", f"*{flag_name(flag.key, policy)}*", how(fact.actor)
    again = f"Again: {code(f'/fallback rehearse {flag.key}')}"
    if isinstance(body, RehearsalSkipped):
        first, more = f"🟠 {variant}, a fallback of {name}, was not rehearsed ({by}).", f"{_why(body.reason)} {again}"
        return fit(Message(spoken(first), (section(f"{first}\n{more}"),)))
    last = Rehearsal(fact.at, body.model, body.answered, body.results)
    if last.failed:
        first = f"🟠 {variant}, a fallback of {name}, failed its rehearsal ({by})."
        more = f"{_why(causes(last))} Until it passes, people need `force` to switch to it. {again}"
    elif body.before:
        first = f"🟠 Another model answers for {variant}, a fallback of {name} ({by})."
        more = f"It is {foreign(body.answered, 100)}; it was {foreign(body.before, 100)}."
    elif last.low:
        first = f"🟠 {variant}, a fallback of {name}, has little quota left ({by})."
        more = f"{_why(causes(last))} The traffic of an outage may not fit."
    else:
        first, more = f"🟢 {variant}, a fallback of {name}, passed its rehearsal ({by}).", ""
    return fit(Message(spoken(first), (section(f"{first}\n{more}" if more else first),)))


def rehearsal_results(flag: FlagPolicy, world: World, policy: Policy, now: datetime) -> Message:
    """The results of each fallback's last rehearsal, for whoever asked for one."""
    blocks = [section(_result(flag, one.variant, world, now)) for one in rehearsed(flag)]
    bad = [one.variant for one in rehearsed(flag) if unready(world, flag, one.variant)]
    text = f"{words([variant_name(flag, one) for one in bad])}: not to be counted on." if bad else "Every fallback passed."
    spent = world.flag(flag.key).rehearsals.spent(f"{now:%Y-%m-%d}")
    small = context(f"{code(flag.key)} · rehearsals of today: ${spent:.3f}")
    return fit(Message(spoken(text), (*blocks, small)))


def _result(flag: FlagPolicy, variant: str, world: World, now: datetime) -> str:
    known, name = world.flag(flag.key).rehearsals, f"*{variant_name(flag, variant)}*"
    last, skipped = known.last.get(variant), known.skipped.get(variant, "")
    if skipped:
        before = f" Before, at {clock(last.at, now)}: {'failed' if last.failed else 'passed'}." if last else ""
        return f"🟠 {name} was not rehearsed: {stop(retold(skipped, 300))}{before}"
    if last is None:
        return f"🟠 {name} was never rehearsed."
    met = [one.need for one in last.results if one.mark is Mark.OK]
    lacks = [one.need for one in last.results if one.mark is Mark.UNSUPPORTED]
    good = f" Good: {words(met)}." if met else ""
    not_asked = f" Not asked, since the API has none: {words(lacks)}." if lacks else ""
    model = f" ({foreign(last.answered or last.model, 100)})"
    troubles = f" {stop(retold(causes(last), 400))}" if causes(last) else ""
    return f"{'🟠' if last.failed else '🟢'} {name}{model} {'failed' if last.failed else 'passed'}.{troubles}{good}{not_asked}"


def _why(reason: str) -> str:
    return f"Why: {stop(retold(reason, 400))}"
