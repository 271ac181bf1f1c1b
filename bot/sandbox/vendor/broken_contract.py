"""Providers that answer, but not as their contract says: a plain question misses it, a service stumbles over it."""

import json
from dataclasses import replace
from typing import Any

from bot.sandbox.vendor.call import LONG_CALL, PONG, TOOL_ARGUMENTS, Call, Reply, Speaker

CONTRACT_WORDS = ("other_model", "no_tools", "broken_arguments", "json_ignored", "short_context", "no_end", "little_left")
OTHER = "other-model-mini"
LITTLE_LEFT = {"x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "7"}


def broken(speaker: Speaker, word: str, call: Call) -> Reply:
    """An answer with one thing wrong with it."""
    match word:
        case "other_model":
            return speaker.healthy(_asking(call, model=OTHER), PONG)
        case "no_tools":
            return speaker.healthy(_without(call, "tools", "toolConfig"), PONG)
        case "json_ignored":
            return speaker.healthy(_without(call, "response_format", "text"), PONG)
        case "short_context" if len(call.body) > LONG_CALL:
            return speaker.error(400, "This model's maximum context length is 512 tokens.", call)
    reply = speaker.healthy(call, PONG)
    match word:
        case "broken_arguments" if reply.streamed and call.asked.get("tools"):
            closing = json.dumps(TOOL_ARGUMENTS[1])[1:-1].encode()
            return replace(reply, parts=tuple(part for part in reply.parts if closing not in part))
        case "no_end" if reply.streamed:
            return replace(reply, parts=reply.parts[:-1])
        case "little_left":
            return replace(reply, headers={**reply.headers, **LITTLE_LEFT})
    return reply


def _asking(call: Call, **changes: Any) -> Call:
    return replace(call, body=json.dumps({**call.asked, **changes}).encode())


def _without(call: Call, *names: str) -> Call:
    return replace(call, body=json.dumps({key: value for key, value in call.asked.items() if key not in names}).encode())
