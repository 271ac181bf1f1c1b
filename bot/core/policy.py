"""All configuration that decisions need."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from bot.core.ids import real
from bot.core.lazy_dataclass import dataclass
from bot.core.maintenance_windows import Window
from bot.core.model import COMMUNICATIONS, LEAD, TARGETING_KEY, Level, Severity
from bot.core.paging import PagingPolicy
from bot.core.scope import scope_of, whole


@dataclass(frozen=True)
class ComponentPolicy:
    """The configuration of one component."""

    id: str
    name: str
    provider: str
    provider_name: str
    open_on: Mapping[Level, str]  # down/degraded -> SEV1..SEV4 | thread | none
    page_url: str = ""
    runbook_url: str = ""
    runbook_steps: tuple[str, ...] = ()
    invite: tuple[str, ...] = ()  # whom to invite to an incident that includes it, as configured
    depends_on: tuple[str, ...] = ()  # components that it cannot work without

    @property
    def has_runbook(self) -> bool:
        """Whether a runbook is configured for it."""
        return bool(self.runbook_steps or self.runbook_url)


@dataclass(frozen=True)
class Fallback:
    """A variant that takes over when the default fails, and the component that it depends on."""

    variant: str
    needs: str | None = None


class Automation(StrEnum):
    """What rules may do with a flag whose default has a problem."""

    OFF = "off"  # leave it to people
    PROPOSE = "propose"  # ask people
    AUTO = "auto"


class FirstStep(StrEnum):
    """Who starts a hand-back."""

    ASK = "ask"  # a person
    AUTO = "auto"


class OnExpiry(StrEnum):
    """What happens to an engagement when its time is up."""

    HOLD = "hold"  # keep it, and ask again
    RELEASE = "release"  # end it, if the default is well


class ResolveMode(StrEnum):
    """Who ends an incident once everything has been well for long enough."""

    ASK = "ask"  # a person
    AUTO = "auto"


@dataclass(frozen=True)
class BurnWindow:
    """A time window, and a burn rate: how many times faster than the objective allows requests must fail in it."""

    window: timedelta
    burn: float


@dataclass(frozen=True)
class RealTraffic:
    """When requests of customers show that a component is bad; a window with fewer than `minimum` requests never does."""

    minimum: int = 50
    fast: BurnWindow = BurnWindow(timedelta(minutes=5), 14)
    slow: BurnWindow = BurnWindow(timedelta(hours=1), 6)
    objective: float = 0.995


@dataclass(frozen=True)
class RehearsePolicy:
    """How a flag's fallbacks are rehearsed, and what that may cost per day (UTC)."""

    every: timedelta = timedelta(hours=6)
    dollars_per_day: float = 0.50
    needs: tuple[str, ...] = ("stream", "tools", "json", "model", "context")
    context_tokens: int = 4_000


@dataclass(frozen=True)
class PromptPrice:
    """Price of a million prompt tokens in dollars: sent fresh, and read from the provider's cache."""

    new: float
    cached: float


@dataclass(frozen=True)
class SinkPolicy:
    """Another system that a flag's current variant is written to."""

    id: str  # the target, and its permanent name: `flagd_file:/var/lib/flagd/understudy.json`
    name: str  # what people call it
    at_rest: bool = False  # write to it even if the flag was never engaged
    repairs: bool = True  # restore our value if somebody else changes it there


@dataclass(frozen=True)
class FlagPolicy:
    """The configuration of one flag. Values are JSON: string, number, boolean or object."""

    key: str
    variants: Mapping[str, Any]
    default: str
    fallbacks: tuple[Fallback, ...] = ()
    depends_on: tuple[str, ...] = ()
    description: str = ""
    automation: Automation = Automation.PROPOSE
    engage_on: Level = Level.DOWN
    min_hold: timedelta = timedelta(minutes=10)
    steps: tuple[int, ...] = (10, 25, 50, 100)
    hold: timedelta = timedelta(minutes=5)
    first_step: FirstStep = FirstStep.ASK
    sticky_by: str = TARGETING_KEY  # the attribute of a reader's context that decides who falls into a share
    stays_for: timedelta | None = None  # how long running conversations stay during a hand-back; None = they move too
    stop_at_errors: float = 0.05  # share of real requests that may fail on the default during a hand-back
    expires_after: timedelta = timedelta(hours=4)
    on_expiry: OnExpiry = OnExpiry.HOLD
    aliases: Mapping[str, str] = field(default_factory=dict)  # what people call the variants
    rehearse: RehearsePolicy | None = None
    approvers: tuple[str, ...] = ()  # user ids of those who may answer a proposal; empty = whoever may switch flags
    approver_list: tuple[str, ...] = ()  # the same as configured, with groups by id
    quorum: int = 1  # how many different people must say yes
    approve_within: timedelta | None = timedelta(minutes=5)  # then paging continues; None = it does not
    sinks: tuple[SinkPolicy, ...] = ()

    @property
    def stay_s(self) -> int:
        """`stays_for` in whole seconds; 0 = conversations move with the rest."""
        return max(1, int(self.stays_for.total_seconds())) if self.stays_for else 0

    def called(self, variant: str) -> str:
        """A variant's alias in the configuration, or its name if it has none."""
        return self.aliases.get(variant, variant)


ROLES = ("lead", COMMUNICATIONS, "scribe")
ROLE_SYNONYMS = {"commander": LEAD, "lead": LEAD, "comms": COMMUNICATIONS}


@dataclass(frozen=True)
class IncidentPolicy:
    """Configuration that applies to all incidents."""

    update_every: Mapping[Severity, timedelta | None]  # None = on change only
    resolve: ResolveMode = ResolveMode.ASK
    resolve_after: timedelta = timedelta(minutes=30)
    channel_name: str = "inc-{date}-{number}-{slug}"
    private: bool = False
    alerts_channel: str = "#ops"
    backup_channel: str = ""  # gets the alerts while alerts_channel cannot be posted to
    viewers: tuple[str, ...] = ()  # user ids, like the lists below; an empty list means everybody who has the level below it
    responders: tuple[str, ...] = ()
    commanders: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # these four lists as configured, with groups by id
    bridge_url: str = ""  # the call in which people work on the incident
    declare_emoji: str = ""  # emoji name; whoever adds it to a message is offered to declare an incident from it
    zone: str = "UTC"  # time zone of times shown outside the chat
    roles: tuple[str, ...] = ROLES  # the first one leads
    nag_after: timedelta | None = timedelta(minutes=10)  # time without a lead before the channel is asked; None = never ask

    def role_meant(self, word: str) -> str | None:
        """The ledger's name of the role that somebody named; None if it is not configured."""
        word = word.lower()
        if word in self.roles:
            return LEAD if word == self.roles[0] else word
        meant = ROLE_SYNONYMS.get(word)
        return meant if meant == LEAD or meant in self.roles else None

    def role_name(self, role: str) -> str:
        """The configured name of a role in the ledger."""
        return self.roles[0] if role == LEAD else role


@dataclass(frozen=True)
class BroadcastPolicy:
    """A channel for people outside an incident, the severities that it hears of, and whether it hears everything."""

    channel: str
    severities: frozenset[Severity]
    full: bool = False


@dataclass(frozen=True)
class Policy:
    """All configuration that decisions need; immutable, built once at start."""

    components: Mapping[str, ComponentPolicy]
    flags: Mapping[str, FlagPolicy]
    incidents: IncidentPolicy
    maintenance: tuple[Window, ...] = ()
    longest_mute: timedelta = timedelta(hours=24)
    paging: PagingPolicy = field(default_factory=PagingPolicy)
    broadcast: tuple[BroadcastPolicy, ...] = ()
    real_traffic: RealTraffic = RealTraffic()
    prices: Mapping[str, PromptPrice] = field(default_factory=dict)  # by component, if its cache has a separate price

    def component(self, id: str) -> ComponentPolicy | None:
        """The configuration of a component or of its drill shadow; None if it is not configured."""
        return self.components.get(real(id))

    def name_of(self, component: str) -> str:
        """The display name of a component; its id if it is not configured (any more)."""
        known = self.component(component)
        return known.name if known else component

    def flag(self, key: str) -> FlagPolicy | None:
        """The configuration of a flag or of one of its scopes; None if it is not configured.

        A scope inherits everything from its flag, except that rules only hand it back or ask, and that sinks do not know
        scopes.
        """
        known = self.flags.get(whole(key))
        if known is None or key == known.key:
            return known
        automation = Automation.PROPOSE if known.automation == Automation.AUTO else known.automation
        return replace(known, key=key, automation=automation, sinks=()) if scope_of(key) else None

    def flag_name(self, key: str) -> str:
        """The display name of a flag: its key's first part in words (`support chat`), or the whole key if two start alike.

        A scope of its readers is called `support chat (env=eu)`.
        """
        if part := scope_of(key):
            return f"{self.flag_name(whole(key))} ({part})"
        first = key.partition(".")[0]
        alike = self._beginnings[first] > (key in self.flags)
        return key if alike else first.replace("-", " ").replace("_", " ")

    def sinks_of(self, flag: str) -> tuple[SinkPolicy, ...]:
        """The sinks of this flag; none if it is not configured."""
        known = self.flags.get(flag)
        return known.sinks if known else ()

    @cached_property
    def fed(self) -> tuple[FlagPolicy, ...]:
        """The flags that have sinks."""
        return tuple(flag for flag in self.flags.values() if flag.sinks)

    @cached_property
    def _beginnings(self) -> Counter[str]:
        """How many flags begin with each word. Cached: a verdict names fifty flags, several times each."""
        return Counter(key.partition(".")[0] for key in self.flags)

    def provider_name(self, provider: str) -> str:
        """The display name of a provider; its id if it is not configured (any more)."""
        meant = real(provider)
        return next((one.provider_name for one in self.components.values() if one.provider == meant), provider)
