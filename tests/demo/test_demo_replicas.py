"""The demo with three replicas, as people start it: the leading one is killed in mid-outage, and nobody notices."""

import re
from pathlib import Path

import pytest

from bot.sandbox.postgres import MISSING, programs
from tests.demo.test_demo_story import play

pytestmark = pytest.mark.skipif(programs() is None, reason=f"NO REPLICAS: {MISSING}")


@pytest.mark.timeout(300)
def test_demo_shows_that_the_leading_replica_may_die(tmp_path: Path) -> None:
    """Everything that one replica shows, and that another took over within seconds, that nothing is twice or missing."""
    status, out, claims = play(tmp_path, "--replicas", "3")

    assert (0, set()) == (status, {words for words, held in claims.items() if not held}), out
    [(leader, successor, took)] = re.findall(
        r"The leading replica, (demo-\d), was killed\n(?:.*\n)*?.*(demo-\d) took over after ([\d.]+) s", out
    )
    assert leader != successor
    assert float(took) < 5.0
    assert f"{leader} was started again" in out
    assert any("nothing was said twice in Slack and nothing is missing" in claim for claim in claims)
    assert any("customers were served while no replica led" in claim for claim in claims)
