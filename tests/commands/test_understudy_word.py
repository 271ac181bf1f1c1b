"""`/understudy`: mutes, reports, planned maintenance and the bot's own state, from command to reply."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.core import signals as s
from bot.core.maintenance_windows import Recurrence, Window
from bot.core.model import Actor, Fault, FeedReport, FeedState, Level, Notice, Verdict
from bot.core.policy import ComponentPolicy, Policy
from bot.engine.engine import CommittingEngine
from bot.flags.board import FlagBoard
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.views.about import About
from bot.views.text import spoken
from commands.desk import CommandContext, Request
from commands.parsing.parse import Misunderstood
from commands.understudy import component_first, understudy
from tests.desk import ANA, RULE, policy

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


class Typing:
    """Ana and her commands; `types` returns what only she is shown: the notification and every text of the blocks."""

    def __init__(self, policy_: Policy, about: About | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.ledger = InlineLedger.open()
        self.engine = CommittingEngine(self.ledger, self.clock, policy_)
        self.desk = CommandContext(self.engine, self.ledger, InlineSamples.open(), FlagBoard(self.clock), self.clock)
        if about:

            async def told() -> About:
                return about

            self.desk = replace(self.desk, about=told)
        self.blocks: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    async def types(self, text: str, word: str = "/understudy") -> str:
        said: list[str] = []

        async def respond(*, text: str, blocks: Any = (), **_: Any) -> None:
            said.append(text)
            self.blocks = list(blocks)
            for block in blocks:
                said.extend(one["text"] for one in (block.get("text"), *block.get("elements", ())) if one)

        await understudy(self.desk, Request(ANA, "C0OPS", f"test/{next(self._ids)}", text, word), respond)
        return "\n".join(said)


@pytest.fixture
async def ana() -> AsyncIterator[Typing]:
    typing = Typing(policy(automation="off"))
    await typing.engine.load()
    yield typing


async def test_mute_reply_gives_end_reason_and_undo(ana: Typing) -> None:
    """The end is also in the reader's own time, and the undo can be copied."""
    seen = await ana.types("mute Claude API for 2h load test of ours")

    assert "Alerts about Claude API are held back until 2026-03-20 14:00 UTC" in spoken(seen)
    assert f"Until <!date^{int(NOW.timestamp()) + 7200}^" in seen
    assert "Undo: `/understudy unmute anthropic.api`" in seen
    mute = ana.engine.world.component("anthropic.api").mute
    assert mute is not None
    assert NOW + timedelta(hours=2) == mute.until
    assert ANA == mute.by
    assert "load test of ours" == mute.reason


async def test_mute_works_without_for(ana: Typing) -> None:
    """People leave it out; with a prefixed manifest the reply uses the prefixed command."""
    seen = await ana.types("mute anthropic.web 30m", "/us-understudy")

    assert "Undo: `/us-understudy unmute anthropic.web`" in seen


async def test_ending_a_mute_reports_what_fails(ana: Typing) -> None:
    """A mute must not hide a failure for good."""
    await ana.types("mute openai for 2h")
    level = s.VerdictReached(actor=RULE, verdict=_down("openai.api"))
    await ana.engine.handle(level)
    assert () == ana.engine.world.open_incidents()
    assert "Alerts about OpenAI API are on again." == await ana.types("unmute openai")

    assert ["openai.api"] == list(ana.engine.world.open_incidents()[0].affected)


async def test_report_is_recorded_and_answered_with_what_checks_see(ana: Typing) -> None:
    """The reporter learns at once whether the bot sees the failure."""
    seen = await ana.types("report claude api: answers stop half-way <!channel>")

    assert "Noted. Our checks say: Claude API is unknown" in seen
    [report] = ana.engine.world.component("anthropic.api").reports
    assert "answers stop half-way <!channel>" == report.text


@pytest.mark.parametrize(
    ("typed", "answered"),
    [
        ("mute", "Which component? Known: `anthropic.api`, `anthropic.web`, `anthropic.mobile`, `openai.api`."),
        ("mute cluade api for 1h", "No component is called `cluade api for 1h`. Did you mean `claude api`? Known:"),
        ("mute anthropic.ap 1h", "Did you mean `anthropic.api`?"),
        ("mute claude for 1h", "Which one? `claude` may be `anthropic.api` (Claude API), `anthropic.web` (claude.ai),"),
        ("mute claude api", "For how long? Write `/understudy mute anthropic.api for 2h REASON`."),
        ("mute claude api for", "For how long?"),
        ("mute claude api for ever", "`ever` is not a duration. Write `30m`, `2h` or `1d`."),
        ("mute claude api load test", "`load` is not a duration."),
        ("mute claude api for 25h", "A mute lasts at most 24 hours here (mutes.longest in the configuration)."),
        ("mute claude api for 0m", "`0m` is not a duration."),
        ("unmute claude api", "Claude API is not muted."),
        ("unmute claude api now", "`now` does not belong there: write `/understudy unmute anthropic.api`."),
        ("unmute nothing-like-it", "No component is called `nothing-like-it`. Known:"),
        ("report claude api", "A report needs words"),
        ("report <!everyone> " + "x" * 3000, "No component is called"),
        ("mtue claude api for 1h", "`/understudy mtue` is not known. Did you mean `mute`? `/understudy help` shows what is."),
    ],
)
async def test_mistyped_command_is_answered_with_what_to_type(ana: Typing, typed: str, answered: str) -> None:
    """Nothing changes, and the reply names the nearest command or the missing word."""
    seen = await ana.types(typed)

    assert answered in seen
    assert "<!everyone>" not in seen
    assert [] == await ana.ledger.read(lambda store: store.all_facts())


@pytest.mark.parametrize("typed", ["", "help", "  "])
async def test_help_has_an_example_for_each_verb(ana: Typing, typed: str) -> None:
    """With the command's name in this workspace."""
    seen = await ana.types(typed, "/us-understudy")

    for verb in ("mute COMPONENT for 1h", "unmute COMPONENT", "report COMPONENT TEXT", "maintenance", "about"):
        assert f"`/us-understudy {verb}" in seen


async def test_planned_maintenance_is_listed(ana: Typing) -> None:
    """Our own windows now and later, the vendors' announcements, and mutes; past ones are left out."""
    berlin = Recurrence(time(2, 30), timedelta(hours=1), frozenset({5, 6}), ZoneInfo("Europe/Berlin"))
    ana.engine.policy = replace(
        ana.engine.policy,
        maintenance=(
            Window(("anthropic.api",), NOW - timedelta(hours=1), NOW + timedelta(hours=1), None, "moving the proxy"),
            Window(("openai",), NOW + timedelta(days=1), NOW + timedelta(days=1, hours=2)),
            Window((), None, None, berlin, "backups <!here>"),
            Window((), NOW - timedelta(days=2), NOW - timedelta(days=1), None, "over"),
        ),
    )
    notice = Notice(
        provider="anthropic", id="m1", update="u1", title="Database move <!channel>", body="", status="scheduled",
        impact="maintenance", at=NOW - timedelta(hours=3), components=("anthropic.web",), starts_at=NOW + timedelta(hours=5),
        ends_at=NOW + timedelta(hours=6),
    )  # fmt: skip
    report = FeedReport("anthropic", NOW, FeedState.FRESH, notices=(notice,), maintenance=("anthropic.mobile",))
    await ana.engine.handle(s.FeedRead(actor=Actor.vendor("anthropic"), report=report))
    await ana.types("mute openai for 90m")
    seen = await ana.types("maintenance")

    for words in (
        "Maintenance: 3 windows of our own, 2 announced, 1 muted.",
        f"• Claude API: now, until <!date^{int(NOW.timestamp()) + 3600}^",
        "moving the proxy.",
        "• all of OpenAI, from <!date^",
        "(2 h)",
        "• everything, Saturdays and Sundays at 02:30 Europe/Berlin for 1 h: backups &lt;!here&gt;.",
        "Claude's status page: Database move &lt;!channel&gt; (scheduled), from <!date^",
        ": claude.ai.",
        "Claude's status page calls Claude mobile under maintenance.",
        "• OpenAI API (`openai.api`) until <!date^",
        "by <@U0ANA>.",
    ):
        assert words in seen
    assert "over" not in seen


async def test_empty_plan_is_answered_in_words(ana: Typing) -> None:
    """An empty message would be no answer."""
    assert 3 == (await ana.types("maintenance")).count(": none")


async def test_about_describes_the_running_bot() -> None:
    """Where it runs, with which replicas, how much it checks, since when, and what is wrong."""
    it = About(
        "1.2.3", vantage="eu-1", peers=("us-1", "ap-1"), checks=12, off=1, data_bytes=12_345_678,
        since=NOW - timedelta(hours=26), troubles=("us-1 does not accept our results: it answers 401", ""),
    )  # fmt: skip
    typing = Typing(policy(), it)
    await typing.engine.load()
    seen = await typing.types("about")

    for words in (
        "Understudy 1.2.3: 1 problem.",
        "12 checks of 4 components (1 more is off), from vantage `eu-1`.",
        "Results from us-1 and ap-1 count too.",
        "Up for 1 d 02 h",
        "12.3 MB of data",
        "0 incidents on record, 0 open.",
        "*1 problem*\n• us-1 does not accept our results: it answers 401.",
    ):
        assert words in seen


async def test_about_says_if_nothing_is_wrong(ana: Typing) -> None:
    """Also if the composition root passes nothing but the version."""
    seen = await ana.types("about")

    assert "Nothing is wrong with the bot itself." in seen
    assert "join in" not in seen


def test_component_name_wins_over_a_providers() -> None:
    """A provider's name counts only if no component's does, and a name is no prefix of a longer word."""
    base = policy()
    one = ComponentPolicy("x.claude", "Claude", "x", "X Corp", {Level.DOWN: "SEV2"})
    both = replace(base, components={**base.components, one.id: one})

    assert ("x.claude", "is slow") == component_first(both, "claude is slow")
    assert ("anthropic.api", "is slow") == component_first(both, "@Claude API is slow")
    assert ("x.claude", "") == component_first(both, "x corp")
    with pytest.raises(Misunderstood, match="No component is called `claudes`"):
        component_first(both, "claudes")


def _down(id: str) -> Verdict:
    return Verdict(id, Level.DOWN, "3 of 5 checks failed", Fault.THEIRS, (), NOW)
