"""The values that every floor speaks in: levels, samples, verdicts, notices, actors."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from bot.core.lazy_dataclass import dataclass


class Level(StrEnum):
    """How a component is, as a verdict says it."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @property
    def bad(self) -> bool:
        """Whether people feel it: degraded or down. Unknown is neither bad nor well."""
        return self in (Level.DEGRADED, Level.DOWN)

    @property
    def rank(self) -> int:
        """For comparing how bad two levels are: operational 0, unknown 1, degraded 2, down 3."""
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
        """Whether the remedy is on our side of the wire."""
        return self in (Fault.OURS_KEY, Fault.OURS_CONFIG, Fault.OURS_QUOTA, Fault.LOCAL)


class Outcome(StrEnum):
    """What one run of a check came to."""

    OK = "ok"
    SLOW = "slow"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Severity(StrEnum):
    """Impact on us, not on the vendor: SEV1 no working path for customers ... SEV4 watch."""

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
    MERGED = "merged"  # it is part of another incident; `LEGAL` knows no way there or back, `merging` does

    @property
    def open(self) -> bool:
        """Whether the incident still runs: updates go out, and it holds its dedup key."""
        return self not in (Phase.RESOLVED, Phase.CLOSED, Phase.CANCELED, Phase.MERGED)


LEAD = "commander"  # the role of whoever leads, as the ledger has it whatever `people.roles` calls it
COMMUNICATIONS = "communications"  # whoever speaks to everybody else, where that is a role

TARGETING_KEY = "targetingKey"  # the attribute that tells readers of a flag apart, unless the flag names another one


class ActorKind(StrEnum):
    """What somebody who does something is."""

    PERSON = "person"  # in Slack
    OPERATOR = "operator"  # at the terminal or behind the API
    RULE = "rule"  # of ours
    VENDOR = "vendor"
    OUTSIDER = "outsider"  # in Slack, and no full member of our workspace

    @classmethod
    def _missing_(cls, value: object) -> "ActorKind":
        """A kind that a ledger of another version knows is read as one without rights."""
        return cls.OUTSIDER


@dataclass(frozen=True)
class Actor:
    """Who did something: a person in Slack, an operator (terminal or API, proved by a token), a rule of ours, a vendor.

    An outsider is a person in Slack who is no full member of our workspace; what they send changes nothing.
    """

    kind: ActorKind
    id: str
    name: str = ""

    @staticmethod
    def rule(name: str) -> "Actor":
        """A rule of the bot, named as people will read it: `detector`, `hourly update`."""
        return Actor(ActorKind.RULE, name, name)

    @staticmethod
    def person(id: str, name: str = "") -> "Actor":
        """A person, by Slack user id."""
        return Actor(ActorKind.PERSON, id, name or id)

    @staticmethod
    def outsider(id: str, name: str = "") -> "Actor":
        """A guest, somebody of another organization or a bot, by Slack user id."""
        return Actor(ActorKind.OUTSIDER, id, name or id)

    @staticmethod
    def operator(login: str) -> "Actor":
        """Somebody at the terminal or behind the API, by login name; a token proved the right to act."""
        return Actor(ActorKind.OPERATOR, login, login)

    @staticmethod
    def vendor(provider: str, name: str = "") -> "Actor":
        """A provider speaking through its status page."""
        return Actor(ActorKind.VENDOR, provider, name or provider)


@dataclass(frozen=True)
class Sample:
    """What one run of a check measured.

    `error` is a class from the taxonomy (`http_5xx`, `connect_refused`, `deadline` ...) or None; `phases_ms` holds what was
    measured of dns, connect, tls, first_byte, first_token and total; `evidence` holds short texts for people (status,
    request id, excerpt), already free of secrets.
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


@dataclass(frozen=True)
class Verdict:
    """What we hold of a component, and why, in words that people can check."""

    component: str
    level: Level
    reason: str
    fault: Fault = Fault.NONE
    evidence: tuple[str, ...] = ()
    began_at: datetime | None = None  # when the evidence for this level starts: the first failed or first good sample
    advisory: str = ""  # a part of it fails persistently, too small a part for a worse level; in words that stay the same
    by_network: bool = False  # it rests on what our own network can cause: look at the controls before it is committed


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
    components: tuple[str, ...] = ()  # our component ids that the vendor names, where the page maps them
    elsewhere: bool = False  # the vendor names components, and none of them is ours
    starts_at: datetime | None = None  # of a maintenance, as planned
    ends_at: datetime | None = None
    began_at: datetime | None = None  # when the vendor opened it, by the page


@dataclass(frozen=True)
class Listing:
    """The incidents, or the maintenances, that a page lists, with when each began. Of a page that was read whole."""

    began: Mapping[str, datetime] = field(default_factory=dict)  # by the vendor's id
    history: bool = False  # it also lists some that are over, so that new ones may push old ones out


class AlertState(StrEnum):
    """What another monitor says of its alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


class FeedState(StrEnum):
    """What we know of a vendor's page itself: fresh, stale (last word kept, no new one), unknown (never read)."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FeedReport:
    """One reading of a vendor's status page. A component that the page does not list is absent, not well."""

    provider: str
    at: datetime
    state: FeedState
    reason: str = ""
    levels: Mapping[str, Level] = field(default_factory=dict)  # by our component id
    notices: tuple[Notice, ...] = ()
    maintenance: tuple[str, ...] = ()  # our component ids that the page calls under maintenance
    page: str = ""  # which of the provider's addresses was read, as a digest: an address may hold a token
    incidents: Listing | None = None  # None where the list was not there, or not read whole: it says nothing of what is absent
    maintenances: Listing | None = None
