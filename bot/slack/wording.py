"""Our slash words as this workspace knows them.

Texts name them as the manifest without a prefix does, `/incident`. Where it was made with one (`slack.prefix`), everything that
goes to Slack says `/us-incident`. Only what people read is reworded, never the value of a button, and only where a word is
followed by what is typed after it or stands in a code span: a path such as `/health` of somebody else's stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

READ = frozenset({"text", "blocks", "view", "topic", "elements", "fields", "element", "accessory", "confirm"})
READ |= {"title", "label", "hint", "placeholder", "description", "deny", "submit", "close", "options"}

_TYPED = re.compile(r"(?<![\w/.-])/(?:incident|fallback|drill|understudy)(?=`| [A-Za-z])|(?<=`)/health(?=[ `])")


class Wording:
    """Puts the workspace's prefix before our slash words."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def text(self, text: str) -> str:
        """A text for people."""
        return _TYPED.sub(lambda word: f"/{self._prefix}{word[0][1:]}", text) if self._prefix else text

    def body(self, body: Any) -> Any:
        """What is sent to Slack: its texts are reworded, all else is as it was."""
        if not self._prefix:
            return body
        if isinstance(body, Mapping):
            return {name: self._read(part) if name in READ else part for name, part in body.items()}
        return [self.body(part) for part in body] if isinstance(body, list | tuple) else body

    def _read(self, part: Any) -> Any:
        return self.text(part) if isinstance(part, str) else self.body(part)
