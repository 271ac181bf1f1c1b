"""What every ledger promises, asked of SQLite's on threads and inline, and of PostgreSQL's."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.codec import encode
from bot.core.effects import TellPerson
from bot.core.model import Actor
from bot.core.record.fact import Body
from bot.core.record.incident_facts import Declared, NoteAdded
from bot.core.record.kinds import BODIES
from bot.ports import AlreadyHandled, Commit, Conflict, Ledger, OutboxRow, Settled, StateRow, Store, StoreError, StoreTrouble
from bot.store.rows import fact_hash
from bot.store.sqlite.ledgers import InlineLedger
from tests.contracts.ledgers import a_ledger
from tests.generated import instances
from tests.ledger_facts import NOON, OfTomorrow, after, an_incident, commit, declared, effect, fact, queued, texts
from tests.rebuilt import rebuild_states

LEASE = timedelta(seconds=90)


@pytest.fixture(params=["threaded", "inline", "postgres"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = await a_ledger(request, tmp_path)
    yield opened
    await opened.close()


async def claim(ledger: Ledger, at: datetime = NOON, limit: int = 16) -> list[OutboxRow]:
    return await ledger.write(lambda store: store.claim(at, "me", LEASE, limit))


async def settle(ledger: Ledger, row: OutboxRow, outcome: Settled, at: datetime = NOON) -> bool:
    return await ledger.write(lambda store: store.settle(row.id, row.attempt, outcome, at))


async def outbox_states(ledger: Ledger) -> dict[str, str]:
    rows = await ledger.read(lambda store: store.outbox())
    return {row.effect.key: row.state for row in rows}


# --- commits


async def test_a_commit_gives_back_its_facts_when_it_succeeds(ledger: Ledger) -> None:
    """What commit returns is what the stream holds from then on."""
    returned = await ledger.write(lambda store: store.commit(declared(1)))

    assert returned == await ledger.read(lambda store: store.facts("incident/1"))
    assert [("incident/1", 1, NOON, 1)] == [(f.stream, f.seq, f.at, f.incident) for f in returned]


async def test_a_commit_writes_nothing_when_a_part_of_it_conflicts(ledger: Ledger) -> None:
    """Facts, states, effects and the signal's id stand or fall together, even where the caller catches the conflict."""
    await ledger.write(lambda store: store.commit(declared(1)))
    bad = commit(
        fact("flag/a", 1), fact("incident/1", 5), signal="bad",
        states=(StateRow("flag/a", 1, "flag", "", {}),), effects=(effect("bad"),),
    )  # fmt: skip

    def work(store: Store) -> str:
        try:
            store.commit(bad)
        except Conflict as error:
            return str(error)
        return "no conflict"

    assert "incident/1 is at 1; fact 5 does not follow" == await ledger.write(work)
    assert [] == await ledger.read(lambda store: store.facts("flag/a"))
    assert ["incident/1"] == [row.stream for row in await ledger.read(lambda store: store.states())]
    assert {"INC-1": "pending"} == await outbox_states(ledger)
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), signal="bad")))


@pytest.mark.parametrize("seq", [0, 1, 3])
async def test_a_fact_is_refused_when_it_is_not_the_next_of_its_stream(ledger: Ledger, seq: int) -> None:
    """A stream's facts have the seqs 1, 2, 3 ... without a gap."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))

    with pytest.raises(Conflict):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", seq))))


async def test_a_state_is_refused_when_it_was_made_from_older_facts(ledger: Ledger) -> None:
    """A projection of what is no longer the newest fact would lose what others wrote."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), fact("flag/a", 2))))

    with pytest.raises(Conflict, match="flag/a is at 2; its state was made from 1"):
        await ledger.write(lambda store: store.commit(commit(states=(StateRow("flag/a", 1, "flag", "", {}),))))


async def test_a_state_names_the_newest_fact_when_that_fact_changed_nothing(ledger: Ledger) -> None:
    """A note changes no state; who loads the states must learn of its seq all the same."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2))))

    assert [2] == [row.seq for row in await ledger.read(lambda store: store.states())]


async def test_a_signal_is_refused_when_its_id_was_committed(ledger: Ledger) -> None:
    """One id is acted upon once; the second time writes nothing."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), signal="click")))

    with pytest.raises(AlreadyHandled):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 2), signal="click")))

    assert 1 == len(await ledger.read(lambda store: store.all_facts()))


def of(signal: str, digest: str, seq: int = 1) -> Commit:
    """A commit for a signal whose id a caller chose, with the digest of their request."""
    return replace(commit(fact("flag/a", seq), signal=signal), digests={signal: digest})


async def test_the_digest_of_a_request_is_remembered_with_its_key(ledger: Ledger) -> None:
    """Whoever asks, and after a restart: a second replica has nothing else to tell two requests of one key apart."""
    await ledger.write(lambda store: store.commit(of("api/k", "d1")))
    found = [await ledger.read(lambda store, id=id: store.digest_of(id)) for id in ("api/k", "api/k2")]  # type: ignore[misc]

    assert ["d1", None] == found


async def test_a_key_that_an_earlier_version_kept_has_no_digest(ledger: Ledger) -> None:
    """It is known, and that is all."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), signal="api/k")))

    assert "" == await ledger.read(lambda store: store.digest_of("api/k"))


async def test_another_digest_makes_a_key_no_other_one(ledger: Ledger) -> None:
    """It is acted upon once, and what it was used for first stays."""
    await ledger.write(lambda store: store.commit(of("api/k", "d1")))

    with pytest.raises(AlreadyHandled):
        await ledger.write(lambda store: store.commit(of("api/k", "d2", 2)))
    assert "d1" == await ledger.read(lambda store: store.digest_of("api/k"))


async def test_signals_without_id_are_not_remembered(ledger: Ledger) -> None:
    """An empty id means that repetition is harmless."""
    for seq in (1, 2):
        await ledger.write(lambda store, seq=seq: store.commit(commit(fact("flag/a", seq))))  # type: ignore[misc]

    assert 2 == len(await ledger.read(lambda store: store.facts("flag/a")))


async def test_facts_have_their_place_among_all_without_a_gap(ledger: Ledger) -> None:
    """A commit that came to nothing leaves no hole: who counts on from what it knows would wait for ever."""
    await ledger.write(lambda store: store.commit(declared(1)))
    with pytest.raises(Conflict):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), fact("incident/1", 7))))
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), fact("incident/1", 2))))

    assert 3 == await ledger.read(lambda store: store.position())


async def test_an_empty_ledger_stands_at_nothing(ledger: Ledger) -> None:
    """The first fact is number one."""
    assert (0, []) == await ledger.read(lambda store: (store.position(), store.facts_since(0)))


async def test_what_was_committed_since_a_position_comes_in_its_order(ledger: Ledger) -> None:
    """Across all streams, as they were committed, and nothing twice."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2), fact("flag/b", 1))))
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))

    since = [await ledger.read(lambda store, at=at: store.facts_since(at)) for at in range(5)]  # type: ignore[misc]
    names = ["incident/1", "incident/1", "flag/b", "flag/a"]
    assert [names, names[1:], names[2:], names[3:], []] == [[fact.stream for fact in facts] for facts in since]
    assert since[0] == await ledger.read(lambda store: store.all_facts())


async def test_a_commit_is_refused_when_it_was_decided_on_what_is_not_the_newest(ledger: Ledger) -> None:
    """Also where nobody touched its streams: whatever it did not know may have changed the decision."""
    await ledger.write(lambda store: store.commit(replace(declared(1), expects=0)))

    for position in (0, 2):
        late = replace(commit(fact("flag/a", 1), signal="click"), expects=position)
        with pytest.raises(Conflict, match=f"the ledger is at 1; this was decided at {position}"):
            await ledger.write(lambda store, late=late: store.commit(late))  # type: ignore[misc]
    await ledger.write(lambda store: store.commit(replace(commit(fact("flag/a", 1), signal="click"), expects=1)))


async def test_a_signal_that_was_handled_is_known_as_such_wherever_the_ledger_stands(ledger: Ledger) -> None:
    """Somebody clicked twice and two replicas heard it: the second one learns that it is done, not that it comes late."""
    await ledger.write(lambda store: store.commit(replace(commit(fact("flag/a", 1), signal="click"), expects=0)))

    with pytest.raises(AlreadyHandled):
        await ledger.write(lambda store: store.commit(replace(commit(fact("flag/b", 1), signal="click"), expects=0)))


async def test_one_of_two_commits_is_made_when_both_were_decided_on_the_same(ledger: Ledger) -> None:
    """The position is compared and moved in one."""
    tries = [replace(commit(fact(f"flag/{n}", 1)), expects=0) for n in range(16)]
    writes = [ledger.write(lambda store, one=one: store.commit(one)) for one in tries]  # type: ignore[misc]
    results = await asyncio.gather(*writes, return_exceptions=True)

    assert 15 == sum(isinstance(result, Conflict) for result in results)
    assert 1 == await ledger.read(lambda store: store.position())


async def test_the_kinds_behind_a_position_are_named_with_their_versions(ledger: Ledger) -> None:
    """Who skips many facts must know whether it could have understood them."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2), fact("incident/1", 3))))

    kinds = [await ledger.read(lambda store, at=at: store.kinds_since(at)) for at in (0, 1, 3)]  # type: ignore[misc]
    note = (NoteAdded.KIND, NoteAdded.VERSION)
    assert [{(Declared.KIND, Declared.VERSION), note}, {note}, set()] == kinds


@pytest.mark.parametrize("body", [OfTomorrow("test.of_tomorrow"), OfTomorrow(NoteAdded.KIND, NoteAdded.VERSION + 1)])
async def test_a_fact_of_a_newer_understudy_is_told_from_a_damaged_one(ledger: Ledger, body: Any) -> None:
    """Of the one the remedy is an upgrade, of the other a backup."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2, body))))

    with pytest.raises(StoreError) as error:
        await ledger.read(lambda store: store.facts_since(0))
    assert StoreTrouble.NEWER is error.value.kind


async def test_one_incident_opens_when_thirty_two_race(ledger: Ledger) -> None:
    """At most one incident per dedup key is open."""
    tries = [ledger.write(lambda store, n=n: store.commit(declared(n))) for n in range(1, 33)]  # type: ignore[misc]
    results = await asyncio.gather(*tries, return_exceptions=True)

    assert 31 == sum(isinstance(result, Conflict) for result in results)
    assert 1 == len(await ledger.read(lambda store: store.states()))
    assert 1 == len(await ledger.read(lambda store: store.outbox()))


async def test_a_dedup_key_passes_on_when_its_incident_ends_in_the_same_commit(ledger: Ledger) -> None:
    """An empty dedup gives the key back before the next one takes it, in whichever order they come."""
    await ledger.write(lambda store: store.commit(declared(1)))
    opening = declared(2)
    over = StateRow("incident/1", 2, "incident", "", {"phase": "resolved"})
    both = commit(fact("incident/1", 2), *opening.facts, states=(*opening.states, over))

    await ledger.write(lambda store: store.commit(both))

    rows = await ledger.read(lambda store: store.states())
    assert {"incident/1": "", "incident/2": "anthropic"} == {row.stream: row.dedup for row in rows}


# --- reading


async def test_facts_are_read_from_behind_a_seq(ledger: Ledger) -> None:
    """`after` cuts off what the reader has."""
    await ledger.write(lambda store: store.commit(commit(*(fact("flag/a", n) for n in range(1, 6)))))

    assert ["note 4", "note 5"] == texts(await ledger.read(lambda store: store.facts("flag/a", after=3)))


async def test_a_timeline_holds_the_stream_and_whatever_names_the_incident(ledger: Ledger) -> None:
    """In the order of commits, across streams, each fact once."""
    for item in (
        fact("component/x", 1, NoteAdded("before"), None),
        fact("incident/7", 1, NoteAdded("own"), 7),
        fact("component/x", 2, NoteAdded("named"), 7),
        fact("incident/7", 2, NoteAdded("own, unnamed"), None),
        fact("incident/8", 1, NoteAdded("other"), 8),
    ):
        await ledger.write(lambda store, item=item: store.commit(commit(item)))  # type: ignore[misc]

    assert ["own", "named", "own, unnamed"] == texts(await ledger.read(lambda store: store.facts_about(7)))
    assert ["before", "own", "named", "own, unnamed", "other"] == texts(await ledger.read(lambda store: store.all_facts()))


async def test_states_equal_the_folded_facts_after_a_whole_incident(ledger: Ledger) -> None:
    """State rows are projections: nothing is in them that the facts do not say."""
    for item in an_incident():
        await ledger.write(lambda store, item=item: store.commit(item))  # type: ignore[misc]

    rows = await ledger.read(lambda store: store.states())
    rebuilt = await ledger.read(rebuild_states)

    assert {stream: json.loads(json.dumps(encode(state))) for stream, state in rebuilt.items()} == {
        row.stream: row.body for row in rows
    }
    newest = {f.stream: f.seq for f in await ledger.read(lambda store: store.all_facts())}
    assert newest == {row.stream: row.seq for row in rows}
    assert {None} == {await ledger.read(lambda store, s=s: store.examine(s)) for s in newest}  # type: ignore[misc]
    assert len(newest) > 5


async def test_a_reader_cannot_write(ledger: Ledger) -> None:
    """`read` is for reading; whatever writes there is a mistake that shows at once."""
    with pytest.raises(Exception, match=r"read-?only"):
        await ledger.read(lambda store: store.put_setting("a", "b"))

    assert await ledger.read(lambda store: store.setting("a")) is None


async def test_a_failing_write_undoes_itself_and_raises_to_its_caller(ledger: Ledger) -> None:
    """What `work` wrote before it failed is gone."""

    def work(store: Store) -> None:
        store.put_setting("a", "1")
        raise LookupError("later")

    with pytest.raises(LookupError, match="later"):
        await ledger.write(work)

    assert await ledger.read(lambda store: store.setting("a")) is None


async def test_hostile_text_comes_back_whole(ledger: Ledger) -> None:
    """NUL, lone surrogates, right-to-left marks and markup are kept as they came; an id spells the first two out."""
    hostile = "a\x00b \ud800 \udfff \u202e <!channel> '\"; DROP TABLE facts; \U0001f525"
    await ledger.write(lambda store: store.commit(commit(
        fact("provider/x", 1, NoteAdded(hostile)), signal=hostile, effects=(effect(f"quiet/{hostile}", text=hostile),)
    )))  # fmt: skip
    await ledger.write(lambda store: store.put_setting(hostile, hostile))
    await ledger.write(lambda store: store.first_sight(hostile, NOON, LEASE))
    [row] = await claim(ledger)
    assert await settle(ledger, row, Settled("dead", error=hostile, result={"name": hostile}))

    [stored] = await ledger.read(lambda store: store.facts("provider/x"))
    held = await ledger.read(lambda store: store.outbox_row(f"quiet/{hostile}"))
    spelled = hostile.replace("\0", "\\x00").replace("\ud800", "\\ud800").replace("\udfff", "\\udfff")
    assert held is not None
    assert (hostile, hostile) == (stored.body.text, held.result["name"])  # type: ignore[attr-defined]
    assert TellPerson(hostile) == held.effect.body
    assert (f"quiet/{spelled}", spelled) == (held.effect.key, held.error)
    assert spelled == await ledger.read(lambda store: store.setting(hostile))
    assert not await ledger.write(lambda store: store.first_sight(hostile, NOON, LEASE))


async def test_a_time_without_zone_is_refused(ledger: Ledger) -> None:
    """A naive time would be somebody's guess; nothing is written."""
    with pytest.raises(TypeError):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), at=NOON.replace(tzinfo=None))))

    assert [] == await ledger.read(lambda store: store.all_facts())


@pytest.mark.parametrize("kind", sorted(BODIES))
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_every_kind_of_fact_comes_back_as_it_went(kind: str, data: Any) -> None:
    """Whatever a fact says, in any script, with any time: the ledger gives the same back, and the chain holds."""
    ledger = InlineLedger.open()
    body: Body = data.draw(instances(BODIES[kind]))
    actor: Actor = data.draw(instances(Actor))
    at: datetime = data.draw(instances(datetime))
    new = fact("incident/1", 1, body, 1)

    [stored] = ledger.store.commit(commit(type(new)(new.stream, 1, actor, 1, body), at=at))
    [read] = ledger.store.facts("incident/1")

    assert (body, actor, at) == (read.body, read.actor, read.at)
    assert stored == read
    row = ledger.conn.execute("SELECT * FROM facts").fetchone()
    assert fact_hash(row) == row["hash"]
    ledger.conn.close()


# --- the outbox


async def test_a_claim_takes_the_oldest_of_each_lane(ledger: Ledger) -> None:
    """One row per lane at a time; the next one waits until the first is finished."""
    effects = [effect(f"{lane}{n}", lane) for n in (1, 2) for lane in "ab"]
    await ledger.write(lambda store: store.commit(queued(*effects)))

    first = await claim(ledger)
    assert [("a1", "sending", 1), ("b1", "sending", 1)] == [(r.effect.key, r.state, r.attempt) for r in first]
    assert effects[0] == first[0].effect
    assert [] == await claim(ledger)
    await settle(ledger, first[0], Settled("done", result={"ts": "1.2"}))
    assert ["a2"] == [row.effect.key for row in await claim(ledger)]

    done = await ledger.read(lambda store: store.outbox_row("a1"))
    assert done is not None and ("done", {"ts": "1.2"}) == (done.state, done.result)


async def test_a_claim_takes_no_more_than_its_limit(ledger: Ledger) -> None:
    """The oldest come first."""
    await ledger.write(lambda store: store.commit(queued(*(effect(f"k{n}", f"lane {n}") for n in range(5)))))

    assert ["k0", "k1"] == [row.effect.key for row in await claim(ledger, limit=2)]


async def test_an_effect_is_queued_once_when_its_key_comes_again(ledger: Ledger) -> None:
    """A key names one effect for ever, done or not."""
    await ledger.write(lambda store: store.commit(queued(effect("k", text="first"))))
    [row] = await claim(ledger)
    await settle(ledger, row, Settled("done"))
    await ledger.write(lambda store: store.commit(queued(effect("k", text="again"))))

    assert [TellPerson("first")] == [row.effect.body for row in await ledger.read(lambda store: store.outbox())]
    assert [] == await claim(ledger)


async def test_a_row_waits_when_its_retry_is_not_due(ledger: Ledger) -> None:
    """`not_before` holds the whole lane; a second claim counts as a second attempt."""
    await ledger.write(lambda store: store.commit(queued(effect("a"), effect("b"))))
    [row] = await claim(ledger)
    await settle(ledger, row, Settled("pending", after(10), error="rate limited"))

    assert [] == await claim(ledger, after(9))
    assert after(10) == await ledger.read(lambda store: store.next_due(NOON))
    [again] = await claim(ledger, after(10))
    assert ("a", 2, "rate limited", NOON, after(10)) == (
        again.effect.key, again.attempt, again.error, again.first_started_at, again.started_at
    )  # fmt: skip


async def test_of_several_edits_in_one_commit_only_the_last_is_made(ledger: Ledger) -> None:
    """In its own place: behind what was to be said before it."""
    edits = effect("edit 1", slot="card/1"), effect("line"), effect("edit 2", slot="card/1"), effect("other", slot="card/2")
    await ledger.write(lambda store: store.commit(queued(*edits)))

    order = []
    while rows := await claim(ledger):
        order += [row.effect.key for row in rows]
        await settle(ledger, rows[0], Settled("done"))
    assert ["line", "edit 2", "other"] == order


async def test_a_newer_edit_supersedes_a_pending_one_of_its_slot(ledger: Ledger) -> None:
    """Only the last edit of a card matters; it takes its own place in the lane."""
    await ledger.write(lambda store: store.commit(queued(effect("post"), effect("edit 1", slot="card/1"), effect("line"))))
    await ledger.write(lambda store: store.commit(queued(effect("edit 2", slot="card/1"), effect("other", slot="card/2"))))

    assert {"post": "pending", "edit 1": "superseded", "line": "pending", "edit 2": "pending", "other": "pending"} == (
        await outbox_states(ledger)
    )
    order = []
    while rows := await claim(ledger):
        order += [row.effect.key for row in rows]
        await settle(ledger, rows[0], Settled("done"))
    assert ["post", "line", "edit 2", "other"] == order


async def test_an_edit_under_way_is_not_repeated_when_a_newer_one_waits(ledger: Ledger) -> None:
    """It would be pending again after a refusal; the newer edit says all that it would."""
    await ledger.write(lambda store: store.commit(queued(effect("edit 1", slot="card/1"))))
    [row] = await claim(ledger)
    await ledger.write(lambda store: store.commit(queued(effect("edit 2", slot="card/1"))))
    assert {"edit 1": "sending", "edit 2": "pending"} == await outbox_states(ledger)

    assert await settle(ledger, row, Settled("pending", after(5)))

    assert {"edit 1": "superseded", "edit 2": "pending"} == await outbox_states(ledger)


async def test_an_ambiguous_row_is_claimed_as_such_and_counts_its_rounds(ledger: Ledger) -> None:
    """It is looked up, not sent; when it turns out unsent, it starts afresh as pending."""
    await ledger.write(lambda store: store.commit(queued(effect("a"))))
    [row] = await claim(ledger)
    await settle(ledger, row, Settled("ambiguous", after(30), error="timeout"))
    assert [] == await claim(ledger, after(29))

    [first] = await claim(ledger, after(30))
    await settle(ledger, first, Settled("ambiguous", after(31)), after(30))
    [second] = await claim(ledger, after(31))
    assert [("ambiguous", 1), ("ambiguous", 2)] == [(r.state, r.ambiguous_rounds) for r in (first, second)]
    assert {"a": "sending"} == await outbox_states(ledger)

    await settle(ledger, second, Settled("pending"), after(32))
    [fresh] = await claim(ledger, after(32))
    assert ("sending", 0, 4, NOON) == (fresh.state, fresh.ambiguous_rounds, fresh.attempt, fresh.first_started_at)


async def test_a_row_becomes_ambiguous_when_its_lease_ran_out(ledger: Ledger) -> None:
    """Its sender died or hangs; what it did is unknown, and its late word no longer counts."""
    await ledger.write(lambda store: store.commit(queued(effect("a"))))
    [lost] = await claim(ledger)
    assert NOON + LEASE == await ledger.read(lambda store: store.next_due(NOON))
    assert [] == await claim(ledger, after(89))

    [taken] = await claim(ledger, after(90))

    assert ("ambiguous", 2, 1) == (taken.state, taken.attempt, taken.ambiguous_rounds)
    assert not await settle(ledger, lost, Settled("done"), after(91))
    assert await settle(ledger, taken, Settled("done"), after(92))
    assert not await settle(ledger, taken, Settled("dead"), after(93))
    assert {"a": "done"} == await outbox_states(ledger)


async def test_claims_of_a_dead_process_wait_out_the_settle_time(ledger: Ledger) -> None:
    """Counted from when each was started; rows that nobody had begun stay pending."""
    await ledger.write(lambda store: store.commit(queued(effect("a", "a"), effect("b", "b"), effect("b2", "b"))))
    await claim(ledger)

    assert 2 == await ledger.write(lambda store: store.release_claims(after(10), timedelta(seconds=30)))

    assert {"a": "ambiguous", "b": "ambiguous", "b2": "pending"} == await outbox_states(ledger)
    assert after(30) == await ledger.read(lambda store: store.next_due(NOON))
    assert [] == await claim(ledger, after(29))
    assert ["ambiguous", "ambiguous"] == [row.state for row in await claim(ledger, after(30))]


async def test_a_dead_row_lets_its_lane_go_on(ledger: Ledger) -> None:
    """What cannot be done is given up; what waits behind it is not."""
    await ledger.write(lambda store: store.commit(queued(effect("a"), effect("b"))))
    [row] = await claim(ledger)
    await settle(ledger, row, Settled("dead", error="channel_not_found"))

    assert ["b"] == [row.effect.key for row in await claim(ledger)]
    assert ["a"] == [row.effect.key for row in await ledger.read(lambda store: store.outbox("dead", "done"))]


async def test_nothing_is_due_when_nothing_waits(ledger: Ledger) -> None:
    """None tells the outbox to sleep until it is woken."""
    assert await ledger.read(lambda store: store.next_due(NOON)) is None
    assert await ledger.read(lambda store: store.outbox_row("nothing")) is None


async def test_a_try_cannot_come_to_a_state_that_is_not_its_own(ledger: Ledger) -> None:
    """`sending` and `superseded` are the store's to give."""
    with pytest.raises(ValueError, match="sending"):
        await ledger.write(lambda store: store.settle(1, 1, Settled("sending"), NOON))


# --- seen ids and settings


async def test_an_id_is_new_again_when_its_time_is_over(ledger: Ledger) -> None:
    """Each id is kept for its own time."""
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    sights = [("a", 0, minute), ("b", 0, hour), ("a", 59, minute), ("a", 60, minute), ("b", 3_599, hour), ("b", 3_600, hour)]

    seen = [
        await ledger.write(lambda store, s=s: store.first_sight(s[0], after(s[1]), s[2]))  # type: ignore[misc]
        for s in sights
    ]

    assert [True, True, False, True, False, True] == seen


async def test_an_id_is_new_again_when_it_was_forgotten(ledger: Ledger) -> None:
    """That one alone; forgetting what is not known does nothing."""
    for id in ("a", "b"):
        await ledger.write(lambda store, id=id: store.first_sight(id, NOON, LEASE))  # type: ignore[misc]
    for id in ("a", "never seen"):
        await ledger.write(lambda store, id=id: store.forget_sight(id))  # type: ignore[misc]

    first = [await ledger.write(lambda store, id=id: store.first_sight(id, NOON, LEASE)) for id in ("a", "b")]  # type: ignore[misc]
    assert [True, False] == first


async def test_a_setting_is_the_last_one_put(ledger: Ledger) -> None:
    """None until the first."""
    assert await ledger.read(lambda store: store.setting("slot")) is None
    for value in ("1", "2"):
        await ledger.write(lambda store, value=value: store.put_setting("slot", value))  # type: ignore[misc]

    assert "2" == await ledger.read(lambda store: store.setting("slot"))


# --- crashes


async def test_everything_stands_when_an_inline_ledger_is_opened_again() -> None:
    """A crash in a simulation: the file stays, an unfinished transaction does not."""
    ledger = InlineLedger.open()
    await ledger.write(lambda store: store.commit(declared(1)))
    ledger.conn.execute("BEGIN IMMEDIATE")
    ledger.store.put_setting("half", "done")

    again = ledger.reopened()

    assert [Declared] == [type(f.body) for f in await again.read(lambda store: store.all_facts())]
    assert await again.read(lambda store: store.setting("half")) is None
    await again.close()
