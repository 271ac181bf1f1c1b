"""Whether sinks would follow: each is read, and what would be done is reported; nothing is changed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bot.config.load import Loaded
from bot.config.policy import to_policy
from bot.core.decide.feeding import left_behind
from bot.core.policy import Policy
from bot.core.record.world import World
from bot.delivery.sinks import SinkKey, target_of
from bot.engine.world_reading import read_world
from bot.flags.evaluate import revision_of, snapshot
from bot.flags.sinks.web import SinkClient
from bot.ports.sinks import Sink, SinkError
from bot.store.errors import StoreError
from bot.store.home import Home
from bot.system.clock import SystemClock
from bot.system.version import understudy_version
from bot.views.flags.sinks import left_sentence, plain_sink_name
from bot.wiring.flags.sinks import over_http, sinks_of
from bot.wiring.probing import Probing
from bot.wiring.retained import SETTING, keep

SinkRemark = tuple[str, str, str]  # `good`, `note` or `bad`, the flag's key, and the sentence


async def look_at_sinks(loaded: Loaded, home: Home | None) -> AsyncIterator[SinkRemark]:
    """Each configured sink by flag, and removed ones. Without a folder nothing is known about any switch."""
    policy, world = to_policy(loaded.config), World()
    if home is not None:
        try:
            policy, world = await _as_it_stands(policy, home)
        except StoreError:
            return  # reported for the ledger
    for state in left_behind(world, policy):
        yield "bad", state.flag, left_sentence(state)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        client = None
        if over_http(loaded.config):
            probing = Probing(loaded.config, clock)
            stack.push_async_callback(probing.close)
            client = SinkClient(probing.transport(), version=understudy_version())
            stack.push_async_callback(client.close)
        for key, sink in sinks_of(loaded.config, client, clock.now).items():
            yield await _look_at(key, sink, policy, world)


async def _look_at(key: SinkKey, sink: Sink, policy: Policy, world: World) -> SinkRemark:
    flag, id = key
    name = plain_sink_name(policy, flag, id)
    try:
        plan = await sink.plan(target_of(snapshot(world, policy, revision_of(world)), flag))
    except SinkError as error:
        return "bad", flag, f"{name}: {error}"
    failing = world.sink(flag, id).failing
    if failing:
        return "bad", flag, f"{name} does not follow: {failing}"
    return "note" if "unsigned" in plan.words else "good", flag, f"{name}: {plan.words}"


async def _as_it_stands(policy: Policy, home: Home) -> tuple[Policy, World]:
    ledger = home.open_read_only()
    try:
        world = await ledger.read(read_world)
        return keep(policy, world, await ledger.read(lambda store: store.setting(SETTING))).policy, world
    finally:
        await ledger.close()
