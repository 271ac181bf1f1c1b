"""Whether the failure is ours: the control group, our resolver, and providers that fail at once."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.core.detection.blindness import BlindnessRule, assess_sight, hidden
from bot.core.model import Fault, Outcome, Sample
from bot.core.record.sight import CLEAR, Sight
from tests.desk import START

RULE = BlindnessRule(resolvers=frozenset({"names", "names-2"}))
FINE, DARK, LOST_NAME = "", "connect_timeout", "dns_timeout"


@dataclass
class Round:
    """Assesses our sight second by second from the newest samples, as the watch does."""

    sight: Sight = CLEAR
    second: float = 0
    controls: dict[str, Sample] = field(default_factory=dict)
    providers: dict[str, dict[str, Sample]] = field(default_factory=dict)
    rule: BlindnessRule = RULE

    def sample(self, check: str, error: str) -> Sample:
        outcome = Outcome.FAIL if error else Outcome.OK
        at = START + timedelta(seconds=self.second)
        return Sample(check, check, at, outcome, error or None, Fault.THEIRS, inside=check.startswith("ours"))

    def at(self, second: float, **errors: str) -> Sight:
        """Controls are called `way`, `way_2`, `names`...; everything else is a provider; `p__x` is its check x.

        Providers called `ours...` have addresses of our own network.
        """
        self.second = second
        for name, error in errors.items():
            if name.startswith(("way", "names")):
                self.controls[name] = self.sample(name.replace("_", "-"), error)
            else:
                provider, _, check = name.partition("__")
                self.providers.setdefault(provider, {})[check] = self.sample(f"{provider}.api.{check}", error)
        now = START + timedelta(seconds=second)
        controls = {sample.check: sample for sample in self.controls.values()}
        providers = {name: list(checks.values()) for name, checks in self.providers.items()}
        self.sight = assess_sight(self.sight, controls, providers, now, self.rule)
        return self.sight

    def blind(self, second: float, **errors: str) -> bool:
        return self.at(second, **errors).blind


# --- our way out


def test_blind_if_both_controls_and_a_provider_are_unreachable() -> None:
    """One of two controls is not enough: the fault may be its own."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE)

    assert [False, True] == [look.blind(10, way=DARK, a=DARK), look.blind(15, way_2=DARK)]
    assert "both controls are unreachable" == look.sight.reason
    assert START + timedelta(seconds=15) == look.sight.began_at


def test_blind_if_most_of_three_controls_are_unreachable() -> None:
    """More than half; without any provider the controls alone decide."""
    look = Round()

    assert [False, True] == [look.blind(0, way=DARK, way_2=FINE, way_3=FINE), look.blind(5, way_2=DARK)]
    assert "2 of 3 controls are unreachable" == look.sight.reason


def test_lost_packet_of_a_control_is_no_blindness() -> None:
    """As long as every provider that was checked answers."""
    look = Round()
    look.at(0, way=FINE, a=FINE, b=FINE)

    assert [False, True] == [look.blind(10, way=DARK), look.blind(20, way=DARK, a=DARK)]


def test_answer_of_a_provider_proves_our_uplink() -> None:
    """Even a 503: the controls are broken, and the other provider is unreachable by itself."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, b=FINE)
    look.at(10, way=DARK, way_2=DARK)
    look.at(12, a="http_5xx")

    assert not look.blind(13, b=DARK)


def test_earlier_loss_of_a_control_does_not_date_the_cut() -> None:
    """One lost packet, then an answer of a provider, then the cut: the answer is older than the cut."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, b=FINE)
    look.at(10, way=DARK)
    look.at(15, a=FINE)

    assert look.blind(20, way=DARK, way_2=DARK, b=DARK)


def test_answer_from_before_the_cut_proves_nothing() -> None:
    """The provider was last checked while all was well."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, b=FINE)

    assert look.blind(10, way=DARK, way_2=DARK, b=DARK)


def test_outdated_controls_are_ignored() -> None:
    """Results from minutes ago say nothing about now; a slow check counts for three of its intervals."""
    look = Round()
    look.at(0, way=DARK)
    look.sight = CLEAR

    assert not look.blind(120)
    look.rule = BlindnessRule(every={"way": timedelta(seconds=60)})
    assert look.blind(121)


def test_error_of_a_control_is_no_blindness() -> None:
    """It was reached."""
    assert not Round().blind(0, way="http_5xx", way_2="http_unexpected")


# --- addresses of our own network


def test_internal_answer_does_not_prove_our_uplink() -> None:
    """A service in the next rack answers while the internet line is cut: the fault is ours."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, ours=FINE)
    look.at(10, way=DARK, way_2=DARK)

    assert look.blind(13, a=DARK, ours=FINE)


def test_internal_answer_does_not_end_blindness() -> None:
    """The line is still cut, however long the next rack answers."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK, a=DARK)
    seen = [look.blind(second, ours=FINE, way=DARK, way_2=DARK, a=DARK) for second in (30, 60, 300)]

    assert [True, True, True] == seen


@pytest.mark.parametrize("error", ["address_refused", "bad_check", "proxy", "proxy_failed"])
def test_request_that_was_never_sent_proves_nothing(error: str) -> None:
    """The guard, our own mistake or our own proxy stopped it."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, b=FINE)
    look.at(10, way=DARK, way_2=DARK)

    assert look.blind(13, a=DARK, b=error)


def test_internal_answers_are_proof_if_nothing_else_is_checked() -> None:
    """The controls may be firewalled; one of two internal services answers, so the other is really down."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK, ours=FINE, ours_2=FINE)

    assert not look.blind(10, way=DARK, way_2=DARK, ours=DARK, ours_2=FINE)


def test_internal_failure_counts_while_internal_neighbours_answer() -> None:
    """The internet is unreachable, but the next rack answers, so a silent service there is down."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, ours=FINE, ours_2=FINE)
    cut = look.at(10, way=DARK, way_2=DARK, a=DARK, ours=DARK)
    later = look.at(20, ours_2=FINE, way=DARK, way_2=DARK, a=DARK)
    inner, outer = look.providers["ours"][""], look.providers["a"][""]

    assert [True, True] == [hidden(inner, cut), hidden(outer, cut)]
    assert [False, True] == [hidden(inner, later), hidden(outer, later)]


def test_internal_failure_after_a_new_cut_needs_a_neighbours_answer() -> None:
    """Answers during the last blindness say nothing about this one: it may be our own cable."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK, a=DARK)
    look.at(5, ours_2=FINE, way=DARK, way_2=DARK)
    look.at(10, way=FINE, way_2=FINE, a=FINE)
    assert not look.blind(21, way=FINE, way_2=FINE, a=FINE)
    cut = look.at(100, way=DARK, way_2=DARK, a=DARK, ours=DARK)

    assert hidden(look.providers["ours"][""], cut)


# --- our resolver


def test_blind_if_our_resolver_does_not_answer() -> None:
    """Controls reached by IP address stay well."""
    look = Round()

    assert look.blind(0, way=FINE, names=LOST_NAME, a=LOST_NAME)
    assert "our resolver does not answer" in look.sight.reason


def test_blind_if_most_names_cannot_be_resolved_at_once() -> None:
    """Without a control of type dns; controls by IP address do not contradict it."""
    look = Round()
    look.at(0, way=FINE, a=FINE, b=FINE)
    seen = [look.blind(second, way=FINE, a=LOST_NAME, b=LOST_NAME) for second in (30, 200, 400)]

    assert [True, True, True] == seen


def test_one_unresolvable_name_is_the_providers_fault() -> None:
    """The others resolve."""
    look = Round()
    look.at(0, way=FINE, names=FINE, a=FINE, b=FINE)

    assert not look.blind(10, a=LOST_NAME, b=FINE)


# --- unrelated providers


def test_blind_if_most_of_three_providers_fail_at_once() -> None:
    """Two of three within a minute, although the third still answers."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)

    assert [False, False, True] == [look.blind(10, a=DARK), look.blind(40, c=FINE), look.blind(50, b=DARK)]
    assert "2 of 3 providers became unreachable at once" == look.sight.reason


def test_two_providers_that_fail_at_once_prove_nothing() -> None:
    """They may share a cloud."""
    look = Round()
    look.at(0, a=FINE, b=FINE)

    assert not look.blind(10, a=DARK, b=DARK)


def test_providers_that_fail_hours_apart_are_separate_outages() -> None:
    """Three outages in three hours."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)
    looks = [look.blind(10, a=DARK), look.blind(130, a=DARK, b=DARK, c=FINE), look.blind(260, a=DARK, b=DARK, c=DARK)]

    assert [False, False, False] == looks


def test_error_answers_are_never_blindness() -> None:
    """All of them answer 503: a bad day, but we see it."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)

    assert not look.blind(10, a="http_5xx", b="overloaded", c="http_5xx")


def test_controls_that_answer_for_three_minutes_end_the_doubt() -> None:
    """The cause is a cloud that carries most of our providers."""
    look = Round()
    look.at(0, way=FINE, a=FINE, b=FINE, c=FINE)
    seen = [look.blind(second, way=FINE, a=DARK, b=DARK, c=DARK) for second in range(10, 250, 30)]

    assert [True] * 6 == seen[:6]
    assert not look.blind(250, way=FINE)


def test_answering_providers_end_the_doubt_after_three_minutes_without_controls() -> None:
    """Two of five answer all the time, so our uplink works."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE, d=FINE, e=FINE)
    seen = [look.blind(s, a=DARK, b=DARK, c=DARK, d=FINE, e=FINE) for s in range(10, 260, 30)]

    assert seen[0]
    assert not seen[-1]


def test_blindness_stays_without_controls_and_answers() -> None:
    """Nothing proves that our uplink works."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)
    seen = [look.blind(s, a=DARK, b=DARK, c=DARK) for s in range(10, 1000, 60)]

    assert {True} == set(seen)


def test_provider_with_one_answering_check_is_reachable() -> None:
    """One of its hosts is dead, the other answers in between."""
    look = Round()
    look.at(0, a__x=FINE, b=FINE, c=FINE)
    look.at(10, a__x=DARK, b=DARK)

    assert not look.blind(12, a__y=FINE, b=DARK, c=FINE)


# --- seeing again


def test_blindness_ends_after_answers_for_ten_seconds() -> None:
    """One lucky answer is not enough."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK)
    seen = [look.blind(30, way=FINE, way_2=FINE), look.blind(35, way=FINE, way_2=FINE), look.blind(41, way=FINE, way_2=FINE)]

    assert [True, True, False] == seen
    assert START + timedelta(seconds=41) == look.sight.ended_at


def test_relapse_restarts_the_wait_for_the_end() -> None:
    """The line flaps."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK)
    look.at(30, way=FINE, way_2=FINE)
    look.at(35, way=DARK, way_2=DARK)
    look.at(40, way=FINE, way_2=FINE)

    assert [True, False] == [look.blind(45, way=FINE), look.blind(51, way=FINE, way_2=FINE)]


def test_missing_results_do_not_end_blindness() -> None:
    """Nothing was measured for an hour, as after sleep of the machine."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK)

    assert [True, True] == [look.blind(3600), look.blind(3700)]


def test_reason_and_start_stay_during_one_blindness() -> None:
    """First the controls fail, then the providers."""
    look = Round()
    first = look.at(0, way=DARK, way_2=DARK)
    later = look.at(60, way=DARK, way_2=DARK, a=DARK, b=DARK, c=DARK)

    assert first.reason == later.reason
    assert first.began_at == later.began_at
