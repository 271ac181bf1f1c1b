"""`/understudy`: the bot itself, mutes and other silences, and people's reports of failures."""

from bot.core.policy import Policy
from bot.core.signals import Mute, Reported, Unmute
from bot.core.signals.base import ADMINS
from bot.ports import Message
from bot.views.about import about, maintenance, mute_answer
from bot.views.answers.in_slack import shown, told
from bot.views.denied import denied_attempts
from commands.desk import CommandContext, Request, Respond, answer
from commands.helping import help_message
from commands.parsing.parse import Misunderstood, NotAllowed, duration_first, nearest, split_verb
from commands.table import UNDERSTUDY

MOST_WORDS = 6  # of a component's name, when searching for the nearest one


async def understudy(desk: CommandContext, asked: Request, respond: Respond) -> None:
    """Answer `/understudy VERB ...`."""
    verb, rest = split_verb(asked.text)
    word = asked.word or UNDERSTUDY.word
    try:
        match verb:
            case "" | "help":
                await answer(respond, help_message(UNDERSTUDY, asked.word))
            case "mute":
                await _mute(desk, asked, respond, rest)
            case "unmute":
                component, after = component_first(desk.engine.policy, rest)
                if after:
                    raise Misunderstood(f"`{after[:60]}` does not belong there: write `{word} unmute {component}`.")
                said = await desk.engine.handle(Unmute(actor=asked.actor, id=asked.signal_id, component=component))
                await answer(respond, shown(said))
            case "report":
                component, text = component_first(desk.engine.policy, rest)
                report = Reported(actor=asked.actor, id=asked.signal_id, component=component, text=text)
                await answer(respond, shown(await desk.engine.handle(report)))
            case "maintenance":
                await answer(respond, maintenance(desk.engine.world, desk.engine.policy, desk.clock.now()))
            case "about":
                await answer(respond, about(await desk.about(), desk.engine.world, desk.engine.policy, desk.clock.now()))
            case "denied":
                await answer(respond, await _denied(desk, asked))
            case _:
                known = [v.name for v in UNDERSTUDY.verbs]
                await answer(respond, f"`{word} {verb[:40]}` is not known.{nearest(verb, known)} `{word} help` shows what is.")
    except Misunderstood as wrong:
        await answer(respond, wrong.answer)


async def _denied(desk: CommandContext, asked: Request) -> Message:
    """Recent refusals. Raises NotAllowed."""
    if refused := desk.denied_to(asked, ADMINS, "/understudy denied"):
        raise NotAllowed(refused)
    return denied_attempts(await desk.denials.newest() if desk.denials else [], desk.clock.now())


async def _mute(desk: CommandContext, asked: Request, respond: Respond, text: str) -> None:
    component, rest = component_first(desk.engine.policy, text)
    word = asked.word or UNDERSTUDY.word
    before, _, after = rest.partition(" ")
    span = after if before.lower() == "for" else rest
    if not span.strip():
        raise Misunderstood(f"For how long? Write `{word} mute {component} for 2h REASON`.")
    lasts, reason = duration_first(span)
    mute = Mute(asked.actor, asked.signal_id, component=component, lasts=lasts, reason=reason)
    said = await desk.engine.handle(mute)
    held = desk.engine.world.component(component).mute
    if said.ok and held:
        await answer(respond, mute_answer(told(said), component, held, desk.clock.now(), word))
    else:
        await answer(respond, shown(said))


def component_first(policy: Policy, text: str) -> tuple[str, str]:
    """The component at the start of a text, and the rest. Raises Misunderstood.

    Named as for `/health`: by id or name, or by its provider's if that has a single component. The longest name wins, so
    `Claude API` is not `Claude`.
    """
    names = _names(policy)
    plain = text.strip().removeprefix("@")
    lowered = plain.lower()
    found = [name for name in names if lowered == name or lowered.startswith((f"{name} ", f"{name}:"))]
    if not found:
        raise Misunderstood(_unknown(policy, names, plain))
    name = max(found, key=len)
    ids = names[name]
    if len(ids) > 1:
        parts = ", ".join(f"`{id}` ({policy.name_of(id)})" for id in ids)
        raise Misunderstood(f"Which one? `{name}` may be {parts}.")
    return ids[0], plain[len(name) :].removeprefix(":").strip()


def _names(policy: Policy) -> dict[str, list[str]]:
    """All names of components, in lower case, with the ids each may mean: a component's own before its provider's."""
    found: dict[str, list[str]] = {}
    for component in policy.components.values():
        for name in {component.provider.lower(), component.provider_name.lower()}:
            found.setdefault(name, []).append(component.id)
    own: dict[str, list[str]] = {}
    for component in policy.components.values():
        for name in {component.id.lower(), component.name.lower()}:
            own.setdefault(name, []).append(component.id)
    return {name: ids for name, ids in {**found, **own}.items() if name}


def _unknown(policy: Policy, names: dict[str, list[str]], text: str) -> str:
    known = ", ".join(f"`{id}`" for id in list(policy.components)[:20]) or "none"
    if not text:
        return f"Which component? Known: {known}."
    typed = text.split()
    near = ""
    for length in range(min(len(typed), MOST_WORDS), 0, -1):
        near = near or nearest(" ".join(typed[:length]), names)
    return f"No component is called `{' '.join(typed)[:60]}`.{near} Known: {known}."
