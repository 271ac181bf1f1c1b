"""Everything of the configuration that decisions need."""

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
    """What configuration says of one component."""

    id: str
    name: str
    provider: str
    provider_name: str
    open_on: Mapping[Level, str]  # down/degraded -> SEV1..SEV4 | thread | none
    page_url: str = ""
    runbook_url: str = ""
    runbook_steps: tuple[str, ...] = ()
    invite: tuple[str, ...] = ()  # who comes to an incident that it is in, as configured
    depends_on: tuple[str, ...] = ()  # components without which it cannot be well

    @property
    def has_runbook(self) -> bool:
        """Whether configuration says what to do about it."""
        return bool(self.runbook_steps or self.runbook_url)


@dataclass(frozen=True)
class Fallback:
    """A variant that takes over when the default fails, and the component that must be well for it."""

    variant: str
    needs: str | None = None


class Automation(StrEnum):
    """What rules may do with a flag whose default is in trouble."""

    OFF = "off"  # leave it to people
    PROPOSE = "propose"  # ask them
    AUTO = "auto"


class FirstStep(StrEnum):
    """Who begins a hand-back."""

    ASK = "ask"  # a person
    AUTO = "auto"


class OnExpiry(StrEnum):
    """What becomes of an engagement whose time is up."""

    HOLD = "hold"  # kept, and asked about again
    RELEASE = "release"  # ended, where the default is well


class ResolveMode(StrEnum):
    """Who ends an incident in which everything has been well for long enough."""

    ASK = "ask"  # a person
    AUTO = "auto"


@dataclass(frozen=True)
class BurnWindow:
    """A window of time, and how many times faster than the objective allows requests must fail in it."""

    window: timedelta
    burn: float


@dataclass(frozen=True)
class RealTraffic:
    """When requests of customers say that a component is bad: never of fewer than `minimum` in a window."""

    minimum: int = 50
    fast: BurnWindow = BurnWindow(timedelta(minutes=5), 14)
    slow: BurnWindow = BurnWindow(timedelta(hours=1), 6)
    objective: float = 0.995


@dataclass(frozen=True)
class RehearsePolicy:
    """How a flag's fallbacks are rehearsed, and what that may cost in a day (UTC)."""

    every: timedelta = timedelta(hours=6)
    dollars_per_day: float = 0.50
    needs: tuple[str, ...] = ("stream", "tools", "json", "model", "context")
    context_tokens: int = 4_000


@dataclass(frozen=True)
class PromptPrice:
    """What a million tokens of prompt cost in dollars: sent anew, and read from the provider's cache."""

    new: float
    cached: float


@dataclass(frozen=True)
class SinkPolicy:
    """Another system that a flag's switch is put into."""

    id: str  # what it writes to, which names it for ever: `flagd_file:/var/lib/flagd/understudy.json`
    name: str  # what people call it
    at_rest: bool = False  # it is told also while nothing was ever engaged
    repairs: bool = True  # whether we put back what somebody else changed there


@dataclass(frozen=True)
class FlagPolicy:
    """What configuration says of one flag. Values are JSON: string, number, boolean or object."""

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
    sticky_by: str = TARGETING_KEY  # the attribute of a reader's context by which shares are dealt
    stays_for: timedelta | None = None  # how long conversations that run stay in a hand-back; None = they go along
    stop_at_errors: float = 0.05  # share of real requests that may fail on the default while it comes back
    expires_after: timedelta = timedelta(hours=4)
    on_expiry: OnExpiry = OnExpiry.HOLD
    aliases: Mapping[str, str] = field(default_factory=dict)  # what people call the variants
    rehearse: RehearsePolicy | None = None
    approvers: tuple[str, ...] = ()  # user ids of those who may say yes or no to a proposal; empty = whoever may switch flags
    approver_list: tuple[str, ...] = ()  # the same as configured, groups by their ids
    quorum: int = 1  # how many different people have to say yes
    approve_within: timedelta | None = timedelta(minutes=5)  # then paging goes on; None = it does not
    sinks: tuple[SinkPolicy, ...] = ()

    @property
    def stay_s(self) -> int:
        """The same in whole seconds; 0 = they go along."""
        return max(1, int(self.stays_for.total_seconds())) if self.stays_for else 0

    def called(self, variant: str) -> str:
        """What people call a variant: its alias in the configuration, else its name."""
        return self.aliases.get(variant, variant)


ROLES = ("lead", COMMUNICATIONS, "scribe")
ROLE_SYNONYMS = {"commander": LEAD, "lead": LEAD, "comms": COMMUNICATIONS}


@dataclass(frozen=True)
class IncidentPolicy:
    """What configuration says of incidents as such."""

    update_every: Mapping[Severity, timedelta | None]  # None = on change only
    resolve: ResolveMode = ResolveMode.ASK
    resolve_after: timedelta = timedelta(minutes=30)
    channel_name: str = "inc-{date}-{number}-{slug}"
    private: bool = False
    alerts_channel: str = "#ops"
    backup_channel: str = ""  # takes the alerts while alerts_channel takes none
    viewers: tuple[str, ...] = ()  # user ids, as those below; an empty list is everybody who has the level before it
    responders: tuple[str, ...] = ()
    commanders: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # these four as configured, groups by their ids
    bridge_url: str = ""  # of the call that people work in
    declare_emoji: str = ""  # by name; whoever puts it on a message is offered to declare from it
    zone: str = "UTC"  # of the times that people read outside of the chat
    roles: tuple[str, ...] = ROLES  # the first one leads
    nag_after: timedelta | None = timedelta(minutes=10)  # without a lead; None = nobody is asked

    def role_meant(self, word: str) -> str | None:
        """The role that somebody names, as the ledger has it; None for one that is not configured."""
        word = word.lower()
        if word in self.roles:
            return LEAD if word == self.roles[0] else word
        meant = ROLE_SYNONYMS.get(word)
        return meant if meant == LEAD or meant in self.roles else None

    def role_name(self, role: str) -> str:
        """What the configuration calls a role of the ledger."""
        return self.roles[0] if role == LEAD else role


@dataclass(frozen=True)
class BroadcastPolicy:
    """A channel of people who are not in an incident, the severities that concern them, and whether they hear everything."""

    channel: str
    severities: frozenset[Severity]
    full: bool = False


@dataclass(frozen=True)
class Policy:
    """Everything of the configuration that decisions need; immutable, made once at start."""

    components: Mapping[str, ComponentPolicy]
    flags: Mapping[str, FlagPolicy]
    incidents: IncidentPolicy
    maintenance: tuple[Window, ...] = ()
    longest_mute: timedelta = timedelta(hours=24)
    paging: PagingPolicy = field(default_factory=PagingPolicy)
    broadcast: tuple[BroadcastPolicy, ...] = ()
    real_traffic: RealTraffic = RealTraffic()
    prices: Mapping[str, PromptPrice] = field(default_factory=dict)  # by component, where its cache has a price of its own

    def component(self, id: str) -> ComponentPolicy | None:
        """What configuration says of a component, also where a drill pretends something of it; None where it says nothing."""
        return self.components.get(real(id))

    def name_of(self, component: str) -> str:
        """What people call a component; its id where configuration does not know it (any more)."""
        known = self.component(component)
        return known.name if known else component

    def flag(self, key: str) -> FlagPolicy | None:
        """What configuration says of a flag, or of a part of its readers (`scope`); None where it says nothing.

        For a part all holds that holds for the whole, but rules only hand it back, and ask; sinks know no parts.
        """
        known = self.flags.get(whole(key))
        if known is None or key == known.key:
            return known
        automation = Automation.PROPOSE if known.automation == Automation.AUTO else known.automation
        return replace(known, key=key, automation=automation, sinks=()) if scope_of(key) else None

    def flag_name(self, key: str) -> str:
        """What people call a flag: the first part of its key in words, `support chat`; its whole key where two begin alike.

        A part of its readers is called `support chat (env=eu)`.
        """
        if part := scope_of(key):
            return f"{self.flag_name(whole(key))} ({part})"
        first = key.partition(".")[0]
        alike = self._beginnings[first] > (key in self.flags)
        return key if alike else first.replace("-", " ").replace("_", " ")

    def sinks_of(self, flag: str) -> tuple[SinkPolicy, ...]:
        """What this flag's switch is put into; nothing for a flag that is not configured."""
        known = self.flags.get(flag)
        return known.sinks if known else ()

    @cached_property
    def fed(self) -> tuple[FlagPolicy, ...]:
        """The flags that have sinks."""
        return tuple(flag for flag in self.flags.values() if flag.sinks)

    @cached_property
    def _beginnings(self) -> Counter[str]:
        """How many flags begin with each word; a verdict names fifty flags, several times each."""
        return Counter(key.partition(".")[0] for key in self.flags)

    def provider_name(self, provider: str) -> str:
        """What people call a provider; its id where configuration does not know it (any more)."""
        meant = real(provider)
        return next((one.provider_name for one in self.components.values() if one.provider == meant), provider)
