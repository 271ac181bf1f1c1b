"""The check that asks a model for one short answer."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from bot.config.checks.base import CheckBase, Part
from bot.config.checks.http import Headers, check_pattern
from bot.config.scalars import Deadline, Every, PositiveSpan, Real, Secret, Text, Url, Whole, bad, require


class LlmExpect(Part):
    """What a completion must be like."""

    under: PositiveSpan | None = Field(default=None, description="A completion that takes longer than this counts as slow.")
    first_token: PositiveSpan | None = Field(
        default=None, description="A first token that comes later than this counts as slow."
    )
    tokens_per_second: Annotated[float, Real(0.01, 100_000)] | None = Field(
        default=None, description="Fewer tokens a second than this count as slow; only useful with long answers."
    )
    answer: Text | None = Field(
        default=None, description="Text that the completion must hold, or `/regular expression/`; another answer is a failure."
    )

    @field_validator("answer")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        if value is not None and value.startswith("/") and not (len(value) > 2 and value.endswith("/")):
            raise bad(
                "it begins like a pattern but does not end like one", "write /pattern/; flags go inside, as in /(?i)pong/"
            )
        if value is not None and len(value) > 2 and value.startswith("/") and value.endswith("/"):
            check_pattern(value[1:-1])
        return value


class LlmBudget(Part):
    """What a check may spend per day (UTC); after that it makes its free call instead, and says so."""

    calls_per_day: Annotated[int, Whole(0, 10_000_000)] = Field(
        default=3_000, description="Calls that cost money, 0 to 10000000."
    )
    tokens_per_day: Annotated[int, Whole(0, 1_000_000_000)] | None = Field(
        default=None, description="Tokens in and out together; no limit when not given."
    )


class LlmCheck(CheckBase):
    """One short inference: the only check that can tell whether a model answers."""

    type: Literal["llm"] = Field(default="llm", description="`llm`")
    dialect: Literal["anthropic", "openai", "azure", "gemini", "bedrock"] = Field(
        description="API of the provider: `anthropic`, `openai`, `azure`, `gemini` or `bedrock`."
    )
    url: Url = Field(description="Base URL of the provider's API.")
    model: Text | None = Field(default=None, description="Model, or deployment, to ask.")
    models: tuple[Text, ...] = Field(
        default=(), description="Several models, instead of `model`; each becomes a check of its own."
    )
    api_key: Secret = Field(default=SecretStr(""), description="Credential; empty turns the check off.")
    api: Literal["chat", "responses"] = Field(
        default="chat", description="Which OpenAI API to use, `chat` (completions) or `responses`."
    )
    rung: Literal["inference", "tokens", "free"] = Field(
        default="inference",
        description="What it asks for: one streamed `inference`, a `tokens` count, or a `free` list of the models.",
    )
    headers: Headers = Field(default={}, description="Further headers to send, kept out of logs and messages.")
    prompt: Text = Field(default="ping", description="The prompt.")
    max_tokens: Annotated[int, Whole(1, 1024)] | None = Field(
        default=None, description="Maximum tokens of the answer, 1 to 1024; the least that the dialect accepts when not given."
    )
    api_version: Text | None = Field(default=None, description="Version of the API, for `azure` and `anthropic`.")
    region: Text | None = Field(default=None, description="Region, for `bedrock`.")
    access_key_id: Secret = Field(default=SecretStr(""), description="For `bedrock`, instead of `api_key`.")
    secret_access_key: Secret = Field(default=SecretStr(""), description="Belongs to `access_key_id`.")
    session_token: Secret = Field(default=SecretStr(""), description="Belongs to a temporary `access_key_id`.")
    expect: LlmExpect = Field(default_factory=LlmExpect, description="What the completion must be like.")
    budget: LlmBudget = Field(default=LlmBudget(), description="What it may spend in a day.")
    every: Every = Field(default=timedelta(seconds=60), description="How often it runs, 100ms to 1d.")
    deadline: Deadline = Field(default=timedelta(seconds=30), description="How long a run may take in all, 1ms to 10m.")
    weight: Annotated[float, Real(0.01, 100)] = Field(
        default=3.0, description="Its weight among the checks of its component, 0.01 to 100."
    )

    @field_validator("models")
    @classmethod
    def _one_way_to_name_it(cls, models: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if models and info.data.get("model"):
            raise bad("both model and models are given", "keep one of them")
        if len(set(models)) < len(models):
            raise bad("a model is listed twice", "keep each once")
        return models

    @model_validator(mode="after")
    def _names_a_model(self) -> Self:
        if not self.model and not self.models:
            raise bad("no model is named", "add `model:`")
        if self.dialect == "bedrock":
            require("botocore", "bedrock", extra="bedrock")
        if self.dialect == "bedrock" and not self.region:
            raise bad("bedrock needs a region", "add `region: us-east-1`, or whichever yours is")
        return self

    @property
    def missing_credential(self) -> str | None:
        """`api_key` if it is empty, unless the check signs with an access key."""
        if self.dialect == "bedrock" and self.access_key_id.get_secret_value():
            return None if self.secret_access_key.get_secret_value() else "secret_access_key"
        return None if self.api_key.get_secret_value() else "api_key"

    @property
    def slow_over(self) -> timedelta | None:
        """Its own limit."""
        return self.expect.under

    @property
    def target(self) -> str:
        """The vendor's host."""
        return urlsplit(self.url).netloc

    @property
    def address(self) -> str:
        """Its URL."""
        return self.url

    def secrets(self) -> tuple[SecretStr, ...]:
        """All credentials that it contains."""
        return (self.api_key, self.access_key_id, self.secret_access_key, self.session_token, *self.headers.values())

    def parts(self, name: str) -> tuple[tuple[str, Self], ...]:
        """One check per model."""
        if not self.models:
            return ((name, self),)
        return tuple(
            (f"{name}-{_slug(model)}", self.model_copy(update={"model": model, "models": ()})) for model in self.models
        )


def _slug(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", model).strip("-")
