"""The words of a page, and of the messages about a page that did not get through."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import Severity
from bot.core.paging import PageStep, PagingPolicy
from bot.core.record.incident_facts import Acknowledged
from bot.core.record.paging_facts import PageLost, PageOutcome
from bot.views.incident import paging
from bot.views.incident.alert import alert
from tests.stories import ANA, Story, outage_story

STEPS = PagingPolicy({Severity.SEV2: (PageStep(timedelta(0), mention=("primary",)),)})


def story() -> Story:
    opened = outage_story(until=4)
    opened.policy = replace(opened.policy, paging=STEPS)
    return opened


@pytest.mark.parametrize(("id", "mark"), [("U0ANA", "<@U0ANA>"), ("S0ONCALL", "<!subteam^S0ONCALL>"), ("here", "<!here>")])
def test_mention_is_written_so_that_slack_notifies(id: str, mark: str) -> None:
    """For a person, a group, and everybody who is here."""
    assert mark == paging.mention(id)


def test_page_says_what_is_down_and_how_long_nobody_responded() -> None:
    """One line and a button; the phone's notification says the same without markup."""
    opened = story()
    message = paging.reply(opened.incident(), ("S0ONCALL",), opened.now + timedelta(minutes=5))

    assert "INC-7 SEV2: Claude API down. Nobody has acknowledged it for 6 min." == message.text
    assert "*INC-7 SEV2: Claude API down.* Nobody has acknowledged it for 6 min. <!subteam^S0ONCALL>" in str(message.blocks)
    assert "incident.ack" in str(message.blocks)


def test_page_in_the_first_minute_gives_no_seconds() -> None:
    """A higher severity may page at once."""
    opened = story()
    message = paging.reply(opened.incident(), ("S0ONCALL",), opened.incident().declared_at + timedelta(seconds=59))

    assert "INC-7 SEV2: Claude API down. Nobody has acknowledged it yet." == message.text


def test_hostile_title_in_a_page_mentions_nobody() -> None:
    """Foreign words stay words."""
    opened = story()
    bad = replace(opened.incident(), title="<!channel> <@U0BOSS>")
    said = str([paging.reply(bad, ("U0ANA",), opened.now), paging.direct(bad, opened.now), paging.notice(bad, opened.now)])

    assert "<!channel>" not in said.replace("'INC-7 SEV2: <!channel> <@U0BOSS>'", "")  # a pager's plain text may have it


def test_alert_drops_the_request_once_somebody_acknowledged() -> None:
    """The mention goes as well."""
    opened = story()
    before = str(alert(opened.scene(), called=("S0ONCALL",)).blocks)
    opened.add("incident/7", Acknowledged(), ANA)
    after = str(alert(opened.scene(), called=("S0ONCALL",)).blocks)

    assert "*Nobody has acknowledged this.* <!subteam^S0ONCALL>" in before
    assert "S0ONCALL" not in after


def test_alert_without_paging_still_asks_for_somebody() -> None:
    """It mentions nobody, but readers see that nobody works on it."""
    assert "*Nobody has acknowledged this.*" == paging.unacknowledged(outage_story(until=4).scene())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            PageOutcome(Severity.SEV2, 2, "mention", ("U0ANA",), "calendar as read at 12:00 UTC: HTTP 503"),
            "page 2 went out, but: calendar as read at 12:00 UTC: HTTP 503.",
        ),
        (
            PageOutcome(Severity.SEV2, 2, "dm/U0ANA", (), "account_inactive"),
            "page 2 was not sent by direct message: account_inactive.",
        ),
        (
            PageLost(Severity.SEV2, 2, last=False, reason="nobody is on call"),
            "page 2 reached *nobody* (nobody is on call). The next step starts at once.",
        ),
        (
            PageLost(Severity.SEV2, 2, last=True, reason="nobody is on call"),
            "There is no further step: *somebody must act now*.",
        ),
    ],
)
def test_failed_page_is_reported_plainly(body: PageOutcome | PageLost, said: str) -> None:
    """People in #ops learn what to do."""
    assert said in paging.failed(story().incident(), body)
