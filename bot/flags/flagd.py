"""Flags as flagd definitions, which it, or a provider with flagd inside, evaluates itself.

flagd hashes readers differently than we do, and its own languages disagree about that (open-feature/flagd#1737). So a partial
hand-back is not followed there: everybody stays on the fallback until all are handed back, as the metadata says. A scope
becomes a targeting rule in flagd, unless its attribute contains a dot, which flagd reads as a path.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.core.scope import Scope
from bot.flags.conversation import MOST_EXACT
from bot.flags.evaluate import DRILL_KEY, Entry, Evaluation, Part, Snapshot, evaluate

SCHEMA = "https://flagd.dev/schema/v0/flags.json"
FLAG_SET = "understudy"
WHOLE = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)  # an integer as JSON writes it

_NOBODY: Mapping[str, Any] = {}


def definitions(picture: Snapshot, *, overlay: bool = False, only: str = "") -> dict[str, Any]:
    """All flags of the snapshot; as an `overlay` only those engaged, to be laid over another source of the same keys.

    `only` names the one flag that a sink wants, without its scopes. Additional information must be in metadata: flagd's Python
    provider refuses the whole file for an unknown field.
    """
    flags = {
        key: _definition(picture, key, replace(entry, parts=()) if only else entry)
        for key, entry in picture.entries.items()
        if (not only or key == only) and (not overlay or _engaged(entry))
    }
    return {
        "$schema": SCHEMA,
        "metadata": {"flagSetId": FLAG_SET, "version": str(picture.revision), **picture.age},
        "flags": flags,
    }


def _engaged(entry: Entry) -> bool:
    return (entry.engagement is not None and not entry.lost) or bool(_told(entry))


def _definition(picture: Snapshot, key: str, entry: Entry) -> dict[str, Any]:
    served = evaluate(picture, key, _NOBODY)
    assert isinstance(served, Evaluation), served  # noqa: S101 # the key is the snapshot's own
    parts = _told(entry)
    found: dict[str, Any] = {
        "state": "ENABLED",  # for a disabled flag, flagd returns the default in the code
        "variants": {name: value for one in (*(part.entry for part in parts), entry) for name, value in one.values.items()},
        "defaultVariant": served.variant,
        "metadata": _metadata(entry),
    }
    rules: list[Any] = [word for part in parts for word in (_is_of(part.scope), part.answer.variant)]
    if entry.drill:
        rules += [{"===": [{"var": DRILL_KEY}, True]}, entry.drill]
    if rules:
        found["targeting"] = {"if": [*rules, None]}
    return found


def _told(entry: Entry) -> list[Part]:
    return [part for part in entry.parts if "." not in part.scope.attribute]


def _is_of(scope: Scope) -> dict[str, Any]:
    """Whether a reader is in a scope: the attribute is that text, or a JSON value written like it."""
    forms: list[Any] = [scope.value]
    if scope.value in ("true", "false"):
        forms.append(scope.value == "true")
    elif WHOLE.fullmatch(scope.value) and abs(int(scope.value)) < MOST_EXACT:
        forms.append(int(scope.value))
    same = [{"===": [{"var": scope.attribute}, form]} for form in forms]
    return {"or": same} if len(same) > 1 else same[0]


def _metadata(entry: Entry) -> dict[str, Any]:
    found = dict(entry.metadata)
    if entry.split is not None and entry.engagement is not None:
        found["percent_on_fallback"] = 100
        back = "all but older conversations" if entry.engagement.all_back else f"{entry.engagement.share_back} %"
        found["hand_back"] = f"{back} are back on the default elsewhere; flagd's readers follow when all are"
    if parts := ", ".join(str(part.scope) for part in _told(entry)):
        found["scopes"] = parts
    if left := ", ".join(str(part.scope) for part in entry.parts if "." in part.scope.attribute):
        found["scopes_left_out"] = left
    return found
