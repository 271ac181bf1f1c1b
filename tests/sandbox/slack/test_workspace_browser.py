"""The web page in a real browser, with the real workspace and a real Bolt app behind it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, async_playwright, expect
from slack_bolt.async_app import AsyncApp
from slack_stage import EVERY_SCOPE, SETTINGS, Stage, bolt, furnish, until

from bot.sandbox.slack import LocalWorkspace

pytestmark = pytest.mark.browser

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 780}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text)}


RESOLVE = {
    "type": "button",
    "action_id": "resolve",
    "style": "danger",
    "text": plain("Resolve incident"),
    "confirm": {
        "title": plain("Resolve INC-7?"),
        "text": mrkdwn("This ends it for *12 people*."),
        "confirm": plain("Resolve it"),
        "deny": plain("Not yet"),
    },
}
SEV2 = {"text": plain("SEV2"), "value": "2"}
FORM = {
    "type": "modal",
    "callback_id": "declare",
    "title": plain("Declare incident"),
    "submit": plain("Declare"),
    "blocks": [
        {
            "type": "input",
            "block_id": "what",
            "label": plain("Title"),
            "element": {"type": "plain_text_input", "action_id": "title"},
        },
        {
            "type": "input",
            "block_id": "how",
            "label": plain("Severity"),
            "element": {
                "type": "static_select",
                "action_id": "severity",
                "options": [{"text": plain("SEV1"), "value": "1"}, SEV2],
            },
        },
        {
            "type": "input",
            "block_id": "who",
            "optional": True,
            "label": plain("Commander"),
            "element": {"type": "users_select", "action_id": "commander"},
        },
        {
            "type": "input",
            "block_id": "also",
            "optional": True,
            "label": plain("Also"),
            "element": {
                "type": "checkboxes",
                "action_id": "boxes",
                "options": [{"text": mrkdwn("*Page* on-call"), "value": "page"}],
            },
        },
    ],
}


@dataclass
class Bench:
    """The workspace, its app, and browser windows on it."""

    stage: Stage
    app: AsyncApp
    browser: Browser
    complaints: list[str]

    async def opens(self, where: str = "?as=ana#ops", *, viewport: ViewportSize = DESKTOP, **options: Any) -> Page:
        """Open a window of its own as one person; the browser's errors are collected."""
        context = await self.browser.new_context(viewport=viewport, **options)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._note_refused)
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", self._note_foreign)
        await page.goto(self.stage.ws.page_url + where)
        await expect(page.locator("#team")).to_have_text("Understudy Labs")
        return page

    def _note_refused(self, said: Any) -> None:
        if "Content Security" in said.text:
            self.complaints.append(f"console: {said.text}")

    def _note_foreign(self, request: Any) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            self.complaints.append(f"request: {request.url}")


def writes_home(app: AsyncApp) -> None:
    """Greet a person who opens the app."""

    @app.event("app_home_opened")
    async def home(event: dict[str, Any], client: Any) -> None:
        view = {"type": "home", "blocks": [section(f"Good morning <@{event['user']}>, nothing is open.")]}
        await client.views_publish(user_id=event["user"], view=view)


@pytest.fixture
async def bench(session: aiohttp.ClientSession) -> AsyncIterator[Bench]:
    """Everything running; at the end the browser must have reported no error and contacted no other host."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("NO CHROMIUM: the page was NOT tested in a browser (Debian: apt-get install chromium)")
    async with AsyncExitStack() as stack:
        settings = replace(SETTINGS, ack_within_s=3.0)  # browsers on a busy machine are slow
        ws = await stack.enter_async_context(LocalWorkspace(scopes=EVERY_SCOPE, settings=settings))
        stage = furnish(ws, session)
        app = await stack.enter_async_context(bolt(stage, writes_home))
        driver = await stack.enter_async_context(async_playwright())
        browser = await driver.chromium.launch(executable_path=chromium, args=ARGS)
        stack.push_async_callback(browser.close)
        bench = Bench(stage, app, browser, [])
        yield bench
        assert [] == bench.complaints


def message(page: Page, ts: str) -> Locator:
    return page.locator(f'#log [data-ts="{ts}"]')


async def types(page: Page, text: str) -> None:
    await page.fill("#composer", text)
    await page.press("#composer", "Enter")


async def test_person_types_a_command_and_sees_the_private_answer(bench: Bench) -> None:
    """Autocomplete offers the command, the reply is tinted as private, and it can be dismissed."""

    @bench.app.command("/health")
    async def health(ack: Any, command: dict[str, Any]) -> None:
        await ack({"text": "x", "blocks": [{"type": "header", "text": plain("Board")}, section(f"asked: {command['text']}")]})

    page = await bench.opens()
    await page.type("#composer", "/hea")
    offer = page.get_by_role("listbox").get_by_role("option")
    await expect(offer).to_contain_text("Is it them or us?")
    await page.press("#composer", "Tab")
    await expect(page.locator("#composer")).to_have_value("/health ")
    await page.type("#composer", "claude")
    await page.press("#composer", "Enter")

    answer = page.locator("#log .ephemeral")
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer).to_contain_text("asked: claude")
    await expect(answer.get_by_role("heading")).to_have_text("Board")
    await expect(answer.locator(".badge")).to_have_text("APP")
    await answer.get_by_role("button", name="Dismiss").click()
    await expect(answer).to_have_count(0)


async def test_person_opens_the_app_and_sees_their_home(bench: Bench) -> None:
    """The app gets the event and publishes the tab for this person."""
    page = await bench.opens()
    await page.locator("#people").get_by_role("link", name="Understudy").click()

    await expect(page.locator("#panel .home")).to_have_text("Good morning @ana, nothing is open.")


async def test_button_asks_before_it_acts(bench: Bench) -> None:
    """Cancelling sends nothing; confirming reaches the app, whose edit appears in place."""
    clicks: list[str] = []

    @bench.app.action("resolve")
    async def resolve(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        clicks.append(body["user"]["id"])
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="Resolved by ana")

    ts = await bench.stage.post("x", blocks=[section("Claude API is *down*"), {"type": "actions", "elements": [RESOLVE]}])
    page = await bench.opens()
    await expect(message(page, ts).locator("strong")).to_have_text("down")
    await page.evaluate("window.unreloaded = true")

    await page.click("[data-action-id=resolve]")
    await expect(page.locator("#confirm")).to_contain_text("This ends it for 12 people.")
    await page.get_by_role("button", name="Not yet").click()
    await expect(page.locator("#confirm")).to_be_hidden()
    assert [] == clicks

    await page.click("[data-action-id=resolve]")
    await page.get_by_role("button", name="Resolve it").click()
    await expect(message(page, ts)).to_contain_text("Resolved by ana (edited)")
    await expect(message(page, ts).locator("[data-action-id]")).to_have_count(0)
    assert ([bench.stage.ana.id], True) == (clicks, await page.evaluate("window.unreloaded"))


async def test_menus_send_the_choice_to_the_app(bench: Bench) -> None:
    """A select, a people select and an overflow menu send it as Slack does."""
    received: list[Any] = []

    def choice(action: dict[str, Any]) -> Any:
        return (action.get("selected_option") or {}).get("value") or action.get("selected_user")

    for name in ("severity", "commander", "more"):

        @bench.app.action(name)
        async def picked(ack: Any, action: dict[str, Any]) -> None:
            await ack()
            received.append(choice(action))

    elements = [
        {"type": "static_select", "action_id": "severity", "placeholder": plain("Severity"), "options": [SEV2]},
        {"type": "users_select", "action_id": "commander", "placeholder": plain("Commander")},
        {"type": "overflow", "action_id": "more", "options": [{"text": plain("Mute"), "value": "mute"}]},
    ]
    await bench.stage.post("x", blocks=[{"type": "actions", "elements": elements}])
    page = await bench.opens()

    await page.select_option("[data-action-id=severity]", label="SEV2")
    await until(lambda: len(received) == 1)
    await page.select_option("[data-action-id=commander]", label="Ana Silva")
    await until(lambda: len(received) == 2)
    await page.click("[data-action-id=more]")
    await page.get_by_role("menuitem", name="Mute").press("Enter")
    await until(lambda: len(received) == 3)
    assert ["2", bench.stage.ana.id, "mute"] == received


async def test_modal_shows_errors_at_its_fields_and_keeps_the_input(bench: Bench) -> None:
    """First Slack's own check of required fields, then the app's errors, then the form is accepted."""
    values: list[dict[str, Any]] = []

    @bench.app.command("/incident")
    async def incident(ack: Any, client: Any, command: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=FORM)

    @bench.app.view("declare")
    async def declare(ack: Any, view: dict[str, Any]) -> None:
        given = view["state"]["values"]
        if len(given["what"]["title"]["value"]) < 8:
            await ack(response_action="errors", errors={"what": "Say what is broken."})
            return
        await ack()
        values.append(given)

    page = await bench.opens()
    await types(page, "/incident declare")
    modal = page.locator("#modal")
    await expect(modal.get_by_role("heading", name="Declare incident")).to_be_visible()
    await expect(modal.get_by_label("Title")).to_be_focused()

    await modal.get_by_label("Title").fill("short")
    await modal.get_by_role("button", name="Declare").click()
    await expect(modal.locator(".wrong .field-error")).to_have_text("Please complete this required field.")
    await modal.get_by_label("Severity").select_option(label="SEV2")
    await modal.get_by_label("Commander").select_option(label="Ana Silva")
    await modal.get_by_label("Page on-call").check()
    await modal.get_by_label("Title").press("Enter")
    await expect(modal.get_by_role("alert")).to_have_text("Say what is broken.")
    await expect(modal.get_by_label("Title")).to_be_focused()
    await expect(modal.get_by_label("Title")).to_have_value("short")
    await modal.get_by_label("Title").fill("Claude API fails")
    await modal.get_by_label("Title").press("Enter")
    await expect(modal).to_be_hidden()
    (given,) = values
    assert "Claude API fails" == given["what"]["title"]["value"]
    assert "2" == given["how"]["severity"]["selected_option"]["value"]
    assert bench.stage.ana.id == given["who"]["commander"]["selected_user"]
    assert ["page"] == [option["value"] for option in given["also"]["boxes"]["selected_options"]]


async def test_escape_closes_the_modal_for_the_app_as_well(bench: Bench) -> None:
    """The app gets the event; it is not only the screen that changes."""
    page = await bench.opens()
    await bench.stage.client.views_open(trigger_id=bench.stage.trigger(), view=FORM)
    await expect(page.locator("#modal")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#modal")).to_be_hidden()
    assert bench.stage.ana.modal is None


async def test_thread_opens_next_to_the_channel_and_accepts_replies(bench: Bench) -> None:
    """Replies appear only in the panel; a slash command there is refused with an explanation."""
    ts = await bench.stage.post("Claude API is down")
    await bench.stage.post("38 of 100 probes", thread_ts=ts)
    page = await bench.opens()
    await expect(page.locator("#log")).not_to_contain_text("38 of 100 probes")
    await message(page, ts).get_by_role("button", name="1 reply").click()
    panel = page.locator("#panel")
    await expect(panel).to_contain_text("38 of 100 probes")

    await page.fill("#thread-composer", "looking")
    await page.press("#thread-composer", "Enter")
    await expect(panel.locator(".message").last).to_contain_text("looking")
    await expect(message(page, ts)).to_contain_text("2 replies")
    (_, _, reply) = bench.stage.ws.messages("ops", thread_ts=ts)
    assert ("looking", ts, bench.stage.ana.id) == (reply.text, reply.thread_ts, reply.user)

    await page.fill("#thread-composer", "/health")
    await page.press("#thread-composer", "Enter")
    await expect(panel.get_by_role("alert")).to_contain_text("Slash commands do not work in threads")
    await page.get_by_role("button", name="Close panel").click()
    await expect(panel).to_be_hidden()


async def test_header_shows_topic_members_bookmarks_and_pins(bench: Bench) -> None:
    """Changes by the app appear without a reload; a pin links to its message."""
    page = await bench.opens()
    client, ops = bench.stage.client, bench.stage.ops
    ts = await bench.stage.post("status card")
    await client.pins_add(channel=ops, timestamp=ts)
    await client.conversations_setTopic(channel=ops, topic="SEV2 · next update 15:00 UTC")
    await client.bookmarks_add(channel_id=ops, title="Board", type="link", link="https://board.example/")

    await expect(page.locator("#topic")).to_have_text("SEV2 · next update 15:00 UTC")
    await expect(page.locator(".system")).to_contain_text("set the channel topic")
    bookmark = page.locator("#bookmarks a")
    await expect(bookmark).to_have_text("Board")
    assert "https://board.example/" == await bookmark.get_attribute("href")
    assert "noopener noreferrer" == await bookmark.get_attribute("rel")
    await page.get_by_role("button", name="3 members").click()
    await expect(page.locator("#panel")).to_contain_text("Ana Silva")
    await page.get_by_role("button", name="1 pinned").click()
    await expect(page.locator("#panel")).to_contain_text("status card")
    await page.get_by_role("link", name="Go to message").click()
    await expect(message(page, ts)).to_be_focused()


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> <!channel> <javascript:alert(3)|click> &lt;b&gt;bold&lt;/b&gt;"
)


async def test_hostile_text_is_shown_without_effect(bench: Bench) -> None:
    """Typed, in every block, in a topic, a bookmark, a file or a title."""
    client, ops = bench.stage.client, bench.stage.ops
    await bench.stage.ben.says(HOSTILE, channel="ops")
    blocks = [
        {"type": "header", "text": plain("<script>alert(4)</script>")},
        section(HOSTILE) | {"fields": [mrkdwn("<img src=x onerror=alert(5)>")]},
        {"type": "context", "elements": [mrkdwn("```<script>alert(6)</script>```")]},
        {"type": "markdown", "text": "[x](javascript:alert(7)) <img src=x onerror=alert(8)> ![p](https://evil.example/p.png)"},
        {"type": "image", "image_url": "https://evil.example/pixel.png", "alt_text": '"><script>alert(9)</script>'},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "<script>alert(10)</script>"}]]},
    ]
    ts = await bench.stage.post("x", blocks=blocks)
    await client.conversations_setTopic(channel=ops, topic="<script>alert(11)</script>")
    await client.bookmarks_add(channel_id=ops, title="<img src=x>", type="link", link="https://a.example/?<script>")
    content = "<script>alert(12)</script> <img src=x>"
    await client.files_upload_v2(channel=ops, filename="a.md", title="<script>t</script>", content=content)
    page = await bench.opens()

    typed = page.locator("#log article").first
    await expect(typed).to_contain_text("<script>alert(1)</script> <img src=x onerror=alert(2)> <!channel>")
    await expect(typed.locator(".mention")).to_have_count(0)
    await expect(message(page, ts)).to_contain_text("<b>bold</b>")
    await expect(page.locator(".file-preview")).to_contain_text("<script>alert(12)</script> <img src=x>")
    inside = page.locator("#head, #bookmarks, #log")
    await expect(inside.locator("script, b, img:not([src^='/ui/'])")).to_have_count(0)
    targets = await inside.locator("a").evaluate_all("links => links.map((link) => link.protocol)")
    assert {"http:", "https:"} >= set(targets)


async def test_message_edited_by_the_app_changes_in_place(bench: Bench) -> None:
    """The neighbouring node stays the same node, typed text stays, and nothing is reloaded."""
    first = await bench.stage.post("probing")
    second = await bench.stage.post("untouched")
    page = await bench.opens()
    await page.fill("#composer", "half a sen")
    await message(page, second).evaluate("node => { node.kept = true }")
    await bench.stage.client.chat_update(channel=bench.stage.ops, ts=first, text="down since 12:40")
    await expect(message(page, first)).to_contain_text("down since 12:40 (edited)")
    assert True is await message(page, second).evaluate("node => node.kept")
    await expect(page.locator("#composer")).to_have_value("half a sen")


async def test_times_are_shown_in_the_readers_zone(bench: Bench) -> None:
    """A date token shows local time; its fallback is only for unknown tokens."""
    ts = await bench.stage.post("up at <!date^1774010400^{date_num} {time}|UTC> and <!date^1774010400^{nonsense}|12:40 UTC>")
    page = await bench.opens(timezone_id="Asia/Tokyo", locale="en-GB")
    await expect(message(page, ts)).to_contain_text("up at 2026-03-20 21:40 and 12:40 UTC")


async def test_unread_channels_are_bold_until_opened(bench: Bench) -> None:
    """A mention adds a number; a second person has their own screen."""
    page = await bench.opens("#ops")
    hall = page.locator('[data-channel="hall"]')
    await expect(hall).not_to_contain_class("unread")
    await bench.stage.ben.says("lunch? @ana", channel="hall")
    await expect(page.locator('[data-channel="hall"].unread .pill')).to_have_text("1")
    await hall.click()
    await expect(page.locator("#channel-name")).to_have_text("hall")
    await expect(page.locator('[data-channel="hall"].unread')).to_have_count(0)
    await expect(page.locator('[data-channel="secret"]')).to_be_visible()
    await page.select_option("#me", label="ben")
    await expect(page.locator('[data-channel="secret"]')).to_have_count(0)
    await types(page, "yes")
    await expect(page.get_by_role("article", name="Ben").last).to_contain_text("yes")
    assert "yes" == bench.stage.ws.messages("hall")[-1].text


async def test_refusals_are_shown_as_slackbot_would(bench: Bench) -> None:
    """An unknown command, and a click without a reply; once each."""
    button = {"type": "button", "action_id": "b", "text": plain("Go")}
    ts = await bench.stage.post("x", blocks=[{"type": "actions", "elements": [button]}])
    page = await bench.opens()
    await types(page, "/nonsense")
    await expect(page.locator("#log .ephemeral")).to_have_count(1)
    await expect(page.locator("#log .ephemeral")).to_contain_text("/nonsense is not a valid command.")
    await expect(page.locator(".notice")).to_be_hidden()

    await bench.stage.ws.faults.drop_sockets()
    bench.stage.ws.faults.refuse_upgrades(1000)
    await until(lambda: not bench.stage.ws.links.links)
    await message(page, ts).get_by_role("button", name="Go").click()
    await expect(message(page, ts).get_by_role("alert")).to_contain_text("The app is not connected")
    bench.stage.ws.faults.refuse_upgrades(0)


async def test_archived_and_unjoined_channels_accept_no_message(bench: Bench) -> None:
    """An archived channel says so; an unjoined one can be joined."""
    await bench.stage.archived("old")
    bench.stage.ws.add_channel("lobby", members=[bench.stage.ben])
    page = await bench.opens("?as=ana#old")
    await expect(page.locator('[data-channel="old"].archived')).to_be_visible()
    await expect(page.locator("#composer")).to_be_hidden()
    await expect(page.locator("#closed")).to_contain_text("archived")
    await page.click('[data-channel="lobby"]')
    await page.get_by_role("button", name="Join channel").click()
    await expect(page.locator("#composer")).to_be_visible()
    assert bench.stage.ana.id in bench.stage.ws.channel("lobby").members


async def test_file_is_previewed_and_downloaded(bench: Bench, tmp_path: Path) -> None:
    """A CSV becomes a small table, and the download has the original bytes."""
    content = 'at,text\n12:40,"Claude API, down"\n'
    await bench.stage.client.files_upload_v2(channel=bench.stage.ops, filename="INC-7.csv", title="Timeline", content=content)
    page = await bench.opens(accept_downloads=True)
    await expect(page.locator(".file td").last).to_have_text("Claude API, down")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download INC-7.csv").click()
    target = tmp_path / "INC-7.csv"
    await (await download.value).save_as(target)
    assert content == target.read_text()


async def test_page_reconnects_when_the_workspace_is_back(bench: Bench) -> None:
    """It says that the connection is lost, and catches up by itself."""
    page = await bench.opens()
    await expect(page.locator("#offline")).to_be_hidden()
    await bench.stage.ws.faults.offline()
    await expect(page.locator("#offline")).to_be_visible()
    await types(page, "anybody?")
    await expect(page.locator(".notice")).to_contain_text("cannot be reached")
    await expect(page.locator("#composer")).to_have_value("anybody?")
    await bench.stage.ws.faults.online()
    await bench.stage.ben.says("here I am", channel="ops")
    await expect(page.locator("#log")).to_contain_text("here I am")
    await expect(page.locator("#offline")).to_be_hidden()


async def test_long_channel_name_ends_in_an_ellipsis_on_a_phone(bench: Bench) -> None:
    """Incidents' channels have long names, and a name cut inside a letter looks broken."""
    name = "inc-20260320-0001-claude-api-answers-with-errors"
    bench.stage.ws.add_channel(name, members=[bench.stage.ana])
    page = await bench.opens(f"?as=ana#{name}", viewport=PHONE)
    shown = page.locator("#channel-name span")
    await expect(shown).to_have_text(name)

    assert await shown.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).textOverflow === 'ellipsis'")
    assert await shown.evaluate("e => e.getBoundingClientRect().right <= e.parentElement.getBoundingClientRect().right")


async def test_page_fits_a_phone_in_dark_mode(bench: Bench, tmp_path: Path) -> None:
    """Nothing is wider than the screen, and the sidebar is a drawer."""
    cells = [{"type": "raw_text", "text": "a long cell that does not break" * 2}] * 4
    await bench.stage.post("x", blocks=[section("word" * 80), {"type": "table", "rows": [cells]}])
    page = await bench.opens("?as=ana#ops", viewport=PHONE, color_scheme="dark", has_touch=True, is_mobile=True)
    await expect(page.locator("#log table")).to_be_visible()
    assert PHONE["width"] == await page.evaluate("document.documentElement.scrollWidth")
    await expect(page.locator("#rail")).to_be_hidden()
    await page.get_by_role("button", name="Channels and people").click()
    await page.locator('[data-channel="hall"]').click()
    await expect(page.locator("#rail")).to_be_hidden()
    await expect(page.locator("#channel-name")).to_have_text("hall")
    assert "rgb(23, 27, 28)" == await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await asyncio.wait_for(page.screenshot(path=tmp_path / "phone.png"), 10)
