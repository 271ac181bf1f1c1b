"""Takes the pictures of the README: the demo, played at its own speed, in a real browser. `make pictures`."""

import asyncio
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright, expect

from bot.cli.demo import STORY_TAKES_S
from bot.demo.play import Demo
from bot.sandbox.vendor import Scenario

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 700}
WITHIN_MS = STORY_TAKES_S * 1500


async def main() -> None:
    """Play the story once and write one picture of each of its moments."""
    scenario = Scenario.load("four-hours")
    said: asyncio.Queue[str] = asyncio.Queue()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as out:
        demo = Demo(scenario, scenario.minutes * 60 / STORY_TAKES_S, Path(out), "auto", said.put_nowait, "127.0.0.1:0")
        playing = asyncio.create_task(demo.play(exit_when_done=False))
        try:
            await _follow(await _address(said))
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)


async def _address(said: "asyncio.Queue[str]") -> str:
    while not (found := re.search(r"http://\S+", await said.get())):
        pass
    return found.group()


async def _follow(url: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
        desktop, phone = await browser.new_page(viewport=DESKTOP), await browser.new_page(viewport=PHONE)
        for page in (desktop, phone):
            page.set_default_timeout(WITHIN_MS)
            await page.goto(url)
        alert = "Claude is down (API, claude.ai, mobile)"
        await expect(desktop.locator("#log")).to_contain_text(alert, timeout=WITHIN_MS)
        await expect(desktop.locator("#log")).to_contain_text("Customers are served", timeout=WITHIN_MS)
        await _take(desktop, "alert")
        await phone.locator("#log").get_by_text(alert).first.scroll_into_view_if_needed()
        await _take(phone, "alert-phone")
        channel = desktop.locator("#rail a", has_text="inc-")
        await channel.first.click()
        await expect(desktop.locator("#log")).to_contain_text("Update 1", timeout=WITHIN_MS)
        await _take(desktop, "channel")
        await expect(desktop.locator("#log")).to_contain_text("INC-1 resolved after", timeout=WITHIN_MS)
        await expect(desktop.locator("#log")).to_contain_text("please write the post-mortem", timeout=WITHIN_MS)
        await _take(desktop, "ending")
        await browser.close()


async def _take(page: Page, name: str) -> None:
    await page.wait_for_timeout(400)  # fonts and the last message settle
    await page.screenshot(path=FOLDER / f"{name}.png")
    print(f"docs/pictures/{name}.png")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
