"""Errors in a configuration: all of them at once, each with its position and remedy."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.config.reading.tree import Mark, Path, show_path


@dataclass(frozen=True)
class ConfigError:
    """One error: what is wrong, where, and what to do about it.

    `line` and `column` count from 1; line 0 is the file as a whole. `key` is a path such as
    `providers.anthropic.components.api.checks[1].every`, empty at the root. `message` quotes only values that were written in
    the file and cannot be secret.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """`understudy.yaml:37: flags.support-chat.llm.default: what is wrong — what to do`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key + ': ' if self.key else ''}{self.message} — {self.remedy}"


class ConfigErrors(Exception):  # noqa: N818 - the plural is the point: one exception carries every ConfigError
    """The configuration cannot be used; `errors` holds all its errors, in the order of the file."""

    permanent = True  # the file must change: retrying gives the same result

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.line, error.column, error.key)))
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass
class Report:
    """Collects what all passes over a file find."""

    file: str
    errors: list[ConfigError] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)  # line and sentence, sorted at the end

    def error(self, mark: Mark, path: Path, message: str, remedy: str) -> None:
        """Add an error, once per place and message."""
        found = ConfigError(self.file, mark.line, mark.column, show_path(path), message, remedy)
        if found not in self.errors:
            self.errors.append(found)

    def warn(self, mark: Mark, path: Path, sentence: str) -> None:
        """Add something that works, but is probably not intended."""
        self.warnings.append((mark.line, f"{self.file}:{mark.line}: {show_path(path)}: {sentence}"))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most similar to a mistyped one, or None if none is close."""
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower()[:200], lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def suggest(word: str, known: Iterable[str], noun: str) -> str:
    """A remedy for an unknown word: the nearest known one, else the list of known ones."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    if not names:
        return f"there are no {noun} to choose from"
    shown = ", ".join(f"`{name}`" for name in names[:20])
    return f"{noun}: {shown}{', ...' if len(names) > 20 else ''}"
