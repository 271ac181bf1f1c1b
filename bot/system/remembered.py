"""Reads back JSON stored as a setting, without trusting it: somebody may have edited it by hand."""

import json
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def read_back(text: str | None, setting: str) -> Any:
    """The value; None if there is none, or it cannot be read."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        log.warning("a setting in the ledger cannot be read and is forgotten", setting=setting, why=str(error))
        return None
