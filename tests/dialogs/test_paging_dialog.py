"""Paging over the real transport: who is paged, by which means, how often, and what people read about it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.core.record.paging_facts import Paged, PageLost, PageOutcome
from bot.ports import NotifyResult
from tests.dialogs.talk import Talk
from tests.house import SOON_S, House, a_house

STEPS = [
    {"after": "0s", "mention": ["primary"]},
    {"after": "5m", "mention": ["primary"], "dm": ["primary"]},
    {"after": "10m", "notify": True},
]


class Pager:
    """The server behind the addresses of `notify`."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.takes = True

    async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
        self.got.append((title, body))
        return (
            NotifyResult(tuple(named)) if self.takes else NotifyResult((), ("notify address 1 (json) did not take the notice",))
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that has not started, with Ana in its on-call group."""
    async with a_house(tmp_path, started=False) as house:
        group = house.workspace.add_group("oncall", "On call", members=(house.ana,))
        house.notifier = Pager()
        house.changes |= {
            "people": {"on_call": {"primary": {"usergroup": group}}}, "notify": ["json://127.0.0.1:9/"],
            "paging": {"SEV2": STEPS},
        }  # fmt: skip
        yield house


async def runs(house: House, **changes: Any) -> Talk:
    """Start with these sections changed, and let the Claude API fail."""
    house.changes |= changes
    await house.start()
    await house.passes(minutes=1)
    await house.fails("anthropic.api")
    await house.quiet()
    return Talk(house)


async def later(talk: Talk, minutes: float) -> None:
    await talk.house.passes(minutes=minutes)
    await talk.house.quiet()


def raw(talk: Talk, channel: str = "ops") -> str:
    """The alert as Slack received it, with its markup."""
    return str(talk.alerts(channel)[0].blocks)


def direct(talk: Talk, person: str) -> list[str]:
    """What the bot sent somebody as direct messages."""
    team = talk.house.workspace.team
    mine = [c for c in team.channels.values() if c.kind == "im" and any(team.users[m].name == person for m in c.members)]
    return [talk.shows(m) for c in mine for m in c.messages]


async def test_alert_mentions_the_person_on_call(house: House) -> None:
    """The first step needs no second message: posting the alert notifies the person."""
    talk = await runs(house)
    group = house.changes["people"]["on_call"]["primary"]["usergroup"]

    assert "Nobody has acknowledged this. @oncall" in talk.alert()
    assert f"<!subteam^{group}>" in raw(talk)
    assert [] == talk.pushed()


async def test_next_step_is_a_reply_and_a_direct_message(house: House) -> None:
    """One line with a button: what is down, and how long nobody has responded."""
    talk = await runs(house)
    await later(talk, 4.5)
    line = "INC-1 SEV2: Claude API is down. Nobody has acknowledged it for 5 min."

    assert [f"{line} @oncall\n[Acknowledge]"] == talk.pushed()
    assert [f"{line} The channel is #{house.incident_channel}.\n[Acknowledge]"] == direct(talk, "ana")
    assert [] == direct(talk, "bob")


async def test_last_step_calls_the_notify_addresses(house: House) -> None:
    """Slack alone does not wake people who have muted it."""
    talk = await runs(house)
    await later(talk, 9.5)
    assert isinstance(house.notifier, Pager)
    [(title, body)] = house.notifier.got

    assert "INC-1 SEV2: Claude API is down" == title
    assert body.startswith("Nobody has acknowledged it for 10 min. Since 12:0")
    assert body.endswith("or: understudy incident ack INC-1")


async def test_drills_pages_are_left_out_of_the_metrics(house: House) -> None:
    """Alerts on failed pages are about real ones; a drill's pages appear in its report."""

    async def counted() -> list[str]:
        async with aiohttp.ClientSession() as client, client.get(f"{house.app.url}/metrics") as page:
            return [line for line in (await page.text()).splitlines() if line.startswith("understudy_pages_total{")]

    await house.start()
    await house.passes(minutes=1)
    talk = Talk(house)
    await talk.asks(house.ana, "/drill start openai paging")
    await house.quiet()
    of_the_drill = await counted()
    await house.fails("anthropic.api")
    await house.quiet()

    assert 1 == len(await talk.facts(PageOutcome)) - len(await counted())
    assert [] == of_the_drill


async def test_acknowledging_from_a_page_ends_paging(house: House) -> None:
    """The direct message has the same button as the alert."""
    talk = await runs(house)
    await later(talk, 4.5)
    said = await talk.presses(house.ana, "Acknowledge", message_containing="Nobody has acknowledged it for 5 min. The channel")
    await later(talk, 30)
    assert isinstance(house.notifier, Pager)

    assert "INC-1 is yours." == said
    assert "Nobody has acknowledged" not in talk.alert()
    assert [] == house.notifier.got


async def test_restart_neither_forgets_nor_repeats_a_step(house: House) -> None:
    """The ledger knows the completed steps; of those that fell due in between, the last comes at once."""
    talk = await runs(house)
    await later(talk, 4.5)
    await house.stop()
    house.clock.advance(timedelta(minutes=20))
    await house.start()
    await later(talk, 1)
    taken = [fact.body.step for fact in await talk.facts(Paged) if isinstance(fact.body, Paged)]
    assert isinstance(house.notifier, Pager)

    assert [1, 2, 3] == taken
    assert 1 == len(direct(talk, "ana"))
    assert 1 == len(house.notifier.got)


async def test_empty_group_is_reported_and_the_next_step_comes_at_once(house: House) -> None:
    """A group without members must not cost the night."""
    empty = house.workspace.add_group("nobody", "Nobody", members=())
    steps = [{"after": "0s", "mention": ["primary"]}, {"after": "15m", "mention": [house.bob.id]}]
    talk = await runs(house, people={"on_call": {"primary": {"usergroup": empty}}}, paging={"SEV2": steps})
    await later(talk, 0.5)

    assert talk.said("ops", "page 1 reached nobody (primary: nobody is on call now). The next step starts at once.")
    assert "Nobody has acknowledged it for" in "\n".join(talk.pushed())
    assert "@bob" in "\n".join(talk.pushed())


async def test_deactivated_person_is_reported_and_the_next_step_comes_at_once(house: House) -> None:
    """Slack accepts a mention that nobody reads."""
    rota = {"starts": "2026-03-19T12:04:00Z", "every": "1d", "users": [house.ana.id]}
    steps = [{"after": "0s", "mention": ["primary"], "dm": ["primary"]}, {"after": "15m", "mention": [house.bob.id]}]
    house.workspace.change_user("ana", deleted=True)
    talk = await runs(house, people={"on_call": {"primary": {"rota": rota}}}, paging={"SEV2": steps})
    await later(talk, 0.5)

    assert "@ana" not in talk.alert()
    assert talk.said("ops", f"page 1 reached nobody (primary: the account of {house.ana.id} in Slack is deactivated).")
    assert "@bob" in "\n".join(talk.pushed())


async def test_ops_is_told_when_paging_reaches_nobody(house: House) -> None:
    """The last message says it plainly."""
    assert isinstance(house.notifier, Pager)
    house.notifier.takes = False
    empty = house.workspace.add_group("nobody", "Nobody", members=())
    steps = [{"after": "0s", "mention": ["primary"]}]
    talk = await runs(house, people={"on_call": {"primary": {"usergroup": empty}}}, paging={"SEV2": steps})
    await later(talk, 1)

    assert talk.said("ops", "page 2 reached nobody")
    assert talk.said("ops", "There is no further step: somebody must act now.")
    assert 2 == len(await talk.facts(PageLost))


async def test_alert_in_quiet_hours_says_when_they_end(house: House) -> None:
    """It is four in the afternoon in Delhi, and quiet hours for SEV2 last until six."""
    quiet = {"severities": ["SEV2"], "from": "12:00", "to": "18:00", "zone": "Asia/Kolkata"}
    talk = await runs(house, paging={"SEV2": STEPS, "quiet": {**quiet, "to": "19:00"}})
    waiting = talk.alert()
    await later(talk, 90)

    assert "Nobody has acknowledged this. Quiet hours: nobody is paged before" in waiting
    assert "@oncall" not in waiting
    assert "@oncall" in "\n".join(talk.pushed())


async def test_rota_is_read_at_the_time_of_the_page(house: House) -> None:
    """Bob's shift began while nobody answered."""
    rota = {"starts": "2026-03-19T12:04:00Z", "every": "1d", "users": [house.ana.id, house.bob.id]}
    talk = await runs(house, people={"on_call": {"primary": {"rota": rota}}})
    first = talk.alert()
    await later(talk, 4.5)

    assert "Nobody has acknowledged this. @ana" in first
    assert "@bob" in "\n".join(talk.pushed())
    assert 1 == len(direct(talk, "bob"))


async def test_here_is_mentioned_only_as_configured(house: House) -> None:
    """By severity and by name, never because of anybody's words."""
    talk = await runs(house, paging={"SEV2": [{"after": "0s", "mention": ["here"]}]})

    assert "<!here>" in raw(talk)


async def test_people_on_call_by_name_are_invited(house: House) -> None:
    """`slack.invite` accepts the names of people.on_call."""
    talk = await runs(house, slack={"invite": ["primary"]})

    assert house.ana.id in talk.house.workspace.channel(house.incident_channel).members


async def test_slack_outage_from_the_start_delays_no_page(house: House) -> None:
    """Each step goes out by notify although the alert is not posted yet; later one reply covers them all."""
    steps = [{"after": after, "mention": ["primary"]} for after in ("0s", "5m", "10m")]
    house.changes |= {"paging": {"SEV2": steps}}
    await house.start()
    await house.passes(minutes=1)
    await house.workspace.faults.offline()
    await house.fails("anthropic.api")
    assert isinstance(house.notifier, Pager)
    for pages, minutes in ((1, 0.0), (2, 4.5), (3, 5.0)):
        await house.passes(minutes=minutes)
        async with asyncio.timeout(SOON_S):
            while len(house.notifier.got) < pages:
                await asyncio.sleep(0.02)
    await house.workspace.faults.online()
    await house.quiet()
    talk = Talk(house)

    assert 3 == len(house.notifier.got)
    assert "@oncall" in talk.alert()
    root = talk.alerts()[-1]
    replies = [talk.shows(reply) for reply in house.workspace.messages("ops", thread_ts=root.ts)[1:]]

    assert 1 == "".join(replies).count("Nobody has acknowledged it")


async def test_updates_leave_pages_out(house: House) -> None:
    """Pages tell the readers of an update nothing new."""
    talk = await runs(house)
    await later(talk, 70)
    said = [talk.shows(message) for message in talk.said(house.incident_channel)]

    assert [] == [text for text in said if "Page 2" in text]


async def test_page_goes_out_by_notify_while_slack_is_down(house: House) -> None:
    """Each step is announced once, however many ways it takes."""
    await runs(house, paging={"SEV2": STEPS[:2]})
    assert isinstance(house.notifier, Pager)
    await house.workspace.faults.offline()
    await house.passes(minutes=5)
    async with asyncio.timeout(SOON_S):
        while not house.notifier.got:
            await asyncio.sleep(0.02)
    await house.workspace.faults.online()
    await house.quiet()
    [(title, body)] = house.notifier.got

    assert "INC-1 SEV2: Claude API is down" == title
    assert body.startswith("Nobody has acknowledged it.")
