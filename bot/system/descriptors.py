"""File descriptors: how many the process may open, and how many the web server may use beside checks, ledger and Slack."""

import resource
from pathlib import Path

from bot.core.lazy_dataclass import dataclass

PLENTY = 65_536  # more is useless to us, and some programs iterate over all that are allowed
KEPT = 32  # for the ledger and its readers, Slack, notify, name look-ups
PER_CHECK, MOST_FOR_CHECKS = 2, 400  # checks are spread over time: ten thousand do not all run at once
MOST, LEAST = 1024, 16
LONGEST_BACKLOG = 128
SPARE = 256  # a limit that leaves the server less than this is worth a warning


@dataclass(frozen=True)
class ServerLimits:
    """What the web server may use: open connections, and new ones waiting to be accepted or refused."""

    connections: int
    backlog: int


def raise_limit() -> int:
    """Raise the limit on open files as far as allowed; returns the new limit."""
    wanted = limit_after_start()
    if limit() < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return limit()


def limit_after_start() -> int:
    """The limit that `raise_limit` would set; changes nothing."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(limit(), PLENTY if hard == resource.RLIM_INFINITY else min(hard, PLENTY))


def limit() -> int:
    """The number of files that this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return PLENTY if soft == resource.RLIM_INFINITY else soft


def in_use() -> int:
    """The number of files that it has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


def server_limits(limit: int, in_use: int, checks: int) -> ServerLimits:
    """What is left for the web server after everything else has what it needs."""
    room = max(limit - in_use - _needed(checks), LEAST)
    connections = min(max(room * 2 // 3, LEAST), MOST)
    return ServerLimits(connections, max(min(room - connections, LONGEST_BACKLOG), 1))


def complaint(limit: int, checks: int) -> str:
    """What to do about a low limit; empty if it is high enough."""
    enough = _needed(checks) + SPARE
    if limit >= enough:
        return ""
    return (
        f"only {limit} files may be open at once, so few may ask for flags at the same time: raise the limit to "
        f"{max(enough, 1024)} or more (`ulimit -n`, or LimitNOFILE= in a systemd unit)"
    )


def _needed(checks: int) -> int:
    return KEPT + min(PER_CHECK * checks, MOST_FOR_CHECKS)
