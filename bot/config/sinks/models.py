"""The section `flags.KEY.sinks`: the systems that a flag's variant is written to, one model per `type`."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

from bot.config.checks.base import Part
from bot.config.scalars import OptionalUrl, Secret, Text, Url, bad, check_url


def _hook_url(value: object) -> object:
    """Anybody who knows such an address may be able to switch, so it is a secret."""
    return check_url(value.strip()) if isinstance(value, str) else value


def _file(path: Path) -> Path:
    if not path.is_absolute() or not path.name or "\0" in str(path):
        raise bad("not the path of a file", "write it from the root, such as /var/lib/flagd/understudy.json")
    return path


HookUrl = Annotated[SecretStr, BeforeValidator(_hook_url), WithJsonSchema({"type": "string"})]
FilePath = Annotated[Path, AfterValidator(_file)]
Drift = Literal["repair", "report"]
DRIFT_WORDS = (
    "What to do when somebody else changes it while the flag is switched: `repair` puts it back, `report` only says so."
)


class SinkBase(Part):
    """What all sinks share, and what the rest of the bot asks of each."""

    @property
    def id(self) -> str:
        """The target as a permanent name without secrets."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """Its name in messages."""
        return self.id

    @property
    def over_http(self) -> bool:
        """Whether it is reached over HTTP."""
        return False

    @property
    def at_rest(self) -> bool:
        """Whether its reader needs it even if the flag was never engaged."""
        return False

    @property
    def repairs(self) -> bool:
        """Whether we restore our value after others change it."""
        return False

    def secrets(self) -> tuple[SecretStr, ...]:
        """All credentials that it contains."""
        return ()


class WebhookSink(SinkBase):
    """A receiver of your own, told of each switch in a signed request (Standard Webhooks)."""

    type: Literal["webhook"] = Field(default="webhook", description="`webhook`")
    url: HookUrl = Field(description="Where requests go; kept secret, since some addresses hold credentials.")
    secret: Secret = Field(
        default=SecretStr(""), description="Secret that signs requests: `whsec_...` or any text; unsigned when empty."
    )

    @property
    def id(self) -> str:
        """Its host, and what distinguishes two addresses there."""
        return f"webhook:{self._host}#{hashlib.sha256(self.url.get_secret_value().encode()).hexdigest()[:8]}"

    @property
    def label(self) -> str:
        """Its host."""
        return f"webhook {self._host}"

    @property
    def over_http(self) -> bool:
        """Always true."""
        return True

    @property
    def _host(self) -> str:
        return urlsplit(self.url.get_secret_value()).hostname or "nowhere"

    def secrets(self) -> tuple[SecretStr, ...]:
        """Its signing secret, and its address, of which only the host is shown."""
        return (self.secret, self.url)


class ReadBackSink(SinkBase):
    """A sink that can be read back, so that changes by others are noticed."""

    drift: Drift = Field(default="repair", description=DRIFT_WORDS)

    @property
    def repairs(self) -> bool:
        """As configured."""
        return self.drift == "repair"


class FlagdFileSink(ReadBackSink):
    """A file read by flagd, with this one flag."""

    type: Literal["flagd_file"] = Field(default="flagd_file", description="`flagd_file`")
    path: FilePath = Field(description="The file, from the root; the bot must be able to create files in its folder.")

    @property
    def id(self) -> str:
        """Its file."""
        return f"flagd_file:{self.path}"

    @property
    def label(self) -> str:
        """Its file."""
        return f"flagd file {self.path}"

    @property
    def at_rest(self) -> bool:
        """Always true: flagd does not start without it."""
        return True


class EnvoyRdsSink(ReadBackSink):
    """Envoy's routes in a file (RDS): the variant's share becomes the weight of its cluster."""

    type: Literal["envoy_rds"] = Field(default="envoy_rds", description="`envoy_rds`")
    path: FilePath = Field(
        description="The file, a DiscoveryResponse as JSON, from the root; the bot must be able to create files in its folder."
    )
    route: Text = Field(description="Name of the RouteConfiguration in it.")
    clusters: dict[Text, Text] = Field(min_length=1, description="Envoy's cluster for each variant of the flag.")
    admin: OptionalUrl = Field(default=None, description="Address of Envoy's admin interface, to ask which version it loaded.")

    @property
    def id(self) -> str:
        """Its file and its routes."""
        return f"envoy_rds:{self.path}#{self.route}"

    @property
    def label(self) -> str:
        """Its routes."""
        return f"Envoy routes {self.route}"

    @property
    def over_http(self) -> bool:
        """Whether Envoy is asked what it loaded."""
        return self.admin is not None

    @property
    def at_rest(self) -> bool:
        """Always true: Envoy does not start without it."""
        return True


class UnleashSink(ReadBackSink):
    """A feature in Unleash, on for the share that gets one of some variants."""

    type: Literal["unleash"] = Field(default="unleash", description="`unleash`")
    url: Url = Field(description="Address of the server, `https://unleash.example.com`.")
    project: Text = Field(default="default", description="Project of the feature.")
    environment: Text = Field(default="production", description="Environment in which it is switched.")
    feature: Text = Field(description="Name of the feature.")
    token: Secret = Field(
        default=SecretStr(""), description="API token that may change the feature; without one it cannot be switched."
    )
    on: tuple[Text, ...] = Field(min_length=1, description="Variants for which the feature is on.")

    @property
    def id(self) -> str:
        """Its feature, and where that is."""
        return f"unleash:{urlsplit(self.url).netloc}/{self.project}/{self.feature}@{self.environment}"

    @property
    def label(self) -> str:
        """Its feature."""
        return f"Unleash feature {self.feature} ({self.environment})"

    @property
    def over_http(self) -> bool:
        """Always true."""
        return True

    def secrets(self) -> tuple[SecretStr, ...]:
        """Its token."""
        return (self.token,)


Sink = Annotated[WebhookSink | FlagdFileSink | EnvoyRdsSink | UnleashSink, Field(discriminator="type")]

SINK_MODELS: dict[str, type[SinkBase]] = {
    "webhook": WebhookSink,
    "flagd_file": FlagdFileSink,
    "envoy_rds": EnvoyRdsSink,
    "unleash": UnleashSink,
}
