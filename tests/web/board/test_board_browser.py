"""The board in a real browser, on a phone and on a desk."""

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, async_playwright
from web_house import POLICY, OpenHouse

from bot.core.model import Actor, Fault, Level, Verdict
from bot.core.signals import AddNote, Declare, VerdictReached

pytestmark = pytest.mark.browser

PHONE, DESK = 390, 1280
WHY = "3 of 3 checks failed within 14 s: HTTP 504 after 59 ms: the provider's gateway got no valid answer from its backend"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("NO CHROMIUM: the board was NOT tested in a browser (Debian: apt-get install chromium)")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def board(browser: Browser, open_house: OpenHouse, width: int, *, name: str = "Claude API") -> Page:
    """The board in an outage, in a window of that width."""
    house = await open_house(open_to_loopback=True)
    claude = replace(POLICY.components["anthropic.api"], name=name)
    house.engine.policy = replace(POLICY, components={**POLICY.components, "anthropic.api": claude})
    await house.verdict("anthropic.api", Level.DOWN, WHY)
    page = await browser.new_page(viewport={"width": width, "height": 800})
    await page.goto(house.url + "/")
    return page


async def test_the_reason_is_as_wide_as_a_phone(browser: Browser, open_house: OpenHouse) -> None:
    """A column of one word a line is read by nobody at three in the morning."""
    page = await board(browser, open_house, PHONE)
    box = await page.get_by_text(WHY).bounding_box()

    assert box is not None
    assert box["width"] > PHONE * 0.8


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_the_board_is_not_wider_than_the_window(browser: Browser, open_house: OpenHouse, width: int) -> None:
    """Nobody scrolls sideways, whatever a component is called."""
    page = await board(browser, open_house, width, name="W" * 300)

    assert width == await page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("query", ["?incident=1", "?incidents=all", "?incident=" + "W" * 300])
async def test_no_page_is_wider_than_a_phone(browser: Browser, open_house: OpenHouse, query: str) -> None:
    """Whatever an incident is called, a note says or an address holds; and no rule of the page's own is broken."""
    house = await open_house(open_to_loopback=True)
    await house.engine.handle(Declare(Actor.operator("ana"), title="W" * 300))
    await house.engine.handle(AddNote(Actor.operator("ana"), incident=1, text="W" * 3000))
    page = await browser.new_page(viewport={"width": PHONE, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(f"{house.url}/{query}")
    for fold in await page.locator("summary").all():
        await fold.click()

    assert PHONE == await page.evaluate("document.documentElement.scrollWidth")
    assert [] == [one for one in said if "Content Security Policy" in one]


async def test_what_is_wrong_is_on_a_phones_first_screen(browser: Browser, open_house: OpenHouse) -> None:
    """With the way to its timeline."""
    page = await board(browser, open_house, PHONE)
    box = await page.get_by_role("link", name="INC-1").bounding_box()

    assert box is not None
    assert box["y"] + box["height"] < 400


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_the_board_has_headings_and_lists_for_screen_readers(browser: Browser, open_house: OpenHouse, width: int) -> None:
    """From heading to heading one reaches each provider and component; a chart is an image that says what it shows."""
    page = await board(browser, open_house, width)
    row = page.get_by_role("listitem").filter(has=page.get_by_role("heading", level=4, name="Claude API"))

    assert 1 == await page.get_by_role("heading", level=3, name="Claude", exact=True).count()
    assert 1 == await row.count()
    assert 1 == await row.get_by_role("img", name="24 hours: down in 1 hour").count()


async def test_the_timeline_is_reached_by_keyboard(browser: Browser, open_house: OpenHouse) -> None:
    """The first link is what one looks for in an outage."""
    page = await board(browser, open_house, DESK)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Timeline").wait_for()

    assert "INC-1: Claude API is down" in await page.title()


async def test_the_board_updates_itself_and_nobody_loses_their_place(browser: Browser, open_house: OpenHouse) -> None:
    """A reload would take who uses the keyboard back to the top."""
    house = await open_house(open_to_loopback=True)
    await house.verdict("anthropic.api", Level.DOWN, WHY)
    page = await browser.new_page()
    await page.clock.install()
    await page.goto(house.url + "/")
    await page.keyboard.press("Tab")
    await house.verdict("openai.api", Level.DEGRADED, "slow")
    await page.clock.fast_forward(31_000)
    await page.get_by_text("OpenAI API is degraded.").wait_for()

    assert "INC-1" == await page.evaluate("document.activeElement.textContent")


async def test_what_a_reader_opened_stays_open(browser: Browser, open_house: OpenHouse) -> None:
    """By keyboard too, and the keyboard stays where it is, when the page takes in what is new."""
    house = await open_house(open_to_loopback=True)
    await house.verdict("anthropic.api", Level.DOWN, WHY)
    page = await browser.new_page()
    await page.clock.install()
    await page.goto(house.url + "/?incident=1")
    await page.locator("summary").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("HTTP 529").wait_for()
    await house.engine.handle(AddNote(Actor.operator("ana"), incident=1, text="rolled back"))
    await page.clock.fast_forward(31_000)
    await page.get_by_text("rolled back").wait_for()

    assert await page.get_by_text("HTTP 529").is_visible()
    assert "Evidence (1 line)" == await page.evaluate("document.activeElement.textContent")


async def test_evidence_that_nobody_opened_is_out_of_sight(browser: Browser, open_house: OpenHouse) -> None:
    """The whole story of how it began is on a phone's first screen."""
    house = await open_house(open_to_loopback=True)
    verdict = Verdict("anthropic.api", Level.DOWN, WHY, Fault.THEIRS, ("excerpt " + "no good " * 90,), house.clock.now())
    await house.engine.handle(VerdictReached(actor=Actor.rule("detector"), verdict=verdict))
    page = await browser.new_page(viewport={"width": PHONE, "height": 800})
    await page.goto(house.url + "/?incident=1")
    box = await page.get_by_text("Claude API is down and belongs to INC-1").bounding_box()

    assert box is not None
    assert box["y"] + box["height"] < 600
    assert not await page.get_by_text("excerpt").is_visible()
    assert PHONE == await page.evaluate("document.documentElement.scrollWidth")


async def test_a_board_on_which_nothing_changed_is_left_alone(browser: Browser, open_house: OpenHouse) -> None:
    """What somebody selected, or has read out just now, stays."""
    house = await open_house(open_to_loopback=True)
    page = await browser.new_page()
    await page.clock.install()
    await page.goto(house.url + "/")
    before = await page.query_selector("main")
    house.clock.advance(timedelta(minutes=1))
    await page.clock.fast_forward(31_000)
    await page.get_by_text("As of 2026-03-20 12:01 UTC.").wait_for()

    assert await page.evaluate("main => main.isConnected", before)


async def test_a_screen_reader_is_told_what_is_wrong_now(browser: Browser, open_house: OpenHouse) -> None:
    """Once, and not the whole page."""
    house = await open_house(open_to_loopback=True)
    page = await browser.new_page()
    await page.clock.install()
    await page.goto(house.url + "/")
    await house.verdict("anthropic.api", Level.DOWN, WHY)
    await page.clock.fast_forward(31_000)
    await page.get_by_text("Claude API is down.").wait_for()

    assert "Claude API is down · Understudy" == await page.get_by_role("status").text_content()


async def test_the_board_says_so_when_it_cannot_be_updated(browser: Browser, open_house: OpenHouse) -> None:
    """An old page that looks new is worse than none; it goes on once the bot answers again."""
    house = await open_house(open_to_loopback=True)
    page = await browser.new_page()
    await page.clock.install()
    await page.goto(house.url + "/")
    await house.close()
    await page.clock.fast_forward(31_000)

    await page.get_by_role("alert").get_by_text("What stands here is old.").wait_for()
    await house.open(port=house.port)
    await page.clock.fast_forward(31_000)
    await page.get_by_text("It updates itself.").wait_for()

    assert 0 == await page.get_by_role("alert").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_is_quiet_can_still_be_read(
    browser: Browser, open_house: OpenHouse, scheme: Literal["light", "dark"]
) -> None:
    """By the contrast of 4.5 to 1 that WCAG 2.2 asks for, in both schemes."""
    page = await board(browser, open_house, DESK)
    await page.emulate_media(color_scheme=scheme)
    ink, ground = [
        await page.evaluate(f"getComputedStyle(document.querySelector('{where}')).{what}")
        for where, what in ((".now .quiet", "color"), (".now", "backgroundColor"))
    ]

    assert contrast(ink, ground) >= 4.5


def contrast(one: str, other: str) -> float:
    """Of two colours as a browser writes them, by WCAG."""
    darker, lighter = sorted(luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
