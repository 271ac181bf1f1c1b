"""A person declares an incident, or is pointed to the open one for the same thing."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.answers import base
from bot.core.answers import incident as a
from bot.core.decide.alerting.alarm import lift
from bot.core.decide.alerting.suppression import look
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.automation import react
from bot.core.decide.flags.mitigation import carry_over
from bot.core.decide.incident.alike import maybe_alike
from bot.core.decide.incident.naming import TITLE_CHARS
from bot.core.decide.phases import declare
from bot.core.effects import InvitePeople
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import NoteAdded, ResponderJoined
from bot.core.record.room.room_facts import ChannelOpened
from bot.core.signals import Declare, Join

OLDEST = timedelta(days=30)  # incidents that ended earlier are not loaded for decisions (`record.recent`)
CLOCKS_DIFFER = timedelta(minutes=1)  # tolerance for times given to the minute and for clocks that run ahead
JUST_NOW = timedelta(minutes=30)  # two people who report one problem in different words do so within this time


def on_declare(draft: Draft, signal: Declare) -> Step:
    """Open an incident. If one is open for the provider meant, point the declarer to it instead, unless `separate`.

    A title that names no provider is compared with titles declared just now: a similar one is pointed to, others are
    mentioned.
    """
    words, policy = signal.title.strip(), draft.policy
    title = _shortened(" ".join(words.split()))
    if not title:
        return draft.refuse(base.NoWords(of=base.Words.TITLE))
    unknown = [c for c in signal.components if c not in policy.components]
    if unknown:
        return draft.refuse(base.NoComponent(component=unknown[0], known=tuple(sorted(policy.components))))
    if wrong := _wrong_time(signal, draft.now):
        return draft.refuse(wrong)
    if taken := _taken(draft, signal.channel):
        return draft.refuse(a.ChannelTaken(incident=taken.number))
    room = ChannelOpened(signal.channel, signal.channel_name, converted=True) if signal.channel else None
    providers = {policy.components[c].provider for c in signal.components}
    if len(providers) > 1:
        return draft.refuse(a.TwoProviders())
    meant = sorted(providers) or list(named(policy, words))
    existing = next((found for provider in meant if (found := draft.world.open_for(provider))), None)
    fresh = [] if meant else _declared_just_now(draft)
    about = _open_about(draft, meant) if meant else [(provider, i) for provider, i in fresh if maybe_alike(words, i.title)]
    over_at = min(signal.ended_at, draft.now) if signal.ended_at else None
    if over_at is not None:
        about = [(provider, i) for provider, i in about if i.began_at <= over_at]  # one that began later is a different problem
        if _apart(signal, about):
            return _declare_past(draft, signal, title, words, over_at, room)
    if not _apart(signal, about):
        first = existing if existing and any(i is existing for _, i in about) else about[0][1]
        return draft.refuse(_open_already(draft, meant, about, first))
    # Opened beside an existing one: verdicts go to that one, and people report how this one goes.
    alone = existing is not None or len(meant) != 1
    components = signal.components if alone else (*signal.components, *_failing_too(draft, meant[0], signal.components))
    components = () if existing else components
    bad = [c for c in components if draft.world.component(c).level.bad]
    began = [draft.world.component(c).began_at for c in bad]
    incident = declare(
        draft, title=title, severity=signal.severity, components=components,
        dedup=f"declared/{draft.world.last_incident + 1}" if alone else meant[0], provider="" if alone else meant[0],
        began_at=min([at for at in [*began, signal.began_at] if at], default=draft.now),
        backdated=signal.began_at is not None, reason=f"declared by {signal.actor.name}", room=room,
    )  # fmt: skip
    _keep_words(draft, incident, words)
    carry_over(draft)
    _take_in(draft)
    beside = () if signal.separate or signal.warned else tuple(_open_one(draft, "", other) for _, other in fresh)
    return draft.done(replace(_declared(draft, incident, signal), beside=beside))


def _apart(signal: Declare, about: Collection[tuple[str, Incident]]) -> bool:
    """Whether it is opened beside what is open about it: nothing is, or whoever declares it was told of all that is."""
    return signal.separate or all(one.number in signal.warned for _, one in about)


def _declare_past(draft: Draft, signal: Declare, title: str, words: str, over_at: datetime, room: ChannelOpened | None) -> Step:
    """Record what was over before anybody declared it, with its own times; only people change it."""
    incident = declare(
        draft, title=title, severity=signal.severity, components=signal.components, over_at=over_at, backdated=True,
        dedup=f"declared/{draft.world.last_incident + 1}", began_at=signal.began_at or over_at,
        reason=f"declared by {signal.actor.name}", room=room,
    )  # fmt: skip
    _keep_words(draft, incident, words)
    return draft.done(_declared(draft, incident, signal))


def _declared(draft: Draft, incident: Incident, signal: Declare) -> a.Declared:
    at = draft.now if signal.began_at else None
    return a.Declared(
        incident=incident.number, title=incident.title, channel_name=incident.room.name, at=at, began_at=signal.began_at,
        ended_at=signal.ended_at, channel=signal.channel,
    )  # fmt: skip


def _taken(draft: Draft, channel: str) -> Incident | None:
    """The incident that has or had this channel."""
    return next((i for i in draft.world.incidents.values() if channel and i.room.channel == channel), None)


def _keep_words(draft: Draft, incident: Incident, words: str) -> None:
    if len(words) > TITLE_CHARS:
        draft.add(incident.stream, NoteAdded(words))


def _wrong_time(signal: Declare, now: datetime) -> a.CannotHaveBeen | None:
    """Why the given times are impossible; None if they are possible."""
    began, ended = signal.began_at, signal.ended_at
    if began is None:
        return _cannot(a.WrongTime.NO_BEGINNING, ended) if ended else None
    for at in (began, ended):
        if at and at > now + CLOCKS_DIFFER:
            return _cannot(a.WrongTime.FUTURE, at)
    if began < now - OLDEST:
        return _cannot(a.WrongTime.TOO_OLD, began)
    return _cannot(a.WrongTime.BACKWARDS, ended) if ended and ended <= began else None


def _cannot(why: a.WrongTime, at: datetime) -> a.CannotHaveBeen:
    return a.CannotHaveBeen(why=why, at=at, days=OLDEST.days)


def _shortened(title: str) -> str:
    """The title cut to its maximum length; the full text, such as a pasted log, becomes a note."""
    return title if len(title) <= TITLE_CHARS else f"{title[: TITLE_CHARS - 1].rstrip()}…"


def _take_in(draft: Draft) -> None:
    """Add the provider's other failing components that were told nowhere, because a person ended their incident."""
    before = len(draft.facts)
    lift(draft)
    if len(draft.facts) > before:
        react(draft)


def _failing_too(draft: Draft, provider: str, named: tuple[str, ...]) -> list[str]:
    """The provider's other failing components, unless silenced on purpose: told in a quiet thread or not at all so far."""

    def joins(id: str) -> bool:
        quiet = look(draft.world, draft.policy, id, draft.now)
        return draft.world.component(id).level.bad and not (quiet and quiet.planned)

    return sorted(
        c.id for c in draft.policy.components.values() if c.provider == provider and c.id not in named and joins(c.id)
    )


def _open_about(draft: Draft, meant: list[str]) -> list[tuple[str, Incident]]:
    """Each open incident about these providers, with its provider: the provider's own first, then others that name it."""
    found: dict[int, tuple[str, Incident]] = {}
    for provider in meant:
        own = draft.world.open_for(provider)
        beside = (i for i in draft.world.open_incidents() if not i.provider)
        about = [i for i in beside if provider in named(draft.policy, i.title)]
        for incident in [*([own] if own else []), *about]:
            found.setdefault(incident.number, (provider, incident))
    return list(found.values())


def _declared_just_now(draft: Draft) -> list[tuple[str, Incident]]:
    """Open incidents that people declared in the last half hour without naming a provider, newest first."""
    fresh = (i for i in draft.world.open_incidents() if not i.provider and draft.now - i.declared_at < JUST_NOW)
    free = [i for i in fresh if not i.affected and not named(draft.policy, i.title)]
    return [("", i) for i in sorted(free, key=lambda i: i.number, reverse=True)]


def _open_already(draft: Draft, meant: list[str], found: list[tuple[str, Incident]], first: Incident) -> a.OpenAlready:
    """What is open for each of these providers, and which of them have nothing open."""
    ones = tuple(_open_one(draft, provider, i) for provider, i in found)
    free = tuple(_name(draft, provider) for provider in meant if not any(provider == about for about, _ in found))
    return a.OpenAlready(incident=first.number, open=ones, free=free)


def _open_one(draft: Draft, provider: str, incident: Incident) -> a.OpenOne:
    return a.OpenOne(incident.number, incident.title, _name(draft, provider), _place(incident))


def _name(draft: Draft, provider: str) -> str:
    return next((c.provider_name for c in draft.policy.components.values() if c.provider == provider), "")


def _place(incident: Incident) -> a.RoomRef:
    return a.RoomRef(incident.room.channel, incident.room.name) if incident.room.channel else a.RoomRef()


def named(policy: Policy, text: str) -> tuple[str, ...]:
    """The providers named in a text, by their own name or id or by that of a component."""
    names: dict[str, set[str]] = {}
    for component in policy.components.values():
        own = {component.provider, component.provider_name, component.id, component.name}
        names[component.provider] = names.get(component.provider, set()) | own
    return whose_names_appear(text, names)


def whose_names_appear(text: str, names: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The keys of which a name appears in a text as a separate word, in any case.

    The longest name wins: `Azure OpenAI` is not `OpenAI`.
    """
    spans = {key: {span for name in own for span in _spans(text, name)} for key, own in names.items()}
    every = set().union(*spans.values())
    return tuple(key for key, own in spans.items() if any(not _inside_a_longer(span, every) for span in own))


def _spans(text: str, name: str) -> set[tuple[int, int]]:
    pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
    return {match.span() for match in re.finditer(pattern, text, re.IGNORECASE)} if name else set()


def _inside_a_longer(span: tuple[int, int], every: set[tuple[int, int]]) -> bool:
    return any(other != span and other[0] <= span[0] and span[1] <= other[1] for other in every)


def on_join(draft: Draft, signal: Join) -> Step:
    """A person comes to help: invite them into the channel, and record it."""
    incident = draft.incident(signal.incident)
    if not incident.phase.open:
        return draft.refuse(a.Over(incident=incident.number, phase=incident.phase, wanted=a.Wanted.JOIN))
    if signal.actor in incident.people.responders:
        return draft.refuse(a.JoinedBefore(incident=incident.number, place=_place(incident)))
    fact = draft.add(incident.stream, ResponderJoined())
    draft.send(InvitePeople(), fact)
    return draft.done(a.Joined(incident=incident.number, place=_place(incident)))


HANDLERS: Handlers = {Declare: on_declare, Join: on_join}
