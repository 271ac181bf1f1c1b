"""Before a failure that may be ours is believed, the controls are asked: at once, once, and not for a vendor's answer."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.blindness import BlindnessRule
from bot.core.model import Fault, Outcome
from bot.sandbox.world import EPOCH
from bot.system.clock import ManualClock
from bot.watch.blindness import BlindnessMonitor
from bot.watch.proven import SETTING
from tests.engine.stand import BROKEN, NO_WAY, TOO_LATE, WELL, Answer, Check, Stand, sample

API, WEB, GPT = "anthropic.api.models", "anthropic.web.front", "openai.api.models"
OURS, BEAT = "ours.shop.front", "jobs.nightly.beat"
CONTROLS = ("control.one", "control.two")


class Room:
    """A blindness monitor whose controls answer as the test says; counts how often they were asked."""

    def __init__(self, *controls: str, answer: Answer = WELL) -> None:
        self.clock = ManualClock(EPOCH)
        self.answer = answer
        self.asked: list[str] = []
        self.sighting = BlindnessMonitor(controls, self.look, self.clock, BlindnessRule(heartbeats=frozenset({BEAT})))

    async def look(self, control: str) -> None:
        self.asked.append(control)
        await asyncio.sleep(0)
        self.sighting.control(sample(control, self.answer, self.clock.now()))

    async def looks_around(self) -> None:
        """Each control is looked at in its turn."""
        for control in CONTROLS:
            await self.look(control)

    async def answers(self, check: str) -> None:
        """This look came back well."""
        self.sighting.provider(replace(sample(check, WELL, self.clock.now()), inside=check == OURS))

    async def fails(self, check: str, found: Answer = NO_WAY) -> Outcome:
        """This look failed; how it is counted."""
        looked = replace(sample(check, found, self.clock.now()), inside=check == OURS)
        return (await self.sighting.believed(looked)).outcome


async def test_error_answer_needs_no_control() -> None:
    """A 502 proves that its sender was reached."""
    room = Room(*CONTROLS)

    assert Outcome.FAIL is await room.fails(API, BROKEN)
    assert [] == room.asked


async def test_many_simultaneous_failures_ask_the_controls_once() -> None:
    """And again only after a while."""
    room = Room(*CONTROLS)
    await asyncio.gather(*(room.fails(check) for check in (API, WEB, GPT)))
    first = list(room.asked)
    room.clock.advance(timedelta(seconds=2))
    await room.fails(API)
    soon = list(room.asked)
    room.clock.advance(timedelta(seconds=2))
    await room.fails(API)

    assert list(CONTROLS) == first
    assert list(CONTROLS) == soon
    assert [*CONTROLS, *CONTROLS] == room.asked


async def test_failure_counts_while_the_controls_answer() -> None:
    """It is the vendor's network."""
    room = Room(*CONTROLS)

    assert [Outcome.FAIL] * 3 == [await room.fails(API) for _ in range(3)]
    assert not room.sighting.sight.blind


async def test_failure_is_inconclusive_while_the_controls_fail() -> None:
    """The sample keeps what was seen, and why it does not count."""
    room = Room(*CONTROLS, answer=NO_WAY)
    found = await room.sighting.believed(sample(API, NO_WAY, room.clock.now()))

    assert Outcome.INCONCLUSIVE == found.outcome
    assert "blind" == found.error
    assert Fault.LOCAL == found.fault
    assert "both controls are unreachable; what was seen: as scripted" == found.reason
    assert {API} == room.sighting.unseen


async def test_answer_while_blind_counts() -> None:
    """And the check no longer belongs to the unseen ones."""
    room = Room(*CONTROLS, answer=NO_WAY)
    await room.fails(API)
    assert Outcome.FAIL is await room.fails(API, BROKEN)

    assert set() == room.sighting.unseen


async def test_blindness_ends_after_ten_seconds_of_answers() -> None:
    """One lucky packet is not enough."""
    room = Room(*CONTROLS, answer=NO_WAY)
    await room.fails(API)
    room.answer = WELL
    seen = []
    for _ in range(5):
        room.clock.advance(timedelta(seconds=5))
        await room.sighting.recheck()
        seen.append(room.sighting.sight.blind)

    assert [True, True, False, False, False] == seen


async def test_answer_in_between_starts_a_new_failure() -> None:
    """Short failures of three providers, hours apart, are no cut of ours."""
    room = Room()
    for check in (API, GPT, "gemini.api.models"):
        await room.fails(check)
        room.clock.advance(timedelta(seconds=20))
        room.sighting.provider(sample(check, WELL, room.clock.now()))
        room.clock.advance(timedelta(hours=1))
    assert {} == room.sighting.sight.onsets

    assert not room.sighting.sight.blind


async def test_simultaneous_failure_of_three_providers_is_our_cut() -> None:
    """Without any control; two would prove nothing."""
    room = Room()
    for check in (API, GPT):
        await room.fails(check)
    two = room.sighting.sight.blind
    await room.fails("gemini.api.models")

    assert not two
    assert room.sighting.sight.blind


async def test_control_that_never_answered_is_ignored() -> None:
    """Where only chosen hosts are reachable, the vendor that answered yesterday is down today."""
    room = Room(*CONTROLS, answer=NO_WAY)
    await room.looks_around()
    await room.answers(API)

    assert Outcome.FAIL is await room.fails(API)
    assert not room.sighting.sight.blind


async def test_control_that_answered_once_counts_for_ever() -> None:
    """It fell silent together with the vendor."""
    room = Room(*CONTROLS)
    await room.looks_around()
    await room.answers(API)
    room.clock.advance(timedelta(seconds=5))
    room.answer = NO_WAY

    assert Outcome.INCONCLUSIVE is await room.fails(API)


async def test_controls_count_if_nothing_ever_answered() -> None:
    """A first start without a network accuses nobody."""
    room = Room(*CONTROLS, answer=NO_WAY)
    await room.looks_around()

    assert Outcome.INCONCLUSIVE is await room.fails(API)


async def test_control_refused_by_the_guard_proves_nothing() -> None:
    """Neither failure nor success."""
    room = Room(*CONTROLS, answer=Answer(Outcome.FAIL, "address_refused", Fault.OURS_CONFIG))
    await room.looks_around()

    assert frozenset() == room.sighting.proven.controls
    assert Outcome.FAIL is await room.fails(API)


async def test_first_start_without_internet_accuses_nobody_although_our_service_answers() -> None:
    """No control and no vendor ever answered: the line is not plugged in."""
    room = Room(*CONTROLS, answer=NO_WAY)
    await room.looks_around()
    await room.answers(OURS)

    assert Outcome.INCONCLUSIVE is await room.fails(API)


async def test_heartbeat_does_not_prove_our_uplink() -> None:
    """It came to us."""
    room = Room(*CONTROLS)
    await room.looks_around()
    await room.answers(GPT)
    room.clock.advance(timedelta(seconds=5))
    room.answer = NO_WAY
    await room.looks_around()
    await room.answers(BEAT)

    assert Outcome.INCONCLUSIVE is await room.fails(API)


async def test_internal_service_is_judged_while_the_internet_is_unreachable() -> None:
    """Once another internal address has answered since; before that it may be our own cable."""
    room = Room(*CONTROLS, answer=NO_WAY)
    await room.looks_around()
    await room.fails(API)
    room.clock.advance(timedelta(seconds=5))
    at_first = await room.fails(OURS)
    await room.answers(OURS)
    await room.fails(API)

    assert Outcome.INCONCLUSIVE is at_first
    assert Outcome.FAIL is await room.fails(OURS)


async def test_outside_answer_counts_although_an_inside_one_is_newer() -> None:
    """The provider has a public site, and a service in our network."""
    room = Room(*CONTROLS)
    await room.looks_around()
    await room.answers("ours.site.front")
    room.clock.advance(timedelta(seconds=5))
    room.answer = NO_WAY
    await room.looks_around()
    await room.answers("ours.site.front")
    await room.answers(OURS)

    assert Outcome.FAIL is await room.fails(API)


async def test_restart_while_blind_changes_nothing_for_our_own_network() -> None:
    """Answers from inside and outside are remembered separately."""
    room = Room(*CONTROLS, answer=NO_WAY)
    await room.looks_around()
    await room.fails(API)
    await room.answers(OURS)
    await room.fails(API)
    again = Room(*CONTROLS, answer=NO_WAY)
    again.clock.advance(timedelta(minutes=10))  # what answered is too old to be counted by itself
    sight, controls, providers = room.sighting.memory()
    again.sighting.proven = room.sighting.proven
    again.sighting.restore(replace(sight, inside_well=False, onsets={}), sight, controls, providers)

    assert Outcome.FAIL is await again.fails(OURS)
    assert Outcome.INCONCLUSIVE is await again.fails(API)


# --- with the watch around it


async def test_unreachable_controls_are_remembered_over_a_restart() -> None:
    """The bot restarts during the vendor's outage, when nothing answers to learn it again."""
    stand = Stand([Check(API)], controls=[Check(id) for id in CONTROLS])
    stand.script.answers = dict.fromkeys(CONTROLS, NO_WAY)
    await stand.opened()
    stand.script.answers[API] = NO_WAY
    again = await stand.reopened()
    await again.passes(60)

    assert "down" == again.level("anthropic.api")
    assert not again.engine.world.sight.blind


async def test_control_that_answered_counts_after_a_restart() -> None:
    """Our line is cut at the moment of the restart, and nobody is accused."""
    stand = await Stand([Check(API)], controls=[Check(id) for id in CONTROLS]).opened()
    await stand.passes(60)
    stand.script.answers = dict.fromkeys((API, *CONTROLS), NO_WAY)
    again = await stand.reopened()
    await again.passes(60)

    assert {} == again.engine.world.incidents
    assert again.engine.world.sight.blind


@pytest.mark.parametrize("text", ["{broken", "[1]", '{"controls": 7}'])
async def test_unreadable_memory_of_controls_is_learned_again(text: str) -> None:
    """Damaged bytes in one setting stop no start."""
    stand = await Stand([Check(API)], controls=[Check(id) for id in CONTROLS]).opened()
    await stand.ledger.write(lambda store: store.put_setting(SETTING, text))
    again = await stand.reopened()
    await again.passes(60)

    assert "operational" == again.level("anthropic.api")


async def test_blindness_is_reported_once_and_a_remaining_outage_is_the_vendors() -> None:
    """Everything is cut for five minutes; then one vendor stays away."""
    ids = (API, GPT)
    stand = await Stand([Check(id) for id in ids], controls=[Check(id) for id in CONTROLS]).opened()
    stand.script.answers = dict.fromkeys((*ids, *CONTROLS), NO_WAY)
    await stand.passes(300)
    blind, incidents = stand.engine.world.sight.blind, dict(stand.engine.world.incidents)
    levels = [stand.level("anthropic.api"), stand.level("openai.api")]
    stand.script.answers = {API: NO_WAY}
    await stand.passes(120)

    assert blind
    assert ["unknown", "unknown"] == levels
    assert {} == incidents
    assert not stand.engine.world.sight.blind
    assert 2 == stand.engine.world.seqs["sight"]
    assert "down" == stand.level("anthropic.api")
    assert "operational" == stand.level("openai.api")
    assert ["anthropic"] == [incident.provider for incident in stand.engine.world.incidents.values()]


async def test_control_that_fails_alone_is_ignored() -> None:
    """Every provider answers."""
    stand = await Stand([Check(API), Check(GPT)], controls=[Check(CONTROLS[0])]).opened()
    stand.script.answers = {CONTROLS[0]: NO_WAY}
    await stand.passes(300)

    assert not stand.engine.world.sight.blind
    assert "operational" == stand.level("anthropic.api")
    assert "operational" == stand.level("openai.api")


async def test_controls_are_asked_at_once_when_in_doubt() -> None:
    """Not in their next interval."""
    stand = await Stand([Check(API)], controls=[Check(id, every=timedelta(minutes=10)) for id in CONTROLS]).opened()
    before = len(stand.script.began)
    stand.script.answers = {API: NO_WAY}
    await stand.until_look(API)

    assert [API, *CONTROLS] == [id for id, _ in stand.script.began[before:]]


@pytest.mark.parametrize("restarted", [False, True])
async def test_controls_that_a_firewall_shut_out_hide_no_outage(restarted: bool) -> None:
    """They answered once and are silent for an hour in which the vendor answered: when it hangs, it is the vendor.

    Also where the bot was restarted in between.
    """
    stand = await Stand([Check(API)], controls=[Check(id) for id in CONTROLS]).opened()
    stand.script.answers = dict.fromkeys(CONTROLS, NO_WAY)
    await stand.passes(3600)
    stand = await stand.reopened(killed=True) if restarted else stand
    stand.script.answers[API] = TOO_LATE
    await stand.passes(60)

    assert "down" == stand.level("anthropic.api")
    assert not stand.engine.world.sight.blind
    assert ("one", "two") == stand.watch.silent_controls()


async def test_remaining_control_still_shows_our_cut() -> None:
    """Two of three have been blocked for an hour, then the line is cut."""
    left = "control.three"
    stand = await Stand([Check(API)], controls=[Check(id) for id in (*CONTROLS, left)]).opened()
    stand.script.answers = dict.fromkeys(CONTROLS, NO_WAY)
    await stand.passes(3600)
    stand.script.answers |= dict.fromkeys((API, left), NO_WAY)
    await stand.passes(300)

    assert {} == stand.engine.world.incidents
    assert stand.engine.world.sight.blind


async def test_vendor_that_answered_slightly_longer_than_the_controls_is_no_proof() -> None:
    """A line may die piece by piece: first the controls, then the vendor."""
    stand = await Stand([Check(API)], controls=[Check(id) for id in CONTROLS]).opened()
    stand.script.answers = dict.fromkeys(CONTROLS, NO_WAY)
    await stand.passes(90)
    stand.script.answers[API] = NO_WAY
    await stand.passes(120)

    assert {} == stand.engine.world.incidents
    assert stand.engine.world.sight.blind
