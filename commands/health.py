"""`/health`: the board, or one provider with its evidence."""

from bot.core.policy import Policy
from bot.verbs.naming import find_provider, named
from bot.views.health import board, provider, telling
from bot.views.storage import as_seen
from commands.desk import CommandContext, Request, Respond, answer
from commands.helping import help_message
from commands.parsing.parse import nearest
from commands.table import HEALTH

# Not part of a name, as in `is Claude down?`
OF_A_QUESTION = (
    "a all any anything are broken can check degraded down everything failing fine for going has have health healthy how is it "
    "look me now of ok okay on our outage please problem problems show slow status still the there up we what what's which "
    "working wrong"
)


async def health(desk: CommandContext, asked: Request, respond: Respond) -> None:
    """Answer `/health [provider]`."""
    policy, now = desk.engine.policy, desk.clock.now()
    world, on_record = as_seen(desk.engine.world, desk.unwritten())
    wanted = asked.text.strip()
    if wanted.lower() == "help":
        await answer(respond, help_message(HEALTH, asked.word))
        return
    found = _meant(policy, wanted)
    if not _without_question_words(wanted) and found is None:
        latencies = await desk.latencies(telling(world, policy, now, on_record))
        await answer(respond, board(world, policy, now, latencies, trouble=desk.trouble(), on_record=on_record))
    elif found is None:
        names = {c.provider_name for c in policy.components.values()}
        called = _without_question_words(wanted)
        text = f"No provider is called `{called[:60]}`.{nearest(called, _names(policy))} Known: {', '.join(sorted(names))}."
        await answer(respond, text)
    else:
        mine = {id: c for id, c in policy.components.items() if c.provider == found}
        latencies = await desk.latencies(mine)
        await answer(respond, provider(found, world, policy, now, latencies, on_record=on_record))


def _meant(policy: Policy, wanted: str) -> str | None:
    """The provider with that name, or the first one that a question names: `is Claude down?`."""
    exactly = find_provider(policy, wanted)
    return exactly or next((one.provider for one in named(policy, wanted)), None)


def _without_question_words(wanted: str) -> str:
    """The remaining words are a name; `what is down?` leaves none and asks for the board."""
    asking = {"", *OF_A_QUESTION.split()}
    return " ".join(word for word in wanted.rstrip("?!.,:").split() if word.lower().strip("?!.,:") not in asking)


def _names(policy: Policy) -> set[str]:
    return {name.lower() for c in policy.components.values() for name in (c.provider, c.provider_name, c.name)}
