"""`/understudy`: muting and reporting as people see it in Slack, and what the ops channel hears of it."""

from tests.dialogs.talk import Talk


async def test_a_mute_holds_the_alert_back_until_it_is_ended(talk: Talk) -> None:
    """The channel hears who muted; the outage is told when the mute ends, and only then."""
    ana, house = talk.house.ana, talk.house
    seen = await talk.asks(ana, "/understudy mute claude api for 1h load test")
    assert "Alerts about Claude API are held back until" in seen
    assert "Undo: /understudy unmute anthropic.api" in seen
    await house.quiet()
    [line] = talk.said("ops", "load test")
    assert "ana" in talk.shows(line)

    await house.fails("anthropic.api")
    await house.quiet()
    assert [] == talk.said("ops", "INC-")
    assert "Claude API: down" in await talk.asks(ana, "/health claude")

    assert "Alerts about Claude API are on again." == await talk.asks(ana, "/understudy unmute claude api")
    await house.quiet()
    assert "Claude API is down" in talk.alert()


async def test_a_report_is_answered_by_what_checks_see(talk: Talk) -> None:
    """Who reports learns that we see nothing yet; one report alone is no news for everybody."""
    seen = await talk.asks(talk.house.bob, "/understudy report claude api answers stop half-way <!channel>")
    assert "Our checks say: Claude API is operational" in seen
    await talk.house.quiet()

    assert [] == talk.said("ops", "answers stop half-way")


async def test_a_report_is_told_in_the_incident_that_it_is_about(outage: Talk) -> None:
    """There it helps whoever works on it, with the name of who said so."""
    seen = await outage.asks(outage.house.bob, "/understudy report claude api answers stop half-way")
    assert "INC-1 is open for it." in seen
    await outage.house.quiet()

    [line] = outage.said(outage.house.incident_channel, "answers stop half-way")
    assert "bob" in outage.shows(line)


async def test_the_bot_tells_of_itself(talk: Talk) -> None:
    """Help, planned quiet and the bot as it runs, each in under a second."""
    ana = talk.house.ana
    assert "• /understudy report COMPONENT TEXT" in await talk.asks(ana, "/understudy")
    assert "Muted: none" in await talk.asks(ana, "/understudy maintenance")
    assert "checks of 3 components" in await talk.asks(ana, "/understudy about")
    assert "Did you mean about?" in await talk.asks(ana, "/understudy abuot")
