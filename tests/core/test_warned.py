"""What somebody was warned of is overruled by their press; what failed since, or got worse, is not."""

import pytest

from bot.core import signals as s
from bot.core.answers import flags as fa
from bot.core.answers.base import Answer
from bot.core.answers.incident import StillFailing
from bot.core.answers.rehearsals import Unrehearsed
from bot.core.decide.flags.readiness import unready
from bot.core.decide.flags.scopes import rest_warned
from bot.core.decide.warned import MOST_MARKS, knew, warned_away, warned_unready, warned_unwell
from bot.core.model import Level, Phase
from bot.core.rehearsal import Mark, NeedResult
from tests.core.flags.test_rehearsing import ended, rehearsing
from tests.desk import ANA, CHAT_FLAG, Table, policy

API, WEB, FLAG = "anthropic.api", "anthropic.web", CHAT_FLAG.key
FAILED = "its rehearsal failed: tools: it called no tool"
DOWN = warned_unwell({API: Level.DOWN})


@pytest.mark.parametrize(
    ("now", "known"),
    [
        (DOWN, True),
        (warned_unwell({API: Level.DEGRADED}), True),
        ((), True),
        (warned_unwell({WEB: Level.DEGRADED}), False),
        (warned_unwell({API: Level.DOWN, WEB: Level.DEGRADED}), False),
        (warned_unwell({API: Level.DOWN}, FLAG), False),
        (warned_away([API]), False),
    ],
)
def test_a_warning_covers_the_same_and_less(now: tuple[str, ...], known: bool) -> None:
    """Another component is news, and so is the same one behind a flag."""
    assert known == knew(DOWN, now)


def test_what_got_worse_is_news() -> None:
    """Slow is not down."""
    assert not knew(warned_unwell({API: Level.DEGRADED}), DOWN)


def test_a_mark_is_the_same_in_every_process_and_version() -> None:
    """A button is pressed after restarts and upgrades, and on another replica than the one that drew it."""
    assert ("1bc445533",) == DOWN


def test_many_failures_are_one_mark_so_that_a_button_can_carry_them() -> None:
    """With one more of them it is another mark."""
    levels = {f"vendor.c{number}": Level.DOWN for number in range(MOST_MARKS + 1)}
    marks = warned_unwell(levels)

    assert 1 == len(marks)
    assert knew(marks, marks)
    assert not knew(marks, warned_unwell({**levels, API: Level.DOWN}))


def resolve(table: Table, warned: tuple[str, ...] = ()) -> Answer:
    return table.send(s.SetPhase(ANA, incident=1, phase=Phase.RESOLVED, warned=warned)).answer


def warning(table: Table) -> tuple[str, ...]:
    """What somebody is warned of who would resolve it now."""
    said = resolve(table)
    assert isinstance(said, StillFailing)
    return said.warned


def outage(level: Level = Level.DOWN) -> Table:
    table = Table(policy(automation="off")).all_well()
    table.sees(API, level)
    return table


def test_who_was_warned_of_all_that_fails_resolves_it() -> None:
    """No second question."""
    table = outage()

    assert resolve(table, warning(table)).ok


def test_what_failed_since_the_warning_is_asked_about() -> None:
    """With all that fails by now, so that the next press knows it."""
    table = outage()
    before = warning(table)
    table.sees(WEB, Level.DOWN)
    refused = resolve(table, before)

    assert isinstance(refused, StillFailing)
    assert ["Claude API", "claude.ai"] == [one.name for one in refused.failing]
    assert resolve(table, refused.warned).ok


def test_what_got_worse_since_the_warning_is_asked_about() -> None:
    """It was said to be degraded; it is down."""
    table = outage()
    table.sees(API, Level.DEGRADED)
    before = warning(table)
    table.sees(API, Level.DOWN)

    assert isinstance(resolve(table, before), StillFailing)


def test_a_flag_that_was_switched_since_the_warning_is_asked_about() -> None:
    """Its readers would be left on the fallback."""
    table = outage()
    before = warning(table)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))
    refused = resolve(table, before)

    assert isinstance(refused, StillFailing)
    assert [FLAG] == [one.flag for one in refused.away]


def test_what_recovered_since_the_warning_is_no_news() -> None:
    """Less fails than was said."""
    table = outage()
    table.sees(WEB, Level.DOWN)
    before = warning(table)
    table.sees(WEB, Level.OPERATIONAL)

    assert resolve(table, before).ok


def engage(table: Table, why: str, *, approves: bool = False) -> Answer:
    marks = warned_unready(FLAG, "gpt", why)
    return table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt", approves=approves, warned=marks)).answer


def test_a_rehearsal_that_was_warned_of_is_overruled() -> None:
    """By a press, as `force` would."""
    table = rehearsing()

    assert isinstance(engage(table, unready(table.world, table.policy.flags[FLAG], "gpt")), fa.Switched)


def test_a_rehearsal_that_failed_since_the_warning_is_not_overruled() -> None:
    """It was said that there was none yet; by now there was one, and it failed."""
    table = rehearsing()
    before = unready(table.world, table.policy.flags[FLAG], "gpt")
    ended(table, NeedResult("tools", Mark.FAILED, "it called no tool"))

    assert isinstance(engage(table, before), Unrehearsed)


def proposed() -> Table:
    """A switch to a fallback that failed its rehearsal waits for a yes, since nothing else serves."""
    flag = policy().flags[FLAG]
    table = rehearsing(automation="propose", fallbacks=flag.fallbacks[:1])
    ended(table, NeedResult("tools", Mark.FAILED, "it called no tool"))
    table.sees(API, Level.DOWN)
    assert table.world.flag(FLAG).proposal
    return table


def test_a_yes_pressed_before_the_rehearsal_failed_does_not_count() -> None:
    """Its question said nothing of that; it is answered as what it was, so that the next press is a yes as well."""
    table = proposed()

    refused = engage(table, "", approves=True)

    assert Unrehearsed(flag=FLAG, variant="gpt", reason=FAILED, approves=True) == refused
    assert table.world.flag(FLAG).engagement is None


def test_a_yes_counts_for_what_its_question_said() -> None:
    """With what stands against it."""
    assert isinstance(engage(proposed(), FAILED, approves=True), fa.Switched)


def test_a_yes_that_was_typed_is_meant() -> None:
    """Nobody at the terminal or behind the API pressed anything that could have warned them."""
    assert isinstance(proposed().send(s.EngageFlag(ANA, flag=FLAG, approves=True)).answer, fa.Switched)


def switched() -> Table:
    table = outage(Level.DEGRADED)
    table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))
    return table


def release(table: Table, warned: tuple[str, ...]) -> Answer:
    return table.send(s.ReleaseFlag(ANA, flag=FLAG, warned=warned)).answer


def test_a_default_that_was_warned_of_is_overruled() -> None:
    """It was degraded, and is."""
    table = switched()

    assert isinstance(release(table, rest_warned(table.world, table.policy.flags[FLAG])), fa.Released)


def test_a_default_that_is_down_since_the_warning_is_not_overruled() -> None:
    """It was said to be degraded."""
    table = switched()
    before = rest_warned(table.world, table.policy.flags[FLAG])
    table.sees(API, Level.DOWN)

    assert fa.DefaultUnwell(flag=FLAG, unwell="Claude API is down") == release(table, before)
