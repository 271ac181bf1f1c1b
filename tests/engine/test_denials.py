"""What is kept of refusals: little, without secrets, and nothing that somebody wrote into it by hand."""

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
    """A ledger that holds settings alone."""

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


async def test_a_flood_of_people_leaves_a_bounded_record() -> None:
    """The oldest go first."""
    notes: Any = Notes()
    denials = Denials(ManualClock(EPOCH), notes)
    for number in range(3 * KEPT):
        denials.note(f"U{number}", "responder", "SetPhase")
    await denials.close()

    assert (KEPT, f"U{3 * KEPT - 1}") == (len(json.loads(notes.settings[SETTING])), (await denials.newest())[0].who)


async def test_two_replicas_keep_what_each_of_them_refused() -> None:
    """Neither writes over the other one's record, and both show it, whoever is asked."""
    notes: Any = Notes()
    here, there = (Denials(ManualClock(EPOCH), notes) for _ in range(2))
    for denials, who in ((here, "U1"), (here, "U3"), (there, "U2")):
        denials.note(who, "responder", "SetPhase")
        await denials.close()

    assert ["U1", "U3", "U2"] == [one["who"] for one in json.loads(notes.settings[SETTING])]
    assert ["U2", "U3", "U1"] == [one.who for one in await here.newest()]


async def test_a_secret_in_what_somebody_typed_is_not_kept() -> None:
    """The first word after a slash command is kept, and people paste anything."""
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
async def test_what_cannot_be_read_is_left_out(kept: str) -> None:
    """Somebody edited the setting; the bot starts."""
    notes: Any = Notes(**{SETTING: kept})
    denials = Denials(ManualClock(EPOCH), notes)
    await denials.recall()

    assert [] == await denials.newest()


async def test_a_time_without_a_zone_is_read_as_utc() -> None:
    """So it can be shown, and told from the others."""
    notes: Any = Notes(**{SETTING: one_kept(at="2026-03-20T12:00:00")})
    denials = Denials(ManualClock(EPOCH), notes)
    await denials.recall()
    shown = denied_attempts(await denials.newest(), EPOCH)

    assert [datetime(2026, 3, 20, 12, tzinfo=UTC)] == [one.at for one in await denials.newest()]
    assert "U1 (guest)" in str(shown.blocks)


async def test_each_person_is_noted_once_a_minute_with_what_was_held_back() -> None:
    """Whoever hammers on a button fills no record, and hides nobody else."""
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


async def test_so_many_people_are_told_apart_and_no_more() -> None:
    """Beyond that the counting begins anew: a crowd takes no memory for good, and the first is noted again."""
    denials = Denials(ManualClock(EPOCH))
    for number in (*range(MOST), 0, MOST, 0):
        denials.note(f"U{number}", "guest", "SetPhase")

    assert ["U0", f"U{MOST}", f"U{MOST - 1}"] == [one.who for one in (await denials.newest())[:3]]


async def test_what_is_refused_while_another_is_written_down_is_on_record_too() -> None:
    """The disk is slow, and nobody comes after it."""
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


async def test_what_was_refused_before_a_restart_is_known_while_the_ledger_is_away() -> None:
    """The start read it."""

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
