"""Outbox rows edited by hand: none blocks unrelated rows, and none is lost in silence."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.core.effects import EditCard
from bot.ports import RowState, Settled, StoreError, StoreTrouble
from bot.slack.errors import LONGEST_LIMIT
from bot.store.outbox import LONGEST
from bot.store.sqlite.ledgers import InlineLedger
from tests.ledger_edits import edit
from tests.ledger_facts import NOON, after, effect, queued

LEASE = timedelta(seconds=90)
SETTLE_FOR = timedelta(seconds=30)
YEAR_9999 = 253_370_764_800_000_000
HUGE = 2**63 - 1
NO_TEXT = "CAST(x'7bff' AS TEXT)"


class File:
    """A ledger file: `first` and `second` wait in one lane, `other` in another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = InlineLedger.open(folder / "ledger.db")
        self.ledger.store.commit(queued(effect("first"), effect("second"), effect("other", "incident/2")))

    def edit(self, values: str) -> None:
        """Somebody changes `first`."""
        edit(self.folder, f"UPDATE outbox SET {values} WHERE id = 1")  # noqa: S608 # constants

    def claim(self, seconds: float = 0) -> list[tuple[str, str]]:
        """What is taken up now, and as what."""
        rows = self.ledger.store.claim(after(seconds), "me", LEASE, 16)
        return [(row.effect.key, row.state) for row in rows if row.state is not RowState.DEAD]

    def due(self, seconds: float = 0) -> bool:
        """Whether the outbox would look for something to claim now."""
        found = self.ledger.store.next_due(after(seconds))
        return found is not None and found <= after(seconds)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    found = File(tmp_path)
    yield found
    found.ledger.conn.close()


UNREADABLE = [
    (f"args = {NO_TEXT}", "its args is not text"),
    (f"key = {NO_TEXT}", "its key is not text"),
    (f"lane = {NO_TEXT}", "its lane is not text"),
    (f"slot = {NO_TEXT}", "its slot is not text"),
    (f"stream = {NO_TEXT}", "its stream is not text"),
    (f"kind = {NO_TEXT}", "its kind is not text"),
    (f"created_at = {HUGE}", "out of range"),
    (f"first_started_at = -{HUGE}", "out of range"),
    (f"attempt = {HUGE}", f"it cannot have been tried {HUGE} times"),
    (f"state = 'ambiguous', ambiguous_rounds = {HUGE}", f"it cannot have been tried {HUGE} times"),
    ('args = \'{"to": "\\ud800"}\'', ""),
]


@pytest.mark.parametrize("values", [values for values, _ in UNREADABLE])
def test_unreadable_row_blocks_no_lane(values: str, file: File) -> None:
    """All other alerts go out, also those behind it in its lane."""
    file.edit(values)

    claimed = file.claim()
    for row in file.ledger.store.outbox(RowState.SENDING):
        file.ledger.store.settle(row.id, row.attempt, Settled(RowState.DONE), NOON)
    assert {("other", "sending"), ("second", "sending")} == {*claimed, *file.claim()}


@pytest.mark.parametrize(("values", "why"), UNREADABLE)
def test_unreadable_row_is_given_up_with_a_reason(values: str, why: str, file: File) -> None:
    """From then on it can be read by whatever counts dead rows."""
    file.edit(values)
    file.claim()

    [buried] = file.ledger.store.outbox(RowState.DEAD)
    assert (1, True) == (buried.id, buried.error.startswith("this row cannot be read: "))
    assert why in buried.error


@pytest.mark.parametrize(("values", "kind"), [(f"args = {NO_TEXT}", EditCard.KIND), ("kind = 'nonsense'", "")])
def test_unreadable_row_is_reported_after_a_restart(values: str, kind: str, file: File) -> None:
    """Its claimer may die before there is a fact; the next start finds the row, with its kind as far as known."""
    file.ledger.store.commit(queued(effect("card", "incident/4", slot="card")))
    edit(file.folder, f"UPDATE outbox SET {values} WHERE key = 'card'")  # noqa: S608 # constants
    file.claim()

    assert [("card", kind)] == [(row.effect.key, row.result.get("kind", "")) for row in file.ledger.store.untold()]


def test_unreadable_row_is_reported_once(file: File) -> None:
    """Not again at every start."""
    file.edit(f"args = {NO_TEXT}")
    file.claim()
    file.ledger.store.told(1)

    assert [] == file.ledger.store.untold()


def test_unreadable_row_is_logged(file: File) -> None:
    """For whoever searches for an alert that never came."""
    file.edit(f"args = {NO_TEXT}")
    with capture_logs() as lines:
        file.claim()

    assert ["row 1 of the outbox (first) was changed by hand and cannot be read: its args is not text"] == [
        x["why"] for x in lines
    ]


def test_key_that_is_not_text_gets_a_unique_spelling(file: File) -> None:
    """Two rows with one key would stop every claim."""
    file.ledger.store.commit(queued(effect("{\\udcff", "incident/3")))
    file.edit(f"key = {NO_TEXT}")
    file.claim()

    assert ["{\\udcff (row 1)"] == [row.effect.key for row in file.ledger.store.outbox(RowState.DEAD)]


def test_waiting_row_that_is_not_text_is_named_in_the_counts(file: File) -> None:
    """It used to be reported as another program using the file."""
    file.edit(f"lane = {NO_TEXT}")

    with pytest.raises(StoreError, match=r"row 1 of the outbox \(first\) was changed by hand") as raised:
        file.ledger.store.outbox(RowState.PENDING)
    assert raised.value.kind is StoreTrouble.CORRUPT


def test_unreadable_error_text_does_not_lose_the_effect(file: File) -> None:
    """The effect itself can be read."""
    file.edit(f"error = {NO_TEXT}")

    assert ("first", "sending") in file.claim()


@pytest.mark.parametrize("until", [YEAR_9999, -1])
def test_row_postponed_for_ages_is_due_at_once(until: int, file: File) -> None:
    """Its lane would stand still until then, and nobody would know."""
    file.edit(f"not_before = {until}")

    assert file.due()
    assert ("first", "sending") in file.claim()


def test_row_postponed_by_the_outbox_keeps_its_time(file: File) -> None:
    """Even the longest wait that Slack may ask for."""
    file.claim()
    file.ledger.store.settle(1, 1, Settled(RowState.PENDING, NOON + LONGEST_LIMIT), NOON)

    assert "first" not in dict(file.claim(3_599))
    assert "first" in dict(file.claim(3_600))


def test_outbox_postpones_no_row_beyond_that_limit(file: File) -> None:
    """Otherwise it would be due at once."""
    file.claim()
    file.ledger.store.settle(1, 1, Settled(RowState.PENDING, NOON + timedelta(days=2)), NOON)

    row = file.ledger.store.outbox_row("first")
    assert row is not None
    assert NOON + LONGEST == row.not_before


@pytest.mark.parametrize("lease", ["NULL", str(YEAR_9999), str(HUGE), f"-{HUGE}"])
def test_sending_row_without_a_valid_lease_is_looked_up(lease: str, file: File) -> None:
    """Otherwise its lane would wait for a sender that does not exist."""
    file.edit(f"state = 'sending', lease_until = {lease}")

    assert file.due()
    assert ("first", "ambiguous") in file.claim()


@pytest.mark.parametrize("started", ["NULL", str(HUGE), f"-{HUGE}", str(YEAR_9999)])
def test_sending_row_without_a_start_time_is_taken_up_at_the_next_start(started: str, file: File) -> None:
    """After the settle time from then on; the start must not fail."""
    file.edit(f"state = 'sending', started_at = {started}")

    assert 1 == file.ledger.store.release_claims(after(10), SETTLE_FOR)
    not_before = file.ledger.conn.execute("SELECT not_before FROM outbox WHERE id = 1").fetchone()[0]
    assert (after(40).timestamp()) == not_before / 1e6
