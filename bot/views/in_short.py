"""Short answers to questions to the bot: one line of facts about each thing that was meant.

The lead is named, not mentioned: a question should notify nobody.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.decide.cadence import next_update_at
from bot.core.model import Level
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.ports import Message
from bot.views.blocks import section
from bot.views.component_messages import blind_line
from bot.views.flags.serving import serving
from bot.views.incident.ending import over_words
from bot.views.incident.head import icon
from bot.views.limits import fit
from bot.views.names import ICONS, blame, component_name, flag_name, provider_name, variant_name
from bot.views.text import capital, clock, code, count, foreign, plain, span, spoken, stop, words

MOST_LINES = 3
PUSH_WORDS = 30
SENTENCE_END = re.compile(r"(?<=[.!?]) ")
MOST_FLAGS = 2
MOST_NAMED = 4

CAN_ANSWER = "Ask me `is Claude down?`, `what's broken?` or `INC-7`. What I can do is in `/incident help` and `/fallback help`."
NOT_UNDERSTOOD = f"I did not understand that. {CAN_ANSWER}"


def reply(lines: Sequence[str], world: World, now: datetime, *, more: int = 0) -> Message:
    """The lines as a message; while we are blind it says so first. `more` is how many were left out."""
    shown = [f"⚪ {blind}"] if (blind := blind_line(world, now)) else []
    shown += lines[:MOST_LINES]
    left = len(lines) - MOST_LINES + more
    shown += [f"{left} more: `/health` shows all."] if left > 0 else []
    return fit(Message(_in_brief(spoken(shown[0])), (section("\n".join(shown)),)))


def _in_brief(line: str) -> str:
    """As many of its complete sentences as a notification shows."""
    first, *rest = SENTENCE_END.split(line)
    for sentence in rest:
        if len(f"{first} {sentence}".split()) > PUSH_WORDS:
            break
        first = f"{first} {sentence}"
    return first


def slash_word(usage: str) -> str:
    """The answer to a request for a change, which needs a slash command."""
    return f"I only answer questions here. Type {code(usage, 200)} for that."


def unknown_incident(number: int) -> str:
    """There is no such incident."""
    return f"There is no INC-{number}. `/incident list all` shows every one."


def component_line(
    name: str, components: Sequence[str], world: World, policy: Policy, now: datetime, failed_at: datetime | None = None
) -> str:
    """A provider or component: `🔴 *Claude API is down* (since 03:00, SEV2, INC-7, lead ana). It's Claude, not us. …`

    `name` is what was asked for, ready for mrkdwn; `failed_at` when the last failure ended, if nothing fails now.
    """
    bad = [c for c in components if world.component(c).level.bad]
    unknown = [c for c in components if world.component(c).level is Level.UNKNOWN]
    incident = next((i for c in (*bad, *components) if (i := world.concerned(c))), None)
    if not bad and unknown:
        return _unknown(name, components, unknown, world, policy)
    if not bad:
        return _well(name, incident, now, failed_at)
    worst = max((world.component(c).level for c in bad), key=lambda level: level.rank)
    states = [(level, [c for c in bad if world.component(c).level is level]) for level in (Level.DOWN, Level.DEGRADED)]
    said = ", ".join(f"{_names(ids, policy)} {_are(ids)} {level}" for level, ids in states if ids)
    began = min((at for c in bad if (at := world.component(c).began_at or world.component(c).since)), default=None)
    details = [f"since {clock(began, now)}"] if began else []
    details += [_of_incident(incident)] if incident else []
    about = f" ({', '.join(details)})" if details else ""
    whose = blame(bad, policy.components[bad[0]].provider, world, policy)
    parts = [f"{ICONS[worst]} *{said}*{about}.", whose, *_served(bad, world, policy, now), _next(incident, policy, now)]
    return " ".join(part for part in parts if part)


def incident_line(incident: Incident, policy: Policy, now: datetime) -> str:
    """`🔴 *INC-7: Claude API is down* (since 03:00, SEV2, investigating, lead ana). #inc-… Next update by 05:00.`"""
    if not incident.phase.open:
        return f"{icon(incident)} {stop(over_words(incident))}"
    title = f"{icon(incident)} *{incident.name}: {foreign(incident.title, 120)}*"
    where = f", in <#{incident.room.channel}>" if incident.room.channel else ""
    about = f"(since {clock(incident.began_at, now)}, {incident.severity}, {incident.phase}, {lead_words(incident)}){where}."
    return " ".join(part for part in (title, about, _next(incident, policy, now)) if part)


def everything(world: World, policy: Policy, now: datetime) -> list[str]:
    """What is wrong, worst first: each provider, and each incident that no check sees; else that all is well."""
    providers: dict[str, list[str]] = {}
    for component in policy.components.values():
        providers.setdefault(component.provider, []).append(component.id)
    bad = {id: worst for id, ids in providers.items() if (worst := max(world.component(c).level.rank for c in ids)) >= 2}
    lines = [
        component_line(provider_name(policy, id), providers[id], world, policy, now)
        for id in sorted(bad, key=lambda id: -bad[id])
    ]
    told = {i.number for id in bad for c in providers[id] if world.component(c).level.bad and (i := world.concerned(c))}
    lines += [incident_line(i, policy, now) for i in world.open_incidents() if i.number not in told]
    return lines or [f"{all_well(world, policy)} No incident is open."]


def all_well(world: World, policy: Policy) -> str:
    """Nothing fails."""
    every = len(policy.components)
    unknown = [c for c in policy.components if world.component(c).level is Level.UNKNOWN]
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        return f"⚪ {_names(unknown, policy)} {verb} unknown, {every - len(unknown)} operational."
    return f"🟢 {'The only component is' if every == 1 else f'All {every} components are'} operational."


def _well(name: str, incident: Incident | None, now: datetime, failed_at: datetime | None) -> str:
    if incident:
        return f"🟢 *{name} is operational*; {_of_incident(incident)} is still open ({incident.phase})."
    last = f"; last failure {_ago(now - failed_at)} ago" if failed_at else ""
    return f"🟢 *{name} is operational*{last}."


def _ago(length: timedelta) -> str:
    """Rounded to what matters: `12 min`, `3 h`, `9 d`."""
    hours = round(length.total_seconds() / 3600)
    return span(length) if hours < 1 else f"{hours} h" if hours < 48 else f"{round(hours / 24)} d"


def _unknown(name: str, components: Sequence[str], unknown: Sequence[str], world: World, policy: Policy) -> str:
    whose = blame(unknown, policy.components[unknown[0]].provider, world, policy)
    said = name if len(unknown) == len(components) else _names(unknown, policy)
    well = "" if len(unknown) == len(components) else f" {count(len(components) - len(unknown), 'other')} operational."
    why = whose or stop(capital(foreign(world.component(unknown[0]).reason, 120)))
    return f"⚪ *{said} {'is' if said == name else _are(unknown)} unknown*. {why}{well}"


def _served(bad: Sequence[str], world: World, policy: Policy, now: datetime) -> list[str]:
    """Whether the customers behind it are served; those who are not come first."""
    fares = [
        one
        for flag in policy.flags.values()
        if set(bad) & set(flag.depends_on) and (one := customers_of(flag, world, policy, now))
    ]
    shown = [words for _, words in sorted(fares, key=lambda one: one[0])]
    more = len(shown) - MOST_FLAGS
    return [*shown[:MOST_FLAGS], *([f"{count(more, 'more flag')}: `/fallback status`."] if more > 0 else [])]


def customers_of(flag: FlagPolicy, world: World, policy: Policy, now: datetime) -> tuple[bool, str] | None:
    """Whether its customers are served, and the sentence about it; None if it is on its default."""
    found, engagement = serving(flag, world, policy, now), world.flag(flag.key).engagement
    if found and not found.served:
        return False, capital(stop(found.words))
    if engagement is None:
        return None
    if engagement.all_back:
        return True, f"{capital(flag_name(flag.key, policy))} is back on {variant_name(flag, flag.default)}."
    share = f"{engagement.share} % " if engagement.share_back else ""
    return True, f"{capital(flag_name(flag.key, policy))} is served {share}by {variant_name(flag, engagement.variant)}."


def _of_incident(incident: Incident) -> str:
    return f"{incident.severity}, {incident.name}, {lead_words(incident)}"


def lead_words(incident: Incident) -> str:
    people = incident.people
    if people.lead:
        return f"lead {_called(people.lead.name or people.lead.id)}"
    return f"acknowledged by {_called(people.acknowledged_by.name)}" if people.acknowledged_by else "nobody has acknowledged it"


def _called(name: str) -> str:
    return foreign(plain(name, 40))


def _next(incident: Incident | None, policy: Policy, now: datetime) -> str:
    due = next_update_at(incident, policy) if incident else None
    return f"Next update by {clock(due, now)}." if due else ""


def _names(ids: Sequence[str], policy: Policy) -> str:
    return words([component_name(policy, id) for id in ids], most=MOST_NAMED)


def _are(ids: Sequence[str]) -> str:
    return "is" if len(ids) == 1 else "are"
