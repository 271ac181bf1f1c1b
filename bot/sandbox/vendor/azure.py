"""A scripted Azure OpenAI: OpenAI's answers under a deployment's path, with Azure's keys and errors. Pure."""

import re

from bot.sandbox.vendor import openai
from bot.sandbox.vendor.call import Call, Reply, Speaker, json_reply, sse

COMPLETIONS = re.compile(r"/openai/deployments/[^/]+/chat/completions")
CODES = {404: "404", 429: "429", 500: "InternalServerError", 503: "ServiceUnavailable"}


def healthy(call: Call, words: tuple[str, ...]) -> Reply:
    """What a healthy Azure resource answers, including to a caller's mistakes."""
    if not call.headers.get("api-key") and not call.headers.get("authorization"):
        return trouble("bad_key", call)
    headers = {**_ids(call), "x-ms-region": "Simulated East", "openai-processing-ms": "12"}
    if call.method == "GET" and call.path == "/openai/models":
        return json_reply(200, openai.models("gpt-5", "gpt-5-mini"), headers)
    if call.method == "POST" and COMPLETIONS.fullmatch(call.path):
        missing = call.missing("messages")
        return error(400, missing, call) if missing else openai.completion(call, words, headers)
    if call.method == "POST" and call.path == "/openai/responses":
        missing = call.missing("model", "input")
        return error(400, missing, call) if missing else openai.response(call, words, headers)
    return error(404, "Resource not found", call)


def error(status: int, message: str, call: Call, code: str = "") -> Reply:
    """An error as Azure shapes it: a code, often the status again, and a message."""
    return json_reply(status, {"error": {"code": code or CODES.get(status, str(status)), "message": message}}, _ids(call))


def trouble(kind: str, call: Call) -> Reply:
    """The named troubles. Only the message distinguishes Azure's own lack of capacity from our limit."""
    match kind:
        case "bad_key":
            return error(401, "Access denied due to invalid subscription key or wrong API endpoint.", call)
        case "spend_limit":
            return error(429, "the quota is used up", call, "insufficient_quota")
        case "capacity":
            return error(429, "System is experiencing high demand", call)
    return error(404, "The deployment does not exist", call, "DeploymentNotFound")


def stream_error(call: Call) -> bytes:
    """An error that is reported after a 200."""
    return sse({"error": openai.OVERLOADED})


def _ids(call: Call) -> dict[str, str]:
    return {"apim-request-id": call.request_id, "x-request-id": f"inner-{call.number:06d}"}


SPEAKER = Speaker(healthy, error, trouble, stream_error, openai.infers)
