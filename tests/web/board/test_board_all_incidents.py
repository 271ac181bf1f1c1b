"""Every incident there ever was, for people: a page of them at a time, also of those that memory does not hold."""

import re
from datetime import timedelta

import aiohttp
import pytest
from web_house import READ, House, OpenHouse, board, headers, seen

from bot.core.model import Actor, Level, Phase
from bot.core.signals import Declare, SetPhase
from bot.ports import StoreError, StoreTrouble

ANA = Actor.operator("ana")
AWAY = StoreError("away", kind=StoreTrouble.AWAY)
ALL = "?incidents=all"


async def declared(house: House, count: int, *, every: timedelta = timedelta(hours=1), title: str = "Checkout is slow") -> None:
    """So many incidents, one after the other, each over when the next begins."""
    for _ in range(count):
        await house.engine.handle(Declare(ANA, title=title))
        house.clock.advance(every)
        await house.engine.handle(SetPhase(ANA, incident=house.engine.world.last_incident, phase=Phase.RESOLVED))


def numbers(html: str) -> list[int]:
    """The incidents that the page leads to, in its order."""
    return [int(number) for number in re.findall(r'href="/\?incident=(\d+)"', html)]


def ways(html: str) -> dict[str, str]:
    """The pages around this one."""
    found = re.findall(r'<a href="(/\?incidents=[^"]*)">(\w+)</a>', html)
    return {name: where.replace("&amp;", "&").removeprefix("/") for where, name in found}


async def test_old_incidents_are_listed_by_month(house: House, http: aiohttp.ClientSession) -> None:
    """The newest first, each with a line that leads to its page, and each month with a heading."""
    await declared(house, 3, every=timedelta(days=20))
    house.engine.let_go_of([1, 2])
    text = await board(house, http, ALL)

    assert [3, 2, 1] == numbers(text)
    assert ["April 2026", "March 2026"] == re.findall("<h2>(.*?)</h2>", text)
    assert "INC-1: Checkout is slow SEV2 · 2026-03-20 12:00 UTC · 20 d · resolved" in seen(text)


async def test_what_is_open_is_in_the_list(house: House, http: aiohttp.ClientSession) -> None:
    """All means all."""
    await declared(house, 1)
    await house.verdict("anthropic.api", Level.DOWN)
    text = await board(house, http, ALL)

    assert [2, 1] == numbers(text)
    assert "INC-2: Claude API is down SEV2 · triage" in seen(text)


async def test_a_page_reads_no_more_than_it_shows(house: House, http: aiohttp.ClientSession) -> None:
    """However many incidents there are."""
    await declared(house, 120)
    house.engine.let_go_of(range(1, 121))
    text = await board(house, http, ALL)

    assert list(range(120, 70, -1)) == numbers(text)
    assert [tuple(range(120, 70, -1))] == house.engine.asked_for


async def test_every_page_leads_to_those_around_it(house: House, http: aiohttp.ClientSession) -> None:
    """From the newest to the oldest and back, and no way leads nowhere."""
    await declared(house, 120)
    newest = await board(house, http, ALL)
    middle = await board(house, http, ways(newest)["Older"])
    oldest = await board(house, http, ways(middle)["Older"])
    back = await board(house, http, ways(oldest)["Newer"])

    assert [(120, 71), (70, 21), (20, 1), (70, 21)] == [
        (numbers(text)[0], numbers(text)[-1]) for text in (newest, middle, oldest, back)
    ]
    assert [{"Older", "Oldest"}, {"Newest", "Newer", "Older", "Oldest"}, {"Newest", "Newer"}] == [
        set(ways(text)) for text in (newest, middle, oldest)
    ]
    assert list(range(50, 0, -1)) == numbers(await board(house, http, ways(newest)["Oldest"]))
    assert newest == await board(house, http, ways(oldest)["Newest"])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("&before=1", "no incidents before INC-1."),
        ("&before=999999999", "INC-2 to INC-1 of 2"),
        ("", "INC-2 to INC-1 of 2"),
    ],
)
async def test_a_number_beyond_both_ends_is_a_page(house: House, http: aiohttp.ClientSession, query: str, words: str) -> None:
    """Somebody may have changed the address, or kept it."""
    await declared(house, 2)

    assert words in seen(await board(house, http, ALL + query))


@pytest.mark.parametrize(
    "query",
    ["?incidents=", "?incidents=<script>", *(f"{ALL}&before={one}" for one in ("", "0", "-1", "INC-7", "1e9", "9" * 400, "٣"))],
)
async def test_an_address_that_no_page_has_is_refused_with_a_page(
    house: House, http: aiohttp.ClientSession, query: str
) -> None:  # fmt: skip
    """What is wrong and where the list is; nothing of it is read as a mark."""
    answer = await http.get(f"{house.url}/{query}", headers=headers(READ))
    text = await answer.text()

    assert (400, "text/html") == (answer.status, answer.content_type)
    assert "/?incidents=all" in seen(text)
    assert "<script>" not in text
    assert "9" * 51 not in text


async def test_the_list_has_what_memory_holds_while_the_ledger_is_away(house: House, http: aiohttp.ClientSession) -> None:
    """And says what is missing, and why."""
    await declared(house, 3)
    house.engine.let_go_of([1, 2])
    house.engine.away = AWAY
    text = await board(house, http, ALL)

    assert [3] == numbers(text)
    assert (
        "The database cannot be reached, so part of this list is not available right now. "
        "2 of the 3 incidents of this page are missing."
    ) in seen(text)


async def test_the_list_says_so_while_nothing_is_recorded(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """Other replicas may have declared what this one does not know; of what it shows nothing is missing."""
    house = await open_house(read_tokens=(READ,), ledger_trouble=lambda: "Nothing is being recorded.")
    await declared(house, 1)
    text = await board(house, http, ALL)

    assert "<strong>Nothing is being recorded.</strong></p>" in text
    assert [1] == numbers(text)


async def test_a_list_of_which_memory_holds_nothing_says_so_while_the_ledger_is_away(
    house: House, http: aiohttp.ClientSession
) -> None:
    """It is not an empty list."""
    await declared(house, 1)
    house.engine.let_go_of([1])
    house.engine.away = AWAY
    answer = await http.get(f"{house.url}/{ALL}", headers=headers(READ))
    words = seen(await answer.text())

    assert (503, "30") == (answer.status, answer.headers["Retry-After"])
    assert "The database cannot be reached, so this list of incidents is not available right now" in words
    assert "older ones are only in the ledger" in words


async def test_a_list_without_incidents_says_so(house: House, http: aiohttp.ClientSession) -> None:
    """And the board leads to none."""
    assert "No incident has been declared yet." in seen(await board(house, http, ALL))
    assert ALL not in await board(house, http)


async def test_the_board_leads_to_all_incidents(house: House, http: aiohttp.ClientSession) -> None:
    """Also where none of them is of the last 30 days."""
    await declared(house, 1)
    house.engine.let_go_of([1])
    text = await board(house, http)

    assert "None in the last 30 days." in text
    assert f'<a href="/{ALL}">All incidents</a>' in text


async def test_an_incident_leads_to_those_before_and_after_it(house: House, http: aiohttp.ClientSession) -> None:
    """As far as there are any."""
    await declared(house, 3)
    found = [numbers((await board(house, http, f"?incident={n}")).split('id="timeline"')[0]) for n in (1, 2, 3)]

    assert [[2], [1, 3], [2]] == found


async def test_a_hostile_title_stays_words(house: House, http: aiohttp.ClientSession) -> None:
    """And short."""
    await declared(house, 1, title="<b>\u202e" + "W" * 200)
    text = await board(house, http, ALL)

    assert "&lt;b&gt;WWW" in text
    assert "\u202e" not in text
    assert "W" * 150 not in text
