"""What has ever answered, kept in the ledger: after a restart during an outage, nothing answers to prove it again."""

import json
from contextlib import suppress
from dataclasses import asdict

import structlog

from bot.core.detection.blindness import ProvenAnswers
from bot.ports import Ledger, StoreError

log = structlog.get_logger(__name__)

SETTING = "ways.proven"


class ProvenWays:
    """Reads this at start and writes it when it grows, which happens once per control and deployment."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._written = ProvenAnswers()

    async def recall(self) -> ProvenAnswers:
        """What was proven before; nothing if that cannot be read."""
        text = await self._ledger.read(lambda store: store.setting(SETTING))
        try:
            found = json.loads(text or "{}")
            controls = frozenset(map(str, found.get("controls", ())))
            self._written = ProvenAnswers(
                bool(found.get("provider")), controls, bool(found.get("inside")), bool(found.get("outside"))
            )
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("which controls ever answered could not be restored", why=str(error))
        return self._written

    async def keep(self, proven: ProvenAnswers) -> None:
        """Write it if it changed."""
        if proven is self._written or proven == self._written:
            return
        text = json.dumps({**asdict(proven), "controls": sorted(proven.controls)})
        with suppress(StoreError):  # whoever monitors the ledger reports it; retried at the next tick
            await self._ledger.write(lambda store: store.put_setting(SETTING, text))
            self._written = proven
