"""How samples become verdicts, when alerts are held back, and where samples come from and go to."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, WithJsonSchema, field_validator

from bot.config.checks.base import Part
from bot.config.scalars import Label, Moment, OptionalUrl, PositiveSpan, Real, Secret, Size, Span, Text, TimeZone, Whole, bad


def _quorum(value: object) -> object:
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if value in ("majority", "any", "all") or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100):
        return value
    raise bad("not a quorum", "write majority, any, all, or a number from 1 to 100")


Quorum = Annotated[
    int | Literal["majority", "any", "all"],
    BeforeValidator(_quorum),
    WithJsonSchema({"anyOf": [{"enum": ["majority", "any", "all"]}, {"type": "integer", "minimum": 1, "maximum": 100}]}),
]


class DetectionConfig(Part):
    """How samples become verdicts. docs/detection.md measures the false alarms and delays of the defaults."""

    window: Annotated[int, Whole(1, 100)] = Field(default=5, description="How many of the last runs count, 1 to 100.")
    failures: Annotated[int, Whole(1, 100)] = Field(
        default=3, validate_default=True, description="How many of them must fail, at most `window`."
    )
    threshold: Annotated[float, Real(1, 100)] = Field(
        default=11.5, description="Score at which the sequential test decides, 1 to 100; a higher one is safer and slower."
    )
    at_least: Span = Field(
        default=timedelta(seconds=10), description="How long failures must last before they count as a failure."
    )
    at_least_clear: Span = Field(
        default=timedelta(seconds=6),
        description="The same where each failure is clearly the provider's own: it answered with a server error, or refused "
        "the connection while the control group answered. At most `at_least`, and by itself never more.",
    )
    recheck: PositiveSpan = Field(
        default=timedelta(seconds=1.5), description="How soon a check runs again after a failure, within its budget."
    )
    recover_after: Annotated[int, Whole(1, 100)] = Field(default=5, description="How many good runs in a row end it, 1 to 100.")
    recover_for: Span = Field(default=timedelta(seconds=60), description="How long those good runs must span.")
    slow_factor: Annotated[float, Real(1, 100)] = Field(
        default=3.0, description="How many times its usual latency an answer may take before it counts as slow, 1 to 100."
    )
    slow_floor: Span = Field(
        default=timedelta(seconds=1), description="Faster than this is never slow, unless the check has its own `under`."
    )
    down_share: Annotated[float, Real(0.01, 1)] = Field(
        default=0.66, description="Share of a component's checks (by weight) that must fail for `down`."
    )
    degraded_share: Annotated[float, Real(0.01, 1)] = Field(
        default=0.33,
        validate_default=True,
        description="Share that must fail or be slow for `degraded`; a smaller share becomes an advisory.",
    )
    advise_after: Span = Field(
        default=timedelta(minutes=10), description="How long a smaller share must fail to become an advisory."
    )
    quorum: Quorum = Field(
        default="majority",
        description="How many vantages must see a check fail: `majority`, `any`, `all` or a number.",
    )

    @field_validator("failures")
    @classmethod
    def _fits_window(cls, failures: int, info: ValidationInfo) -> int:
        window = info.data.get("window")
        if window is not None and failures > window:
            raise bad(f"{failures} failures never fit into a window of {window}", "write at most the window")
        return failures

    @field_validator("at_least_clear")
    @classmethod
    def _no_longer(cls, span: timedelta, info: ValidationInfo) -> timedelta:
        at_least = info.data.get("at_least")
        if at_least is not None and span > at_least:
            raise bad("clear failures would wait longer than unclear ones", "write at most at_least")
        return span

    @field_validator("degraded_share")
    @classmethod
    def _below_down(cls, share: float, info: ValidationInfo) -> float:
        down = info.data.get("down_share")
        if down is not None and share > down:
            raise bad("degraded would need more failing checks than down", "write at most down_share")
        return share


class BurnWindowConfig(Part):
    """A time window and a burn rate."""

    window: PositiveSpan = Field(description="How far it looks back, 1m to 6h.")
    burn: Annotated[float, Real(1, 1000)] = Field(
        description="How many times more requests must fail in it than the objective allows, 1 to 1000."
    )

    @field_validator("window")
    @classmethod
    def _is_counted(cls, window: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= window <= timedelta(hours=6):
            raise bad("the window is too short or too long", "from 1m, since requests are counted by minute, to 6h")
        return window


class OutcomesConfig(Part):
    """When requests of real customers show that a component is bad."""

    minimum: Annotated[int, Whole(1, 1_000_000)] = Field(
        default=50, description="With fewer requests than this in a window, the bot concludes nothing."
    )
    objective: Annotated[float, Real(0.5, 0.9999)] = Field(
        default=0.995, description="Share of requests that must be served, 0.5 to 0.9999; the rest may fail."
    )
    fast: BurnWindowConfig = Field(
        default=BurnWindowConfig(window=timedelta(minutes=5), burn=14), description="Reacts fast, to many failures."
    )
    slow: BurnWindowConfig = Field(
        default=BurnWindowConfig(window=timedelta(hours=1), burn=6),
        description="Reacts later, to a steady trickle of failures.",
    )


class MaintenanceConfig(Part):
    """A window in which some components open nothing, although they are checked as usual."""

    components: tuple[Text, ...] = Field(
        default=(), description="Components it covers, by id, or whole providers; everything when empty."
    )
    starts: Moment = Field(description="When it begins (the first time), with UTC offset: `2026-11-30T02:00:00Z`.")
    lasts: PositiveSpan = Field(description="How long it lasts, at most 7d.")
    repeats: Literal["never", "daily", "weekly"] = Field(default="never", description="`never`, `daily` or `weekly`.")
    time_zone: TimeZone = Field(default="UTC", description="Time zone in which it repeats.")
    reason: str = Field(default="", description="The reason that people see.")

    @field_validator("lasts")
    @classmethod
    def _ends(cls, lasts: timedelta, info: ValidationInfo) -> timedelta:
        if lasts > timedelta(days=7):
            raise bad("the window is too long", "at most 7d; take the check out instead")
        return lasts

    @field_validator("repeats")
    @classmethod
    def _fits(cls, repeats: str, info: ValidationInfo) -> str:
        lasts = info.data.get("lasts")
        spans = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
        if lasts is not None and repeats in spans and lasts >= spans[repeats]:
            raise bad("the window would never end: it lasts as long as it takes to repeat", "shorten `lasts`")
        return repeats


class MutesConfig(Part):
    """Holding a component's alerts back by hand."""

    longest: PositiveSpan = Field(
        default=timedelta(hours=24), description="The longest mute that anybody may set, at most 30d."
    )

    @field_validator("longest")
    @classmethod
    def _ends(cls, longest: timedelta) -> timedelta:
        if longest > timedelta(days=30):
            raise bad("such a long mute can hide an outage for good", "at most 30d; take the component out instead")
        return longest


class PeerConfig(Part):
    """Another Understudy that checks from somewhere else."""

    vantage: Label = Field(description="The peer's own vantage label.")
    secret: Secret = Field(
        default=SecretStr(""), description="Shared secret, the same on both sides; empty turns the peer off."
    )
    url: OptionalUrl = Field(default=None, description="Its base URL, to send our results to; without one we only receive.")


class ClusterConfig(Part):
    """How replicas that share a database work together; no effect if the ledger is a file."""

    checks: Literal["spread", "all"] = Field(
        default="spread",
        description="`spread`: each component is checked by one replica; `all`: by every replica, as a vantage of its own.",
    )
    name: Label = Field(default="understudy", description="Name of the cluster; a database of another cluster is refused.")


class SamplesConfig(Part):
    """How long samples are kept, and how much space they may use."""

    keep: PositiveSpan = Field(default=timedelta(days=14), description="How long single results are kept, at least 2h.")
    budget: Size = Field(default=2_000_000_000, description="How large `samples.db` may get; the oldest samples go first.")

    @field_validator("keep")
    @classmethod
    def _outlives_the_hour(cls, keep: timedelta) -> timedelta:
        if keep < timedelta(hours=2):
            raise bad("the time is too short", "at least 2h: an hour is summed up only when it is over")
        return keep
