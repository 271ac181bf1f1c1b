"""Reading a task's text, owner and due time. Now is Friday 2026-03-20, 16:10 in Berlin (15:10 UTC)."""

from datetime import UTC, datetime

import pytest

from commands.parsing.due import assignment, person
from commands.parsing.parse import Misunderstood, mentions, typed
from commands.parsing.times import zone_of
from tests.desk import ANA, BOB

NOW = datetime(2026, 3, 20, 15, 10, tzinfo=UTC)
BERLIN = zone_of("Europe/Berlin")
ME = ANA

SAID = [
    ("Call Anthropic support <@U0BOB|bob> in 30m", "Call Anthropic support", "bob", "20 15:40"),
    ("Call support in 2 hours <@U0BOB|bob>", "Call support", "bob", "20 17:10"),
    ("<@U0BOB|bob> call support in an hour", "call support", "bob", "20 16:10"),
    ("<@U0BOB|bob>: call support", "call support", "bob", ""),
    ("Call support for me by 17:30", "Call support", "ana", "20 16:30"),
    ("Call support for <@U0BOB|bob>", "Call support", "bob", ""),
    ("Call support due 17:30", "Call support", "", "20 16:30"),
    ("Call support due 15:00", "Call support", "", "21 14:00"),
    ("Call support due 16:00 UTC", "Call support", "", "20 16:00"),
    ("Call support at 5pm", "Call support", "", "20 16:00"),
    ("Call support due 90m", "Call support", "", "20 16:40"),
    ("Call support tomorrow 10:00", "Call support", "", "21 09:00"),
    ("Call support tomorrow", "Call support", "", "21 16:00"),
    ("Call support tomorrow at noon", "Call support", "", "21 11:00"),
    ("Write the runbook <@U0BOB|bob> due Friday", "Write the runbook", "bob", "20 16:00"),
    ("Write the runbook due Friday 12:00", "Write the runbook", "", "27 11:00"),
    ("Write the runbook by next monday", "Write the runbook", "", "23 16:00"),
    ("Write the runbook due next Friday", "Write the runbook", "", "27 16:00"),  # today is a Friday
    ("Write the runbook on Wed", "Write the runbook", "", "25 16:00"),
    ("Write the runbook due 2026-03-31", "Write the runbook", "", "31 15:00"),  # summer time has begun by then
    ("Write the runbook before 2026-03-24 14:00.", "Write the runbook", "", "24 13:00"),
    ("Write the runbook in 2 weeks", "Write the runbook", "", "03 15:10"),
]


def shown(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%d %H:%M}" if at else ""


@pytest.mark.parametrize(("sent", "text", "owner", "due"), SAID)
def test_owner_and_due_time_are_taken_out_of_the_text(sent: str, text: str, owner: str, due: str) -> None:
    """In either order, in the asker's time zone."""
    found = assignment(typed(sent), mentions(sent), ME, NOW, BERLIN)

    assert (text, owner, due) == (found.text, found.owner.name if found.owner else "", shown(found.due_at))


@pytest.mark.parametrize(
    "sent",
    [
        "Write down what we did today", "Ask <@U0BOB|bob> for the key of the vendor", "Read the 3 of 5 errors",
        "Look into chat 4", "Have it checked by this team",
        "Raise the limit to 30m tokens", "Compare with what they said last friday in the call",
    ],
)  # fmt: skip
def test_words_that_are_neither_owner_nor_time_stay(sent: str) -> None:
    """A mention in the middle is part of what is to be done."""
    found = assignment(typed(sent), mentions(sent), ME, NOW, BERLIN)

    assert (typed(sent), None, None) == (found.text, found.owner, found.due_at)


@pytest.mark.parametrize(
    ("sent", "reply"),
    [
        ("Call support due soon", "I cannot read `soon` as a time."),
        ("Write the post-mortem due next week", "I cannot read `next week` as a time."),
        ("Write the post-mortem by end of the week", "I cannot read `end of the week` as a time."),
        ("Call support by EOD", "I cannot read `EOD` as a time."),
        ("Call support due 25:00", "`25:00` is not a time of day."),
        ("Call support due 2026-02-31", "`2026-02-31` is not a day."),
        ("Call support <!subteam^S0SRE|@sre>", "A task is for one person"),
    ],
)
def test_unreadable_due_time_is_answered_with_examples(sent: str, reply: str) -> None:
    """Asking is better than guessing."""
    with pytest.raises(Misunderstood, match=reply):
        assignment(typed(sent), mentions(sent), ME, NOW, BERLIN)


def test_task_is_assigned_to_the_mentioned_person() -> None:
    """Or to oneself, or to nobody."""
    known = mentions("<@U0BOB|bob>")

    assert [BOB, ME, None] == [person(word, known, ME) for word in ("@bob", "me", "none")]


def test_task_cannot_be_assigned_to_an_unknown_name() -> None:
    """A typo would assign it to nobody."""
    with pytest.raises(Misunderstood, match="Who is that"):
        person("@carl", (), ME)
