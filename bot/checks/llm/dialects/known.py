"""All dialects, by their names in a configuration."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.checks.llm.dialects import anthropic, azure, bedrock, gemini, openai
from bot.checks.llm.dialects.shape import Dialect, Name

DIALECTS: Mapping[Name, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (one.DIALECT for one in (anthropic, openai, azure, gemini, bedrock))}
)
