"""Undoes escapes, so that secrets are found behind them.

Percent, JSON, Markdown, `\\x`, octal, HTML, `aa:bb`, and invisible characters.
"""

import re
from collections.abc import Sequence

PART = 16_384  # characters of a long text to search at a time
_ESCAPE = re.compile(
    r"[\x00\u00ad\u200b-\u200f\u2060\ufeff]|(?<![0-9a-fA-F])([0-9a-fA-F]{2}):(?=[0-9a-fA-F]{2}(?![0-9a-fA-F]))|\\([0-7]{3})"
    r"|%([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([/\"'\\nrt`*_\[\]<>|#~&])"
    r"|&#([0-9]{1,6});|&#[xX]([0-9a-fA-F]{1,5});|&(amp|lt|gt|quot|apos);"
)
_PAIRS = re.compile(r"(?:[0-9a-fA-F]{2}:){5}")  # as many as hold twelve characters
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def holds_escapes(text: str) -> bool:
    """Whether there is anything to undo."""
    return _may(text) and _ESCAPE.search(text) is not None


def undone(text: str, places: Sequence[int]) -> tuple[str, list[int]]:
    """The text with escapes undone, and the position of each of its characters, and of its end, in the original."""
    origin = places or range(len(text) + 1)
    pieces: list[str] = []
    found: list[int] = []
    done = 0
    for match in _ESCAPE.finditer(text):
        meant = _meant(match)
        pieces += [text[done : match.start()], meant]
        found += origin[done : match.start() + len(meant)]
        done = match.end()
    pieces.append(text[done:])
    return "".join(pieces), [*found, *origin[done:]]


def _may(text: str) -> bool:
    """A quick check that rules out most texts before the pattern runs."""
    return any(mark in text for mark in "%\\&\0") or not text.isascii() or (":" in text and _has_pairs(text))


def _has_pairs(text: str) -> bool:
    """Searches a long text part by part: wherever twelve pairs are cut, one side has at least five."""
    return any(_PAIRS.search(text, at, at + PART) for at in range(0, len(text), PART))


def _meant(match: re.Match[str]) -> str:
    pair, octal, percent, wide, byte, plain, decimal, hexadecimal, named = match.groups()
    if match[0] == "\0" or not match[0].isascii():
        return ""  # an invisible character
    if plain or pair:
        return pair or (" " if plain in "nrt" else plain)
    if octal:
        return chr(int(octal, 8))
    if named:
        return _NAMED[named]
    code = int(decimal) if decimal else int(percent or wide or byte or hexadecimal, 16)
    return "" if not code else chr(code) if code < 0x110000 else "?"
