"""The remedy for a ledger that was edited where there is no backup: what does not hold is set aside by name, the rest is kept.

Everything about such a stream goes into a file beside the ledger first, and only then out of the ledger.
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
    """Write each stream into one new file, then take it out of the ledger. Says what became of each.

    Raises StoreError, having changed nothing, where the facts of one of them hold, or where the file cannot be written.
    """
    wanted = tuple(dict.fromkeys(streams))
    for stream in wanted:
        flaw = await ledger.read(lambda store, stream=stream: store.examine(stream))  # type: ignore[misc] # bound early
        if flaw is None or flaw.state is not None:
            sentence = f"nothing is wrong with the facts of {stream[:200]}, so it is not set aside, nor is anything else"
            raise StoreError(sentence, kind=StoreTrouble.OTHER)
    rows = await ledger.read(lambda store: [row for stream in wanted for row in store.everything_about(stream)])
    # An incident's state also counts what its vendor said, in a stream of its own.
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
    """A file that was not there before, durable, for its owner alone."""
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
    """The incident's number stays taken, by one that is over: what still fails opens a new one by itself."""
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
