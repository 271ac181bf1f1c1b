"""What the board says to people: what is wrong first, then what stands beside it."""

import re
import threading
from collections.abc import Mapping, ValuesView
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import jinja2
from web_house import POLICY, READ, START, House, OpenHouse, board, headers, seen

from bot.core.model import Actor, FeedReport, FeedState, Level, Notice, Phase, Severity, Verdict
from bot.core.policy import ComponentPolicy
from bot.core.record.component import ComponentState
from bot.core.record.sight import Sight
from bot.core.signals import (
    Declare,
    EngageFlag,
    FeedRead,
    Mute,
    SetPhase,
    SightChanged,
    VerdictReached,
)
from bot.web.board import page, rendering
from bot.web.board.view import since

CHAT = "support-chat.llm"
ANA = Actor.operator("ana")
DETECTOR = Actor.rule("detector")


async def test_board_shows_everything_and_runs_nothing_foreign(house: House, http: aiohttp.ClientSession) -> None:
    """Foreign words stay words, times say UTC, and the page may load and run nothing but what is ours."""
    await house.verdict("anthropic.api", Level.DOWN, "<script>alert(1)</script> & more")
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason='"><img src=x>'))
    answer = await http.get(house.url + "/", headers=headers(READ))
    text = await answer.text()

    assert (200, "text/html") == (answer.status, answer.content_type)
    assert "default-src 'none'; style-src 'self'; script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert ['<script src="/board.js" defer>'] == re.findall("<script[^>]*>", text)
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text
    for words in ("Claude API", "down", "2026-03-20 12:00 UTC", "INC-1", CHAT, "100 %", "SEV2"):
        assert words in text, words
    assert 'lang="en"' in text


async def test_board_shows_what_stands_beside_the_verdicts(house: House, http: aiohttp.ClientSession) -> None:
    """Blindness on top, and with each component the advisory, the mute and why nobody is alerted; foreign words stay words."""
    assert "We are blind" not in await board(house, http)
    advised = Verdict("openai.api", Level.OPERATIONAL, "fine", advisory="haiku fails since 11:40 UTC")
    await house.engine.handle(VerdictReached(actor=DETECTOR, verdict=advised))
    await house.engine.handle(Mute(ANA, component="anthropic.api", lasts=timedelta(hours=1), reason="<b>load test"))
    await house.verdict("anthropic.api", Level.DOWN)
    await house.engine.handle(SightChanged(DETECTOR, sight=Sight(True, "both controls are unreachable", START)))
    text = await board(house, http)

    for words in (
        "<strong>We are blind</strong> since",
        ": both controls are unreachable. What cannot be reached counts as unknown",
        "<p>Advisory: haiku fails since 11:40 UTC.</p>",
        "<p>Muted until 13:00 UTC by ana, terminal or API (&lt;b&gt;load test).</p>",
        "<p>Its alert is held back: we are blind: both controls are unreachable.</p>",
    ):
        assert words in text, words


async def test_board_begins_with_what_is_wrong(house: House, http: aiohttp.ClientSession) -> None:
    """A sentence for who looks once, also as the name of the page; it goes on by itself without the script."""
    await house.verdict("anthropic.api", Level.DOWN)
    text = await board(house, http)

    assert text.index("<strong>Claude API is down.</strong>") < text.index('id="components"')
    assert "<title>Claude API is down · Understudy</title>" in text
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in text


async def test_board_says_whose_fault_it_is_and_whether_customers_are_served(house: House, http: aiohttp.ClientSession) -> None:
    """Before anything else; and who is at it, with a way to the timeline."""
    await house.verdict("anthropic.api", Level.DOWN)
    before = seen(await board(house, http))
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="down"))
    after = await board(house, http)

    assert "It's Claude, not us. Support chat is failing. A switch to gpt waits for your yes." in before
    assert "It's Claude, not us. Support chat is served by gpt." in seen(after)
    assert 'href="/?incident=1">INC-1</a>' in after
    assert "nobody has acknowledged it · next update by 13:00 UTC" in after


async def test_board_says_what_is_wrong_once(house: House, http: aiohttp.ClientSession) -> None:
    """An incident that a headline leads to is in no other list, and of a component that fails alone it has said since when."""
    await house.verdict("anthropic.api", Level.DOWN)
    text = await board(house, http)

    assert 1 == text.count('href="/?incident=1"')
    assert 1 == text.count('<time datetime="2026-03-20T12:00:00+00:00">') - text.count("As of <time")


async def test_board_says_since_when_by_the_evidence(house: House, http: aiohttp.ClientSession) -> None:
    """Not since it was written down; of two that fail each has its own time, and the headline the earlier one."""
    named = {id: replace(one, provider="anthropic", provider_name="Claude") for id, one in POLICY.components.items()}
    house.engine.policy = replace(POLICY, components=named)
    for id, minutes in (("anthropic.api", 2), ("openai.api", 7)):
        verdict = Verdict(id, Level.DOWN, "HTTP 500", began_at=START - timedelta(minutes=minutes))
        await house.engine.handle(VerdictReached(actor=DETECTOR, verdict=verdict))
    text = seen(await board(house, http))

    assert "Since 2026-03-20 11:53 UTC (7 min)." in text
    assert "Claude API down since 2026-03-20 11:58 UTC" in text
    assert "OpenAI API down since 2026-03-20 11:53 UTC" in text


def test_board_says_since_when_it_was_written_down_where_no_evidence_says_more() -> None:
    """As an old ledger has it."""
    assert START == since(ComponentState("openai.api", Level.DOWN, since=START))


async def test_a_providers_worst_component_is_its_first(house: House, http: aiohttp.ClientSession) -> None:
    """Whatever the order of the configuration is."""
    named = {id: replace(one, provider="anthropic", provider_name="Claude") for id, one in POLICY.components.items()}
    house.engine.policy = replace(POLICY, components=named)
    await house.verdict("openai.api", Level.DOWN)
    text = await board(house, http)

    assert text.index("<h4>OpenAI API</h4>") < text.index("<h4>Claude API</h4>")


async def test_board_names_the_worst_first_with_its_provider_where_need_be(house: House, http: aiohttp.ClientSession) -> None:
    """A component's name is its key where none is given, so two vendors may each have an `api`."""
    named = {id: replace(one, name="api") for id, one in POLICY.components.items()}
    house.engine.policy = replace(POLICY, components=named)
    await house.verdict("anthropic.api", Level.DEGRADED)
    await house.verdict("openai.api", Level.DOWN)
    text = await board(house, http)

    assert text.index("OpenAI api is down.") < text.index("Claude api is degraded.")
    assert text.index("<h3>OpenAI</h3>") < text.index("<h3>Claude</h3>")


async def test_board_counts_what_is_well_beside_what_nobody_knows(house: House, http: aiohttp.ClientSession) -> None:
    """As a component whose checks are off."""
    await house.verdict("openai.api", Level.UNKNOWN)
    one = await board(house, http)
    await house.verdict("anthropic.api", Level.UNKNOWN)
    none = await board(house, http)

    assert "1 of 2 components is operational. Nothing is known of OpenAI API." in one
    assert "<strong>Nothing is known of any component yet.</strong>" in none


async def test_board_says_how_the_others_are_beside_what_is_wrong(house: House, http: aiohttp.ClientSession) -> None:
    """One look answers whether it is all of it."""
    await house.verdict("anthropic.api", Level.DOWN)

    assert "1 other component is operational." in await board(house, http)


async def test_board_names_no_rule(house: House, http: aiohttp.ClientSession) -> None:
    """A rule has no name that anybody outside knows."""
    await house.verdict("anthropic.api", Level.DOWN)

    assert "detector" not in await board(house, http)


async def test_board_says_so_when_nothing_is_known_yet(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """Before the state is restored the page says that it may be old."""
    house = await open_house(restored=False, open_to_loopback=True)

    assert "still being restored" in await board(house, http)
    assert 503 == (await http.get(f"{house.url}/?incident=1")).status


async def test_board_without_components_says_where_they_are_set(house: House, http: aiohttp.ClientSession) -> None:
    """Whoever just installed it has nothing yet, and is not told that all is well."""
    house.engine.policy = replace(POLICY, components={}, flags={})
    text = seen(await board(house, http))

    assert "No components are configured. Providers stand under providers: in the configuration." in text
    assert "operational" not in text


async def test_board_with_one_component_does_not_count(house: House, http: aiohttp.ClientSession) -> None:
    """`All 1 components are operational` is no English."""
    house.engine.policy = replace(POLICY, components={"openai.api": POLICY.components["openai.api"]}, flags={})

    assert "The only component is operational." in await board(house, http)


async def test_a_hostile_name_is_cut_and_does_not_turn_the_line(house: House, http: aiohttp.ClientSession) -> None:
    """Neither marks nor characters that write from right to left, nor a page full of one name."""
    name = "<b>\u202e" + "W" * 5000
    one = ComponentPolicy("openai.api", name, "openai", "OpenAI", {})
    house.engine.policy = replace(POLICY, components={"openai.api": one}, flags={})
    await house.verdict("openai.api", Level.DOWN)
    text = await board(house, http)

    assert "&lt;b&gt;WWW" in text
    assert "\u202e" not in text
    assert "W" * 121 not in text


async def test_board_has_the_vendors_own_words_beside_ours(house: House, http: aiohttp.ClientSession) -> None:
    """Quoted, with its page; words of others stay words."""
    url = "https://status.example.com/"
    named = {id: replace(one, page_url=url) for id, one in POLICY.components.items() if id == "anthropic.api"}
    house.engine.policy = replace(POLICY, components=named)
    calm = FeedReport("anthropic", START, FeedState.FRESH, page="p")
    await house.engine.handle(FeedRead(actor=Actor.vendor("anthropic"), report=calm))
    before = seen(await board(house, http))
    notice = Notice("anthropic", "1", "u1", "Elevated errors", "We <b>look</b> into it", "investigating", "major", START)
    report = FeedReport("anthropic", START, FeedState.FRESH, notices=(notice,), page="p")
    await house.engine.handle(FeedRead(actor=Actor.vendor("anthropic"), report=report))
    after = await board(house, http)

    assert "Claude's status page shows no problem." in before
    assert "“Elevated errors” (investigating, 2026-03-20 12:00 UTC): We &lt;b&gt;look&lt;/b&gt; into it." in after
    assert f'<a href="{url}" rel="noreferrer">' in after


async def test_board_names_who_reads_a_flag(house: House, http: aiohttp.ClientSession) -> None:
    """As they call themselves; nobody is also an answer."""
    for name in ("checkout", "<i>web"):
        asks = {"context": {"targetingKey": name}}
        await http.post(f"{house.url}/ofrep/v1/evaluate/flags/{CHAT}", headers=headers(READ), json=asks)
    text = await board(house, http)

    assert re.search("Read by (checkout, &lt;i&gt;web|&lt;i&gt;web, checkout)<", text)
    assert "Nobody reads it" in text


async def test_board_counts_readers_that_are_many(house: House, http: aiohttp.ClientSession) -> None:
    """Instead of a page of names."""
    for number in range(page.MOST_READERS + 1):
        asks = {"context": {"targetingKey": f"pod-{number}"}}
        await http.post(f"{house.url}/ofrep/v1/evaluate/flags/{CHAT}", headers=headers(READ), json=asks)
    text = await board(house, http)

    assert "13 readers" in text
    assert "pod-1" not in text


async def test_board_has_incidents_of_people_and_those_that_are_over(house: House, http: aiohttp.ClientSession) -> None:
    """What is open is above; what is over is below with how long it took. Each leads to its timeline."""
    await house.engine.handle(Declare(ANA, title="Checkout is slow"))
    await house.engine.handle(Declare(ANA, title="Search is slow", severity=Severity.SEV3))
    house.clock.advance(timedelta(minutes=41))
    await house.engine.handle(SetPhase(ANA, incident=1, phase=Phase.RESOLVED))
    text = await board(house, http)
    now, past = text.split('id="past"')

    assert 'href="/?incident=2">INC-2: Search is slow</a>' in now
    assert 'href="/?incident=1">INC-1: Checkout is slow</a>' in past
    assert "SEV2 · 2026-03-20 12:00 UTC · 41 min · resolved" in past


class NotesThread(dict[str, ComponentPolicy]):
    """Components that know on which thread they were gone through."""

    def __init__(self, components: Mapping[str, ComponentPolicy]) -> None:
        super().__init__(components)
        self.asked_on: set[int] = set()

    def values(self) -> ValuesView[ComponentPolicy]:  # type: ignore[override] # what is iterated over is the same
        self.asked_on.add(threading.get_ident())
        return super().values()


async def test_the_board_is_made_beside_the_loop(house: House, http: aiohttp.ClientSession) -> None:
    """Of hundreds of components it takes a fifth of a second, in which checks start and flags are read."""
    components = NotesThread(POLICY.components)
    house.engine.policy = replace(POLICY, components=components)
    await board(house, http)

    assert components.asked_on
    assert threading.get_ident() not in components.asked_on


class NotesLoads(jinja2.BaseLoader):
    """The pages' templates, and on which threads they are loaded: compiled too, as the one follows the other."""

    def __init__(self, loader: jinja2.BaseLoader) -> None:
        self.loader = loader
        self.loaded_on: dict[str, int] = {}

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        self.loaded_on[template] = threading.get_ident()
        return self.loader.get_source(environment, template)


async def test_the_first_board_holds_up_nobody(house: House, http: aiohttp.ClientSession) -> None:
    """Its templates are loaded and compiled then."""
    rendering.templates.cache_clear()
    templates = rendering.templates()
    assert templates.loader
    templates.loader = loads = NotesLoads(templates.loader)
    await board(house, http)
    rendering.templates.cache_clear()

    assert {"base.html", "board.html"} <= set(loads.loaded_on)
    assert threading.get_ident() not in loads.loaded_on.values()
