"""What the demo prints: for each event, and at the end."""

from pathlib import Path

from bot.core.model import Actor, Level
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import ComponentMoved, LeadAsked
from bot.core.record.room.room_facts import PeopleInvited
from bot.demo.proof import Claim
from bot.demo.telling import LINE_CHARS, ending, lines
from tests.stories import API, T0, outage_story

NAMES = {API: "Claude API", "anthropic": "Claude"}


def fact(body: object) -> Fact:
    return Fact("incident/1", 2, T0, Actor.rule("detector"), 1, body)  # type: ignore[arg-type] # any body


def test_a_line_holds_no_evidence_however_much_there_is() -> None:
    """Whoever tries it first reads what happened, not three bodies of errors."""
    evidence = ("models: excerpt " + "x y" * 200, "front: status 502")
    moved = ComponentMoved(API, Level.DEGRADED, Level.DOWN, "failing", T0, evidence)

    assert [f"{T0:%H:%M}  Claude API is down, was degraded, since {T0:%H:%M} UTC"] == list(lines([fact(moved)], NAMES))


def test_every_line_of_a_whole_outage_fits_a_narrow_window() -> None:
    """One event, one line."""
    told = list(lines(outage_story(title="Claude " + "fails " * 40).facts, NAMES))

    assert [] == [line for line in told if len(line) > len("12:43  ") + LINE_CHARS or "\n" in line]
    assert 10 < len(told) < 30


def test_what_only_the_record_needs_is_left_out() -> None:
    """Invitations and questions of the bot."""
    assert [] == list(lines([fact(PeopleInvited(("U1",))), fact(LeadAsked())], NAMES))


def test_the_ending_says_what_was_shown_where_the_files_are_and_what_comes_next() -> None:
    """Nobody has to guess whether it went well, or what to do now."""
    told = "\n".join(ending([Claim(True, "the flag switched")], [Path("/tmp/INC-1.md")], stays=True))  # noqa: S108 # only named

    for words in ("It showed:", "shown   the flag switched", "/tmp/INC-1.md", "Ctrl-C ends it", "`understudy init`"):  # noqa: S108
        assert words in told


def test_an_ending_that_missed_something_says_so_first() -> None:
    """A claim that fails is no detail."""
    told = list(ending([Claim(False, "the flag did not switch")], [], stays=False))

    assert "The story is over. Not all of it was shown:" == told[1]
    assert not any("Ctrl-C" in line for line in told)
