"""`/health`: the board of all components, and one provider with its evidence."""

from collections.abc import Mapping
from datetime import datetime

from bot.core.model import Level
from bot.core.policy import ComponentPolicy, FlagPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.world import World
from bot.ports import LatencyPicture, Message
from bot.views.blocks import Block, actions, button, context, header, section
from bot.views.component_messages import blind_line, held_words
from bot.views.flags.board import flag_line
from bot.views.flags.buttons import flag_buttons
from bot.views.limits import fit
from bot.views.names import FAULT_WORDS, component_name, evidence_lines, page_words, provider_name
from bot.views.text import code, count, foreign, inert, plain, span, stop, utc, when, words

MOST_PROVIDERS = 40
BAR_CELLS = 10

OnRecord = Mapping[str, ComponentState]  # what the ledger holds of components that `world` shows otherwise, unwritten as it is
ALL_WRITTEN: OnRecord = {}


def board(
    world: World, policy: Policy, now: datetime, latencies: Mapping[str, LatencyPicture], *, trouble: str = "",
    on_record: OnRecord = ALL_WRITTEN,
) -> Message:  # fmt: skip
    """Every component: how it is, since when, how fast, what the vendor says, which flags stand on it.

    `trouble` is what people should know of the bot itself.
    """
    if not policy.components:
        return fit(Message("No component is configured. Providers stand under `providers:` in the configuration."))
    blocks: list[Block] = [header(f"Providers at {utc(now)}")]
    if trouble:
        blocks.append(section(f"*About the bot itself*: {inert(trouble, 600)}"))
    if blind := blind_line(world):
        blocks.append(section(blind))
    providers = sorted(_by_provider(policy).items(), key=lambda item: -max(world.component(c.id).level.rank for c in item[1]))
    for provider_, components in providers[:MOST_PROVIDERS]:
        lines = [f"*{provider_name(policy, provider_)}*"]
        lines += [f"• {_line(c, world, policy, now, latencies.get(c.id), on_record)}" for c in components]
        page = page_words(provider_, list(world.provider(provider_).notices), world, policy)
        blocks.append(section("\n".join([*lines, page])))
    if len(providers) > MOST_PROVIDERS:
        blocks.append(context(f"{len(providers) - MOST_PROVIDERS} more providers: `understudy health` shows all of them."))
    running = [
        f"{i.name} {foreign(i.title, 80)}" + (f" <#{i.room.channel}>" if i.room.channel else "") for i in world.open_incidents()
    ]
    blocks.append(
        context(f"Open incidents: {words(running) or 'none'} · latency of the last hour · `/health PROVIDER` for more")
    )
    return fit(Message(_in_short(world, policy, now, on_record), tuple(blocks)))


def provider(
    provider: str, world: World, policy: Policy, now: datetime, latencies: Mapping[str, LatencyPicture], *,
    on_record: OnRecord = ALL_WRITTEN,
) -> Message:  # fmt: skip
    """One provider: verdicts with their evidence, latency, the vendor's words, its flags, and what one can do."""
    mine = _by_provider(policy).get(provider, [])
    name = provider_name(policy, provider)
    worst = max((world.component(c.id).level for c in mine), key=lambda level: level.rank, default=Level.UNKNOWN)
    blocks: list[Block] = [header(f"{plain(mine[0].provider_name if mine else provider, 80)}: {worst}")]
    if blind := blind_line(world):
        blocks.append(section(blind))
    for component in mine:
        state = world.component(component.id)
        lines = [
            _line(component, world, policy, now, latencies.get(component.id), on_record),
            f"Reason: {stop(foreign(state.reason, 400))}",
        ]
        if state.level is not Level.OPERATIONAL:
            lines.append(f"Theirs or ours: {FAULT_WORDS[state.fault]}.")
        evidence = evidence_lines([component.id], world, policy, most=4)
        blocks.append(section("\n".join([*lines, *([evidence] if evidence else [])])))
    if mine:
        blocks.append(section("*Latency of the last hour*\n" + "\n".join(_bars(c, latencies) for c in mine)))
    blocks.append(
        section(f"*What the vendor says*: {page_words(provider, list(world.provider(provider).notices), world, policy)}")
    )
    flags = [flag for flag in policy.flags.values() if {c.id for c in mine} & set(flag.depends_on)]
    if flags:
        blocks.append(section("*Flags that stand on it*\n" + "\n".join(f"• {flag_line(flag, world)}" for flag in flags[:5])))
    blocks += _buttons(mine, flags, world, policy)
    states = "; ".join(f"{component_name(policy, c.id)} {world.component(c.id).level}" for c in mine)
    return fit(Message(f"{name}: {states or 'no component is configured'}", tuple(blocks)))


def _by_provider(policy: Policy) -> dict[str, list[ComponentPolicy]]:
    found: dict[str, list[ComponentPolicy]] = {}
    for component in policy.components.values():
        found.setdefault(component.provider, []).append(component)
    return found


def _in_short(world: World, policy: Policy, now: datetime, on_record: OnRecord) -> str:
    """What a phone shows."""
    bad = [c for c in policy.components.values() if world.component(c.id).level.bad]
    unknown = [c for c in policy.components.values() if world.component(c.id).level is Level.UNKNOWN]
    rest = f" Unknown: {words([component_name(policy, c.id) for c in unknown])}." if unknown else ""
    blind = f"We are blind: {stop(foreign(world.sight.reason, 200))} " if world.sight.blind else ""
    advised = [component_name(policy, c.id) for c in policy.components.values() if world.component(c.id).advisory]
    rest += f" Advisory for {words(advised)}." if advised else ""
    muted = [component_name(policy, c.id) for c in policy.components.values() if world.component(c.id).mute]
    rest += f" Muted: {words(muted)}." if muted else ""
    rest += " Not all of this is written down." if on_record else ""
    if not bad:
        well = len(policy.components) - len(unknown)
        verb = "is" if 1 in (well, len(policy.components)) else "are"
        return f"{blind}{well} of {count(len(policy.components), 'component')} {verb} operational.{rest}"
    named = [f"{component_name(policy, c.id)}: {_level(world.component(c.id), now)}" for c in bad]
    return f"{blind}{words(named)}.{rest}"


def _level(state: ComponentState, now: datetime) -> str:
    since = state.began_at or state.since
    return f"{state.level} since {utc(since, now)}" if since else f"{state.level}"


def _line(
    component: ComponentPolicy, world: World, policy: Policy, now: datetime, picture: LatencyPicture | None, on_record: OnRecord
) -> str:
    state = world.component(component.id)
    since = state.began_at or state.since
    at = f" since {when(since)} ({span(now - since)})" if since else ""
    parts = [
        f"*{component_name(policy, component.id)}*: {state.level}{at}",
        *_unwritten(on_record.get(component.id)),
        *held_words(state),
        _speed(picture),
    ]
    holds = [_holding(flag, world) for flag in policy.flags.values() if component.id in flag.depends_on]
    if holds:
        parts.append(f"Flags: {words(holds, most=4)}")
    return ". ".join(part for part in parts if part)


def _unwritten(held: ComponentState | None) -> list[str]:
    if held is None:
        return []
    since = f" since {when(held.since)}" if held.since else ""
    return [f"*Not written down*: on record it is {held.level}{since}"]


def _holding(flag: FlagPolicy, world: World) -> str:
    engagement = world.flag(flag.key).engagement
    return f"{code(flag.key)} (on {foreign(engagement.variant, 40)})" if engagement else code(flag.key)


def _speed(picture: LatencyPicture | None) -> str:
    if picture is None or not picture.count:
        return "no measurement in the last hour"
    failed = f", {picture.failed} of {picture.count} runs failed" if picture.failed else ""
    if picture.p50_ms is None or picture.p95_ms is None:
        return f"no run succeeded in the last hour{failed}"
    return f"p50 {_ms(picture.p50_ms)}, p95 {_ms(picture.p95_ms)}{failed}"


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _bars(component: ComponentPolicy, latencies: Mapping[str, LatencyPicture]) -> str:
    """Bars to compare at a glance, each with its number for those who cannot see them."""
    name = foreign(component.name, 60)
    picture = latencies.get(component.id)
    if picture is None or picture.p50_ms is None or picture.p95_ms is None:
        return f"{name}: {_speed(picture)}"
    longest = max((p.p95_ms for p in latencies.values() if p.p95_ms), default=picture.p95_ms) or 1.0
    lines = [
        f"{label} {_bar(value / longest)} {_ms(value)}" for label, value in (("p50", picture.p50_ms), ("p95", picture.p95_ms))
    ]
    return f"{name}: {', '.join(lines)}, {count(picture.count, 'run')}, {picture.failed} failed"


def _bar(share: float) -> str:
    cells = max(1, min(BAR_CELLS, round(share * BAR_CELLS)))
    return "▇" * cells


def _buttons(mine: list[ComponentPolicy], flags: list[FlagPolicy], world: World, policy: Policy) -> list[Block]:
    worst = max(mine, key=lambda c: world.component(c.id).level.rank, default=None)
    buttons: list[Block] = []
    if worst:
        buttons.append(button("Declare incident", f"incident.declare:{worst.id}", {"component": worst.id}))
    for flag in flags[:5]:
        buttons += flag_buttons(flag, world, policy)
    return list(actions(buttons))
