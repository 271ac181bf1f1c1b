"""The Home tab stays within Slack's limits, however much there is to show."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import Actor, Fault, Level
from bot.core.policy import ComponentPolicy, IncidentPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.task_facts import TaskAdded
from bot.core.record.world import World
from bot.sandbox.slack.block_kit.blocks import check_view
from bot.views.home import home, incident_view
from bot.views.in_short import everything, reply
from tests.gallery import situations as s
from tests.stories import ANA, BOB, T0, outage_story

NOBODY = Actor.outsider("U0EVE", "eve")


def fleet(providers: int, each: int) -> Policy:
    """That many components."""
    components = {
        id: ComponentPolicy(id, f"Surface {n} of {p}", f"vendor-{p}", f"Vendor {p}", {})
        for p in range(providers)
        for n in range(each)
        for id in [f"vendor-{p}.part-{n}"]
    }
    return Policy(components, {}, IncidentPolicy({}))


def seen(policy: Policy, *levels: Level) -> World:
    """The first components have these levels; all others are operational."""
    world = World()
    for n, id in enumerate(policy.components):
        level = levels[n] if n < len(levels) else Level.OPERATIONAL
        since = T0 - timedelta(minutes=n % 50)
        world = world.with_state("component", id, ComponentState(id, level, "3 of 3 checks failed", Fault.THEIRS, since=since))
    return world


def text(policy: Policy, world: World) -> str:
    return str(home(world, policy, T0, ANA)["blocks"])


def test_home_groups_five_hundred_checks_with_the_worst_first() -> None:
    """Two fail: one line for each of their providers, and one line for everything healthy."""
    policy = fleet(100, 5)
    shown = text(policy, seen(policy, *[Level.OPERATIONAL] * 5, Level.DEGRADED, *[Level.OPERATIONAL] * 4, Level.DOWN))

    assert "2 of 500 components fail." in shown
    assert shown.index("*Vendor 2*: Surface 0 of 2 down") < shown.index("*Vendor 1*: Surface 0 of 1 degraded")
    assert "93 more" not in shown and "490 components operational" in shown


@pytest.mark.parametrize(("providers", "each"), [(500, 1), (1, 500), (50, 10)])
@pytest.mark.parametrize("level", list(Level))
def test_slack_accepts_home_whatever_fails(providers: int, each: int, level: Level) -> None:
    """Even if all 500 components fail at once."""
    policy = fleet(providers, each)
    view = home(seen(policy, *[level] * 500), policy, T0, ANA)

    assert [] == check_view(view)
    assert len(view["blocks"]) <= 100


def test_home_fits_forty_incidents_with_long_titles() -> None:
    """It shows the ten worst, and counts the others."""
    story = outage_story(46)
    world = story.world
    for number in range(8, 48):
        world = world.with_state("incident", number, replace(story.incident(), number=number, title="<b>&" * 60))
    view = home(world, story.policy, story.now, ANA, trouble="x" * 5000)

    assert [] == check_view(view)
    assert "31 more" in str(view)


def test_home_fits_any_number_of_tasks() -> None:
    """It shows the ten that are due first, and counts the others; other people's tasks are left out."""
    story = outage_story(46)
    for n in range(1, 16):
        story.add("incident/7", TaskAdded(n, f"Task *{n}* <!here> " * 8, ANA, story.now + timedelta(minutes=60 - n)), ANA)
    story.add("incident/7", TaskAdded(16, "of somebody else", BOB, None), ANA)
    view = home(story.world, story.policy, story.now, ANA)
    shown = str(view)

    assert [] == check_view(view)
    assert "Your 15 tasks" in shown and "5 more" in shown
    assert shown.index("15. Task") < shown.index("14. Task")
    assert ["of somebody else" in shown, "<!here>" in shown] == [False, False]


def test_home_without_command_rights_has_no_acting_button() -> None:
    """An outsider who may ask can view, but change nothing."""
    story = s.served()
    view = home(story.world, story.policy, story.now, NOBODY)

    assert "actions" not in {block["type"] for block in view["blocks"]}


def test_incident_opened_over_home_has_no_buttons() -> None:
    """The dialog is for reading only."""
    view = incident_view(s.seen(outage_story(46)), {})

    assert [] == check_view(view)
    assert "actions" not in {block["type"] for block in view["blocks"]}


def test_home_does_not_change_with_time_alone() -> None:
    """Otherwise it would be sent again and again."""
    story = s.served()
    later = story.now + timedelta(minutes=7)

    assert home(story.world, story.policy, story.now, ANA) == home(story.world, story.policy, later, ANA)


def test_short_answer_names_at_most_three_components() -> None:
    """Even on a day with twenty providers down."""
    policy = fleet(20, 1)
    world = seen(policy, *[Level.DOWN] * 20)
    said = reply(everything(world, policy, T0), world, T0)

    assert "17 more: `/health` shows all." in str(said.blocks)
