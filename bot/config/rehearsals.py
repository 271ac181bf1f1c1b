"""How fallbacks are rehearsed, and what their models cost."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bot.config.checks.base import Part
from bot.config.scalars import Real, Span, Whole, bad

Need = Literal["stream", "tools", "json", "model", "context"]


class Price(Part):
    """What a component's model costs, in US dollars per million tokens."""

    input_per_mtok: Annotated[float, Real(0, 10_000)] = Field(description="Dollars for a million tokens sent, 0 to 10000.")
    cached_per_mtok: Annotated[float, Real(0, 10_000)] | None = Field(
        default=None,
        description="Dollars for a million tokens read from the provider's cache; `input_per_mtok` when not given.",
    )
    output_per_mtok: Annotated[float, Real(0, 10_000)] = Field(
        description="Dollars for a million tokens received, thinking included, 0 to 10000."
    )

    def dollars(self, sent: int, cached: int, written: int) -> float:
        """The cost of these tokens; `sent` includes `cached`."""
        of_cache = self.input_per_mtok if self.cached_per_mtok is None else self.cached_per_mtok
        plain = max(0, sent - cached)
        return (plain * self.input_per_mtok + min(cached, sent) * of_cache + written * self.output_per_mtok) / 1_000_000


class Rehearse(Part):
    """How a flag's fallbacks are rehearsed before they are needed."""

    every: Span = Field(default=timedelta(hours=6), description="How often each fallback is tested, 10m to 30d.")
    dollars_per_day: Annotated[float, Real(0, 1)] = Field(
        default=0.50, description="What rehearsals of this flag may cost a day (UTC), 0 to 1 dollar; needs `prices`."
    )
    needs: tuple[Need, ...] = Field(
        default=("stream", "tools", "json", "model", "context"),
        description="What the services need of a fallback: `stream`, `tools`, `json`, `model`, `context`.",
    )
    context_tokens: Annotated[int, Whole(100, 200_000)] = Field(
        default=4_000, description="Approximate length of the prompt for `context`, 100 to 200000 tokens."
    )

    @field_validator("every")
    @classmethod
    def _bounded(cls, every: timedelta) -> timedelta:
        if not timedelta(minutes=10) <= every <= timedelta(days=30):
            raise bad("that is too often, or too seldom to count on", "choose 10m to 30d, such as 6h")
        return every

    @field_validator("needs")
    @classmethod
    def _some_needs(cls, needs: tuple[Need, ...]) -> tuple[Need, ...]:
        if not needs:
            raise bad("nothing is rehearsed", "name one of stream, tools, json, model, context, or leave `rehearse` out")
        return tuple(dict.fromkeys(needs))
