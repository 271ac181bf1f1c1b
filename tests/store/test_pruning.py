"""What the ledger forgets after a month, what it must keep, and how large it stays."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.effects import Effect, OpenThread
from bot.ports import AlreadyHandled, Settled
from bot.store.sqlite.ledgers import InlineLedger
from bot.wiring.upkeep import KEEP, forget_old
from tests.ledger_facts import NOON, commit, effect, fact, queued

LEASE = timedelta(seconds=90)


@pytest.fixture
def ledger() -> InlineLedger:
    return InlineLedger.open()


def do_all(ledger: InlineLedger, at: datetime) -> None:
    """Claim and finish every waiting effect."""
    while rows := ledger.store.claim(at, "me", LEASE, 100):
        for row in rows:
            ledger.store.settle(row.id, row.attempt, Settled("done", result={"channel": "C1", "ts": "1.1"}), at)


def keys(ledger: InlineLedger) -> list[str]:
    return [row.effect.key for row in ledger.store.outbox()]


def signals(ledger: InlineLedger) -> list[str]:
    return [row[0] for row in ledger.conn.execute("SELECT id FROM signals ORDER BY id")]


async def test_done_effects_are_deleted_after_a_month(ledger: InlineLedger) -> None:
    """Not a day earlier."""
    ledger.store.commit(queued(effect("old"), at=NOON))
    ledger.store.commit(queued(effect("young"), at=NOON + timedelta(days=2)))
    do_all(ledger, NOON + timedelta(days=2))
    await forget_old(ledger, NOON + timedelta(days=30), KEEP)
    assert ["old", "young"] == keys(ledger)

    assert 1 == await forget_old(ledger, NOON + timedelta(days=31), KEEP)
    assert ["young"] == keys(ledger)


async def test_unsettled_effects_are_never_deleted(ledger: InlineLedger) -> None:
    """After two months off in the middle of a post, it is still looked up, and its signal id still prevents a repetition."""
    ledger.store.commit(queued(effect("a"), at=NOON))
    ledger.store.claim(NOON, "me", LEASE, 1)
    ledger.store.commit(commit(fact("incident/1", 1), signal="done/a"))
    ledger.store.commit(commit(fact("incident/1", 2), signal="slack/1"))
    await forget_old(ledger, NOON + timedelta(days=60), KEEP)

    assert ["a"] == keys(ledger)
    assert ["done/a"] == signals(ledger)
    with pytest.raises(AlreadyHandled):
        ledger.store.commit(commit(fact("incident/1", 3), signal="done/a"))


async def test_refused_signal_of_an_unsettled_effect_is_kept(ledger: InlineLedger) -> None:
    """Like a successful one."""
    ledger.store.commit(queued(effect("a"), at=NOON))
    ledger.store.claim(NOON, "me", LEASE, 1)
    ledger.store.commit(commit(fact("incident/1", 1), signal="refused/a"))
    await forget_old(ledger, NOON + timedelta(days=60), KEEP)

    assert ["refused/a"] == signals(ledger)


async def test_row_retried_meanwhile_is_not_deleted(ledger: InlineLedger) -> None:
    """Others write between the search and the deletion."""
    ledger.store.commit(queued(effect("a"), at=NOON))
    do_all(ledger, NOON)
    old = ledger.store.find_old(NOON + timedelta(days=60), KEEP, 0)
    ledger.conn.execute("UPDATE outbox SET state = 'pending'")
    ledger.store.forget(old)

    assert (1, ["a"]) == (len(old.rows), keys(ledger))


async def test_file_shrinks_after_many_deletions(tmp_path: Path) -> None:
    """Each step returns a little space."""
    ledger = InlineLedger.open(tmp_path / "ledger.db")
    for n in range(0, 4_000, 100):
        many = [effect(f"{n + m}", lane=f"lane {m}", text="x" * 3_000) for m in range(100)]
        ledger.store.commit(queued(*many))
    ledger.conn.execute("UPDATE outbox SET state = 'done'")
    before = ledger.conn.execute("PRAGMA page_count").fetchone()[0]
    await forget_old(ledger, NOON + timedelta(days=31), KEEP)

    assert before > ledger.conn.execute("PRAGMA page_count").fetchone()[0]


async def test_signal_is_acted_upon_once_for_a_month(ledger: InlineLedger) -> None:
    """As long as anybody may repeat it."""
    ledger.store.commit(commit(fact("flag/a", 1), signal="api/key"))
    await forget_old(ledger, NOON + timedelta(days=29), KEEP)

    with pytest.raises(AlreadyHandled):
        ledger.store.commit(commit(fact("flag/a", 2), signal="api/key"))
    await forget_old(ledger, NOON + timedelta(days=31), KEEP)
    assert [] == signals(ledger)


async def test_digest_of_a_request_is_deleted_with_its_key(ledger: InlineLedger) -> None:
    """A leftover half does no harm."""
    made = replace(commit(fact("flag/a", 1), signal="api/key"), digests={"api/key": "d1"})
    ledger.store.commit(made)
    kept = signals(ledger)
    ledger.conn.execute("DELETE FROM signals WHERE id NOT LIKE '%/d1'")
    ledger.store.commit(replace(made, facts=(fact("flag/a", 2),)))
    again = signals(ledger)
    await forget_old(ledger, NOON + timedelta(days=31), KEEP)

    assert (2, 2, []) == (len(kept), len(again), signals(ledger))


async def test_idempotency_key_is_stored_as_a_hash(ledger: InlineLedger) -> None:
    """Somebody may send a token as key: it is in no file and no backup, and the request still counts once."""
    ledger.store.commit(commit(fact("flag/a", 1), signal="api/sk-not-meant-for-this"))

    assert not [id for id in signals(ledger) if "sk-not-meant" in id]
    with pytest.raises(AlreadyHandled):
        ledger.store.commit(commit(fact("flag/a", 2), signal="api/sk-not-meant-for-this"))


async def test_plain_key_of_an_earlier_version_is_recognised(ledger: InlineLedger) -> None:
    """A request repeated over an upgrade counts once."""
    ledger.conn.execute("INSERT INTO signals (id, at) VALUES ('api/k-1', 0)")

    with pytest.raises(AlreadyHandled):
        ledger.store.commit(commit(fact("flag/a", 1), signal="api/k-1"))


async def test_first_post_of_a_quiet_thread_is_kept(ledger: InlineLedger) -> None:
    """A component that is degraded for months is reported in the same thread."""
    ledger.store.commit(queued(Effect("root", "ops", OpenThread(), None, "component/a", 1), effect("line")))
    do_all(ledger, NOON)
    await forget_old(ledger, NOON + timedelta(days=90), KEEP)

    assert ["root"] == keys(ledger)
    await forget_old(ledger, NOON + timedelta(days=400), KEEP)
    assert [] == keys(ledger)


async def test_ledger_holds_a_month_of_effects(ledger: InlineLedger) -> None:
    """Three rows per fact for ever would be gigabytes; their space is reused."""
    sizes = []
    for day in range(100):
        at = NOON + timedelta(days=day)
        for n in range(20):
            effects = [effect(f"{day}/{n}/{kind}", lane=f"lane {n}") for kind in range(3)]
            ledger.store.commit(commit(fact("flag/a", day * 20 + n + 1), signal=f"{day}/{n}", effects=effects, at=at))
        do_all(ledger, at)
        await forget_old(ledger, at, KEEP)
        sizes.append(len(keys(ledger)) + len(signals(ledger)))

    assert 31 * 20 * 4 == max(sizes) == sizes[-1]


async def test_pruning_goes_in_short_steps(ledger: InlineLedger) -> None:
    """A hundred thousand old rows are deleted five hundred at a time, so that commits do not wait."""
    for n in range(0, 3_000, 100):
        ledger.store.commit(queued(*(effect(f"{n + m}", lane=f"lane {m}") for m in range(100))))
    do_all(ledger, NOON)
    old = ledger.store.find_old(NOON + timedelta(days=31), KEEP, 0)

    assert 500 == len(old.rows)
    assert 3_000 == await forget_old(ledger, NOON + timedelta(days=31), KEEP)
