"""A step in the making: facts and effects are collected while the world already moves along with them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.answers.base import Answer, Done, Refused
from bot.core.decide.broadcasting import replied, to_begin, to_keep
from bot.core.decide.feeding import gone, to_feed
from bot.core.effects import (
    About,
    EditAlert,
    EditBroadcast,
    EditCard,
    EditEvidence,
    Effect,
    EffectBody,
    FeedSink,
    InvitePeople,
    PostAlert,
    PostBroadcast,
    PostCard,
    PostLine,
    ReplyBroadcast,
    SetTopic,
    To,
    UploadExport,
    effect,
)
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind
from bot.core.policy import Policy
from bot.core.record.course.merge_facts import PartSwitched
from bot.core.record.fact import Body, Fact, OfFlag
from bot.core.record.flag_facts import Engaged, Released
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import Declared, ResponderJoined
from bot.core.record.room.room_facts import BroadcastBegun, Repaired
from bot.core.record.sinks.sink_facts import SinkLeft, SinkOrdered
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.core.signals import Signal


@dataclass(frozen=True)
class Step:
    """The result of a signal: the new world, facts to append, effects to queue, and the answer to the sender."""

    world: World
    facts: tuple[Fact, ...]
    effects: tuple[Effect, ...]
    answer: Answer


class Draft:
    """Collects one signal's facts and effects; each fact changes `world` at once, so later rules see it."""

    def __init__(self, world: World, policy: Policy, now: datetime, actor: Actor) -> None:
        self.world = world
        self.policy = policy
        self.now = now
        self.actor = actor
        self.facts: list[Fact] = []
        self.effects: list[Effect] = []
        self._touched: dict[int, Fact] = {}
        self._evidence: dict[int, Fact] = {}

    def add(
        self, stream: str, body: Body, *, incident: int | None = None, actor: Actor | None = None, told: bool = True
    ) -> Fact:
        """Append a fact, and unless told otherwise queue the line that tells the channel."""
        if incident is None and stream.startswith("incident/"):
            incident = int(stream.partition("/")[2])
        fact = Fact(stream, self.world.seqs.get(stream, 0) + 1, self.now, actor or self.actor, incident, body)
        self.facts.append(fact)
        self.world = evolve(self.world, fact)
        if incident is not None and not body.BOOKKEEPING:
            self._touched[incident] = fact
        if incident is not None and body.EVIDENCE:
            self._evidence[incident] = fact
        if told and body.ANNOUNCED:
            self.tell(fact)
        if incident is not None and body.pushed():
            self.send(PostLine(To.THREAD), fact)
        return fact

    def tell(self, fact: Fact) -> None:
        """Queue the line about a fact: for the incident's channel, or for the ops channel if there is no incident."""
        # Nobody watches the channel of a finished incident, so only lines about the incident itself go there.
        there = fact.incident in self.world.running or fact.stream == f"incident/{fact.incident}"
        self.send(PostLine(To.INCIDENT if there else To.OPS), fact)

    def send(self, body: EffectBody, fact: Fact) -> None:
        """Queue an effect caused by `fact`."""
        self.effects.append(effect(body, About(fact.stream, fact.seq, fact.incident)))

    def send_again(self, body: EffectBody, about: About, order: Fact) -> None:
        """Queue an effect that was, or may have been, queued for an earlier fact; `order` asks for the repeat."""
        self.effects.append(effect(body, about, again=order.seq))

    def incident(self, number: int) -> Incident:
        """The incident as this draft has it so far."""
        return self.world.incidents[number]

    def done(self, answer: Done) -> Step:
        """Finish with a success, and refresh alert, card and topic of every incident that was touched.

        A person who acts in an open incident becomes a responder.
        """
        self._tell_parts()
        if any(isinstance(fact.body, OfFlag) for fact in self.facts):
            self.feed_sinks()
        for number in list(self._touched):
            self._note_responder(self.incident(number))
        for number, fact in self._touched.items():
            self._refresh(number, fact)
            self._broadcast(number, fact)
        # An upload takes several calls and may wait for long; the topic should be up to date before that.
        self.effects.sort(key=lambda one: isinstance(one.body, UploadExport))
        return Step(self.world, tuple(self.facts), tuple(self.effects), replace(self._named(answer), changed=bool(self.facts)))

    def refuse(self, answer: Refused) -> Step:
        """Finish with a refusal. Nothing may have been added before."""
        if self.facts:
            raise RuntimeError(f"refused ({answer.KIND}) after facts were drafted: {[fact.kind for fact in self.facts]}")
        return Step(self.world, (), (), self._named(answer))

    def _named(self, answer: Answer) -> Answer:
        """The answer with the display name of its flag."""
        return replace(answer, flag_name=self.policy.flag_name(answer.flag)) if answer.flag else answer

    def feed_sinks(self) -> None:
        """Queue an order for every sink whose flag now serves something else; the outbox retries until the sink follows.

        A sink that left the configuration while it held a fallback is reported to people instead.
        """
        for flag, sink, wanted in list(to_feed(self.world, self.policy)):
            moved = [fact for fact in self.facts if fact.stream == f"flag/{flag.key}"]
            engagement = self.world.flag(flag.key).engagement
            incident = moved[-1].incident if moved else engagement.incident if engagement else None
            order = SinkOrdered(flag.key, sink.id, wanted.variant, wanted.share_back)
            known = incident if incident in self.world.incidents else None
            fact = self.add(f"sink/{flag.key}/{sink.id}", order, incident=known)
            # No incident: its outcome is told by rules of its own.
            self.send(FeedSink(flag.key, sink.id), replace(fact, incident=None))
        for state in list(gone(self.world, self.policy)):
            if not state.left:
                left = SinkLeft(state.flag, state.sink, state.holds, state.is_sure)
                known = state.incident if state.incident in self.world.incidents else None
                self.add(f"sink/{state.id}", left, incident=known, told=state.is_ours)

    def _tell_parts(self) -> None:
        """Record in merged incidents which variants their own flags serve now."""
        for fact in list(self.facts):
            match fact.body:
                case Engaged(flag=flag, variant=variant):
                    self._tell_parts_of(fact, PartSwitched(flag, variant))
                case Released(flag=flag):
                    self._tell_parts_of(fact, PartSwitched(flag, ""))

    def _tell_parts_of(self, fact: Fact, switched: PartSwitched) -> None:
        holder, policy = self.world.incidents.get(fact.incident or 0), self.policy.flag(switched.flag)
        for number in holder.parts if holder and policy else ():
            part = self.world.incidents.get(number)
            mine = part is not None and part.merged is not None and part.merged.number == fact.incident
            if part and policy and mine and set(policy.depends_on) & set(part.affected):
                self.add(part.stream, switched, actor=fact.actor)

    def _note_responder(self, incident: Incident) -> None:
        """Record and invite without a line: what they did is told anyway. Declaring, reporting or repairing is not helping."""
        known = {person.id for person in incident.people.everybody}
        if self.actor.kind is not ActorKind.PERSON or self.actor.id in known or not incident.phase.open:
            return
        own = [fact for fact in self.facts if fact.incident == incident.number and fact.actor == self.actor]
        acted = [fact for fact in own if fact.stream == incident.stream or isinstance(fact.body, OfFlag)]
        if acted and not any(isinstance(fact.body, Declared | Repaired) for fact in own):
            fact = self.add(incident.stream, ResponderJoined(), told=False)
            if not any(isinstance(one.body, InvitePeople) and one.incident == incident.number for one in self.effects):
                self.send(InvitePeople(), fact)

    def _refresh(self, number: int, fact: Fact) -> None:
        """Edits in place. Each has a slot, so only the newest of several pending edits is made."""
        incident = self.incident(number)
        queued = {type(effect.body) for effect in self.effects if effect.incident == number}
        if PostAlert not in queued:
            self.send(EditAlert(), fact)
            if number in self._evidence:
                self.send(EditEvidence(), self._evidence[number])
        if PostCard not in queued:
            self.send(EditCard(), fact)
            if incident.room.channel:
                self.send(SetTopic(), fact)

    def _broadcast(self, number: int, fact: Fact) -> None:
        """The message for people outside the incident: posted once, then kept up to date, with replies for what is told."""
        kept = to_keep(self.incident(number))
        for channel in to_begin(self.incident(number), self.policy):
            self.send(PostBroadcast(channel), self.add(f"incident/{number}", BroadcastBegun(channel), told=False))
        for channel in kept:
            self.send(EditBroadcast(channel), fact)
            for said in replied(self.facts, number):
                self.send(ReplyBroadcast(channel), said)


# Each family of rules exports `HANDLERS`: which function handles which kind of signal.
Handlers = Mapping[type[Signal], Callable[[Draft, Any], Step]]
