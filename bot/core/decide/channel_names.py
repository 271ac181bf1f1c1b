"""Names of incident channels, by Slack's rules: lowercase letters, digits, `-` and `_`, at most 80 characters."""

import re
import unicodedata
from datetime import datetime

MOST_CHARS = 80
SLUG_CHARS = 40


def slug(title: str) -> str:
    """A few plain words of a title: `Claude API is down!` becomes `claude-api-is-down`; without any letters, `incident`."""
    plain = unicodedata.normalize("NFKD", title[:400]).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return words[:SLUG_CHARS].strip("-") or "incident"


def channel_name(template: str, number: int, title: str, at: datetime, attempt: int = 1) -> str:
    """The channel's name; from the second attempt on it ends in `-2`, `-3` ... because the plain name is taken."""
    filled = template.format(date=f"{at:%Y%m%d}", number=f"{number:04d}", slug=slug(title))
    name = re.sub(r"[^a-z0-9_-]+", "-", filled.lower()).strip("-")
    suffix = f"-{attempt}" if attempt > 1 else ""
    return name[: MOST_CHARS - len(suffix)].rstrip("-") + suffix
