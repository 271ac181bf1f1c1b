"""JSON Schema of the configuration, with which editors complete and validate YAML."""

from typing import Any

from bot.config.models import Config


def schema() -> dict[str, Any]:
    """The schema of the configuration file, draft 2020-12, with a description of every key.

    It accepts what `load` accepts before `${VAR}` is expanded; it does not check references to names elsewhere in the file.
    """
    found = Config.model_json_schema(by_alias=True)
    # With a preset, part of a status page is enough: the preset adds the rest.
    found["$defs"]["StatusPage"].pop("required", None)
    _close(found)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "Configuration of Understudy",
    }


def _close(part: object) -> None:
    """Forbid keys that match no pattern, as pydantic does although its schema allows them."""
    if isinstance(part, dict):
        if "patternProperties" in part:
            part.setdefault("additionalProperties", False)
        for below in part.values():
            _close(below)
    elif isinstance(part, list):
        for below in part:
            _close(below)
