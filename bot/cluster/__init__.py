"""Several replicas over one ledger: who is alive, who does what must be done by one, and how the rest is shared out.

`alone.py` is the one process of a ledger that nobody else can open, by the same interface (`bot.ports.Member`): always alive,
holds everything, writes nothing for it. `replica.py` gives a sign of life each second and knows by its own monotonic clock
until when others must believe it; `shares.py` says whose share of the work something is; `differences.py`, in which ways
replicas that should be alike are not; `name.py`, what this one is called.
"""
