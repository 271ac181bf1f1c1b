"""Notices outside Slack, to a real local HTTP server."""

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
    """An HTTP service that receives the notices."""

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


async def test_notice_arrives_as_written(receiver: Receiver) -> None:
    """It is plain text, and no markup is interpreted."""
    text = "Claude API: down since 12:40 UTC.\nSlack did not take the alert. <b>*literally*</b>"

    called = await AppriseNotifier([receiver.url]).call("Claude API is down", text, ["all"])

    assert NotifyResult(("1 (json)",)) == called
    assert [("Claude API is down", text)] == [(notice["title"], notice["message"]) for notice in receiver.got]


async def test_failing_address_does_not_stop_the_others(
    receiver: Receiver, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence per failed address, without the address, which contains a secret."""
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


async def test_refusing_service_is_reported(receiver: Receiver) -> None:
    """An HTTP 401 is not success."""
    receiver.status = 401

    called = await AppriseNotifier([receiver.url]).call("t", "b", ["all"])

    assert 1 == len(called.problems)


async def test_hanging_service_times_out(receiver: Receiver) -> None:
    """The time limit is ours, not the service's."""
    receiver.wait_s = 0.5

    called = await AppriseNotifier([receiver.url], answer_within_s=0.2).call("t", "b", ["all"])

    assert ("notify address 1 (json) did not answer within 0 s",) == called.problems


async def test_no_addresses_send_nothing() -> None:
    """The section may be left out."""
    assert NotifyResult(()) == await AppriseNotifier([]).call("t", "b", ["all"])


async def test_page_reaches_the_named_addresses(receiver: Receiver) -> None:
    """By number, by scheme, or all of them; each address that accepted it is listed."""
    notifier = AppriseNotifier(["nosuch://x", receiver.url])
    by_number, by_scheme, everybody = [await notifier.call("t", "b", named) for named in (["2"], ["json"], ["all"])]

    assert (("2 (json)",), ()) == (by_number.reached, by_number.problems)
    assert by_number == by_scheme
    assert ("2 (json)",) == everybody.reached
    assert 1 == len(everybody.problems)
    assert 3 == len(receiver.got)


async def test_page_to_a_removed_address_is_reported(receiver: Receiver) -> None:
    """Recorded paging steps keep the names they were written with."""
    called = await AppriseNotifier([receiver.url]).call("t", "b", ["pagerduty"])

    assert ((), ("notify has no address 'pagerduty'",)) == (called.reached, called.problems)
