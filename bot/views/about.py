"""The answers of `/understudy`: the bot itself, planned silences, and mutes."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.decide.alerting.suppression import MAINTENANCE_STAGES
from bot.core.lazy_dataclass import dataclass
from bot.core.maintenance_windows import Recurrence, Window
from bot.core.model import Notice
from bot.core.policy import Policy
from bot.core.record.component import MutedUntil
from bot.core.record.world import World
from bot.ports import Message
from bot.system.version import UNKNOWN
from bot.views.blocks import Block, context, header, section
from bot.views.limits import fit
from bot.views.names import component_name, page_of
from bot.views.text import capital, code, count, foreign, inert, link, span, stop, when, who, words

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_LINES = 20  # per section; the rest is counted


@dataclass(frozen=True)
class About:
    """The running bot: its vantage and peers, scale, start, disk use, and problems.

    `controls` is a sentence on the control group, `silent_controls` names members that do not answer; `off` counts configured
    checks that do not run; `data_bytes` is None if it was not measured. `replicas` is a sentence on other replicas of its
    ledger, empty if there cannot be any.
    """

    version: str
    vantage: str = "local"
    peers: tuple[str, ...] = ()
    checks: int = 0
    off: int = 0
    data_bytes: int | None = None
    since: datetime | None = None
    troubles: tuple[str, ...] = ()
    controls: str = ""
    silent_controls: tuple[str, ...] = ()
    replicas: str = ""


def about(it: About, world: World, policy: Policy, now: datetime) -> Message:
    """The bot itself, with its problems first."""
    troubles = [stop(trouble) for trouble in it.troubles if trouble.strip()]
    if world.sight.blind:
        troubles.insert(0, f"We are blind: {stop(world.sight.reason)}")
    name = f"Understudy {it.version}" if it.version != UNKNOWN else "Understudy of an unknown version"
    text = f"{name}: {count(len(troubles), 'problem') if troubles else 'nothing is wrong with it'}."
    body = "\n".join(f"• {inert(trouble, 600)}" for trouble in troubles[:MOST_LINES])
    told = f"⚠️ *{count(len(troubles), 'problem')}*\n{body}" if troubles else "🟢 Nothing is wrong with the bot itself."
    return fit(Message(foreign(text), (header(name), section(told), section("\n".join(_facts(it, world, policy, now))))))


def _facts(it: About, world: World, policy: Policy, now: datetime) -> Iterator[str]:
    off = f" ({count(it.off, 'more is', 'more are')} off)" if it.off else ""
    yield f"{count(it.checks, 'check')} of {count(len(policy.components), 'component')}{off}, from vantage {code(it.vantage)}."
    if it.replicas:
        yield stop(inert(it.replicas, 900))
    if it.peers:
        yield f"Results from {foreign(words(list(it.peers), most=8), 400)} count too."
    if it.controls:
        yield stop(inert(capital(it.controls), 900))
    if it.silent_controls:
        silent = words([foreign(one, 100) for one in it.silent_controls], most=8)
        yield f"Silent while providers answer, so not counted: {silent}."
    numbers = [f"up for {span(now - it.since)}"] if it.since else []
    numbers += [f"{_size(it.data_bytes)} of data"] if it.data_bytes is not None else []
    numbers.append(f"{count(world.last_incident, 'incident')} on record, {len(world.open_incidents())} open")
    yield stop(capital(" · ".join(numbers)))


def maintenance(world: World, policy: Policy, now: datetime) -> Message:
    """What is silenced on purpose, now or later: our maintenance windows, vendors' announcements, mutes."""
    own = [_window(window, policy, now) for window in policy.maintenance if not (window.ends and window.ends <= now)]
    announced = list(_announced(world, policy))
    muted = [_muted(id, state.mute, policy) for id, state in world.components.items() if state.mute and state.mute.until > now]
    blocks: list[Block] = [header("Maintenance and mutes")]
    for title, lines in (("Our own windows", own), ("Announced by vendors", announced), ("Muted", muted)):
        blocks.append(section(f"*{title}*\n{_listed(lines)}" if lines else f"*{title}*: none"))
    blocks.append(context("Alerts are held back meanwhile. Checks, flags and open incidents carry on."))
    text = f"Maintenance: {count(len(own), 'window')} of our own, {len(announced)} announced, {len(muted)} muted."
    return fit(Message(text, tuple(blocks)))


def mute_answer(said: str, component: str, mute: MutedUntil, now: datetime, word: str) -> Message:
    """The answer to somebody who muted: when it ends in their own time zone, and how to undo it."""
    back = f"Until {when(mute.until)} ({span(mute.until - now)}). Undo: {code(f'{word} unmute {component}')}"
    return fit(Message(inert(said), (section(inert(said)), context(back))))


def _window(window: Window, policy: Policy, now: datetime) -> str:
    what = words([_covered(id, policy) for id in window.components]) or "everything"
    until = window.until(now)
    parts = [f"{what}: now, until {when(until)}" if until else what]
    if window.recurrence:
        parts.append(_recurrence(window.recurrence))
        parts += [f"first on {when(window.starts)}"] if window.starts and window.starts > now else []
        parts += [f"last before {when(window.ends)}"] if window.ends else []
    elif not until and window.starts and window.ends:
        parts.append(f"from {when(window.starts)} to {when(window.ends)} ({span(window.ends - window.starts)})")
    reason = f": {foreign(window.reason, 200)}" if window.reason else ""
    return stop(f"{', '.join(parts)}{reason}")


def _recurrence(every: Recurrence) -> str:
    days = words([f"{DAYS[day]}s" for day in sorted(every.days)], most=7) if every.days else "daily"
    return f"{days} at {every.at:%H:%M} {foreign(str(every.zone), 60)} for {span(every.lasts)}"


def _covered(id: str, policy: Policy) -> str:
    """A component's name, or a provider's if it means all its components."""
    if id in policy.components:
        return component_name(policy, id)
    known = next((c.provider_name for c in policy.components.values() if c.provider == id), id)
    return f"all of {foreign(known, 80)}"


def _announced(world: World, policy: Policy) -> Iterator[str]:
    for provider in world.providers.values():
        page = page_of(policy, provider.id)
        told: set[str] = set()
        for notice in provider.notices:
            if notice.status in MAINTENANCE_STAGES and not notice.elsewhere:
                told |= set(notice.components)
                yield f"{page}: {_planned(notice, policy)}"
        rest = [component_name(policy, id) for id in provider.maintenance if id not in told]
        if rest:
            yield f"{page} calls {words(rest)} under maintenance."


def _planned(notice: Notice, policy: Policy) -> str:
    title = link(notice.url, notice.title) if notice.url else foreign(notice.title, 200)
    span_ = f", from {when(notice.starts_at)}" if notice.starts_at else ""
    span_ += f" to {when(notice.ends_at)}" if notice.ends_at else ""
    about_ = words([component_name(policy, id) for id in notice.components])
    return f"{title} ({foreign(notice.status.replace('_', ' '), 40)}){span_}{f': {about_}' if about_ else ''}."


def _muted(id: str, mute: MutedUntil | None, policy: Policy) -> str:
    if mute is None:
        return ""
    why = f": {foreign(mute.reason, 200)}" if mute.reason else ""
    return f"{component_name(policy, id)} ({code(id)}) until {when(mute.until)}, by {who(mute.by)}{stop(why) or '.'}"


def _listed(lines: list[str]) -> str:
    more = [f"• {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return "\n".join([f"• {line}" for line in lines[:MOST_LINES]] + more)


def _size(bytes_: int) -> str:
    """`512 B`, `12.5 MB`, `1.2 GB`: powers of ten, like disk sizes."""
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if bytes_ >= least:
            return f"{bytes_ / least:.1f} {unit}"
    return f"{bytes_} B"
