"""A few of the two hundred lives of `make chaos`, and the proof that their own laws see what they forbid."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.house import House, a_house
from tests.trust.chaos import Life, newest_stands, nothing_twice, run


@pytest.mark.parametrize("seed", range(3))
async def test_a_life_in_a_slack_that_misbehaves_breaks_no_law(tmp_path: Path, seed: int) -> None:
    """The two hundred are run by hand."""
    found = await run(seed, tmp_path)

    assert {} == {law: sentences for law, sentences in found.items() if sentences}


async def ended(house: House) -> Life:
    """An incident that somebody declared and resolved, told once and well."""
    life = Life(house, random.Random(0))
    await house.ana.types("/incident declare Payments are slow")
    await house.quiet()
    await house.ana.types("/incident resolve INC-1 force it is over")
    await house.quiet()
    return life


async def test_what_ended_and_was_said_once_breaks_no_law(tmp_path: Path) -> None:
    """A rig that cries wolf is switched off."""
    async with a_house(tmp_path) as house:
        life = await ended(house)

        assert [] == [*newest_stands(life), *nothing_twice(life)]


async def test_a_second_reading_of_the_same_is_seen(tmp_path: Path) -> None:
    """Whatever its key was."""
    async with a_house(tmp_path) as house:
        life = await ended(house)
        [alert] = life.talk.alerts()
        house.workspace.channel("ops").messages.append(replace(alert, ts="1.9", thread_ts=None))
        [sentence] = nothing_twice(life)

        assert sentence.startswith("#ops reads twice: '🟢 INC-1 resolved")


async def test_what_is_still_open_is_seen(tmp_path: Path) -> None:
    """It, its alert and its card."""
    async with a_house(tmp_path) as house:
        life = await ended(house)
        await house.ana.types("/incident reopen INC-1 not over")
        await house.quiet()

        assert "INC-1 is investigating at the end" in list(newest_stands(life))
