"""`slack: none`: the bot checks, decides and serves flags; people are told by `notify`, and nothing waits for a chat."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.core.model import Actor, Phase
from bot.core.record.paging_facts import PageLost
from bot.core.record.room.room_facts import ChannelOpened, GivenUp
from bot.core.signals import Acknowledge, SetPhase
from bot.ports import UNFINISHED, NotifyResult, RowState
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, a_house


class Addresses:
    """A server behind the `notify` addresses that accepts everything."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []

    async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
        self.got.append((title, body))
        return NotifyResult(tuple(named))


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment without Slack whose Claude API has been failing for two minutes."""
    async with a_house(tmp_path, started=False, slack={"mode": "none"}, notify=["json://127.0.0.1:9/"]) as house:
        house.notifier = Addresses()
        await house.start()
        await house.passes(minutes=1)
        await house.fails("anthropic.api")
        await house.quiet()
        yield house


def notified(house: House) -> list[tuple[str, str]]:
    assert isinstance(house.notifier, Addresses)
    return house.notifier.got


async def resolves(house: House) -> None:
    """The vendor recovers, and somebody resolves the incident from the terminal."""
    assert house.app is not None
    await house.recovers("anthropic.api")
    by = Actor.operator("ana")
    await house.app.engine.handle(SetPhase(by, incident=1, phase=Phase.RESOLVED, reason="well", force=True))
    await house.quiet()


async def test_outage_is_announced_once_by_notify(alone: House) -> None:
    """With its impact and where to look, and without a word about Slack."""
    [(title, body)] = [(title, body) for title, body in notified(alone) if title.startswith("INC-1 ")][:1]
    await alone.passes(minutes=90)
    await alone.quiet()
    again = [said for said in notified(alone) if said == (title, body)]

    assert "Terminal: understudy incident show INC-1" in body
    assert "Slack" not in body
    assert [(title, body)] == again


async def test_flags_switch_without_slack(alone: House) -> None:
    """The variant that services get does not depend on a chat."""
    assert alone.app is not None
    engagement = alone.app.engine.world.flags[FLAG].engagement

    assert engagement is not None
    assert "gpt" == engagement.variant


async def test_slack_is_never_called(alone: House) -> None:
    """Even if the file still has tokens."""
    assert [] == alone.workspace.calls


async def test_outbox_is_empty_and_nothing_is_given_up(alone: House) -> None:
    """Hours later, too, and the timeline has no failure."""
    assert alone.app is not None
    await alone.passes(minutes=180)
    await alone.quiet()
    rows = await alone.app.ledger.read(lambda store: store.outbox(*UNFINISHED, RowState.DEAD))
    lost = [fact for fact in await alone.app.ledger.read(lambda store: store.all_facts()) if isinstance(fact.body, GivenUp)]

    assert ([], []) == (list(rows), lost)


async def test_timeline_mentions_no_channel(alone: House) -> None:
    """There is none."""
    assert alone.app is not None
    facts = await alone.app.ledger.read(lambda store: store.all_facts())

    assert [] == [fact for fact in facts if isinstance(fact.body, ChannelOpened)]


async def test_health_says_that_slack_is_turned_off(alone: House) -> None:
    """Nobody should look for a fault where there is none."""
    assert alone.app is not None
    part = alone.app.health().parts["slack"]

    assert (True, "No Slack by configuration.") == (part.ok, part.sentence)


async def test_resolution_is_announced_once(alone: House) -> None:
    """People who were woken may go back to sleep."""
    before = len(notified(alone))
    await resolves(alone)
    [(title, body)] = notified(alone)[before:]

    assert title.startswith("INC-1 SEV2: ")
    assert body.startswith("It is resolved.")


async def test_people_are_told_when_no_fallback_serves_any_more(tmp_path: Path) -> None:
    """The only fallback fails too, so customers wait: one more message, in the words that the channel would get."""
    flag = {
        "variants": {"claude": {"provider": "anthropic"}, "gpt": {"provider": "openai"}}, "default": "claude",
        "fallbacks": [{"variant": "gpt", "needs": "openai.api"}], "depends_on": ["anthropic.api"], "automation": "auto",
    }  # fmt: skip
    async with a_house(tmp_path, started=False, slack={"mode": "none"}, flags={FLAG: flag}) as house:
        house.notifier = Addresses()
        await house.start()
        await house.passes(minutes=1)
        await house.fails("anthropic.api")
        await house.quiet()
        before = len(notified(house))
        await house.fails("openai.api")
        await house.passes(minutes=5)
        await house.quiet()

        [body] = [body for title, body in notified(house)[before:] if title.startswith("INC-1 ")]

        assert "Customers are no longer served: OpenAI API is down too, and support chat is on gpt" == body


PAGING = {"SEV2": [{"after": "0s", "mention": ["U0ANA"]}, {"after": "5m", "notify": True}, {"after": "10m", "notify": True}]}


async def test_people_are_paged_by_notify_until_somebody_acknowledges(tmp_path: Path) -> None:
    """A step that needs Slack reaches nobody, so the next comes at once; both are recorded."""
    async with a_house(tmp_path, started=False, slack={"mode": "none"}, notify=["json://127.0.0.1:9/"], paging=PAGING) as house:
        house.notifier = Addresses()
        await house.start()
        await house.passes(minutes=1)
        await house.fails("anthropic.api")
        for _ in range(2):  # first the outbox reports that nobody was reached, then the next step is due
            await house.passes(minutes=1)
            await house.quiet()
        assert house.app is not None
        waited = [body for _, body in notified(house) if body.startswith("Nobody has acknowledged it for")]
        lost = list(await Talk(house).facts(PageLost))
        await house.app.engine.handle(Acknowledge(Actor.operator("ana"), incident=1))
        await house.passes(minutes=20)
        await house.quiet()
        after = [body for _, body in notified(house) if body.startswith("Nobody has acknowledged it for")]

        assert 1 == len(waited)
        assert waited == after
        assert ["there is no Slack by configuration"] == [fact.body.reason for fact in lost if isinstance(fact.body, PageLost)]
        assert [] == house.workspace.calls


async def test_paging_step_is_taken_once_over_a_restart_without_slack(tmp_path: Path) -> None:
    """The ledger knows who was called."""
    steps = {"SEV2": [{"after": "0s", "notify": True}, {"after": "10m", "notify": True}]}
    async with a_house(tmp_path, started=False, slack={"mode": "none"}, notify=["json://127.0.0.1:9/"], paging=steps) as house:
        house.notifier = Addresses()
        await house.start()
        await house.passes(minutes=1)
        await house.fails("anthropic.api")
        await house.quiet()
        await house.stop()
        await house.start()
        await house.passes(minutes=12)
        await house.quiet()

        assert 2 == len([body for _, body in notified(house) if body.startswith("Nobody has acknowledged it")])


async def with_slack(house: House) -> list[str]:
    """Turn Slack on and restart; return what is in #ops a minute later."""
    house.changes["slack"] = {"mode": "socket"}
    await house.stop()
    await house.start()
    await house.passes(minutes=1)
    await house.quiet()
    return [message.text for message in house.workspace.messages("ops")]


async def test_turning_slack_on_posts_nothing_about_the_past(alone: House) -> None:
    """Resolved incidents must not flood the channel."""
    await resolves(alone)

    assert [] == await with_slack(alone)


async def test_open_incident_continues_in_the_channel_once_slack_is_on(alone: House) -> None:
    """Only later events are posted; nothing waits for an alert that was never posted."""
    before = await with_slack(alone)
    await alone.passes(minutes=90)
    await alone.quiet()

    assert [] == before
    assert Talk(alone).said("ops", "INC-1") != []
