"""Every kind of fact says of itself what it is called, whether people are told of it, and how old rows of it are read."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from bot.core.record import kinds
from bot.core.record.fact import Body, Fact, OfComponent, OfComponents, OfFlag, Reasoned
from bot.core.record.kinds import BODIES, FAMILIES, decode_body, encode_body
from bot.core.record.room.room_facts import Posted
from tests.stories import one_of_each

# As they stand in ledgers all over the world: a name may be added, none may change or go.
WRITTEN = frozenset(
    [
        "advisory.ended",
        "advisory.raised",
        "alert.heard",
        "alert.resumed",
        "alert.suppressed",
        "feed.changed",
        "feed.first_read",
        "feed.flooded",
        "feed.forgotten",
        "feed.maintenance",
        "flag.carried_over",
        "flag.engaged",
        "flag.expiry_reached",
        "flag.hand_back_asked",
        "flag.hand_back_reverted",
        "flag.hand_back_stepped",
        "flag.held",
        "flag.hold_ended",
        "flag.proposal_dropped",
        "flag.proposed",
        "flag.released",
        "incident.acknowledged",
        "incident.channel_named",
        "incident.channel_opened",
        "incident.channel_refused",
        "incident.component_joined",
        "incident.component_moved",
        "incident.declared",
        "incident.effect_given_up",
        "incident.exported",
        "incident.note_added",
        "incident.people_invited",
        "incident.phase_changed",
        "incident.post_gone",
        "incident.posted",
        "incident.repaired",
        "incident.resolve_asked",
        "incident.responder_joined",
        "incident.role_changed",
        "incident.severity_changed",
        "incident.title_changed",
        "incident.update_written",
        "mute.ended",
        "mute.set",
        "notice.seen",
        "report.heard",
        "sight.lost",
        "sight.regained",
        "verdict.changed",
    ]
)

BOOKKEEPING = {
    "incident.customers_served",
    "incident.posted", "incident.post_gone", "incident.effect_given_up", "incident.exported", "incident.channel_named",
    "incident.page_outcome", "incident.paging_settled", "incident.people_invited", "incident.update_overdue",
    "incident.task_reminded", "incident.broadcast_begun",
    "incident.message_kept", "incident.message_pinned", "incident.message_unpinned",
    "incident.message_edited", "incident.message_deleted", "incident.entry_corrected", "incident.entry_hidden",
    "incident.entry_shown", "incident.part_switched", "sink.ordered",
}  # fmt: skip


@contextmanager
def only_here() -> Iterator[None]:
    """What is defined inside leaves the registry again."""
    before = dict(BODIES)
    try:
        yield
    finally:
        for kind in set(BODIES) - set(before):
            del BODIES[kind]


def every_body(base: type[Body] = Body) -> Iterator[type[Body]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("bot."):
            yield kind
            yield from every_body(kind)


def test_a_kind_is_registered_by_being_defined() -> None:
    """A new kind needs no list anywhere to be read back."""
    assert set(every_body()) == set(BODIES.values())


def test_every_file_of_facts_is_known() -> None:
    """A new family that is not imported would be written, and not read after the next start."""
    kind = re.compile(r"^class \w+\(.*\bBody\):", re.MULTILINE)
    files = {path.stem for path in Path(kinds.__file__).parent.rglob("*.py") if kind.search(path.read_text(encoding="utf-8"))}

    assert files == {family.__name__.rpartition(".")[2] for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_fact_is_read_by_whoever_imports_only_the_reading(family: ModuleType) -> None:
    """Whatever a small program happens to import besides, no kind of the ledger is unknown to it."""
    fact = next(one for one in one_of_each() if type(one.body).__module__ == family.__name__)
    program = "import json, sys; from bot.core.record.kinds import decode_body; print(decode_body(*json.load(sys.stdin)))"
    row = json.dumps([fact.kind, fact.body.VERSION, encode_body(fact.body)])

    read = subprocess.run([sys.executable, "-c", program], input=row, capture_output=True, text=True, check=True)

    assert f"{fact.body}\n" == read.stdout


def test_no_kind_of_an_old_ledger_is_forgotten() -> None:
    """Whoever renames one makes last year's ledger unreadable."""
    assert WRITTEN - set(BODIES) == set()


@pytest.mark.parametrize("fact", one_of_each(), ids=lambda fact: fact.kind)
def test_a_kind_knows_its_name(fact: Fact) -> None:
    body = fact.body
    assert type(body) is BODIES[body.KIND]


def test_two_kinds_of_one_name_are_refused() -> None:
    """They could not be told apart in the ledger."""
    with only_here(), pytest.raises(TypeError, match=r"Twin and Posted are both called 'incident\.posted'"):

        @dataclass(frozen=True)
        class Twin(Body):
            KIND = Posted.KIND


def test_a_kind_without_a_name_is_refused() -> None:
    """A subclass must not be written under its parent's name."""
    with only_here(), pytest.raises(TypeError, match="Nameless has no KIND of its own"):

        @dataclass(frozen=True)
        class Nameless(Posted):
            pass


def test_an_old_version_is_lifted_step_by_step() -> None:
    """A row of version 1 reads in version 3."""
    with only_here():

        @dataclass(frozen=True)
        class Grown(Body):
            KIND = "test.grown"
            VERSION = 3
            UPGRADES = {1: lambda row: {"name": row["nick"]}, 2: lambda row: {"name": row["name"].title()}}  # noqa: RUF012
            name: str

        assert Grown("Ana") == decode_body("test.grown", 1, {"nick": "ana"})


def test_a_version_without_a_way_up_is_named() -> None:
    """A hole among the versions is told, not guessed."""
    with only_here():

        @dataclass(frozen=True)
        class Gap(Body):
            KIND = "test.gap"
            VERSION = 2
            name: str

        with pytest.raises(ValueError, match=r"test\.gap version 1 was never written"):
            decode_body("test.gap", 1, {"name": "ana"})


def test_our_own_bookkeeping_is_marked() -> None:
    """Our effects, figures that wait for the next edit, and what becomes of entries: more would hide an event, less would
    edit the card for ever.
    """
    assert {kind for kind, body in BODIES.items() if body.BOOKKEEPING} == BOOKKEEPING


def test_nothing_is_both_announced_and_bookkeeping() -> None:
    """A line about a line would go on for ever."""
    assert [] == [kind for kind, body in BODIES.items() if body.ANNOUNCED and body.BOOKKEEPING]


@pytest.mark.parametrize(
    ("field", "base"), [("component", OfComponent), ("components", OfComponents), ("flag", OfFlag), ("reason", Reasoned)]
)
def test_what_a_fact_is_about_is_said_by_its_class(field: str, base: type) -> None:
    """The timeline, exports and lines ask the class, and miss no fact that has the field."""
    has = {kind for kind, body in BODIES.items() if field in body.__dataclass_fields__}  # type: ignore[attr-defined]

    assert has == {kind for kind, body in BODIES.items() if issubclass(body, base)}
