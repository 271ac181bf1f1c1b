"""The four-hours scenario at the speed of life, in virtual time: how long after its first failing moment somebody knows."""

import asyncio
from pathlib import Path
from statistics import median

import pytest

from bot.demo.settings import YOU, write_settings
from bot.sandbox.slack import LocalWorkspace
from bot.sandbox.vendor import Scenario, Vendors
from bot.sandbox.vendor.load import read
from bot.system.clock import SystemClock
from tests.engine.script import detected_after_s, looks_of

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "understudy.yaml"
PROMISED_S = 30.0
STARTS = 30  # seconds of a minute at which the outage begins; each also draws other answers (errors, or hanging)
STEADY_S = 300.0  # of health before


@pytest.fixture(scope="module")
def demo_settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's own understudy.yaml, as it is written for a run."""
    path = tmp_path_factory.mktemp("demo") / "understudy.yaml"

    async def write() -> None:
        vendors = Vendors(Scenario.load("four-hours"), SystemClock())
        async with LocalWorkspace() as workspace:
            workspace.add_user(YOU)
            await vendors.start()
            write_settings(path, workspace, vendors, "127.0.0.1:0", "auto")
            await vendors.stop()

    asyncio.run(write())
    return path


def delays(config: Path) -> list[float]:
    scenario = Scenario.load("four-hours")
    return [detected_after_s(config, scenario, begins_s=STEADY_S + n * 60 / STARTS, seed=n) for n in range(STARTS)]


def test_the_four_hours_are_found_within_half_a_minute(demo_settings: Path) -> None:
    """With the demo's settings at the speed of life, whenever they begin and however many answers hang: never later."""
    found = delays(demo_settings)

    assert [] == [delay for delay in found if delay > PROMISED_S]
    assert 22.0 >= median(found)


def test_the_four_hours_are_found_soon_with_few_checks() -> None:
    """The example looks at Claude with three checks, two of them once a minute: half a minute for nearly every start."""
    found = delays(EXAMPLE)

    assert 2 >= sum(delay > PROMISED_S for delay in found)
    assert 25.0 >= median(found)
    assert 40.0 >= max(found)


NOISY = """
name: noisy
title: One answer in a hundred fails
minutes: 6000
providers:
  anthropic:
    name: Claude
    dialect: anthropic
    components: {api: Claude API, web: claude.ai}
events:
  - {at: 0, component: [anthropic.api, anthropic.web], answer: [502, hang], rate: 0.01}
"""


def test_noise_costs_few_looks_and_no_incident() -> None:
    """Quick looks, and the others that a doubt calls: a quarter more than the schedule at the very most, and nobody is told."""
    hours = 24.0
    counts, incidents = looks_of(EXAMPLE, read(NOISY, "noisy"), hours=hours)
    looks = counts["anthropic.api"] + counts["anthropic.web"]
    scheduled = hours * (120 + 60 + 60)

    assert 0 == incidents
    assert scheduled < looks < scheduled * 5 / 4
