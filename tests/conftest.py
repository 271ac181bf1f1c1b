"""Fixtures that many folders share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.house import House, a_house

# A busy machine makes an example slow, and no test is about time.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running deployment in which everything is well."""
    async with a_house(tmp_path) as found:
        yield found
