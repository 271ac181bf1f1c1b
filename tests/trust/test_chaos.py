"""A few of the two hundred incidents of `make chaos`, and the proof that its own laws notice what they forbid."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.house import House, a_house
from tests.trust.chaos import Life, nothing_twice, run, shows_newest


@pytest.mark.parametrize("seed", range(3))
async def test_incident_in_a_misbehaving_slack_breaks_no_law(tmp_path: Path, seed: int) -> None:
    """`make chaos` runs the two hundred by hand."""
    found = await run(seed, tmp_path)

    assert {} == {law: sentences for law, sentences in found.items() if sentences}


async def resolved(house: House) -> Life:
    """An incident that somebody declared and resolved."""
    life = Life(house, random.Random(0))
    await house.ana.types("/incident declare Payments are slow")
    await house.quiet()
    await house.ana.types("/incident resolve INC-1 force it is over")
    await house.quiet()
    return life


async def test_ordinary_incident_breaks_no_law(tmp_path: Path) -> None:
    """Nobody keeps a rig that cries wolf."""
    async with a_house(tmp_path) as house:
        life = await resolved(house)

        assert [] == [*shows_newest(life), *nothing_twice(life)]


async def test_text_posted_twice_is_noticed(tmp_path: Path) -> None:
    """Whatever its effect key."""
    async with a_house(tmp_path) as house:
        life = await resolved(house)
        [alert] = life.talk.alerts()
        house.workspace.channel("ops").messages.append(replace(alert, ts="1.9", thread_ts=None))
        [sentence] = nothing_twice(life)

        assert sentence.startswith("#ops shows twice: '🟢 INC-1 resolved")


async def test_incident_left_open_is_noticed(tmp_path: Path) -> None:
    """At the end every incident should be resolved."""
    async with a_house(tmp_path) as house:
        life = await resolved(house)
        await house.ana.types("/incident reopen INC-1 not over")
        await house.quiet()

        assert "INC-1 is investigating at the end" in list(shows_newest(life))
