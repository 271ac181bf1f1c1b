"""What must be true at the end of the demo, by three witnesses: the ledger, the workspace, the downstream service's log."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core import facts as f
from bot.core.facts import Fact
from bot.core.state import World
from bot.sandbox.slack import LocalWorkspace

SERVED_AT_LEAST = 0.9  # of all customers, over the whole story, outage included
UPDATES_AT_LEAST = 3


@dataclass(frozen=True)
class Claim:
    """One thing that the demo shows, and whether it held."""

    holds: bool
    words: str


def prove(world: World, facts: Sequence[Fact], workspace: LocalWorkspace, log: Path, exports: Sequence[Path]) -> list[Claim]:
    """Check every claim; all are returned, so that a failure names itself."""
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    return [
        _detected(world),
        _switched(facts, rows),
        _went_back(facts, rows),
        _updated(facts, workspace),
        _served(rows),
        _resolved(world),
        _exported(exports),
    ]


def _detected(world: World) -> Claim:
    found = [i for i in world.incidents.values() if i.provider == "anthropic"]
    if not found:
        return Claim(False, "the outage was not detected: there is no incident")
    took = (found[0].declared_at - found[0].began_at).total_seconds()
    return Claim(True, f"the outage was detected: {found[0].name} was declared {took:.0f} s after the first failed look")


def _switched(facts: Sequence[Fact], rows: Sequence[dict[str, object]]) -> Claim:
    engaged = any(isinstance(fact.body, f.Engaged) for fact in facts)
    on_stand_in = sum(row["variant"] == "gpt" for row in rows)
    held = engaged and on_stand_in > 0
    return Claim(held, f"the flag switched: {on_stand_in} customers read the stand-in" if held else "the flag did not switch")


def _went_back(facts: Sequence[Fact], rows: Sequence[dict[str, object]]) -> Claim:
    released = any(isinstance(fact.body, f.Released) for fact in facts)
    away = [n for n, row in enumerate(rows) if row["variant"] == "gpt"]
    after = rows[away[-1] + 1 :] if away else []
    held = released and any(row["variant"] == "claude" and row["served"] for row in after)
    words = f"the flag went back: {len(after)} customers later all read the default" if held else "the flag did not go back"
    return Claim(held, words)


def _updated(facts: Sequence[Fact], workspace: LocalWorkspace) -> Claim:
    written = sum(isinstance(fact.body, f.UpdateWritten) for fact in facts)
    posted = {fact.body.ts for fact in facts if isinstance(fact.body, f.Posted) and fact.body.what == "update.post"}
    standing = {m.ts for channel in workspace.channels() for m in workspace.messages(channel.name)}
    held = written >= UPDATES_AT_LEAST and len(posted) == written and posted <= standing
    return Claim(held, f"updates were posted: {written} written, {len(posted & standing)} stand in the channel, each once")


def _served(rows: Sequence[dict[str, object]]) -> Claim:
    served = sum(bool(row["served"]) for row in rows)
    share = served / len(rows) if rows else 0.0
    return Claim(share >= SERVED_AT_LEAST, f"customers were served: {served} of {len(rows)} ({share:.1%}) over the whole story")


def _resolved(world: World) -> Claim:
    held = bool(world.incidents) and not world.open_incidents()
    return Claim(held, "the incident was resolved by a person" if held else "no incident was resolved")


def _exported(exports: Sequence[Path]) -> Claim:
    held = bool(exports) and all(path.exists() and path.stat().st_size > 0 for path in exports)
    names = ", ".join(str(path) for path in exports)
    return Claim(held, f"the timeline was exported: {names}" if held else "nothing was exported")
