"""What must be true after the demo, according to three witnesses: the ledger, the workspace, the downstream service's log."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Outcome, Sample
from bot.core.outcomes.served import RouteTotal
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, Released
from bot.core.record.incident_facts import UpdateWritten
from bot.core.record.room.room_facts import Posted
from bot.core.record.sight import SightLost
from bot.core.record.world import World
from bot.ports import OutboxRow
from bot.sandbox.slack import LocalWorkspace
from bot.timeline.words import percent
from bot.views.incident.customers import plain_served

COUNTED_WITHIN = 0.01
SERVED_AT_LEAST = 0.9  # of all customers, over the whole story, including the outage
UPDATES_AT_LEAST = 3


@dataclass(frozen=True)
class Claim:
    """One claim of the demo, and whether it held."""

    holds: bool
    words: str


@dataclass(frozen=True)
class Evidence:
    """The evidence. `outage_before` returns when the script last made a provider fail before a given time."""

    world: World
    facts: Sequence[Fact]
    outbox: Sequence[OutboxRow]
    workspace: LocalWorkspace
    log: Path
    gateway_log: Path  # the same customers through a tuned gateway without a flag
    exports: Sequence[Path]
    signs: Sequence[Sample]  # samples of the heartbeat check, each with the newest report that it knew
    told: Sequence[RouteTotal]  # what the downstream service reported about its requests, as the bot counted it
    untold: int  # how many of its newest requests may be missing there
    outage_before: Callable[[str, datetime], datetime | None]
    speed: float
    policy: Policy


def prove(seen: Evidence) -> list[Claim]:
    """Check every claim; all are returned, so that failures are named."""
    rows = rows_of(seen.log)
    return [
        _detected(seen),
        _switched(seen.facts, rows),
        _went_back(seen.facts, rows),
        _updated(seen.facts, seen.workspace),
        _served(rows),
        _spared(rows, rows_of(seen.gateway_log), seen.speed),
        _counted(rows, seen),
        _customers(seen.world, seen.policy),
        _lived(seen),
        _resolved(seen.world),
        _exported(seen.exports),
    ]


def rows_of(log: Path) -> list[dict[str, Any]]:
    """The lines written so far; the last one may be incomplete."""
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _detected(seen: Evidence) -> Claim:
    found = [i for i in seen.world.incidents.values() if i.provider == "anthropic"]
    if not found:
        return Claim(False, "the outage was not detected: there is no incident")
    first = found[0]
    after_look = (first.declared_at - first.began_at).total_seconds()
    words = f"{after_look:.0f} s after the first failed check"
    outage_at = seen.outage_before("anthropic", first.began_at)
    if outage_at is not None:
        words = f"{(first.declared_at - outage_at).total_seconds():.0f} s after it began, {words}"
    words += f" (at {seen.speed:.0f} times the speed of life)"
    return Claim(True, f"the outage was detected: {first.name} was declared {words}")


def _switched(facts: Sequence[Fact], rows: Sequence[dict[str, object]]) -> Claim:
    engaged = any(isinstance(fact.body, Engaged) for fact in facts)
    on_fallback = sum(row["variant"] == "gpt" for row in rows)
    held = engaged and on_fallback > 0
    return Claim(
        held, f"the flag switched: it sent {on_fallback} customers to the fallback" if held else "the flag did not switch"
    )


def _went_back(facts: Sequence[Fact], rows: Sequence[dict[str, object]]) -> Claim:
    released = any(isinstance(fact.body, Released) for fact in facts)
    away = [n for n, row in enumerate(rows) if row["variant"] == "gpt"]
    after = rows[away[-1] + 1 :] if away else []
    held = released and any(row["variant"] == "claude" and row["served"] for row in after)
    words = f"the flag went back: the last {len(after)} customers got the default" if held else "the flag did not go back"
    return Claim(held, words)


def _updated(facts: Sequence[Fact], workspace: LocalWorkspace) -> Claim:
    written = sum(isinstance(fact.body, UpdateWritten) for fact in facts)
    posted = {fact.body.ts for fact in facts if isinstance(fact.body, Posted) and fact.body.what == "update.post"}
    standing = {m.ts for channel in workspace.channels() for m in workspace.messages(channel.name)}
    held = written >= UPDATES_AT_LEAST and len(posted) == written and posted <= standing
    return Claim(held, f"updates were posted: {written} written, {len(posted & standing)} in the channel, each once")


def _served(rows: Sequence[dict[str, object]]) -> Claim:
    served = sum(bool(row["served"]) for row in rows)
    share = served / len(rows) if rows else 0.0
    return Claim(share >= SERVED_AT_LEAST, f"customers were served: {served} of {len(rows)} ({share:.1%}) over the whole story")


def _spared(rows: Sequence[dict[str, Any]], by_gateway: Sequence[dict[str, Any]], speed: float) -> Claim:
    """Compared with a tuned gateway, which may serve as many, but each of its pauses ends with a customer waiting in vain."""
    tries, theirs = sum(not row["served"] for row in rows), sum(row["failed_tries"] for row in by_gateway)
    served = sum(bool(row["served"]) for row in by_gateway)
    waited, theirs_waited = (
        sum(seconds) * speed / 60
        for seconds in ([row["took_s"] for row in rows if not row["served"]], [row["lost_s"] for row in by_gateway])
    )
    words = (
        f"a tuned gateway alone would have served {percent(served / len(by_gateway)) if by_gateway else 'nobody'}, but with "
        f"{theirs} failed attempts, for which customers waited {theirs_waited:.0f} min; with the flag it was {tries} and "
        f"{waited:.0f} min"
    )
    return Claim(bool(by_gateway) and tries < theirs, words)


def _counted(rows: Sequence[dict[str, object]], seen: Evidence) -> Claim:
    """The bot's counts agree with the service's own log within one per cent; both are still being written."""
    all_told, served = sum(one.ok + one.failed for one in seen.told), sum(bool(row["served"]) for row in rows)
    ok = sum(one.ok for one in seen.told)
    near = max(abs(all_told - len(rows)), abs(ok - served)) <= COUNTED_WITHIN * len(rows) + seen.untold
    words = f"real requests were counted: the service reported {all_told} of {len(rows)}, and {ok} of the {served} served"
    return Claim(bool(rows) and near, words)


def _customers(world: World, policy: Policy) -> Claim:
    """What the incident says about customers."""
    found = [one.served for one in world.incidents.values() if one.provider == "anthropic" and one.served]
    if not found:
        return Claim(False, "the incident does not say how many customers were served")
    served = max(found, key=lambda one: one.total)
    said = plain_served(served, policy)
    words = f"{said[:1].lower()}{said[1:]}; without a switch it would have been {percent(served.without_switch)}"
    return Claim(served.share > served.without_switch, words)


def _lived(seen: Evidence) -> Claim:
    heard = len({sample.evidence.get("last_ok") for sample in seen.signs} - {None})
    missed = sum(sample.outcome is Outcome.FAIL for sample in seen.signs)
    blind = sum(isinstance(fact.body, SightLost) for fact in seen.facts)
    held = heard > 0 and missed == blind == 0
    words = f"{heard} heartbeats from our own service, {missed} missed; our own network failed {blind} times"
    return Claim(held, f"our side was distinguished from theirs: {words}")


def _resolved(world: World) -> Claim:
    held = bool(world.incidents) and not world.open_incidents()
    return Claim(held, "the incident was resolved by a person" if held else "no incident was resolved")


def _exported(exports: Sequence[Path]) -> Claim:
    held = bool(exports) and all(path.exists() and path.stat().st_size > 0 for path in exports)
    names = ", ".join(str(path) for path in exports)
    return Claim(held, f"the timeline was exported: {names}" if held else "nothing was exported")
