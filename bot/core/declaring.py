"""A person declares an incident, or joins the one that is open for the same thing already."""

import re
from collections.abc import Iterator

from bot.core import answers as a
from bot.core import facts as f
from bot.core.alarm import lift
from bot.core.draft import Draft, Handlers, Step
from bot.core.effects import InvitePeople
from bot.core.failover import react
from bot.core.incident import declare
from bot.core.model import Policy
from bot.core.signals import Declare, Join
from bot.core.state import Incident


def on_declare(draft: Draft, signal: Declare) -> Step:
    """Open an incident. Where one is open for the provider that is meant, the declarer is pointed to it, unless `separate`."""
    title, policy = signal.title.strip(), draft.policy
    if not title:
        return draft.refuse(a.NoWords(of=a.Words.TITLE))
    unknown = [c for c in signal.components if c not in policy.components]
    if unknown:
        return draft.refuse(a.NoComponent(component=unknown[0], known=tuple(sorted(policy.components))))
    providers = {policy.components[c].provider for c in signal.components}
    if len(providers) > 1:
        return draft.refuse(a.TwoProviders())
    meant = sorted(providers) or list(named(policy, title))
    existing = next((found for provider in meant if (found := draft.world.open_for(provider))), None)
    if existing and not signal.separate:
        return draft.refuse(_open_already(draft, meant, existing.number))
    # One of its own beside the one that is open: the verdicts go into that one, people tell how this one goes.
    alone = existing is not None or len(meant) != 1
    components = () if existing else signal.components
    bad = [c for c in components if draft.world.component(c).level.bad]
    began = [draft.world.component(c).began_at for c in bad]
    incident = declare(
        draft, title=title, severity=signal.severity, components=components,
        dedup=f"declared/{draft.world.last_incident + 1}" if alone else meant[0], provider="" if alone else meant[0],
        began_at=min((at for at in began if at), default=draft.now), reason=f"declared by {signal.actor.name}",
    )  # fmt: skip
    _take_in(draft)
    return draft.done(a.Declared(incident=incident.number, title=title, channel_name=incident.channel_name))


def _take_in(draft: Draft) -> None:
    """What fails of the same provider, and was told nowhere since its own incident was ended, joins at once."""
    before = len(draft.facts)
    lift(draft)
    if len(draft.facts) > before:
        react(draft)


def _open_about(draft: Draft, meant: list[str]) -> list[tuple[str, Incident]]:
    """Each open incident with the provider that it is about: the provider's own first, then those beside it that name it."""
    found: dict[int, tuple[str, Incident]] = {}
    for provider in meant:
        own = draft.world.open_for(provider)
        beside = (i for i in draft.world.open_incidents() if not i.provider)
        about = [i for i in beside if provider in named(draft.policy, i.title)]
        for incident in [*([own] if own else []), *about]:
            found.setdefault(incident.number, (provider, incident))
    return list(found.values())


def _open_already(draft: Draft, meant: list[str], number: int) -> a.OpenAlready:
    """What is open for each provider that is meant, and for which of them nothing is."""
    names, found = {c.provider: c.provider_name for c in draft.policy.components.values()}, _open_about(draft, meant)
    ones = tuple(a.OpenOne(i.number, i.title, names[provider], _place(i)) for provider, i in found)
    free = tuple(names[provider] for provider in meant if not any(provider == about for about, _ in found))
    return a.OpenAlready(incident=number, open=ones, free=free)


def _place(incident: Incident) -> a.Place:
    return a.Place(incident.channel, incident.channel_name) if incident.channel else a.Place()


def named(policy: Policy, text: str) -> Iterator[str]:
    """The providers whose name or id, or that of a component of theirs, stands in a text as a word of its own."""
    seen: set[str] = set()
    for component in policy.components.values():
        names = (component.provider, component.provider_name, component.id, component.name)
        if component.provider not in seen and any(_stands_in(text, name) for name in names):
            seen.add(component.provider)
            yield component.provider


def _stands_in(text: str, name: str) -> bool:
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def on_join(draft: Draft, signal: Join) -> Step:
    """A person comes to help: invited into the channel, and on record."""
    incident = draft.incident(signal.incident)
    if not incident.phase.open:
        return draft.refuse(a.Over(incident=incident.number, phase=incident.phase, wanted=a.Wanted.JOIN))
    if signal.actor in incident.responders:
        return draft.refuse(a.JoinedBefore(incident=incident.number, place=_place(incident)))
    fact = draft.add(incident.stream, f.ResponderJoined())
    draft.send(InvitePeople(), fact)
    return draft.done(a.Joined(incident=incident.number, place=_place(incident)))


HANDLERS: Handlers = {Declare: on_declare, Join: on_join}
