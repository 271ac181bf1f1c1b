"""Loading what a start can do without: beside the event loop, which goes on answering."""

import asyncio
import gc
import sys
from importlib import import_module


async def load_late(module: str) -> None:
    """Import a module in a thread. What is loaded stays, so no garbage collection looks through it."""
    if module not in sys.modules:
        await asyncio.to_thread(import_module, module)
        gc.freeze()
