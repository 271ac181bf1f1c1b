"""Slack accepts what `/understudy` shows, however long it is and whatever others wrote."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from bot.core.maintenance_windows import Recurrence, Window
from bot.core.model import Notice
from bot.core.record.component import ComponentState, MutedUntil
from bot.core.record.provider import ProviderState
from bot.core.record.streams import put
from bot.core.record.world import World
from bot.views.about import About, about, maintenance, mute_answer
from tests.desk import ANA, policy
from tests.views.message_checks import assert_taken, shown

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
HOSTILE = "<!channel> <https://evil.example|click> ``` \u202e\x00 & `x` " * 40


def test_slack_accepts_a_long_list_of_planned_maintenance() -> None:
    """A hundred windows, announcements and mutes with hostile texts; what is left out is counted."""
    many = [Window((f"x{n}", HOSTILE), NOW, NOW + timedelta(hours=n), None, HOSTILE) for n in range(1, 100)]
    weekly = Window((), NOW + timedelta(hours=1), NOW + timedelta(days=9), Recurrence(time(2), timedelta(hours=1)), HOSTILE)
    notices = tuple(
        Notice(
            "anthropic",
            f"m{n}",
            "u",
            HOSTILE,
            HOSTILE,
            "in_progress",
            "maintenance",
            NOW,
            components=("anthropic.api", HOSTILE),
        )
        for n in range(100)
    )
    world = put(World(), ProviderState("anthropic", notices=notices, maintenance=(HOSTILE,)))
    for n in range(100):
        world = put(world, ComponentState(f"c{n}", mute=MutedUntil(NOW + timedelta(hours=1), ANA, HOSTILE, NOW)))
    message = maintenance(world, replace(policy(), maintenance=(weekly, *many)), NOW)

    assert_taken(message)
    assert "• daily at 02:00 UTC" not in shown(message)
    assert "everything, daily at 02:00 UTC for 1 h, first on <!date^" in shown(message)


def test_slack_accepts_about_whatever_is_wrong() -> None:
    """Problems may have the words of peers and libraries in them."""
    it = About(HOSTILE[:50], HOSTILE, (HOSTILE,) * 50, troubles=(HOSTILE,) * 50, data_bytes=0, since=NOW)

    assert_taken(about(it, World(), policy(), NOW))


def test_slack_accepts_the_reply_to_a_mute() -> None:
    """The reason is foreign text."""
    assert_taken(mute_answer(HOSTILE, HOSTILE, MutedUntil(NOW + timedelta(hours=1), ANA, HOSTILE, NOW), NOW, "/understudy"))
