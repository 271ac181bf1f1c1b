"""What a vendor's page says is written down once, whatever its clock says, however much it says at once."""

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
    """Every update that was written down, by itself or among many."""
    found: list[tuple[str, str]] = []
    for fact in table.facts:
        match fact.body:
            case NoticeSeen(notice=n):
                found.append((n.id, n.update))
            case PageFlooded(updates=updates):
                found += [(id, update) for id, ids in updates.items() for update in ids]
    return found


def seen(table: Table) -> list[str]:
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


def test_two_updates_posted_at_once_are_both_recorded() -> None:
    """The vendor opens and identifies within one poll."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u1"), word("u2", status="identified"))

    assert ["u1", "u2"] == seen(table)


def test_an_update_that_is_dated_back_is_recorded() -> None:
    """Vendors write up at noon what they saw at nine."""
    table = Table().all_well()
    reads(table, word("u1"))
    reads(table, word("u0", at=START - timedelta(hours=3)), word("u1"))

    assert ["u1", "u0"] == seen(table)


def test_what_follows_an_update_of_the_year_9999_is_recorded() -> None:
    """Nothing can have been said after we read it, so that is when it was said; the end is not missed."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u1", at=NEVER))
    reads(table, word("u1", at=NEVER), word("u2", status="resolved"))
    [first, _] = table.kinds(NoticeSeen)

    assert ["u1", "u2"] == seen(table)
    assert isinstance(first, NoticeSeen)
    assert START + timedelta(minutes=1) == first.notice.at
    assert () == table.world.provider("anthropic").notices


def test_a_deleted_update_is_not_recorded_again_when_it_comes_back() -> None:
    """Content networks show an old page for a while."""
    table = Table().all_well()
    reads(table)
    for shown in (["u1", "u2"], ["u1"], [], ["u1", "u2"]):
        reads(table, *map(word, shown))

    assert ["u1", "u2"] == seen(table)


def test_an_edited_update_is_not_recorded_again() -> None:
    """The same id with other words is no new word."""
    table = Table().all_well()
    reads(table, word("u1"))
    reads(table, replace(word("u1", at=START + timedelta(minutes=5)), body="typo mended"))

    assert ["u1"] == seen(table)


# --- history


def test_history_stays_quiet_when_the_page_is_read_for_the_first_time() -> None:
    """The newest word of what goes on is enough; what is over for days is not told at all."""
    table = Table().all_well()
    days = timedelta(days=3)
    old = [word("o1", "old", at=START - days), word("o2", "old", status="resolved", at=START - days)]
    reads(table, *old, word("u1"), word("u2"))
    reads(table, *old, word("u1"), word("u2"), word("u3"))

    assert ["u2", "u3"] == seen(table)


def test_history_stays_quiet_when_a_second_address_shows_more_of_it() -> None:
    """The summary failed, and the list of incidents was read instead: fifty old incidents are no news."""
    table = Table().all_well()
    reads(table, word("u1"))
    old = [word("a", "old", at=START - timedelta(hours=2)), word("b", "old", status="resolved", at=START - timedelta(hours=1))]
    reads(table, *old, word("u1"), word("u2"), page="incidents")

    assert ["u1", "b", "u2"] == seen(table)


def test_the_second_address_tells_what_the_first_one_left_out() -> None:
    """An update of an incident that we know is news, also where it stands before the last one that we read."""
    table = Table().all_well()
    reads(table, word("u2"))
    reads(table, word("u1"), word("u2"), page="incidents")

    assert ["u2", "u1"] == seen(table)


def test_what_was_said_since_our_incident_began_is_recorded_at_the_first_reading() -> None:
    """The page could not be read until now; the timeline has every update of this outage, and none from before."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.passes(5)
    began = table.world.incidents[1].began_at
    reads(table, word("u1", at=began - timedelta(hours=1)), word("u2", at=began), word("u3", at=began))

    assert ["u2", "u3"] == seen(table)


def test_an_update_that_stands_twice_on_the_page_is_recorded_once() -> None:
    """Under one id the first one counts."""
    table = Table().all_well()
    reads(table)
    reads(table, word("u1"), word("u1", status="resolved"))

    assert ["u1"] == seen(table)


def test_what_was_long_over_when_it_was_posted_is_noted_and_told_to_nobody() -> None:
    """A write-up of last week is in the ledger, and does not make the vendor the first to speak of today's outage."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    posted = len(table.effects(OpenThread))
    reads(table, word("u1", status="resolved", at=START - timedelta(days=8), names=(API,)))

    assert ["u1"] == seen(table)
    assert posted == len(table.effects(OpenThread))
    assert table.incident().vendor.first_at is None


def test_the_end_of_what_we_know_is_told_however_far_it_is_dated_back() -> None:
    """The vendor says a week later that it ended at once."""
    table = Table().all_well()
    reads(table, word("u1"))
    table.now += timedelta(days=7)
    reads(table, word("u1"), word("u2", status="resolved"))

    assert ["u1", "u2"] == seen(table)
    assert 1 == len(table.effects(ReplyInThread))


def test_a_ledger_that_knows_no_ids_begins_after_the_last_update_that_it_wrote_down() -> None:
    """Ledgers written before know only the newest update of each notice; its earlier ones are not told anew."""
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


def test_a_page_that_says_too_much_is_told_in_one_message_for_the_rest() -> None:
    """Two hundred new incidents are twenty messages and one that counts the others."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(200))
    [body] = table.kinds(PageFlooded)

    assert isinstance(body, PageFlooded)
    assert MOST_AT_ONCE == len(seen(table))
    assert 180 == body.count
    assert MOST_AT_ONCE + 1 == len(table.effects(OpenThread))


def test_what_touches_the_open_incident_is_told_first_when_there_is_too_much() -> None:
    """The one update that people wait for is not among those that are only counted."""
    table = Table().all_well()
    reads(table)
    table.sees(API, Level.DOWN)
    reads(table, word("u", "ours", names=(API,)), *flood(200, elsewhere=True))

    assert "ours" in {body.notice.id for body in table.kinds(NoticeSeen) if isinstance(body, NoticeSeen)}
    assert [1, 0] == [sum(x.incident == 1 for x in table.facts if isinstance(x.body, k)) for k in (NoticeSeen, PageFlooded)]


def test_a_page_that_floods_for_hours_is_not_told_of_for_hours() -> None:
    """So many updates an hour, and one word an hour about the rest."""
    table = Table().all_well()
    reads(table)
    for minute in range(30):
        reads(table, *flood(200, f"{minute}/"))

    assert MOST_AN_HOUR + 1 == len(table.effects(OpenThread))
    table.now += FLOOD_TOLD_EVERY
    reads(table, *flood(200, "later/"))
    assert MOST_AN_HOUR + 1 + MOST_AT_ONCE + 1 == len(table.effects(OpenThread))


def test_what_ends_in_a_flood_is_over() -> None:
    """A notice does not stand for ever because its end was only counted."""
    table = Table().all_well()
    reads(table)
    reads(table, *flood(20))
    reads(table, *flood(20, update="v"), *flood(10, update="w", status="resolved"))

    assert 10 == len(table.world.provider("anthropic").notices)


def test_what_the_page_shows_is_remembered_and_what_left_it_is_forgotten_in_time() -> None:
    """Ids are bounded; what could still be shown is never told twice."""
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


def test_a_ledger_folds_to_what_was_live_after_a_flood_and_forgetting() -> None:
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
    """A page's notices that count how often they are gone through."""

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
