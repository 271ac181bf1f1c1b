"""Slack goes down during an incident: flags still switch, and one update afterwards says what was not delivered."""

from bot.core.effects import PostCard
from tests.house import FLAG, House


async def test_one_update_sums_up_those_missed_while_slack_was_down(house: House) -> None:
    """Three hourly updates are due in that time: the newest is posted once Slack is back, and counts the others."""
    await house.fails("anthropic.api")
    await house.done(PostCard)
    await house.quiet()
    await house.workspace.faults.offline()
    await house.passes(minutes=185)
    await house.recovers("anthropic.api")
    await house.workspace.faults.online()
    await house.quiet()

    texts = [house.workspace.shows(m) for m in house.workspace.messages(house.incident_channel)]
    updates = [text for text in texts if text.startswith("Update ")]
    assert 1 == len(updates)
    assert updates[0].startswith("Update 3")
    assert "2 updates before this one were missed" in updates[0]
    assert house.app is not None
    assert "gpt" == house.app.board.evaluate(FLAG, {"targetingKey": "t"}).variant  # type: ignore[union-attr] # the flag exists
