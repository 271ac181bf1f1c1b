"""The page of one incident: how it stands, then what happened, with its evidence at hand and out of the way."""

import re
from datetime import timedelta
from html import unescape

import aiohttp
import pytest
from web_house import READ, House, board, headers, seen

from bot.core.model import Actor, Fault, Level, Phase, Verdict
from bot.core.signals import Acknowledge, AddNote, Declare, EngageFlag, Rename, SetPhase, StartDrill, VerdictReached
from bot.ports import StoreError, StoreTrouble
from bot.web.board import incident

ANA = Actor.operator("ana")
CHAT = "support-chat.llm"


async def fails(house: House, *evidence: str, reason: str = "3 of 3 checks failed") -> None:
    """Claude is down, and this is what was found."""
    verdict = Verdict("anthropic.api", Level.DOWN, reason, Fault.THEIRS, evidence, house.clock.now())
    await house.engine.handle(VerdictReached(actor=Actor.rule("detector"), verdict=verdict))


def rows(html: str) -> list[str]:
    """What stands open in the timeline."""
    timeline = re.sub("<details.*?</details>", "", html[html.index('<ol class="timeline">') :], flags=re.DOTALL)
    return [seen(row) for row in re.findall("<p>.*?</p>", timeline, flags=re.DOTALL)]


def folds(html: str) -> list[tuple[str, str]]:
    """What is folded, with the words that open it."""
    found = re.findall("<summary>(.*?)</summary>(.*?)</details>", html, flags=re.DOTALL)
    return [(seen(summary), seen(content)) for summary, content in found]


async def test_evidence_is_folded(house: House, http: aiohttp.ClientSession) -> None:
    """One line of the timeline would fill a phone's screen; foreign words stay words."""
    await fails(house, "status 504", "excerpt <html> & more")
    text = await board(house, http, "?incident=1")

    assert "Claude API is down and belongs to INC-1" in rows(text)
    assert [("Evidence (2 lines)", "status 504 excerpt <html> & more")] == folds(text)


async def test_evidence_without_end_is_cut_and_said_to_be(house: House, http: aiohttp.ClientSession) -> None:
    """The files have the rest."""
    await fails(house, *(f"line {n}." for n in range(incident.MOST_EVIDENCE + 7)))
    [(summary, content)] = folds(await board(house, http, "?incident=1"))

    assert "Evidence (37 lines)" == summary
    assert content.endswith("line 29. 7 more in the exports below")


@pytest.mark.parametrize(("note", "gap"), [(" ".join(f"word{n}" for n in range(120)), " "), ("W" * 900, "")])
async def test_a_long_note_is_folded_and_whole(house: House, http: aiohttp.ClientSession, note: str, gap: str) -> None:
    """What somebody pasted does not push the rest out of sight."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    await house.engine.handle(AddNote(ANA, incident=1, text=note))
    text = await board(house, http, "?incident=1")
    [(summary, rest)] = folds(text)
    shown = rows(text)[-1].removesuffix(" (ana)")

    assert ("Show the rest", f"Note: {note}") == (summary, shown.removesuffix("…") + gap + rest)
    assert len(shown) <= incident.SHOWN


async def test_a_reason_is_not_said_twice_in_a_row(house: House, http: aiohttp.ClientSession) -> None:
    """The declaration has said why its component fails."""
    await fails(house, reason="HTTP 504 for 14 s")
    text = await board(house, http, "?incident=1")

    assert 1 == " ".join(rows(text)).count("HTTP 504 for 14 s")


async def test_a_minute_is_named_once(house: House, http: aiohttp.ClientSession) -> None:
    """However much happened in it."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    for seconds in (10, 20, 45):
        house.clock.advance(timedelta(seconds=seconds))
        await house.engine.handle(AddNote(ANA, incident=1, text=f"after {seconds}"))
    text = await board(house, http, "?incident=1")

    timeline = text[text.index('<ol class="timeline">') :]
    assert ["2026-03-20 12:00 UTC", "2026-03-20 12:01 UTC"] == re.findall(r"[\d-]{10} [\d:]{5} UTC(?=</time>)", timeline)


async def test_a_note_has_the_name_of_who_wrote_it(house: House, http: aiohttp.ClientSession) -> None:
    """A sentence that names them already does not."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    await house.engine.handle(Acknowledge(ANA, incident=1))
    await house.engine.handle(AddNote(ANA, incident=1, text="rolled back"))
    told = rows(await board(house, http, "?incident=1"))

    assert "ana acknowledged INC-1" in told
    assert "Note: rolled back (ana)" in told


async def test_an_incident_begins_with_what_it_does_to_customers(house: House, http: aiohttp.ClientSession) -> None:
    """What is broken, whose fault it is, whether customers are served, who works on it; and only then what we call it."""
    await fails(house)
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="down"))
    standing = seen((await board(house, http, "?incident=1")).split('id="timeline"')[0])

    assert (
        "Claude API down. It's Claude, not us. Support chat is served by gpt. Nobody has acknowledged it. "
        "Next update by 13:00 UTC. SEV2, mitigated. Began 2026-03-20 12:00 UTC (0 s)."
    ) in standing


async def test_an_incident_that_is_over_blames_nobody_for_what_fails_now(house: House, http: aiohttp.ClientSession) -> None:
    """What holds now is another incident's."""
    await fails(house)
    await house.verdict("anthropic.api", Level.OPERATIONAL)
    await house.engine.handle(SetPhase(ANA, incident=1, phase=Phase.RESOLVED))
    await fails(house)
    over, now = [seen((await board(house, http, f"?incident={number}")).split('id="timeline"')[0]) for number in (1, 2)]

    assert "It's Claude, not us. Support chat is failing." in now
    assert ("It's Claude" in over, "Support chat" in over) == (False, False)


async def test_a_long_timeline_has_a_way_to_its_newest_line(house: House, http: aiohttp.ClientSession) -> None:
    """In an outage nobody scrolls through 500 lines; a short one needs none."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    short = await board(house, http, "?incident=1")
    for number in range(16):
        house.clock.advance(timedelta(minutes=1))
        await house.engine.handle(AddNote(ANA, incident=1, text=f"note {number}."))
    text = await board(house, http, "?incident=1")

    assert '<a href="#newest">' not in short
    assert text.index("note 14.") < text.index('id="newest"') < text.index("note 15.")
    assert '<a href="#newest">Jump to the newest entry</a>' in text


async def test_a_drill_blames_nobody(house: House, http: aiohttp.ClientSession) -> None:
    """Nothing of it is real, and the page says so."""
    await house.engine.handle(StartDrill(ANA, components=("anthropic.api",)))
    standing = seen((await board(house, http, "?incident=1")).split('id="timeline"')[0])

    assert "DRILL" in standing
    assert "It's Claude" not in standing


async def test_an_incident_has_its_timeline(house: House, http: aiohttp.ClientSession) -> None:
    """What happened in sentences with their times; foreign words stay words."""
    await house.verdict("anthropic.api", Level.DOWN, "HTTP 500 <b>")
    await house.engine.handle(Rename(ANA, incident=1, title="Chat <i>is down"))
    text = await board(house, http, "?incident=INC-1")

    assert "<h1>INC-1: Chat &lt;i&gt;is down</h1>" in text
    assert "INC-1 was declared as SEV2: Claude API is down" in text
    assert "HTTP 500 &lt;b&gt;" in text
    assert '<a href="/">Board</a>' in text


async def test_an_incident_says_what_fails_and_who_leads(house: House, http: aiohttp.ClientSession) -> None:
    """Before its timeline."""
    await house.verdict("anthropic.api", Level.DOWN)
    await house.engine.handle(Acknowledge(ANA, incident=1))
    text = await board(house, http, "?incident=1")

    assert text.index("<p>Claude API down.</p>") < text.index("<p>Acknowledged by ana. ") < text.index('id="timeline"')


async def test_a_timeline_of_thousands_shows_the_newest(house: House, http: aiohttp.ClientSession) -> None:
    """And says how many there are besides."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    for number in range(incident.MOST_ROWS + 5):
        await house.engine.handle(AddNote(ANA, incident=1, text=f"note {number}."))
    text = await board(house, http, "?incident=1")

    assert "note 504." in text
    assert "note 4." not in text
    assert re.search(r"\d earlier entries are in the exports below", text)


async def test_an_incident_that_there_is_not_is_said(house: House, http: aiohttp.ClientSession) -> None:
    """And so is what names none."""
    answers = [await http.get(f"{house.url}/?incident={one}", headers=headers(READ)) for one in ("9", "x")]

    assert [404, 400] == [answer.status for answer in answers]


@pytest.mark.parametrize("query", ["", "?incident=1"])
async def test_the_pages_are_for_those_who_may_read(house: House, http: aiohttp.ClientSession, query: str) -> None:
    """A timeline is behind the board's own door."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    sent = {"Authorization": aiohttp.encode_basic_auth("ana", READ)}

    assert 401 == (await http.get(f"{house.url}/{query}")).status
    assert 200 == (await http.get(f"{house.url}/{query}", headers=sent)).status


async def test_whoever_opened_the_board_by_password_gets_the_exports(house: House, http: aiohttp.ClientSession) -> None:
    """Every link of the page works with what opened the page."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    sent = {"Authorization": aiohttp.encode_basic_auth("ana", READ)}
    text = await (await http.get(f"{house.url}/?incident=1", headers=sent)).text()
    links = [unescape(link) for link in re.findall('href="(/[^"]*)"', text)]
    answers = [await http.get(house.url + link, headers=sent) for link in links]

    expected = ["/board.css", "/", "/?incidents=all", *(f"/?incident=1&format={one}" for one in ("md", "json", "csv"))]
    assert [(link, 200) for link in expected] == [(link, answer.status) for link, answer in zip(links, answers, strict=True)]
    assert [(1, "md"), (1, "json"), (1, "csv")] == house.exported


async def test_a_timeline_says_so_while_the_ledger_is_away(house: House, http: aiohttp.ClientSession) -> None:
    """What memory knows of the incident is there."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    house.ledger.broken = StoreError("away", kind=StoreTrouble.AWAY)
    text = await board(house, http, "?incident=1")

    assert "INC-1: Checkout is slow" in text
    assert "The database cannot be reached, so the timeline is not available right now." in text
