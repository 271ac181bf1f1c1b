"""From the judgements of all checks of a component to one verdict, with its reason. Pure.

Ours and theirs are kept apart: a key that is refused, a wrong address or our own network say nothing of the vendor, so they
make a component `unknown` with the fault on our side, never `down`.
"""

from collections.abc import Mapping, Sequence

from bot.core.detector import Condition, Judgement
from bot.core.model import Fault, Level, Verdict


def reach(component: str, checks: Mapping[str, Judgement], *, pending: Sequence[str] = (), off: Sequence[str] = ()) -> Verdict:
    """Combine the checks of `component` (by name).

    `pending` names checks whose kind is not available yet: with one of them a component is never called healthy. `off` names
    checks without a credential: they do not count. Down = every check that can speak fails; degraded = some fail or are slow.
    """
    theirs = {n: j for n, j in checks.items() if j.condition in (Condition.FAILING, Condition.SLOW) and not j.fault.ours}
    ours = {n: j for n, j in checks.items() if j.condition is Condition.FAILING and j.fault.ours}
    failing = {n: j for n, j in theirs.items() if j.condition is Condition.FAILING}
    speaking = [n for n, j in checks.items() if j.condition is not Condition.UNKNOWN and n not in ours]
    if failing and len(failing) == len(speaking):
        return _from(component, Level.DOWN, failing)
    if theirs:
        return _from(component, Level.DEGRADED, theirs)
    if ours:
        return _from(component, Level.UNKNOWN, ours)
    if pending:
        words = f"{', '.join(pending)}: this kind of check is not available yet, so nobody can say that it is well"
        return Verdict(component, Level.UNKNOWN, words)
    if not checks:
        words = f"no check is on ({', '.join(off)}: no credential)" if off else "no check is configured"
        return Verdict(component, Level.UNKNOWN, words)
    silent = [n for n, j in checks.items() if j.condition is Condition.UNKNOWN]
    if silent:
        return Verdict(component, Level.UNKNOWN, f"{', '.join(silent)}: {checks[silent[0]].reason}")
    began = max(at for j in checks.values() if (at := j.began_at)) if any(j.began_at for j in checks.values()) else None
    return Verdict(component, Level.OPERATIONAL, _words(checks), Fault.NONE, (), began)


def _from(component: str, level: Level, signs: Mapping[str, Judgement]) -> Verdict:
    began = min((j.began_at for j in signs.values() if j.began_at), default=None)
    fault = next(iter(signs.values())).fault
    evidence = tuple(
        f"{name}: {key.replace('_', ' ')} {value}"
        for name, j in signs.items()
        if j.last
        for key, value in sorted(j.last.evidence.items())
    )
    return Verdict(component, level, _words(signs), fault, evidence, began)


def _words(checks: Mapping[str, Judgement]) -> str:
    return "; ".join(f"{name}: {judgement.reason}" for name, judgement in checks.items())
