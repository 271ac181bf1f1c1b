"""Every kind of message and form in this configuration's words, from an imagined outage of its longest-named component.

`understudy doctor` asks Slack whether it accepts them, so that a name that is too long shows before the first incident.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.core import signals as s
from bot.core.decide.step import step
from bot.core.model import Actor, Fault, Level, Phase, Verdict
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.world import World
from bot.ports import Message
from bot.views.flags.board import flag_status
from bot.views.health import board
from bot.views.incident import forms
from bot.views.incident.alert import alert
from bot.views.incident.briefing import briefing
from bot.views.incident.card import card, runbook
from bot.views.incident.evidence import evidence
from bot.views.incident.lists import incident_list, incident_show
from bot.views.incident.updates import summary, update
from bot.views.scene import Scene

WATCH, OPERATOR = Actor.rule("detector"), Actor.operator("doctor")
REASON = "3 of 3 checks failed in 14 s: HTTP 504"
WORDS = "We serve from the fallback; the vendor's support says that a database failed over. " * 3


class _Imagined:
    """A world with an open incident, by the real rules, in memory."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        self.policy, self.now = policy, now
        self.world, self.facts = World(), list[Fact]()

    def hears(self, signal: s.Signal) -> None:
        decided = step(self.world, signal, self.now, self.policy)
        self.world = decided.world
        self.facts += decided.facts
        self.now += timedelta(minutes=5)

    def scene(self, number: int) -> Scene:
        return Scene(self.world.incidents[number], self.world, self.policy, self.now)


def messages(policy: Policy, now: datetime) -> Iterator[tuple[str, Message]]:
    """Each message, with its name."""
    world = _failing(policy, now)
    scene = world.scene(1)
    yield "alert", alert(scene)
    yield "evidence", evidence(scene)
    yield "card", card(scene)
    steps = runbook(scene.incident, policy, tuple(scene.incident.affected))
    if steps:
        yield "runbook", steps
    yield "update", update(scene, slot=1, text=WORDS, missed=1, since_facts=world.facts, author=OPERATOR)
    yield "briefing", briefing(scene)
    yield "/health", board(scene.world, policy, scene.now, {})
    yield "/fallback status", flag_status(scene.world, policy, scene.now, {})
    yield "/incident list", incident_list(scene.world, policy, scene.now)
    yield "/incident show", incident_show(scene)
    world.hears(s.SetPhase(actor=OPERATOR, incident=1, phase=Phase.RESOLVED, reason=WORDS, force=True))
    yield "summary", summary(world.scene(1), world.facts)


def views(policy: Policy, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each form, with its name."""
    world = _failing(policy, now)
    scene = world.scene(1)
    yield "form: declare", forms.declare_modal([scene.incident], policy)
    yield "form: update", forms.update_modal(scene, world.facts)
    yield "form: resolve", forms.resolve_modal(scene)
    yield "form: severity", forms.severity_modal(scene.incident)
    yield "form: roles", forms.role_modal(scene.incident, policy.incidents, "U0DOCTOR")
    yield "form: not an incident", forms.cancel_modal(scene)
    if scene.flags_away:
        yield "form: switch back", forms.switch_back_modal(scene)


def _failing(policy: Policy, now: datetime) -> _Imagined:
    """INC-1, acknowledged: the component with the longest name fails, and all others of its provider. There may be none."""
    world = _Imagined(policy, now - timedelta(hours=1))
    longest = max(policy.components.values(), key=lambda one: len(one.name), default=None)
    ours = [one.id for one in policy.components.values() if longest and one.provider == longest.provider]
    for id in ours:
        verdict = Verdict(id, Level.DOWN, REASON, Fault.THEIRS, ("inference: status 504",), world.now)
        world.hears(s.VerdictReached(actor=WATCH, verdict=verdict))
    if not world.world.incidents:
        world.hears(s.Declare(actor=OPERATOR, title="Customers see errors", components=tuple(ours)))
    world.hears(s.Acknowledge(actor=OPERATOR, incident=1))
    return world
