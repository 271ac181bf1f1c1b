"""Whose share something is: rendezvous hashing, so that one who comes or goes moves only what is his.

Thaler and Ravishankar, A Name-Based Mapping Scheme for Rendezvous (1996): each name is hashed with the key, the highest wins.
"""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b

from bot.ports import LiveReplica

MOST_OFF = timedelta(seconds=10)  # of a clock that may be right; the detector's windows are in minutes


def owner_of(key: str, names: Sequence[str]) -> str:
    """The name whose share this is; empty where there are no names."""
    return max(names, key=lambda name: blake2b(f"{name}\x1f{key}".encode(), digest_size=8).digest(), default="")


def on_time(live: Sequence[LiveReplica]) -> list[LiveReplica]:
    """Those whose clocks agree with the ledger's; all of them where none does, for then it is the ledger's that is off."""
    return [one for one in live if abs(one.says.offset) <= MOST_OFF] or list(live)


def able(live: Sequence[LiveReplica]) -> list[LiveReplica]:
    """Those that can do checks: they can decide on what they see, their clocks are right, and they do see.

    Where nobody sees, it is all others of these.
    """
    timely = on_time(up_to_date(live))
    return [one for one in timely if not one.says.blind] or timely


def up_to_date(live: Sequence[LiveReplica]) -> list[LiveReplica]:
    """Those that understand the ledger; all of them where none does, for somebody should at least see what fails."""
    return [one for one in live if not one.says.older] or list(live)
