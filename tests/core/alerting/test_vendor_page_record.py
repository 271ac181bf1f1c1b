"""What is recorded of a reading of a vendor's page: where, and what people read."""

from datetime import datetime, timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.alerting.vendor_pages import FLOOD_TOLD_EVERY, LATE_AFTER, MOST_AT_ONCE, MOST_REMEMBERED
from bot.core.effects import EffectBody, OpenThread, PostLine, ReplyInThread, To
from bot.core.model import FeedReport, FeedState, Level, Notice, Phase
from bot.core.record.fact import Body
from bot.core.record.provider import ProviderState
from bot.core.record.provider_facts import (
    FeedChanged,
    MaintenanceSaid,
    NoticeSeen,
    PageFirstRead,
    PageFlooded,
    UpdatesForgotten,
)
from bot.core.record.streams import put
from tests.core.alerting.test_vendor_pages import API, PAGE, flood, reads, word
from tests.desk import ANA, START, Table, Written

MINUTE = timedelta(minutes=1)


def recorded(table: Table, *kinds: type[Body]) -> list[Written]:
    """The facts that the last reading recorded for the provider, all or of these kinds."""
    facts = [fact for fact in table.steps[-1].facts if fact.stream == "provider/anthropic"]
    return [Written(fact.body, fact.incident, fact.actor) for fact in facts if not kinds or isinstance(fact.body, kinds)]


def said(table: Table) -> list[EffectBody]:
    """What the last reading posts."""
    return [e.body for e in table.steps[-1].effects if isinstance(e.body, (PostLine, OpenThread, ReplyInThread))]


def told_to(table: Table) -> list[Body]:
    """The facts that the last reading posts, once for each post."""
    step = table.steps[-1]
    facts = {(fact.stream, fact.seq): fact.body for fact in step.facts}
    return [facts[e.stream, e.seq] for e in step.effects if isinstance(e.body, (PostLine, OpenThread, ReplyInThread))]


# --- a reading


def test_first_reading_is_recorded_completely() -> None:
    """That the page is readable, what is history, and the newest update of current notices."""
    table = Table().all_well()
    old = word("o1", "old", status="resolved", at=START - timedelta(days=3))
    reads(table, old, word("u1"), word("u2"))
    history = {"old": ("o1",), "n1": ("u1",)}
    first = [FeedChanged("anthropic", FeedState.FRESH, ""), PageFirstRead("anthropic", "p", history)]
    news = NoticeSeen(word("u2"), False, "p")

    assert [*(Written(body, None, PAGE) for body in first), Written(news, None, PAGE)] == recorded(table)
    assert [OpenThread("quiet/notice/anthropic/n1")] == said(table)


def test_unreadable_page_is_recorded_but_not_posted() -> None:
    """`/status` shows it."""
    table = Table().all_well()
    reads(table)
    table.send(s.FeedRead(actor=PAGE, report=FeedReport("anthropic", table.now, FeedState.STALE, "HTTP 503", page="p")))

    assert [Written(FeedChanged("anthropic", FeedState.STALE, "HTTP 503"), None, PAGE)] == recorded(table)
    assert [] == said(table)


def test_components_under_maintenance_are_recorded_once() -> None:
    """In order, and only when they change."""
    table = Table().all_well()
    reads(table)
    for _ in range(2):
        report = FeedReport("anthropic", table.now, FeedState.FRESH, maintenance=("b", "a"), page="p")
        table.send(s.FeedRead(actor=PAGE, report=report))

    assert [Written(MaintenanceSaid("anthropic", ("a", "b")), None, PAGE)] == table.written(MaintenanceSaid)


def test_later_updates_go_to_the_thread_of_the_first() -> None:
    """The ops channel has one message per notice."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u1"))
    reads(table, word("u1"), word("u2", status="identified"))

    assert [ReplyInThread("quiet/notice/anthropic/n1")] == said(table)


def test_unchanged_reading_records_nothing() -> None:
    """The page is read every minute."""
    table = Table().all_well()
    for _ in range(2):
        reads(table, word("u1"))

    assert () == table.steps[-1].facts


@pytest.mark.parametrize(("ago", "told"), [(LATE_AFTER, True), (LATE_AFTER + MINUTE, False)])
def test_notice_first_seen_a_day_after_its_end_is_not_posted(ago: timedelta, told: bool) -> None:
    """It is recorded as late."""
    table = Table().all_well()
    reads(table)
    notice = word("u1", status="resolved", at=table.now - ago)
    reads(table, notice)

    assert [Written(NoticeSeen(notice, not told, "p"), None, PAGE)] == recorded(table)
    assert told == bool(said(table))


# --- beside an incident


def again(table: Table) -> None:
    """Resolve the outage, and start another one three hours later."""
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(180)
    table.sees(API, Level.DOWN)


def test_update_about_the_incident_is_posted_in_its_channel() -> None:
    """And not in a thread of the ops channel."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    notice = word("u1", names=(API,), at=table.now)
    reads(table, notice)

    assert [Written(NoticeSeen(notice, False, "p"), 1, PAGE)] == recorded(table)
    assert [PostLine(To.INCIDENT)] == said(table)


def test_update_about_an_earlier_incident_counts_for_that_one() -> None:
    """The outage ended for us and began again, and the vendor writes only then about its first part."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    table.passes(10)
    first = table.incident(1)
    again(table)
    notice = word("u1", names=(API,), at=first.declared_at + 5 * MINUTE)
    reads(table, notice)

    assert [2] == [n for n, i in table.world.incidents.items() if i.phase.open]
    assert [Written(NoticeSeen(notice, False, "p", first.began_at, first.declared_at), 2, PAGE)] == recorded(table)


def test_update_from_between_two_incidents_belongs_to_the_later() -> None:
    """The earlier one was over when it was said."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    table.passes(10)
    again(table)
    notice = word("u1", names=(API,), at=table.now - 30 * MINUTE)
    reads(table, notice)

    assert [Written(NoticeSeen(notice, False, "p"), 2, PAGE)] == recorded(table)


# --- much at once


def shown(count: int, prefix: str = "f", at: datetime = START, **changes: object) -> dict[str, tuple[str, ...]]:
    """The updates of a flood, by notice."""
    return {notice.id: (notice.update,) for notice in flood(count, prefix, at=at, **changes)}


def test_newest_updates_and_known_notices_are_posted_first() -> None:
    """The page lists them from the oldest on."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u0", "known"))
    reads(table, word("u0", "known"), word("u1", "known"), *flood(30))
    one_by_one = [w.body.notice.id for w in recorded(table, NoticeSeen)]  # type: ignore[attr-defined]

    assert ["known", *(f"f{n}" for n in range(11, 30))] == one_by_one
    assert [f"f{n}" for n in range(11)] == list(recorded(table, PageFlooded)[0].body.updates)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("count", "floods"), [(MOST_AT_ONCE, 0), (MOST_AT_ONCE + 1, 1)])
def test_readable_number_of_updates_is_posted_one_by_one(count: int, floods: int) -> None:
    """One more makes a flood."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(count))

    assert floods == len(recorded(table, PageFlooded))


def test_flood_is_recorded_completely_and_opens_one_thread() -> None:
    """Each update that was only counted, which notices ended, and that it was posted."""
    table = Table().all_well()
    reads(table)
    ended = [word(update, "old", status=status) for update, status in (("v", "investigating"), ("w", "resolved"))]
    reads(table, *ended, *flood(25))
    body = PageFlooded("anthropic", {"old": ("v", "w"), **shown(5)}, ("old",), True)
    [fact] = [fact for fact in table.steps[-1].facts if isinstance(fact.body, PageFlooded)]

    assert [Written(body, None, PAGE)] == recorded(table, PageFlooded)
    assert OpenThread(f"quiet/flood/anthropic/{fact.seq}") == said(table)[-1]
    assert body == told_to(table)[-1]


def test_flood_about_the_incident_is_posted_in_its_channel_only() -> None:
    """One line there, and no thread."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    reads(table, *flood(25, components=(API,)))
    body = PageFlooded("anthropic", shown(5), (), True)

    assert [Written(body, 1, PAGE)] == recorded(table, PageFlooded)
    assert [PostLine(To.INCIDENT)] * (MOST_AT_ONCE + 1) == said(table)


def test_unrelated_flood_stays_out_of_the_incident() -> None:
    """It is counted in the ops channel."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    reads(table, *flood(25, elsewhere=True))

    assert [Written(PageFlooded("anthropic", shown(5), (), True), None, PAGE)] == recorded(table, PageFlooded)
    assert {OpenThread} == {type(body) for body in said(table)}


def test_one_update_too_many_is_a_flood() -> None:
    """The rest may be a single one."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(MOST_AT_ONCE + 1))

    assert [Written(PageFlooded("anthropic", shown(1), (), True), None, PAGE)] == recorded(table, PageFlooded)


@pytest.mark.parametrize(("components", "incident"), [((), None), ((API,), None)])
def test_second_flood_within_an_hour_is_only_counted(components: tuple[str, ...], incident: int | None) -> None:
    """Neither the ops channel nor its incident gets a post."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    reads(table, *flood(25, "a", components=components))
    reads(table, *flood(25, "b", components=components))

    assert [Written(PageFlooded("anthropic", shown(5, "b"), (), False), incident, PAGE)] == recorded(table, PageFlooded)
    assert PageFlooded not in {type(body) for body in told_to(table)}


def test_flood_is_posted_again_after_an_hour() -> None:
    """To the minute."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(25, "a"))
    table.now += FLOOD_TOLD_EVERY - MINUTE
    reads(table, *flood(25, "b"))

    assert [Written(PageFlooded("anthropic", shown(5, "b"), (), True), None, PAGE)] == recorded(table, PageFlooded)


def test_sixty_updates_per_hour_are_posted_one_by_one() -> None:
    """Sixty an hour are told one by one, and none beyond."""
    table = Table().all_well()
    reads(table)
    told = []
    for burst in range(4):
        reads(table, *flood(20, f"{burst}/"))
        told.append(len(recorded(table, NoticeSeen)))
    table.now += timedelta(hours=1) - MINUTE
    reads(table, *flood(25, "later/"))

    assert [20, 20, 20, 0, 20] == [*told, len(recorded(table, NoticeSeen))]


def test_flood_of_old_notices_is_not_posted() -> None:
    """A vendor publishes last year's write-ups."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(25, status="resolved", at=START - timedelta(days=300)))

    assert PageFlooded("anthropic", shown(5), tuple(shown(5)), False) == recorded(table, PageFlooded)[0].body
    assert [] == said(table)


# --- what is remembered


def remembering(seen: dict[str, tuple[str, ...]]) -> Table:
    table = Table().all_well()
    table.world = put(table.world, ProviderState("anthropic", FeedState.FRESH, pages=("p",), seen=seen))
    return table


def test_oldest_ids_no_longer_on_the_page_are_dropped_down_to_half() -> None:
    """Those still on the page are kept, however old."""
    table = remembering({f"f{n}": ("u",) for n in range(MOST_REMEMBERED + 1)})
    reads(table, *flood(10))
    gone = {f"f{n}": ("u",) for n in range(10, 10 + MOST_REMEMBERED // 2 + 1)}

    assert [Written(UpdatesForgotten("anthropic", gone), None, PAGE)] == recorded(table)


def test_older_half_of_a_huge_notices_updates_is_dropped() -> None:
    """The page's other notices are left alone."""
    table = remembering({"big": tuple(f"u{n}" for n in range(MOST_REMEMBERED)), "small": ("u",)})
    reads(table)
    gone = {"big": tuple(f"u{n}" for n in range(MOST_REMEMBERED // 2 + 1))}

    assert [Written(UpdatesForgotten("anthropic", gone), None, PAGE)] == recorded(table)


def test_ids_within_the_limit_are_kept() -> None:
    """To the last one."""
    table = remembering({f"f{n}": ("u",) for n in range(MOST_REMEMBERED)})
    reads(table)

    assert [] == recorded(table)


def test_notice_whose_every_update_is_news_has_no_history() -> None:
    """A notice whose every update is news has no history."""
    table = Table().all_well()
    reads(table, word("u1"))
    [first] = table.kinds(PageFirstRead)

    assert PageFirstRead("anthropic", "p", {}) == first


def test_another_providers_page_is_recorded_under_its_name() -> None:
    """With threads of its own."""
    table = Table().all_well()
    notice = Notice("openai", "n1", "u1", "Errors", "", "investigating", "major", table.now)
    table.send(s.FeedRead(actor=PAGE, report=FeedReport("openai", table.now, FeedState.FRESH, notices=(notice,), page="p")))

    assert ["provider/openai"] * 3 == [fact.stream for fact in table.steps[-1].facts]
    assert [OpenThread("quiet/notice/openai/n1")] == said(table)
