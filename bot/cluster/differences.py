"""Reports how replicas differ that should be alike, as sentences for people: which replicas, and in what."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from bot.cluster.shares import MOST_OFF, on_time
from bot.ports import LiveReplica, ReplicaInfo

MOST_NAMED = 5


def differences(mine: ReplicaInfo, live: Sequence[LiveReplica]) -> list[str]:
    """One sentence per difference; empty if all are alike."""
    others = [one.says for one in live if one.says.boot != mine.boot]
    return [*_namesakes(mine, others), *_versions(mine, others), *_configurations(mine, others), *_clocks(mine, live)]


def _namesakes(mine: ReplicaInfo, others: Sequence[ReplicaInfo]) -> Iterator[str]:
    if any(one.name == mine.name for one in others):
        yield (
            f"Another replica is called {mine.name} too, so its data folder is a copy of ours: delete replica.id in one of the "
            "two and restart it"
        )


def _versions(mine: ReplicaInfo, others: Sequence[ReplicaInfo]) -> Iterator[str]:
    for version in sorted({one.version for one in others} - {mine.version}):
        names = _names(one.name for one in others if one.version == version)
        yield f"{names} {_runs(names)} Understudy {version}, {mine.name} {mine.version}: finish the upgrade"


def _configurations(mine: ReplicaInfo, others: Sequence[ReplicaInfo]) -> Iterator[str]:
    by_difference: dict[str, list[str]] = {}
    for other in others:
        if said := _difference(mine, other):
            by_difference.setdefault(said, []).append(other.name)
    for said, who in by_difference.items():
        yield f"The configuration of {_names(who)} is not that of {mine.name}: {said}. Give all replicas the same file"


def _difference(mine: ReplicaInfo, other: ReplicaInfo) -> str:
    ours, theirs = mine.configuration, other.configuration
    said = [
        _listed("differs", [name for name in ours if name in theirs and ours[name] != theirs[name]]),
        _listed(f"only {mine.name} has", _only(ours, theirs), first=True),
        _listed(f"{mine.name} lacks", _only(theirs, ours), first=True),
    ]
    return "; ".join(filter(None, said))


def _only(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    return [name for name in ours if name not in theirs]


def _listed(word: str, names: Sequence[str], *, first: bool = False) -> str:
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    listed = f"{', '.join(sorted(names)[:MOST_NAMED])}{more}"
    if first:
        return f"{word} {listed}"
    return f"{listed} {word if len(names) == 1 else word.removesuffix('s')}"


def _clocks(mine: ReplicaInfo, live: Sequence[LiveReplica]) -> Iterator[str]:
    off = [one.says for one in live if abs(one.says.offset) > MOST_OFF]
    right = {one.says.boot for one in on_time(live)}
    for says in sorted(off, key=lambda one: one.name):
        apart = (
            f"The clock of {says.name} is {_span(abs(says.offset))} {'behind' if says.offset > timedelta(0) else 'ahead of'}"
        )
        if says.boot in right:  # there is no majority, so somebody must act
            yield f"{apart} the database's, and so is every replica's: set the clock of the database's machine"
        else:
            yield f"{apart} the database's: it does no checks, and nothing that falls due, until that clock is set"


def _span(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"


def _names(names: object) -> str:
    found = sorted(set(names))  # type: ignore[call-overload]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _runs(names: str) -> str:
    return "run" if " and " in names else "runs"
