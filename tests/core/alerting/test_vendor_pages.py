"""Each update on a vendor's page is recorded once, whatever its clock says, however many there are at once."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import signals as s
from bot.core.codec import decode, encode
from bot.core.decide.alerting.vendor_pages import FLOOD_TOLD_EVERY, MOST_AT_ONCE, MOST_REMEMBERED, read
from bot.core.effects import OpenThread, ReplyInThread
from bot.core.model import Actor, FeedReport, FeedState, Level, Notice
from bot.core.record.provider import MOST_AN_HOUR, NoticeHeard, ProviderState
from bot.core.record.provider_facts import NoticeSeen, PageFlooded, UpdatesForgotten
from bot.core.record.streams import evolve, put
from bot.core.record.world import World
from tests.desk import START, Table

PAGE = Actor.vendor("anthropic")
API = "anthropic.api"
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


def word(
    update: str, id: str = "n1", *, status: str = "investigating", at: datetime = START, names: tuple[str, ...] = ()
) -> Notice:
    return Notice("anthropic", id, update, "Errors", "", status, "major", at, components=names)


def reads(table: Table, *notices: Notice, page: str = "p") -> None:
    report = FeedReport("anthropic", table.now, FeedState.FRESH, notices=notices, page=page)
    table.send(s.FeedRead(actor=PAGE, report=report))
    table.now += timedelta(minutes=1)


def recorded(table: Table) -> list[tuple[str, str]]:
    """Every recorded update, single or among many."""
    found: list[tuple[str, str]] = []
    for fact in table.facts:
        match fact.body:
            case NoticeSeen(notice=n):
                found.append((n.id, n.update))
            case PageFlooded(updates=updates):
                found += [(id, update) for id, ids in updates.items() for update in ids]
    return found


def seen(table: Table) -> list[str]:
    """The ids that the ledger has."""
    return [body.notice.update for body in table.kinds(NoticeSeen) if isinstance(body, NoticeSeen)]


def restarted(table: Table) -> None:
    """What the ledger's rows hold is all that is left."""
    for state in table.world.providers.values():
        table.world = put(table.world, decode(ProviderState, encode(state)))


# --- once, whatever the clock says


UPDATES = st.tuples(st.sampled_from(["n1", "n2", "n3"]), st.integers(0, 5))
STAMPS = st.one_of(st.just(NEVER), st.sampled_from([START, START + timedelta(hours=1)]), st.datetimes(timezones=st.just(UTC)))
SHOWN = st.dictionaries(UPDATES, st.tuples(STAMPS, st.sampled_from(["investigating", "resolved", "monitoring"])), max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(SHOWN, st.randoms(use_true_random=False), st.booleans()), max_size=12),
    st.booleans(),
)
def test_each_update_that_appears_after_the_first_sight_is_recorded_once(
    polls: list[tuple[dict[tuple[str, int], tuple[datetime, str]], object, bool]], failing: bool
) -> None:
    """In any order, with any times, in an incident of ours or not, over restarts; what stood there at first, at most once."""
    table = Table().all_well()
    if failing:
        table.sees(API, Level.DOWN)
    first: set[tuple[str, str]] = set()
    appeared: set[tuple[str, str]] = set()
    for number, (shown, order, restarts) in enumerate(polls):
        notices = [word(f"u{n}", id, status=status, at=at) for (id, n), (at, status) in shown.items()]
        order.shuffle(notices)  # type: ignore[attr-defined] # a Random, which hypothesis does not say
        reads(table, *notices)
        ids = {(notice.id, notice.update) for notice in notices}
        appeared |= ids - first
        if number == 0:
            first, appeared = ids, set()
        if restarts:
            restarted(table)
    counted = Counter(recorded(table))

    assert dict.fromkeys(appeared, 1) == {id: n for id, n in counted.items() if id not in first}
    assert all(n == 1 for n in counted.values())


def test_two_simultaneous_updates_are_both_recorded() -> None:
    """The vendor opens and identifies within one poll."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u1"), word("u2", status="identified"))

    assert ["u1", "u2"] == seen(table)


def test_backdated_update_is_recorded() -> None:
    """Vendors write up at noon what they saw at nine."""
    table = Table().all_well()
    reads(table, word("u1"))
    reads(table, word("u0", at=START - timedelta(hours=3)), word("u1"))

    assert ["u1", "u0"] == seen(table)


def test_updates_after_one_from_the_year_9999_are_recorded() -> None:
    """It is dated by our reading, so the end is not missed."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u1", at=NEVER))
    reads(table, word("u1", at=NEVER), word("u2", status="resolved"))
    [first, _] = table.kinds(NoticeSeen)

    assert ["u1", "u2"] == seen(table)
    assert isinstance(first, NoticeSeen)
    assert START + timedelta(minutes=1) == first.notice.at
    assert () == table.world.provider("anthropic").notices


def test_reappearing_update_is_not_recorded_again() -> None:
    """Content networks show an old page for a while."""
    table = Table().all_well()
    reads(table)
    for shown in (["u1", "u2"], ["u1"], [], ["u1", "u2"]):
        reads(table, *map(word, shown))

    assert ["u1", "u2"] == seen(table)


def test_edited_update_is_not_recorded_again() -> None:
    """The same id with another text is no news."""
    table = Table().all_well()
    reads(table, word("u1"))
    reads(table, replace(word("u1", at=START + timedelta(minutes=5)), body="typo mended"))

    assert ["u1"] == seen(table)


# --- history


def test_history_is_not_posted_at_the_first_reading() -> None:
    """Only the newest update of current notices is."""
    table = Table().all_well()
    days = timedelta(days=3)
    old = [word("o1", "old", at=START - days), word("o2", "old", status="resolved", at=START - days)]
    reads(table, *old, word("u1"), word("u2"))
    reads(table, *old, word("u1"), word("u2"), word("u3"))

    assert ["u2", "u3"] == seen(table)


def test_history_is_not_posted_when_a_second_address_shows_more() -> None:
    """The summary failed, and the list of incidents was read instead: fifty old incidents are no news."""
    table = Table().all_well()
    reads(table, word("u1"))
    old = [word("a", "old", at=START - timedelta(hours=2)), word("b", "old", status="resolved", at=START - timedelta(hours=1))]
    reads(table, *old, word("u1"), word("u2"), page="incidents")

    assert ["u1", "b", "u2"] == seen(table)


def test_second_address_adds_updates_that_the_first_left_out() -> None:
    """Of an incident that we know, even older than the last one read."""
    table = Table().all_well()
    reads(table, word("u2"))
    reads(table, word("u1"), word("u2"), page="incidents")

    assert ["u2", "u1"] == seen(table)


def test_first_reading_records_updates_since_our_incident_began() -> None:
    """The page was unreadable until now; earlier ones are not recorded."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.passes(5)
    began = table.world.incidents[1].began_at
    reads(table, word("u1", at=began - timedelta(hours=1)), word("u2", at=began), word("u3", at=began))

    assert ["u2", "u3"] == seen(table)


def test_update_listed_twice_is_recorded_once() -> None:
    """The first with its id counts."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u1"), word("u1", status="resolved"))

    assert ["u1"] == seen(table)


def test_late_write_up_is_recorded_but_not_posted() -> None:
    """Of last week; it does not make the vendor the first to report today's outage."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    posted = len(table.effects(OpenThread))
    reads(table, word("u1", status="resolved", at=START - timedelta(days=8), names=(API,)))

    assert ["u1"] == seen(table)
    assert posted == len(table.effects(OpenThread))
    assert table.incident().vendor.first_at is None


def test_backdated_end_of_a_known_notice_is_posted() -> None:
    """The vendor says a week later that it ended at once."""
    table = Table().all_well()
    reads(table, word("u1"))
    table.now += timedelta(days=7)
    reads(table, word("u1"), word("u2", status="resolved"))

    assert ["u1", "u2"] == seen(table)
    assert 1 == len(table.effects(ReplyInThread))


def test_older_ledger_without_ids_continues_after_its_last_update() -> None:
    """Earlier updates are not posted again."""
    table = Table().all_well()
    row = encode(ProviderState("anthropic", FeedState.FRESH, heard={"n1": NoticeHeard("u2", START, START, True)}))
    for added in ("pages", "seen", "told_at", "flood_told_at"):
        del row[added]
    table.world = put(table.world, decode(ProviderState, row))
    reads(table, word("u1"), word("u2"), word("u3"))
    reads(table, word("u1"), word("u2"), word("u3"), word("u4", at=START - timedelta(hours=1)))

    assert ["u3", "u4"] == seen(table)


# --- much at once


def flood(count: int, prefix: str = "f", **changes: object) -> list[Notice]:
    return [replace(word("u", f"{prefix}{n}"), **changes) for n in range(count)]  # type: ignore[arg-type]


def test_flood_is_posted_with_one_message_for_the_rest() -> None:
    """Two hundred new incidents are twenty messages and one that counts the others."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(200))
    [body] = table.kinds(PageFlooded)

    assert isinstance(body, PageFlooded)
    assert MOST_AT_ONCE == len(seen(table))
    assert 180 == body.count
    assert MOST_AT_ONCE + 1 == len(table.effects(OpenThread))


def test_updates_about_the_open_incident_come_first_in_a_flood() -> None:
    """They are not among those that are only counted."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    reads(table, word("u", "ours", names=(API,)), *flood(200, elsewhere=True))

    assert "ours" in {body.notice.id for body in table.kinds(NoticeSeen) if isinstance(body, NoticeSeen)}
    assert [1, 0] == [sum(x.incident == 1 for x in table.facts if isinstance(x.body, k)) for k in (NoticeSeen, PageFlooded)]


def test_lasting_flood_is_limited_per_hour() -> None:
    """So many updates an hour, and one post an hour about the rest."""
    table = Table().all_well()
    reads(table)
    for minute in range(30):
        reads(table, *flood(200, f"{minute}/"))

    assert MOST_AN_HOUR + 1 == len(table.effects(OpenThread))
    table.now += FLOOD_TOLD_EVERY
    reads(table, *flood(200, "later/"))
    assert MOST_AN_HOUR + 1 + MOST_AT_ONCE + 1 == len(table.effects(OpenThread))


def test_notice_that_ends_in_a_flood_is_over() -> None:
    """Although its end was only counted."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(20))
    reads(table, *flood(20, update="v"), *flood(10, update="w", status="resolved"))

    assert 10 == len(table.world.provider("anthropic").notices)


def test_ids_on_the_page_are_kept_and_others_dropped_in_time() -> None:
    """Their number is bounded, and nothing still on the page is posted twice."""
    table = Table().all_well()
    lasting = word("u", "lasting")
    reads(table, lasting)
    for hour in range(20):
        reads(table, lasting, *flood(500, f"{hour}/"))
        assert sum(map(len, table.world.provider("anthropic").seen.values())) <= MOST_REMEMBERED

    state = table.world.provider("anthropic")
    assert 1 == Counter(recorded(table))["lasting", "u"]
    assert set(state.heard) <= set(state.seen)
    assert len(state.notices) <= 50


def test_facts_rebuild_the_state_after_a_flood_and_dropped_ids() -> None:
    """State rows can be rebuilt from the facts."""
    table = Table().all_well()
    for hour in range(14):
        reads(table, *flood(500, f"{hour}/"))
    world = World()
    for fact in table.facts:
        world = evolve(world, fact)

    assert table.kinds(UpdatesForgotten)
    assert table.world.providers == world.providers


class Counting(tuple[Notice, ...]):
    """A page's notices that count how often they are iterated."""

    walks = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        type(self).walks += 1
        return super().__iter__()


def test_work_is_linear_in_what_a_page_shows() -> None:
    """The whole page is gone through a few times for a reading, not once for each of its updates."""
    notices = Counting(flood(2_000))
    report = FeedReport("anthropic", START, FeedState.FRESH, notices=notices, page="p")
    table = Table().all_well()
    table.send(s.FeedRead(actor=PAGE, report=report))

    assert Counting.walks <= 6
    assert [] == list(read(report, table.world.provider("anthropic"), None).news)
