"""The wording of decisions: names instead of ids, reasons that add something, nothing twice."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.detection.detector import Condition, Judgement
from bot.core.detection.verdict import CheckView, reach
from bot.core.effects import OpenChannel, PostLine
from bot.core.model import Fault, Level, Outcome, Phase, Sample
from bot.core.record.fact import Body
from bot.core.record.flag_facts import Engaged, HandBackAsked, HandBackStepped, Released
from tests.desk import ANA, CHAT_FLAG, RULE, START, Table, policy, told

FLAG = CHAT_FLAG.key


def outage() -> Table:
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


def test_reasons_of_flags_use_display_names() -> None:
    """Engaged because and handed back because, in the configuration's names."""
    table = outage()
    table.sees("anthropic.api", Level.OPERATIONAL)
    table.passes(11)
    table.send(s.StepBack(actor=ANA, flag=FLAG))

    assert ["Claude API is down", "Claude API is operational", "Claude API is operational"] == [
        body.reason for body in table.kinds(Body) if isinstance(body, (Engaged, HandBackAsked, HandBackStepped))
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("we take it", "we take it (forced although Claude API is down)"),
        ("", "no reason given (forced although Claude API is down)"),
    ],
)
def test_forced_release_says_that_it_was_forced(words: str, reason: str) -> None:
    """Whatever reason somebody gives."""
    table = outage()
    table.send(s.ReleaseFlag(actor=ANA, flag=FLAG, reason=words, force=True))

    assert [reason] == [body.reason for body in table.kinds(Released) if isinstance(body, Released)]


def test_phase_changed_by_hand_has_no_invented_reason() -> None:
    """The person is named next to it."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))

    assert "" == table.incident().ending.reason
    assert ANA == table.incident().ending.by


def test_acknowledgement_is_posted_in_one_line() -> None:
    """The phase changes without a line of its own."""
    table = Table(policy(automation="off")).all_well()
    table.sees("anthropic.api", Level.DOWN)
    before = len(table.effects(PostLine))
    table.send(s.Acknowledge(actor=ANA, incident=1))

    assert Phase.INVESTIGATING == table.incident().phase
    assert 1 == len(table.effects(PostLine)) - before


def test_recovery_is_dated_by_its_evidence() -> None:
    """Alert, line and summary use the first good result, not the time of the verdict."""
    table = outage()
    table.now += timedelta(minutes=5)
    well = START + timedelta(minutes=4)
    judgement = Judgement(Condition.WELL, "3 of 3 runs were fine", began_at=well)
    verdict = reach("anthropic.api", {"front": CheckView({"local": judgement})}, now=table.now)
    table.send(s.VerdictReached(actor=RULE, verdict=verdict))

    assert well == table.incident().affected["anthropic.api"].recovered_at


def test_evidence_is_written_in_words() -> None:
    """Keys of samples lose their underscores."""
    sample = Sample("a.b.front", "a.b", START, Outcome.FAIL, "http_5xx", Fault.THEIRS, evidence={"request_id": "req_1"})
    judgement = Judgement(Condition.FAILING, "bad", Fault.THEIRS, START, sample)
    verdict = reach("a.b", {"front": CheckView({"local": judgement})}, now=START)

    assert ("front: request id req_1",) == verdict.evidence


def test_answer_to_an_export_says_where_it_is_posted() -> None:
    """Without a channel, under the alert."""
    table = outage()
    with_channel = told(table.send(s.AskExport(actor=ANA, incident=1, format="md")).answer)
    refused = s.EffectRefused(actor=RULE, key="k", kind=OpenChannel, incident=1, reason="restricted_action")
    table.send(refused)
    without = told(table.send(s.AskExport(actor=ANA, incident=1, format="md")).answer)

    assert [
        "The timeline of INC-1 will be posted as a file in its channel.",
        "The timeline of INC-1 will be posted as a file in the thread under its alert.",
    ] == [with_channel, without]
