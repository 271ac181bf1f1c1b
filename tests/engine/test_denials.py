"""What is kept of refusals: little, without secrets, and nothing that somebody wrote into it by hand."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.world import EPOCH
from bot.system.clock import ManualClock
from bot.system.denials import KEPT, SETTING, Denials
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
    """The first word after a slash word is kept, and people paste anything."""
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
