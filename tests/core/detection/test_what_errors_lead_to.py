"""The table of error classes against what really follows, through detector, verdict and rules."""

from datetime import timedelta

import pytest

from bot.core.detection.detector import NEW, observe
from bot.core.detection.error_classes import ERROR_CLASSES
from bot.core.detection.settings import Rule
from bot.core.detection.verdict import CheckView, reach
from bot.core.effects import OpenThread
from bot.core.model import Sample
from bot.core.record.flag_facts import Engaged
from bot.core.record.incident_facts import Declared
from bot.core.signals import VerdictReached
from tests.desk import RULE, START, Table

COMPONENT = "anthropic.api"


def outage_of(error: str) -> Table:
    """All is well, then the component's only check sees nothing but this error for ten minutes."""
    row = ERROR_CLASSES[error]
    table = Table().all_well()
    track = NEW
    for number in range(20):
        at = START + timedelta(seconds=30) * number
        sample = Sample("anthropic.api.models", COMPONENT, at, row.outcome, error, row.fault, row.sentence, {"total": 40.0})
        track = observe(track, sample, Rule())
        table.now = at
    verdict = reach(COMPONENT, {"models": CheckView({"local": track.judgement})}, now=table.now)
    if not table.world.component(COMPONENT).agrees(verdict):
        table.send(VerdictReached(actor=RULE, verdict=verdict))
    return table


@pytest.mark.parametrize("error", ERROR_CLASSES)
def test_error_opens_an_incident_only_if_the_table_says_so(error: str) -> None:
    """A wrong key, a typo, an exhausted quota or our own network never page anybody about a vendor."""
    assert ERROR_CLASSES[error].may_open == bool(outage_of(error).kinds(Declared)), error


@pytest.mark.parametrize("error", ERROR_CLASSES)
def test_error_switches_a_flag_only_if_the_table_says_so(error: str) -> None:
    """An exhausted quota sends services to the fallback although the vendor is well; a bad key does not."""
    assert ERROR_CLASSES[error].may_flip == bool(outage_of(error).kinds(Engaged)), error


@pytest.mark.parametrize("error", [name for name, row in ERROR_CLASSES.items() if row.fault.ours and row.outcome == "fail"])
def test_our_own_faults_are_reported_quietly(error: str) -> None:
    """In a thread of the ops channel, so that somebody fixes them."""
    assert 1 == len(outage_of(error).effects(OpenThread)), error


def test_sudden_refusal_of_a_working_key_counts_as_the_vendors() -> None:
    """The same 401 opens nothing for a key that never worked."""
    assert [] == outage_of("auth").kinds(Declared)
    assert 1 == len(outage_of("auth_sudden").kinds(Declared))
