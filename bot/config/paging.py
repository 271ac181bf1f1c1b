"""The sections on paging: who is on call, whom to call when, and quiet hours."""

import re
from datetime import time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator

from bot.config.checks.base import Part
from bot.config.scalars import (
    EXPANDED,
    Moment,
    PositiveSpan,
    Secret,
    Text,
    TimeZone,
    Url,
    bad,
    check_url,
    parse_duration,
    require,
)

LONGEST = timedelta(hours=24)
SOURCES = ("usergroup", "rota", "ical", "pagerduty", "jsm")
FOREIGN = ("ical", "pagerduty", "jsm")  # their names for people differ from Slack's
SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4")


def _id(letters: str, words: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(rf"[{letters}][A-Z0-9]{{2,}}", value):
            raise bad(f"not the ID of a {words}", f"write the ID, {letters[0]}...; Slack shows it in the profile's menu")
        return value

    return AfterValidator(check)


def _wall_time(value: object) -> time:
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if isinstance(value, time):
        return value
    if match is None:
        raise bad("not a time of day", 'write hours and minutes, such as "22:00"')
    return time(int(match[1]), int(match[2]))


def _within_a_day(value: object) -> timedelta:
    span = parse_duration(value)
    if span > LONGEST:
        raise bad("the step is too late", "at most 24h after the declaration")
    return span


def _calendar_url(value: object) -> object:
    """Anybody with such an address can read the calendar, so it is a secret."""
    if not isinstance(value, str):
        return value
    require("icalendar", "`ical`", extra="calendars")
    value = value.strip()
    return check_url(f"https://{value.removeprefix('webcal://')}" if value.startswith("webcal://") else value)


def _addresses(value: object) -> object:
    """`true` means every address; a list names some by number in `notify` or by scheme."""
    if value in (True, "true"):
        return ("all",)
    if value in (False, "false"):
        return ()
    if isinstance(value, list):
        return tuple(str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in value)
    if not isinstance(value, tuple):
        raise bad("must be true or a list", "write true for every address of `notify`, or numbers or schemes in brackets")
    return value


UserId = Annotated[str, _id("UW", "user")]
PersonOrGroupId = Annotated[str, _id("UWS", "user or user group")]
GroupId = Annotated[str, _id("S", "user group")]
WallTime = Annotated[
    time, BeforeValidator(_wall_time), WithJsonSchema({"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9]$"})
]
After = Annotated[
    timedelta,
    BeforeValidator(_within_a_day),
    WithJsonSchema({"type": "string", "anyOf": [{"pattern": r"^[0-9]+(ms|s|m|h|d)$"}, {"pattern": EXPANDED}]}),
]
Addresses = Annotated[
    tuple[Text, ...],
    BeforeValidator(_addresses),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": ["string", "integer"]}}]}),
]
CalendarUrl = Annotated[SecretStr, BeforeValidator(_calendar_url), WithJsonSchema({"type": "string"})]
SeverityName = Literal["SEV1", "SEV2", "SEV3", "SEV4"]


class RotaConfig(Part):
    """People who take turns."""

    starts: Moment = Field(description="When the first person's first turn begins, with UTC offset: `2026-12-01T09:00:00Z`.")
    every: PositiveSpan = Field(description="How long a turn is, such as `7d`.")
    users: tuple[UserId, ...] = Field(
        min_length=1, description="User IDs in the order of their turns; after the last, the first again."
    )
    zone: TimeZone = Field(default="UTC", description="Time zone in which turns change.")


class PagerDutyConfig(Part):
    """A schedule of PagerDuty."""

    schedule: Text = Field(description="ID of the schedule, `P...`, from the address of its page.")
    token: Secret = Field(default=SecretStr(""), description="Read-only REST API key; without one nobody is found.")
    api_url: Url = Field(default="https://api.pagerduty.com", description="The API; `https://api.eu.pagerduty.com` in the EU.")


class JsmConfig(Part):
    """A schedule of Jira Service Management Operations."""

    cloud: Text = Field(description="Cloud ID of the site; `https://SITE.atlassian.net/_edge/tenant_info` shows it.")
    schedule: Text = Field(description="ID of the schedule.")
    email: Text = Field(description="Whose API token it is.")
    token: Secret = Field(default=SecretStr(""), description="API token of Atlassian; without one nobody is found.")
    api_url: Url = Field(default="https://api.atlassian.com/jsm/ops/api", description="The API.")


class OnCallConfig(Part):
    """A name that paging and invitations may use, and where to look up who that is."""

    usergroup: GroupId | None = Field(default=None, description="A Slack user group, by ID.")
    rota: RotaConfig | None = Field(default=None, description="People who take turns.")
    ical: CalendarUrl | None = Field(
        default=None, description="Address of an iCalendar file whose events are shifts; kept secret."
    )
    pagerduty: PagerDutyConfig | None = Field(default=None, description="A schedule of PagerDuty.")
    jsm: JsmConfig | None = Field(default=None, description="A schedule of Jira Service Management, which replaces Opsgenie.")
    users: dict[Text, UserId] = Field(
        default={}, description="Slack user ID for each address, name or ID of `ical`, `pagerduty` or `jsm`."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, given: Any) -> Any:
        if isinstance(given, dict) and sum(given.get(source) is not None for source in SOURCES) != 1:
            raise bad("it needs one source", f"write one of {', '.join(f'`{source}`' for source in SOURCES)}")
        foreign = next((source for source in FOREIGN if isinstance(given, dict) and given.get(source) is not None), None)
        if foreign and not given.get("users"):
            raise bad(f"nobody from `{foreign}` is known in Slack", "write `users: {ana@example.com: U0ANA}` beside it")
        return given

    @property
    def elsewhere(self) -> bool:
        """Whether it is looked up over HTTP."""
        return self.ical is not None or self.pagerduty is not None or self.jsm is not None

    def secrets(self) -> tuple[SecretStr, ...]:
        """Its secrets."""
        tokens = [section.token for section in (self.pagerduty, self.jsm) if section]
        return (*tokens, self.ical) if self.ical else tuple(tokens)


class PageStepConfig(Part):
    """Whom to call if nobody has acknowledged the incident this long after its declaration."""

    after: After = Field(
        description="How long after the declaration, at most 24h; each step must be later than the one before."
    )
    mention: tuple[Text, ...] = Field(
        default=(),
        description="Names of `people.on_call` or IDs to mention in Slack; `here` means who is active in the channel.",
    )
    dm: tuple[Text, ...] = Field(default=(), description="Names or IDs that get a direct message; a group means its members.")
    notify: Addresses = Field(
        default=(), description="`true` for every address of `notify`, or some by number (from 1) or scheme (`pagerduty`)."
    )


class QuietConfig(Part):
    """Hours in which pages of some severities wait."""

    severities: tuple[SeverityName, ...] = Field(min_length=1, description="Severities whose pages wait.")
    begins: WallTime = Field(alias="from", description='When the hours begin, in local time: `"22:00"`.')
    ends: WallTime = Field(alias="to", description="When they end; a time before `from` is on the next day.")
    zone: TimeZone = Field(default="UTC", description="Time zone of these hours, daylight saving included.")


class PagingConfig(Part):
    """Whom to call, by severity, until somebody acknowledges the incident."""

    SEV1: tuple[PageStepConfig, ...] = Field(default=(), description="Steps, in order of time.")
    SEV2: tuple[PageStepConfig, ...] = Field(default=(), description="Steps, in order of time.")
    SEV3: tuple[PageStepConfig, ...] = Field(default=(), description="Steps, in order of time.")
    SEV4: tuple[PageStepConfig, ...] = Field(default=(), description="Steps, in order of time.")
    quiet: QuietConfig | None = Field(default=None, description="Hours in which pages of some severities wait.")

    def by_severity(self) -> dict[str, tuple[PageStepConfig, ...]]:
        """The steps of each severity."""
        return {"SEV1": self.SEV1, "SEV2": self.SEV2, "SEV3": self.SEV3, "SEV4": self.SEV4}
