"""The shape of the configuration: frozen models, one per section, with what the rest of the bot asks of them."""

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr

from bot.config.checks.base import CheckBase, Part
from bot.config.checks.kinds import CONTROL, Check
from bot.config.controls import default_controls
from bot.config.detection import (
    ClusterConfig,
    DetectionConfig,
    MaintenanceConfig,
    MutesConfig,
    OutcomesConfig,
    PeerConfig,
    SamplesConfig,
)
from bot.config.flags import FlagConfig, FlagKey
from bot.config.incidents import BroadcastConfig, ComponentOpenOn, IncidentsConfig, OpenOn, Runbook
from bot.config.paging import PagingConfig
from bot.config.pending import is_live_dialect
from bot.config.people import PeopleConfig
from bot.config.rehearsals import Price
from bot.config.scalars import (
    Every,
    Label,
    Listen,
    Network,
    NotifyUrl,
    Origin,
    PingUrl,
    Prefix,
    PublicUrl,
    Secret,
    Slug,
    SocketPath,
    StoreUrl,
    Switch,
    TeamId,
    Text,
    Url,
    bad,
    passwords_in,
    split_listen,
)
from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.system.secret_forms import looks_secret

_SECRET_NAME = re.compile(r"key|token|secret|sig|pass|pwd|auth|cred", re.IGNORECASE)
_LEAST_SECRET = 6  # shorter strings occur by chance in any log


class SlackConfig(Part):
    """How the bot reaches Slack, and which channels it uses."""

    mode: Literal["socket", "http", "none"] = Field(
        default="socket",
        description="`socket` needs no public URL; in `http`, with `signing_secret`, Slack sends to the server; or `none`.",
    )
    bot_token: Secret = Field(default=SecretStr(""), description="The app's bot token, `xoxb-...`; required.")
    app_token: Secret = Field(default=SecretStr(""), description="The app-level token, `xapp-...`; required in mode `socket`.")
    signing_secret: Secret = Field(default=SecretStr(""), description="Signing secret of the app; required in mode `http`.")
    api_url: Url = Field(default="https://slack.com/api/", description="Base URL of Slack's Web API.")
    alerts_channel: Text = Field(default="#ops", description="Channel for alerts, by name or ID; the bot joins it.")
    backup_channel: str = Field(
        default="", description="Channel, by name or ID, that gets the alerts while `alerts_channel` accepts none."
    )
    prefix: Prefix = Field(
        default="", description="Prefix of every slash command, as given to `understudy manifest --prefix`, such as `us-`."
    )
    team: TeamId = Field(
        default="",
        description="ID of the bot's workspace, if its app is installed for a whole organization.",
    )
    invite: tuple[Text, ...] = Field(
        default=(), description="IDs of users or user groups, or names of `people.on_call`, invited to every incident channel."
    )


def _in_full(section: object) -> object:
    """Expand `slack: none`, short for the mode alone."""
    return {"mode": "none"} if section == "none" else section


SlackSection = Annotated[SlackConfig, BeforeValidator(_in_full, json_schema_input_type=SlackConfig | Literal["none"])]


class FlagTokenConfig(Part):
    """A token for one team's or service's flags, which also names its readers."""

    name: Text = Field(description="Name of its readers in lists; required.")
    token: Secret = Field(description="The token; required.")
    flags: tuple[Text, ...] = Field(default=("*",), min_length=1, description="Keys of flags, or patterns such as `support-*`.")


class ServerConfig(Part):
    """The HTTP server: flags, status, control, metrics and the board."""

    listen: Listen = Field(default="127.0.0.1:8080", description="Address and port, `host:port`; port 0 takes a free one.")
    public_url: PublicUrl = Field(
        default="",
        description="How people, and Slack in mode `http`, reach the server: `https://...`; for links and the manifest.",
    )
    ping_url: PingUrl = Field(
        default=SecretStr(""),
        description="URL called every minute while the bot is well, so that a monitor notices when it stops; a secret.",
    )
    read_tokens: tuple[Secret, ...] = Field(default=(), description="Who may read flags and status.")
    flag_tokens: tuple[FlagTokenConfig, ...] = Field(
        default=(), description="Who may read some flags and nothing else; see below."
    )
    browsers: tuple[Origin, ...] = Field(
        default=(), description="Origins of web pages that may read flags, such as `https://shop.example.com`."
    )
    open_to_loopback: Switch = Field(
        default=False,
        description="Whether readers on this machine need no token; not behind a proxy, whose requests all count as local.",
    )
    socket: SocketPath = Field(
        default="",
        description="Path of a Unix socket in addition to the port; whoever may connect to it reads without a token.",
    )
    socket_access: Literal["owner", "group", "everybody"] = Field(
        default="owner",
        description="Who may connect to `socket`: its `owner`, the bot's user; its `group` too; or `everybody` on the machine.",
    )
    control_tokens: tuple[Secret, ...] = Field(default=(), description="Who may change things over HTTP; none means nobody.")

    outcome_tokens: tuple[Secret, ...] = Field(
        default=(), description="Who may report outcomes of real requests, and nothing else; control tokens may too."
    )

    @property
    def host(self) -> str:
        """The host part of `listen`, without brackets."""
        return split_listen(self.listen)[0]

    @property
    def port(self) -> int:
        """The port of `listen`."""
        return split_listen(self.listen)[1]


class Component(Part):
    """A part of a provider that can fail by itself."""

    name: str = Field(default="", description="Name for people; the key when not given.")
    checks: tuple[Check, ...] = Field(default=(), description="The checks that watch it.")
    depends_on: tuple[Text, ...] = Field(
        default=(),
        description="Components it depends on; while one of them has an incident, it opens none of its own.",
    )
    open_on: ComponentOpenOn = Field(
        default=ComponentOpenOn(), description="What its verdicts open, where that differs from `incidents.open_on`."
    )


class StatusPage(Part):
    """What the provider says about itself."""

    dialect: Literal["statuspage", "incidentio", "google", "aws", "azure", "instatus", "betterstack", "slack", "rss"] = Field(
        description="Format of the page: `statuspage`, `incidentio`, `google`, `aws`, `azure`, `instatus`, `betterstack`, "
        "`slack` or `rss`."
    )
    urls: tuple[Url, ...] = Field(min_length=1, description="Addresses of the same page, tried in order.")
    every: Every = Field(default=timedelta(seconds=60), description="How often it is read, 100ms to 1d.")
    components: dict[Slug, Text] = Field(default={}, description="The page's own id for each of our component keys.")

    @property
    def live(self) -> bool:
        """Whether pages of this dialect are supported."""
        return is_live_dialect(self.dialect)


class Provider(Part):
    """A vendor or service that the team depends on."""

    preset: str | None = Field(
        default=None, description="Known vendor; its names, components, checks and status page are used."
    )
    api_key: Secret = Field(default=SecretStr(""), description="Credential for the checks of the preset.")
    name: str = Field(default="", description="Name for people; the key when not given.")
    components: dict[Slug, Component] = Field(
        default={}, description="Its components by key; `provider.component` is a component's id."
    )
    status_page: StatusPage | None = Field(default=None, description="The vendor's status page.")


@dataclass(frozen=True)
class PlacedCheck:
    """A check in its place: `id` is `provider.component.name`, `component` is `provider.component`.

    `written` is its name in the file; a check with several models is written once and placed once for each.
    """

    id: str
    component: str
    provider: str
    name: str
    written: str
    check: Check
    live: bool  # False if its credential is missing


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _in_address(check: CheckBase) -> set[str]:
    """Parameters of its URL whose name or value looks secret."""
    pairs = parse_qsl(urlsplit(check.address).query)
    return {value for name, value in pairs if _SECRET_NAME.search(name) or looks_secret(value)}


def _some_path(value: object) -> object:
    if value == "":
        raise bad("the path is empty", "name a folder, such as ./data")
    return value


class Config(Part):
    """The whole configuration, read once at start."""

    slack: SlackSection = Field(default=SlackConfig(), description="How the bot reaches Slack, and which channels it uses.")
    server: ServerConfig = Field(default=ServerConfig(), description="The HTTP server.")
    data: Annotated[Path, BeforeValidator(_some_path)] = Field(
        default=Path("data"), description="Folder for the bot's databases, relative to the working directory."
    )
    store: StoreUrl = Field(
        default=SecretStr(""),
        description="PostgreSQL database for ledger and samples, `postgresql://user@host/name`, shared by replicas; a secret.",
    )
    cluster: ClusterConfig = Field(default=ClusterConfig(), description="How replicas that share a database work together.")
    people: PeopleConfig = Field(default=PeopleConfig(), description="Who may do what.")
    providers: dict[Slug, Provider] = Field(default={}, description="Vendors and services by key.")
    allow_private: tuple[Network, ...] = Field(
        default=(), description="Private networks that checks and status pages may reach; loopback only when listed."
    )
    control_group: tuple[Check, ...] | None = Field(
        default=None,
        description="Checks of neutral targets, to tell our own faults from a provider's; a default group when not given.",
    )
    detection: DetectionConfig = Field(default=DetectionConfig(), description="How samples become verdicts.")
    maintenance: tuple[MaintenanceConfig, ...] = Field(default=(), description="Windows in which no incident opens.")
    mutes: MutesConfig = Field(default=MutesConfig(), description="How long alerts may be held back by hand.")
    vantage: Label = Field(default="local", description="Where this bot checks from, in one word; samples carry it.")
    peers: tuple[PeerConfig, ...] = Field(default=(), description="Other Understudies that check from elsewhere.")
    samples: SamplesConfig = Field(
        default=SamplesConfig(), description="How long results are kept, and how much space they may take."
    )
    outcomes: OutcomesConfig = Field(default=OutcomesConfig(), description="When real requests count as failing.")
    flags: dict[FlagKey, FlagConfig] = Field(default={}, description="Flags by key.")
    prices: dict[Text, Price] = Field(default={}, description="What models cost, by component id; for rehearsals and plans.")
    incidents: IncidentsConfig = Field(default=IncidentsConfig(), description="When incidents open, post updates and resolve.")
    paging: PagingConfig = Field(default=PagingConfig(), description="Whom to page until somebody acknowledges an incident.")
    broadcast: tuple[BroadcastConfig, ...] = Field(
        default=(), description="Channels that keep people outside an incident informed."
    )
    runbooks: dict[str, Runbook] = Field(default={}, description="Runbooks, by component id.")
    notify: tuple[NotifyUrl, ...] = Field(
        default=(), description="Apprise URLs to use when Slack does not accept a message, and where `paging` says so."
    )

    _found_secrets: frozenset[str] = PrivateAttr(frozenset())  # values of variables named like secrets, wherever they are used

    def components(self) -> Mapping[str, Component]:
        """All components by id (`provider.component`), in the order of the file."""
        return {
            f"{provider}.{key}": component
            for provider, section in self.providers.items()
            for key, component in section.components.items()
        }

    def checks(self) -> tuple[PlacedCheck, ...]:
        """All checks of all components with their ids, including those that are off."""
        return tuple(
            PlacedCheck(
                id=f"{component}.{name}",
                component=component,
                provider=ComponentId(component).provider,
                name=name,
                written=check.name or check.type,
                check=one,
                live=check.missing_credential is None,
            )
            for component, section in self.components().items()
            for check in section.checks
            for name, one in check.parts(check.name or check.type)
        )

    def controls(self) -> tuple[PlacedCheck, ...]:
        """The control group's checks, or the default ones if the file defines none; they belong to no component."""
        return tuple(
            PlacedCheck(
                id=f"{CONTROL}.{name}", component=CONTROL, provider=CONTROL, name=name, written=check.name or check.type,
                check=one, live=check.missing_credential is None,
            )
            for check in self._control_checks()
            for name, one in check.parts(check.name or check.type)
        )  # fmt: skip

    def _control_checks(self) -> tuple[Check, ...]:
        if self.control_group is not None:
            return self.control_group
        return default_controls(self.slack.api_url if self.slack.bot_token.get_secret_value() else "")

    def controls_without_names(self) -> bool:
        """Whether every control is reached by address, so that none would notice a dead resolver."""
        hosts = [urlsplit(f"//{placed.check.target}").hostname or "" for placed in self.controls() if placed.live]
        return bool(hosts) and all(_is_number(host) for host in hosts)

    def control_words(self) -> str:
        """Which control group is used, as a sentence for operators."""
        if self.control_group is not None and not self.control_group:
            return "control_group is empty: a fault of our own network looks like everybody's outage"
        targets = ", ".join(f"{one.check.type} {one.check.target}" for one in self.controls())
        if self.control_group is None:
            return f"no control_group is set, so the default applies: {targets}; `control_group: []` turns it off"
        return f"the control group is {targets}"

    def live_checks(self) -> tuple[PlacedCheck, ...]:
        """The checks that actually run, since their credentials are present."""
        return tuple(placed for placed in self.checks() if placed.live)

    def open_on(self, component: str) -> OpenOn:
        """What this component's verdicts open: its own settings over those of `incidents.open_on`."""
        own, general = self.components()[component].open_on, self.incidents.open_on
        return OpenOn(down=own.down or general.down, degraded=own.degraded or general.degraded)

    def component_name(self, component: str) -> str:
        """A component's name for people, its key when it has none."""
        return self.components()[component].name or ComponentId(component).name

    def provider_name(self, provider: str) -> str:
        """A provider's name for people, its key when it has none."""
        return self.providers[provider].name or provider

    def secrets(self) -> frozenset[str]:
        """Every secret string of six characters or more, for keeping them out of logs and exports."""
        found = {self.slack.bot_token, self.slack.app_token, self.slack.signing_secret, *self.notify}
        found |= {*self.server.read_tokens, *self.server.control_tokens, *self.server.outcome_tokens}
        found |= {self.server.ping_url, self.store}
        found |= {one.token for one in self.server.flag_tokens}
        found |= {provider.api_key for provider in self.providers.values()}
        found |= {peer.secret for peer in self.peers}
        found |= {secret for one in self.people.on_call.values() for secret in one.secrets()}
        found |= {secret for flag in self.flags.values() for sink in flag.sinks for secret in sink.secrets()}
        texts = set(self._found_secrets)
        for check in [placed.check for placed in self.checks()] + list(self.control_group or ()):
            texts |= _in_address(check)
            found |= set(check.secrets())
        texts |= {secret.get_secret_value() for secret in found}
        texts |= passwords_in(self.store.get_secret_value())
        texts |= {text.partition(" ")[2].strip() for text in texts}  # also without `Bearer`
        return frozenset(text for text in texts if len(text) >= _LEAST_SECRET)

    def with_found_secrets(self, values: frozenset[str]) -> "Config":
        """The same configuration with these strings added to its secrets."""
        copy = self.model_copy()
        copy._found_secrets = values
        return copy
