"""What a rehearsal asks of a model, need by need, in each dialect's terms. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from bot.checks.llm.dialects.shape import LlmCheck
from bot.core.lazy_dataclass import dataclass
from bot.core.rehearsal import Mark, NeedResult

ROOM = 1024  # tokens: reasoning models spend from it before their first word
TOOL = "report_city"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ABOUT = "Reports one city."
FILLER = "one two three four five six seven eight nine ten "  # one token per word in every tokenizer that we know
PER_FILLER = 10
LETTERS_PER_TOKEN = 3  # fewer than in any text of ours, so that a prompt's cost is overestimated if anything

CHAT_TOOL = {"type": "function", "function": {"name": TOOL, "description": ABOUT, "parameters": SCHEMA}}
CHAT: Mapping[str, Mapping[str, Any]] = {
    "tools": {"tools": [CHAT_TOOL], "tool_choice": "required"},
    "json": {"response_format": {"type": "json_object"}},
}
RESPONSES: Mapping[str, Mapping[str, Any]] = {
    "tools": {
        "tools": [{"type": "function", "name": TOOL, "description": ABOUT, "parameters": SCHEMA}],
        "tool_choice": "required",
    },
    "json": {"text": {"format": {"type": "json_object"}}},
}
# The request fields for each need, by dialect; the dialect does not support a need that is missing here.
BY_DIALECT: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "openai": CHAT,
        "azure": CHAT,
        "anthropic": {
            "tools": {
                "tools": [{"name": TOOL, "description": ABOUT, "input_schema": SCHEMA}],
                "tool_choice": {"type": "any"},
            }
        },
        "gemini": {
            "tools": {
                "tools": [{"functionDeclarations": [{"name": TOOL, "description": ABOUT, "parameters": SCHEMA}]}],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
            },
            "json": {"generationConfig": {"responseMimeType": "application/json"}},
        },
        "bedrock": {
            "tools": {
                "toolConfig": {
                    "tools": [{"toolSpec": {"name": TOOL, "description": ABOUT, "inputSchema": {"json": SCHEMA}}}],
                    "toolChoice": {"any": {}},
                }
            }
        },
    }
)
# Azure reports the deployment, whose name may be anything; Bedrock does not say who answered.
SAYS_WHO_ANSWERS = ("openai", "anthropic", "gemini")


@dataclass(frozen=True)
class Prompt:
    """One request: the needs that it tests, what is sent, and roughly how many tokens go in."""

    needs: tuple[str, ...]
    check: LlmCheck
    about_tokens: int


def prompts(check: LlmCheck, needs: tuple[str, ...], context_tokens: int) -> tuple[tuple[Prompt, ...], tuple[NeedResult, ...]]:
    """The requests that test these needs, the plain one first, and the needs that the dialect does not support.

    The plain request tests stream and model; it is always made, since a failure there affects every need.
    """
    has = RESPONSES if check.api == "responses" and check.dialect in ("openai", "azure") else BY_DIALECT[check.dialect]
    lacks: list[str] = [need for need in ("tools", "json") if need in needs and need not in has]
    if "model" in needs and check.dialect not in SAYS_WHO_ANSWERS:
        lacks.append("model")
    plain = tuple(need for need in ("stream", "model") if need in needs and need not in lacks)
    made = [_prompt(plain, check, "Answer with the one word: pong")]
    if "tools" in needs and "tools" in has:
        made.append(_prompt(("tools",), check, f"Call {TOOL} with the capital of France.", has["tools"]))
    if "json" in needs and "json" in has:
        words = 'Answer with a JSON object that has one key, "city": the capital of France.'
        made.append(_prompt(("json",), check, words, has["json"]))
    if "context" in needs:
        filler = FILLER * (context_tokens // PER_FILLER)
        made.append(_prompt(("context",), check, f"{filler}\nAnswer with the one word: pong", about=context_tokens))
    return tuple(made), tuple(NeedResult(need, Mark.UNSUPPORTED, f"{check.dialect} has none") for need in lacks)


def _prompt(
    needs: tuple[str, ...], check: LlmCheck, words: str, more: Mapping[str, Any] | None = None, about: int = 0
) -> Prompt:
    asked = replace(check, prompt=words, max_tokens=ROOM, more=more or {}, rung="inference")
    return Prompt(needs, asked, about or len(words) // LETTERS_PER_TOKEN + len(str(more or "")) // LETTERS_PER_TOKEN)
