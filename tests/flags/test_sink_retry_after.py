"""How long a sink asks to be left alone."""

from datetime import timedelta

import pytest

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
