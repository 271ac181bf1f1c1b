"""Repairs an edited ledger without a backup: named streams that are not intact are set aside, the rest is kept.

Everything about such a stream is first saved to a file beside the ledger, and only then removed from it.
"""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.core.model import Actor, Phase, Severity
from bot.core.record.fact import Body, Fact
from bot.core.record.incident_facts import Declared, PhaseChanged
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.engine.world_reading import changed_states
from bot.ports import Commit, Ledger, NewFact, Store, StoreError, StoreTrouble

BY = Actor.rule("ledger")


async def set_aside(ledger: Ledger, folder: Path, streams: Sequence[str], now: datetime) -> list[str]:
    """Write these streams to a new file, then remove them from the ledger. Returns what happened to each.

    Raises StoreError, having changed nothing, if one of them is intact, or if the file cannot be written.
    """
    wanted = tuple(dict.fromkeys(streams))
    for stream in wanted:
        flaw = await ledger.read(lambda store, stream=stream: store.examine(stream))  # type: ignore[misc] # bound early
        if flaw is None or flaw.state is not None:
            sentence = f"nothing is wrong with the facts of {stream[:200]}, so it is not set aside, nor is anything else"
            raise StoreError(sentence, kind=StoreTrouble.OTHER)
    rows = await ledger.read(lambda store: [row for stream in wanted for row in store.everything_about(stream)])
    # An incident's state also counts its vendor's updates, which are in the vendor's stream.
    named = sorted({f"incident/{row['incident']}" for row in rows if row["table"] == "facts" and row["incident"]})
    file = _written(folder, rows)

    def work(store: Store) -> None:
        for stream in wanted:
            store.remove(stream)
            if stream.startswith("incident/"):
                store.commit(_place_held(int(stream.partition("/")[2]), file, now))
        for stream in named:
            store.rebuild(stream)

    await ledger.write(work)
    return [_became(stream, file) for stream in wanted]


def _written(folder: Path, rows: Sequence[object]) -> Path:
    """A new file, durable, readable only by its owner."""
    number = 1
    while (file := folder / f"ledger.set-aside-{number}.jsonl").exists():
        number += 1
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.writelines(f"{json.dumps(row)}\n" for row in rows)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        sentence = f"{file} cannot be written ({error.strerror}), so nothing was set aside"
        raise StoreError(sentence, kind=StoreTrouble.IO) from error
    return file


def _place_held(number: int, file: Path, now: datetime) -> Commit:
    """Keep the incident's number taken, by a finished one: what still fails opens a new incident by itself."""
    stream, reason = f"incident/{number}", f"its facts were changed by hand; they are in {file.name}"
    bodies: tuple[Body, ...] = (
        Declared(number, "An incident whose record was changed by hand", Severity.SEV4, "", "", (), now, reason, ""),
        PhaseChanged(Phase.TRIAGE, Phase.RESOLVED, "close", reason),
    )
    world = World()
    for seq, body in enumerate(bodies, 1):
        world = evolve(world, Fact(stream, seq, now, BY, number, body))
    facts = tuple(NewFact(stream, seq, BY, number, body) for seq, body in enumerate(bodies, 1))
    return Commit(signals=(), at=now, facts=facts, states=changed_states(World(), world), effects=())


def _became(stream: str, file: Path) -> str:
    kind, _, name = stream.partition("/")
    then = {
        "flag": f"{name} serves its default again",
        "incident": f"INC-{name} is over, and what still fails opens a new one",
    }.get(kind, "it is learned anew")
    return f"{stream} was set aside into {file.name}: {then}"
