"""The directory of people: each is asked about once, changes are heard of, and a silent Slack locks out nobody whom we know."""

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


async def test_slack_is_asked_once_for_each_person(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """Also when five requests of theirs come at once."""
    first = await asyncio.gather(*(people.standing(ana.id) for _ in range(5)))
    again = await people.standing(ana.id)

    assert (1, [Standing.MEMBER] * 6) == (asked(workspace), [*first, again])


async def test_somebody_whom_slack_does_not_know_is_a_stranger(workspace: LocalWorkspace, people: People) -> None:
    """Slack's clear no is an answer, and is kept like one."""
    found = [await people.standing("U0NOBODY") for _ in range(2)]

    assert (1, [Standing.FOREIGN] * 2) == (asked(workspace), found)


async def test_slack_is_asked_again_after_an_hour(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """A change that was missed counts for an hour at most."""
    await people.standing(ana.id)
    workspace.team.users[ana.id].guest = "multi"
    later(clock, FRESH_FOR_S - 1)
    before = await people.standing(ana.id)
    later(clock, 1)

    assert (Standing.MEMBER, Standing.GUEST) == (before, await people.standing(ana.id))


async def test_what_bars_somebody_counts_from_the_event_on(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """Without asking: Slack may be silent just then."""
    await people.standing(ana.id)
    people.heard({"id": ana.id, "team_id": workspace.team_id, "deleted": True})

    assert (Standing.DEACTIVATED, 1) == (await people.standing(ana.id), asked(workspace))


async def test_who_becomes_a_full_member_is_asked_about(workspace: LocalWorkspace, people: People) -> None:
    """The event does not tell everything that makes a member, so Slack is asked."""
    gus = workspace.add_user("gus", guest="multi")
    before = await people.standing(gus.id)
    workspace.team.users[gus.id].guest = ""
    people.heard({"id": gus.id, "team_id": workspace.team_id})

    assert (Standing.GUEST, Standing.MEMBER) == (before, await people.standing(gus.id))


async def test_an_answer_that_an_event_overtook_is_not_kept_for_an_hour(
    workspace: LocalWorkspace, people: People, ana: Person
) -> None:
    """Slack answered with the old record while the change was on its way."""

    async def overtake(method: str, phase: str, args: object) -> None:
        if method == "users.info" and phase == "after" and asked(workspace) < 2:
            workspace.team.users[ana.id].guest = "multi"
            people.heard({"id": ana.id, "is_restricted": True})

    workspace.faults.on_call(overtake)
    await people.standing(ana.id)

    assert Standing.GUEST is await people.standing(ana.id)


@pytest.mark.parametrize("known", [True, False])
async def test_a_bar_outlives_an_older_answer_though_slack_falls_silent(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock, known: bool
) -> None:
    """Somebody is deactivated while Slack's answer about them is on its way, and cannot be asked about again."""
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


async def test_a_bar_that_was_lifted_is_not_applied_to_a_newer_answer(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """Slack fell silent while somebody was deactivated; a day later they are back, and Slack says so."""
    workspace.faults.add("users.info", "error:internal_error")

    async def overtake(method: str, phase: str, args: object) -> None:
        people.heard({"id": ana.id, "deleted": True})

    quiet = workspace.faults.on_call(overtake)
    await people.standing(ana.id)
    quiet()
    later(clock, 24 * 3600)

    assert Standing.MEMBER is await people.standing(ana.id)


async def test_changes_of_people_who_never_came_are_of_no_interest(people: People, workspace: LocalWorkspace) -> None:
    """In a workspace of twenty thousand, somebody changes their status all the time."""
    for number in range(1000):
        people.heard({"id": f"U0{number}", "deleted": True})

    assert (0, 0) == (asked(workspace), len(people))


@pytest.mark.parametrize("fault", ["429", "500_before", "error:internal_error", "error:missing_scope"])
async def test_whoever_is_not_known_may_nothing_until_slack_answers(
    workspace: LocalWorkspace, people: People, ana: Person, fault: str, clock: ManualClock
) -> None:
    """It fails closed, and says why; a little later it is tried again."""
    workspace.faults.add("users.info", fault)
    closed, why = await people.standing(ana.id), people.silence
    later(clock, PAUSE_AFTER_S)

    assert (Standing.UNKNOWN, Standing.MEMBER) == (closed, await people.standing(ana.id))
    assert why


async def test_whoever_is_known_is_not_locked_out_by_a_silent_slack(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """At three in the morning Slack is half down: the engineer on call still resolves."""
    await people.standing(ana.id)
    later(clock, 9 * FRESH_FOR_S)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert Standing.MEMBER is await people.standing(ana.id)


async def test_a_guest_stays_one_while_slack_is_silent(workspace: LocalWorkspace, people: People, clock: ManualClock) -> None:
    """What is known counts both ways."""
    gus = workspace.add_user("gus", guest="single")
    await people.standing(gus.id)
    later(clock, 9 * FRESH_FOR_S)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert Standing.GUEST is await people.standing(gus.id)


async def test_commanders_are_trusted_while_slack_does_not_say(
    workspace: LocalWorkspace, gateway: SlackGateway, ana: Person
) -> None:
    """An operator named them; but what Slack says of them counts more."""
    gus = workspace.add_user("gus", guest="multi")
    people = People(gateway, Notes(), ManualClock(NOW), trusted=lambda: {ana.id, gus.id})
    guest = await people.standing(gus.id)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert (Standing.GUEST, Standing.MEMBER) == (guest, await people.standing(ana.id))
    await people.close()


async def test_nobody_waits_longer_than_slack_waits_for_us(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """A call that hangs is given up in time; the next request does not wait for it at all."""
    workspace.faults.add("users.info", "hang", times=9)
    loop = asyncio.get_running_loop()
    began = loop.time()
    first = await people.standing(ana.id)
    waited, began = loop.time() - began, loop.time()
    second = await people.standing(ana.id)

    assert [Standing.UNKNOWN] * 2 == [first, second]
    assert waited < 2 * ASK_WITHIN_S and loop.time() - began < 0.2


async def test_the_known_are_known_after_a_restart(
    workspace: LocalWorkspace, people: People, gateway: SlackGateway, ana: Person, notes: Notes
) -> None:
    """The bot was restarted in the outage, and Slack does not say who anybody is."""
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


async def test_a_restart_asks_again_while_slack_answers(
    workspace: LocalWorkspace, gateway: SlackGateway, ana: Person, notes: Notes
) -> None:
    """Who was made a guest while the bot was down is one."""
    notes.settings[SETTING] = json.dumps([ana.id])
    workspace.team.users[ana.id].guest = "multi"
    people = People(gateway, notes, ManualClock(NOW))
    await people.recall()

    assert Standing.GUEST is await people.standing(ana.id)
    await people.close()


async def test_doubt_asks_about_everybody_again(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """After a reconnection: what happened in between, nobody told us."""
    await people.standing(ana.id)
    workspace.team.users[ana.id].deleted = True
    people.doubt()

    assert Standing.DEACTIVATED is await people.standing(ana.id)


async def test_the_directory_is_bounded(people: People, notes: Notes) -> None:
    """The least recently seen go first; they are asked about again when they come."""
    notes.settings[SETTING] = json.dumps([f"U{number}" for number in range(MOST + 50)])
    await people.recall()
    await people.standing("U0NEW")

    assert MOST == len(people)


async def test_whoever_was_seen_lately_is_not_the_one_forgotten(
    people: People, notes: Notes, workspace: LocalWorkspace, clock: ManualClock, ana: Person
) -> None:
    """Slack is silent: the engineer who was here a moment ago stays known, however many strangers pass."""
    notes.settings[SETTING] = json.dumps([f"U{number}" for number in range(MOST)])
    await people.recall()
    workspace.faults.add("users.info", "error:internal_error", times=1)
    before = await people.standing("U0")
    later(clock, PAUSE_AFTER_S + 1)
    await people.standing(ana.id)
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert (Standing.MEMBER, Standing.MEMBER, MOST) == (before, await people.standing("U0"), len(people))


async def test_a_persons_time_zone_is_known_with_them(workspace: LocalWorkspace, people: People, ana: Person) -> None:
    """As their profile has it, also after it changed; of somebody whom nobody asked about, nothing."""
    workspace.team.users[ana.id].tz = "Asia/Tokyo"
    before = people.zone(ana.id)
    await people.standing(ana.id)
    tokyo = people.zone(ana.id)
    people.heard({"id": ana.id, "tz": "Europe/Berlin"})

    assert ("", "Asia/Tokyo", "Europe/Berlin") == (before, tokyo, people.zone(ana.id))


async def test_whoever_changed_while_they_were_asked_about_are_asked_about_again(
    workspace: LocalWorkspace, people: People, ana: Person
) -> None:
    """The event said nothing that bars them, and Slack's answer was of before it."""

    async def overtake(method: str, phase: str, args: object) -> None:
        if method == "users.info" and phase == "after" and asked(workspace) < 2:
            workspace.team.users[ana.id].guest = "multi"
            people.heard({"id": ana.id, "profile": {"title": "on leave"}})

    workspace.faults.on_call(overtake)
    await people.standing(ana.id)

    assert Standing.GUEST is await people.standing(ana.id)


async def test_a_change_that_bars_nobody_locks_nobody_out_of_a_silent_slack(
    workspace: LocalWorkspace, people: People, ana: Person
) -> None:
    """The engineer on call set a status a minute before the outage; what is known of them stays, their zone too."""
    workspace.team.users[ana.id].tz = "Asia/Tokyo"
    await people.standing(ana.id)
    people.heard({"id": ana.id, "profile": {"status_text": "on call"}})
    workspace.faults.add("users.info", "error:internal_error", times=9)

    assert (Standing.MEMBER, "Asia/Tokyo") == (await people.standing(ana.id), people.zone(ana.id))


async def test_whoever_is_barred_is_no_member_after_a_restart_either(people: People, ana: Person, notes: Notes) -> None:
    """Slack may not say by then who they are."""
    await people.standing(ana.id)
    await people.settled()
    people.heard({"id": ana.id, "deleted": True})
    await people.settled()

    assert "[]" == notes.settings[SETTING]


@pytest.mark.parametrize(("said", "kept"), [(7, "UTC"), ("X" * 65, "UTC"), ("X" * 64, "X" * 64), (None, "UTC")])
async def test_a_time_zone_that_is_none_is_left_out(
    workspace: LocalWorkspace, people: People, ana: Person, said: object, kept: str
) -> None:
    """What Slack passes on was sent by somebody; the one that was known stays."""
    workspace.team.users[ana.id].tz = "UTC"
    await people.standing(ana.id)
    people.heard({"id": ana.id, "tz": said})

    assert kept == people.zone(ana.id)


async def test_a_slack_that_did_not_answer_is_left_alone_for_a_while(
    workspace: LocalWorkspace, people: People, ana: Person, clock: ManualClock
) -> None:
    """Each further request of everybody would wait for it, and make it worse."""
    workspace.faults.add("users.info", "error:internal_error", times=1)
    await people.standing(ana.id)
    later(clock, PAUSE_AFTER_S - 1)
    meanwhile = await people.standing(ana.id)
    later(clock, 1)

    assert (Standing.UNKNOWN, Standing.MEMBER) == (meanwhile, await people.standing(ana.id))
