"""Foreign text is inert; times, durations and people read well."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Actor
from bot.views.text import by, clean, code, cut, escape, foreign, inert, link, plain, quote, span, stop, utc, when, who, words
from tests.generated import HOSTILE
from tests.views.message_checks import tricky

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_foreign_markup_is_escaped() -> None:
    """A status page's mentions and links are shown as text."""
    assert "&lt;!channel&gt; &lt;https://evil|ok&gt; a &amp; b" == escape("<!channel> <https://evil|ok> a & b")


def test_foreign_code_fence_is_broken() -> None:
    """An unclosed fence must not swallow the text after it."""
    assert "ˋˋˋx" == escape("```x")


def test_hidden_characters_are_removed() -> None:
    """NUL, direction overrides, zero-width characters and lone surrogates vanish; piles of accents are cut."""
    assert "png.exe" == clean("\u202epng\u200b.\x00e\ud800xe")
    assert 5 == len(clean("e" + "\u0301" * 50))


def test_pasted_token_is_hidden() -> None:
    """Secrets never reach Slack, whoever wrote them."""
    assert "key [secret] here" == foreign("key sk-ant-0123456789abcdef here")


def test_newlines_collapse_in_one_line_texts() -> None:
    """A title is one line."""
    assert "a b c" == plain(" a\r\nb\u2028c ")


def test_quote_keeps_paragraphs() -> None:
    """Each line is quoted; blank lines are dropped."""
    assert "> a\n> b &lt;!here&gt;" == quote("a\n\n  b   <!here>\n")


def test_channel_reference_survives_in_our_own_sentences() -> None:
    """`<#C1>` in a reason keeps working; a mention does not."""
    assert "<#C0INC7> takes no more posts, &lt;@U1&gt; &lt;!here&gt;" == inert("<#C0INC7|x> takes no more posts, <@U1> <!here>")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("5* *hotel*", "5∗ ∗hotel∗"),
        ("_now_ and ~gone~", "ˍnowˍ and ∼gone∼"),
        ("run `ls`", "run ˋlsˋ"),
        (":fire: :+1: :100:", "∶fire: ∶+1: ∶100:"),
        ("snake_case a~b at 12:30:45, https://a.example:80/x", "snake_case a~b at 12:30:45, https://a.example:80/x"),
    ],
)
def test_foreign_formatting_is_replaced_by_lookalikes(written: str, shown: str) -> None:
    """Formatting marks and emoji names look the same without effect; names, times and addresses can be copied."""
    assert shown == foreign(written)


def test_backticks_cannot_end_code_formatting() -> None:
    """A flag's key stays inside its code style."""
    assert "`aˋbˋ`" == code("a`b`")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://x", "https://a b", "https://x>|<!here>", "", "https://" + "x" * 3000]
)
def test_only_web_addresses_become_links(url: str) -> None:
    """Any other address is shown as its label."""
    assert "the page" == link(url, "the page")


def test_pipe_in_a_link_cannot_end_it() -> None:
    """Neither in the address nor in the label."""
    assert "<https://a.example/?x=1&amp;y=%7C|a/b &gt;>" == link("https://a.example/?x=1&y=|", "a|b >")


def test_times_are_slack_tokens_with_utc_as_fallback() -> None:
    """Each reader's own zone, and UTC in clients that cannot show it."""
    assert "<!date^1795176000^{date_short_pretty} {time}|2026-11-20 12:00 UTC>" == when(NOON)


def test_utc_time_names_the_day_only_if_it_is_not_today() -> None:
    """Notifications are short."""
    assert "12:00 UTC" == utc(NOON, NOON + timedelta(hours=3))
    assert "2026-11-20 12:00 UTC" == utc(NOON, NOON + timedelta(days=1))


@pytest.mark.parametrize(
    ("seconds", "words_"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (41 * 60, "41 min"),
        (4 * 3600 + 120, "4 h 02 min"),
        (51 * 3600, "2 d 03 h"),
        (-180, "-3 min"),
        (44 * 60 + 57, "45 min"),
        (59 * 60 + 31, "1 h"),
        (24 * 3600 - 20, "1 d"),
        (59.6, "1 min"),
    ],
)
def test_durations_have_at_most_two_units(seconds: float, words_: str) -> None:
    """The two largest are enough."""
    assert words_ == span(timedelta(seconds=seconds))


def test_only_people_with_a_slack_id_are_mentioned() -> None:
    """A login that looks like a Slack id is not."""
    assert "<@U0ANA>" == who(Actor.person("U0ANA", "ana"))
    assert "U0ANA" == who(Actor.operator("U0ANA"))
    assert "by the rule “&lt;!here&gt;”" == by(Actor.rule("<!here>"))


def test_long_lists_end_with_a_count() -> None:
    """Nobody reads ten names."""
    assert "" == words([])
    assert "a" == words(["a"])
    assert "a and b" == words(["a", "b"])
    assert "a, b and 3 more" == words(list("abcde"), most=3)


def test_sentence_gets_exactly_one_full_stop() -> None:
    """Foreign text may already end in one."""
    assert "a." == stop("a")
    assert "a." == stop("a.")
    assert "a…" == stop("a…")


@given(HOSTILE, st.integers(min_value=1, max_value=40))
def test_foreign_words_are_always_inert(text: str, limit: int) -> None:
    """No angle bracket, bare ampersand or hidden character; one line, within the limit once unescaped."""
    made = foreign(text, limit)

    assert "<" not in made and ">" not in made and "\n" not in made
    assert "" == re.sub(r"&(?:amp|lt|gt);|[^&]", "", made)
    assert not any(map(tricky, made))
    assert len(made.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= limit


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_cut_never_exceeds_its_limit(text: str, limit: int) -> None:
    """A text that fits is unchanged."""
    made = cut(text, limit)

    assert len(made) <= limit
    assert made == text or made.endswith("…")


@pytest.mark.parametrize(
    ("text", "limit", "made"),
    [
        ("HTTP 502 after 40 ms: a gateway", 27, "HTTP 502 after 40 ms: a…"),
        ("HTTP 502 after 40 ms: a gateway", 24, "HTTP 502 after 40 ms: a…"),
        ("first line\nsecond", 14, "first line…"),
        ("x" * 100, 30, "x" * 29 + "…"),
        ("a " + "x" * 100, 60, "a " + "x" * 57 + "…"),
    ],
)
def test_cut_keeps_words_whole_unless_they_are_absurdly_long(text: str, limit: int, made: str) -> None:
    """`a gate…` makes people guess; a blob of a thousand characters must not eat the whole text."""
    assert made == cut(text, limit)
