"""Who is on call by a calendar: recurrences, exceptions, time zones, and unreadable calendars."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import ThreadResolver, machine_look_up
from bot.checks.net.transport import Transport
from bot.checks.net.trust_store import tls_context
from bot.on_call.ical import Calendar, read
from bot.on_call.shifts import SourceError, on_duty
from bot.on_call.web import Asker

USERS = {"ana@example.com": "U0ANA", "Ben": "U0BEN", "ben@example.com": "U0BEN"}
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


def calendar(*events: str, head: str = "") -> bytes:
    """A calendar file with these events, each a list of lines separated by `;`."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//rota//EN", *([head] if head else [])]
    for number, event in enumerate(events):
        lines += [
            "BEGIN:VEVENT",
            f"UID:shift-{number}@example.com",
            "DTSTAMP:20260101T000000Z",
            *event.split("|"),
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


WEEKS = (
    "DTSTART;TZID=Europe/Berlin:20260302T090000|DTEND;TZID=Europe/Berlin:20260309T090000|RRULE:FREQ=WEEKLY;INTERVAL=2"
    "|SUMMARY:On call|ATTENDEE;CN=Ana Silva:mailto:ana@example.com",
    "DTSTART;TZID=Europe/Berlin:20260309T090000|DTEND;TZID=Europe/Berlin:20260316T090000|RRULE:FREQ=WEEKLY;INTERVAL=2"
    "|SUMMARY:On call: Ben",
)


def on_call(body: bytes, at: datetime, read_at: datetime | None = None) -> tuple[str, ...]:
    return on_duty(read(body, USERS, read_at or at), at)


@pytest.mark.parametrize(
    ("at", "person"),
    [
        (NOW, "U0ANA"),
        (datetime(2026, 3, 23, 7, 59, tzinfo=UTC), "U0ANA"),
        (datetime(2026, 3, 23, 8, 0, tzinfo=UTC), "U0BEN"),
        (datetime(2026, 3, 30, 7, 0, tzinfo=UTC), "U0ANA"),  # summer time began the day before: nine in Berlin is 07:00 UTC
    ],
)
def test_recurring_shifts_follow_local_time(at: datetime, person: str) -> None:
    """Also over the change to summer time; people are matched by the attendee's address or by a word of the title."""
    assert (person,) == on_call(calendar(*WEEKS), at)


def test_shifts_are_known_two_weeks_ahead() -> None:
    """If the calendar is unreachable over the weekend, last week's person must not stay on call."""
    assert ("U0BEN",) == on_call(calendar(*WEEKS), datetime(2026, 3, 25, tzinfo=UTC), read_at=NOW)


def test_exception_in_a_series_counts() -> None:
    """Ana swaps one week with Ben."""
    swap = (
        "RECURRENCE-ID;TZID=Europe/Berlin:20260316T090000|DTSTART;TZID=Europe/Berlin:20260316T090000"
        "|DTEND;TZID=Europe/Berlin:20260323T090000|SUMMARY:On call: Ben"
    )
    body = calendar(WEEKS[0], swap).replace(b"shift-1", b"shift-0")

    assert ("U0BEN",) == on_call(body, NOW)
    assert ("U0ANA",) == on_call(body, NOW + timedelta(weeks=2))


def test_simultaneous_shifts_give_several_people() -> None:
    """A primary and a secondary in one calendar."""
    both = "DTSTART:20260320T000000Z|DTEND:20260321T000000Z|SUMMARY:ben@example.com"

    assert {"U0ANA", "U0BEN"} == set(on_call(calendar(WEEKS[0], both), NOW))


def test_whole_day_shifts_follow_the_calendars_zone() -> None:
    """The day in Auckland begins thirteen hours before the day in London."""
    body = calendar("DTSTART;VALUE=DATE:20260321|DTEND;VALUE=DATE:20260322|SUMMARY:Ben", head="X-WR-TIMEZONE:Pacific/Auckland")

    assert ("U0BEN",) == on_call(body, datetime(2026, 3, 20, 11, 0, tzinfo=UTC))
    assert () == on_call(body, datetime(2026, 3, 20, 10, 59, tzinfo=UTC))


def test_whole_day_shift_west_of_london_lasts_until_local_midnight() -> None:
    """The evening in California is already the next day in London."""
    head = "X-WR-TIMEZONE:America/Los_Angeles"
    body = calendar("DTSTART;VALUE=DATE:20260320|DTEND;VALUE=DATE:20260321|SUMMARY:Ben", head=head)

    assert ("U0BEN",) == on_call(body, datetime(2026, 3, 21, 6, 59, tzinfo=UTC))
    assert () == on_call(body, datetime(2026, 3, 21, 7, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    "head",
    [
        "X-WR-TIMEZONE:W. Europe Standard Time",
        "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
        "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE",
    ],
    ids=["of the calendar", "of its events"],
)
def test_windows_time_zone_names_are_known(head: str) -> None:
    """Outlook and Exchange use them."""
    body = calendar("DTSTART;VALUE=DATE:20260321|DTEND;VALUE=DATE:20260322|SUMMARY:Ben", head=head)

    assert ("U0BEN",) == on_call(body, datetime(2026, 3, 20, 23, 0, tzinfo=UTC))
    assert () == on_call(body, datetime(2026, 3, 20, 22, 59, tzinfo=UTC))


def test_unknown_calendar_zone_does_not_make_it_unreadable() -> None:
    """Its times have zones of their own, or offsets."""
    body = calendar("DTSTART:20260320T090000Z|DTEND:20260320T170000Z|SUMMARY:Ben", head="X-WR-TIMEZONE:Middle Earth")

    assert ("U0BEN",) == on_call(body, NOW)


@pytest.mark.parametrize(
    "event",
    [
        "DTSTART:20260320T000000Z|DTEND:20260321T000000Z|SUMMARY:Ben|STATUS:CANCELLED",
        "DTSTART:20260320T000000Z|DTEND:20260321T000000Z|SUMMARY:duty|ATTENDEE;PARTSTAT=DECLINED:mailto:ben@example.com",
        "DTSTART:20260320T000000Z|DTEND:20260321T000000Z|SUMMARY:Benjamin's birthday",
        "DTSTART:20260320T000000Z|DTEND:20260321T000000Z|SUMMARY:notben@example.com",
    ],
)
def test_canceled_declined_and_unrelated_events_put_nobody_on_call(event: str) -> None:
    """A title that only contains a name inside a word does not count either."""
    assert () == on_call(calendar(event), NOW)


def test_unmatched_attendee_is_named() -> None:
    """The person who sets it up sees who is missing under `users`."""
    [shift] = read(calendar("DTSTART:20260320T000000Z|DTEND:20260321T000000Z|ATTENDEE:mailto:Eve@example.com"), USERS, NOW)

    assert ((), ("eve@example.com",)) == (shift.people, shift.unknown)


@pytest.mark.parametrize(
    "end", ["DTEND:99991231T235959Z", "DTEND;TZID=Europe/Berlin:99991231T235959", "DTEND;VALUE=DATE:99991231"]
)
def test_end_in_the_year_9999_means_no_end(end: str) -> None:
    """Some calendars write it so; the other shifts are still read."""
    start = "DTSTART;VALUE=DATE:20260101" if "VALUE=DATE" in end else "DTSTART:20260101T000000Z"
    body = calendar(f"{start}|{end}|SUMMARY:Ben", *WEEKS[:1])

    assert {"U0ANA", "U0BEN"} == set(on_call(body, datetime(2026, 3, 20, 12, 0, tzinfo=UTC)))


@pytest.mark.parametrize("body", [b"", b"<html>Please log in</html>", b"\xff\xfe\x00"])
def test_answer_that_is_no_calendar_is_an_error(body: bytes) -> None:
    """Such as a login page."""
    with pytest.raises(SourceError, match="not a readable calendar"):
        read(body, USERS, NOW)


def test_calendar_with_too_many_shifts_is_refused() -> None:
    """A rule that repeats every second has a million shifts in two weeks."""
    with pytest.raises(SourceError, match="as no rota does"):
        read(calendar("DTSTART:20200301T090000Z|DTEND:20200301T090001Z|RRULE:FREQ=SECONDLY|SUMMARY:Ben"), USERS, NOW)


# --- over HTTP


class Desk:
    """A server of calendars that counts what it sent."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[str] = []
        self.body = calendar(*WEEKS)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("If-None-Match", ""))
        if request.path == "/moved":
            raise web.HTTPFound("/secret/cal.ics")
        if self.status != 200:
            return web.Response(status=self.status)
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.Response(body=self.body, headers={"ETag": '"v1"', "Content-Type": "text/calendar"})


@pytest.fixture
async def desk() -> AsyncIterator[tuple[Desk, str]]:
    """The server and its address."""
    desk, app = Desk(), web.Application()
    app.router.add_get("/{tail:.*}", desk.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield desk, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    """Fetches through the guarded transport, with loopback allowed."""
    resolver = ThreadResolver(machine_look_up)
    made = Transport(ssl_context=tls_context(), resolver=resolver, guard=Guard(["127.0.0.0/8"]), version="test")
    asker = Asker(made, version="test")
    yield asker
    await asker.close()
    resolver.close()


async def test_unchanged_calendar_is_not_sent_again(desk: tuple[Desk, str], asker: Asker) -> None:
    """The request carries its ETag, and the shifts are recomputed for the new moment."""
    source = Calendar(asker, f"{desk[1]}/cal.ics", USERS)
    first = await source.shifts(NOW)
    second = await source.shifts(NOW + timedelta(weeks=1))

    assert ["", '"v1"'] == desk[0].asked
    assert ("U0ANA",) == on_duty(first, NOW)
    assert ("U0BEN",) == on_duty(second, NOW + timedelta(weeks=1))


async def test_calendar_redirects_are_followed(desk: tuple[Desk, str], asker: Asker) -> None:
    """Through the same guard."""
    assert ("U0ANA",) == on_duty(await Calendar(asker, f"{desk[1]}/moved", USERS).shifts(NOW), NOW)


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "HTTP 500"), (403, "HTTP 403: is the token right"), (404, "HTTP 404: is there such a schedule or calendar?")],
)
async def test_refused_calendar_gives_the_reason_without_its_address(
    desk: tuple[Desk, str], asker: Asker, status: int, words: str
) -> None:
    """The address is a secret."""
    desk[0].status = status
    with pytest.raises(SourceError) as caught:
        await Calendar(asker, f"{desk[1]}/secret/cal.ics", USERS).shifts(NOW)

    assert str(caught.value).startswith(words)
    assert "secret" not in str(caught.value)


async def test_internal_calendar_address_is_refused_unless_allowed(desk: tuple[Desk, str]) -> None:
    """Somebody else may have written the address."""
    resolver = ThreadResolver(machine_look_up)
    asker = Asker(Transport(ssl_context=tls_context(), resolver=resolver, guard=Guard([]), version="test"), version="test")
    with pytest.raises(SourceError):
        await Calendar(asker, f"{desk[1]}/cal.ics", USERS).shifts(NOW)
    await asker.close()
    resolver.close()

    assert [] == desk[0].asked


async def test_endless_calendar_is_cut_off(desk: tuple[Desk, str], asker: Asker) -> None:
    """Two mebibytes are enough for any rota."""
    desk[0].body = b"x" * (2 * 1024 * 1024 + 1)
    with pytest.raises(SourceError, match="larger than 2 MiB"):
        await Calendar(asker, f"{desk[1]}/cal.ics", USERS).shifts(NOW)
