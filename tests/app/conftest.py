"""One deployment a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.deployment import Deployment, a_deployment


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A folder, a workspace and a vendor; nothing runs yet."""
    async with a_deployment(tmp_path) as found:
        yield found
