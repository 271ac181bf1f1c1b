"""The board's bars and figures: real sums of real samples."""

import re
from datetime import datetime, timedelta

import aiohttp
import pytest
from web_house import START, House, board

from bot.core.model import Level, Outcome, Sample
from bot.ports import LatencyPicture, StoreError, StoreTrouble
from bot.web.board.charts import bars, lines
from bot.web.board.history import History

API = "anthropic.api"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def measured(house: House, began: datetime, failed: int, of: int = 60, ms: float = 200.0) -> None:
    """So many runs in the hour that begins then, of which some failed, and that hour and those before are summed up."""
    runs = [
        Sample(
            "inference", API, began + timedelta(seconds=n), Outcome.FAIL if n < failed else Outcome.OK, phases_ms={"total": ms}
        )
        for n in range(of)
    ]
    await house.samples.kept.add(runs)
    for n in range(2):
        later = began + HOUR + timedelta(minutes=2, seconds=n)
        await house.samples.kept.add([Sample("other", "openai.api", later, Outcome.INCONCLUSIVE)])


async def row(house: House, http: aiohttp.ClientSession) -> str:
    """Claude's part of the page."""
    text = await board(house, http)
    return text[text.index("<h3>Claude</h3>") : text.index("<h3>OpenAI</h3>")]


def said(html: str) -> list[str]:
    """What charts say to those who cannot see them."""
    return re.findall('aria-label="([^"]*)"', html)


async def test_a_component_has_its_day_and_its_ninety_days(house: House, http: aiohttp.ClientSession) -> None:
    """In words as well, with the share of checks that succeeded."""
    await measured(house, START - 40 * DAY, 40)
    await measured(house, START - 2 * HOUR, 3)
    found = await row(house, http)

    assert "24 hours: 95.0 % of checks succeeded; degraded in 1 hour" in said(found)
    assert "90 days: 64.1 % of checks succeeded; down in 1 day, degraded in 1 day" in said(found)
    assert "<title>10:00 UTC: 3 of 60 checks failed</title>" in found
    assert "<title>2026-02-08: 40 of 60 checks failed</title>" in found


async def test_a_component_has_its_latency_with_a_chart(house: House, http: aiohttp.ClientSession) -> None:
    """Of the day, by the hour."""
    for back, ms in ((4, 100.0), (3, 2000.0), (2, 100.0)):
        await measured(house, START - back * HOUR, 0, ms=ms)
    found = await row(house, http)

    assert re.search(r"p50 (9\d|10\d) ms, p95 (1\.9|2\.0|2\.1) s", found)
    assert any(re.fullmatch(r"24 hours: p95 by the hour, from \d+ ms to [\d.]+ s", one) for one in said(found))


async def ran(house: House, at: datetime, failed: int, of: int = 60) -> None:
    """So many runs at a moment, of which some failed; their hour is not summed up."""
    ran = [Sample("inference", API, at + timedelta(seconds=n), Outcome.FAIL if n < failed else Outcome.OK) for n in range(of)]
    await house.samples.kept.add(ran)


async def test_the_hour_that_still_runs_is_counted(house: House, http: aiohttp.ClientSession) -> None:
    """A day of which the last half hour failed is not 100 %; nor are the 90."""
    await measured(house, START - 2 * HOUR, 0)
    house.clock.advance(timedelta(minutes=30))
    await ran(house, START + timedelta(minutes=29), 40)
    found = await row(house, http)

    assert [
        "24 hours: 66.6 % of checks succeeded; down in 1 hour", "90 days: 66.6 % of checks succeeded; degraded in 1 day",
    ] == said(found)[:2]  # fmt: skip
    assert "<title>12:00 UTC: 40 of 60 checks failed</title>" in found


async def test_what_just_ran_is_counted_a_minute_later(house: House, http: aiohttp.ClientSession) -> None:
    """Once, whatever was counted before."""
    await measured(house, START - 2 * HOUR, 0)
    await ran(house, START, 0)
    house.clock.advance(timedelta(minutes=2))
    before = await row(house, http)
    await ran(house, START + timedelta(minutes=2), 60)
    house.clock.advance(timedelta(minutes=1))

    assert ["100 %", "100 %"] == re.findall('<span class="figure">(.*?)</span>', before)
    assert ["66.6 %", "66.6 %"] == re.findall('<span class="figure">(.*?)</span>', await row(house, http))


async def test_an_hour_that_is_over_is_counted_until_it_is_summed_up(house: House, http: aiohttp.ClientSession) -> None:
    """And once from then on."""
    await ran(house, START + timedelta(minutes=50), 6)
    house.clock.advance(timedelta(hours=1, seconds=30))
    waits = await row(house, http)
    await measured(house, START - HOUR, 0, of=1)
    await measured(house, START, 0, of=1)
    house.clock.advance(timedelta(minutes=1))
    summed = await row(house, http)

    assert "<title>12:00 UTC: 6 of 60 checks failed</title>" in waits
    assert "<title>12:00 UTC: 6 of 61 checks failed</title>" in summed
    assert [["90.0 %"] * 2, ["90.3 %"] * 2] == [
        re.findall('<span class="figure">(.*?)</span>', found) for found in (waits, summed)
    ]


async def test_an_hour_that_was_summed_up_while_nobody_looked_is_counted_once(
    house: House, http: aiohttp.ClientSession
) -> None:  # fmt: skip
    """Its single results were counted by the last one who did."""
    await ran(house, START + timedelta(minutes=50), 60)
    house.clock.advance(timedelta(minutes=59))
    await row(house, http)
    await measured(house, START, 0)
    house.clock.advance(3 * HOUR)

    assert ["50.0 %", "50.0 %"] == re.findall('<span class="figure">(.*?)</span>', await row(house, http))


async def test_what_fails_now_is_in_the_last_bar_before_its_hour_is_summed_up(
    house: House, http: aiohttp.ClientSession
) -> None:
    """An outage of ten minutes is in no sum yet."""
    await measured(house, START - 2 * HOUR, 0)
    await house.verdict(API, Level.DOWN)
    found = await row(house, http)

    assert "24 hours: 100 % of checks succeeded; down in 1 hour" in said(found)
    assert "<title>12:00 UTC: down now</title>" in found


async def test_what_was_never_measured_is_said_to_be_so(house: House, http: aiohttp.ClientSession) -> None:
    """It is not 100 % well."""
    await house.verdict(API, Level.UNKNOWN)

    assert ["24 hours: not measured", "90 days: not measured"] == said(await row(house, http))[:2]


async def test_the_board_shows_what_memory_knows_while_history_cannot_be_read(
    house: House, http: aiohttp.ClientSession
) -> None:
    """And says what is missing."""
    house.samples.broken = StoreError("away", kind=StoreTrouble.AWAY)
    await house.verdict(API, Level.DOWN)
    text = await board(house, http)

    assert "Claude API is down." in text
    assert "The history of checks cannot be read right now." in text


async def test_history_that_can_be_read_again_is_shown_a_minute_later(house: House, http: aiohttp.ClientSession) -> None:
    """Nobody is told for ever that it is away."""
    await measured(house, START - 2 * HOUR, 3)
    house.samples.broken = StoreError("away", kind=StoreTrouble.AWAY)
    await row(house, http)
    house.samples.broken = None
    house.clock.advance(timedelta(minutes=1))
    text = await board(house, http)

    assert "24 hours: 95.0 % of checks succeeded; degraded in 1 hour" in said(text)
    assert "cannot be read" not in text


class Counts:
    """Samples that count what is read of them."""

    def __init__(self) -> None:
        self.spans: list[tuple[datetime, datetime]] = []
        self.counted: list[tuple[datetime, datetime]] = []
        self.hours: dict[datetime, dict[str, LatencyPicture]] = {}

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        self.spans.append((since, until))
        found = [held for at, held in self.hours.items() if since <= at < until]
        return found[0] if found else {}

    async def unrolled(self, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
        self.counted.append((since, until))
        return {}


async def test_what_is_over_is_read_once() -> None:
    """90 days of hundreds of components take seconds; a minute later only what may have changed is read."""
    samples = Counts()
    history = History(samples)
    await history.past(START)
    first = len(samples.spans)
    await history.past(START + timedelta(seconds=59))
    soon = len(samples.spans)
    await history.past(START + timedelta(seconds=61))
    again = samples.spans[soon:]

    assert (24 + 1 + 90, first) == (first, soon)
    assert [START, START - HOUR, START - 2 * HOUR] == [since for since, until in again if until - since == HOUR]
    assert [START.replace(hour=0)] == [since for since, until in again if until - since == DAY]
    assert 4 == len(again)
    assert [START - HOUR, START] * 2 == [since for since, _ in samples.counted]


@pytest.mark.parametrize(("each", "later"), [(HOUR, 5 * HOUR), (DAY, 2 * DAY)])
async def test_what_ran_when_somebody_looked_is_read_once_more(each: timedelta, later: timedelta) -> None:
    """Though nobody looked while it came to its end: half of a day would stand there for ninety."""
    samples = Counts()
    history = History(samples)
    await history.past(START)
    first = len(samples.spans)
    await history.past(START + later)
    again = len(samples.spans)
    await history.past(START + later + timedelta(minutes=2))
    began = START if each == HOUR else START.replace(hour=0)

    assert (began, began + each) in samples.spans[first:again]
    assert (began, began + each) not in samples.spans[again:]


async def test_the_figures_of_a_day_are_read_again_with_an_hour_that_changed() -> None:
    """Its latest hour may be summed up minutes after it was over."""
    samples = Counts()
    history = History(samples)
    await history.past(START)
    samples.hours[START - HOUR] = {API: LatencyPicture(1, 2.0, 3.0, 0)}
    found = await history.past(START + timedelta(minutes=1))

    assert {API: LatencyPicture(1, 2.0, 3.0, 0)} == found.day
    assert [(START - DAY, START)] * 2 == [span for span in samples.spans if span[1] == START and span[1] - span[0] > HOUR]


async def test_a_new_day_moves_the_bars_on() -> None:
    """The oldest day leaves as the newest comes."""
    history = History(Counts())
    before = await history.past(START)
    after = await history.past(START + DAY)

    assert (90, 24) == (len(before.days), len(before.hours))
    assert (90, 24) == (len(after.days), len(after.hours))


def test_what_is_alike_side_by_side_is_one_path() -> None:
    """Hundreds of components stay a small page; what failed stands alone, with its hour."""
    well, bad = LatencyPicture(100, 1.0, 2.0, 0), LatencyPicture(100, 1.0, 2.0, 60)
    found = bars([None, well, well, bad, well], START, HOUR, Level.OPERATIONAL)

    assert ["unknown", "operational", "down", "operational"] == [run.level for run in found.runs]
    assert ["M0 9.5h1", "M1 7.5h2", "M3 5h1", "M4 7.5h1"] == [run.path for run in found.runs]
    assert "11:00 UTC: 60 of 100 checks failed" == found.runs[2].title


def test_a_rare_failure_does_not_colour_a_bar() -> None:
    """Under one in a hundred is what every provider has."""
    found = bars([LatencyPicture(1000, 1.0, 2.0, 9), LatencyPicture(1000, 1.0, 2.0, 10)], START, HOUR, Level.OPERATIONAL)

    assert ["operational", "degraded"] == [run.level for run in found.runs]


def test_a_line_has_a_gap_where_nothing_was_measured() -> None:
    """Nobody knows what was there."""
    slow = LatencyPicture(10, 10.0, 20.0, 0)
    found = lines([slow, slow, None, slow, slow])

    assert found is not None
    assert "M0 0L1 0M3 0L4 0" == found.p95
