"""The arguments of a Web API call, however they were sent, read with the type that the method wants."""

import json
from typing import Any

from aiohttp import web

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Json

TRUE, FALSE = ("1", "true", "True"), ("0", "false", "False", "")


class Args:
    """Typed access; a value of the wrong kind is `invalid_arguments`, an absent one is the default."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool | dict | list):
            raise SlackError("invalid_arguments", f"[ERROR] must be a string [json-pointer:/{name}]")
        return str(value)

    def maybe(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        if str(value) in TRUE or str(value) in FALSE:
            return str(value) in TRUE
        raise SlackError("invalid_arguments", f"[ERROR] must be a boolean [json-pointer:/{name}]")

    def number(self, name: str, default: int) -> int:
        value = self.values.get(name)
        if value is None:
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", f"[ERROR] must be an integer [json-pointer:/{name}]") from None

    def names(self, name: str) -> list[str]:
        """A list: comma-joined, or a JSON array."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def structure(self, name: str, refusal: str) -> Any:
        """A JSON structure, sent as such or as text; `refusal` is the error when the text is not JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(refusal, f"[ERROR] not valid JSON [json-pointer:/{name}]") from None


async def arguments_of(request: web.Request) -> tuple[Json, str | None]:
    """The arguments and the token of a request: query string, form and JSON body count, in this order.

    The Python SDK sends most calls as a POST with everything in the query string and an empty form.
    """
    values: Json = dict(request.query)
    if request.method == "POST" and request.can_read_body:
        values.update(await _body_of(request))
    token = values.pop("token", None)
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        token = header.removeprefix("Bearer ").strip()
    return values, token


async def _body_of(request: web.Request) -> Json:
    match request.content_type:
        case "application/json":
            try:
                body = json.loads(await request.text())
            except ValueError:
                raise SlackError("invalid_json") from None
            if not isinstance(body, dict):
                raise SlackError("json_not_object")
            return body
        case "application/x-www-form-urlencoded" | "multipart/form-data":
            return dict(await request.post())
        case other:
            raise SlackError("invalid_post_type", f"[ERROR] content type {other} is not understood")
