"""The values that every layer shares: levels, samples, verdicts, notices, actors."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from bot.core.lazy_dataclass import dataclass


class Level(StrEnum):
    """How well a component works, according to a verdict."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @property
    def bad(self) -> bool:
        """Whether people feel it: degraded or down. Unknown is neither good nor bad."""
        return self in (Level.DEGRADED, Level.DOWN)

    @property
    def rank(self) -> int:
        """Ranks levels for comparison: operational 0, unknown 1, degraded 2, down 3."""
        return [Level.OPERATIONAL, Level.UNKNOWN, Level.DEGRADED, Level.DOWN].index(self)


class Fault(StrEnum):
    """Whose fault a failure is."""

    THEIRS = "theirs"
    OURS_KEY = "ours_key"
    OURS_CONFIG = "ours_config"
    OURS_QUOTA = "ours_quota"
    LOCAL = "local"
    UNCLEAR = "unclear"
    NONE = "none"

    @property
    def ours(self) -> bool:
        """Whether the problem is on our side of the wire."""
        return self in (Fault.OURS_KEY, Fault.OURS_CONFIG, Fault.OURS_QUOTA, Fault.LOCAL)


class Outcome(StrEnum):
    """The result of one run of a check."""

    OK = "ok"
    SLOW = "slow"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Severity(StrEnum):
    """Impact on us, not on the vendor: from SEV1 (customers have no working path) to SEV4 (watch only)."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"

    def is_worse_than(self, other: "Severity") -> bool:
        """Whether customers feel it more: SEV1 is worse than SEV2."""
        order = list(Severity)
        return order.index(self) < order.index(other)


class Phase(StrEnum):
    """Where an incident stands."""

    TRIAGE = "triage"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATED = "mitigated"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELED = "canceled"
    MERGED = "merged"  # part of another incident; `LEGAL` has no move to or from it, only merging does

    @property
    def open(self) -> bool:
        """Whether the incident is still running: updates go out, and it keeps its dedup key."""
        return self not in (Phase.RESOLVED, Phase.CLOSED, Phase.CANCELED, Phase.MERGED)


LEAD = "commander"  # the lead's role in the ledger, whatever `people.roles` calls it
COMMUNICATIONS = "communications"  # the role of whoever informs everybody else, if configured

TARGETING_KEY = "targetingKey"  # the context attribute that identifies a flag's reader, unless the flag names another one


class ActorKind(StrEnum):
    """What kind of party did something."""

    PERSON = "person"  # in Slack
    OPERATOR = "operator"  # at the terminal or over the API
    RULE = "rule"  # one of our own rules
    VENDOR = "vendor"
    OUTSIDER = "outsider"  # in Slack, but not a full member of our workspace

    @classmethod
    def _missing_(cls, value: object) -> "ActorKind":
        """Read an unknown kind, from a ledger of another version, as one without rights."""
        return cls.OUTSIDER


@dataclass(frozen=True)
class Actor:
    """Who did something: a person in Slack, an operator (terminal or API, proved by a token), one of our rules, or a vendor.

    An outsider is in Slack but not a full member of our workspace; nothing they send changes anything.
    """

    kind: ActorKind
    id: str
    name: str = ""

    @staticmethod
    def rule(name: str) -> "Actor":
        """A rule of the bot, by the name that people will read: `detector`, `hourly update`."""
        return Actor(ActorKind.RULE, name, name)

    @staticmethod
    def person(id: str, name: str = "") -> "Actor":
        """A person, by Slack user id."""
        return Actor(ActorKind.PERSON, id, name or id)

    @staticmethod
    def outsider(id: str, name: str = "") -> "Actor":
        """A guest, a member of another organization or a bot, by Slack user id."""
        return Actor(ActorKind.OUTSIDER, id, name or id)

    @staticmethod
    def operator(login: str) -> "Actor":
        """Somebody at the terminal or using the API, by login name; a token proved their right to act."""
        return Actor(ActorKind.OPERATOR, login, login)

    @staticmethod
    def vendor(provider: str, name: str = "") -> "Actor":
        """A provider, speaking through its status page."""
        return Actor(ActorKind.VENDOR, provider, name or provider)


@dataclass(frozen=True)
class Sample:
    """The measurements of one run of a check.

    `error` is a class from `error_classes` (`http_5xx`, `connect_refused`, `deadline` ...) or None; `phases_ms` holds
    whichever of dns, connect, tls, first_byte, first_token and total were measured; `evidence` holds short texts for people
    (status, request id, excerpt), already free of secrets. `inside` says that the address asked is one of our own network: an
    answer from there does not prove that our way out works.
    """

    check: str
    component: str
    at: datetime
    outcome: Outcome
    error: str | None = None
    fault: Fault = Fault.NONE
    reason: str = ""
    phases_ms: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    vantage: str = "local"
    inside: bool = False


@dataclass(frozen=True)
class Verdict:
    """Our judgement of a component, with a reason that people can check."""

    component: str
    level: Level
    reason: str
    fault: Fault = Fault.NONE
    evidence: tuple[str, ...] = ()
    began_at: datetime | None = None  # start of the evidence for this level: the first failed or first good sample
    advisory: str = ""  # a persistent failure too small to change the level; the wording stays the same while it lasts
    by_network: bool = False  # our own network could be the cause: look at the controls before committing it


@dataclass(frozen=True)
class Notice:
    """One update of one incident on a vendor's status page; `id` is the vendor's incident, `update` the single post."""

    provider: str
    id: str
    update: str
    title: str
    body: str
    status: str
    impact: str
    at: datetime
    url: str = ""
    components: tuple[str, ...] = ()  # ids of our components that the vendor names, as far as the page maps them
    elsewhere: bool = False  # the vendor names components, and none of them is ours
    starts_at: datetime | None = None  # planned start, of a maintenance
    ends_at: datetime | None = None
    began_at: datetime | None = None  # when the vendor opened it, according to the page


@dataclass(frozen=True)
class Listing:
    """All incidents, or all maintenances, that a page lists, and when each began. Only from a page that was read whole."""

    began: Mapping[str, datetime] = field(default_factory=dict)  # by the vendor's id
    history: bool = False  # the list includes finished ones, so new entries may push old ones out


class AlertState(StrEnum):
    """The state that another monitor reports for its alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


class FeedState(StrEnum):
    """How current a vendor's page is: fresh, stale (only an earlier reading is available), unknown (never read)."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FeedReport:
    """One reading of a vendor's status page. A component that the page does not list is absent, not operational."""

    provider: str
    at: datetime
    state: FeedState
    reason: str = ""
    levels: Mapping[str, Level] = field(default_factory=dict)  # by our component id
    notices: tuple[Notice, ...] = ()
    maintenance: tuple[str, ...] = ()  # ids of our components that the page shows as under maintenance
    page: str = ""  # digest of the address that was read, since an address may contain a token
    incidents: Listing | None = None  # None if the list was missing or incomplete, so absence from it proves nothing
    maintenances: Listing | None = None
