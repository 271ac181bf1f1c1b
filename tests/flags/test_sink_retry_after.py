"""Retry-After of a sink: how long to wait before the next try."""

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
def test_retry_after_is_seconds_or_a_date_by_the_sinks_clock(headers: dict[str, str], seconds: int) -> None:
    """The sink's Date header counts, not our clock: both clocks may be wrong."""
    assert timedelta(seconds=seconds) == retry_after(headers)


@pytest.mark.parametrize("said", ["", "soon", "-5", "1.5", "\u0665", "Fri, 20 Mar 2026 12:01:30 GMT", "Fri, 99 Mar 2026"])
def test_invalid_retry_after_is_ignored(said: str) -> None:
    """A date without the sink's own Date header is ignored too."""
    assert None is retry_after({"retry-after": said})


def test_permanent_refusal_has_no_wait() -> None:
    """An invalid request is still invalid in five minutes."""
    wait = timedelta(seconds=300)

    assert wait == refusal(Answer(503, b"", wait)).retry_after
    assert None is refusal(Answer(400, b"", wait)).retry_after


DATES = st.builds(
    "{}, {} {} {} {}:{}:00 {}".format,
    st.sampled_from(["Fri", "Xyz"]), st.integers(0, 40), st.sampled_from(["Mar", "Feb", "Zzz"]), st.integers(0, 99_999),
    st.integers(0, 30), st.integers(0, 70), st.sampled_from(["GMT", "-0000", "+0100", "+9999", "-99999999999999", ""]),
)  # fmt: skip


@given(said=DATES | st.text(), date=DATES | st.text())
def test_wait_is_a_day_at_most(said: str, date: str) -> None:
    """A broken sink must not stop us for longer."""
    found = retry_after({"retry-after": said, "date": date})

    assert found is None or timedelta(0) <= found <= timedelta(days=1)


def test_message_says_how_long_the_sink_asks_to_wait() -> None:
    """It explains why there is no retry yet."""
    assert "HTTP 503, and asks to wait 300 s" == str(refusal(Answer(503, b"", timedelta(seconds=300))))


@pytest.mark.parametrize("body", [b"\n <!doctype html><title>Bad gateway</title>", b""])
def test_html_error_page_is_not_quoted(body: bytes) -> None:
    """A proxy's error page says nothing useful in one line."""
    assert "HTTP 502" == str(refusal(Answer(502, body)))


def test_deeply_nested_error_is_cut_unparsed() -> None:
    """Such an answer is broken or hostile."""
    assert "[" * 200 == Answer(500, b"[" * 100_000).words
