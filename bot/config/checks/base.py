"""What all sections of the configuration share, and what all checks share."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.config.scalars import Deadline, Every, Real


class Part(BaseModel):
    """The base of all sections: unknown keys are errors, values are immutable, and errors never quote input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CheckBase(Part):
    """What all checks share, and what the rest of the bot asks of each; types override it where necessary."""

    name: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,62})?$")] = Field(
        default="", description="Name within its component; otherwise its type, with a number."
    )
    every: Every = Field(default=timedelta(seconds=30), description="How often it runs, 100ms to 1d.")
    deadline: Deadline = Field(default=timedelta(seconds=10), description="How long a run may take in all, 1ms to 10m.")
    weight: Annotated[float, Real(0.01, 100)] = Field(
        default=1.0, description="Its weight among the checks of its component, 0.01 to 100."
    )

    @property
    def missing_credential(self) -> str | None:
        """What is empty although the check needs it (`api_key`, `headers.x-api-key`), or None. Such a check is off."""
        return None

    @property
    def slow_over(self) -> timedelta | None:
        """The configured limit above which an answer is slow, if any."""
        return None

    @property
    def target(self) -> str:
        """What it checks, in words for people."""
        return self.name

    @property
    def address(self) -> str:
        """The URL that it requests, if any."""
        return ""

    def parts(self, name: str) -> tuple[tuple[str, Self], ...]:
        """The checks that it is run as, each with its name: by default itself, under the given name."""
        return ((name, self),)

    def secrets(self) -> tuple[SecretStr, ...]:
        """All credentials that it contains."""
        return ()
