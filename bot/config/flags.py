"""The `flags` section: what services read, and what they fall back to."""

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from bot.config.checks.base import Part
from bot.config.paging import PersonOrGroupId
from bot.config.rehearsals import Rehearse
from bot.config.scalars import Patience, PositiveSpan, Real, Span, Text, Whole, bad
from bot.config.sinks.models import Sink
from bot.core.model import TARGETING_KEY

FlagKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}$")]
Percent = Annotated[int, Whole(1, 100)]


class FallbackConfig(Part):
    """A variant that takes over when the default fails."""

    variant: Text = Field(description="Variant to send services to.")
    needs: Text | None = Field(default=None, description="Component that it needs to work.")


class HandBack(Part):
    """How services return to the default once it is healthy."""

    steps: tuple[Percent, ...] = Field(
        default=(10, 25, 50, 100),
        description="Share back on the default, in percent, ascending; 100 is added at the end when missing.",
    )
    hold: Span = Field(default=timedelta(minutes=5), description="How long each step is watched before the next.")
    first_step: Literal["ask", "auto"] = Field(
        default="ask", description="`ask` waits for a person before the first step, `auto` does not."
    )
    only: Literal["all", "new"] = Field(
        default="all", description="`new` lets running conversations finish where they are; `all` moves them too."
    )
    at_most: PositiveSpan = Field(
        default=timedelta(minutes=30),
        description="How long they may stay there with `only: new`, at most `24h`; then they move too.",
    )
    stop_at_errors: Annotated[float, Real(0, 1)] = Field(
        default=0.05,
        description="Share of real requests that may fail on the default during a step, 0 to 1; above it, the step is undone.",
    )

    @field_validator("steps")
    @classmethod
    def _ascending(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if not steps:
            raise bad("there are no steps", "name the shares in ascending order, such as [10, 25, 50, 100]")
        if any(later <= earlier for earlier, later in pairwise(steps)):
            raise bad("the steps do not ascend", "each share must be larger than the one before, such as [10, 25, 50, 100]")
        return steps if steps[-1] == 100 else (*steps, 100)

    @field_validator("at_most")
    @classmethod
    def _within_a_day(cls, span: timedelta) -> timedelta:
        if span > timedelta(days=1):
            raise bad("no conversation is kept waiting longer than a day", "write `24h` or less")
        return span


class FlagConfig(Part):
    """What services read, and what it falls back to."""

    description: str = Field(default="", description="What the flag decides, for people.")
    variants: dict[Text, Any] = Field(
        min_length=1, description="Values by name, all of one type: objects, strings, numbers or booleans. Served as written."
    )
    aliases: dict[Text, Text] = Field(
        default={}, description="Names of variants in messages, such as `{gpt: GPT}`; otherwise the variant's own name."
    )
    default: Text = Field(description="Variant served while all is well.")
    fallbacks: tuple[FallbackConfig, ...] = Field(
        default=(), description="Fallbacks in order of preference; a healthy one comes before a degraded one."
    )
    depends_on: tuple[Text, ...] = Field(default=(), description="Components that the default variant needs.")
    automation: Literal["off", "propose", "auto"] = Field(
        default="propose", description="`off` leaves switching to people, `propose` asks them, `auto` switches by itself."
    )
    approvers: tuple[PersonOrGroupId, ...] = Field(
        default=(), description="User or user-group IDs that may answer a proposal; empty means everybody who may switch flags."
    )
    quorum: Annotated[int, Whole(1, 10)] = Field(default=1, description="How many different people have to say yes.")
    approve_within: Patience = Field(
        default=timedelta(minutes=5),
        description="How long a proposal waits for an answer before paging goes on; `never` lets it wait.",
    )
    engage_on: Literal["down", "degraded"] = Field(
        default="down", description="When to switch away from a variant: once it is `down`, or already when it is `degraded`."
    )
    min_hold: Span = Field(default=timedelta(minutes=10), description="Minimum time of a switch, against flapping.")
    sticky_by: Annotated[Text, StringConstraints(max_length=128)] = Field(
        default=TARGETING_KEY,
        description="Attribute of the context that decides a reader's side, such as `conversation_id`; else `targetingKey`.",
    )
    hand_back: HandBack = Field(default=HandBack(), description="How services return to the default.")
    rehearse: Rehearse | None = Field(
        default=None, description="How its fallbacks are tested in advance; without this they are not."
    )
    expires_after: PositiveSpan = Field(default=timedelta(hours=4), description="How long a switch lasts.")
    on_expiry: Literal["hold", "release"] = Field(
        default="hold",
        description="`hold` keeps the switch and asks again, `release` switches back, but never to an unhealthy default.",
    )
    sinks: tuple[Sink, ...] = Field(
        default=(), description="Other systems that follow the flag: receivers, files, gateways; see gateways.md."
    )

    @model_validator(mode="after")
    def _enough_approvers(self) -> Self:
        """There must be enough approvers for a proposal to be approved."""
        people = {id for id in self.approvers if not id.startswith("S")}
        if self.approvers and len(people) == len(set(self.approvers)) and len(people) < self.quorum:
            raise bad(
                f"{self.quorum} people must say yes, but only {len(people)} may", "name more `approvers`, or lower `quorum`"
            )
        return self
