"""/api/v1, the timeline: entries are corrected and hidden by their number, and reminders snoozed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from web_house import CONTROL, House, headers

from bot.core import signals as s
from bot.core.model import Actor
from bot.core.record.incident_facts import NoteAdded
from bot.core.signals.entries import CorrectEntry, HideEntry

INCIDENT = "/api/v1/incidents/1"
ANA = Actor.operator("ana")


async def post(http: aiohttp.ClientSession, house: House, verb: str, body: Any, key: str = "k-1") -> tuple[int, Any]:
    more = {"X_Understudy_Actor": "ana", "Idempotency_Key": key}
    answer = await http.post(f"{house.url}{INCIDENT}/{verb}", json=body, headers=headers(CONTROL, **more))
    return answer.status, await answer.json()


@pytest.fixture
async def noted(house: House) -> int:
    """INC-1 with a note; its entry."""
    await house.engine.handle(s.Declare(actor=ANA, title="Chat is slow"))
    await house.engine.handle(s.Acknowledge(actor=ANA, incident=1))
    await house.engine.handle(s.AddNote(actor=ANA, incident=1, text="support was told"))
    house.engine.signals.clear()
    return next(fact.seq for fact in house.engine.facts if isinstance(fact.body, NoteAdded))


async def test_note_is_corrected_by_its_number(house: House, http: aiohttp.ClientSession, noted: int) -> None:
    """Its text, its time, or both."""
    status, found = await post(http, house, "correct", {"entry": noted, "text": "at noon", "at": "2026-03-20T10:00Z"})

    at = datetime(2026, 3, 20, 10, tzinfo=UTC)
    assert [
        CorrectEntry(ANA, f"api/k-1 POST {INCIDENT}/correct", incident=1, entry=noted, text="at noon", happened_at=at)
    ] == house.engine.signals
    assert (200, "entry_corrected") == (status, found["kind"])


@pytest.mark.parametrize("back", [False, True])
async def test_note_is_hidden_and_shown(back: bool, house: House, http: aiohttp.ClientSession, noted: int) -> None:
    """A hidden note stays on record."""
    await post(http, house, "hide", {"entry": noted, "back": back})

    assert [HideEntry(ANA, f"api/k-1 POST {INCIDENT}/hide", incident=1, entry=noted, back=back)] == house.engine.signals


@pytest.mark.parametrize(
    ("verb", "body", "status", "words"),
    [
        ("correct", {"entry": 1, "text": "no"}, 409, "The timeline of INC-1 has no such entry."),
        ("hide", {"entry": 999}, 409, "The timeline of INC-1 has no such entry."),
        ("correct", {"entry": 1}, 400, "Neither text nor at is given."),
        ("hide", {}, 400, "entry is missing."),
        ("hide", {"entry": True}, 400, "entry is not a whole number."),
        ("snooze", {"for": "30s"}, 409, "A snooze lasts from 1 min to 24 h."),
    ],
)
async def test_invalid_entry_request_is_refused(
    verb: str, body: Any, status: int, words: str, house: House, http: aiohttp.ClientSession, noted: int
) -> None:
    """The status code is for programs; a number that is no editable entry sends no signal."""
    got, found = await post(http, house, verb, body)

    assert status == got
    assert words in str(found)


@pytest.mark.parametrize(
    ("body", "lasts"),
    [({"for": "45m"}, timedelta(minutes=45)), ({}, timedelta(minutes=30)), ({"for": "never"}, None)],
)
async def test_reminders_are_snoozed(
    body: Any, lasts: timedelta | None, house: House, http: aiohttp.ClientSession, noted: int
) -> None:
    """For the given time, for half an hour by default, or without end; `off` turns them on again."""
    status, found = await post(http, house, "snooze", body)
    again, _ = await post(http, house, "snooze", {"for": "off"}, key="k-2")

    snoozed = s.SnoozeReminders(ANA, f"api/k-1 POST {INCIDENT}/snooze", incident=1, lasts=lasts)
    assert [snoozed, s.ResumeReminders(ANA, f"api/k-2 POST {INCIDENT}/snooze", incident=1)] == house.engine.signals
    assert (200, "reminders_snoozed", 200) == (status, found["kind"], again)
