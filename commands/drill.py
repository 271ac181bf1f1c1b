"""`/drill`: pretend an outage and see how people and services cope."""

from dataclasses import dataclass
from datetime import timedelta

from bot.core.record.incident import Incident
from bot.core.signals import StartDrill, StopDrill
from bot.verbs.naming import called
from bot.views.answers.in_slack import shown
from bot.views.incident.drill import drill_status, drill_summary
from bot.views.scene import Scene
from commands.desk import CommandContext, Request, Respond, answer
from commands.helping import help_message
from commands.parsing.parse import (
    Misunderstood,
    duration_first,
    named_incident,
    nearest,
    split_verb,
    which_incident,
    with_its_name,
)
from commands.table import DRILL

STOP = ("stop", "end", "done")


async def drill(desk: CommandContext, asked: Request, respond: Respond) -> None:
    """Answer `/drill VERB ...`."""
    verb, rest = split_verb(asked.text)
    word = asked.word or DRILL.word
    try:
        match verb:
            case "" | "help":
                await answer(respond, help_message(DRILL, asked.word))
            case "start":
                await answer(respond, shown(await desk.engine.handle(_start(desk, asked, rest))))
            case "status" | "list":
                await (_one(desk, asked, respond, rest) if rest else _status(desk, respond))
            case _ if verb in STOP:
                stop = StopDrill(asked.actor, asked.signal_id, incident=_running(desk, asked, rest))
                await answer(respond, shown(await desk.engine.handle(stop)))
            case _:
                known = [v.name for v in DRILL.verbs]
                await answer(respond, f"`{word} {verb[:40]}` is not known.{nearest(verb, known)} `{word} help` shows what is.")
    except Misunderstood as wrong:
        await answer(respond, wrong.answer)


async def _status(desk: CommandContext, respond: Respond) -> None:
    world, policy, now = desk.engine.world, desk.engine.policy, desk.clock.now()
    drills = []
    for incident in _open(desk):
        facts = await desk.ledger.read(lambda store, number=incident.number: store.facts_about(number))  # type: ignore[misc] # bound early
        drills.append((Scene(incident, world, policy, now), facts))
    await answer(respond, drill_status(drills, policy))


async def _one(desk: CommandContext, asked: Request, respond: Respond, text: str) -> None:
    """The state or report of a named drill. Raises Misunderstood."""
    named = with_its_name(text, number=True)
    number, _, _ = named_incident(named, asked.channel, asked.mentions)
    world = await desk.engine.world_with([number]) if number else desk.engine.world
    incident = which_incident(named, asked.channel, world, asked.mentions).incident
    if incident.drill is None:
        raise Misunderstood(f"{incident.name} is not a drill.")
    scene = Scene(incident, world, desk.engine.policy, desk.clock.now())
    facts = await desk.ledger.read(lambda store: store.facts_about(incident.number))
    running = incident.phase.open
    await answer(respond, drill_status([(scene, facts)], scene.policy) if running else drill_summary(scene, facts))


def _open(desk: CommandContext) -> list[Incident]:
    return [incident for incident in desk.engine.world.open_incidents() if incident.drill]


def _running(desk: CommandContext, asked: Request, text: str) -> int:
    """The named drill, this channel's, or the only one. Raises Misunderstood."""
    drills = _open(desk)
    if not text:
        if not drills:
            raise Misunderstood("No drill is running.")
        here = [one for one in drills if one.room.channel == asked.channel]
        if len(here or drills) > 1:
            names = ", ".join(f"`{one.name}` ({one.title[:40]})" for one in drills)
            raise Misunderstood(f"Which drill? There are {names}.")
        return (here or drills)[0].number
    return which_incident(with_its_name(text, number=True), asked.channel, desk.engine.world, asked.mentions).incident.number


@dataclass
class _Options:
    """What follows the component."""

    lasts: timedelta = timedelta(minutes=10)
    paging: bool = False
    flag: str = ""


def _start(desk: CommandContext, asked: Request, text: str) -> StartDrill:
    """Read `COMPONENT [for 5m] [paging] [flag KEY]`. Raises Misunderstood."""
    words, policy = text.split(), desk.engine.policy
    name: list[str] = []
    while words and words[0].lower() not in ("for", "paging", "flag"):
        name.append(words.pop(0))
    wanted = " ".join(name).removeprefix("@")
    meant = called(policy, wanted)
    if not wanted or not meant:
        known = ", ".join(f"`{id}`" for id in list(policy.components)[:20]) or "none"
        near = nearest(wanted, [c.name.lower() for c in policy.components.values()]) if wanted else ""
        unknown = f"Nothing is called `{wanted[:60]}`.{near}" if wanted else "Which component is the drill for?"
        raise Misunderstood(f"{unknown} Known: {known}.")
    if len({one.provider for one in meant}) > 1:
        raise Misunderstood("One drill is about one provider. Start one for each.")
    components = tuple(dict.fromkeys(id for one in meant for id in one.components))
    options = _options(words, {*policy.flags})
    return StartDrill(
        asked.actor, asked.signal_id, components=components, lasts=options.lasts, paging=options.paging, flag=options.flag
    )  # fmt: skip


def _options(words: list[str], flags: set[str]) -> _Options:
    found = _Options()
    while words:
        word = words.pop(0)
        match word.lower():
            case "for" if words:
                found.lasts, rest = duration_first(" ".join(words))
                words = rest.split()
            case "paging":
                found.paging = True
            case "flag" if words:
                found.flag = words.pop(0)
                if found.flag not in flags:
                    known = ", ".join(f"`{key}`" for key in sorted(flags)) or "none"
                    raise Misunderstood(f"There is no flag `{found.flag[:80]}`.{nearest(found.flag, flags)} Known: {known}.")
            case "for" | "flag":
                raise Misunderstood(f"`{word}` what? Write `for 5m` or `flag KEY`. Nothing was started.")
            case _:
                raise Misunderstood(f"`{word[:60]}` is too much. Nothing was started. `/drill help` shows how to write it.")
    return found
