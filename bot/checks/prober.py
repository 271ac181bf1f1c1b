"""Gives each check to the prober for its type."""

from collections.abc import Mapping
from typing import Any

from bot.core.model import Sample
from bot.ports import Prober
from bot.system.redaction import Redactor


class Probers:
    """A `Prober` for checks of every type. An unknown type raises TypeError: it cannot come from a valid plan.

    Secrets of all checks are removed from results: a vendor may echo what it was sent, even in another form.
    """

    def __init__(self, by_type: Mapping[type, Prober], redactor: Redactor) -> None:
        self._by_type = dict(by_type)
        self._redactor = redactor

    async def probe(self, check: Any) -> Sample:
        """Run it once, with the prober for its type."""
        prober = self._by_type.get(type(check))
        if prober is None:
            raise TypeError(f"nobody knows how to look with a {type(check).__name__}")
        return self._redactor.sample(await prober.probe(check))

    async def close(self) -> None:
        """Close every prober once."""
        for prober in dict.fromkeys(self._by_type.values()):
            await prober.close()
