"""Fixtures that many folders share."""

import gc
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from bot.sandbox.postgres import MISSING, PostgresServer, a_server, programs
from tests.house import House, a_house

# A busy machine makes an example slow, and no test is about time.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For `make mutants`: the same examples for each mutant, and no time spent on the smallest one that fails.
settings.register_profile("mutants", settings.get_profile("house"), derandomize=True, phases=(Phase.explicit, Phase.generate))
settings.load_profile("house")


def pytest_collection_finish() -> None:
    """Keep the ten thousand collected tests out of garbage collection, which would pause a test for half a second."""
    gc.freeze()


@pytest.fixture
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A running deployment in which everything is well.

    Its parameter says how Slack reaches it: by default through a socket.
    """
    async with a_house(tmp_path, slack={"mode": getattr(request, "param", "socket")}) as found:
        yield found


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for all tests of this worker, each with a database of its own. Tests that stop a server create their own."""
    if programs() is None:
        pytest.skip(MISSING)
    with a_server() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> str:
    """The URL of an empty database."""
    name = f"test_{uuid.uuid4().hex}"
    postgres_server.run("createdb", "--maintenance-db", postgres_server.url(), name)
    return postgres_server.url(name)
