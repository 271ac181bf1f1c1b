"""The table of error classes says what may follow from each; this is what does follow, through detector, verdict and rules."""

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
    """All is well, and then the only check of the component sees nothing but this error for ten minutes."""
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
def test_an_error_opens_an_incident_only_where_its_row_says_so(error: str) -> None:
    """A key of ours, a typo, a spent quota or our own network never page anybody about a vendor."""
    assert ERROR_CLASSES[error].may_open == bool(outage_of(error).kinds(Declared)), error


@pytest.mark.parametrize("error", ERROR_CLASSES)
def test_an_error_moves_a_flag_only_where_its_row_says_so(error: str) -> None:
    """A spent quota sends services to the fallback although the vendor is well; a bad key does not."""
    assert ERROR_CLASSES[error].may_flip == bool(outage_of(error).kinds(Engaged)), error


@pytest.mark.parametrize("error", [name for name, row in ERROR_CLASSES.items() if row.fault.ours and row.outcome == "fail"])
def test_what_is_ours_is_told_quietly(error: str) -> None:
    """Somebody has to mend it; a thread in the ops channel says so."""
    assert 1 == len(outage_of(error).effects(OpenThread)), error


def test_a_sudden_refusal_is_the_vendors_until_shown_otherwise() -> None:
    """The same 401 opens nothing for a key that never worked, and an incident for one that worked minutes ago."""
    assert [] == outage_of("auth").kinds(Declared)
    assert 1 == len(outage_of("auth_sudden").kinds(Declared))
