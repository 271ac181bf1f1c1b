"""Rows of the outbox that somebody edited by hand: none holds up what it has nothing to do with, and none ends unsaid."""

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
    """A ledger in a file: `first` and `second` wait in one lane, `other` in another."""

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
def test_an_unreadable_row_holds_up_no_lane(values: str, file: File) -> None:
    """Every other alert goes out, those behind it in its lane as well."""
    file.edit(values)

    claimed = file.claim()
    for row in file.ledger.store.outbox(RowState.SENDING):
        file.ledger.store.settle(row.id, row.attempt, Settled(RowState.DONE), NOON)
    assert {("other", "sending"), ("second", "sending")} == {*claimed, *file.claim()}


@pytest.mark.parametrize(("values", "why"), UNREADABLE)
def test_an_unreadable_row_is_given_up_with_the_reason(values: str, why: str, file: File) -> None:
    """It can be read from then on, by whoever counts what is dead."""
    file.edit(values)
    file.claim()

    [buried] = file.ledger.store.outbox(RowState.DEAD)
    assert (1, True) == (buried.id, buried.error.startswith("this row cannot be read: "))
    assert why in buried.error


@pytest.mark.parametrize(("values", "kind"), [(f"args = {NO_TEXT}", EditCard.KIND), ("kind = 'nonsense'", "")])
def test_an_unreadable_row_waits_to_be_told(values: str, kind: str, file: File) -> None:
    """Whoever claimed it may die before there is a fact: the next start finds it, with its kind as far as that is known."""
    file.ledger.store.commit(queued(effect("card", "incident/4", slot="card")))
    edit(file.folder, f"UPDATE outbox SET {values} WHERE key = 'card'")  # noqa: S608 # constants
    file.claim()

    assert [("card", kind)] == [(row.effect.key, row.result.get("kind", "")) for row in file.ledger.store.untold()]


def test_an_unreadable_row_is_told_once(file: File) -> None:
    """No start tells it again."""
    file.edit(f"args = {NO_TEXT}")
    file.claim()
    file.ledger.store.told(1)

    assert [] == file.ledger.store.untold()


def test_an_unreadable_row_is_named_in_the_log(file: File) -> None:
    """Somebody looks for an alert that never came."""
    file.edit(f"args = {NO_TEXT}")
    with capture_logs() as lines:
        file.claim()

    assert ["row 1 of the outbox (first) was changed by hand and cannot be read: its args is not text"] == [
        x["why"] for x in lines
    ]


def test_a_key_that_is_no_text_is_spelled_out_as_no_other_row_has_it(file: File) -> None:
    """Two rows of one key would stop every claim."""
    file.ledger.store.commit(queued(effect("{\\udcff", "incident/3")))
    file.edit(f"key = {NO_TEXT}")
    file.claim()

    assert ["{\\udcff (row 1)"] == [row.effect.key for row in file.ledger.store.outbox(RowState.DEAD)]


def test_a_waiting_row_that_is_no_text_is_named_where_rows_are_counted(file: File) -> None:
    """It was told as another program's use of the file."""
    file.edit(f"lane = {NO_TEXT}")

    with pytest.raises(StoreError, match=r"row 1 of the outbox \(first\) was changed by hand") as raised:
        file.ledger.store.outbox(RowState.PENDING)
    assert raised.value.kind is StoreTrouble.CORRUPT


def test_words_of_an_error_that_are_no_text_cost_no_effect(file: File) -> None:
    """What is to be done can be read."""
    file.edit(f"error = {NO_TEXT}")

    assert ("first", "sending") in file.claim()


@pytest.mark.parametrize("until", [YEAR_9999, -1])
def test_a_row_put_off_for_ages_is_due_at_once(until: int, file: File) -> None:
    """Its lane stood still until then, and nobody was told."""
    file.edit(f"not_before = {until}")

    assert file.due()
    assert ("first", "sending") in file.claim()


def test_a_row_that_the_outbox_put_off_keeps_its_time(file: File) -> None:
    """What Slack asked for at most is no hand's work."""
    file.claim()
    file.ledger.store.settle(1, 1, Settled(RowState.PENDING, NOON + LONGEST_LIMIT), NOON)

    assert "first" not in dict(file.claim(3_599))
    assert "first" in dict(file.claim(3_600))


def test_no_row_is_put_off_for_longer_than_counts(file: File) -> None:
    """Else it would be due at once."""
    file.claim()
    file.ledger.store.settle(1, 1, Settled(RowState.PENDING, NOON + timedelta(days=2)), NOON)

    row = file.ledger.store.outbox_row("first")
    assert row is not None
    assert NOON + LONGEST == row.not_before


@pytest.mark.parametrize("lease", ["NULL", str(YEAR_9999), str(HUGE), f"-{HUGE}"])
def test_a_row_that_is_sent_by_nobody_is_looked_up(lease: str, file: File) -> None:
    """Without a lease, or with one that is never over, its lane would wait for a sender that there is not."""
    file.edit(f"state = 'sending', lease_until = {lease}")

    assert file.due()
    assert ("first", "ambiguous") in file.claim()


@pytest.mark.parametrize("started", ["NULL", str(HUGE), f"-{HUGE}", str(YEAR_9999)])
def test_a_row_that_was_never_started_is_taken_up_at_the_next_start(started: str, file: File) -> None:
    """It waits out the settle time from now on; a start must not fail at it."""
    file.edit(f"state = 'sending', started_at = {started}")

    assert 1 == file.ledger.store.release_claims(after(10), SETTLE_FOR)
    not_before = file.ledger.conn.execute("SELECT not_before FROM outbox WHERE id = 1").fetchone()[0]
    assert (after(40).timestamp()) == not_before / 1e6
