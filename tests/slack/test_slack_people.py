"""The directory of people: one look-up each, updated by events, and known people keep access while Slack is silent."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from slack_house import Notes

from bot.sandbox.slack import LocalWorkspace, Person
from bot.slack.gateway import SlackGateway
from bot.slack.people import ASK_WITHIN_S, FRESH_FOR_S, MOST, PAUSE_AFTER_S, SETTING, People
from bot.slack.standing import Standing
from bot.system.clock import ManualClock

NOW = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def ana(workspace: LocalWorkspace) -> Person:
    return workspace.add_user("ana", "Ana Silva")


@pytest.fixture
async def people(gateway: SlackGateway, clock: ManualClock, notes: Notes) -> AsyncIterator[People]:
    made = People(gateway, notes, clock)
    yield made
    await made.close()


def asked(workspace: LocalWorkspace) -> int:
    return sum(call.method == "users.info" for call in workspace.calls)


def later(clock: ManualClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))


async def test_each_person_is_looked_up_once(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """Even if five of their requests arrive at once."""
    first = await asyncio.gather(*(people.standing(ana.id) for _ in range(5)))
    again = await people.standing(ana.id)

    assert (1, [Standing.MEMBER] * 6) == (asked(workspace), [*first, again])


async def test_person_unknown_to_slack_is_a_stranger(workspace: LocalWorkspace, people: People) -> None:
    """Slack's clear no is an answer, and is kept like any other."""
    found = [await people.standing("U0NOBODY") for _ in range(2)]

    assert (1, [Standing.FOREIGN] * 2) == (asked(workspace), found)


async def test_person_is_looked_up_again_after_an_hour(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """A missed change matters for an hour at most."""
    await people.standing(ana.id)
    workspace.team.users[ana.id].guest = "multi"
    later(clock, FRESH_FOR_S - 1)
    before = await people.standing(ana.id)
    later(clock, 1)

    assert (Standing.MEMBER, Standing.GUEST) == (before, await people.standing(ana.id))


async def test_event_that_bars_a_person_counts_at_once(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """Without a look-up, since Slack may be silent just then."""
    await people.standing(ana.id)
    people.heard({"id": ana.id, "team_id": workspace.team_id, "deleted": True})

    assert (Standing.DEACTIVATED, 1) == (await people.standing(ana.id), asked(workspace))


async def test_new_full_member_is_looked_up(workspace: LocalWorkspace, people: People) -> None:
    """The event lacks some of what makes a member."""
    gus = workspace.add_user("gus", guest="multi")
    before = await people.standing(gus.id)
    workspace.team.users[gus.id].guest = ""
    people.heard({"id": gus.id, "team_id": workspace.team_id})

    assert (Standing.GUEST, Standing.MEMBER) == (before, await people.standing(gus.id))


async def test_answer_overtaken_by_an_event_is_not_kept(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """Slack answered with the old record while the event was on its way."""

    async def overtake(method: str, phase: str, args: object) -> None:
        if method == "users.info" and phase == "after" and asked(workspace) < 2:
            workspace.team.users[ana.id].guest = "multi"
            people.heard({"id": ana.id, "is_restricted": True})

    workspace.faults.on_call(overtake)
    await people.standing(ana.id)

    assert Standing.GUEST is await people.standing(ana.id)


@pytest.mark.parametrize("known", [True, False])
async def test_deactivation_wins_over_an_older_answer(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock, known: bool
) -> None:
    """Slack's answer was on its way when the person was deactivated, and Slack cannot be asked again."""
    if known:
        await people.standing(ana.id)
        later(clock, FRESH_FOR_S)

    async def overtake(method: str, phase: str, args: object) -> None:
        if method == "users.info" and phase == "after":
            people.heard({"id": ana.id, "deleted": True})
            workspace.faults.add("users.info", "error:internal_error", times=9)

    workspace.faults.on_call(overtake)
    first = await people.standing(ana.id)

    assert (Standing.DEACTIVATED, Standing.DEACTIVATED) == (first, await people.standing(ana.id))


async def test_lifted_deactivation_does_not_affect_a_newer_answer(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """Slack fell silent during the deactivation; a day later the person is back, and Slack says so."""
    workspace.faults.add("users.info", "error:internal_error")

    async def overtake(method: str, phase: str, args: object) -> None:
        people.heard({"id": ana.id, "deleted": True})

    quiet = workspace.faults.on_call(overtake)
    await people.standing(ana.id)
    quiet()
    later(clock, 24 * 3600)

    assert Standing.MEMBER is await people.standing(ana.id)


async def test_changes_of_unknown_people_are_ignored(people: People, workspace: LocalWorkspace) -> None:
    """Among twenty thousand people, somebody changes their status all the time."""
    for number in range(1000):
        people.heard({"id": f"U0{number}", "deleted": True})

    assert (0, 0) == (asked(workspace), len(people))


@pytest.mark.parametrize("fault", ["429", "500_before", "error:internal_error", "error:missing_scope"])
async def test_unknown_person_may_do_nothing_until_slack_answers(
    workspace: LocalWorkspace, people: People, ana: Person, fault: str, clock: ManualClock
) -> None:
    """Access fails closed with a reason, and is tried again a little later."""
    workspace.faults.add("users.info", fault)
    closed, why = await people.standing(ana.id), people.silence
    later(clock, PAUSE_AFTER_S)

    assert (Standing.UNKNOWN, Standing.MEMBER) == (closed, await people.standing(ana.id))
    assert why


async def test_known_person_keeps_access_while_slack_is_silent(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """With Slack half down at three in the morning, the engineer on call can still resolve."""
    await people.standing(ana.id)
    later(clock, 9 * FRESH_FOR_S)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert Standing.MEMBER is await people.standing(ana.id)


async def test_known_guest_stays_a_guest_while_slack_is_silent(
    workspace: LocalWorkspace, people: People, clock: ManualClock
) -> None:
    """The last known state counts both ways."""
    gus = workspace.add_user("gus", guest="single")
    await people.standing(gus.id)
    later(clock, 9 * FRESH_FOR_S)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert Standing.GUEST is await people.standing(gus.id)


async def test_listed_commanders_are_trusted_while_slack_is_silent(
    workspace: LocalWorkspace, gateway: SlackGateway, ana: Person
) -> None:
    """An operator named them; but if Slack says something, that counts more."""
    gus = workspace.add_user("gus", guest="multi")
    people = People(gateway, Notes(), ManualClock(NOW), trusted=lambda: {ana.id, gus.id})
    guest = await people.standing(gus.id)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert (Standing.GUEST, Standing.MEMBER) == (guest, await people.standing(ana.id))
    await people.close()


async def test_hanging_look_up_is_given_up_in_time(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """Within the time that Slack allows us; the next request does not wait at all."""
    workspace.faults.add("users.info", "hang", times=9)
    loop = asyncio.get_running_loop()
    began = loop.time()
    first = await people.standing(ana.id)
    waited, began = loop.time() - began, loop.time()
    second = await people.standing(ana.id)

    assert [Standing.UNKNOWN] * 2 == [first, second]
    assert waited < 2 * ASK_WITHIN_S and loop.time() - began < 0.2


async def test_known_people_are_remembered_over_a_restart(
    workspace: LocalWorkspace, people: People, gateway: SlackGateway, ana: Person, notes: Notes
) -> None:
    """The bot restarted during the outage, while Slack answers no look-up."""
    gus = workspace.add_user("gus", guest="multi")
    await people.standing(ana.id)
    await people.standing(gus.id)
    await people.settled()
    workspace.faults.add("users.info", "error:internal_error", times=9)
    again = People(gateway, notes, ManualClock(NOW))
    await again.recall()

    assert json.dumps([ana.id]) == notes.settings[SETTING]
    assert (Standing.MEMBER, Standing.UNKNOWN) == (await again.standing(ana.id), await again.standing(gus.id))
    await again.close()


async def test_people_are_looked_up_again_after_a_restart(
    workspace: LocalWorkspace, gateway: SlackGateway, ana: Person, notes: Notes
) -> None:
    """Someone may have become a guest while the bot was down."""
    notes.settings[SETTING] = json.dumps([ana.id])
    workspace.team.users[ana.id].guest = "multi"
    people = People(gateway, notes, ManualClock(NOW))
    await people.recall()

    assert Standing.GUEST is await people.standing(ana.id)
    await people.close()


async def test_everybody_is_looked_up_again_after_a_reconnection(
    workspace: LocalWorkspace, people: People, ana: Person
) -> None:
    """Events in between were missed."""
    await people.standing(ana.id)
    workspace.team.users[ana.id].deleted = True
    people.doubt()

    assert Standing.DEACTIVATED is await people.standing(ana.id)


async def test_directory_is_bounded(people: People, notes: Notes) -> None:
    """The least recently seen people go first; they are looked up again when they return."""
    notes.settings[SETTING] = json.dumps([f"U{number}" for number in range(MOST + 50)])
    await people.recall()
    await people.standing("U0NEW")

    assert MOST == len(people)


async def test_recently_seen_person_is_not_forgotten(
    people: People, notes: Notes, workspace: LocalWorkspace, clock: ManualClock, ana: Person
) -> None:
    """With Slack silent, the engineer of a moment ago stays known, however many strangers pass."""
    notes.settings[SETTING] = json.dumps([f"U{number}" for number in range(MOST)])
    await people.recall()
    workspace.faults.add("users.info", "error:internal_error", times=1)
    before = await people.standing("U0")
    later(clock, PAUSE_AFTER_S + 1)
    await people.standing(ana.id)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert (Standing.MEMBER, Standing.MEMBER, MOST) == (before, await people.standing("U0"), len(people))


async def test_time_zone_is_known_with_the_person(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """From their profile, also after a change; nothing for people who were never looked up."""
    workspace.team.users[ana.id].tz = "Asia/Tokyo"
    before = people.zone(ana.id)
    await people.standing(ana.id)
    tokyo = people.zone(ana.id)
    people.heard({"id": ana.id, "tz": "Europe/Berlin"})

    assert ("", "Asia/Tokyo", "Europe/Berlin") == (before, tokyo, people.zone(ana.id))


async def test_person_who_changes_during_a_look_up_is_looked_up_again(
    workspace: LocalWorkspace, people: People, ana: Person
) -> None:
    """The event bars nobody, but Slack's answer is older than it."""

    async def overtake(method: str, phase: str, args: object) -> None:
        if method == "users.info" and phase == "after" and asked(workspace) < 2:
            workspace.team.users[ana.id].guest = "multi"
            people.heard({"id": ana.id, "profile": {"title": "on leave"}})

    workspace.faults.on_call(overtake)
    await people.standing(ana.id)

    assert Standing.GUEST is await people.standing(ana.id)


async def test_harmless_change_before_a_slack_outage_keeps_access(
    workspace: LocalWorkspace, people: People, ana: Person
) -> None:
    """The engineer on call set a status a minute before: the known record stays, with its time zone."""
    workspace.team.users[ana.id].tz = "Asia/Tokyo"
    await people.standing(ana.id)
    people.heard({"id": ana.id, "profile": {"status_text": "on call"}})
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert (Standing.MEMBER, "Asia/Tokyo") == (await people.standing(ana.id), people.zone(ana.id))


async def test_deactivated_person_stays_barred_over_a_restart(people: People, ana: Person, notes: Notes) -> None:
    """Slack may not answer look-ups by then."""
    await people.standing(ana.id)
    await people.settled()
    people.heard({"id": ana.id, "deleted": True})
    await people.settled()

    assert "[]" == notes.settings[SETTING]


@pytest.mark.parametrize(("said", "kept"), [(7, "UTC"), ("X" * 65, "UTC"), ("X" * 64, "X" * 64), (None, "UTC")])
async def test_invalid_time_zone_is_ignored(
    workspace: LocalWorkspace, people: People, ana: Person, said: object, kept: str
) -> None:
    """It is foreign input; the last known zone stays."""
    workspace.team.users[ana.id].tz = "UTC"
    await people.standing(ana.id)
    people.heard({"id": ana.id, "tz": said})

    assert kept == people.zone(ana.id)


async def test_no_look_up_for_a_while_after_one_failed(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """Everybody's requests would wait for it, and add load."""
    workspace.faults.add("users.info", "error:internal_error", times=1)
    await people.standing(ana.id)
    later(clock, PAUSE_AFTER_S - 1)
    meanwhile = await people.standing(ana.id)
    later(clock, 1)

    assert (Standing.UNKNOWN, Standing.MEMBER) == (meanwhile, await people.standing(ana.id))
