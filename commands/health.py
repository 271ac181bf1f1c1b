"""`/health`: the board, or one provider with its evidence."""

from bot.core.policy import Policy
from bot.verbs.naming import find_provider
from bot.views.health import board, provider
from bot.views.storage import as_seen
from commands.desk import CommandContext, Request, Respond, answer
from commands.helping import help_message
from commands.parse import nearest
from commands.table import HEALTH


async def health(desk: CommandContext, asked: Request, respond: Respond) -> None:
    """Answer `/health [provider]`."""
    policy, now = desk.engine.policy, desk.clock.now()
    world, on_record = as_seen(desk.engine.world, desk.unwritten())
    wanted = asked.text.strip()
    if wanted.lower() == "help":
        await answer(respond, help_message(HEALTH, asked.word))
    elif not wanted:
        latencies = await desk.latencies(policy.components)
        await answer(respond, board(world, policy, now, latencies, trouble=desk.trouble(), on_record=on_record))
    else:
        found = find_provider(policy, wanted)
        if found is None:
            names = {c.provider_name for c in policy.components.values()}
            text = f"No provider is called `{wanted[:60]}`.{nearest(wanted, _names(policy))} Known: {', '.join(sorted(names))}."
            await answer(respond, text)
        else:
            mine = {id: c for id, c in policy.components.items() if c.provider == found}
            latencies = await desk.latencies(mine)
            await answer(respond, provider(found, world, policy, now, latencies, on_record=on_record))


def _names(policy: Policy) -> set[str]:
    return {name.lower() for c in policy.components.values() for name in (c.provider, c.provider_name, c.name)}
