"""An incident's title until a person sets one: its provider, and which of its components fail."""

from collections.abc import Collection

from bot.core.decide.channel_names import channel_name
from bot.core.decide.draft import Draft
from bot.core.model import Actor, ActorKind, Level
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import TitleChanged

TITLE_RULE = Actor.rule("title")
DRILL_TITLE = "DRILL: "  # the start of a drill's title, whoever sets it
DRILL_CHANNEL = "drill-{date}-{number}-{slug}"


def title_of(policy: Policy, components: Collection[str], level: Level) -> str:
    """`Claude API is down`; if more of the provider fails, `Claude is down (API, web)`; with two providers, both."""
    known = [one for id, one in policy.components.items() if id in components]  # configured order, the same after a restart
    if len(known) == 1:
        return f"{known[0].name} is {level}"
    if len({one.provider for one in known}) > 1:
        return f"{', '.join(one.name for one in known[:-1])} and {known[-1].name} are {level}"
    provider = known[0].provider_name
    parts = (one.name.removeprefix(provider).strip() or one.name for one in known)
    return f"{provider} is {level} ({', '.join(parts)})"


def follow(draft: Draft, number: int) -> None:
    """Update the title after a component joins or gets worse. It never shrinks, since the post-mortem bears it."""
    incident = draft.incident(number)
    if incident.named_by_person:
        return
    worst = max((one.level for one in incident.failing), key=lambda level: level.rank)
    title = title_of(draft.policy, incident.affected, worst)
    if title != incident.title:
        draft.add(incident.stream, TitleChanged(incident.title, title), actor=TITLE_RULE, told=False)


def name_channel(policy: Policy, incident: Incident, attempt: int = 1) -> str:
    """The part of the channel name that says what it is about: the provider, or a person's words. A drill is marked."""
    words, template = policy.provider_name(incident.provider), policy.incidents.channel_name
    if incident.drill:
        template = DRILL_CHANNEL
    elif not incident.provider or incident.declared_by.kind is not ActorKind.RULE:
        words = incident.title
    return channel_name(template, incident.number, words, incident.declared_at, attempt)
