"""Word on another way than Slack, to a real local HTTP server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.notify.out_of_band import AppriseNotifier
from bot.ports import NotifyResult

# Apprise looks for a module of the standard library that is deprecated in 3.11 and gone in 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@dataclass
class Receiver:
    """Whoever gets the notices."""

    port: int = 0
    status: int = 200
    wait_s: float = 0.0
    got: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://ana:canary-secret@127.0.0.1:{self.port}/hook"

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        await asyncio.sleep(self.wait_s)
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def test_a_notice_arrives_as_written_when_the_service_takes_it(receiver: Receiver) -> None:
    """Plain text, nothing interpreted."""
    text = "Claude API: down since 12:40 UTC.\nSlack did not take the alert. <b>*literally*</b>"

    called = await AppriseNotifier([receiver.url]).call("Claude API is down", text, ["all"])

    assert NotifyResult(("1 (json)",)) == called
    assert [("Claude API is down", text)] == [(notice["title"], notice["message"]) for notice in receiver.got]


async def test_the_others_are_told_when_one_address_fails(
    receiver: Receiver, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence per address that did not take it, without the address, which holds a secret."""
    nobody = "json://ana:canary-secret@127.0.0.1:9/hook"

    addresses = [nobody, receiver.url, "canary-secret", "nosuch://canary-secret"]
    called = await AppriseNotifier(addresses).call("t", "b", ["all"])

    assert 1 == len(receiver.got)
    assert (
        "notify address 1 (json) did not take the notice: is it right, and is that service up?",
        "notify address 3 (unreadable) is not an address that Apprise understands: see https://appriseit.com/services",
        "notify address 4 (nosuch) is not an address that Apprise understands: see https://appriseit.com/services",
    ) == called.problems
    assert "canary-secret" not in "".join([*capfd.readouterr(), caplog.text])


async def test_a_service_is_named_when_it_refuses(receiver: Receiver) -> None:
    """An HTTP 401 is not success."""
    receiver.status = 401

    called = await AppriseNotifier([receiver.url]).call("t", "b", ["all"])

    assert 1 == len(called.problems)


async def test_nobody_waits_when_a_service_hangs(receiver: Receiver) -> None:
    """The bound is ours, not the service's."""
    receiver.wait_s = 0.5

    called = await AppriseNotifier([receiver.url], answer_within_s=0.2).call("t", "b", ["all"])

    assert ("notify address 1 (json) did not answer within 0 s",) == called.problems


async def test_nothing_happens_when_there_are_no_addresses() -> None:
    """The section may be left out."""
    assert NotifyResult(()) == await AppriseNotifier([]).call("t", "b", ["all"])


async def test_a_page_calls_the_addresses_that_are_named(receiver: Receiver) -> None:
    """By number, by scheme, or all of them; each that took it is named."""
    notifier = AppriseNotifier(["nosuch://x", receiver.url])
    by_number, by_scheme, everybody = [await notifier.call("t", "b", named) for named in (["2"], ["json"], ["all"])]

    assert (("2 (json)",), ()) == (by_number.reached, by_number.problems)
    assert by_number == by_scheme
    assert ("2 (json)",) == everybody.reached
    assert 1 == len(everybody.problems)
    assert 3 == len(receiver.got)


async def test_a_page_to_an_address_that_left_the_configuration_says_so(receiver: Receiver) -> None:
    """Steps are on record with the names of their day."""
    called = await AppriseNotifier([receiver.url]).call("t", "b", ["pagerduty"])

    assert ((), ("notify has no address 'pagerduty'",)) == (called.reached, called.problems)
