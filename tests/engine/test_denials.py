"""What is recorded of refusals: little, without secrets, and nothing that was edited into it by hand."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.ports import StoreError
from bot.sandbox.world import EPOCH
from bot.system.clock import ManualClock
from bot.system.denials import KEPT, MOST, SETTING, Denials
from bot.system.redaction import Redactor
from bot.views.denied import denied_attempts


class Notes:
    """A ledger that only has settings."""

    def __init__(self, **settings: str) -> None:
        self.settings = settings

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    async def write(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def setting(self, name: str) -> str | None:
        return self.settings.get(name)

    def put_setting(self, name: str, value: str) -> None:
        self.settings[name] = value


async def test_flood_of_refusals_leaves_a_bounded_record() -> None:
    """The oldest are dropped first."""
    notes: Any = Notes()
    denials = Denials(ManualClock(EPOCH), notes)
    for number in range(3 * KEPT):
        denials.note(f"U{number}", "responder", "SetPhase")
    await denials.close()

    assert (KEPT, f"U{3 * KEPT - 1}") == (len(json.loads(notes.settings[SETTING])), (await denials.newest())[0].who)


async def test_two_replicas_keep_their_own_refusals() -> None:
    """Neither overwrites the other's, and each shows both."""
    notes: Any = Notes()
    here, there = (Denials(ManualClock(EPOCH), notes) for _ in range(2))
    for denials, who in ((here, "U1"), (here, "U3"), (there, "U2")):
        denials.note(who, "responder", "SetPhase")
        await denials.close()

    assert ["U1", "U3", "U2"] == [one["who"] for one in json.loads(notes.settings[SETTING])]
    assert ["U2", "U3", "U1"] == [one.who for one in await here.newest()]


async def test_typed_secret_is_not_recorded() -> None:
    """The first word after a slash command is recorded, and people paste anything."""
    notes: Any = Notes()
    denials = Denials(ManualClock(EPOCH), notes, Redactor(["canary-secret-token"]))
    denials.note("U1", "guest", "/health canary-secret-token")
    await denials.close()

    assert "canary" not in notes.settings[SETTING]


def one_kept(at: str = "2026-03-20T12:00:00Z", incident: str = "7", held_back: str = "0") -> str:
    said = f'"who": "U1", "name": "", "role": "guest", "what": "x", "incident": {incident}, "held_back": {held_back}'
    return f'[{{"at": "{at}", {said}}}]'


@pytest.mark.parametrize(
    "kept",
    [
        "{", "7", "[7]", '[{"at": "now"}]', '[{"at": 1, "who": null}]', "null", one_kept(incident="1e999"),
        one_kept(held_back="-Infinity"), one_kept(held_back="NaN"), one_kept(at="9999-12-31T23:59:59-12:00"),
    ],
)  # fmt: skip
async def test_unreadable_record_is_left_out(kept: str) -> None:
    """Somebody edited the setting, and the bot starts all the same."""
    notes: Any = Notes(**{SETTING: kept})
    denials = Denials(ManualClock(EPOCH), notes)
    await denials.recall()

    assert [] == await denials.newest()


async def test_time_without_a_zone_counts_as_utc() -> None:
    """So it can be shown and compared."""
    notes: Any = Notes(**{SETTING: one_kept(at="2026-03-20T12:00:00")})
    denials = Denials(ManualClock(EPOCH), notes)
    await denials.recall()
    shown = denied_attempts(await denials.newest(), EPOCH)

    assert [datetime(2026, 3, 20, 12, tzinfo=UTC)] == [one.at for one in await denials.newest()]
    assert "U1 (guest)" in str(shown.blocks)


async def test_person_is_recorded_once_a_minute_with_the_number_left_out() -> None:
    """Somebody who hammers on a button neither fills the record nor hides others."""
    notes, clock = Notes(), ManualClock(EPOCH)
    denials = Denials(clock, notes)  # type: ignore[arg-type] # a ledger of settings
    for _ in range(3):
        denials.note("U1", "guest", "SetPhase")
    denials.note("U2", "guest", "SetPhase")
    clock.advance(timedelta(minutes=1))
    denials.note("U1", "guest", "Declare", incident=7)
    await denials.close()

    kept = [(one.who, one.what, one.incident, one.held_back) for one in reversed(await denials.newest())]
    assert [("U1", "SetPhase", None, 0), ("U2", "SetPhase", None, 0), ("U1", "Declare", 7, 2)] == kept


async def test_number_of_people_remembered_is_limited() -> None:
    """Beyond it counting starts again: a crowd takes no memory for good, and the first person is recorded again."""
    denials = Denials(ManualClock(EPOCH))
    for number in (*range(MOST), 0, MOST, 0):
        denials.note(f"U{number}", "guest", "SetPhase")

    assert ["U0", f"U{MOST}", f"U{MOST - 1}"] == [one.who for one in (await denials.newest())[:3]]


async def test_refusal_during_a_write_is_recorded_too() -> None:
    """The disk is slow, and no later refusal triggers another write."""
    gate = asyncio.Event()

    class Slow(Notes):
        async def write(self, work: Callable[[Any], Any]) -> Any:
            done = work(self)
            await gate.wait()
            return done

    notes: Any = Slow()
    denials = Denials(ManualClock(EPOCH), notes)
    denials.note("U1", "guest", "SetPhase")
    await asyncio.sleep(0)
    denials.note("U2", "guest", "SetPhase")
    gate.set()
    await denials.close()

    assert ["U1", "U2"] == [one["who"] for one in json.loads(notes.settings[SETTING])]


async def test_earlier_refusals_are_known_while_the_ledger_is_away() -> None:
    """The start read them."""

    class Away(Notes):
        away = False

        async def read(self, work: Callable[[Any], Any]) -> Any:
            if self.away:
                raise StoreError("the database is away")
            return await super().read(work)

    notes: Any = Away(**{SETTING: one_kept()})
    denials = Denials(ManualClock(EPOCH), notes)
    await denials.recall()
    notes.away = True

    assert ["U1"] == [one.who for one in await denials.newest()]
