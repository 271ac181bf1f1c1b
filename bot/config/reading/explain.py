"""pydantic's errors in terms of the file: key path, line, what is wrong, what to write instead."""

import re
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.checks.kinds import CHECK_MODELS
from bot.config.reading.errors import Report, suggest
from bot.config.reading.tree import Map, Mark, Node, Path, Scalar, Seq, entry
from bot.config.sinks.models import SINK_MODELS

_PRIVATE = {
    "bot_token",
    "app_token",
    "signing_secret",
    "api_key",
    "headers",
    "notify",
    "read_tokens",
    "control_tokens",
    "outcome_tokens",
}
_PRIVATE |= {"ical", "body", "json", "variants", "token", "secret", "access_key_id", "secret_access_key", "session_token"}
_KINDS = {
    "string_type": ("must be text", "put quotes around it"),
    "dict_type": ("must be a mapping", "write keys and values below it, indented"),
    "model_type": ("must be a mapping", "write keys and values below it, indented"),
    "model_attributes_type": ("must be a mapping", "write keys and values below it, indented"),
    "tuple_type": ("must be a list", "put it in brackets: [...]"),
    "too_short": ("must not be empty", "name at least one"),
    "string_too_short": ("must not be empty", "write a value, or leave the key out"),
}


def explain(error: ValidationError, model: type[BaseModel], root: Node, report: Report) -> None:
    """Report every validation error, unless an earlier pass has reported its cause."""
    for detail in error.errors(include_url=False, include_input=False):
        _explain_one(detail, model, root, report)


def _explain_one(detail: ErrorDetails, model: type[BaseModel], root: Node, report: Report) -> None:
    loc, kind = list(detail["loc"]), detail["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        loc.append("type")
    path, mark, node = _locate(root, loc, kind)
    if isinstance(node, Scalar) and node.broken:
        return
    context = detail.get("ctx") or {}
    word = str(path[-1]) if path else ""
    match kind:
        case "config":
            message, remedy = str(context["message"]), str(context["remedy"])
        case "missing" | "union_tag_not_found":
            message, remedy = "is missing", f"add `{word}:`"
        case "extra_forbidden":
            message, remedy = "there is no such key", suggest(word, _known_keys(model, loc[:-1]), "keys here")
        case "union_tag_invalid":
            what, known = ("sink", list(SINK_MODELS)) if "sinks" in path else ("check", list(CHECK_MODELS))
            message, remedy = f"there is no such type of {what}", _choice(node, known)
        case "literal_error":
            message, remedy = "there is no such option", _choice(node, re.findall(r"'([^']*)'", str(context["expected"])))
        case "string_pattern_mismatch" if "[key]" in detail["loc"]:
            message, remedy = "not a name that a key may have", _key_remedy(loc)
        case "string_pattern_mismatch":
            message, remedy = "not a name that is allowed here", "letters, digits, - and _ only, at most 63 of them"
        case _:
            message, remedy = _KINDS.get(kind, (detail["msg"].replace("Input should", "should"), "see docs/configuration.md"))
    report.error(mark, path, message + _quoted(path, node, kind), remedy)


def _locate(root: Node, loc: list[int | str], kind: str) -> tuple[Path, Mark, Node | None]:
    """The path of a location, its position in the file, and the node there; union tags are skipped."""
    path: Path = ()
    mark = Mark(0, 0)
    node: Node | None = root
    last = len(loc) - 1
    for index, part in enumerate(loc):
        found = entry(node, str(part)) if isinstance(node, Map) else None
        if found is not None:
            # An unknown or missing key is located at the key, a wrong value at the value.
            about_key = kind == "extra_forbidden" or not isinstance(found.value, Scalar) or found.value.value is None
            path, mark, node = (*path, found.key), found.mark if about_key else found.value.mark, found.value
        elif isinstance(node, Seq) and isinstance(part, int) and part < len(node.items):
            path, node = (*path, part), node.items[part]
            mark = node.mark
        elif index == last and kind in ("missing", "union_tag_not_found"):
            return (*path, part), mark, None
    return path, mark, node


def _known_keys(model: type[BaseModel], loc: list[int | str]) -> list[str]:
    """The keys of the model at this location."""
    at: Any = model
    for part in loc:
        at = _step(at, part)
    at = _plain_type(at)
    if not (isinstance(at, type) and issubclass(at, BaseModel)):
        return []
    return [field.alias or name for name, field in at.model_fields.items()]


def _step(at: Any, part: int | str) -> Any:
    at = _plain_type(at)
    if isinstance(at, type) and issubclass(at, BaseModel):
        field = next((field for name, field in at.model_fields.items() if part in (name, field.alias)), None)
        return field.annotation if field else None
    if typing.get_origin(at) is typing.Union or isinstance(at, types.UnionType):
        return CHECK_MODELS.get(str(part)) or SINK_MODELS.get(str(part))
    arguments = typing.get_args(at)
    if typing.get_origin(at) is dict:
        return arguments[1]
    return arguments[0] if arguments else None


def _plain_type(at: Any) -> Any:
    """A type without `Annotated` and without `| None`."""
    while typing.get_origin(at) is typing.Annotated:
        at = typing.get_args(at)[0]
    if typing.get_origin(at) is typing.Union or isinstance(at, types.UnionType):
        real = [one for one in typing.get_args(at) if one is not type(None)]
        if len(real) == 1:
            return _plain_type(real[0])
    return at


def _choice(node: Node | None, words: list[str]) -> str:
    listed = f"write one of {', '.join(f'`{word}`' for word in words)}"
    if isinstance(node, Scalar) and isinstance(node.value, str):
        near = suggest(node.value, words, "")
        return f"{near} ({listed})" if near.startswith("did you mean") else listed
    return listed


def _key_remedy(loc: list[int | str]) -> str:
    if "flags" in loc:
        return "begin with a small letter or digit; small letters, digits, dots, - and _, at most 128"
    return "begin with a small letter or digit; small letters, digits, - and _, at most 63"


def _quoted(path: Path, node: Node | None, kind: str) -> str:
    """The value as written, if it cannot be secret."""
    if kind in ("missing", "extra_forbidden", "union_tag_not_found") or not isinstance(node, Scalar):
        return ""
    if node.variables or node.value is None or _PRIVATE.intersection(str(part) for part in path):
        return ""
    value = node.value if isinstance(node.value, str) else str(node.value)
    return f": {value!r}" if len(value) <= 60 and "://" not in value and value else ""
