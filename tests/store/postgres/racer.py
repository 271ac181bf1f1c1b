"""One of several processes that compete for the same thing; prints what it won as JSON."""

import asyncio
import json
import sys
from datetime import timedelta

from bot.ports import Conflict, Store
from bot.store.postgres.ledgers import open_postgres_ledger
from tests.ledger_facts import NOON, commit, declared, fact

LEASE = timedelta(seconds=90)


async def main(what: str, who: str, number: int, address: str) -> None:
    ledger = await open_postgres_ledger(address, f"racer {who}")
    won: list[str] = []
    if what == "claim":
        while rows := await ledger.write(lambda store: store.claim(NOON, who, LEASE, 16)):
            won += [row.effect.key for row in rows]
    else:
        for n in range(number):
            try:
                await ledger.write(lambda store, n=n: opens(store, n))  # type: ignore[misc]
                won.append(f"provider {n}")
            except Conflict:
                continue
    await ledger.close()
    sys.stdout.write(json.dumps(won))


def opens(store: Store, n: int) -> None:
    """An incident, and a fact in a stream that all of them write to."""
    seq = len(store.facts("flag/all")) + 1
    opening = declared(store.newest_incident() + 1, f"provider {n}")
    store.commit(commit(*opening.facts, fact("flag/all", seq), states=opening.states))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.stdin.read()))
