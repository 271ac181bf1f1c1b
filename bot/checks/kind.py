"""What makes up a type of check at run time: its configuration model, its check class and its prober."""

import ssl
from collections.abc import Callable
from typing import Any

from bot.checks.judging.keys import KeyMemory
from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import Resolver
from bot.config.checks.base import CheckBase
from bot.core.lazy_dataclass import dataclass
from bot.ports import Prober
from bot.system.clock import Clock


@dataclass(frozen=True)
class ProberResources:
    """What probers of all types share, created and closed by their owner."""

    clock: Clock
    resolver: Resolver
    guard: Guard
    tls: ssl.SSLContext
    keys: KeyMemory
    version: str = "dev"
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Kind:
    """One type. `made(model, id=, component=, every=, deadline=)` returns the `check` that its prober runs."""

    model: type[CheckBase]
    check: type
    made: Callable[..., Any]
    prober: Callable[[ProberResources], Prober]
