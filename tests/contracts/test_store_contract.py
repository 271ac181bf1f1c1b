"""What every ledger guarantees: SQLite on threads, SQLite inline, and PostgreSQL."""

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


async def test_commit_returns_its_facts(ledger: Ledger) -> None:
    """They are what the stream contains from then on."""
    returned = await ledger.write(lambda store: store.commit(declared(1)))

    assert returned == await ledger.read(lambda store: store.facts("incident/1"))
    assert [("incident/1", 1, NOON, 1)] == [(f.stream, f.seq, f.at, f.incident) for f in returned]


async def test_conflicting_commit_writes_nothing(ledger: Ledger) -> None:
    """Facts, states, effects and the signal's id are written together or not at all, even if the caller catches the error."""
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
async def test_fact_must_be_the_next_of_its_stream(ledger: Ledger, seq: int) -> None:
    """The facts of a stream are numbered 1, 2, 3 ... without a gap."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))

    with pytest.raises(Conflict):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", seq))))


async def test_state_from_older_facts_is_refused(ledger: Ledger) -> None:
    """It would lose what others wrote."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), fact("flag/a", 2))))

    with pytest.raises(Conflict, match="flag/a is at 2; its state was made from 1"):
        await ledger.write(lambda store: store.commit(commit(states=(StateRow("flag/a", 1, "flag", "", {}),))))


async def test_state_names_the_newest_fact_even_if_that_changed_nothing(ledger: Ledger) -> None:
    """A note changes no state, but whoever loads the state must learn the note's number."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2))))

    assert [2] == [row.seq for row in await ledger.read(lambda store: store.states())]


async def test_signal_with_a_known_id_is_refused(ledger: Ledger) -> None:
    """Each id is acted upon once."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), signal="click")))

    with pytest.raises(AlreadyHandled):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 2), signal="click")))

    assert 1 == len(await ledger.read(lambda store: store.all_facts()))


def of(signal: str, digest: str, seq: int = 1) -> Commit:
    """A commit for a signal whose id a caller chose, with the digest of their request."""
    return replace(commit(fact("flag/a", seq), signal=signal), digests={signal: digest})


async def test_digest_of_a_request_is_stored_with_its_key(ledger: Ledger) -> None:
    """After a restart, or on a second replica, nothing else distinguishes two requests with the same key."""
    await ledger.write(lambda store: store.commit(of("api/k", "d1")))
    found = [await ledger.read(lambda store, id=id: store.digest_of(id)) for id in ("api/k", "api/k2")]  # type: ignore[misc]

    assert ["d1", None] == found


async def test_key_from_an_earlier_version_has_no_digest(ledger: Ledger) -> None:
    """Only the key is known."""
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), signal="api/k")))

    assert "" == await ledger.read(lambda store: store.digest_of("api/k"))


async def test_key_with_another_digest_is_still_the_same_key(ledger: Ledger) -> None:
    """It is acted upon once, and its first digest stays."""
    await ledger.write(lambda store: store.commit(of("api/k", "d1")))

    with pytest.raises(AlreadyHandled):
        await ledger.write(lambda store: store.commit(of("api/k", "d2", 2)))
    assert "d1" == await ledger.read(lambda store: store.digest_of("api/k"))


async def test_signals_without_id_are_not_stored(ledger: Ledger) -> None:
    """An empty id means that repeating it is harmless."""
    for seq in (1, 2):
        await ledger.write(lambda store, seq=seq: store.commit(commit(fact("flag/a", seq))))  # type: ignore[misc]

    assert 2 == len(await ledger.read(lambda store: store.facts("flag/a")))


async def test_positions_of_facts_have_no_gaps(ledger: Ledger) -> None:
    """A rolled-back commit leaves no hole, for which a follower would wait for ever."""
    await ledger.write(lambda store: store.commit(declared(1)))
    with pytest.raises(Conflict):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), fact("incident/1", 7))))
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), fact("incident/1", 2))))

    assert 3 == await ledger.read(lambda store: store.position())


async def test_position_of_an_empty_ledger_is_zero(ledger: Ledger) -> None:
    """The first fact is number one."""
    assert (0, []) == await ledger.read(lambda store: (store.position(), store.facts_since(0)))


async def test_facts_after_a_position_come_in_order_of_commit(ledger: Ledger) -> None:
    """Across all streams, and none twice."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2), fact("flag/b", 1))))
    await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1))))

    since = [await ledger.read(lambda store, at=at: store.facts_since(at)) for at in range(5)]  # type: ignore[misc]
    names = ["incident/1", "incident/1", "flag/b", "flag/a"]
    assert [names, names[1:], names[2:], names[3:], []] == [[fact.stream for fact in facts] for facts in since]
    assert since[0] == await ledger.read(lambda store: store.all_facts())


async def test_commit_decided_on_an_outdated_position_is_refused(ledger: Ledger) -> None:
    """Even if nobody touched its streams: the unseen facts may have changed the decision."""
    await ledger.write(lambda store: store.commit(replace(declared(1), expects=0)))

    for position in (0, 2):
        late = replace(commit(fact("flag/a", 1), signal="click"), expects=position)
        with pytest.raises(Conflict, match=f"the ledger is at 1; this was decided at {position}"):
            await ledger.write(lambda store, late=late: store.commit(late))  # type: ignore[misc]
    await ledger.write(lambda store: store.commit(replace(commit(fact("flag/a", 1), signal="click"), expects=1)))


async def test_repeated_signal_is_recognised_at_any_position(ledger: Ledger) -> None:
    """If two replicas receive the same double click, the second learns that it was handled, not that it is late."""
    await ledger.write(lambda store: store.commit(replace(commit(fact("flag/a", 1), signal="click"), expects=0)))

    with pytest.raises(AlreadyHandled):
        await ledger.write(lambda store: store.commit(replace(commit(fact("flag/b", 1), signal="click"), expects=0)))


async def test_only_one_of_two_commits_on_the_same_position_succeeds(ledger: Ledger) -> None:
    """The position is compared and advanced atomically."""
    tries = [replace(commit(fact(f"flag/{n}", 1)), expects=0) for n in range(16)]
    writes = [ledger.write(lambda store, one=one: store.commit(one)) for one in tries]  # type: ignore[misc]
    results = await asyncio.gather(*writes, return_exceptions=True)

    assert 15 == sum(isinstance(result, Conflict) for result in results)
    assert 1 == await ledger.read(lambda store: store.position())


async def test_kinds_of_facts_after_a_position_are_listed_with_versions(ledger: Ledger) -> None:
    """A follower that skips many facts must know whether it would have understood them."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2), fact("incident/1", 3))))

    kinds = [await ledger.read(lambda store, at=at: store.kinds_since(at)) for at in (0, 1, 3)]  # type: ignore[misc]
    note = (NoteAdded.KIND, NoteAdded.VERSION)
    assert [{(Declared.KIND, Declared.VERSION), note}, {note}, set()] == kinds


@pytest.mark.parametrize("body", [OfTomorrow("test.of_tomorrow"), OfTomorrow(NoteAdded.KIND, NoteAdded.VERSION + 1)])
async def test_fact_of_a_newer_version_is_distinguished_from_a_damaged_one(ledger: Ledger, body: Any) -> None:
    """One needs an upgrade, the other a backup."""
    await ledger.write(lambda store: store.commit(declared(1)))
    await ledger.write(lambda store: store.commit(commit(fact("incident/1", 2, body))))

    with pytest.raises(StoreError) as error:
        await ledger.read(lambda store: store.facts_since(0))
    assert StoreTrouble.NEWER is error.value.kind


async def test_one_incident_opens_when_thirty_two_try_at_once(ledger: Ledger) -> None:
    """At most one incident per dedup key is open."""
    tries = [ledger.write(lambda store, n=n: store.commit(declared(n))) for n in range(1, 33)]  # type: ignore[misc]
    results = await asyncio.gather(*tries, return_exceptions=True)

    assert 31 == sum(isinstance(result, Conflict) for result in results)
    assert 1 == len(await ledger.read(lambda store: store.states()))
    assert 1 == len(await ledger.read(lambda store: store.outbox()))


async def test_dedup_key_is_free_in_the_commit_that_ends_its_incident(ledger: Ledger) -> None:
    """The key is released before the next incident takes it, in whichever order the states are given."""
    await ledger.write(lambda store: store.commit(declared(1)))
    opening = declared(2)
    over = StateRow("incident/1", 2, "incident", "", {"phase": "resolved"})
    both = commit(fact("incident/1", 2), *opening.facts, states=(*opening.states, over))

    await ledger.write(lambda store: store.commit(both))

    rows = await ledger.read(lambda store: store.states())
    assert {"incident/1": "", "incident/2": "anthropic"} == {row.stream: row.dedup for row in rows}


# --- reading


async def test_facts_are_read_after_a_number(ledger: Ledger) -> None:
    """`after` skips what the reader already has."""
    await ledger.write(lambda store: store.commit(commit(*(fact("flag/a", n) for n in range(1, 6)))))

    assert ["note 4", "note 5"] == texts(await ledger.read(lambda store: store.facts("flag/a", after=3)))


async def test_timeline_includes_facts_of_other_streams_that_name_the_incident(ledger: Ledger) -> None:
    """In order of commit, each fact once."""
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


async def test_stored_states_equal_the_folded_facts(ledger: Ledger) -> None:
    """After a whole incident: states contain nothing that the facts do not say."""
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


async def test_reader_cannot_write(ledger: Ledger) -> None:
    """`read` is for reading; a write in it fails at once."""
    with pytest.raises(Exception, match=r"read-?only"):
        await ledger.read(lambda store: store.put_setting("a", "b"))

    assert await ledger.read(lambda store: store.setting("a")) is None


async def test_failed_write_is_rolled_back_and_raises(ledger: Ledger) -> None:
    """What `work` wrote before it failed is gone."""

    def work(store: Store) -> None:
        store.put_setting("a", "1")
        raise LookupError("later")

    with pytest.raises(LookupError, match="later"):
        await ledger.write(work)

    assert await ledger.read(lambda store: store.setting("a")) is None


async def test_hostile_text_is_stored_unchanged(ledger: Ledger) -> None:
    """Right-to-left marks and markup are kept; in ids, NUL and lone surrogates are spelled out."""
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


async def test_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    """A naive time would be a guess; nothing is written."""
    with pytest.raises(TypeError):
        await ledger.write(lambda store: store.commit(commit(fact("flag/a", 1), at=NOON.replace(tzinfo=None))))

    assert [] == await ledger.read(lambda store: store.all_facts())


@pytest.mark.parametrize("kind", sorted(BODIES))
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_every_kind_of_fact_is_read_back_unchanged(kind: str, data: Any) -> None:
    """With any text and any time, and its hash chain holds."""
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


async def test_claim_takes_the_oldest_row_of_each_lane(ledger: Ledger) -> None:
    """One row per lane at a time; the next waits until it is finished."""
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


async def test_claim_takes_no_more_than_its_limit(ledger: Ledger) -> None:
    """The oldest come first."""
    await ledger.write(lambda store: store.commit(queued(*(effect(f"k{n}", f"lane {n}") for n in range(5)))))

    assert ["k0", "k1"] == [row.effect.key for row in await claim(ledger, limit=2)]


async def test_effect_with_a_known_key_is_not_queued_again(ledger: Ledger) -> None:
    """A key belongs to one effect for ever, done or not."""
    await ledger.write(lambda store: store.commit(queued(effect("k", text="first"))))
    [row] = await claim(ledger)
    await settle(ledger, row, Settled("done"))
    await ledger.write(lambda store: store.commit(queued(effect("k", text="again"))))

    assert [TellPerson("first")] == [row.effect.body for row in await ledger.read(lambda store: store.outbox())]
    assert [] == await claim(ledger)


async def test_row_waits_until_its_retry_is_due(ledger: Ledger) -> None:
    """`not_before` blocks the whole lane; a second claim counts as a second attempt."""
    await ledger.write(lambda store: store.commit(queued(effect("a"), effect("b"))))
    [row] = await claim(ledger)
    await settle(ledger, row, Settled("pending", after(10), error="rate limited"))

    assert [] == await claim(ledger, after(9))
    assert after(10) == await ledger.read(lambda store: store.next_due(NOON))
    [again] = await claim(ledger, after(10))
    assert ("a", 2, "rate limited", NOON, after(10)) == (
        again.effect.key, again.attempt, again.error, again.first_started_at, again.started_at
    )  # fmt: skip


async def test_only_the_last_of_several_edits_in_one_commit_is_queued(ledger: Ledger) -> None:
    """In its own place, behind what was queued before it."""
    edits = effect("edit 1", slot="card/1"), effect("line"), effect("edit 2", slot="card/1"), effect("other", slot="card/2")
    await ledger.write(lambda store: store.commit(queued(*edits)))

    order = []
    while rows := await claim(ledger):
        order += [row.effect.key for row in rows]
        await settle(ledger, rows[0], Settled("done"))
    assert ["line", "edit 2", "other"] == order


async def test_newer_edit_supersedes_a_pending_one(ledger: Ledger) -> None:
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


async def test_refused_edit_is_not_retried_when_a_newer_one_waits(ledger: Ledger) -> None:
    """The newer edit contains everything."""
    await ledger.write(lambda store: store.commit(queued(effect("edit 1", slot="card/1"))))
    [row] = await claim(ledger)
    await ledger.write(lambda store: store.commit(queued(effect("edit 2", slot="card/1"))))
    assert {"edit 1": "sending", "edit 2": "pending"} == await outbox_states(ledger)

    assert await settle(ledger, row, Settled("pending", after(5)))

    assert {"edit 1": "superseded", "edit 2": "pending"} == await outbox_states(ledger)


async def test_ambiguous_row_is_claimed_as_ambiguous(ledger: Ledger) -> None:
    """It is looked up instead of sent, and becomes pending again if it turns out not to have been sent."""
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


async def test_row_becomes_ambiguous_when_its_lease_expires(ledger: Ledger) -> None:
    """Its sender died or hangs: what it did is unknown, and its late result no longer counts."""
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


async def test_claims_of_a_dead_process_wait_for_the_settle_time(ledger: Ledger) -> None:
    """Counted from the start of each; rows that were not started stay pending."""
    await ledger.write(lambda store: store.commit(queued(effect("a", "a"), effect("b", "b"), effect("b2", "b"))))
    await claim(ledger)

    assert 2 == await ledger.write(lambda store: store.release_claims(after(10), timedelta(seconds=30)))

    assert {"a": "ambiguous", "b": "ambiguous", "b2": "pending"} == await outbox_states(ledger)
    assert after(30) == await ledger.read(lambda store: store.next_due(NOON))
    assert [] == await claim(ledger, after(29))
    assert ["ambiguous", "ambiguous"] == [row.state for row in await claim(ledger, after(30))]


async def test_abandoned_row_does_not_block_its_lane(ledger: Ledger) -> None:
    """What cannot be done is given up; the rows behind it go on."""
    await ledger.write(lambda store: store.commit(queued(effect("a"), effect("b"))))
    [row] = await claim(ledger)
    await settle(ledger, row, Settled("dead", error="channel_not_found"))

    assert ["b"] == [row.effect.key for row in await claim(ledger)]
    assert ["a"] == [row.effect.key for row in await ledger.read(lambda store: store.outbox("dead", "done"))]


async def test_nothing_is_due_in_an_empty_outbox(ledger: Ledger) -> None:
    """None lets the outbox sleep until it is woken."""
    assert await ledger.read(lambda store: store.next_due(NOON)) is None
    assert await ledger.read(lambda store: store.outbox_row("nothing")) is None


async def test_attempt_cannot_end_in_a_state_that_the_store_sets(ledger: Ledger) -> None:
    """Only the store sets `sending` and `superseded`."""
    with pytest.raises(ValueError, match="sending"):
        await ledger.write(lambda store: store.settle(1, 1, Settled("sending"), NOON))


# --- seen ids and settings


async def test_id_is_new_again_after_its_time(ledger: Ledger) -> None:
    """Each id is kept for its own time."""
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    sights = [("a", 0, minute), ("b", 0, hour), ("a", 59, minute), ("a", 60, minute), ("b", 3_599, hour), ("b", 3_600, hour)]

    seen = [
        await ledger.write(lambda store, s=s: store.first_sight(s[0], after(s[1]), s[2]))  # type: ignore[misc]
        for s in sights
    ]

    assert [True, True, False, True, False, True] == seen


async def test_forgotten_id_is_new_again(ledger: Ledger) -> None:
    """Other ids stay known; forgetting an unknown id does nothing."""
    for id in ("a", "b"):
        await ledger.write(lambda store, id=id: store.first_sight(id, NOON, LEASE))  # type: ignore[misc]
    for id in ("a", "never seen"):
        await ledger.write(lambda store, id=id: store.forget_sight(id))  # type: ignore[misc]

    first = [await ledger.write(lambda store, id=id: store.first_sight(id, NOON, LEASE)) for id in ("a", "b")]  # type: ignore[misc]
    assert [True, False] == first


async def test_setting_is_the_last_value_written(ledger: Ledger) -> None:
    """None until the first."""
    assert await ledger.read(lambda store: store.setting("slot")) is None
    for value in ("1", "2"):
        await ledger.write(lambda store, value=value: store.put_setting("slot", value))  # type: ignore[misc]

    assert "2" == await ledger.read(lambda store: store.setting("slot"))


# --- crashes


async def test_reopened_inline_ledger_has_everything_that_was_committed() -> None:
    """As after a crash: an unfinished transaction is gone."""
    ledger = InlineLedger.open()
    await ledger.write(lambda store: store.commit(declared(1)))
    ledger.conn.execute("BEGIN IMMEDIATE")
    ledger.store.put_setting("half", "done")

    again = ledger.reopened()

    assert [Declared] == [type(f.body) for f in await again.read(lambda store: store.all_facts())]
    assert await again.read(lambda store: store.setting("half")) is None
    await again.close()
