"""The small rules from which the Block Kit validator is built: each notes what is wrong and where."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.records import Json


@dataclass
class Findings:
    """What is wrong, in Slack's words, each with a JSON pointer."""

    problems: list[str] = field(default_factory=list)

    def note(self, at: str, text: str) -> None:
        self.problems.append(f"[ERROR] {text} [json-pointer:{at}]")

    def is_object(self, at: str, value: Any) -> bool:
        if not isinstance(value, dict):
            self.note(at, "must be an object")
            return False
        return True

    def string(self, at: str, value: Any, most: int, *, least: int = 1, required: bool = False) -> None:
        """A string of `least` to `most` characters; absent is fine unless required."""
        if value is None:
            if required:
                self.note(at, "missing required field")
        elif not isinstance(value, str):
            self.note(at, "must be a string")
        elif len(value) > most:
            self.note(at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            self.note(at, f"must be more than {least - 1} characters")

    def text(self, at: str, value: Any, most: int, *, plain: bool = False, required: bool = False) -> None:
        """A text object of 1 to `most` characters; `plain` allows no mrkdwn."""
        if value is None:
            if required:
                self.note(at, "missing required field: text object")
            return
        if not self.is_object(at, value):
            return
        kind = value.get("type")
        if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.note(f"{at}/type", "must be plain_text" if plain else "must be plain_text or mrkdwn")
        if kind == "mrkdwn" and "emoji" in value:
            self.note(f"{at}/emoji", "only plain_text takes emoji")
        self.fields(at, value, {"type", "text", "emoji", "verbatim"})
        self.string(f"{at}/text", value.get("text"), most, required=True)

    def items(self, at: str, value: Any, most: int, *, least: int = 1) -> list[Any]:
        """A list of `least` to `most` items; returns an empty list if the value is not one."""
        if not isinstance(value, list):
            self.note(at, "must be an array")
            return []
        if len(value) > most:
            self.note(at, f"no more than {most} items allowed")
        if len(value) < least:
            self.note(at, f"at least {least} items needed")
        return value

    def one_of(self, at: str, value: Any, allowed: Collection[Any]) -> None:
        if value not in allowed:
            self.note(at, "must be one of " + ", ".join(map(str, allowed)))

    def boolean(self, at: str, value: Any) -> None:
        if value is not None and not isinstance(value, bool):
            self.note(at, "must be a boolean")

    def fields(self, at: str, value: Json, allowed: Collection[str]) -> None:
        """No fields but these."""
        for name in value:
            if name not in allowed:
                self.note(f"{at}/{name}", f"additional property: {name}")
