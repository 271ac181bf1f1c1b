"""When the timeline records that quiet hours hold a page back."""

from datetime import UTC, datetime

from bot.core.effects import PostAlert
from bot.core.paging import PagingPolicy
from bot.core.record.paging_facts import PageHeld
from tests.core.incident.test_paging import NIGHT, SEV2, STEPS, done, down, paged, steps


def test_page_is_held_only_at_the_time_it_would_have_come() -> None:
    """Somebody may acknowledge before then, and nothing would have been held."""
    table = paged(PagingPolicy({SEV2: STEPS}, NIGHT))
    table.now = datetime(
        2026, 3, 20, 20, 57, tzinfo=UTC
    )  # the second step comes at 22:02 in Berlin, two minutes into the night
    down(table)
    done(table, PostAlert(), "S0ONCALL")
    table.passes(4)
    before = len(table.kinds(PageHeld))
    table.passes(1)

    assert (0, 1) == (before, len(table.kinds(PageHeld)))


def test_page_missed_before_quiet_hours_wakes_nobody() -> None:
    """The bot was down when the second step was due, and is back during quiet hours."""
    table = paged(PagingPolicy({SEV2: STEPS}, NIGHT))
    table.now = datetime(2026, 3, 20, 20, 50, tzinfo=UTC)
    down(table)
    done(table, PostAlert(), "S0ONCALL")
    table.now = datetime(2026, 3, 20, 21, 30, tzinfo=UTC)  # 22:30 in Berlin
    table.passes(1)

    assert [(SEV2, 1)] == steps(table)
    assert [datetime(2026, 3, 21, 6, 0, tzinfo=UTC)] == [one.until for one in table.kinds(PageHeld)]
