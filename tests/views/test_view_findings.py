"""Messages about blindness, advisories, mutes and reports."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.model import Actor, Fault, Level, Verdict
from bot.core.record.component_facts import AlertResumed
from bot.core.record.fact import Fact
from bot.core.record.sight import Sight, SightLost, SightRegained
from bot.views.component_messages import REMEDIES, sight_words
from bot.views.health import board, provider
from bot.views.incident.card import card
from bot.views.incident.fact_messages import fact_line
from bot.views.quiet import quiet, quiet_reply
from bot.views.scene import Scene
from tests.desk import ANA, RULE, START, Table
from tests.stories import latencies
from tests.views.message_checks import assert_taken, shown

API = "anthropic.api"
LOST = Sight(True, "both controls are unreachable", START)


def last(table: Table) -> Fact:
    return table.facts[-1]


def component_fact(table: Table, level: Level, fault: Fault, advisory: str = "") -> Fact:
    verdict = Verdict(API, level, "models: HTTP 401 <!channel>", fault, ("models: status 401",), START, advisory)
    return table.send(s.VerdictReached(actor=RULE, verdict=verdict)).facts[0]


def test_blindness_is_one_plain_sentence() -> None:
    """Since when, why, and what follows; also outside Slack."""
    lost = SightLost("both controls are unreachable", START)
    regained = SightRegained("both controls are unreachable", START, START + timedelta(minutes=41))

    assert [
        "We have been blind since 12:00 UTC: both controls are unreachable. No vendor incident opens until we can see again.",
        "We can see again since 12:41 UTC. We were blind for 41 min, since 12:00 UTC: both controls are unreachable.",
    ] == [sight_words(lost), sight_words(regained)]


def test_slack_accepts_the_blindness_notice_and_its_reply() -> None:
    """They say what to look at, and that nothing is hidden afterwards."""
    table = Table().all_well()
    table.send(s.SightChanged(actor=RULE, sight=LOST))
    notice = quiet(last(table), table.world, table.policy)
    table.now += timedelta(minutes=5)
    table.send(s.SightChanged(actor=RULE, sight=Sight(False, ended_at=table.now)))
    answer = quiet_reply(last(table), table.world, table.policy)

    for message, words in ((notice, "no flag switches by itself"), (answer, "We were blind for 5 min")):
        assert_taken(message)
        assert words in shown(message)


def test_board_and_card_say_first_that_the_bot_is_blind() -> None:
    """Before anything that they cannot know."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.send(s.SightChanged(actor=RULE, sight=LOST))
    whole = board(table.world, table.policy, table.now, latencies())
    one = provider("anthropic", table.world, table.policy, table.now, latencies())
    pinned = card(Scene(table.incident(), table.world, table.policy, table.now))

    assert whole.text.startswith("We are blind: both controls are unreachable.")
    for message in (whole, one, pinned):
        assert_taken(message)
        assert "*We have been blind* since" in shown(message)


def test_board_shows_advisories_mutes_and_suppressed_alerts() -> None:
    """For people who wonder why nobody was alerted."""
    table = Table().all_well()
    component_fact(table, Level.OPERATIONAL, Fault.NONE, "haiku fails since 10:02 UTC")
    table.send(s.Mute(actor=ANA, component="openai.api", lasts=timedelta(hours=1), reason="we move"))
    table.sees("openai.api", Level.DOWN)
    seen = shown(board(table.world, table.policy, table.now, latencies()))

    muted = "by <@U0ANA> (we move), and its alert is held back by that"
    for words in ("advisory: haiku fails since 10:02 UTC", "muted until", muted):
        assert words in seen
    assert 1 == seen.count("held back")


def test_notification_names_muted_components() -> None:
    """One line must not claim that all is well while alerts are held back."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))

    assert board(table.world, table.policy, table.now, {}).text.endswith(" Muted: Claude API.")


def test_board_names_every_reason_for_holding_an_alert_back() -> None:
    """Muted for an hour and blind: both must end before anybody is alerted."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    table.send(s.SightChanged(actor=RULE, sight=LOST))
    table.sees(API, Level.DOWN)
    seen = shown(board(table.world, table.policy, table.now, latencies()))

    for words in ("muted until", "its alert is held back: we are blind: both controls are unreachable"):
        assert words in seen


def test_notification_of_a_healthy_board_names_an_advisory() -> None:
    """`3 of 3 components are operational` alone would hide it."""
    table = Table().all_well()
    component_fact(table, Level.OPERATIONAL, Fault.NONE, "haiku fails since 10:02 UTC")
    whole = board(table.world, table.policy, table.now, latencies())

    assert "4 of 4 components are operational. Advisory for Claude API." == whole.text


def test_boards_reason_is_as_recent_as_the_advisory() -> None:
    """A success at noon is no reason next to a part that has failed since."""
    table = Table().all_well()
    component_fact(table, Level.OPERATIONAL, Fault.NONE, "haiku fails since 10:02 UTC")
    seen = shown(provider("anthropic", table.world, table.policy, table.now, latencies()))
    assert "advisory: haiku fails since 10:02 UTC" in seen
    assert "Models: HTTP 401" in seen
    assert "• models: status 401" in seen

    table.send(s.VerdictReached(actor=RULE, verdict=Verdict(API, Level.OPERATIONAL, "fine")))
    seen = shown(provider("anthropic", table.world, table.policy, table.now, latencies()))
    assert "haiku" not in seen
    assert "status 401" not in seen


def test_advisory_says_what_fails_and_that_nothing_follows() -> None:
    """When raised and when over; foreign text is inert."""
    table = Table().all_well()
    raised = quiet(
        component_fact(table, Level.OPERATIONAL, Fault.NONE, "haiku fails since 10:02 UTC"), table.world, table.policy
    )
    ended = quiet_reply(component_fact(table, Level.OPERATIONAL, Fault.NONE), table.world, table.policy)

    assert "Advisory for Claude API: haiku fails since 10:02 UTC" == raised.text
    assert "<!channel>" not in shown(raised)
    assert "models: status 401" in shown(raised)
    assert "Claude API: the advisory is over, all of it is operational again" == ended.text


@pytest.mark.parametrize("fault", [Fault.OURS_KEY, Fault.OURS_CONFIG, Fault.OURS_QUOTA, Fault.LOCAL])
def test_failure_on_our_side_says_what_to_do(fault: Fault) -> None:
    """The operator must fix it, and nobody else is woken."""
    table = Table().all_well()
    message = quiet(component_fact(table, Level.UNKNOWN, fault), table.world, table.policy)

    assert_taken(message)
    assert "It's us: " in shown(message)
    assert REMEDIES[fault] in shown(message)
    assert "Declare incident" not in shown(message)


def test_mute_names_its_author_and_how_to_end_it() -> None:
    """Every message about a change names the person who made it."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1), reason="<!here> we move"))
    message = fact_line(last(table), table.world, table.policy)

    assert "Alerts about Claude API are muted until 13:00 UTC (by <@U0ANA>)." == message.text
    assert "/understudy unmute anthropic.api" in shown(message)
    assert "<!here>" not in shown(message)


def test_late_alert_says_why_it_was_held_back() -> None:
    """It also gives the component's present state, with a button."""
    table = Table().all_well()
    table.send(s.Mute(actor=ANA, component=API, lasts=timedelta(hours=1)))
    table.sees(API, Level.DEGRADED)
    table.send(s.Unmute(actor=ANA, component=API))
    fact = next(fact for fact in table.facts if isinstance(fact.body, AlertResumed))
    message = quiet(fact, table.world, table.policy)

    assert_taken(message)
    assert "Claude API still fails" == message.text
    assert "muted by ana" in shown(message)
    assert "It is degraded: 3 of 5 checks failed: HTTP 502" in shown(message)


def test_foreign_words_are_quoted_and_inert() -> None:
    """Such as the title of an alert and a person's report."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    monitor = Actor("operator", "grafana", "grafana")
    for signal in (
        s.Alerted(actor=monitor, source="grafana", key="k", component=API, state="firing", title="<!channel> 5xx"),
        s.Reported(actor=ANA, component=API, text="<!here> it hangs"),
    ):
        table.send(signal)
        message = fact_line(last(table), table.world, table.policy)
        assert_taken(message)
        assert "&lt;!" in shown(message)
        assert "<!" not in shown(message).replace("<!date", "")
