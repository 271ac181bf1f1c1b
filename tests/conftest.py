"""Fixtures that many folders share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import House, a_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running deployment in which everything is well."""
    async with a_house(tmp_path) as found:
        yield found
