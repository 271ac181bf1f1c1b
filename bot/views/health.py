"""`/health`: the board of all components, and one provider with its evidence."""

from collections.abc import Mapping
from datetime import datetime

from bot.core.model import Level
from bot.core.policy import ComponentPolicy, FlagPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.world import World
from bot.ports import LatencyPicture, Message
from bot.views.blocks import Block, actions, button, context, section
from bot.views.component_messages import MOST_EVIDENCE, blind_line, held_words
from bot.views.flags.board import flag_line
from bot.views.flags.buttons import flag_buttons
from bot.views.limits import fit
from bot.views.names import ICONS, blame, component_name, drill_icon, flag_name, page_words, provider_name, variant_name
from bot.views.text import capital, clock, count, foreign, inert, span, stop, utc, words

MOST_PROVIDERS = 40
BAR_CELLS = 10

OnRecord = Mapping[str, ComponentState]  # what the ledger holds where `world` differs because nothing can be written
ALL_WRITTEN: OnRecord = {}


def telling(world: World, policy: Policy, now: datetime, on_record: OnRecord = ALL_WRITTEN) -> list[str]:
    """The components about which the board says more than "operational", such as their latencies."""
    return [id for id, component in policy.components.items() if _tells(component, world, now, on_record)]


def board(
    world: World, policy: Policy, now: datetime, latencies: Mapping[str, LatencyPicture], *, trouble: str = "",
    on_record: OnRecord = ALL_WRITTEN,
) -> Message:  # fmt: skip
    """What is wrong, since when, whose fault; then every component, with the operational ones as one line per provider.

    `latencies` are those of the `telling` components; `trouble` is what people should know about the bot itself.
    """
    if not policy.components:
        return fit(Message("No component is configured. Providers stand under `providers:` in the configuration."))
    lines = [f"⚠️ {inert(trouble, 600)}"] if trouble else []
    lines += [f"⚪ {blind}"] if (blind := blind_line(world, now)) else []
    blocks: list[Block] = [section("\n".join([*lines, _banner(world, policy, now)]))]
    providers = sorted(_by_provider(policy).items(), key=lambda item: -max(world.component(c.id).level.rank for c in item[1]))
    calm: list[str] = []
    for id, components in providers[:MOST_PROVIDERS]:
        telling = [c for c in components if _tells(c, world, now, on_record)]
        if telling:
            blocks.append(section("\n".join(_of_provider(id, components, telling, world, policy, now, latencies, on_record))))
        else:
            calm.append(f"🟢 *{provider_name(policy, id)}*: {_names(components, policy)}")
    if calm:
        blocks.append(section("\n".join(calm)))
    if len(providers) > MOST_PROVIDERS:
        blocks.append(context(f"{len(providers) - MOST_PROVIDERS} more providers: `understudy health` shows all of them."))
    running = [
        f"{drill_icon(i)}{i.name} {foreign(i.title, 80)}" + (f" <#{i.room.channel}>" if i.room.channel else "")
        for i in world.open_incidents()
    ]
    blocks.append(context(f"Open incidents: {words(running) or 'none'} · `/health PROVIDER` for more"))
    return fit(Message(_in_short(world, policy, now, on_record), tuple(blocks)))


def provider(
    provider: str, world: World, policy: Policy, now: datetime, latencies: Mapping[str, LatencyPicture], *,
    on_record: OnRecord = ALL_WRITTEN,
) -> Message:  # fmt: skip
    """One provider: problems with their evidence, latency, the vendor's words, its flags, and what one can do."""
    mine = _by_provider(policy).get(provider, [])
    telling = [c for c in mine if _tells(c, world, now, on_record)]
    calm = [c for c in mine if c not in telling]
    name = provider_name(policy, provider)
    lines = [f"⚪ {blind}"] if (blind := blind_line(world, now)) else []
    worst = max((world.component(c.id).level for c in mine), key=lambda level: level.rank, default=Level.UNKNOWN)
    bad = [c.id for c in mine if world.component(c.id).level is not Level.OPERATIONAL]
    failing = [c for c in mine if world.component(c.id).level.bad]
    said = _levels(failing, world, policy) if 0 < len(failing) < len(mine) else f"{name} is {worst}"
    lines.append(f"{ICONS[worst]} *{said}.* {blame(bad, provider, world, policy)}".strip())
    for component in telling:
        lines += _with_evidence(component, world, policy, now, on_record)
    lines += [f"🟢 {_names(calm, policy)}"] if calm else []
    blocks: list[Block] = [section("\n".join(lines))]
    if mine:
        known = "\n".join(_bars(c, latencies) for c in mine if c.id in latencies)
        blocks.append(section(f"*Latency of the last hour*\n{known or 'Not known right now.'}"))
    blocks.append(section(page_words(provider, list(world.provider(provider).notices), world, policy)))
    flags = [flag for flag in policy.flags.values() if {c.id for c in mine} & set(flag.depends_on)]
    if flags:
        blocks.append(section("\n".join(flag_line(flag, world, policy, now) for flag in flags[:5])))
    blocks += _buttons(mine, flags, world, policy)
    states = "; ".join(f"{component_name(policy, c.id)} {world.component(c.id).level}" for c in mine)
    return fit(Message(f"{name}: {states or 'no component is configured'}", tuple(blocks)))


def _banner(world: World, policy: Policy, now: datetime) -> str:
    """`🔴 *Claude API is down* (since 12:42). It's Claude, not us.`, one line per provider with a problem."""
    lines = []
    for id, components in _by_provider(policy).items():
        bad = [c for c in components if world.component(c.id).level.bad]
        if not bad:
            continue
        worst = max((world.component(c.id).level for c in bad), key=lambda level: level.rank)
        began = min((at for c in bad if (at := _since(world.component(c.id)))), default=None)
        since = f" (since {clock(began, now)})" if began else ""
        whose = blame([c.id for c in bad], id, world, policy)
        lines.append(f"{ICONS[worst]} *{_levels(bad, world, policy)}*{since}. {whose}".strip())
    unknown = [c for c in policy.components.values() if world.component(c.id).level is Level.UNKNOWN]
    for c in unknown:
        if ours := blame([c.id], c.provider, world, policy):
            lines.append(f"⚪ *{component_name(policy, c.id)} is unknown*. {ours}")
    if lines:
        return "\n".join(lines)
    if unknown:
        rest = len(policy.components) - len(unknown)
        return f"⚪ *{count(len(unknown), 'component is', 'components are')} unknown*, {rest} operational."
    every = len(policy.components)
    return "🟢 *The only component is operational.*" if every == 1 else f"🟢 *All {every} components are operational.*"


def _levels(bad: list[ComponentPolicy], world: World, policy: Policy) -> str:
    """`Claude API and Claude mobile are down, claude.ai is degraded`."""
    return ", ".join(
        f"{_names([c for c in bad if world.component(c.id).level is level], policy)} {_is(bad, level, world)} {level}"
        for level in sorted({world.component(c.id).level for c in bad}, key=lambda level: -level.rank)
    )


def _is(bad: list[ComponentPolicy], level: Level, world: World) -> str:
    return "is" if sum(world.component(c.id).level is level for c in bad) == 1 else "are"


def _names(components: list[ComponentPolicy], policy: Policy) -> str:
    return words([component_name(policy, c.id) for c in components], most=8)


def _tells(component: ComponentPolicy, world: World, now: datetime, on_record: OnRecord) -> bool:
    """Whether there is more to say about a component than that it is operational."""
    state = world.component(component.id)
    return state.level is not Level.OPERATIONAL or component.id in on_record or bool(held_words(state, now))


def _of_provider(
    id: str, components: list[ComponentPolicy], telling: list[ComponentPolicy], world: World, policy: Policy, now: datetime,
    latencies: Mapping[str, LatencyPicture], on_record: OnRecord,
) -> list[str]:  # fmt: skip
    calm = [c for c in components if c not in telling]
    lines = [f"*{provider_name(policy, id)}*"]
    for one in telling:
        away = [_away(flag, world, policy) for flag in policy.flags.values() if one.id in flag.depends_on]
        lines.append(_line(one, world, policy, now, on_record, _speed(latencies.get(one.id)), *away))
    lines += [f"🟢 {_names(calm, policy)}"] if calm else []
    if any(world.component(c.id).level is not Level.OPERATIONAL for c in telling):
        lines.append(page_words(id, list(world.provider(id).notices), world, policy))
    return lines


def _with_evidence(component: ComponentPolicy, world: World, policy: Policy, now: datetime, on_record: OnRecord) -> list[str]:
    """A component's line, its reason, and its checks' evidence."""
    state = world.component(component.id)
    line = _line(component, world, policy, now, on_record)
    if state.level is Level.OPERATIONAL and not state.advisory:
        return [line]
    seen = [f"• {foreign(one, 200)}" for one in state.evidence[:MOST_EVIDENCE]]
    return [f"{stop(line)} {stop(capital(foreign(state.reason, 300)))}".strip(), *seen]


def _by_provider(policy: Policy) -> dict[str, list[ComponentPolicy]]:
    found: dict[str, list[ComponentPolicy]] = {}
    for component in policy.components.values():
        found.setdefault(component.provider, []).append(component)
    return found


def _in_short(world: World, policy: Policy, now: datetime, on_record: OnRecord) -> str:
    """The text for notifications."""
    bad = [c for c in policy.components.values() if world.component(c.id).level.bad]
    unknown = [c for c in policy.components.values() if world.component(c.id).level is Level.UNKNOWN]
    rest = f" Unknown: {words([component_name(policy, c.id) for c in unknown])}." if unknown else ""
    blind = f"We are blind: {stop(foreign(world.sight.reason, 200))} " if world.sight.blind else ""
    advised = [component_name(policy, c.id) for c in policy.components.values() if world.component(c.id).advisory]
    rest += f" Advisory for {words(advised)}." if advised else ""
    muted = [component_name(policy, c.id) for c in policy.components.values() if world.component(c.id).mute]
    rest += f" Muted: {words(muted)}." if muted else ""
    rest += " Not all of this is recorded." if on_record else ""
    if not bad:
        well = len(policy.components) - len(unknown)
        verb = "is" if 1 in (well, len(policy.components)) else "are"
        return f"{blind}{well} of {count(len(policy.components), 'component')} {verb} operational.{rest}"
    named = [f"{component_name(policy, c.id)}: {_level(world.component(c.id), now)}" for c in bad]
    return f"{blind}{words(named)}.{rest}"


def _level(state: ComponentState, now: datetime) -> str:
    since = _since(state)
    return f"{state.level} since {utc(since, now)}" if since else f"{state.level}"


def _since(state: ComponentState) -> datetime | None:
    return state.began_at or state.since


def _line(component: ComponentPolicy, world: World, policy: Policy, now: datetime, on_record: OnRecord, *more: str) -> str:
    """`🔴 *Claude API*: down since 12:42 (1 min) · 60 of 60 checks failed in the last hour · support chat is on GPT`."""
    state = world.component(component.id)
    since = _since(state)
    at = f" since {clock(since, now)} ({span(now - since)})" if since and state.level is not Level.OPERATIONAL else ""
    named = f"{ICONS[state.level]} *{component_name(policy, component.id)}*: {state.level}{at}"
    parts = [named, *_unwritten(on_record.get(component.id), now), *held_words(state, now), *more]
    return " · ".join(part for part in parts if part)


def _unwritten(held: ComponentState | None, now: datetime) -> list[str]:
    if held is None:
        return []
    since = f" since {clock(held.since, now)}" if held.since else ""
    return [f"*not recorded yet*; on record: {held.level}{since}"]


def _away(flag: FlagPolicy, world: World, policy: Policy) -> str:
    engagement = world.flag(flag.key).engagement
    return f"{flag_name(flag.key, policy)} is on {variant_name(flag, engagement.variant)}" if engagement else ""


def _speed(picture: LatencyPicture | None) -> str:
    if picture is None:
        return ""  # latencies that cannot be read now are left out
    if not picture.count:
        return "not measured in the last hour"
    failed = f"{picture.failed} of {picture.count} checks failed" if picture.failed else ""
    if picture.p50_ms is None or picture.p95_ms is None:
        return f"{failed} in the last hour" if failed else ""
    return ", ".join(filter(None, [f"p50 {_ms(picture.p50_ms)}, p95 {_ms(picture.p95_ms)}", failed]))


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _bars(component: ComponentPolicy, latencies: Mapping[str, LatencyPicture]) -> str:
    """Bars to compare at a glance, each with its number for screen readers."""
    name = foreign(component.name, 60)
    picture = latencies[component.id]
    if picture.p50_ms is None or picture.p95_ms is None:
        return f"{name}: {_speed(picture) or count(picture.count, 'check')}"
    longest = max((p.p95_ms for p in latencies.values() if p.p95_ms), default=picture.p95_ms) or 1.0
    lines = [
        f"{label} {_bar(value / longest)} {_ms(value)}" for label, value in (("p50", picture.p50_ms), ("p95", picture.p95_ms))
    ]
    failed = f", {picture.failed} of {picture.count} checks failed" if picture.failed else ""
    return f"{name}: {', '.join(lines)}{failed}"


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
