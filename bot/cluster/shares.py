"""Assigns work by rendezvous hashing, so that a replica that joins or leaves moves only its own share.

Thaler and Ravishankar, A Name-Based Mapping Scheme for Rendezvous (1996): each name is hashed with the key, the highest wins.
"""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b

from bot.ports import LiveReplica

MOST_OFF = timedelta(seconds=10)  # a clock this far off may still be right; the detector's windows are minutes long


def owner_of(key: str, names: Sequence[str]) -> str:
    """The name that owns this share; empty if there are no names."""
    return max(names, key=lambda name: blake2b(f"{name}\x1f{key}".encode(), digest_size=8).digest(), default="")


def on_time(live: Sequence[LiveReplica]) -> list[LiveReplica]:
    """Replicas whose clocks agree with the ledger's; all of them if none do, since then the ledger's is off."""
    return [one for one in live if abs(one.says.offset) <= MOST_OFF] or list(live)


def able(live: Sequence[LiveReplica]) -> list[LiveReplica]:
    """Replicas that can run checks: they understand the ledger, their clocks are right, and they are not blind.

    If all are blind, that condition is dropped.
    """
    timely = on_time(up_to_date(live))
    return [one for one in timely if not one.says.blind] or timely


def up_to_date(live: Sequence[LiveReplica]) -> list[LiveReplica]:
    """Replicas that understand the ledger; all of them if none do, since somebody should at least see failures."""
    return [one for one in live if not one.says.older] or list(live)
