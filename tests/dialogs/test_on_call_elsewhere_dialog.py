"""Paging the person that a calendar or another service has on call, over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.dialogs.talk import Talk
from tests.house import House, a_house

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//rota//EN
BEGIN:VEVENT
UID:shift-1@example.com
DTSTAMP:20260101T000000Z
DTSTART:20260319T090000Z
DTEND:20260320T120600Z
SUMMARY:On call
ATTENDEE:mailto:ana@example.com
END:VEVENT
BEGIN:VEVENT
UID:shift-2@example.com
DTSTAMP:20260101T000000Z
DTSTART:20260320T120600Z
DTEND:20260327T090000Z
SUMMARY:On call: Bob Meyer
END:VEVENT
END:VCALENDAR
"""
STEPS = [{"after": "0s", "mention": ["primary"]}, {"after": "5m", "mention": ["primary"], "dm": ["primary"]}]


@dataclass
class Elsewhere:
    """The server that has the rota."""

    body: str = CALENDAR.replace("\n", "\r\n")
    status: int = 200
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(status=self.status, text=self.body)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """The rota's server is up."""
    made, app = Elsewhere(), web.Application()
    app.router.add_get("/{tail:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that has not started."""
    async with a_house(tmp_path, started=False) as house:
        yield house


async def runs(house: House, source: dict[str, Any]) -> Talk:
    """Start the deployment and let the Claude API fail; nobody acknowledges."""
    house.changes |= {"people": {"on_call": {"primary": source}}, "paging": {"SEV2": STEPS}}
    await house.start()
    await house.passes(minutes=1)
    await house.fails("anthropic.api")
    await house.quiet()
    return Talk(house)


def calendar(house: House, elsewhere: Elsewhere) -> dict[str, Any]:
    users = {"ana@example.com": house.ana.id, "Bob Meyer": house.bob.id}
    return {"ical": f"{elsewhere.url}/secret-1/oncall.ics", "users": users}


async def test_calendar_decides_who_is_paged_at_each_step(house: House, elsewhere: Elsewhere) -> None:
    """Ana's shift ends while nobody answers; the second step pages Bob."""
    talk = await runs(house, calendar(house, elsewhere))
    first = talk.alert()
    await house.passes(minutes=4.5)
    await house.quiet()

    assert "Nobody has acknowledged this. @ana" in first
    assert "@bob" in "\n".join(talk.pushed())
    assert "/secret-1/oncall.ics" in elsewhere.asked


async def test_unreachable_calendar_is_used_from_memory_and_reported(house: House, elsewhere: Elsewhere) -> None:
    """The next days' shifts are known; #ops reads how old they are, without the calendar's address."""
    talk = await runs(house, calendar(house, elsewhere))
    elsewhere.status = 503
    await house.passes(minutes=4.5)
    await house.quiet()
    [said] = talk.said("ops", "page 2 went out, but: primary as read at 2026-03-20 12:")
    everything = "\n".join(talk.shows(message) for message in talk.said("ops"))

    assert "@bob" in "\n".join(talk.pushed())
    assert "UTC: HTTP 503" in talk.shows(said)
    assert "secret-1" not in everything
    assert house.app is not None
    assert "Who is on call as primary cannot be read: HTTP 503." in house.app.trouble()


async def test_pagerduty_schedule_decides_who_is_mentioned(house: House, elsewhere: Elsewhere) -> None:
    """People are matched by the email address that they have there."""
    elsewhere.body = '{"oncalls": [{"user": {"id": "P1", "email": "bob@example.com"}, "start": null, "end": null}]}'
    schedule = {"schedule": "PABC123", "token": "pd-token-1", "api_url": elsewhere.url}
    talk = await runs(house, {"pagerduty": schedule, "users": {"bob@example.com": house.bob.id}})

    assert "Nobody has acknowledged this. @bob" in talk.alert()


async def test_jira_schedule_decides_who_is_mentioned(house: House, elsewhere: Elsewhere) -> None:
    """People are matched by their Atlassian account id."""
    elsewhere.body = '{"onCallUsers": ["5b2b0e01"]}'
    jsm = {"cloud": "c1", "schedule": "s1", "email": "bot@example.com", "token": "jira-token-1", "api_url": elsewhere.url}
    talk = await runs(house, {"jsm": jsm, "users": {"5b2b0e01": house.ana.id}})

    assert "Nobody has acknowledged this. @ana" in talk.alert()


async def test_on_call_person_unknown_to_slack_is_named_in_ops(house: House, elsewhere: Elsewhere) -> None:
    """The next step does not wait, and the report says what to add where."""
    elsewhere.body = '{"onCallUsers": ["70121:x"]}'
    jsm = {"cloud": "c1", "schedule": "s1", "email": "bot@example.com", "token": "jira-token-1", "api_url": elsewhere.url}
    talk = await runs(house, {"jsm": jsm, "users": {"5b2b0e01": house.ana.id}})
    await house.passes(minutes=0.5)
    await house.quiet()

    assert talk.said("ops", "page 1 reached nobody (primary: on call is 70121:x, of whom ˋusersˋ knows nothing)")
