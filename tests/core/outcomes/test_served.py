"""Customers served: what services told, added up over an incident."""

from datetime import timedelta

import pytest

from bot.core.decide.outcomes.serving import SETTLE_FOR, concerned, switched, wants_count
from bot.core.model import Level, Phase
from bot.core.outcomes.counts import Route
from bot.core.outcomes.served import CountingScope, RouteTotal, VariantShare, served
from bot.timeline.words import percent
from tests.stories import FLAG, T0, outage_story

ABOUT = CountingScope({FLAG: "claude"}, frozenset({"anthropic", "openai"}), "anthropic")
CLAUDE, GPT = Route("chat", FLAG, "claude", "anthropic"), Route("chat", FLAG, "gpt", "openai")
MAIL, MAIL_GPT = Route("mail", provider="anthropic"), Route("mail", provider="openai")


def test_what_every_variant_served_adds_up() -> None:
    """Whatever service told it; the variant that served most comes first."""
    found = served(
        ABOUT,
        T0,
        [RouteTotal(CLAUDE, 10, 90), RouteTotal(GPT, 800, 0), RouteTotal(GPT._replace(service="app"), 100, 0)],
        [],
        {},
    )
    assert found is not None

    assert (VariantShare(FLAG, "gpt", "", 900, 0), VariantShare(FLAG, "claude", "", 10, 90)) == found.shares
    assert (1_000, 0.91) == (found.total, found.share)


def test_nothing_is_said_where_nothing_was_told() -> None:
    """Requests of other flags and providers are about something else."""
    other = [RouteTotal(Route("chat", "billing", "on"), 5, 5), RouteTotal(Route("chat", provider="mistral"), 5, 5)]

    assert served(ABOUT, T0, other, other, {}) is None


def test_a_service_that_names_no_flag_counts_by_provider() -> None:
    """As exporters of OpenTelemetry do."""
    found = served(ABOUT, T0, [RouteTotal(MAIL, 1, 9), RouteTotal(MAIL_GPT, 30, 0)], [], {})

    assert found and (VariantShare("", "", "openai", 30, 0), VariantShare("", "", "anthropic", 1, 9)) == found.shares


def test_a_service_that_names_the_flag_is_not_counted_twice() -> None:
    """It may tell the same requests by both ways."""
    found = served(ABOUT, T0, [RouteTotal(CLAUDE, 5, 5), RouteTotal(Route("chat", provider="anthropic"), 5, 5)], [], {})

    assert found and found.total == 10


def test_what_the_default_lost_before_the_switch_is_told_apart() -> None:
    """What it lost afterwards, or a fallback at any time, is no argument for switching sooner."""
    whole = [RouteTotal(CLAUDE, 10, 90), RouteTotal(GPT, 800, 7), RouteTotal(MAIL, 0, 40)]
    found = served(
        ABOUT, T0, whole, whole, {FLAG: (T0, [RouteTotal(CLAUDE, 2, 60), RouteTotal(GPT, 0, 3), RouteTotal(MAIL, 0, 11)])}
    )

    assert found and (60 + 11, {FLAG: T0}) == (found.lost_before, found.switched)


def test_without_a_switch_those_whom_fallbacks_saved_are_lost() -> None:
    """Those whom a fallback served while the default was well again are not: the default would have."""
    whole, unwell = (
        [RouteTotal(CLAUDE, 100, 100), RouteTotal(GPT, 800, 0)],
        [RouteTotal(CLAUDE, 0, 100), RouteTotal(GPT, 600, 0)],
    )
    found = served(ABOUT, T0, whole, unwell, {})

    assert found and (600, 0.9, 0.3) == (found.saved, found.share, pytest.approx(found.without_switch))


def test_an_incident_concerns_the_flags_behind_its_components() -> None:
    """With their defaults, and the providers of all their variants."""
    story = outage_story(46)

    found = concerned(story.incident(), story.policy, story.world)

    assert {FLAG: "claude", "search.rerank": "on"} == found.defaults
    assert (frozenset({"anthropic", "openai"}), "anthropic") == (found.providers, found.failing)


def test_when_a_flag_was_switched_is_known_while_it_is() -> None:
    """And stays on record with the figures."""
    story = outage_story(46)
    engagement = story.world.flag(FLAG).engagement

    assert engagement and {FLAG: engagement.at} == switched(story.incident(), story.policy, story.world)


@pytest.mark.parametrize(("minutes", "wants"), [(0, True), (0.5, True)])
def test_an_open_incident_is_counted(minutes: float, wants: bool) -> None:
    """From its first moment."""
    story = outage_story(46)

    assert wants is wants_count(story.incident(), story.policy, story.world, story.now + timedelta(minutes=minutes))


def test_an_incident_that_is_over_is_counted_once_when_everybody_has_told() -> None:
    """Exporters tell once a minute."""
    story = outage_story()
    incident = story.incident()
    assert (
        incident.phase is Phase.RESOLVED
        and incident.ending.at
        and all(one.level is Level.OPERATIONAL for one in incident.affected.values())
    )
    moments = [incident.ending.at + span for span in (SETTLE_FOR - timedelta(seconds=1), SETTLE_FOR, timedelta(hours=1))]

    assert [False, True, False] == [wants_count(incident, story.policy, story.world, at) for at in moments]


@pytest.mark.parametrize(("share", "words"), [(1.0, "100 %"), (0.99999, "99.9 %"), (0.992, "99.2 %"), (0.0, "0.0 %")])
def test_a_share_is_never_said_to_be_better_than_it_is(share: float, words: str) -> None:
    """Not even by rounding."""
    assert words == percent(share)
