"""Flags as flagd reads them: definitions from which it, or a provider with flagd inside, evaluates by itself.

flagd hashes readers in another way than we do, and its own languages disagree about it (open-feature/flagd#1737). So a partial
hand-back is not followed there: everybody stays on the fallback until all are handed back, and the metadata say so.
"""

from collections.abc import Mapping
from typing import Any

from bot.flags.evaluate import DRILL_KEY, Entry, Evaluation, Snapshot, evaluate

SCHEMA = "https://flagd.dev/schema/v0/flags.json"
FLAG_SET = "understudy"

_NOBODY: Mapping[str, Any] = {}


def definitions(picture: Snapshot, *, overlay: bool = False, only: str = "") -> dict[str, Any]:
    """All flags of the snapshot; as an `overlay` those that are engaged, to be laid over another source of the same keys.

    `only` names the one flag that is wanted. What flagd does not know of a flag may stand in its metadata and nowhere else: its
    Python provider refuses the whole file for a field too many.
    """
    flags = {
        key: _definition(picture, key, entry)
        for key, entry in picture.entries.items()
        if (not only or key == only) and (not overlay or _engaged(entry))
    }
    return {"$schema": SCHEMA, "metadata": {"flagSetId": FLAG_SET, "version": str(picture.revision)}, "flags": flags}


def _engaged(entry: Entry) -> bool:
    return entry.engagement is not None and not entry.lost


def _definition(picture: Snapshot, key: str, entry: Entry) -> dict[str, Any]:
    served = evaluate(picture, key, _NOBODY)
    assert isinstance(served, Evaluation), served  # noqa: S101 # the key is the snapshot's own
    found: dict[str, Any] = {
        "state": "ENABLED",  # flagd gives the code default for a disabled one
        "variants": dict(entry.values),
        "defaultVariant": served.variant,
        "metadata": _metadata(entry),
    }
    if entry.drill:
        found["targeting"] = {"if": [{"===": [{"var": DRILL_KEY}, True]}, entry.drill, None]}
    return found


def _metadata(entry: Entry) -> dict[str, Any]:
    found = dict(entry.metadata)
    if entry.split is not None and entry.engagement is not None:
        found["percent_on_fallback"] = 100
        back = "all but older conversations" if entry.engagement.all_back else f"{entry.engagement.share_back} %"
        found["hand_back"] = f"{back} are back on the default elsewhere; flagd's readers follow when all are"
    return found
