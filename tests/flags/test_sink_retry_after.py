"""How long a sink asks to be left alone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.flags.sinks.web import Answer, refusal, retry_after

NOON = "Fri, 20 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 30 "}, 30),
        ({"retry-after": "Fri, 20 Mar 2026 12:01:30 GMT", "date": NOON}, 90),
        ({"retry-after": "Fri, 20 Mar 2026 11:00:00 GMT", "date": NOON}, 0),
        ({"retry-after": "9" * 400}, 86_400),
        ({"retry-after": "Fri, 20 Mar 3026 12:00:00 GMT", "date": NOON}, 86_400),
    ],
)
def test_seconds_or_a_date_by_the_clock_of_whoever_answers(headers: dict[str, str], seconds: int) -> None:
    """Its clock, not ours: both may be wrong."""
    assert timedelta(seconds=seconds) == retry_after(headers)


@pytest.mark.parametrize("said", ["", "soon", "-5", "1.5", "\u0665", "Fri, 20 Mar 2026 12:01:30 GMT", "Fri, 99 Mar 2026"])
def test_what_makes_no_sense_asks_for_nothing(said: str) -> None:
    """Nor does a date without the clock that it is meant by."""
    assert None is retry_after({"retry-after": said})


def test_refusal_that_nobody_can_wait_out_asks_for_no_wait() -> None:
    """A wrong request is wrong in five minutes too."""
    wait = timedelta(seconds=300)

    assert wait == refusal(Answer(503, b"", wait)).retry_after
    assert None is refusal(Answer(400, b"", wait)).retry_after


DATES = st.builds(
    "{}, {} {} {} {}:{}:00 {}".format,
    st.sampled_from(["Fri", "Xyz"]), st.integers(0, 40), st.sampled_from(["Mar", "Feb", "Zzz"]), st.integers(0, 99_999),
    st.integers(0, 30), st.integers(0, 70), st.sampled_from(["GMT", "-0000", "+0100", "+9999", "-99999999999999", ""]),
)  # fmt: skip


@given(said=DATES | st.text(), date=DATES | st.text())
def test_whatever_it_says_is_a_wait_of_a_day_at_most_or_none(said: str, date: str) -> None:
    """It may be broken, and we go on."""
    found = retry_after({"retry-after": said, "date": date})

    assert found is None or timedelta(0) <= found <= timedelta(days=1)


def test_people_read_how_long_it_asks_to_wait() -> None:
    """Nobody wonders then why nothing is tried."""
    assert "HTTP 503, and asks to wait 300 s" == str(refusal(Answer(503, b"", timedelta(seconds=300))))


@pytest.mark.parametrize("body", [b"\n <!doctype html><title>Bad gateway</title>", b""])
def test_a_web_page_is_nothing_to_read(body: bytes) -> None:
    """A proxy's page about an error says nothing in one line."""
    assert "HTTP 502" == str(refusal(Answer(502, body)))


def test_words_that_are_nested_without_end_are_cut_as_they_are() -> None:
    """Who answers so is broken, or wants us to be."""
    assert "[" * 200 == Answer(500, b"[" * 100_000).words
