"""What a question means: providers and components, by whatever people call them."""

from dataclasses import replace

import pytest

from bot.core.policy import ComponentPolicy, Fallback, FlagPolicy, IncidentPolicy, Policy
from bot.verbs.naming import called, find_provider, named


def component(id: str, name: str, provider_name: str) -> ComponentPolicy:
    return ComponentPolicy(id, name, id.partition(".")[0], provider_name, {})


COMPONENTS = {
    one.id: one
    for one in (
        component("anthropic.api", "API", "Claude"), component("anthropic.web", "claude.ai", "Claude"),
        component("openai.api", "API", "OpenAI"), component("azure.api", "Azure OpenAI", "Azure"),
    )
}  # fmt: skip
FLAG = FlagPolicy(
    "chat.llm", {"claude": 1, "second": 2}, "claude", (Fallback("second", "openai.api"),), ("anthropic.api",),
    aliases={"second": "GPT"},
)  # fmt: skip
POLICY = Policy(COMPONENTS, {"chat.llm": FLAG}, IncidentPolicy({}))
API, WEB = "anthropic.api", "anthropic.web"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("is Claude down?", [(API, WEB)]),
        ("Claude's API", [(API,)]),
        ("the api of claude", [(API,)]),
        ("anthropic.api anthropic", [(API,)]),
        ("claude.ai?", [(WEB,)]),
        ("api", [(API,), ("openai.api",)]),
        ("gpt", [("openai.api",)]),
        ("azure openai", [("azure.api",)]),
        ("openai, claude", [("openai.api",), (API, WEB)]),
        ("openai and claude.ai", [("openai.api",), (WEB,)]),
        ("anthropic", [(API, WEB)]),
        ("azure.api", [("azure.api",)]),
        ("second", [("openai.api",)]),
        ("what about claudette", []),
        ("", []),
    ],
)
def test_what_a_question_names(text: str, found: list[tuple[str, ...]]) -> None:
    """The longest name wins, a component beside its provider is meant alone, in the order of the words."""
    assert found == [one.components for one in named(POLICY, text)]


def test_a_component_is_no_whole_provider() -> None:
    """Who asks for one hears of one."""
    assert [False] == [one.whole for one in named(POLICY, "claude.ai")]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Claude API", [(API,)]),
        ("api", [(API,), ("openai.api",)]),
        ("Claude", [(API, WEB)]),
        ("is Claude down", []),
        ("?", []),
        ("", []),
    ],
)
def test_what_is_called_exactly_so(wanted: str, found: list[tuple[str, ...]]) -> None:
    """A form or an API names one thing; a sentence, and what holds no word, name nothing."""
    assert found == [one.components for one in called(POLICY, wanted)]


def test_a_providers_own_name_comes_before_a_variants() -> None:
    """`claude` is also what a flag calls its default: the whole provider is meant."""
    assert [True] == [one.whole for one in named(POLICY, "claude")]


@pytest.mark.parametrize(
    ("wanted", "provider"), [("Claude", "anthropic"), ("@claude.ai", "anthropic"), ("GPT", "openai"), ("claude now", None)]
)
def test_health_takes_one_name_whole(wanted: str, provider: str | None) -> None:
    """`/health gpt` is the provider behind the variant; a sentence is none."""
    assert provider == find_provider(POLICY, wanted)


def test_nothing_is_named_where_nothing_is_watched() -> None:
    """An empty configuration has no names."""
    assert () == named(replace(POLICY, components={}), "claude")
