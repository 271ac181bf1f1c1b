"""Loads what a start can do without, beside the event loop, which keeps answering."""

import asyncio
import gc
import sys
from importlib import import_module


async def load_late(module: str) -> None:
    """Import a module in a thread, without garbage collections, since what is loaded is permanent."""
    if module not in sys.modules:
        await asyncio.to_thread(import_module, module)
        gc.freeze()
