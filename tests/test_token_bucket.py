"""A token bucket: what may come at once, and what a second in the long run."""

from bot.system.token_bucket import TokenBucket


def test_a_bucket_gives_what_may_come_at_once_and_then_its_pace() -> None:
    """Two at once, then one a second."""
    bucket = TokenBucket(per_s=1, burst=2)

    assert [True, True, False, False, True, False] == [bucket.take(now) for now in (0.0, 0.0, 0.0, 0.9, 1.0, 1.5)]


def test_a_long_silence_saves_nothing_up() -> None:
    """After an hour no more come at once than at the start."""
    bucket = TokenBucket(per_s=1, burst=2)
    bucket.take(0.0)

    assert [True, True, False] == [bucket.take(3600.0) for _ in range(3)]


def test_half_a_token_is_none() -> None:
    """What is refused costs nothing, and what is not whole is refused."""
    bucket = TokenBucket(per_s=1, burst=1)
    bucket.take(0.0)

    assert [False, False, True] == [bucket.take(now) for now in (0.4, 0.8, 1.2)]


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    """Two clocks of one machine may disagree by a little; nobody is locked out for that."""
    bucket = TokenBucket(per_s=1, burst=2)
    bucket.take(100.0)

    assert bucket.take(0.0)
