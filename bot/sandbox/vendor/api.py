"""What the scripted providers answer, healthy or failing, in the shapes of the real ones. Pure: request in, reply out."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.sandbox.vendor import anthropic, azure, bedrock, gemini, openai
from bot.sandbox.vendor.broken_contract import CONTRACT_WORDS, broken
from bot.sandbox.vendor.call import NONSENSE, PONG, Call, Reply, Speaker, html_reply, json_reply

SPEAKERS: Mapping[str, Speaker] = MappingProxyType(
    {
        "anthropic": anthropic.SPEAKER,
        "openai": openai.SPEAKER,
        "azure": azure.SPEAKER,
        "gemini": gemini.SPEAKER,
        "bedrock": bedrock.SPEAKER,
    }
)


def healthy(dialect: str, surface: str, call: Call, words: tuple[str, ...] = PONG) -> Reply:
    """What a healthy provider answers, including to a caller's mistakes; `words` are what its model says."""
    if surface != "api":
        return _front(surface, call)
    speaker = SPEAKERS.get(dialect)
    return speaker.healthy(call, words) if speaker else json_reply(200, {"status": "ok"})


def failing(dialect: str, surface: str, status: int, retry_after: int | None, call: Call) -> Reply:
    """An error in the provider's shape: its API answers with JSON, everything else with a gateway's page."""
    speaker = SPEAKERS.get(dialect) if surface == "api" else None
    if speaker:
        reply = speaker.error(status, f"simulated failure ({status})", call)
    else:
        reply = html_reply(status, f"Simulated failure {status}")
    return _with_retry_after(reply, retry_after)


def troubled(dialect: str, word: str, retry_after: int | None, call: Call) -> Reply:
    """What an API answers while its models, or its acceptance of our key, are in trouble.

    Only inferences fail; free calls succeed, as they do with the real ones. A bad key is refused everywhere.
    """
    speaker = SPEAKERS[dialect]
    if word != "bad_key" and not speaker.infers(call):
        return healthy(dialect, "api", call)
    match word:
        case "wrong_answer":
            return healthy(dialect, "api", call, NONSENSE)
        case "empty_answer":
            return healthy(dialect, "api", call, ())
        case kind if kind in CONTRACT_WORDS:
            return broken(speaker, kind, call)
        case "overloaded_stream":
            reply = healthy(dialect, "api", call)
            if reply.streamed:
                return replace(reply, parts=(*reply.parts[: reply.begins + 1], speaker.stream_error(call)))
            return speaker.trouble("capacity", call) if reply.status == 200 else reply
    return _with_retry_after(speaker.trouble(word, call), retry_after)


def wrong_json() -> Reply:
    """JSON, but not in any shape that a client expects."""
    return json_reply(200, {"unexpected": ["shape"]})


def page_instead() -> Reply:
    """A page where data is expected, with status 200: a captive portal, or a front end that has lost its back end."""
    return html_reply(200, "Please sign in")


def challenge() -> Reply:
    """What a front end answers when it takes the client for a robot."""
    return html_reply(405, "Human verification", {"x-amzn-waf-action": "captcha"})


def _with_retry_after(reply: Reply, retry_after: int | None) -> Reply:
    return reply if retry_after is None else replace(reply, headers={**reply.headers, "retry-after": str(retry_after)})


def _front(surface: str, call: Call) -> Reply:
    if call.method not in ("GET", "HEAD"):
        return html_reply(405, "Only GET")
    if call.path.rstrip("/") not in ("", f"/{surface}"):
        return html_reply(404, "No such page")
    return html_reply(200, f"Simulated {surface} is well")
