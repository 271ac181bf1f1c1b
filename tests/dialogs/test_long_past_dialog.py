"""An incident that ended weeks ago and is no longer in memory works like any other."""

from datetime import timedelta

import pytest

from bot.core.effects import UploadExport
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-payments-are-slow"


@pytest.fixture
async def later(talk: Talk) -> Talk:
    """INC-1 was resolved six weeks ago, and the bot has restarted since."""
    house = talk.house
    await talk.asks(house.ana, "/incident declare Payments are slow")
    await house.quiet()
    await talk.asks(house.ana, "/incident resolve disk replaced")
    await house.quiet()
    await house.stop()
    house.clock.advance(timedelta(weeks=6))
    app = await house.start()
    assert not app.engine.world.incidents
    return talk


@pytest.mark.parametrize(
    ("typed", "channel", "answer"),
    [
        ("show INC-1", "ops", "INC-1 resolved after 0 s · Payments are slow"),
        ("show", CHANNEL, "INC-1 resolved after 0 s · Payments are slow"),
        (f"show #{CHANNEL}", "ops", "INC-1 resolved after 0 s · Payments are slow"),
        ("timeline INC-1", "ops", "Timeline of INC-1"),
        ("list", "ops", "No incident is open. /incident list all shows those that are over."),
        ("list all", "ops", f"INC-1 · SEV2 · Payments are slow #{CHANNEL}"),
        ("note The review is done", CHANNEL, "Noted in the timeline of INC-1."),
        ("ack INC-1", "ops", "INC-1 is resolved; there is nothing to acknowledge."),
        ("show INC-2", "ops", "There is no INC-2."),
    ],
)
async def test_old_incident_is_shown_like_any_other(later: Talk, typed: str, channel: str, answer: str) -> None:
    """By its number, by its channel's name, and in its channel."""
    assert answer in await later.asks(later.house.ana, f"/incident {typed}", channel=channel)


async def test_old_incident_is_exported_as_a_file(later: Talk) -> None:
    """Into its channel, with its whole timeline."""
    await later.asks(later.house.ana, "/incident export INC-1 json")
    await later.house.done(UploadExport)
    await later.house.quiet()
    files = [file for message in later.said(CHANNEL) for file in message.files]
    assert 2 == len(files), "one as it was resolved, one now"


async def test_reopening_an_old_incident_updates_its_alert(later: Talk) -> None:
    """The message that people remember shows the current state."""
    assert "INC-1 is investigating now." in await later.asks(later.house.ana, "/incident reopen INC-1 it fills again")
    await later.house.quiet()
    assert "SEV2 · Payments are slow." in later.alert()
    assert "1 incident on record, 1 open." in await later.asks(later.house.ana, "/understudy about")
