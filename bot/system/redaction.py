"""The only place where secrets are removed from text: logs, samples, signals, messages and exports.

Known secrets are found in any case, in base64 (both alphabets, at every alignment), base32 and base32hex, hex (also `aa:bb`),
in base64 or hex of these, in UTF-16, and as their MD5, SHA-1 or SHA-2. The text is also searched after undoing percent, JSON,
Markdown, `\\x`, octal and HTML escapes, three times, without invisible characters, and without the spaces and line breaks that
wrapping adds. Twelve consecutive characters of any form are enough, so that a secret cut in two is removed too. What looks
like a token is removed even if it is unknown.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from bot.core.model import Actor, Sample
from bot.core.signals import Alerted
from bot.system.escapes import PART, holds_escapes, undone
from bot.system.secret_forms import LEAST, LEAST_ENCODED, RUN, encodings, encodings_twice, fold, ordinary, parts, squeezed

# What a token looks like, wherever it comes from: Slack's, Anthropic's and OpenAI's, bearer headers, userinfo in URLs. `sk-`
# counts only at the start of a word: "disk-full-error" contains none.
TOKENS = re.compile(
    r"xox[abcdeprs](?:\.xox[bp])?-[\w-]+|xapp-[\w-]+|(?<![A-Za-z0-9])sk-[\w-]{8,}|(?i:bearer)\s+[\w.~+/=-]{8,}"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)
HIDDEN = "[secret]"
MARKS = ("xox", "xapp+", "sk+", "bearer", "@")  # of possible tokens, folded: rules out most texts faster than the pattern
DERIVED_AT_MOST = 500  # secrets; beyond that, only the longest are also searched in encodings (0.1 MB each)
TWICE_AT_MOST = 50  # secrets that are also searched doubly encoded (0.05 MB each)
GRAM = 6  # every run of 12 contains a whole gram at a multiple of 7, so only every seventh position is looked up
STEP = RUN - GRAM + 1
SPREAD = 4  # slots per position at least: most grams of other texts hit an empty one
_CUT = re.compile(r"(?<![rR\s])[\r\n](?=\S)")  # a line end that cannot split a `bearer` from its token
ROUNDS = 3  # of undoing escapes
SHORT, MOST_HARMLESS = 80, 2_000  # characters of a text that may be remembered as harmless, and how many are

# Fields of signals that contain people's words; all others are names, by which the bot finds things.
FREE_TEXT = frozenset(
    {"reason", "text", "title", "body", "evidence", "advisory", "impact", "url", "why", "answered", "skipped"}
)
# Also text made up by another monitor, in an alert; our own keys are names. And names that API callers give themselves: if
# somebody swaps two headers, the token would appear in the timeline as a name.
MADE_UP_ELSEWHERE: Mapping[type, frozenset[str]] = {
    Alerted: frozenset({"key", "source"}), Actor: frozenset({"id", "name"}),
}  # fmt: skip

T = TypeVar("T")


class Redactor:
    """Removes known secrets, and whatever looks like a token, from text; built once for all secrets of a configuration."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._long: list[str] = []  # forms recognized by any run of them
        whole: set[str] = set()
        known = sorted({secret for secret in secrets if len(secret) >= LEAST}, key=lambda one: (-len(one), one))
        for number, secret in enumerate(known):
            for part in parts(secret):
                whole |= self._learn(part, derived=number < DERIVED_AT_MOST, twice=number < TWICE_AT_MOST)
        self._whole = sorted((form for form in whole if len(form) < RUN), key=lambda form: (-len(form), form))
        self._wrapped = sorted({dense for form in whole if len(form) >= RUN and (dense := squeezed(form))})
        self._harmless: set[str] = set()  # short texts that were searched and contain no secret
        self._least = min([RUN, *map(len, self._whole), *map(len, self._wrapped)])
        self._index()

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """As a structlog processor."""
        return {self.text(key): self.clean(value) for key, value in event.items()}

    def clean(self, value: Any) -> Any:
        """The value without secrets; numbers and the like pass unchanged."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.clean(key): self.clean(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.clean(entry) for entry in value]
        return value if value is None or isinstance(value, (bool, int, float)) else self.text(str(value))

    def text(self, text: str, *, undo: bool = True) -> str:
        """One string without secrets; `undo` False skips escapes, for long texts from sources that know no secrets."""
        if len(text) < LEAST:
            return text
        folded = fold(text)
        if len(text) >= self._least:
            text = _without(text, self._found(text, folded, ROUNDS if undo else 0))
        return _without_tokens(text) if any(mark in folded for mark in MARKS) else text

    def sample(self, sample: Sample) -> Sample:
        """A sample without secrets in its reason and evidence."""
        harmless = self._harmless
        if sample.reason in harmless and all(value in harmless for value in sample.evidence.values()):
            return sample
        reason = self._once(sample.reason)
        evidence = {key: self._once(value) for key, value in sample.evidence.items()}
        if reason == sample.reason and evidence == sample.evidence:
            return sample
        return replace(sample, reason=reason, evidence=evidence)

    def _once(self, text: str) -> str:
        """Search each of the few hundred short texts that come with every result only once."""
        found = self.text(text)
        if found == text and len(text) <= SHORT:
            if len(self._harmless) >= MOST_HARMLESS:
                self._harmless.clear()
            self._harmless.add(text)
        return found

    def words(self, value: T, *, undo: bool = True) -> T:
        """A frozen dataclass, and nested ones, without secrets in people's words; the same object if nothing changed."""
        kind: Any = type(value)
        changed = {
            name: after
            for name, spoken in _layout(kind) or ()
            if (after := self._inner(before := getattr(value, name), spoken, undo)) is not before
        }
        return replace(value, **changed) if changed else value  # type: ignore[type-var]

    def _inner(self, value: Any, spoken: bool, undo: bool) -> Any:
        kind: Any = type(value)
        if kind is str:
            text = self.text(value, undo=undo) if spoken else value
            return value if text == value else text
        if isinstance(value, tuple):
            inner = tuple(self._inner(one, spoken, undo) for one in value)
            return value if all(one is other for one, other in zip(inner, value, strict=True)) else inner
        return value if _layout(kind) is None else self.words(value, undo=undo)

    # --- known secrets

    def _learn(self, secret: str, *, derived: bool, twice: bool) -> set[str]:
        """Learn to find it; returns the forms to be searched as a whole."""
        whole: set[str] = set()
        raw = fold(secret)
        if len(squeezed(raw)) >= RUN and "://" not in secret and not ordinary(secret):
            self._long.append(squeezed(raw))
        else:
            whole.add(raw)
        encoded = {*encodings(secret), *(encodings_twice(secret) if twice else ())} if derived else set()
        for form in set(map(fold, encoded)):
            if len(form) >= RUN:
                self._long.append(form)
            elif len(form) >= LEAST_ENCODED:
                whole.add(form)
        return whole

    def _index(self) -> None:
        """Index each gram's positions in all forms: the last one by the gram's slot, and by each position the previous one.

        Different grams may share a slot. A dict with grams as keys would take several times the memory.
        """
        # A run never crosses a line end, since searched text contains none. The first one keeps position 0 free, which means
        # none.
        self._forms = "\n" + "\n".join(self._long)
        self._slots = (1 << (SPREAD * len(self._forms)).bit_length()) - 1
        self._last = array("i", [0]) * (self._slots + 1)
        self._earlier = array("i", [0]) * len(self._forms)
        begins = 1
        for form in self._long:
            for place in range(begins, begins + len(form) - GRAM + 1):
                slot = hash(self._forms[place : place + GRAM]) & self._slots
                self._earlier[place] = self._last[slot]
                self._last[slot] = place
            begins += len(form) + 1
        self._long.clear()

    # --- finding them

    def _found(self, text: str, folded: str, rounds: int) -> list[tuple[int, int]]:
        """Where secrets are, in the text itself and with its escapes undone."""
        found = list(self._in_view(folded))
        view, places = text, list[int]()
        for _ in range(rounds):
            if not holds_escapes(view):
                break
            view, places = undone(view, places)
            found += [(places[start], places[end]) for start, end in self._in_view(fold(view))]
        return found

    def _in_view(self, text: str) -> Iterator[tuple[int, int]]:
        for form in self._whole:
            yield from _each(form, text)
        dense = squeezed(text)
        found = list(self._in_squeezed(dense))
        if not found or len(dense) == len(text):
            yield from found
            return
        places = [place for place, char in enumerate(text) if not char.isspace()]
        for start, end in found:
            yield places[start], places[end - 1] + 1

    def _in_squeezed(self, text: str) -> Iterator[tuple[int, int]]:
        """Where forms are that are long enough to be recognized by a run, or in wrapped text."""
        for form in self._wrapped:
            yield from _each(form, text)
        last, slots = self._last, self._slots
        for at in [at for at in range(0, len(text) - GRAM + 1, STEP) if last[hash(text[at : at + GRAM]) & slots]]:
            gram = text[at : at + GRAM]
            place = last[hash(gram) & slots]
            while place:
                if self._forms.startswith(gram, place):
                    start, end = _run(text, at, self._forms, place)
                    if end - start >= RUN:
                        yield start, end
                place = self._earlier[place]


@cache
def _layout(kind: Any) -> tuple[tuple[str, bool], ...] | None:
    """The fields of a dataclass, each with whether it contains people's words; None for other types."""
    spoken = FREE_TEXT | MADE_UP_ELSEWHERE.get(kind, frozenset())
    if not is_dataclass(kind):
        return None
    return tuple((field.name, field.name in spoken) for field in fields(kind))


def _without_tokens(text: str) -> str:
    """Search a long text part by part, since a pattern blocks everything else; cut where no token can continue."""
    if len(text) <= PART:
        return TOKENS.sub(HIDDEN, text)
    pieces: list[str] = []
    start = 0
    while start < len(text):
        cut = _CUT.search(text, start + PART)
        end = cut.end() if cut else len(text)
        pieces.append(TOKENS.sub(HIDDEN, text[start:end]))
        start = end
    return "".join(pieces)


def _each(form: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + len(form))


def _run(text: str, at: int, form: str, place: int) -> tuple[int, int]:
    """How far text and forms agree around these positions."""
    before = 0
    most = min(at, place)
    while before < most and text[at - before - 1] == form[place - before - 1]:
        before += 1
    after, most = GRAM, min(len(text) - at, len(form) - place)
    while after < most and text[at + after] == form[place + after]:
        after += 1
    return at - before, at + after


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    if not spans:
        return text
    pieces, done = [], 0
    for start, end in _merged(spans):
        pieces += [text[done:start], HIDDEN]
        done = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
