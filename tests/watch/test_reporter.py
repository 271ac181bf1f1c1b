"""How results of the watch reach the ledger: in which order, and that nothing blocks them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.answers.base import Answer, Noted
from bot.core.model import FeedReport, FeedState, Level, Verdict
from bot.core.record.sight import Sight
from bot.core.signals import FeedRead, SightChanged, Signal, VerdictReached
from bot.ports import StoreError
from bot.watch.reporter import Reporter
from tests.desk import START

API, WEB = "anthropic.api", "anthropic.web"
BLIND = Sight(True, "no network")


class Shares:
    """Everything is ours except what is named as another replica's."""

    def __init__(self) -> None:
        self.others: set[str] = set()

    def sight_of_all(self, mine: Sight) -> Sight | None:
        return None if "sight" in self.others else mine

    def may_report_feed(self, provider: str) -> bool:
        return provider not in self.others


class Desk:
    """Records in order what is reported and what is stored."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.waits: list[Callable[[], Awaitable[None]]] = []
        self.shares = Shares()
        self.news: dict[str, Verdict | None] = {id: Verdict(id, Level.DOWN, "HTTP 502") for id in (API, WEB)}
        self.fails: dict[str, Exception] = {}
        self.meanwhile: Callable[[str], None] = lambda what: None
        self.reporter = Reporter(
            self, self.shares, verdict=lambda id: self.news[id], sight=lambda: BLIND,  # type: ignore[arg-type] # as far as it is asked
            flush=self.flush, run_once=self.waits.append,
        )  # fmt: skip

    async def flush(self) -> None:
        self.told.append("stored")

    async def handle(self, signal: Signal) -> Answer:
        what = _named(signal)
        self.meanwhile(what)
        if what in self.fails:
            raise self.fails[what]
        self.told.append(what)
        return Noted()


def _named(signal: Any) -> str:
    match signal:
        case SightChanged(sight=sight):
            return f"blind: {sight.blind}"
        case VerdictReached(verdict=verdict):
            return str(verdict.component)
        case FeedRead(report=report):
            return f"{report.provider} {report.state}"
    raise AssertionError(signal)


def page(state: FeedState = FeedState.FRESH) -> FeedReport:
    return FeedReport("anthropic", START, state)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_samples_behind_a_verdict_are_stored_before_it_is_reported(desk: Desk) -> None:
    """After a crash the ledger must not know of an outage without results."""
    desk.reporter.report_component(API)
    await desk.reporter.send_all()

    assert ["stored", API] == desk.told


async def test_status_page_does_not_wait_for_the_disk(desk: Desk) -> None:
    """It does not rest on results of checks."""
    desk.reporter.report_page(page())
    await desk.reporter.send_all()

    assert ["anthropic fresh"] == desk.told


async def test_blindness_is_reported_before_any_verdict(desk: Desk) -> None:
    """Whoever reads of an outage must know that we see nothing."""
    desk.reporter.report_component(API)
    desk.reporter.report_sight()
    await desk.reporter.send_all()

    assert ["blind: True", "stored", API] == desk.told


async def test_each_report_requests_a_turn(desk: Desk) -> None:
    """Nothing else does."""
    desk.reporter.report_component(API)
    desk.reporter.report_page(page())
    desk.reporter.report_sight()

    assert [desk.reporter.send_all] * 3 == desk.waits


async def test_nothing_is_reported_twice(desk: Desk) -> None:
    """Sight, verdict and page, once each."""
    desk.reporter.report_component(API)
    desk.reporter.report_page(page())
    desk.reporter.report_sight()
    await desk.reporter.send_all()
    before = list(desk.told)
    await desk.reporter.send_all()

    assert before == desk.told


async def test_outdated_verdict_is_not_reported(desk: Desk) -> None:
    """The ledger was stuck for a while, and the component has recovered."""
    desk.reporter.report_component(API)
    desk.news[API] = None
    await desk.reporter.send_all()

    assert API not in desk.told


async def test_only_the_newest_status_page_is_reported(desk: Desk) -> None:
    """Two were read while the ledger was stuck."""
    desk.reporter.report_page(page())
    desk.reporter.report_page(page(FeedState.STALE))
    await desk.reporter.send_all()

    assert ["anthropic stale"] == desk.told


@pytest.mark.parametrize("joins", ["sight", "component", "page"])
async def test_news_during_a_report_is_reported_in_the_same_turn(desk: Desk, joins: str) -> None:
    """The reporter looks again before it ends."""

    def once(what: str) -> None:
        desk.meanwhile = lambda what: None
        {"sight": desk.reporter.report_sight, "component": lambda: desk.reporter.report_component(WEB),
         "page": lambda: desk.reporter.report_page(page())}[joins]()  # fmt: skip

    desk.meanwhile = once
    desk.reporter.report_component(API)
    await desk.reporter.send_all()

    assert {"sight": "blind: True", "component": WEB, "page": "anthropic fresh"}[joins] in desk.told


@pytest.mark.parametrize("others", ["sight", "anthropic"])
async def test_reports_of_another_replica_are_left_to_it(desk: Desk, others: str) -> None:
    """One replica reports each page, and one the common sight."""
    desk.shares.others.add(others)
    desk.reporter.report_sight()
    desk.reporter.report_page(page())
    await desk.reporter.send_all()

    assert 1 == len(desk.told)


async def test_absent_ledger_causes_no_traceback(desk: Desk) -> None:
    """It is reported once elsewhere, not for each verdict."""
    desk.fails[API] = StoreError("the disk is full")
    desk.reporter.report_component(API)
    with capture_logs() as lines:
        await desk.reporter.send_all()

    assert ["debug"] == [line["log_level"] for line in lines]


@pytest.mark.parametrize("fault", [StoreError("the disk is full"), KeyError("INC-7")])
async def test_failed_report_does_not_block_others(desk: Desk, fault: Exception) -> None:
    """A bug of ours about one component hides no outage of another."""
    desk.fails[API] = fault
    desk.reporter.report_component(API)
    desk.reporter.report_component(WEB)
    await desk.reporter.send_all()

    assert ["stored", WEB] == desk.told
