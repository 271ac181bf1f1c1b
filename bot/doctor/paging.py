"""Whether paging would work: who is on call by each name, and one clearly marked test along every way."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bot.config.models import Config
from bot.config.policy import to_policy
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity
from bot.core.paging import PageStep
from bot.delivery.no_chat import NO_SLACK
from bot.doctor.rights import Remark
from bot.notify.out_of_band import AppriseNotifier
from bot.on_call.directory import Directory
from bot.on_call.web import Asker
from bot.ports import ChatError, Message, OnDuty, Place
from bot.slack.gateway import SlackGateway
from bot.slack.standing import Standing, barred_as
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import SystemClock
from bot.system.version import understudy_version
from bot.views.incident import paging
from bot.wiring.on_call import sources
from bot.wiring.plan import slack_login
from bot.wiring.probing import Probing


@dataclass(frozen=True)
class PagingTest:
    """One way to somebody: whether it took the test, and what happened, in words."""

    way: str  # mention, dm or notify
    who: str
    reached: bool
    words: str


@asynccontextmanager
async def directory_of(config: Config, gateway: SlackGateway | None) -> AsyncIterator[Directory]:
    """Who is on call, read now; without a gateway, Slack is not asked and its groups have no members."""

    async def members(group: str) -> list[str]:
        if gateway is None:
            raise ChatError("Slack was not asked", code="not_asked", permanent=True)
        return await gateway.members_of(group)

    async def has_left(user: str) -> bool:
        try:
            return gateway is not None and barred_as(await gateway.user_info(user)) is Standing.DEACTIVATED
        except ChatError:
            return False  # sending the page says what is wrong

    clock = SystemClock()
    async with AsyncExitStack() as stack:
        asker = None
        if any(one.elsewhere for one in config.people.on_call.values()):
            probing = Probing(config, clock)
            stack.push_async_callback(probing.close)
            asker = Asker(probing.transport(), version=understudy_version())
            stack.push_async_callback(asker.close)
        ledger = InlineLedger.open()  # in memory: nothing is kept
        stack.push_async_callback(ledger.close)
        yield Directory(sources(config, members, asker), members, ledger, clock, has_left)


async def look_at_on_call(config: Config, gateway: SlackGateway | None) -> AsyncIterator[Remark]:
    """The people behind each name in `people.on_call` now; without Slack, names that only it knows are left out."""
    async with directory_of(config, gateway) as directory:
        for name, one in config.people.on_call.items():
            if gateway is None and one.usergroup is not None:
                continue
            found = await directory.who(name)
            if found.people:
                yield "note" if found.problem else "good", _now(name, found)
            else:
                yield "bad", found.problem


def _now(name: str, found: OnDuty) -> str:
    told = f"{name}: on call now {'is' if len(found.people) == 1 else 'are'} {', '.join(found.people[:5])}"
    more = f" and {len(found.people) - 5} more" if len(found.people) > 5 else ""
    return f"{told}{more}" + (f"; {found.problem}" if found.problem else "")


async def try_ways(config: Config, steps: Sequence[PageStep]) -> AsyncIterator[PagingTest]:
    """Actually send a test along each way of these steps, each name once. It is marked as a test and asks for nothing."""
    mentions, people, addresses = (
        tuple(dict.fromkeys(name for step in steps for name in getattr(step, way))) for way in ("mention", "dm", "notify")
    )
    if config.slack.mode == "none":  # as in an incident: without Slack, nobody is asked or reached there
        for way, names in (("mention", mentions), ("dm", people)):
            for name in names:
                yield PagingTest(way, name, False, NO_SLACK)
    else:
        async for tried in _in_slack(config, mentions, people):
            yield tried
    if addresses:
        called = await AppriseNotifier([url.get_secret_value() for url in config.notify]).call(*paging.TEST_NOTICE, addresses)
        for address in called.reached:
            yield PagingTest("notify", f"address {address}", True, "took the test")
        for problem in called.problems:
            yield PagingTest("notify", "", False, problem)


async def _in_slack(config: Config, mentions: Sequence[str], people: Sequence[str]) -> AsyncIterator[PagingTest]:
    gateway = SlackGateway(slack_login(config.slack))
    await gateway.start()
    try:
        async with directory_of(config, gateway) as directory:
            duty = {name: await directory.who(name) for name in {**dict.fromkeys(mentions), **dict.fromkeys(people)}}
        async for tried in _mentions(gateway, config.slack.alerts_channel, {name: duty[name] for name in mentions}):
            yield tried
        async for tried in _directly(gateway, {name: duty[name] for name in people}):
            yield tried
    finally:
        await gateway.close()


async def _mentions(gateway: SlackGateway, channel: str, duty: dict[str, OnDuty]) -> AsyncIterator[PagingTest]:
    """One message for all of them."""
    by_name = {name: (one.group,) if one.group else one.people for name, one in duty.items()}
    ids = tuple(dict.fromkeys(id for found in by_name.values() for id in found))
    error = ""
    if ids:
        error = await _posted(gateway, channel, paging.trial_mention(ids))
    for name, found in by_name.items():
        problem = duty[name].problem
        if not found:
            yield PagingTest("mention", name, False, problem)
        else:
            words = error or f"mentioned in {channel} as {', '.join(found)}" + (f"; {problem}" if problem else "")
            yield PagingTest("mention", name, not error, words)


async def _directly(gateway: SlackGateway, duty: dict[str, OnDuty]) -> AsyncIterator[PagingTest]:
    """One message per person, whatever names they appear under."""
    told: dict[str, str] = {}
    for name, one in duty.items():
        if not one.people:
            yield PagingTest("dm", name, False, one.problem)
        for user in one.people:
            if user not in told:
                told[user] = await _posted(gateway, user, paging.trial_direct())
            yield PagingTest("dm", f"{name}: {user}", not told[user], told[user] or "was sent a direct message")


async def _posted(gateway: SlackGateway, place: str, message: Message) -> str:
    """Why it could not be posted; empty if it was."""
    try:
        channel = place if place[:1] in ("U", "W") else await gateway.find_channel(place)
        await gateway.post(Place(channel), message, f"page-test/{place}")
    except ChatError as error:
        return str(error)
    return ""


def steps_of(config: Config, severity: Severity | None) -> tuple[Severity | None, tuple[PageStep, ...]]:
    """The steps of a severity; if None, of the worst that has any."""
    steps = to_policy(config).paging.steps
    chosen = severity or next((one for one in Severity if steps.get(one)), None)
    return chosen, steps.get(chosen, ()) if chosen else ()
