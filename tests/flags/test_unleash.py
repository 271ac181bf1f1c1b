"""An Unleash feature follows the flag: with the right share, and never on for everybody by accident."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.flags.sinks.unleash import Unleash
from bot.flags.sinks.web import SinkClient
from bot.ports.sinks import SinkError, Target
from tests.flags.local_unleash import TOKEN, LocalUnleash, local_unleash, strategy

NORMAL = Target("support-chat.llm", "", 0, "claude", {})
AWAY = Target("support-chat.llm", "gpt", 0, "claude", {})
HALF_WAY = Target("support-chat.llm", "gpt", 40, "claude", {})

Stand = tuple[Unleash, LocalUnleash]


@asynccontextmanager
async def sink(*, on: tuple[str, ...] = ("gpt",), token: str = TOKEN, **given: Any) -> AsyncIterator[Stand]:
    async with local_unleash(**given) as there:
        client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
        yield Unleash(client, there.url, "default", "production", "use-gpt", token, on), there
        await client.close()


async def test_feature_is_on_for_the_fallback_share() -> None:
    """All of it, then what remains during the hand-back."""
    async with sink(strategies=[strategy("team's", "20")], enabled=True) as (unleash, there):
        found = [await unleash.apply(AWAY), there.share, await unleash.apply(HALF_WAY), there.share]

    assert ["on, Understudy 100 %", 100, "on, Understudy 60 %", 60] == found


@pytest.mark.parametrize("before", [[], [strategy("team's", "20")], [strategy("a", "5"), strategy("b", "10", disabled=True)]])
@pytest.mark.parametrize("enabled", [True, False])
async def test_no_intermediate_state_has_more_users(before: list[dict[str, Any]], enabled: bool) -> None:
    """Strategies are OR-ed, and an enabled feature without any strategy is on for everybody."""
    async with sink(strategies=[dict(one) for one in before], enabled=enabled) as (unleash, there):
        was = there.share
        plan = await unleash.plan(HALF_WAY)
        await unleash.apply(HALF_WAY)
        most = max(there.seen_by_users, default=0)
        there.seen_by_users.clear()
        await unleash.revert(NORMAL, plan.before)

        assert most <= max(was, 60)
        assert max(there.seen_by_users) <= max(was, 60)


async def test_strategies_of_the_team_are_restored_afterwards() -> None:
    """Each is as it was before, and ours is removed."""
    before = [strategy("team's", "20"), strategy("an old one", "90", disabled=True)]
    async with sink(strategies=[dict(one) for one in before], enabled=True) as (unleash, there):
        plan = await unleash.plan(AWAY)
        await unleash.apply(AWAY)
        await unleash.revert(NORMAL, plan.before)

        assert (True, before) == (there.enabled, there.strategies)


async def test_feature_for_the_default_is_switched_off() -> None:
    """`on: [claude]`: a feature such as use-claude."""
    async with sink(on=("claude",), strategies=[strategy("team's")], enabled=True) as (unleash, there):
        plan = await unleash.plan(AWAY)
        found = [await unleash.apply(AWAY), there.share, await unleash.apply(HALF_WAY), there.share]
        await unleash.revert(NORMAL, plan.before)

        assert (["off", 0, "on, Understudy 40 %", 40], 100) == (found, there.share)


async def test_repeated_switch_adds_no_second_strategy() -> None:
    """The first answer may get lost."""
    async with sink() as (unleash, there):
        await unleash.apply(AWAY)
        await unleash.apply(AWAY)

        assert 1 == len(there.strategies)


async def test_change_by_another_person_is_noticed() -> None:
    """Such as a second strategy, which is OR-ed."""
    async with sink() as (unleash, there):
        put = await unleash.apply(HALF_WAY)
        there.strategies.append(strategy("somebody's"))

        assert put != await unleash.read_back()


@pytest.mark.parametrize(
    ("refuses", "words"),
    [
        ((403, "Change requests are enabled for production"), "approval"),
        ((403, "You need permission=UPDATE_FEATURE"), "allowed to do this"),
        ((500, "boom"), "HTTP 500"),
    ],
)
async def test_refusal_says_what_to_do(refuses: tuple[int, str], words: str) -> None:
    """Above all that a person has to approve the change in Unleash."""
    async with sink(refuses=refuses) as (unleash, _):
        with pytest.raises(SinkError, match=words) as said:
            await unleash.apply(AWAY)

    assert (refuses[0] == 403) == said.value.permanent


async def test_doctor_reports_a_wrong_token() -> None:
    """Reading needs the token too."""
    async with sink(token="wrong") as (unleash, _):
        with pytest.raises(SinkError, match="HTTP 401"):
            await unleash.plan(AWAY)


async def test_other_program_at_the_address_is_refused() -> None:
    """A proxy may answer with a web page and status 200."""
    async with local_unleash() as there:
        client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
        elsewhere = Unleash(client, f"{there.url}/elsewhere", "default", "production", "use-gpt", TOKEN, ["gpt"])
        with pytest.raises(SinkError, match="is there a feature use-gpt"):
            await elsewhere.plan(AWAY)
        await client.close()
