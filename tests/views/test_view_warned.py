"""The value of a confirming button: which failures its question named, and nothing that forces more than that."""

import json
from typing import Any

from bot.core import signals as s
from bot.core.decide.warned import warned_away, warned_unready, warned_unwell
from bot.core.model import Fault, Level, Verdict
from bot.core.rehearsal import Mark, NeedResult
from bot.views.answers.in_slack import press_message
from bot.views.flags.buttons import engage_button
from bot.views.incident.buttons import resolve_button
from bot.views.incident.forms import resolve_modal, switch_back_modal
from bot.views.scene import Scene
from tests.core.flags.test_rehearsing import ended, rehearsing
from tests.desk import ANA, CHAT_FLAG, RULE, Table, policy

API, FLAG = "anthropic.api", CHAT_FLAG.key
FAILED = "its rehearsal failed: tools: it called no tool"


def carries(button: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(button["value"])
    return found


def scene(table: Table) -> Scene:
    return Scene(table.world.incidents[1], table.world, table.policy, table.now)


def outage() -> Table:
    table = Table(policy()).all_well()
    table.sees(API, Level.DOWN)
    return table


def test_resolve_button_lists_what_its_question_named() -> None:
    """The component that fails and the flag that is switched."""
    made = resolve_button(scene(outage()))

    assert "Still failing: Claude API. Still on a fallback: support chat." in made["confirm"]["text"]["text"]
    assert {"incident": 1, "warned": [*warned_unwell({API: Level.DOWN}), *warned_away([FLAG])]} == carries(made)


def test_resolve_question_names_components_in_unknown_state() -> None:
    """A refused key does not prove recovery, and what the question leaves out would be asked again after the press."""
    table = Table(policy(automation="off")).all_well()
    table.sees(API, Level.DOWN)
    table.send(s.VerdictReached(RULE, verdict=Verdict(API, Level.UNKNOWN, "HTTP 401", Fault.OURS_KEY, (), table.now)))
    made = resolve_button(scene(table))

    assert "Not known to be well: Claude API." in made["confirm"]["text"]["text"]
    assert list(warned_unwell({API: Level.UNKNOWN})) == carries(made)["warned"]


def test_resolve_button_lists_nothing_if_all_is_well() -> None:
    """A press has nothing to overrule."""
    table = Table(policy(automation="off")).all_well()
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)

    assert {"incident": 1} == carries(resolve_button(scene(table)))


def test_forms_keep_their_warnings_after_the_incident() -> None:
    """The form that resolves, and the form that switches back."""
    now = scene(outage())

    assert f"1 {' '.join([*warned_unwell({API: Level.DOWN}), *warned_away([FLAG])])}" == resolve_modal(now)["private_metadata"]
    assert f"1 {' '.join(warned_unwell({API: Level.DOWN}, FLAG))}" == switch_back_modal(now)["private_metadata"]


def unrehearsed(**changes: object) -> Table:
    table = rehearsing(fallbacks=CHAT_FLAG.fallbacks[:1], **changes)
    ended(table, NeedResult("tools", Mark.FAILED, "it called no tool"))
    return table


def switch(table: Table) -> Any:
    flag = table.policy.flags[FLAG]
    return engage_button(flag, table.world.flag(FLAG), table.world, table.policy)


def test_switch_button_lists_the_rehearsal_its_question_named() -> None:
    """And forces nothing."""
    made = switch(unrehearsed())

    assert f"Careful: {FAILED}." in made["confirm"]["text"]["text"]
    assert {"flag": FLAG, "variant": "gpt", "warned": list(warned_unready(FLAG, "gpt", FAILED))} == carries(made)


def test_approval_button_lists_the_rehearsal_as_well() -> None:
    """Also under the alert, where the rule's own question is not visible."""
    table = unrehearsed(automation="propose")
    table.sees(API, Level.DOWN)
    made = switch(table)

    assert f"Careful: {FAILED}." in made["confirm"]["text"]["text"]
    assert (True, list(warned_unready(FLAG, "gpt", FAILED))) == (carries(made)["approves"], carries(made)["warned"])


def test_refused_press_can_be_repeated_with_the_new_warning() -> None:
    """An approval stays an approval, so the number of approvers needed does not change."""
    table = unrehearsed(automation="propose")
    table.sees(API, Level.DOWN)
    refused = table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", approves=True, warned=())).answer
    made = press_message(refused, "/incident")
    assert made is not None
    (anyway,) = made.blocks[-1]["elements"]

    value = {"flag": FLAG, "variant": "gpt", "warned": list(warned_unready(FLAG, "gpt", FAILED)), "approves": True}
    assert ("Switch anyway", value) == (anyway["text"]["text"], carries(anyway))
