"""The board in a real browser, on a phone and on a desk."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright
from web_house import OpenHouse

from bot.core.model import Level

pytestmark = pytest.mark.browser

PHONE, DESK = 390, 1280
WHY = "3 of 3 checks failed within 14 s: HTTP 504 after 59 ms: the provider's gateway gets no good answer"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("NO CHROMIUM: the board was NOT tested in a browser (Debian: apt-get install chromium)")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def board(browser: Browser, open_house: OpenHouse, width: int) -> Page:
    """The board in an outage, in a window of that width."""
    house = await open_house(open_to_loopback=True)
    await house.verdict("anthropic.api", Level.DOWN, WHY)
    page = await browser.new_page(viewport={"width": width, "height": 800})
    await page.goto(house.url + "/")
    return page


async def test_the_reason_is_as_wide_as_a_phone(browser: Browser, open_house: OpenHouse) -> None:
    """A column of one word a line is read by nobody at three in the morning."""
    page = await board(browser, open_house, PHONE)
    box = await page.get_by_role("cell", name=WHY).bounding_box()

    assert box is not None
    assert box["width"] > PHONE * 0.8


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_the_board_is_not_wider_than_the_window(browser: Browser, open_house: OpenHouse, width: int) -> None:
    """Nobody scrolls sideways."""
    page = await board(browser, open_house, width)

    assert width == await page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_the_board_is_a_table_for_screen_readers(browser: Browser, open_house: OpenHouse, width: int) -> None:
    """Also where it looks like cards."""
    page = await board(browser, open_house, width)
    row = page.get_by_role("table").first.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Claude API"))

    assert 1 == await row.count()
    assert 3 == await row.get_by_role("cell").count()
