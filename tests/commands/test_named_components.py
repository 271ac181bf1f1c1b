"""Which components a title names."""

import pytest

from commands.parsing.parse import component_of

NAMES = {"openai.api": "OpenAI API", "azure.api": "Azure OpenAI API", "claude.api": "Claude API"}


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("openai api is slow", ("openai.api",)),
        ("Azure OpenAI API is slow", ("azure.api",)),
        ("claude.api: 529s", ("claude.api",)),
        ("the OpenAI API and the Azure OpenAI API", ("openai.api", "azure.api")),
        ("Claude APIs", ()),
    ],
)
def test_longest_component_name_in_a_title_wins(title: str, found: tuple[str, ...]) -> None:
    """A shorter name inside it is not meant, unless it also appears as a word of its own."""
    assert found == component_of(title, NAMES)
