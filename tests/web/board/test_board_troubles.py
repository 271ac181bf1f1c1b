"""What a browser is shown in place of a page that there is not: a page, never JSON."""

import re

import aiohttp
import pytest
import structlog
from web_house import READ, House, OpenHouse, headers, seen

from bot.core.model import Actor, Phase
from bot.core.signals import Declare, SetPhase
from bot.ports import StoreError, StoreTrouble

ANA = Actor.operator("ana")
AWAY = StoreError("away", kind=StoreTrouble.AWAY)


async def shown(house: House, http: aiohttp.ClientSession, query: str) -> tuple[int, str]:
    """Status and words of a page, which is one: of its own frame, with a way to the board."""
    answer = await http.get(f"{house.url}/{query}", headers=headers(READ))
    text = await answer.text()
    assert "text/html" == answer.content_type
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert '<a href="/">Board</a>' in text
    return answer.status, seen(text[text.index("<body>") :])


async def old_incident(house: House) -> None:
    """INC-1 is over for longer than memory holds it."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    await house.engine.handle(SetPhase(ANA, incident=1, phase=Phase.RESOLVED))
    house.engine.let_go_of([1])


async def test_an_incident_that_there_is_not_is_a_page(house: House, http: aiohttp.ClientSession) -> None:
    """With what there is."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    status, words = await shown(house, http, "?incident=9")

    assert 404 == status
    assert "There is no INC-9" in words
    assert "The newest is INC-1." in words


@pytest.mark.parametrize("query", ["?incident=abc", "?incident=", "?incident=0", "?incident=<b>%E2%80%AE" + "W" * 3000])
async def test_what_names_no_incident_is_a_page(house: House, http: aiohttp.ClientSession, query: str) -> None:
    """With what to write instead; what somebody put into the address stays short, and words."""
    status, words = await shown(house, http, query)

    assert 400 == status
    assert "does not name an incident" in words
    assert "Write INC-7 or 7." in words
    assert "W" * 51 not in words
    assert "\u202e" not in words


async def test_a_file_that_there_is_not_is_a_page(house: House, http: aiohttp.ClientSession) -> None:
    """With those that there are."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    status, words = await shown(house, http, "?incident=1&format=xyz")

    assert 400 == status
    assert "One of: md, json, csv." in words


async def test_an_old_incident_says_what_is_known_while_the_ledger_is_away(house: House, http: aiohttp.ClientSession) -> None:
    """What is not known and why, what goes on, where the rest stands; it asks again by itself."""
    await old_incident(house)
    house.engine.away = AWAY
    answer = await http.get(f"{house.url}/?incident=1", headers=headers(READ))
    text = await answer.text()
    words = seen(text)

    assert (503, "30") == (answer.status, answer.headers["Retry-After"])
    assert "The database cannot be reached, so INC-1 is not available right now" in words
    assert "Flags stay as they are. It continues by itself when the database is back." in words
    assert "Only open incidents and those of the last 30 days are in memory; older ones are only in the ledger." in words
    assert 'For the current state see <a href="/">the board</a>.' in text
    assert '<meta http-equiv="refresh" content="30">' in text


async def test_a_file_leads_to_what_memory_holds_while_the_ledger_is_away(house: House, http: aiohttp.ClientSession) -> None:
    """It does not ask again by itself: the file would come each time."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    house.export_broken = AWAY
    answer = await http.get(f"{house.url}/?incident=1&format=md", headers=headers(READ))
    text = await answer.text()

    assert (503, "text/html") == (answer.status, answer.content_type)
    assert "so the export of INC-1 is not available right now" in seen(text)
    assert 'What is in memory is on <a href="/?incident=1">the page of INC-1</a>.' in text
    assert "refresh" not in text


async def test_an_incident_is_a_page_while_the_state_is_restored(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """Which asks again by itself, and not each second."""
    house = await open_house(restored=False, read_tokens=(READ,))
    answer = await http.get(f"{house.url}/?incident=1", headers=headers(READ))
    text = await answer.text()

    assert (503, "1") == (answer.status, answer.headers["Retry-After"])
    assert "The state is still being restored" in seen(text)
    assert '<meta http-equiv="refresh" content="5">' in text


async def test_who_gave_no_password_is_told_which(house: House, http: aiohttp.ClientSession) -> None:
    """Whoever closed the browser's question for one sees a page; it names no incident."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    answer = await http.get(f"{house.url}/?incident=1")
    text = await answer.text()

    assert (401, 'Basic realm="Understudy"') == (answer.status, answer.headers["WWW-Authenticate"])
    assert "sign in with any name, and with one of server.read_tokens as the password" in seen(text)
    assert "Checkout" not in text


async def test_a_fault_of_ours_is_a_page_without_details(house: House, http: aiohttp.ClientSession) -> None:
    """Which the log has."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    house.export_broken = ZeroDivisionError("at /secret/place")
    status, words = await shown(house, http, "?incident=1&format=md")

    assert 500 == status
    assert "Something went wrong on our side" in words
    assert "secret" not in words


async def test_a_fault_of_ours_is_in_the_log_with_its_traceback(house: House, http: aiohttp.ClientSession) -> None:
    """The page says that it is."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    fault = house.export_broken = ZeroDivisionError()
    with structlog.testing.capture_logs() as written:
        await shown(house, http, "?incident=1&format=md")

    assert [("http.failed", "error", "/", fault)] == [
        (line["event"], line["log_level"], line["route"], line["exc_info"]) for line in written
    ]


async def test_programs_have_their_errors_as_json(house: House, http: aiohttp.ClientSession) -> None:
    """By a door of their own."""
    answer = await http.get(f"{house.url}/api/v1/incidents/9", headers=headers(READ))

    assert (404, "application/json") == (answer.status, answer.content_type)


# What browsers accept when somebody opens an address.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("nowhere", 404, "There is nothing at /nowhere"),
        ("api/v1/incidents/9", 404, "There is no INC-9"),
        ("api/v1/incidents/9/export?format=md", 404, "There is no INC-9"),
        ("api/v1/incidents/1/ack", 405, "GET is not possible here"),
    ],
)
async def test_whoever_opens_another_address_in_a_browser_is_shown_a_page(
    house: House, http: aiohttp.ClientSession, path: str, status: int, says: str
) -> None:
    """With a way to the board."""
    answer = await http.get(f"{house.url}/{path}", headers={**headers(READ), **BROWSER})
    text = await answer.text()

    assert (status, "text/html") == (answer.status, answer.content_type)
    assert says in seen(text)
    assert '<a href="/">Board</a>' in text


async def test_a_browser_without_a_password_is_sent_to_the_board_for_it(house: House, http: aiohttp.ClientSession) -> None:
    """Browsers ask there, and give it to all other addresses from then on."""
    answer = await http.get(f"{house.url}/api/v1/status", headers=BROWSER)
    remedy = "Sign in on the board with any name, and with one of server.read_tokens as the password. Then come back."

    assert 401 == answer.status
    assert remedy in seen(await answer.text())


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5"])
async def test_a_program_at_another_address_has_its_errors_as_json(
    house: House, http: aiohttp.ClientSession, accept: str
) -> None:
    """Also one that would take a page."""
    answer = await http.get(f"{house.url}/nowhere", headers={**headers(READ), "Accept": accept})

    assert (404, "application/json") == (answer.status, answer.content_type)


async def test_a_change_that_is_refused_is_answered_in_json(house: House, http: aiohttp.ClientSession) -> None:
    """Nobody changes things by opening an address."""
    answer = await http.post(f"{house.url}/api/v1/incidents", headers={**headers(READ), **BROWSER}, json={})

    assert (403, "application/json") == (answer.status, answer.content_type)


@pytest.mark.parametrize("query", ["?incident=9", "?incident=abc"])
async def test_a_page_of_trouble_has_one_heading(house: House, http: aiohttp.ClientSession, query: str) -> None:
    """Which is also the name of the page."""
    text = await (await http.get(f"{house.url}/{query}", headers=headers(READ))).text()
    [heading] = re.findall("<h1>(.*?)</h1>", text)

    assert f"<title>{heading} · Understudy</title>" in text
