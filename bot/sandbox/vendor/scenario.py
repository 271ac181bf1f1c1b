"""What happens when, as values and as pure functions of the minute."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from bot.core.lazy_dataclass import dataclass

# Every word that an event may answer with. Those in SPANS take a duration: `slow 12s`.
WIRE_WORDS = (
    "ok", "500", "502", "503", "504", "529", "429", "401",
    "hang", "reset", "slow", "truncated", "wrong_json", "html", "challenge", "refuse",
)  # fmt: skip
# These concern models and keys, so only the API of a provider with a dialect can answer this way.
MODEL_WORDS = (
    "bad_key", "spend_limit", "capacity", "retired",
    "overloaded_stream", "wrong_answer", "empty_answer", "slow_token", "pings",
    "other_model", "no_tools", "broken_arguments", "json_ignored", "short_context", "no_end", "little_left",
)  # fmt: skip
ANSWER_WORDS = (*WIRE_WORDS, *MODEL_WORDS)
SPANS = ("slow", "slow_token")
PAGE = "page"  # the surface that stands for the status page's own address
DIALECTS = ("anthropic", "openai", "azure", "gemini", "bedrock", "plain")


class ScenarioError(Exception):
    """A scenario cannot be used; the text names file, line, key and remedy."""

    permanent = True


@dataclass(frozen=True)
class Word:
    """One way to answer; `seconds` is the duration of `slow` and `slow_token`, in domain time."""

    kind: str
    seconds: float = 0.0


OK = Word("ok")


@dataclass(frozen=True)
class Answering:
    """How a surface answers in a minute: `rate` of the requests get one of `words`, evenly; the others get healthy answers."""

    words: tuple[Word, ...] = (OK,)
    rate: float = 1.0
    retry_after: int | None = None


@dataclass(frozen=True)
class AnswerEvent:
    """From minute `at` on, for `lasts` minutes (None: until a later event), these surfaces answer like this."""

    at: float
    lasts: float | None
    provider: str
    surfaces: tuple[str, ...]
    answering: Answering


@dataclass(frozen=True)
class Post:
    """One update of one incident (or maintenance) on a page."""

    incident: str
    name: str
    impact: str
    status: str
    body: str
    surfaces: tuple[str, ...] = ()
    maintenance: bool = False


@dataclass(frozen=True)
class PageEvent:
    """At minute `at` the provider's page changes: component statuses by surface, and perhaps a post."""

    at: float
    provider: str
    statuses: Mapping[str, str] = field(default_factory=dict)
    post: Post | None = None


@dataclass(frozen=True)
class PageComponent:
    """A line on the status page: the page's own id and name."""

    id: str
    name: str


@dataclass(frozen=True)
class ScriptedProvider:
    """A provider: the dialect of its API, its surfaces, and what its page lists (surfaces first, then others)."""

    id: str
    name: str
    dialect: str
    surfaces: tuple[str, ...]
    listed: Mapping[str, PageComponent]


@dataclass(frozen=True)
class Scenario:
    """A script of `minutes` minutes for some providers. Events are in order of minute, then as in the file."""

    name: str
    title: str
    minutes: float
    providers: Mapping[str, ScriptedProvider]
    answer_events: tuple[AnswerEvent, ...] = ()
    page_events: tuple[PageEvent, ...] = ()

    @staticmethod
    def load(path_or_name: str | Path) -> "Scenario":
        """Read a scenario: a shipped one by name, another by the path of its file. Raises ScenarioError."""
        from bot.sandbox.vendor.load import load  # the reader needs these values, and callers want a single entry point

        return load(path_or_name)

    @staticmethod
    def names() -> list[str]:
        """The shipped scenarios."""
        from bot.sandbox.vendor.load import shipped

        return sorted(shipped())

    def answers(self, provider: str, surface: str, minute: float) -> Answering:
        """How a surface answers in a minute: by the latest event that has begun and not ended; healthy if there is none."""
        found = Answering()
        for event in self.answer_events:
            over = event.lasts is not None and minute >= event.at + event.lasts
            if event.provider == provider and surface in event.surfaces and event.at <= minute and not over:
                found = event.answering
        return found

    def page(self, provider: str, minute: float) -> tuple[PageEvent, ...]:
        """The changes to the provider's page up to a minute."""
        return tuple(event for event in self.page_events if event.provider == provider and event.at <= minute)
