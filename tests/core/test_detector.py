"""The k-of-n window and the verdict over several checks."""

from datetime import timedelta

import pytest

from bot.core.detector import NOT_YET, Condition, Judgement, WindowRule, judge
from bot.core.model import Fault, Level, Outcome, Sample
from bot.core.verdict import reach
from tests.desk import START

RULE = WindowRule(5, 3, 3)
WORDS = {"o": Outcome.OK, "f": Outcome.FAIL, "s": Outcome.SLOW, "?": Outcome.INCONCLUSIVE}


def run(results: str, rule: WindowRule = RULE, fault: Fault = Fault.THEIRS) -> Judgement:
    """Judge a history such as `ooff?o`, sample by sample."""
    judgement, seen = NOT_YET, []
    for n, word in enumerate(results):
        outcome = WORDS[word]
        bad = outcome in (Outcome.FAIL, Outcome.SLOW)
        at = START + timedelta(seconds=30 * n)
        seen.append(Sample("a.b.c", "a.b", at, outcome, fault=fault if bad else Fault.NONE, reason="HTTP 502" if bad else ""))
        judgement = judge(judgement, seen, rule)
    return judgement


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("", Condition.UNKNOWN),
        ("?", Condition.UNKNOWN),
        ("o", Condition.WELL),
        ("f", Condition.UNKNOWN),
        ("ooooof", Condition.WELL),
        ("ooofof", Condition.WELL),
        ("ooofff", Condition.FAILING),
        ("oofofof", Condition.FAILING),
        ("fff", Condition.FAILING),
        ("fffoo", Condition.FAILING),
        ("fffooo", Condition.WELL),
        ("fffoofooo", Condition.WELL),
        ("ooosss", Condition.SLOW),
        ("ooosfs", Condition.SLOW),
        ("ooofff???", Condition.FAILING),
        ("fffsss", Condition.SLOW),
        ("sssooo", Condition.WELL),
    ],
)
def test_the_window_judges(results: str, expected: Condition) -> None:
    """One blip makes no noise, one lucky answer ends no outage, slow is not down."""
    assert expected == run(results).condition


def test_a_judgement_says_why_and_since_when() -> None:
    """The first failed sample is when it began; the reason counts."""
    judgement = run("ooofff")

    assert ("3 of the last 5 runs failed: HTTP 502", START + timedelta(seconds=90)) == (judgement.reason, judgement.began_at)


FAILING, WELL, SLOW = run("ooofff"), run("ooo"), run("ooosss")
OURS = run("ooofff", fault=Fault.OURS_KEY)


@pytest.mark.parametrize(
    ("checks", "pending", "level", "fault"),
    [
        ({"a": WELL, "b": WELL}, (), Level.OPERATIONAL, Fault.NONE),
        ({"a": FAILING, "b": WELL}, (), Level.DEGRADED, Fault.THEIRS),
        ({"a": FAILING, "b": FAILING}, (), Level.DOWN, Fault.THEIRS),
        ({"a": SLOW}, (), Level.DEGRADED, Fault.THEIRS),
        ({"a": OURS}, (), Level.UNKNOWN, Fault.OURS_KEY),
        ({"a": OURS, "b": FAILING}, (), Level.DOWN, Fault.THEIRS),
        ({"a": WELL}, ("inference",), Level.UNKNOWN, Fault.NONE),
        ({"a": FAILING}, ("inference",), Level.DOWN, Fault.THEIRS),
        ({"a": WELL, "b": NOT_YET}, (), Level.UNKNOWN, Fault.NONE),
        ({}, (), Level.UNKNOWN, Fault.NONE),
    ],
)
def test_the_verdict_combines_checks(
    checks: dict[str, Judgement], pending: tuple[str, ...], level: Level, fault: Fault
) -> None:
    """Ours never makes theirs down; a pending check never lets a component look healthy."""
    verdict = reach("a.b", checks, pending=pending)

    assert (level, fault) == (verdict.level, verdict.fault)
    assert verdict.reason
