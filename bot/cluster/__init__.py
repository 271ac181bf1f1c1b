"""Several replicas over one ledger: who is alive, who acts alone for all, and how the other work is shared.

`single_replica.py` has the same interface (`bot.ports.Member`) for the only process on a ledger: always alive, holds every
lease, writes nothing for it. `replica.py` sends a heartbeat every second and knows by its own monotonic clock how long the
others must rely on it; `shares.py` assigns work; `differences.py` reports how replicas differ that should be alike; `name.py`
names this one.
"""
