"""`understudy flags rehearse` through the running bot, against a scripted provider over HTTP."""

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.vendor import Vendors
from bot.sandbox.vendor.load import read
from bot.system.clock import SystemClock
from tests.cli.deployment import Deployment
from tests.dialogs.test_rehearsal_dialog import SCRIPT
from tests.house import FLAG


@pytest.fixture
async def provider() -> AsyncIterator[Vendors]:
    """A fallback whose model calls no tools."""
    vendors = Vendors(read(SCRIPT.replace("WORD", "no_tools"), "fallback.yaml"), SystemClock())
    await vendors.start()
    yield vendors
    await vendors.stop()


def rehearses(deployment: Deployment, provider: Vendors) -> None:
    made = deployment.settings()
    check = {
        "type": "llm",
        "dialect": "openai",
        "url": provider.url("openai", "api"),
        "model": "gpt-5",
        "api_key": "sk-canary-1",
    }
    made["providers"]["openai"]["components"]["api"]["checks"].append(check)
    made["flags"][FLAG]["rehearse"] = {"every": "6h"}
    deployment.configure(made | {"prices": {"openai.api": {"input_per_mtok": 3.0, "output_per_mtok": 15.0}}})


async def test_rehearsal_waits_and_shows_its_result(deployment: Deployment, provider: Vendors) -> None:
    """As a table and as JSON, with how to switch to the fallback anyway."""
    rehearses(deployment, provider)
    await deployment.ready_bot()

    shown = await deployment.verb("flags", "rehearse", FLAG)
    refused = await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "slow")
    forced = await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "slow", "--force")

    assert (0, "") == (shown.status, shown.err)
    assert "its rehearsal failed: tools: it called no tool" in shown.out
    assert f"To switch anyway: understudy flags engage {FLAG} gpt --reason REASON --force" in refused.err
    assert (1, 0) == (refused.status, forced.status)


async def test_rehearsal_without_a_running_bot_is_recorded_for_the_next(deployment: Deployment, provider: Vendors) -> None:
    """The command does not wait for a result."""
    rehearses(deployment, provider)

    shown = await deployment.verb("flags", "rehearse", FLAG)

    assert 0 == shown.status
    assert "no result yet; a running bot will have one" in shown.out
