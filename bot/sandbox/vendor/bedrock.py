"""A scripted Amazon Bedrock: the list of models, Converse (whole or as an AWS event stream), and its errors. Pure.

Runtime and control plane share one address, so that a check can name it as its `url`.
"""

import json
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from bot.sandbox.vendor.call import TOOL_ARGUMENTS, Call, Reply, Speaker, cut, json_reply, tokens_of

ERRORS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
CONVERSE = re.compile(r"/model/[^/]+/(converse|converse-stream)")
SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/bedrock/aws4_request, "
    r"SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}"
)
TEXT_HEADER = b"\x07"
TOKENS_IN = 8


def healthy(call: Call, words: tuple[str, ...]) -> Reply:
    """What a healthy Bedrock answers, including to a caller's mistakes."""
    authorization = call.headers.get("authorization", "")
    if SIGNATURE.fullmatch(authorization):
        if "x-amz-date" not in call.headers:
            return error(403, "the request has no date", call, "IncompleteSignatureException")
    elif not authorization.removeprefix("Bearer "):
        return error(403, "Missing Authentication Token", call, "MissingAuthenticationTokenException")
    if call.method == "GET" and call.path == "/foundation-models":
        ids = ("anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.nova-micro-v1:0")
        arn = "arn:aws:bedrock:us-east-1::foundation-model/"
        summaries = [{"modelArn": arn + id_, "modelId": id_, "responseStreamingSupported": True} for id_ in ids]
        return json_reply(200, {"modelSummaries": summaries}, _ids(call))
    wanted = CONVERSE.fullmatch(call.path) if call.method == "POST" else None
    if wanted is None:
        return error(404, "no such operation", call, "UnknownOperationException")
    missing = call.missing("messages")
    if missing:
        return error(400, missing, call)
    return _converse(call, words, streamed=wanted[1] == "converse-stream")


def error(status: int, message: str, call: Call, name: str = "") -> Reply:
    """An error as AWS shapes it: its name in a header, the message in the body."""
    named = name or ERRORS.get(status, "InternalServerException")
    return json_reply(status, {"message": message}, {**_ids(call), "x-amzn-errortype": f"{named}:http://internal.amazon.com/"})


def trouble(kind: str, call: Call) -> Reply:
    """The named troubles. Bedrock has no spending limit; a daily token quota comes closest."""
    match kind:
        case "bad_key":
            return error(403, "The security token included in the request is invalid.", call, "UnrecognizedClientException")
        case "spend_limit":
            return error(429, "Too many tokens per day, please wait before trying again.", call)
        case "capacity":
            return error(429, "The model is not ready for inference.", call, "ModelNotReadyException")
    return error(404, "This model version has reached the end of its life.", call)


def stream_error(call: Call) -> bytes:
    """An exception as an event of the stream."""
    told = {"message": "the model failed", "originalStatusCode": 503, "originalMessage": "overloaded"}
    return message("exception", "modelStreamErrorException", told)


def infers(call: Call) -> bool:
    """Whether the call asks for a conversation."""
    return "/converse" in call.path


def message(kind: str, name: str, payload: Mapping[str, Any]) -> bytes:
    """One message of an AWS event stream: lengths, headers, payload, and a checksum of each half."""
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    head = b"".join(_text(key, size=1) + TEXT_HEADER + _text(value, size=2) for key, value in headers.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 12 + len(head) + len(body) + 4, len(head))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return whole + struct.pack(">I", zlib.crc32(whole))


def _converse(call: Call, words: tuple[str, ...], *, streamed: bool) -> Reply:
    said, cut_short = cut(words, (call.asked.get("inferenceConfig") or {}).get("maxTokens"))
    stop = "max_tokens" if cut_short else "end_turn"
    tokens_in = tokens_of(call, TOKENS_IN)
    usage = {"inputTokens": tokens_in, "outputTokens": len(said), "totalTokens": tokens_in + len(said)}
    metrics = {"latencyMs": 120}
    if not streamed:
        output = {"message": {"role": "assistant", "content": [{"text": "".join(said)}]}}
        return json_reply(200, {"output": output, "stopReason": stop, "usage": usage, "metrics": metrics}, _ids(call))
    spoken: list[tuple[str, dict[str, Any]]] = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in said
    ]
    if tools := (call.asked.get("toolConfig") or {}).get("tools"):
        begun = {"contentBlockIndex": 0, "start": {"toolUse": {"name": tools[0]["toolSpec"]["name"], "toolUseId": "t1"}}}
        pieces = [{"contentBlockIndex": 0, "delta": {"toolUse": {"input": text}}} for text in TOOL_ARGUMENTS]
        spoken = [("contentBlockStart", begun), *(("contentBlockDelta", piece) for piece in pieces)]
    events: list[tuple[str, dict[str, Any]]] = [
        ("messageStart", {"role": "assistant"}),
        *spoken,
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": stop}),
        ("metadata", {"usage": usage, "metrics": metrics}),
    ]
    parts = tuple(message("event", name, payload) for name, payload in events)
    kind = {"content-type": "application/vnd.amazon.eventstream"}
    return Reply(200, parts, {**kind, **_ids(call)}, streamed=True, begins=1)


def _ids(call: Call) -> dict[str, str]:
    return {"x-amzn-requestid": call.request_id}


def _text(text: str, *, size: int) -> bytes:
    return len(text).to_bytes(size, "big") + text.encode()


SPEAKER = Speaker(healthy, error, trouble, stream_error, infers)
