"""Who is on call: names, groups, rotas, and what is known while a source is unreachable."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.on_call.directory import Directory, UserGroup
from bot.on_call.shifts import Rota, Shift, SourceError
from bot.ports import ChatError, GroupGone, Ledger, OnDuty
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


class Source:
    """A source whose shifts or error the test sets."""

    def __init__(self, *people: str) -> None:
        self.says: tuple[str, ...] = people
        self.fails = ""
        self.asked = 0

    async def shifts(self, now: datetime) -> Sequence[Shift]:
        self.asked += 1
        if self.fails:
            raise SourceError(self.fails)
        return (Shift(self.says, now - timedelta(hours=1), now + timedelta(hours=5)),)


class Groups:
    """Slack's user groups."""

    def __init__(self) -> None:
        self.members = {"S0ONCALL": ["U0ANA", "U0BEN"], "S0EMPTY": []}
        self.away = False

    async def of(self, group: str) -> list[str]:
        if self.away:
            raise ChatError("Slack cannot be reached", code="connection", permanent=False)
        if group not in self.members:
            raise GroupGone("there is no such user group", code="no_such_subteam", permanent=True)
        return self.members[group]


class House:
    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.groups = Groups()
        self.source = Source("U0ANA")
        self.left: set[str] = set()
        self.ledger: Ledger = InlineLedger.open()
        self.directory = self.made()

    def made(self) -> Directory:
        sources = {"primary": UserGroup("S0ONCALL", self.groups.of), "calendar": self.source}
        return Directory(sources, self.groups.of, self.ledger, self.clock, self.has_left)

    async def has_left(self, user: str) -> bool:
        return user in self.left


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A group, and a source that can fail."""
    house = House()
    yield house
    await house.directory.close()


async def test_group_resolves_to_its_mention_and_its_members(house: House) -> None:
    """Messages need the mention, and direct messages need the members."""
    assert OnDuty(("U0ANA", "U0BEN"), "S0ONCALL") == await house.directory.who("primary")


@pytest.mark.parametrize(
    ("name", "duty"),
    [
        ("U0BEN", OnDuty(problem="the account of U0BEN in Slack is deactivated")),
        ("calendar", OnDuty(("U0ANA",), problem="calendar: the account of U0BEN in Slack is deactivated")),
        ("primary", OnDuty(("U0ANA", "U0BEN"), "S0ONCALL")),
    ],
)
async def test_deactivated_person_is_named_but_not_paged(house: House, name: str, duty: OnDuty) -> None:
    """The others are still paged; within a group, Slack takes care of it."""
    house.source.says, house.left = ("U0ANA", "U0BEN"), {"U0BEN"}

    assert duty == await house.directory.who(name)


@pytest.mark.parametrize(
    ("name", "duty"),
    [
        ("U0ANA", OnDuty(("U0ANA",))),
        ("S0ONCALL", OnDuty(("U0ANA", "U0BEN"), "S0ONCALL")),
        ("here", OnDuty(("here",))),
        ("S0EMPTY", OnDuty(problem="S0EMPTY: nobody is on call now")),
        ("S0GONE", OnDuty(problem="S0GONE: there is no such user group")),
        ("nobody", OnDuty(problem="people.on_call has no nobody")),
    ],
)
async def test_name_may_be_an_id_of_a_person_or_group(house: House, name: str, duty: OnDuty) -> None:
    """Also `here`; a name that stands for nobody says so."""
    assert duty == await house.directory.who(name)


async def test_group_with_unreadable_members_is_still_mentioned(house: House) -> None:
    """Slack knows the members even if we do not."""
    house.groups.away = True
    duty = await house.directory.who("primary")

    assert ("S0ONCALL", ()) == (duty.group, duty.people)
    assert "primary: the user group S0ONCALL cannot be read: Slack cannot be reached" == duty.problem


async def test_source_is_asked_at_most_once_a_minute(house: House) -> None:
    """A step with three means asks once; a minute later the source is asked again."""
    await house.directory.who("calendar")
    await house.directory.who("calendar")
    asked = house.source.asked
    house.clock.advance(timedelta(minutes=1))
    await house.directory.who("calendar")

    assert (1, 2) == (asked, house.source.asked)


async def test_last_known_shifts_are_used_while_the_source_is_unreachable(house: House) -> None:
    """With their age; the person on call an hour ago is better than nobody."""
    await house.directory.who("calendar")
    house.source.fails = "HTTP 503"
    house.clock.advance(timedelta(minutes=30))
    duty = await house.directory.who("calendar")

    assert ("U0ANA",) == duty.people
    assert "calendar as read at 2026-03-20 12:00 UTC: HTTP 503" == duty.problem
    assert ("Who is on call as calendar cannot be read: HTTP 503",) == house.directory.troubles


async def test_ended_shift_is_not_used_while_the_source_is_unreachable(house: House) -> None:
    """Nobody is paged for yesterday's shift."""
    await house.directory.who("calendar")
    house.source.fails = "HTTP 503"
    house.clock.advance(timedelta(hours=6))

    assert () == (await house.directory.who("calendar")).people


async def test_failed_source_is_not_asked_again_at_once(house: House) -> None:
    """A page and the report about it wait for a hanging calendar once, not twice."""
    house.source.fails = "HTTP 503"
    await house.directory.who("calendar")
    await house.directory.who("calendar")

    assert 1 == house.source.asked


async def test_last_known_shifts_survive_a_restart(house: House) -> None:
    """The source is unreachable when the bot comes back."""
    await house.directory.who("calendar")
    house.source.fails = "HTTP 503"
    house.clock.advance(timedelta(minutes=5))
    again = house.made()
    await again.start()
    duty = await again.who("calendar")
    await again.close()

    assert ("U0ANA",) == duty.people


async def test_recovered_source_is_no_longer_reported(house: House) -> None:
    """`/readyz` names it only while it cannot be read."""
    house.source.fails = "HTTP 503"
    await house.directory.who("calendar")
    house.source.fails = ""
    house.clock.advance(timedelta(seconds=10))
    await house.directory.who("calendar")

    assert () == house.directory.troubles


# --- rotas

ROTA = Rota(datetime(2026, 3, 16, 9, 0, tzinfo=UTC), WEEK, ("U0ANA", "U0BEN", "U0EVE"))


@pytest.mark.parametrize(
    ("at", "person"),
    [
        (datetime(2026, 3, 16, 9, 0, tzinfo=UTC), "U0ANA"),
        (datetime(2026, 3, 23, 8, 59, 59, tzinfo=UTC), "U0ANA"),
        (datetime(2026, 3, 23, 9, 0, tzinfo=UTC), "U0BEN"),
        (datetime(2026, 3, 30, 9, 0, tzinfo=UTC), "U0EVE"),
        (datetime(2026, 4, 6, 9, 0, tzinfo=UTC), "U0ANA"),
    ],
)
async def test_rota_goes_round_in_order(at: datetime, person: str) -> None:
    """After the last person, the first has the next shift."""
    [shift] = await ROTA.shifts(at)

    assert (person,) == shift.people
    assert shift.covers(at)


async def test_nobody_is_on_call_before_the_rotas_start() -> None:
    """The directory says so instead of guessing."""
    assert () == await ROTA.shifts(datetime(2026, 3, 16, 8, 59, tzinfo=UTC))


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca", "Asia/Kathmandu")


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    starts=st.timedeltas(timedelta(0), timedelta(days=3650)).map(lambda after: datetime(2024, 1, 1, tzinfo=UTC) + after),
    minutes=st.sampled_from([30, 60, 90, 180, 8 * 60, 12 * 60, 24 * 60, 7 * 24 * 60]),
    after=st.timedeltas(timedelta(0), timedelta(days=400)),
)
async def test_turns_follow_without_gaps_over_clock_changes(
    zone: str, starts: datetime, minutes: int, after: timedelta
) -> None:
    """No turn is skipped, repeated or empty, and each is the same whenever it is asked for."""
    rota = Rota(starts, timedelta(minutes=minutes), ("U0ANA", "U0BEN", "U0EVE"), zone)
    [shift] = await rota.shifts(starts + after)
    assert shift.starts and shift.ends and shift.covers(starts + after)
    [same], [last] = await rota.shifts(shift.starts), await rota.shifts(shift.ends - timedelta(microseconds=1))
    [then] = await rota.shifts(shift.ends)

    assert shift == same == last
    assert shift.ends == then.starts
    assert rota.users[(rota.users.index(shift.people[0]) + 1) % 3] == then.people[0]


async def test_turn_that_changes_in_the_repeated_hour_changes_once() -> None:
    """In Berlin, 02:30 comes twice on 25 October: at 00:30 and at 01:30 UTC."""
    rota = Rota(datetime(2026, 10, 24, 0, 30, tzinfo=UTC), timedelta(hours=12), ("U0ANA", "U0BEN"), "Europe/Berlin")
    asked = [datetime(2026, 10, 25, hour, minute, tzinfo=UTC) for hour, minute in ((0, 29), (0, 30), (1, 15), (1, 45))]

    assert ["U0BEN", "U0ANA", "U0ANA", "U0ANA"] == [(await rota.shifts(at))[0].people[0] for at in asked]


async def test_turns_change_at_the_same_local_time_in_summer() -> None:
    """Nine in Berlin is 08:00 UTC in winter and 07:00 UTC in summer."""
    rota = Rota(datetime(2026, 3, 23, 8, 0, tzinfo=UTC), WEEK, ("U0ANA", "U0BEN"), "Europe/Berlin")
    before = await rota.shifts(datetime(2026, 3, 30, 6, 59, tzinfo=UTC))
    after = await rota.shifts(datetime(2026, 3, 30, 7, 0, tzinfo=UTC))

    assert ("U0ANA",) == before[0].people
    assert ("U0BEN",) == after[0].people
