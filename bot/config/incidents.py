"""The sections on incidents: when they open, post updates and resolve; and runbooks."""

import re
import string
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.config.checks.base import Part
from bot.config.paging import SeverityName
from bot.config.scalars import Cadence, OptionalUrl, Span, Switch, Text, TimeZone, bad

Opening = Literal["SEV1", "SEV2", "SEV3", "SEV4", "thread", "none"]


class OpenOn(Part):
    """What a verdict of `down` or `degraded` opens."""

    down: Opening = Field(default="SEV2", description="Opened when a component is down: `SEV1` to `SEV4`, `thread` or `none`.")
    degraded: Opening = Field(
        default="thread", description="Opened when a component is degraded: `SEV1` to `SEV4`, `thread` or `none`."
    )


class ComponentOpenOn(Part):
    """What a bad verdict of one component opens, if different from `incidents.open_on`."""

    down: Opening | None = Field(default=None, description="Instead of `incidents.open_on.down`.")
    degraded: Opening | None = Field(default=None, description="Instead of `incidents.open_on.degraded`.")


class UpdateEvery(Part):
    """How often an incident posts an update, by severity."""

    SEV1: Cadence = Field(default=timedelta(minutes=30), description="A duration, or `never`, the same as `on_change`.")
    SEV2: Cadence = Field(default=timedelta(minutes=60), description="A duration, or `never`, the same as `on_change`.")
    SEV3: Cadence = Field(default=timedelta(minutes=60), description="A duration, or `never`, the same as `on_change`.")
    SEV4: Cadence = Field(default=None, description="A duration, or `never`, the same as `on_change`.")

    def by_severity(self) -> dict[str, timedelta | None]:
        """The interval of each severity; None = on change only."""
        return {"SEV1": self.SEV1, "SEV2": self.SEV2, "SEV3": self.SEV3, "SEV4": self.SEV4}


def _check_channel_name(template: str) -> str:
    known = "only {date}, {number} and {slug}, each without further format"
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise bad("the braces of the template do not match", f"it may hold {known}") from error
    fields = [field for _, field, _, _ in parts if field is not None]
    if any(spec or conversion for _, _, spec, conversion in parts) or not {"date", "number", "slug"}.issuperset(fields):
        raise bad("the template holds an unknown field", f"it may hold {known}")
    if "number" not in fields:
        raise bad("the template does not hold {number}", "add {number}, which keeps channel names apart")
    literal = "".join(text for text, _, _, _ in parts)
    if not re.fullmatch(r"[a-z0-9_-]{0,40}", literal):
        remedy = "besides its fields it may hold at most 40 lower-case letters, digits, - and _"
        raise bad("Slack does not accept such a channel name", remedy)
    return template


def _check_call(url: str | None) -> str | None:
    if url and not url.startswith("https://"):
        raise bad("the call would not be encrypted", "write an https:// address")
    return url


EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}")


def _check_emoji(name: str) -> str:
    """An emoji's name as Slack reports it: without colons and skin tone."""
    bare = name.strip().strip(":").lower()
    if bare in ("pushpin", "round_pushpin"):
        raise bad("a pushpin already adds messages to the timeline", "choose another emoji, such as rotating_light")
    if bare and not EMOJI.fullmatch(bare):
        raise bad("that is not the name of an emoji", "write what is between the colons, such as rotating_light")
    return bare


class IncidentsConfig(Part):
    """When incidents open, post updates and resolve."""

    open_on: OpenOn = Field(default=OpenOn(), description="What a verdict of `down` or `degraded` opens.")
    update_every: UpdateEvery = Field(default=UpdateEvery(), description="How often an incident posts an update, by severity.")
    resolve: Literal["ask", "auto"] = Field(
        default="ask", description="Once all is well for `resolve_after`: `ask` asks a person to resolve, `auto` resolves."
    )
    resolve_after: Span = Field(default=timedelta(minutes=30), description="How long all components must be healthy.")
    channel_name: Annotated[Text, AfterValidator(_check_channel_name)] = Field(
        default="inc-{date}-{number}-{slug}",
        description="Name of an incident's channel; fields are `{date}`, `{number}` (needed) and `{slug}`, the provider.",
    )
    bridge_url: Annotated[OptionalUrl, AfterValidator(_check_call)] = Field(
        default=None, description="Address of the call people join, `https://...`: on the card, and as a bookmark."
    )
    declare_emoji: Annotated[str, AfterValidator(_check_emoji)] = Field(
        default="",
        description="An emoji such as `rotating_light`: putting it on a message offers to declare an incident from it.",
    )
    zone: TimeZone = Field(
        default="UTC",
        description="Time zone of answers in terminal and API; Slack uses each reader's own.",
    )
    private: Switch = Field(
        default=False, description="Whether incident channels are private; the app then needs the `groups:*` scopes."
    )


def _check_channel(channel: str) -> str:
    if not re.fullmatch(r"#[^\s#@,:<>]{1,80}|[CG][A-Z0-9]{2,30}", channel):
        raise bad("not the name or ID of a channel", 'write its name with #, such as "#stakeholders", or its ID, C...')
    return channel


class BroadcastConfig(Part):
    """A channel of people outside an incident who want to know about it."""

    channel: Annotated[Text, AfterValidator(_check_channel)] = Field(
        description='Channel, by name (`"#stakeholders"`) or ID; the bot joins a public one by itself.'
    )
    severities: tuple[SeverityName, ...] = Field(
        default=("SEV1", "SEV2"), min_length=1, description="Severities that are posted there."
    )
    detail: Literal["short", "full"] = Field(
        default="short",
        description="`short`: title, severity, whether customers are served; `full`: also components, flags, lead and link.",
    )


class Runbook(Part):
    """What to do when a component fails."""

    url: OptionalUrl = Field(default=None, description="Where the full runbook is.")
    steps: tuple[Text, ...] = Field(default=(), description="Steps that are posted as a checklist.")
    invite: tuple[Text, ...] = Field(
        default=(),
        description="IDs of users or user groups, or names of `people.on_call`, invited when the component is in it.",
    )
