"""Channel names: whatever a title contains, Slack accepts the name."""

import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.decide.channel_names import MOST_CHARS, SLUG_CHARS, channel_name, slug

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
TEMPLATE = "inc-{date}-{number}-{slug}"

# Slack: "lowercase letters, numbers, hyphens and underscores, at most 80 characters" (conversations.create, invalid_name*).
SLACK_TAKES = re.compile(r"[a-z0-9_-]{1,80}")

ANY_TITLE = st.text(st.characters(exclude_categories=()), max_size=200)  # NUL and lone surrogates included


def named(title: str, *, template: str = TEMPLATE, number: int = 7, attempt: int = 1) -> str:
    return channel_name(template, number, title, AT, attempt)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Claude API is down!", "claude-api-is-down"),
        ("  claude.ai: 502/503 ", "claude-ai-502-503"),
        ("Crème brûlée à la carte", "creme-brulee-a-la-carte"),
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full-width"),
        ("_under_score_", "under-score"),
        ("🔥🔥🔥", "incident"),
        ("🔥 API 🔥 down", "api-down"),
        ("Клод не отвечает", "incident"),
        ("クロード API 障害", "api"),
        ("", "incident"),
        ("---", "incident"),
        ("\x00\n\t", "incident"),
        ("\ud800 half", "half"),
        ("<!channel> <@U123>", "channel-u123"),
        ("{number} {slug.__class__}", "number-slug-class"),
    ],
)
def test_slug_keeps_the_plain_words_of_the_title(title: str, expected: str) -> None:
    """Accents are removed, letters without a plain form dropped, and something always remains."""
    assert expected == slug(title)


def test_slug_of_a_long_title_is_cut() -> None:
    """Without a dash at the end."""
    assert "a" * SLUG_CHARS == slug("a" * 40_000)
    assert "word-" * 7 + "word" == slug("word " * 8_000)


def test_dropped_characters_take_no_space_in_the_slug() -> None:
    """What is dropped takes no room."""
    assert "a" * SLUG_CHARS == slug("!!" + "a" * 50)


@pytest.mark.parametrize("fill", ["a", "ab ", "🔥", "é", "ﷺ", "\u0301"], ids=ascii)
def test_name_for_a_title_of_40000_characters_is_accepted(fill: str) -> None:
    """As much as a slash command can carry."""
    title = (fill * 40_000)[:40_000]

    assert SLACK_TAKES.fullmatch(named(title))


def test_name_contains_day_number_and_words() -> None:
    """So that people find it in the list of channels."""
    assert "inc-20260320-0007-claude-api-down" == named("Claude API down")
    assert "inc-20260320-12345-claude-api-down" == named("Claude API down", number=12345)
    assert "inc-20260320-0007-incident" == named("🔥")


def test_name_gets_a_number_if_the_plain_one_is_taken() -> None:
    """Each further attempt uses another name."""
    names = [named("Claude API down", attempt=n) for n in range(1, 13)]

    assert ["inc-20260320-0007-claude-api-down", "inc-20260320-0007-claude-api-down-2"] == names[:2]
    assert names[-1].endswith("-down-12")
    assert len(names) == len(set(names))


@pytest.mark.parametrize("attempt", [1, 2, 10, 1000])
def test_cut_name_keeps_the_number_of_its_attempt(attempt: int) -> None:
    """The words are cut instead."""
    name = named("a" * 500, template="x" * 70 + "-{number}-{slug}", attempt=attempt)

    assert len(name) <= MOST_CHARS
    assert SLACK_TAKES.fullmatch(name)
    assert 1 == attempt or name.endswith(f"-{attempt}")


def test_cut_name_has_no_double_dash() -> None:
    """The dash before the cut gives way to that of the attempt."""
    assert "x" * 72 + "-0007-2" == named("API", template="x" * 72 + "-{number}-{slug}", attempt=2)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("INC {number}", "inc-0007"),
        ("ops.{number}.{slug}", "ops-0007-api"),
        ("--{number}--", "0007"),
        ("störung-{number}", "st-rung-0007"),
        ("inc_{number}_{slug}", "inc_0007_api"),
    ],
)
def test_template_is_adapted_to_slacks_rules(template: str, expected: str) -> None:
    """Capitals, dots, spaces and accented letters in the configuration."""
    assert expected == named("API", template=template)


@given(ANY_TITLE, st.integers(1, 10**9), st.integers(1, 10**4))
@example("a" * 40_000, 10**9, 10**4)
@example("-" * 100, 1, 2)
@settings(deadline=None)
def test_every_title_gives_an_accepted_name(title: str, number: int, attempt: int) -> None:
    """For any number and attempt; equal arguments give equal names."""
    name = named(title, number=number, attempt=attempt)

    assert SLACK_TAKES.fullmatch(name)
    assert name.isascii()
    assert not name.startswith("-")
    assert not name.endswith("-")
    assert "--" not in name
    assert name == named(title, number=number, attempt=attempt)


@given(ANY_TITLE)
@settings(deadline=None)
def test_two_unicode_forms_of_a_title_give_one_name(title: str) -> None:
    """A phone and a laptop encode the same letters differently."""
    assert slug(unicodedata.normalize("NFC", title)) == slug(unicodedata.normalize("NFD", title))
