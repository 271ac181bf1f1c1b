"""JSON Schema of the configuration, for editors that complete and check YAML while it is written."""

from typing import Any

from bot.config.models import Config


def schema() -> dict[str, Any]:
    """The schema of the configuration file, draft 2020-12, with a description of every key.

    It accepts what `load` accepts before `${VAR}` is expanded; names that must exist elsewhere in the file are not its matter.
    """
    found = Config.model_json_schema(by_alias=True)
    # Beside a preset, a part of a status page is enough: the preset brings the rest.
    found["$defs"]["StatusPage"].pop("required", None)
    _close(found)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "Configuration of Understudy",
    }


def _close(part: object) -> None:
    """Refuse keys that no pattern allows: pydantic does, but its schema leaves it open."""
    if isinstance(part, dict):
        if "patternProperties" in part:
            part.setdefault("additionalProperties", False)
        for below in part.values():
            _close(below)
    elif isinstance(part, list):
        for below in part:
            _close(below)
