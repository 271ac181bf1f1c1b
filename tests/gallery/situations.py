"""Incidents in situations that the outage story does not reach."""

from dataclasses import replace
from datetime import timedelta

from bot.core.effects import PostAlert
from bot.core.model import COMMUNICATIONS, LEAD, Actor, Fault, FeedState, Level, Phase, Severity
from bot.core.outcomes.served import Served, VariantShare
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.course.served_facts import CustomersServed
from bot.core.record.flag_facts import Engaged, EngageProposed, Held
from bot.core.record.incident_facts import (
    ComponentJoined,
    Declared,
    PhaseChanged,
    RoleChanged,
)
from bot.core.record.provider_facts import FeedChanged
from bot.core.record.room.room_facts import (
    ChannelNamed,
    ChannelOpened,
    ChannelRefused,
    Posted,
)
from bot.core.record.sight import SightLost
from bot.core.record.steering.freeze import Frozen
from bot.core.record.steering.steering_facts import Pinned
from bot.core.record.task_facts import TaskAdded, TaskDone
from bot.views.scene import Scene
from tests.stories import ANA, API, BOB, EU, FALLBACK_RULE, FLAG, OUTBOX, WEB, WINDOW, Story, outage_story, story_policy

TIMED_OUT = "3 of 3 checks failed in 14 s: HTTP 504"
SLOW = "4 of 5 checks were slow in 2 min: first token after 9.2 s"
NAME = "inc-20260320-0007-claude"


def seen(story: Story) -> Scene:
    """INC-7 at the story's moment."""
    return Scene(story.incident(), story.world, story.policy, story.now)


def begins(
    level: Level = Level.DOWN, reason: str = TIMED_OUT, *, component: str = API, title: str = "Claude API is down",
    severity: Severity = Severity.SEV2, fault: Fault = Fault.THEIRS, actor: Actor = WINDOW, story: Story | None = None,
) -> Story:  # fmt: skip
    """INC-7 opens for one component at 12:43; it has a channel and nothing else."""
    story = story or calm()
    began_at = story.at(3).now - timedelta(minutes=1)
    previous = story.world.component(component).level
    evidence = ("inference: status 504", "inference: request_id req_0042")
    verdict = VerdictChanged(component, previous, level, reason, fault, evidence, began_at)
    story.add(f"component/{component}", verdict)
    declared = Declared(7, title, severity, "anthropic", "anthropic", (component,), began_at, reason, "#ops")
    story.add("incident/7", declared, actor)
    story.add("incident/7", ComponentJoined(component, level, reason, evidence, began_at))
    story.add("incident/7", ChannelNamed(NAME, 1))
    story.add("incident/7", Posted(PostAlert.KIND, "INC-7/alert", "C0OPS", "1774010580.000100"), OUTBOX)
    story.add("incident/7", ChannelOpened("C0INC7", NAME), OUTBOX)
    return story


def calm() -> Story:
    """All components are healthy at 11:40."""
    return outage_story(-1)


def not_served() -> Story:
    """No fallback is healthy: GPT is down as well, and there are no cached answers."""
    policy = story_policy()
    chat = replace(policy.flags[FLAG], fallbacks=policy.flags[FLAG].fallbacks[:1])
    story = calm()
    story.policy = replace(policy, flags={FLAG: chat})
    story.at(1).verdict("openai.api", Level.DOWN, "3 of 3 checks failed in 14 s: HTTP 503")
    story = begins(story=story)
    story.add(f"flag/{FLAG}", Held(FLAG, "gpt needs OpenAI API, which is down"), FALLBACK_RULE, 7)
    return story


def proposed() -> Story:
    """Automation may only propose, and waits for approval."""
    story = begins()
    story.add(f"flag/{FLAG}", EngageProposed(FLAG, "gpt", "Claude API is down"), FALLBACK_RULE, 7)
    return story


def degraded() -> Story:
    """The component is slow, and nothing was switched for it."""
    return begins(Level.DEGRADED, SLOW, title="Claude API is degraded", severity=Severity.SEV3)


def our_own_fault() -> Story:
    """A person declared it; the cause is that our own API key is refused."""
    reason = "the last check failed: HTTP 401 invalid x-api-key"
    return begins(Level.UNKNOWN, reason, title="Claude answers nobody", fault=Fault.OURS_KEY, actor=ANA)


def no_flag() -> Story:
    """No flag depends on the component."""
    story = begins()
    story.policy = replace(story.policy, flags={})
    return story


def served() -> Story:
    """Customers are on GPT, and nobody has acknowledged the incident."""
    story = begins()
    until = story.now + timedelta(hours=4)
    switched = Engaged(FLAG, f"{FLAG}#1", "gpt", "claude", "Claude API is down", "auto", until, (API,))
    story.add(f"flag/{FLAG}", switched, FALLBACK_RULE, 7)
    story.add(
        "incident/7", PhaseChanged(Phase.TRIAGE, Phase.MITIGATED, "forward", "support chat switched to gpt"), FALLBACK_RULE
    )
    return story


def apart() -> Story:
    """The same, with the readers in the EU on cached answers."""
    story = served()
    until = story.now + timedelta(hours=2)
    switched = Engaged(EU, f"{EU}#1", "cached", "gpt", "answers are slow there", "manual", until, (API,), 25)
    story.add(f"flag/{EU}", switched, ANA, 7)
    return story


def kept_off() -> Story:
    """On GPT, where Ana pinned the flag; Bob has frozen all automatic switches."""
    story = served()
    story.add(f"flag/{FLAG}", Pinned(FLAG, "gpt", "we test the prompts"), ANA, 7)
    story.add("automation", Frozen("the board lies"), BOB)
    return story


def blind() -> Story:
    """Our own network fails while the incident is open."""
    story = served().at(20)
    story.add(
        "sight", SightLost("0 of 3 control targets answer (one.one.one.one, dns.google, example.com)", story.now, "sight/1")
    )
    return story


def no_channel() -> Story:
    """Slack refuses to create a channel."""
    story = outage_story(3)
    story.add("incident/7", Posted(PostAlert.KIND, "INC-7/alert", "C0OPS", "1774010580.000100"), OUTBOX)
    story.add("incident/7", ChannelRefused("Slack refused conversations.create: restricted_action"), OUTBOX)
    return story


def canceled() -> Story:
    """The incident was a false alarm."""
    story = degraded().at(20)
    story.add("incident/7", PhaseChanged(Phase.TRIAGE, Phase.CANCELED, "cancel", "false-alarm"), ANA)
    return story


def page_is_away() -> Story:
    """The vendor's page cannot be read, and a second component is slow."""
    story = served().at(8)
    story.add("provider/anthropic", FeedChanged("anthropic", FeedState.STALE, "HTTP 503"), Actor.rule("feed"))
    story.verdict(WEB, Level.DEGRADED, SLOW)
    return story


def counted(story: Story) -> Story:
    """Services reported the outcomes of their requests."""
    shares = (VariantShare(FLAG, "gpt", "", 11_900, 20), VariantShare(FLAG, "claude", "", 402, 78))
    story.add(
        "incident/7", CustomersServed(Served(story.now, shares, 61, 11_480, {FLAG: story.now})), Actor.rule("real traffic")
    )
    return story


def with_call(story: Story) -> Story:
    """Ana leads, Bob does communications, and the incident has a call link."""
    story.policy = replace(story.policy, incidents=replace(story.policy.incidents, bridge_url="https://meet.example/incidents"))
    story.add("incident/7", RoleChanged(LEAD, None, ANA), ANA)
    story.add("incident/7", RoleChanged(COMMUNICATIONS, None, BOB), BOB)
    return story


def with_tasks(story: Story | None = None, *, done: bool = False) -> Story:
    """Three tasks: one of Ana's, one without an owner, and a follow-up of Bob's."""
    story, now = story or served(), (story or served()).now
    bodies = (
        TaskAdded(1, "Call Anthropic support", ANA, now + timedelta(minutes=30)),
        TaskAdded(2, "Check our quotas at OpenAI"),
        TaskAdded(3, "Write the runbook for a failover", BOB, now + timedelta(days=3), follow_up=True),
    )
    for body in bodies:
        story.add("incident/7", body, ANA)
    if done:
        story.add("incident/7", TaskDone(1), ANA)
    return story
