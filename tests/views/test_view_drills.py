"""Drills are marked wherever people meet them, so that nobody takes one for a real outage."""

import csv
import io
import re
from datetime import timedelta

from bot.core.model import Phase
from bot.core.signals import SetPhase
from bot.core.signals.drills import StartDrill
from bot.exports import render
from bot.ports import Message
from bot.timeline.story import story
from bot.views.health import board
from bot.views.incident.evidence import evidence
from bot.views.incident.forms import declare_modal
from bot.views.incident.tasks import task_list
from bot.views.incident.timeline import timeline_page
from bot.views.scene import Scene
from tests.desk import ANA, Table
from tests.gallery.drills import begun, seen
from tests.stories import outage_story
from tests.views.message_checks import shown, strings


def test_list_of_open_incidents_marks_a_drill() -> None:
    """A real incident next to it has no mark."""
    drill, real = begun(), outage_story(5)

    assert "Open incidents: 🔵 INC-8 DRILL: Claude API is down" in shown(board(drill.world, drill.policy, drill.now, {}))
    assert "Open incidents: INC-7 Claude API down" in shown(board(real.world, real.policy, real.now, {}))


def test_timeline_and_tasks_of_a_drill_say_so_at_the_top() -> None:
    """None of what they list was real."""
    drill = begun()
    incident = drill.world.incidents[8]

    assert timeline_page(incident, story(drill.about(8)), drill.now).text.startswith("🔵 DRILL · Timeline of INC-8 so far")
    assert task_list(seen(drill)).text.startswith("🔵 DRILL · ")


def bare(message: Message) -> str:
    """With times as they read where Slack's date format is unknown."""
    return re.sub(r"<!date[^|]*\|([^>]*)>", r"\1", shown(message))


def test_evidence_of_a_canceled_drill_gives_its_time() -> None:
    """People who open it later must not take it for the present."""
    table = Table().all_well()
    table.send(StartDrill(ANA, components=("anthropic.api",), lasts=timedelta(minutes=10)))
    table.passes(2)
    table.send(SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="drill"))
    text = bare(evidence(Scene(table.incident(), table.world, table.policy, table.now + timedelta(hours=1))))

    assert "⚪ *Claude API*: down from 12:00 UTC on, until the drill ended at 12:02 UTC." in text
    assert "down since" not in text


def test_declare_form_marks_an_open_drill() -> None:
    """Nobody should join it as if it were real."""
    drill = begun()
    form = declare_modal(drill.world.open_incidents(), drill.policy)

    assert any(text.startswith("🔵 *INC-8*") for text in strings(form))


def test_each_csv_line_of_a_drill_says_so() -> None:
    """Lines are sorted and pasted elsewhere."""
    drill, real = begun(), outage_story(5)
    incidents_and_facts = [
        (drill.world.incidents[8], drill.about(8), drill.policy),
        (real.incident(), real.about(7), real.policy),
    ]
    exports = [render("csv", *one)[1].decode() for one in incidents_and_facts]

    assert [{"🔵 DRILL"}, {""}] == [{row["drill"] for row in csv.DictReader(io.StringIO(text))} for text in exports]
