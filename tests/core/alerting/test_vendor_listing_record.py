"""What is recorded when the page no longer lists a notice, or lists it again: where, and who reads it."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.alerting.vendor_listing import SHORTEST_CUT, touches
from bot.core.effects import EffectBody, OpenThread, PostLine, ReplyInThread, To
from bot.core.model import Actor, FeedReport, FeedState, Level, Listing, Notice, Phase
from bot.core.record.provider_facts import ListingChanged, NoticeListedAgain, NoticeSeen, NoticeUnlisted
from tests.core.alerting.test_vendor_listing import a_standing_notice, notice, reads, report, standing
from tests.desk import ANA, RULE, START, Table, Written

API, VENDOR = "anthropic.api", Actor.vendor("anthropic")
UNLISTED = NoticeUnlisted("anthropic", "n1", "Errors", "investigating", (API,))
AGAIN = NoticeListedAgain("anthropic", "n1", "Errors", (API,))


def by_our_rule(table: Table, *notices: Notice) -> None:
    """Readings that one of our rules sends, each minute for an hour."""
    for _ in range(61):
        table.send(s.FeedRead(actor=RULE, report=report(table, *notices)))
        table.now += timedelta(minutes=1)


def said(table: Table, *kinds: type[EffectBody]) -> list[EffectBody]:
    """What people read since the notice was first seen."""
    bodies = [effect.body for step in table.steps for effect in step.effects]
    return [body for body in bodies if isinstance(body, kinds)]


def test_disappearance_is_recorded_for_the_vendor_in_the_notices_thread() -> None:
    """Whoever read the page."""
    table = a_standing_notice()
    by_our_rule(table)

    assert [Written(UNLISTED, None, VENDOR)] == table.written(NoticeUnlisted)
    assert [ReplyInThread("quiet/notice/anthropic/n1")] == said(table, ReplyInThread)
    assert [] == said(table, PostLine)


def test_reappearance_goes_to_the_same_thread() -> None:
    """With its old text."""
    table = a_standing_notice()
    by_our_rule(table)
    reads(table, notice())

    assert [Written(AGAIN, None, VENDOR)] == table.written(NoticeListedAgain)
    assert [ReplyInThread("quiet/notice/anthropic/n1")] * 2 == said(table, ReplyInThread)


def test_updates_are_recorded_for_the_vendor_even_if_a_rule_reports_them() -> None:
    """One by one or among many."""
    table = Table().all_well()
    table.send(s.FeedRead(actor=RULE, report=report(table)))
    table.send(s.FeedRead(actor=RULE, report=report(table, *(notice(f"n{n}") for n in range(22)))))
    actors = {fact.actor for fact in table.facts if fact.kind in {"notice.seen", "feed.flooded"}}

    assert {VENDOR} == actors


def beside_an_incident() -> Table:
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    reads(table, notice())
    return table


def test_notice_about_the_incident_is_posted_in_its_channel_only() -> None:
    """Gone, and back again: two lines there, and no thread."""
    table = beside_an_incident()
    lines = len(said(table, PostLine))
    by_our_rule(table)
    reads(table, notice())
    written = [*table.written(NoticeUnlisted), *table.written(NoticeListedAgain)]

    assert [Written(UNLISTED, 1, VENDOR), Written(AGAIN, 1, VENDOR)] == written
    assert [PostLine(To.INCIDENT)] * 2 == said(table, PostLine)[lines:]
    assert [] == said(table, OpenThread, ReplyInThread)


def test_unrelated_notice_stays_out_of_the_incident() -> None:
    """The site is down, and the notice names the API."""
    table = Table().all_well()
    reads(table)
    table.sees("anthropic.web", Level.DOWN)
    reads(table, notice())
    by_our_rule(table)

    assert [Written(UNLISTED, None, VENDOR)] == table.written(NoticeUnlisted)


def test_end_of_a_notice_without_a_thread_is_only_recorded() -> None:
    """It was posted in the channel of an incident that has ended."""
    table = beside_an_incident()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="external"))
    by_our_rule(table)

    assert [Written(UNLISTED, None, VENDOR)] == table.written(NoticeUnlisted)
    assert [] == said(table, ReplyInThread)


@pytest.mark.parametrize(("again", "listed", "missing"), [(False, (), ("n1",)), (True, ("n1",), ())])
def test_page_that_lists_a_notice_is_recorded(again: bool, listed: tuple[str, ...], missing: tuple[str, ...]) -> None:
    """Once per change."""
    table = a_standing_notice()
    for _ in range(2):
        reads(table)
    if again:
        for _ in range(2):
            reads(table, notice())

    assert ListingChanged("anthropic", "p", listed, missing) == table.kinds(ListingChanged)[-1]
    assert 1 + again == len(table.kinds(ListingChanged))


def test_second_page_that_lists_a_notice_is_recorded() -> None:
    """Its absence there counts too."""
    table = a_standing_notice()
    for _ in range(2):
        reads(table, notice(), page="q")

    assert [ListingChanged("anthropic", "q", ("n1",), ())] == table.kinds(ListingChanged)


@pytest.mark.parametrize(("others", "stands"), [(SHORTEST_CUT - 1, []), (SHORTEST_CUT, ["n1"])])
def test_notice_that_newer_entries_may_have_pushed_out_counts(others: int, stands: list[str]) -> None:
    """A page of ten entries may end there, and the notice is older than all of them."""
    table = a_standing_notice()
    newer = Listing({f"m{n}": START + timedelta(hours=1) for n in range(others)})
    reads(table, minutes=62, incidents=newer)

    assert stands == standing(table)


@pytest.mark.parametrize(("began", "stands"), [(timedelta(0), []), (timedelta(minutes=1), ["n1"])])
def test_notice_as_old_as_the_oldest_entry_would_be_listed(began: timedelta, stands: list[str]) -> None:
    """Where newer ones push older ones out."""
    table = a_standing_notice()
    reads(table, minutes=62, incidents=Listing({"m1": START + began}, history=True))

    assert stands == standing(table)


def test_empty_history_lacks_every_notice() -> None:
    """Nothing could have pushed it out."""
    table = a_standing_notice()
    reads(table, minutes=62, incidents=Listing({}, history=True))

    assert [] == standing(table)


def test_notice_without_a_start_is_as_old_as_its_first_update() -> None:
    """Some pages do not say when an incident began."""
    table = Table().all_well()
    reads(table)
    bare = Notice("anthropic", "n1", "u1", "Errors", "", "investigating", "major", START - timedelta(hours=2))
    report_ = FeedReport(
        "anthropic", table.now, FeedState.FRESH, notices=(bare,), page="p", incidents=Listing({"n1": bare.at}, history=True)
    )
    table.send(s.FeedRead(actor=VENDOR, report=report_))
    reads(table, minutes=62, incidents=Listing({"m1": START - timedelta(hours=1)}, history=True))

    assert ["n1"] == standing(table)
    assert 1 == len(table.kinds(NoticeSeen))


def test_no_notice_concerns_a_missing_incident() -> None:
    """Whatever it names."""
    assert not touches(notice(), None)


def test_notice_that_comes_and_goes_has_one_thread() -> None:
    """One message in the ops channel."""
    table = a_standing_notice()
    by_our_rule(table)
    reads(table, notice())

    assert [OpenThread("quiet/notice/anthropic/n1")] == said(table, OpenThread)
