"""A tabletop for decisions: signals build the state, time is moved by hand, and nothing is set from outside."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.draft import Step
from bot.core.decide.step import step
from bot.core.effects import EffectBody
from bot.core.model import Actor, Fault, Level, Severity, Verdict
from bot.core.policy import ComponentPolicy, Fallback, FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Body, Fact
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.views.answers.words import words
from bot.views.faces import Slack
from bot.views.text import spoken

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ANA = Actor.person("U0ANA", "ana")
BOB = Actor.person("U0BOB", "bob")
RULE = Actor.rule("k-of-n window")

OPEN_ON = {Level.DOWN: "SEV2", Level.DEGRADED: "thread"}

CHAT_FLAG = FlagPolicy(
    key="support-chat.llm",
    variants={"claude": "claude", "gpt": "gpt", "cached": "cached"},
    default="claude",
    fallbacks=(Fallback("gpt", "openai.api"), Fallback("cached")),
    depends_on=("anthropic.api",),
    description="Which provider answers the support chat",
    automation="auto",
)


def component(id: str, name: str, provider_name: str) -> ComponentPolicy:
    return ComponentPolicy(id, name, id.partition(".")[0], provider_name, OPEN_ON)


def policy(**changes: object) -> Policy:
    """Claude with three components, OpenAI with one, and a flag between them; `changes` replace fields of the flag."""
    return Policy(
        components={
            "anthropic.api": component("anthropic.api", "Claude API", "Claude"),
            "anthropic.web": component("anthropic.web", "claude.ai", "Claude"),
            "anthropic.mobile": component("anthropic.mobile", "Claude mobile", "Claude"),
            "openai.api": component("openai.api", "OpenAI API", "OpenAI"),
        },
        flags={CHAT_FLAG.key: replace(CHAT_FLAG, **changes)},  # type: ignore[arg-type]
        incidents=IncidentPolicy(
            update_every={
                Severity.SEV1: timedelta(minutes=30),
                Severity.SEV2: timedelta(minutes=60),
                Severity.SEV3: timedelta(minutes=60),
                Severity.SEV4: None,
            }
        ),
    )


def told(answer: Answer) -> str:
    """An answer as people in Slack read it, with times in UTC."""
    return spoken(words(answer, Slack()))


@dataclass(frozen=True)
class Written:
    """A fact without its number and time."""

    body: Body
    incident: int | None
    actor: Actor


class Table:
    """Accepts signals, moves the world, and collects facts and effects."""

    def __init__(self, policy_: Policy | None = None) -> None:
        self.policy = policy_ or policy()
        self.world = World()
        self.now = START
        self.facts: list[Fact] = []
        self.steps: list[Step] = []

    def send(self, signal: s.Signal) -> Step:
        result = step(self.world, signal, self.now, self.policy)
        self.world = result.world
        self.facts += result.facts
        self.steps.append(result)
        return result

    def passes(self, minutes: float) -> Step:
        """Let minutes pass one by one, as the metronome would; returns the last step."""
        result = self.send(s.TimePassed(actor=RULE))
        for _ in range(int(minutes)):
            self.now += timedelta(minutes=1)
            result = self.send(s.TimePassed(actor=RULE))
        return result

    def sees(self, id: str, level: Level, reason: str = "3 of 5 checks failed: HTTP 502") -> Step:
        """Report a verdict of the watch."""
        fault = Fault.THEIRS if level.bad else Fault.NONE
        return self.send(s.VerdictReached(actor=RULE, verdict=Verdict(id, level, reason, fault, (), self.now)))

    def all_well(self) -> "Table":
        for id in self.policy.components:
            self.sees(id, Level.OPERATIONAL, "5 of 5 checks passed")
        return self

    def incident(self, number: int = 1) -> Incident:
        return self.world.incidents[number]

    def kinds(self, body: type[Body]) -> list[Body]:
        return [fact.body for fact in self.facts if isinstance(fact.body, body)]

    def written(self, kind: type[Body]) -> list[Written]:
        """The facts of a kind, with stream and actor."""
        return [Written(fact.body, fact.incident, fact.actor) for fact in self.facts if isinstance(fact.body, kind)]

    def effects(self, kind: type[EffectBody]) -> list[str]:
        return [effect.key for done in self.steps for effect in done.effects if type(effect.body) is kind]
