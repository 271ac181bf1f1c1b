"""Somebody sets the wall clock while the watch runs: no verdict comes of it, and the next outage is found as soon as ever."""

from datetime import timedelta

import pytest

from bot.core.model import Level
from tests.engine.stand import BROKEN, WELL, Check, Stand

API = "anthropic.api.models"
WEB = "anthropic.web.front"
GPT = "openai.api.models"
ALL = tuple(Check(id) for id in (API, WEB, GPT))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_a_step_of_the_wall_clock_is_no_trouble(step: timedelta) -> None:
    """Nothing is committed, and the looks go on in their rhythm."""
    stand = await Stand(ALL).opened()
    seqs, looks = dict(stand.engine.world.seqs), len(stand.script.began)
    stand.clock.step_wall(step)
    await stand.passes(300)

    assert seqs == dict(stand.engine.world.seqs)
    assert 30 == len(stand.script.began) - looks
    assert not stand.engine.world.sight.blind


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_an_outage_is_found_in_time_after_a_step(step: timedelta) -> None:
    """Also one that began a moment before it."""
    for seconds_before in (0, 5, 45):
        stand = await Stand(ALL).opened()
        stand.clock.step_wall(step)
        await stand.passes(seconds_before)
        stand.script.answers = {API: BROKEN}
        failing = stand.clock.monotonic()
        while stand.level("anthropic.api") != "down":
            await stand.passes(1)
        assert 45 >= stand.clock.monotonic() - failing

    assert {Level.OPERATIONAL} == {stand.engine.world.component(id).level for id in ("anthropic.web", "openai.api")}


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_a_step_amid_an_outage_neither_ends_nor_repeats_it(step: timedelta) -> None:
    """One incident, which ends after a minute of good looks by whatever clock."""
    stand = await Stand(ALL).opened()
    stand.script.answers = {API: BROKEN}
    await stand.passes(90)
    stand.clock.step_wall(step)
    await stand.passes(90)
    assert "down" == stand.level("anthropic.api")
    stand.script.answers = {API: WELL}
    await stand.passes(200)

    assert "operational" == stand.level("anthropic.api")
    assert [1] == list(stand.engine.world.incidents)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_a_step_amid_a_doubt_makes_no_outage_of_it(step: timedelta) -> None:
    """One failed look, an hour that never was, one more failed look: two failures."""
    stand = await Stand([Check(API)]).opened()
    stand.script.answers = {API: BROKEN}
    await stand.until_look(API)
    stand.clock.step_wall(step)
    await stand.until_look(API)
    stand.script.answers = {API: WELL}
    await stand.passes(120)

    assert {} == stand.engine.world.incidents
    assert "operational" == stand.level("anthropic.api")
