"""The output of `understudy check`: tables and sentences for people, a document for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.cli.output import print_table, print_text
from bot.config.checks.kinds import CONTROL
from bot.core.model import Fault, Outcome, Sample, Verdict
from bot.doctor.look_once import OneLook
from bot.system.redaction import Redactor

PHASES = ("dns", "connect", "tls", "first_byte", "first_token", "total")
HEADS = {"first_byte": "byte", "first_token": "token", "total": "total ms"}
EXCERPT = 200  # characters of an answer's body on a terminal; programs get all
WHOSE: Mapping[Fault, str] = {
    Fault.THEIRS: "It's the provider, not us.",
    Fault.OURS_KEY: "It's us: the provider refuses our key.",
    Fault.OURS_CONFIG: "It's us: our request or its address is wrong.",
    Fault.OURS_QUOTA: "It's us: our quota is used up.",
    Fault.LOCAL: "It's us: our own network or machine.",
    Fault.UNCLEAR: "Not clear yet whether it is the provider or us.",
    Fault.NONE: "Nothing fails at present.",
}
NOTHING = "No check is on, so nothing was checked. `understudy config check` tells what is off, and why."


def without_secrets(looked: OneLook, redactor: Redactor) -> OneLook:
    """The results, redacted once more like logs, whatever probes have already removed."""
    samples, verdicts = tuple(map(redactor.sample, looked.samples)), tuple(map(redactor.words, looked.verdicts))
    return replace(looked, samples=samples, verdicts=verdicts)


def as_document(looked: OneLook) -> dict[str, Any]:
    """The results for programs. Phases not reached are left out; `class` is null if nothing went wrong."""
    return {
        "checks": [_check(sample) for sample in looked.samples],
        "components": [
            {"component": verdict.component, "verdict": verdict.level.value, "reason": verdict.reason}
            for verdict in looked.verdicts
        ],
    }


def _check(sample: Sample) -> dict[str, Any]:
    return {
        "check": sample.check,
        "outcome": sample.outcome.value,
        "class": sample.error,
        "fault": sample.fault.value,
        "phases_ms": {phase: round(sample.phases_ms[phase], 3) for phase in PHASES if phase in sample.phases_ms},
        "reason": sample.reason,
        "evidence": dict(sample.evidence),
    }


# --- for people


def print_look(looked: OneLook) -> None:
    """The phases of every check, details of those that are not well, and the conclusion last, where people look first."""
    if not looked.samples:
        print_text(NOTHING)
    else:
        _print_phases(looked.samples)
        for sample in looked.samples:
            if sample.outcome is not Outcome.OK and sample.error != "blind":  # one sentence covers all of those
                _print_trouble(sample)
    if looked.verdicts:
        print_text("")
        print_table(("component", "verdict", "why"), [_row(verdict) for verdict in looked.verdicts], empty="")


def _print_phases(samples: Sequence[Sample]) -> None:
    """Milliseconds, right-aligned; a phase that no check has gets no column."""
    found = [phase for phase in PHASES if any(phase in sample.phases_ms for sample in samples)]
    columns = [_to_the_right([HEADS.get(phase, phase), *(_ms(s.phases_ms, phase) for s in samples)]) for phase in found]
    rows = [
        (sample.check, sample.outcome.value, *(column[at] for column in columns)) for at, sample in enumerate(samples, start=1)
    ]
    print_table(("check", "outcome", *(column[0] for column in columns)), rows, empty="")


def _to_the_right(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    return [cell.rjust(width) for cell in cells]


def _ms(phases_ms: Mapping[str, float], phase: str) -> str:
    if phase not in phases_ms:
        return ""
    ms = phases_ms[phase]
    return f"{ms:.1f}" if ms < 9.95 else f"{ms:.0f}"


def _print_trouble(sample: Sample) -> None:
    """Why it is not well, whose fault that is, and the evidence that a support desk asks for first."""
    kind = f"{sample.outcome.value}, {sample.error}" if sample.error else sample.outcome.value
    print_text(f"\n{sample.check} ({kind}): {sample.reason}")
    if sample.error and sample.component != CONTROL:  # a control cannot tell whose fault it is: it only tests our own network
        print_text(f"  {WHOSE[sample.fault]}")
    for key, value in sample.evidence.items():
        print_text(f"  {key.replace('_', ' ')}: {value[:EXCERPT]}")


def _row(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.component, verdict.level.value, verdict.reason
