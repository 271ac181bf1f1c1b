"""Which answers count for our sight, for how long, and against whom: at the limits, and in words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.detection.blindness import BlindnessRule, ProvenAnswers, lost_controls
from bot.core.model import Fault, Outcome, Sample
from bot.core.record.sight import CLEAR, Sight
from tests.core.detection.test_blindness import DARK, FINE, LOST_NAME, RULE, Round
from tests.desk import START


def second(n: float) -> timedelta:
    return timedelta(seconds=n)


# --- what ever answered


@pytest.mark.parametrize(
    ("proven", "speaks"),
    [
        (ProvenAnswers(), True),
        (ProvenAnswers(provider=True), False),
        (ProvenAnswers(provider=True, controls=frozenset({"way"})), True),
        (ProvenAnswers(controls=frozenset({"way-2"})), True),
        (ProvenAnswers(inside=True), False),
        (ProvenAnswers(inside=True, outside=True), True),
    ],
    ids=[
        "nothing answered yet",
        "a provider did",
        "the control did as well",
        "another control did",
        "our own network did, and nobody else was asked",
        "only our own network did",
    ],
)
def test_control_that_never_answered_counts_until_a_provider_answered(proven: ProvenAnswers, speaks: bool) -> None:
    """Where only chosen hosts are reachable it stays silent for ever, which means nothing."""
    assert speaks == proven.speaks("way")


def test_answers_are_learned_one_by_one() -> None:
    """An internal answer counts until something outside is checked; then only outside answers do."""
    look = Round()
    proven, speaks = ProvenAnswers(), []
    for check, error in (("ours", FINE), ("a", DARK), ("a", "address_refused"), ("a", "http_5xx")):
        proven = proven.after(look.sample(check, error))
        speaks.append(proven.speaks("way"))

    assert [False, True, True, False] == speaks


# --- controls that are lost


def lost(look: Round, now: float) -> frozenset[str]:
    controls = {sample.check: sample for sample in look.controls.values()}
    providers = {name: list(checks.values()) for name, checks in look.providers.items()}
    return lost_controls(look.sight, controls, providers, START + second(now), look.rule)


def long_dark(**dark: str) -> Round:
    """Controls that are silent for four minutes, while one provider answers all the time and another does not."""
    look = Round()
    look.at(0, a=FINE, b=DARK, **dark)
    for n in range(30, 241, 30):
        look.at(n, a=FINE, b=DARK, **dark)
    return look


def test_silent_control_is_lost_after_three_minutes_if_providers_answer() -> None:
    """A firewall, or a host that moved: the fault is the control's own."""
    look = long_dark(way=DARK, way_2=FINE)

    assert frozenset({"way"}) == lost(look, 240)
    assert not look.sight.blind


def test_control_silent_for_less_is_not_lost() -> None:
    """The answer must come more than three minutes after it fell silent."""
    look = Round()
    for n in range(0, 181, 30):
        look.at(n, way=DARK, a=FINE, b=DARK)

    assert frozenset() == lost(look, 180)


def test_no_control_is_lost_if_nobody_answers() -> None:
    """Providers that fail by network, or without results, prove nothing."""
    look = Round()
    unknown = Sample("b.api.x", "b.api", START + second(240), Outcome.INCONCLUSIVE, None, Fault.LOCAL)
    look.at(0, way=DARK, a=DARK)
    for n in range(30, 241, 30):
        look.at(n, way=DARK, a=DARK)
    look.providers["b"] = {"x": unknown}

    assert frozenset() == lost(look, 240)


@pytest.mark.parametrize(("dns", "found"), [("stale", frozenset({"way"})), ("", frozenset({"way", "names"}))])
def test_answer_with_a_cached_name_says_nothing_about_our_resolver(dns: str, found: frozenset[str]) -> None:
    """It was not looked up; about our uplink it says as much as any."""
    look = long_dark(way=DARK, names=LOST_NAME, way_2=FINE)
    sample = replace(look.providers["a"]["api" if "api" in look.providers["a"] else ""], evidence={"dns": dns})
    look.providers["a"] = {"": sample}

    assert found == lost(look, 240)


def test_control_that_answers_again_counts() -> None:
    """As before."""
    look = long_dark(way=DARK, way_2=FINE)
    look.at(250, way=FINE)

    assert frozenset() == lost(look, 250)


def test_control_without_new_results_keeps_its_state() -> None:
    """A pause of the machine is no answer: the start of its silence is kept, and forgotten if it answered."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK, a=FINE)
    look.at(10, way_2=FINE)
    look.at(200, a=FINE)

    assert {"control/way": START} == dict(look.sight.onsets)


# --- our resolver


def resolver_round(dns: str) -> Round:
    """Our resolver falls silent, one provider's name cannot be resolved, and another answers with a cached name."""
    look = Round()
    look.at(0, way=FINE, names=FINE, a=FINE, b=FINE)
    look.second = 10
    look.providers["a"] = {"": replace(look.sample("a.api.", FINE), evidence={"dns": dns})}
    look.at(10, names=LOST_NAME, b=LOST_NAME)
    return look


@pytest.mark.parametrize(("dns", "blind"), [("stale", True), ("fresh", False)])
def test_cached_name_does_not_prove_our_resolver(dns: str, blind: bool) -> None:
    """Only a name that was looked up does."""
    assert blind == resolver_round(dns).sight.blind


def test_cached_name_proves_our_uplink() -> None:
    """Its host was reached."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, b=FINE)
    look.at(10, way=DARK, way_2=DARK, b=DARK)
    look.sight = CLEAR
    look.providers["a"] = {"": replace(look.sample("a.api.", FINE), evidence={"dns": "stale"})}

    assert not look.blind(11)


def test_silent_resolver_is_named_with_its_controls() -> None:
    """The only one, both, or most of three."""
    rule = BlindnessRule(resolvers=frozenset({"names", "names-2", "names-3"}))
    said = []
    for names in (["names"], ["names", "names_2"], ["names", "names_2", "names_3"]):
        said.append(Round(rule=rule).at(0, way=FINE, a=LOST_NAME, **dict.fromkeys(names, LOST_NAME)).reason)

    assert [
        "our resolver does not answer, says the only control",
        "our resolver does not answer, says both controls",
        "our resolver does not answer, says all 3 controls",
    ] == said


def test_simultaneously_unresolvable_names_are_counted() -> None:
    """Two of three providers."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)

    assert "our resolver finds 2 of 3 providers no more" == look.at(10, a=LOST_NAME, b=LOST_NAME, c=FINE).reason
    assert START + second(10) == look.sight.began_at


@pytest.mark.parametrize(
    ("names", "blind"), [({"a": LOST_NAME, "b": FINE}, False), ({"a": LOST_NAME, "b": FINE, "c": FINE}, False)]
)
def test_half_of_the_names_or_fewer_do_not_blame_our_resolver(names: dict[str, str], blind: bool) -> None:
    """It takes more than half."""
    look = Round()
    look.at(0, **dict.fromkeys(names, FINE))

    assert blind == look.blind(10, **names)


def test_answering_resolver_control_overrules_unresolvable_names() -> None:
    """Most providers' names are gone, but our control of names is fine."""
    look = Round()
    look.at(0, names=FINE, a=FINE, b=FINE)

    assert not look.blind(10, names=FINE, a=LOST_NAME, b=LOST_NAME)


def test_error_that_is_not_about_names_does_not_blame_our_resolver() -> None:
    """Only errors of names are."""
    look = Round()
    look.at(0, a=FINE, b=FINE)

    assert not look.blind(10, a=DARK, b=DARK)


# --- unrelated providers


@pytest.mark.parametrize(("dark", "blind"), [(1, False), (2, False), (3, True), (4, True)])
def test_more_than_half_of_the_providers_must_fail_at_once(dark: int, blind: bool) -> None:
    """Of four, three."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE, d=FINE)
    errors = {name: DARK if n < dark else FINE for n, name in enumerate("abcd")}

    assert blind == look.blind(10, **errors)


@pytest.mark.parametrize(("apart", "blind"), [(90, True), (91, False)])
def test_at_once_means_within_a_minute_and_a_half(apart: float, blind: bool) -> None:
    """The third provider answers meanwhile."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)
    look.at(10, a=DARK, c=FINE)

    assert blind == look.blind(10 + apart, a=DARK, b=DARK, c=FINE)


@pytest.mark.parametrize(("after", "blind"), [(179, True), (180, False)])
def test_without_controls_an_answer_after_three_minutes_counts(after: float, blind: bool) -> None:
    """To the second, from the last failure that began; the answer must be newer."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)
    look.at(10, a=DARK, b=DARK)
    look.at(20, c=FINE)
    look.sight = replace(look.sight, blind=False)

    assert blind == look.blind(10 + after, a=DARK, b=DARK, c=FINE)


def test_without_controls_an_earlier_answer_does_not_count() -> None:
    """It says nothing about our uplink since."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE, d=FINE)
    look.at(100, a=DARK, b=DARK, c=DARK)
    look.rule = replace(RULE, fresh_for=second(600))
    look.sight = replace(look.sight, blind=False)

    assert look.blind(400, a=DARK, b=DARK, c=DARK)


@pytest.mark.parametrize(("after", "blind"), [(179, True), (181, False)])
def test_controls_count_after_three_good_minutes(after: float, blind: bool) -> None:
    """If the failure is as old."""
    look = Round()
    look.at(0, a=FINE, b=FINE, c=FINE)
    look.at(9, way=FINE)
    look.at(10, way=FINE, a=DARK, b=DARK, c=DARK)
    look.sight = replace(look.sight, blind=False)

    assert blind == look.blind(10 + after, way=FINE, a=DARK, b=DARK, c=DARK)


def test_silence_of_controls_restarts_their_three_minutes() -> None:
    """Their three minutes begin anew."""
    look = Round()
    look.at(0, way=FINE, a=FINE, b=FINE, c=FINE)
    look.at(10, way=FINE, a=DARK, b=DARK, c=DARK)
    look.at(100, way=DARK)
    look.at(130, way=FINE, a=DARK, b=DARK, c=DARK)
    look.sight = replace(look.sight, blind=False)

    assert look.blind(200, way=FINE, a=DARK, b=DARK, c=DARK)


def test_one_of_two_controls_is_not_enough() -> None:
    """The other is silent all the time."""
    look = Round()
    look.at(0, way=FINE, way_2=FINE, a=FINE, b=FINE, c=FINE)
    for n in range(10, 200, 30):
        look.at(n, way=FINE, way_2=DARK, a=DARK, b=DARK, c=DARK)
    look.sight = replace(look.sight, blind=False)

    assert look.blind(200, way=FINE, way_2=DARK, a=DARK, b=DARK, c=DARK)


# --- proofs


@pytest.mark.parametrize(("ago", "blind"), [(90, False), (91, True)])
def test_answer_is_proof_for_a_minute_and_a_half(ago: float, blind: bool) -> None:
    """After the controls fell silent; a provider is silent as well."""
    look = Round(rule=replace(RULE, believe_witnesses_after=second(3600)))
    look.at(0, way=FINE, a=FINE, b=FINE)
    look.at(10, way=DARK)
    look.at(11, a="http_5xx")
    look.sight = replace(look.sight, blind=False)
    look.at(10 + ago, way=DARK)

    assert blind == look.blind(11 + ago, way=DARK, b=DARK)


@pytest.mark.parametrize(("ago", "blind"), [(180, False), (181, True)])
def test_answer_of_a_rare_check_is_proof_for_one_and_a_half_intervals(ago: float, blind: bool) -> None:
    """Every two minutes: three minutes."""
    rule = replace(RULE, every={"a.api.": second(120)}, believe_witnesses_after=second(3600))
    look = Round(rule=rule)
    look.at(0, way=FINE, a=FINE, b=FINE)
    look.at(10, way=DARK)
    look.at(11, a="http_5xx")

    assert blind == look.blind(11 + ago, way=DARK, b=DARK)


def test_answer_at_the_moment_of_the_cut_proves_our_uplink() -> None:
    """It came as the controls fell silent."""
    look = Round()
    look.at(0, way=FINE, a=FINE, b=FINE)

    assert not look.blind(10, way=DARK, a="http_5xx", b=DARK)


@pytest.mark.parametrize(("after", "blind"), [(90, True), (91, False)])
def test_result_is_fresh_for_a_minute_and_a_half(after: float, blind: bool) -> None:
    """Then a control no longer counts."""
    look = Round()
    look.at(0, way=DARK)
    look.sight = CLEAR

    assert blind == look.blind(after)


@pytest.mark.parametrize(("after", "blind"), [(180, True), (181, False)])
def test_result_of_a_rare_check_is_fresh_for_three_intervals(after: float, blind: bool) -> None:
    """Every minute: three minutes."""
    look = Round(rule=BlindnessRule(every={"way": second(60)}))
    look.at(0, way=DARK)
    look.sight = CLEAR

    assert blind == look.blind(after)


# --- words, and the way back


def test_number_of_silent_controls_is_worded() -> None:
    """One, two, three, and two of three."""
    said = [
        Round().at(0, **dict.fromkeys(names, DARK)).reason for names in (["way"], ["way", "way_2"], ["way", "way_2", "way_3"])
    ]

    assert ["the only control is unreachable", "both controls are unreachable", "all 3 controls are unreachable"] == said


def test_single_uplink_control_beside_a_dns_one_is_named() -> None:
    """`understudy init` writes two controls, so "the only one" would be a riddle."""
    look = Round(rule=BlindnessRule(resolvers=frozenset({"names"})))

    assert "way is unreachable" == look.at(0, way=DARK, names=DARK, a=DARK).reason


@pytest.mark.parametrize(("dark", "of", "blind"), [(1, 2, False), (2, 3, True), (2, 4, False), (3, 4, True), (3, 5, True)])
def test_more_than_half_of_the_controls_must_be_silent(dark: int, of: int, blind: bool) -> None:
    """Of two, both."""
    errors = {f"way_{n}": DARK if n < dark else FINE for n in range(of)}

    assert blind == Round().blind(0, **errors)


def test_blindness_begins_when_most_controls_were_silent() -> None:
    """One earlier lost control says nothing about that moment."""
    look = Round()
    look.at(0, way=DARK, way_2=FINE, way_3=FINE)
    look.at(20, way=DARK, way_2=DARK)

    assert START + second(20) == look.sight.began_at


def test_first_failure_after_an_answer_is_the_start() -> None:
    """A provider with several checks: failures before its last answer do not count."""
    look = Round()
    look.at(0, b=FINE, c=FINE)
    for n, name, error in ((1, "w", DARK), (2, "x", FINE), (3, "y", DARK), (4, "z", DARK)):
        look.second = n
        look.providers.setdefault("a", {})[name] = look.sample(f"a.api.{name}", error)
    look.at(5)

    assert {"a": START + second(3)} == dict(look.sight.onsets)


def test_blindness_ends_after_exactly_ten_seconds_of_answers() -> None:
    """Answers from before it, or from before the recovery began, do not count."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK)
    look.at(30, way=FINE, way_2=FINE)

    assert [True, False] == [look.blind(39.9, way=FINE, way_2=FINE), look.blind(40, way=FINE, way_2=FINE)]


def test_old_answer_starts_no_recovery() -> None:
    """The control is silent now, and another one's answer is older."""
    look = Round()
    look.at(0, a=FINE)
    look.at(5, way=DARK, a=DARK)
    look.controls.clear()
    look.providers["a"] = {"": look.sample("a.api.", FINE)}
    look.providers["a"][""] = replace(look.providers["a"][""], at=START + second(4))
    look.at(30)

    assert look.sight.blind
    assert look.sight.good_since is None


def test_answer_from_before_the_recovery_does_not_end_blindness() -> None:
    """Measured a second before it, and silence since: one more answer must come."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK)
    look.second = 29
    look.controls = {name: look.sample(name, FINE) for name in ("way", "way-2")}
    look.at(30)

    assert [True, False] == [look.blind(41), look.blind(42, way=FINE, way_2=FINE)]


def test_network_failure_is_no_answer() -> None:
    """The controls fell silent, and only one provider is checked."""
    look = Round()
    look.at(0, way=DARK, a=DARK)

    assert [True, True] == [look.blind(200, a=DARK), look.blind(211, a=DARK)]


def test_second_blindness_starts_without_leftovers_of_the_first() -> None:
    """Nothing of the first one's end is left in it."""
    look = Round()
    look.at(0, way=DARK, way_2=DARK)
    for n in (30, 41):
        look.at(n, way=FINE, way_2=FINE)
    ended = look.sight
    again = look.at(60, way=DARK, way_2=DARK)

    assert (False, None) == (ended.blind, ended.good_since)
    assert replace(CLEAR, blind=True, reason="both controls are unreachable", began_at=START + second(60)) == Sight(
        blind=again.blind, reason=again.reason, began_at=again.began_at, ended_at=again.ended_at, good_since=again.good_since
    )
