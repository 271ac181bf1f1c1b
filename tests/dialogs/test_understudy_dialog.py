"""`/understudy`: mutes and reports as people see them in Slack, and what #ops is told about them."""

from tests.dialogs.talk import Talk


async def test_muted_outage_alerts_only_once_the_mute_is_ended(talk: Talk) -> None:
    """The channel is told who muted it."""
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


async def test_report_is_answered_with_what_checks_see(talk: Talk) -> None:
    """The reporter learns that no check sees it yet; a single report is not announced."""
    seen = await talk.asks(talk.house.bob, "/understudy report claude api answers stop half-way <!channel>")
    assert "Our checks say: Claude API is operational" in seen
    await talk.house.quiet()

    assert [] == talk.said("ops", "answers stop half-way")


async def test_report_is_posted_in_the_incident_it_concerns(outage: Talk) -> None:
    """The people who work on it see what was reported, and by whom."""
    seen = await outage.asks(outage.house.bob, "/understudy report claude api answers stop half-way")
    assert "INC-1 is open for it." in seen
    await outage.house.quiet()

    [line] = outage.said(outage.house.incident_channel, "answers stop half-way")
    assert "bob" in outage.shows(line)


async def test_understudy_answers_about_the_bot_itself(talk: Talk) -> None:
    """Help, planned maintenance and the running bot's state, each in under a second."""
    ana = talk.house.ana
    assert "• /understudy report COMPONENT TEXT" in await talk.asks(ana, "/understudy")
    assert "Muted: none" in await talk.asks(ana, "/understudy maintenance")
    assert "checks of 3 components" in await talk.asks(ana, "/understudy about")
    assert "Did you mean about?" in await talk.asks(ana, "/understudy abuot")
