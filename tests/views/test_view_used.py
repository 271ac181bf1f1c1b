"""A pressed button is replaced by a record."""

from bot.core.model import Actor
from bot.views.blocks import actions, button, section
from bot.views.used import used
from tests.desk import START


def test_pressed_button_is_replaced_and_the_others_stay() -> None:
    """The record says who pressed what and when; text and other blocks are unchanged."""
    row = actions([button("Reopen incident", "incident.reopen", {"incident": 1}), button("Export", "incident.export", {})])
    ana, blocks = Actor.person("U0ANA", "ana"), [section("*over*"), *row]
    made = used("INC-1 resolved", blocks, "incident.reopen", "Reopen incident", ana, START)

    assert "INC-1 resolved" == made.text
    assert section("*over*") == made.blocks[0]
    assert ["incident.export"] == [element["action_id"] for element in made.blocks[1]["elements"]]
    record = made.blocks[2]["elements"][0]["text"]
    assert record.startswith("“Reopen incident” was pressed by <@U0ANA>, <!date^")


def test_row_without_buttons_is_left_out() -> None:
    """Slack refuses an empty row."""
    row = actions([button("Start", "flag.step_back", {"flag": "a"})])
    made = used("text", [section("ask"), *row], "flag.step_back", "Start", Actor.person("U0ANA"), START)

    assert ["section", "context"] == [block["type"] for block in made.blocks]
