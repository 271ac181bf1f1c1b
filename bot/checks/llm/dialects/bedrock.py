"""The dialect of Amazon Bedrock: ConverseStream over AWS event streams, signed (SigV4) or with a bearer API key.

botocore is imported on first use: it takes a tenth of a second, which only users of Bedrock should pay.
"""

import json
import struct
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bot.checks.judging.failure import CheckError
from bot.checks.llm.dialects.shape import (
    UNKNOWN,
    Dialect,
    Event,
    EventContent,
    LlmCheck,
    LlmRequest,
    Rung,
    at_path,
    count_of,
    in_path,
    obj,
    parsed,
    posted,
    text_of,
    with_more,
)
from bot.checks.net.http1 import BadAnswer

RUNTIME, CONTROL = "bedrock-runtime", "bedrock"
SERVICE = "bedrock"  # the service name in signatures for both hosts
TIMESTAMP = "%Y%m%dT%H%M%SZ"


def asked(check: LlmCheck, rung: Rung, now: datetime) -> LlmRequest:
    """The request: ListFoundationModels of the control plane, or one streamed conversation. Raises CheckError without a region.

    An explicit URL serves both; if it is the runtime's own host, the control plane's is derived from it.
    """
    if rung == "inference":
        url = at_path(check.url or _host(check, RUNTIME), f"/model/{in_path(check.model)}/converse-stream")
        messages = [{"role": "user", "content": [{"text": check.prompt}]}]
        body = {"messages": messages, "inferenceConfig": {"maxTokens": check.room()}}
        request = posted(url, check.headers, with_more(body, check.more))
    else:
        base = _control_plane(check.url) if check.url else _host(check, CONTROL)
        request = LlmRequest("GET", at_path(base, "/foundation-models", byOutputModality="TEXT"), check.headers)
    if check.access_key_id:
        return _signed(check, request, now)
    return LlmRequest(
        request.method, request.url, {"authorization": f"Bearer {check.api_key}", **request.headers}, request.body
    )


def said(event: Event) -> EventContent:
    """The content of one event in a conversation; exceptions are events too."""
    payload = obj(event.payload)
    match event.name:
        case "contentBlockDelta":
            delta = obj(payload.get("delta"))
            return EventContent(
                text=text_of(delta.get("text")), thought=text_of(obj(delta.get("reasoningContent")).get("text")),
                arguments=text_of(obj(delta.get("toolUse")).get("input")),
            )  # fmt: skip
        case "contentBlockStart":
            return EventContent(tool=text_of(obj(obj(payload.get("start")).get("toolUse")).get("name")))
        case "messageStop":
            return EventContent(stop=text_of(payload.get("stopReason")), complete=True)
        case "metadata":
            usage = obj(payload.get("usage"))
            tokens_in, tokens_out = count_of(usage.get("inputTokens")), count_of(usage.get("outputTokens"))
            cached = count_of(usage.get("cacheReadInputTokens"))
            return EventContent(last=True, tokens_in=tokens_in, tokens_cached=cached, tokens_out=tokens_out)
        case "messageStart" | "contentBlockStop":
            return EventContent()
        case name if name.endswith("Exception") or name == "error":
            return EventContent(error={"__type": name, **payload})
    return UNKNOWN


def lists(payload: Any) -> bool:
    """Whether this is a list of models."""
    return isinstance(obj(payload).get("modelSummaries"), list)


def load() -> None:
    """Import what signing and reading need; call it when a tenth of a second does not matter."""
    import botocore.auth
    import botocore.eventstream  # noqa: F401 # imported for later use


class EventStreamFrames:
    """AWS event streams (docs.aws.amazon.com, "event stream encoding"): messages with headers, a payload and checksums."""

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer

        self._buffer = EventStreamBuffer()

    def feed(self, data: bytes) -> list[Event]:
        """The messages completed by this piece; BadAnswer `unexpected_shape` if it is not an event stream."""
        from botocore.eventstream import ParserError

        self._buffer.add_data(data)
        try:
            return [_event(message.headers, message.payload) for message in self._buffer]
        except (ParserError, struct.error, KeyError, UnicodeDecodeError) as exc:
            raise BadAnswer("unexpected_shape", "no event stream") from exc

    def finish(self) -> list[Event]:
        """Nothing: an incomplete message is ignored."""
        return []


def _event(headers: dict[str, Any], payload: bytes) -> Event:
    kind = text_of(headers.get(":message-type"))
    name = text_of(headers.get(f":{kind}-type")) or kind
    text = payload.decode("utf-8", "replace")
    if kind == "error":  # these have no payload
        told = {"code": text_of(headers.get(":error-code")), "message": text_of(headers.get(":error-message"))}
        return Event("error", json.dumps(told), told)
    return Event(name, text, parsed(text))


def _host(check: LlmCheck, service: str) -> str:
    if not check.region:
        raise CheckError("bad_check", "bedrock needs a region or a URL")
    return f"https://{service}.{check.region}.amazonaws.com"


def _control_plane(url: str) -> str:
    parts = urlsplit(url)
    if not (parts.hostname or "").startswith(RUNTIME):
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(RUNTIME, CONTROL, 1)))


def _signed(check: LlmCheck, asked: LlmRequest, now: datetime) -> LlmRequest:
    """The request with AWS Signature Version 4, dated `now`: botocore would read the machine's clock."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    region = check.region or _region_of(asked.url)
    credentials = Credentials(check.access_key_id, check.secret_access_key, check.session_token or None)
    signer = SigV4Auth(credentials, SERVICE, region)
    stamped = {**asked.headers, "x-amz-date": now.strftime(TIMESTAMP)}
    if check.session_token:
        stamped["x-amz-security-token"] = check.session_token
    request = AWSRequest(asked.method, asked.url, headers=stamped, data=asked.body)
    request.context["timestamp"] = stamped["x-amz-date"]
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
        f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(request))}, Signature={signature}"
    )
    return LlmRequest(asked.method, asked.url, {**stamped, "authorization": authorization}, asked.body)


def _region_of(url: str) -> str:
    labels = (urlsplit(url).hostname or "").split(".")
    if len(labels) < 3 or not labels[0].startswith(CONTROL):
        raise CheckError("bad_check", "signing for bedrock needs a region")
    return labels[1]


DIALECT = Dialect("bedrock", asked, said, lists, EventStreamFrames)
