"""Display names, ready for mrkdwn; and which flags and notices belong to an incident."""

from collections.abc import Iterable
from datetime import datetime

from bot.core.ids import shadow
from bot.core.model import Fault, FeedState, Level, Notice
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.core.scope import scope_of, whole
from bot.views.text import clock, code, foreign, link, span, stop, when, words

ICONS = {Level.DOWN: "🔴", Level.DEGRADED: "🟠", Level.UNKNOWN: "⚪", Level.OPERATIONAL: "🟢"}


def component_name(policy: Policy, id: str) -> str:
    """A component's display name; its id if it is not configured (any more)."""
    return foreign(policy.name_of(id), 80)


def plain_names(policy: Policy) -> dict[str, str]:
    """Display names of components and providers by id, unescaped; a drill's shadows have the same names."""
    providers = {c.provider: c.provider_name for c in policy.components.values()}
    names = providers | {id: component.name for id, component in policy.components.items()}
    return names | {shadow(id): name for id, name in names.items()}


def provider_name(policy: Policy, provider: str) -> str:
    """A provider's display name."""
    return foreign(policy.provider_name(provider), 80)


def page_of(policy: Policy, provider: str) -> str:
    """`Claude's status page`, as a link if its address is known."""
    url = next((c.page_url for c in policy.components.values() if c.provider == provider and c.page_url), "")
    return link(url, f"{policy.provider_name(provider)}'s status page")


def drill_mark(incident: Incident) -> str:
    """`🔵 DRILL · `, for lines about a drill without its title; empty for a real incident."""
    return "🔵 DRILL · " if incident.drill else ""


def drill_icon(incident: Incident) -> str:
    """`🔵 `, before the title of a drill, which contains the word itself; empty for a real incident."""
    return "🔵 " if incident.drill else ""


def headline(incident: Incident) -> str:
    """`INC-7 SEV2: Claude API is down`, unescaped; for a drill `🔵 DRILL: Claude API is down (INC-7, SEV2)`."""
    if incident.drill:
        return f"🔵 {incident.title} ({incident.name}, {incident.severity})"
    return f"{incident.name} {incident.severity}: {incident.title}"


def state_words(incident: Incident, policy: Policy) -> str:
    """The incident's state in a few words: `Claude API down; claude.ai operational again`."""
    groups: dict[str, list[str]] = {}
    for affected in sorted(incident.affected.values(), key=lambda one: -one.level.rank):
        again = " again" if affected.level is Level.OPERATIONAL and affected.recovered_at else ""
        groups.setdefault(f"{affected.level}{again}", []).append(component_name(policy, affected.id))
    return "; ".join(f"{words(names)} {level}" for level, names in groups.items()) or foreign(incident.title, 120)


def blame(ids: Iterable[str], provider: str, world: World, policy: Policy) -> str:
    """Them or us, as a sentence: `It's Claude, not us.`; empty if no check fails."""
    return blame_for([world.component(id).fault for id in ids], provider, policy)


def blame_for(faults: Iterable[Fault], provider: str, policy: Policy) -> str:
    """The same, from the faults."""
    name, faults = provider_name(policy, provider), set(faults) - {Fault.NONE}
    ours = {
        Fault.OURS_KEY: f"{name} refuses our key",
        Fault.OURS_CONFIG: "our request or its address is wrong",
        Fault.OURS_QUOTA: "our quota is used up",
        Fault.LOCAL: "our own network or machine",
    }
    found = [ours[fault] for fault in Fault if fault in faults and fault in ours]
    if not faults:
        return ""
    if Fault.THEIRS in faults:
        return f"It's {name}" + (f", and partly us: {words(found)}." if found else ", not us.")
    return f"It's us: {words(found)}." if found else f"Not clear yet whether it's {name} or us."


def notices_for(incident: Incident, world: World) -> list[Notice]:
    """The current notices on the vendor's page about an incident's components, newest first."""
    standing = world.provider(incident.provider).notices
    ours = [n for n in standing if not n.components or set(n.components) & set(incident.affected)]
    return sorted(ours, key=lambda n: n.at, reverse=True)


def notice_words(notice: Notice, *, now: datetime | None = None, most: int = 280) -> str:
    """A vendor's words as one line."""
    body, at = foreign(notice.body, most), clock(notice.at, now) if now else when(notice.at)
    return f"“{foreign(notice.title, 160)}” ({foreign(notice.status, 40)}, {at})" + (f": {body}" if body else "")


def page_words(provider: str, notices: list[Notice], world: World, policy: Policy) -> str:
    """What a vendor's page says, or why that is unknown, as a sentence."""
    return stop(_page_words(provider, notices, world, policy))


def _page_words(provider: str, notices: list[Notice], world: World, policy: Policy) -> str:
    state, page = world.provider(provider), page_of(policy, provider)
    said = "; ".join(notice_words(n) for n in notices[:2])
    match state.feed:
        case FeedState.UNKNOWN:
            if not any(c.provider == provider and c.page_url for c in policy.components.values()):
                return f"No status page of {provider_name(policy, provider)} is configured"
            why = foreign(state.feed_reason, 200)
            return f"{page} has not been read" + (f": {why}" if why else " yet")
        case FeedState.STALE:
            why = f"{page} cannot be read ({foreign(state.feed_reason, 200)})"
            return f"{why}; its last word: {said}" if said else f"{why}; before that it showed no problem"
    return f"{page} says {said}" if said else f"{page} shows no problem"


def lag_words(incident: Incident) -> str:
    """The time between the first failure and the vendor's first update; empty if there was none."""
    if incident.vendor.first_at is None:
        return ""
    lag = incident.vendor.first_at - (incident.vendor.outage_began_at or incident.began_at)
    if lag.total_seconds() < 0:
        return f"The vendor spoke {span(-lag)} before we saw a failure."
    return f"The vendor's first word came {span(lag)} after the first failure."


def flag_name(key: str, policy: Policy) -> str:
    """A flag's display name: its key's first part in words, `support chat`, or its whole key if two start alike."""
    flag, part = whole(key), scope_of(key)
    spoken = plain_flag_name(flag, policy)
    name = code(flag) if spoken == flag else foreign(spoken, 60)
    return f"{name} ({foreign(str(part), 130)})" if part else name


def plain_flag_name(key: str, policy: Policy) -> str:
    """The same for plain_text objects, unescaped."""
    return policy.flag_name(key)


def variant_name(flag: FlagPolicy, variant: str) -> str:
    """A variant's display name: its configured alias, else its name."""
    return foreign(plain_variant_name(flag, variant), 60)


def plain_variant_name(flag: FlagPolicy, variant: str) -> str:
    """The same for plain_text objects, unescaped."""
    return flag.called(variant)
