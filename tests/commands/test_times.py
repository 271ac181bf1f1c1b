"""Reading a start time from what people type. Now is Friday 2026-03-20, 16:10 in Berlin (15:10 UTC)."""

from datetime import UTC, datetime

import pytest

from commands.parsing.parse import Misunderstood
from commands.parsing.times import NoTime, read, spoken, taken_from, zone_of

NOW = datetime(2026, 3, 20, 15, 10, tzinfo=UTC)
BERLIN = zone_of("Europe/Berlin")

TITLES = [
    ("claude was down from 14:00 to 15:30 yesterday", "claude was down", "19 13:00", "19 14:30"),
    ("claude was down yesterday from 14:00 to 15:30", "claude was down", "19 13:00", "19 14:30"),
    ("claude is slow since 14:00", "claude is slow", "20 13:00", ""),
    ("claude is slow since 14:00, nobody knows why", "claude is slow, nobody knows why", "20 13:00", ""),
    ("Since 14:00 claude is slow", "claude is slow", "20 13:00", ""),
    ("timeouts since 14:00 in eu", "timeouts in eu", "20 13:00", ""),
    ("claude is slow since 14:00 UTC", "claude is slow", "20 14:00", ""),
    ("claude is slow since 14:00Z", "claude is slow", "20 14:00", ""),
    ("claude went down at 2pm", "claude went down", "20 13:00", ""),
    ("claude went down at 2:30 PM.", "claude went down", "20 13:30", ""),
    ("claude was down between 9am and 10:15am", "claude was down", "20 08:00", "20 09:15"),
    ("it hung from 2026-03-18 23:30 to 00:30", "it hung", "18 22:30", "18 23:30"),
    ("it hung from 2026-03-18T23:30 to 2026-03-19T01:00", "it hung", "18 22:30", "19 00:00"),
    ("it hung on monday from 10:00 - 11:00", "it hung", "16 09:00", "16 10:00"),
    ("it hung since friday 10:00", "it hung", "20 09:00", ""),
    ("it hung from 10:00 on last friday", "it hung", "13 09:00", ""),
    ("it hangs since 30 min ago", "it hangs", "20 14:40", ""),
    ("it hangs since 2h ago", "it hangs", "20 13:10", ""),
    ("it hung yesterday 14:00", "it hung", "19 13:00", ""),
    ("it hung 2:30 pm yesterday", "it hung", "19 13:30", ""),
    ("it began to hang 20 min ago.", "it began to hang", "20 14:50", ""),
    ("since 15:00", "", "20 14:00", ""),
    ("支付 since 15:00", "支付", "20 14:00", ""),
    ("claude was down 10:00-11:00", "claude was down", "20 09:00", "20 10:00"),
    ("10:00–11:00 claude was down", "claude was down", "20 09:00", "20 10:00"),
    ("claude was down yesterday 10:00-11:00", "claude was down", "19 09:00", "19 10:00"),
    ("claude was down 10am to 11am", "claude was down", "20 09:00", "20 10:00"),
    ("claude was down from 10 to 11 yesterday", "claude was down", "19 09:00", "19 10:00"),
    ("claude is slow since 11.30", "claude is slow", "20 10:30", ""),
    ("claude is slow since about 11:30", "claude is slow", "20 10:30", ""),
    ("claude is slow since noon", "claude is slow", "20 11:00", ""),
    ("since midnight claude is slow", "claude is slow", "19 23:00", ""),
    ("claude is slow since noon UTC", "claude is slow", "20 12:00", ""),
    ("claude was down from noon to 14:00", "claude was down", "20 11:00", "20 13:00"),
    ("claude is slow since 30 min", "claude is slow", "20 14:40", ""),
    ("claude is slow for the last 2 hours", "claude is slow", "20 13:10", ""),
    ("claude is slow since an hour ago", "claude is slow", "20 14:10", ""),
    ("it broke half an hour ago", "it broke", "20 14:40", ""),
]


def shown(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%d %H:%M}" if at else ""


@pytest.mark.parametrize(("text", "title", "began", "ended"), TITLES)
def test_start_time_is_taken_out_of_the_title(text: str, title: str, began: str, ended: str) -> None:
    """The rest is the title."""
    left, span = taken_from(text, NOW, BERLIN)

    assert (title, began, ended) == (left, shown(span.began_at), shown(span.ended_at))


@pytest.mark.parametrize(
    "text",
    [
        "claude is down",
        "3 of 5 since the deploy",
        "jobs from 02:00 fail",
        "since 14 errors",
        "at 99 % load",
        "v1:30 since",
        "expires 2026-03-25 10:00",
        "since this morning's deploy",
        "yesterday's export is empty",
        "reports of last week fail",
        "cannot open files from yesterday",
        "jobs at 10:00 and 11:00 fail",
        "errors since 1.25.3",
        "up from 2 to 20 %",
        "error rate at 12.50",
        "midnight jobs fail",
    ],
)
def test_words_that_are_no_time_stay_in_the_title(text: str) -> None:
    """A number is no time of day."""
    left, span = taken_from(text, NOW, BERLIN)

    assert (text, None) == (left, span.began_at)


@pytest.mark.parametrize(
    ("text", "said", "title"),
    [
        ("claude is slow since yesterday", "since yesterday", "claude is slow"),
        ("since this morning claude is slow", "since this morning", "claude is slow"),
        ("claude is slow since last night", "since last night", "claude is slow"),
        ("claude is slow since yesterday evening", "since yesterday evening", "claude is slow"),
        ("claude is slow since monday", "since monday", "claude is slow"),
        ("claude is slow since 11", "since 11", "claude is slow"),
        ("claude was down from 10 to 11", "from 10 to 11", "claude was down"),
        ("claude was down from 10 to 11:30", "from 10 to 11:30", "claude was down"),
        ("claude was down last night.", "last night", "claude was down"),
        ("yesterday claude was down", "yesterday", "claude was down"),
        ("the 10:00-11:00 batch hangs", "10:00-11:00", "the batch hangs"),
        ("claude is slow since 25:00", "since 25:00", "claude is slow"),
    ],
)
def test_unreadable_start_time_is_asked_about(text: str, said: str, title: str) -> None:
    """A person who gives a start time does not mean now."""
    with pytest.raises(NoTime, match="Write `") as caught:
        taken_from(text, NOW, BERLIN)

    assert (said, title) == (caught.value.said, caught.value.title)


@pytest.mark.parametrize("text", ["14:00", "yesterday 14:00 to 15:30", "15:55 to 16:05", "2 days ago", "17:00"])
def test_formatted_time_is_read_back_unchanged(text: str) -> None:
    """A form holds it as text until it is submitted."""
    span = read(text, NOW, BERLIN)

    assert span == read(spoken(span, NOW, BERLIN), NOW, BERLIN)


def test_late_time_typed_after_midnight_is_yesterdays() -> None:
    """At a quarter past midnight, 23:30 is 45 minutes ago."""
    _, span = taken_from("it hangs since 23:30", datetime(2026, 3, 19, 23, 15, tzinfo=UTC), BERLIN)

    assert "19 22:30" == shown(span.began_at)


def test_later_time_today_is_not_taken_for_yesterday() -> None:
    """At 16:10 nobody means yesterday by 17:00; the rules refuse it as future."""
    _, span = taken_from("it hangs since 17:00", NOW, BERLIN)

    assert "20 16:00" == shown(span.began_at)


@pytest.mark.parametrize(
    ("text", "began", "ended"),
    [
        ("14:00", "20 13:00", ""),
        ("yesterday 14:00 to 15:30", "19 13:00", "19 14:30"),
        (" since 14:00 UTC ", "20 14:00", ""),
        ("10 to 11", "20 09:00", "20 10:00"),
        ("11.30", "20 10:30", ""),
        ("noon", "20 11:00", ""),
        ("for 30 min", "20 14:40", ""),
        ("", "", ""),
    ],
)
def test_form_field_needs_no_word_before_the_time(text: str, began: str, ended: str) -> None:
    """The field itself asks for the time."""
    span = read(text, NOW, BERLIN)

    assert (began, ended) == (shown(span.began_at), shown(span.ended_at))


@pytest.mark.parametrize("text", ["soon", "25:00", "14:61", "13 pm", "2026-02-30 14:00", "x" * 3000, "14:00 to", "::::"])
def test_text_that_is_no_time_is_refused_with_examples(text: str) -> None:
    """Quickly, however long it is."""
    with pytest.raises(Misunderstood, match="Write `14:00`"):
        read(text, NOW, BERLIN)


def test_unknown_time_zone_counts_as_utc() -> None:
    """Whatever Slack sends."""
    assert [UTC] * 4 == [zone_of(name) for name in ("", "Mars/Olympus", "../../etc/passwd", "x" * 999)]
