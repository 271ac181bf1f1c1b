"""What the configuration accepts before the feature exists.

A single table, so that a feature is enabled by deleting its row.
"""

from collections.abc import Mapping

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Matcher:
    """Where a pending setting may be: a key path in which `*` is any key or index, and its value (None: anything not empty)."""

    path: str
    value: str | None = None

    def stands_at(self, path: tuple[str | int, ...]) -> bool:
        """Whether it applies to this place in the file."""
        parts = self.path.split("/")
        return len(parts) == len(path) and all(want in ("*", str(part)) for want, part in zip(parts, path, strict=True))

    def takes(self, value: object) -> bool:
        """Whether it applies to this scalar (or list or mapping)."""
        return value == self.value if self.value is not None else value not in (None, "", [], {}, False)


_DIALECT = "providers/*/status_page/dialect"

PENDING: Mapping[Matcher, str] = {
    Matcher(_DIALECT, "google"): "Status pages of dialect google are not available yet: this page is not read.",
    Matcher(_DIALECT, "aws"): "Status pages of dialect aws are not available yet: this page is not read.",
    Matcher(_DIALECT, "azure"): "Status pages of dialect azure are not available yet: this page is not read.",
    Matcher(_DIALECT, "instatus"): "Status pages of dialect instatus are not available yet: this page is not read.",
    Matcher(_DIALECT, "betterstack"): "Status pages of dialect betterstack are not available yet: this page is not read.",
    Matcher(_DIALECT, "slack"): "Status pages of dialect slack are not available yet: this page is not read.",
    Matcher(_DIALECT, "rss"): "Status pages of dialect rss are not available yet: this page is not read.",
}


LENGTHS = frozenset(matcher.path.count("/") + 1 for matcher in PENDING)


def pending_at(path: tuple[str | int, ...]) -> list[Matcher]:
    """What is pending at this place, whatever the value; empty nearly everywhere."""
    return [matcher for matcher in PENDING if matcher.stands_at(path)] if len(path) in LENGTHS else []


def pending_reason(path: tuple[str | int, ...], value: object) -> str | None:
    """The sentence for the value at this place, or None if it is supported."""
    return next((PENDING[matcher] for matcher in pending_at(path) if matcher.takes(value)), None)


def is_live_dialect(dialect: str) -> bool:
    """Whether status pages of this dialect are supported."""
    return pending_reason(("providers", "", "status_page", "dialect"), dialect) is None
