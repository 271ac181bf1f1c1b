"""Our slash commands as they are named in this workspace.

Texts use the names without a prefix, `/incident`. With `slack.prefix`, everything sent to Slack says `/us-incident`. Only text
for people is changed, never the value of a button, and only if the word is followed by its arguments or stands in a code span:
a path such as somebody else's `/health` stays.
"""

import re
from collections.abc import Mapping
from typing import Any

READ = frozenset({"text", "blocks", "view", "topic", "elements", "fields", "element", "accessory", "confirm"})
READ |= {"title", "label", "hint", "placeholder", "description", "deny", "submit", "close", "options"}

_TYPED = re.compile(r"(?<![\w/.-])/(?:incident|fallback|drill|understudy)(?=`| [A-Za-z])|(?<=`)/health(?=[ `])")


class Wording:
    """Adds the workspace's prefix to our slash commands."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def text(self, text: str) -> str:
        """A text for people."""
        return _TYPED.sub(lambda word: f"/{self._prefix}{word[0][1:]}", text) if self._prefix else text

    def body(self, body: Any) -> Any:
        """A request body for Slack: its texts are changed, everything else stays."""
        if not self._prefix:
            return body
        if isinstance(body, Mapping):
            return {name: self._read(part) if name in READ else part for name, part in body.items()}
        return [self.body(part) for part in body] if isinstance(body, list | tuple) else body

    def _read(self, part: Any) -> Any:
        return self.text(part) if isinstance(part, str) else self.body(part)
