"""What the demo prints for each event."""

from bot.core.model import Actor, Level
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import ComponentJoined
from bot.demo.play import LINE_CHARS, told_line
from bot.timeline.rows import rows
from tests.stories import API, T0


def test_a_line_of_the_demo_is_short_however_much_evidence_there_is() -> None:
    """Whoever tries it first reads what failed, not three bodies of errors."""
    evidence = ("models: excerpt " + "x y" * 200, "front: status 502")
    fact = Fact("incident/1", 2, T0, Actor.rule("detector"), 1, ComponentJoined(API, Level.DOWN, "failing", evidence))
    line = told_line(rows([fact])[0])

    assert line.startswith(f"{T0:%H:%M} UTC  {API} is down and belongs to INC-1 (evidence: models: excerpt x")
    assert len(line) <= LINE_CHARS + len("12:43 UTC  ")
