"""Which providers and components a question means, by any of their names."""

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
def test_question_names_components_by_any_name(text: str, found: list[tuple[str, ...]]) -> None:
    """The longest name wins, a component next to its provider is meant alone, and the order is that of the words."""
    assert found == [one.components for one in named(POLICY, text)]


def test_naming_a_component_does_not_mean_its_whole_provider() -> None:
    """People who ask for one component get only that."""
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
def test_exact_name_finds_one_component_or_provider(wanted: str, found: list[tuple[str, ...]]) -> None:
    """For forms and the API; a sentence, or a text without words, finds nothing."""
    assert found == [one.components for one in called(POLICY, wanted)]


def test_providers_name_wins_over_a_variants() -> None:
    """`claude` is also the name of a flag's default, but the whole provider is meant."""
    assert [True] == [one.whole for one in named(POLICY, "claude")]


@pytest.mark.parametrize(
    ("wanted", "provider"), [("Claude", "anthropic"), ("@claude.ai", "anthropic"), ("GPT", "openai"), ("claude now", None)]
)
def test_health_accepts_one_whole_name(wanted: str, provider: str | None) -> None:
    """`/health gpt` means the provider behind the variant; a sentence means none."""
    assert provider == find_provider(POLICY, wanted)


def test_empty_configuration_has_no_names() -> None:
    """A question then finds nothing."""
    assert () == named(replace(POLICY, components={}), "claude")
