"""Whether a model's answer is what the check expects."""

import asyncio

from bot.checks.judging.exceptions import Failure
from bot.checks.judging.expect import pattern
from bot.checks.llm.transcript import Transcript

PATTERN_S = 0.1


async def wrong(expected: str | None, told: Transcript) -> Failure | None:
    """Why the answer is not the expected one, if so. A refusal is an answer; so is an empty one if it had too little room."""
    if not expected or told.refused or not told.text.strip():
        return None
    if not (len(expected) > 2 and expected.startswith("/") and expected.endswith("/")):
        return None if expected.lower() in told.text.lower() else Failure("wrong_answer")
    compiled = pattern(expected[1:-1])
    try:
        # In a thread, since a pattern may be slow; `concurrent` lets the loop run meanwhile.
        found = await asyncio.to_thread(lambda: compiled.search(told.text, timeout=PATTERN_S, concurrent=True))
    except TimeoutError:
        return Failure("pattern_timeout")
    return None if found else Failure("wrong_answer")
