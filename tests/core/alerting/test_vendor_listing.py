"""A notice that leaves the vendor's page without being closed counts for another hour, and not for ever."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core import signals as s
from bot.core.codec import decode, encode
from bot.core.decide.alerting.corroboration import hear
from bot.core.decide.alerting.vendor_listing import UNLISTED_AFTER
from bot.core.model import Actor, FeedReport, FeedState, Level, Listing, Notice
from bot.core.record.provider import ProviderState
from bot.core.record.provider_facts import NoticeListedAgain, NoticeUnlisted
from bot.core.record.streams import evolve, put
from bot.core.record.world import World
from bot.timeline.rows import rows
from tests.desk import START, Table

PAGE, API = Actor.vendor("anthropic"), "anthropic.api"
OLD = START - timedelta(days=1)


def notice(id: str = "n1", *, status: str = "investigating", began_at: datetime = START, planned: bool = False) -> Notice:
    impact = "maintenance" if planned else "major"
    return Notice("anthropic", id, f"{id}.1", "Errors", "", status, impact, START, components=(API,), began_at=began_at)


def report(table: Table, *notices: Notice, page: str = "p", **more: object) -> FeedReport:
    """A complete reading of a summary page."""
    planned = {n.id for n in notices if n.impact == "maintenance"}
    lists = {"incidents": Listing({n.id: n.began_at or START for n in notices if n.id not in planned}),
             "maintenances": Listing(dict.fromkeys(planned, START))}  # fmt: skip
    return replace(FeedReport("anthropic", table.now, FeedState.FRESH, notices=notices, page=page), **(lists | more))  # type: ignore[arg-type]


def reads(table: Table, *notices: Notice, minutes: int = 1, **more: object) -> None:
    """Let the page be read each minute with these notices."""
    for _ in range(minutes):
        table.send(s.FeedRead(actor=PAGE, report=report(table, *notices, **more)))  # type: ignore[arg-type]
        table.now += timedelta(minutes=1)


def a_standing_notice(**more: object) -> Table:
    table = Table().all_well()
    reads(table)
    reads(table, notice(**more))  # type: ignore[arg-type]
    return table


def standing(table: Table) -> list[str]:
    return [n.id for n in table.world.provider("anthropic").notices]


def restarted(table: Table) -> None:
    for state in table.world.providers.values():
        table.world = put(table.world, decode(ProviderState, encode(state)))


def test_notice_missing_for_an_hour_no_longer_counts() -> None:
    """Board and `/health` no longer show it, and no verdict uses it."""
    table = a_standing_notice()
    reads(table, minutes=60)
    held = standing(table)
    heard = hear(table.world, API, table.now)
    reads(table)

    assert ["n1"] == held
    assert ["feed"] == [voice.kind for voice in heard]
    assert [] == standing(table)
    assert () == hear(table.world, API, table.now)


def test_timeline_says_that_a_notice_is_no_longer_listed() -> None:
    """Not "resolved", which the vendor never said."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    reads(table)
    reads(table, notice())
    reads(table, minutes=61)
    [fact] = [fact for fact in table.facts if isinstance(fact.body, NoticeUnlisted)]

    assert 1 == fact.incident
    assert "no longer lists “Errors”; its last word was “investigating”" in rows([fact], {})[0].text


def test_hour_of_absence_continues_over_a_restart() -> None:
    """Also on another replica: its start is in the ledger."""
    table = a_standing_notice()
    reads(table, minutes=40)
    restarted(table)
    reads(table, minutes=21)

    assert [] == standing(table)


@pytest.mark.parametrize("partial", [{"incidents": None}, {"state": FeedState.STALE}, {"state": FeedState.UNKNOWN}])
def test_incomplete_reading_says_nothing_about_missing_notices(partial: dict[str, object]) -> None:
    """The page timed out, or has more entries than are read."""
    table = a_standing_notice()
    reads(table, minutes=200, **partial)

    assert ["n1"] == standing(table)


def test_unreadable_time_does_not_count_as_absence() -> None:
    """Half an hour missing, a day unreadable, then 29 minutes missing are no hour."""
    table = a_standing_notice()
    reads(table, minutes=30)
    reads(table, minutes=60, state=FeedState.STALE)
    table.now += timedelta(days=1)
    reads(table, minutes=29)
    held = standing(table)
    reads(table, minutes=3)

    assert ["n1"] == held
    assert [] == standing(table)


def test_hour_of_absence_restarts_if_the_notice_reappears() -> None:
    """A page's caches differ for a while."""
    table = a_standing_notice()
    reads(table, minutes=50)
    reads(table, notice())
    reads(table, minutes=50)

    assert ["n1"] == standing(table)


def test_other_address_says_nothing_about_notices_it_never_listed() -> None:
    """The first address is down, and the second has another kind of list."""
    table = a_standing_notice()
    reads(table, minutes=200, page="other")

    assert ["n1"] == standing(table)


def test_old_notice_counts_if_newer_ones_pushed_it_off_the_page() -> None:
    """The page lists its last 15 incidents, and 15 began since."""
    table = a_standing_notice(began_at=OLD)
    newer = [notice(f"x{n}", began_at=OLD + timedelta(hours=n + 1)) for n in range(15)]
    reads(table, *newer, minutes=200)

    assert "n1" in standing(table)


def test_old_notice_counts_if_a_short_history_lists_only_newer_ones() -> None:
    """The page lists its last three incidents, whether over or not."""
    table = a_standing_notice(began_at=OLD)
    history = Listing(dict.fromkeys(("x1", "x2", "x3"), START), history=True)
    reads(table, minutes=200, incidents=history)

    assert ["n1"] == standing(table)


def test_notice_missing_among_older_ones_no_longer_counts() -> None:
    """It was withdrawn: pages list the newest, so it would be there."""
    table = a_standing_notice()
    reads(table, minutes=61, incidents=Listing({"x1": OLD}, history=True))

    assert [] == standing(table)


def test_maintenance_is_only_missed_in_the_list_of_maintenances() -> None:
    """A page's incidents say nothing about it."""
    table = a_standing_notice(planned=True)
    reads(table, minutes=100, maintenances=None)
    held = standing(table)
    reads(table, minutes=61)

    assert ["n1"] == held
    assert [] == standing(table)


def test_notice_that_is_listed_again_counts_again() -> None:
    """Its old updates are no news."""
    table = a_standing_notice()
    reads(table, minutes=61)
    reads(table, notice())

    assert ["n1"] == standing(table)
    assert [NoticeListedAgain("anthropic", "n1", "Errors", (API,))] == table.kinds(NoticeListedAgain)


def test_older_ledger_drops_notices_that_were_missing_already() -> None:
    """It does not know which page listed them."""
    table = a_standing_notice()
    held = replace(table.world.provider("anthropic"), listed={})
    table.world = put(table.world, held)
    reads(table, minutes=61)

    assert [] == standing(table)


def test_absence_is_recorded_once() -> None:
    """A page read every minute must not cost a row a minute."""
    table = a_standing_notice()
    before = len(table.facts)
    reads(table, minutes=200)

    assert ["feed.listing", "notice.unlisted"] == [fact.kind for fact in table.facts[before:]]


READINGS = st.lists(st.tuples(st.sampled_from(["listed", "missing", "cut", "stale", "other"]), st.booleans()), max_size=40)


MISSING = ("missing", False)


@settings(max_examples=200, deadline=None)
@example([MISSING] * 7 + [("listed", False), ("other", False)] + [MISSING] * 6)  # another page lacked what had just come back
@given(READINGS)
def test_notice_expires_only_after_an_hour_of_absence_and_facts_rebuild_it(readings: list[tuple[str, bool]]) -> None:
    """Over random readings and restarts the same history gives the same decision."""
    table, other = a_standing_notice(), a_standing_notice()
    since: datetime | None = None
    unread = timedelta()
    for kind, restarts in readings:
        if kind == "listed":
            since = None
        elif kind == "missing" and since is None:
            since, unread = table.now, timedelta()
        for each in (table, other):
            match kind:
                case "listed":
                    reads(each, notice())
                case "cut":
                    reads(each, incidents=None)
                case "stale":
                    reads(each, state=FeedState.STALE)
                case _:
                    reads(each, page="p" if kind == "missing" else "other")
            each.now += timedelta(minutes=9)
        unread += timedelta(minutes=10 if kind == "stale" else 0)
        if restarts:
            restarted(table)
        if since is not None and table.now - timedelta(minutes=10) - since - unread < UNLISTED_AFTER:
            assert ["n1"] == standing(table)
    rebuilt = World()
    for fact in table.facts:
        rebuilt = evolve(rebuilt, fact)

    assert table.world.providers == other.world.providers == rebuilt.providers
