"""A scoped flag may have a name longer than Slack allows for ids and values."""

from dataclasses import replace

from bot.core import signals as s
from bot.core.model import Level
from bot.views.blocks import ID_MAX, OPTION_VALUE_MAX
from bot.views.flags.buttons import flag_buttons
from bot.views.incident.forms import flag_chosen, switch_back_modal
from bot.views.scene import Scene
from tests.desk import ANA, CHAT_FLAG, Table, policy

KEY = "f" * 128
PARTS = [f"{KEY}@{'a' * 64}={'v' * 63}{n}" for n in range(2)]


def switched() -> Table:
    """Two scopes of one flag are switched; their names differ only at the end."""
    known = policy()
    table = Table(replace(known, flags={KEY: replace(CHAT_FLAG, key=KEY)})).all_well()
    table.sees("anthropic.api", Level.DOWN)
    for part in PARTS:
        table.send(s.EngageFlag(ANA, flag=part, variant="cached", reason="slow"))
    return table


def test_switch_back_form_releases_the_chosen_scope() -> None:
    """Names that are cut to the same text must not be confused."""
    table = switched()
    scene = Scene(table.world.incidents[1], table.world, table.policy, table.now)
    (field,) = (block for block in switch_back_modal(scene)["blocks"] if block["type"] == "input")
    values = [option["value"] for option in field["element"]["options"]]

    assert max(map(len, values)) <= OPTION_VALUE_MAX
    assert [KEY, *PARTS] == [flag_chosen(value, table.world.flags) for value in values]


def test_two_scopes_have_two_different_buttons() -> None:
    """Slack refuses a message with an overlong or repeated id."""
    table = switched()
    flags = [flag for part in PARTS if (flag := table.policy.flag(part))]
    ids = [button["action_id"] for flag in flags for button in flag_buttons(flag, table.world, table.policy)]

    assert (2, True) == (len(set(ids)), max(map(len, ids)) <= ID_MAX)
