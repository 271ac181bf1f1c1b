"""Combines everything known about a component into one verdict, with its reason. Pure.

Our own checks are the detector; what others say (the vendor's page, alerts, people) corroborates and never decides alone.
Requests of real customers count for more: they raise the verdict to degraded when checks see nothing, and never lower it. Our
faults and the vendor's are kept apart: a refused key, a wrong address or our own network say nothing about the vendor, so they
make a component `unknown` with the fault on our side, never `down`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta

from bot.core.detection.blindness import by_network
from bot.core.detection.detector import Condition, Judgement
from bot.core.detection.error_classes import ERROR_CLASSES, may_open
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Level, Outcome, Sample, Verdict
from bot.core.record.sight import CLEAR, Sight

FEED_WEIGHT = 0.5  # a page is edited by hand, late, and about everybody's trouble
ALERT_WEIGHT = 0.5  # another system's rule, which may watch us and not the vendor
REPORT_WEIGHT = 0.25  # what a person notices may have many causes
HEARD_WEIGHTS: Mapping[str, float] = {"feed": FEED_WEIGHT, "alert": ALERT_WEIGHT, "report": REPORT_WEIGHT, "traffic": 0.0}
CORROBORATED = FEED_WEIGHT + REPORT_WEIGHT  # the least weight of two independent kinds of source; no single kind reaches it
SOURCE_WORDS = {"feed": "the vendor's page", "alert": "an alert", "report": "people", "traffic": "our services"}
TRAFFIC = "traffic"
BAD = (Condition.FAILING, Condition.SLOW)
ROUNDING = 1e-9  # so that two of three checks count as two thirds
MOST_SAID = 5  # checks described individually in one reason; the rest are counted


@dataclass(frozen=True)
class CheckView:
    """One check as its vantages see it (judgement by label), and its weight in its component."""

    judgements: Mapping[str, Judgement]
    weight: float = 1.0


@dataclass(frozen=True)
class SourceReport:
    """What another source says about a component: `kind` is feed, alert, report, or traffic for requests of real customers."""

    kind: str
    level: Level
    reason: str
    at: datetime


@dataclass(frozen=True)
class VerdictRule:
    """The shares of weight that decide, and how many vantages must agree for one check.

    `quorum`: `majority`, `any`, `all` or a number, of the vantages with a judgement.
    """

    down_share: float = 2 / 3
    degraded_share: float = 1 / 3
    advise_after: timedelta = timedelta(minutes=10)
    quorum: str | int = "majority"
    own: str = "local"  # our own vantage: while we are blind, only its results are in doubt


DEFAULT_RULE = VerdictRule()


@dataclass(frozen=True)
class _Word:
    """One check after its vantages were combined: the judgements that decided it, and a dissenting minority.

    `warned` = it works, but somebody has to act before it stops working.
    """

    name: str
    condition: Condition
    weight: float
    signs: Mapping[str, Judgement]
    vantages: int
    minority: Mapping[str, Judgement] = field(default_factory=dict)
    warned: Mapping[str, Judgement] = field(default_factory=dict)

    @property
    def first(self) -> Judgement:
        return next(iter(self.signs.values()))

    @property
    def trouble(self) -> Mapping[str, Judgement]:
        """What is wrong with it, if anything: its own judgement, what a minority of vantages sees, or its warning."""
        return self.signs if self.condition in BAD else self.minority or self.warned

    @property
    def said(self) -> tuple[str, str]:
        """Where it is seen (empty with one vantage), and what: `("", "3 of 5 checks failed: HTTP 502")`."""
        seen = self.trouble or self.signs
        where = f" ({', '.join(seen)}, {len(seen)} of {self.vantages} vantages)" if self.vantages > 1 else ""
        return where, _reason(next(iter(seen.values())))


def reach(
    component: str,
    checks: Mapping[str, CheckView],
    *,
    heard: Sequence[SourceReport] = (),
    off: Sequence[str] = (),
    sight: Sight = CLEAR,
    unseen: Collection[str] = (),
    advised: str = "",
    rule: VerdictRule = DEFAULT_RULE,
    now: datetime,
) -> Verdict:
    """Combine everything known about `component`: its checks (by name) and what others say.

    `off` names checks without a credential: they do not count. `unseen` names checks whose newest result from our own vantage
    was set aside because we are blind. `advised` is the current advisory. Of the weight with a judgement: two thirds failing =
    down, one third failing or slow = degraded, less = operational, with an advisory if it lasts.
    """
    lit = {name: _unless_blind(view, sight, rule.own, unseen=name in unseen) for name, view in checks.items()}
    dark = {name: view for name, view in checks.items() if view.judgements and not lit[name].judgements}
    words = [_word(name, view, rule) for name, view in lit.items() if name not in dark]
    ours = [w for w in words if w.condition is Condition.FAILING and w.first.fault.ours]
    speaking = [w for w in words if w.condition is not Condition.UNKNOWN and w not in ours]
    bad = [w for w in speaking if w.condition in BAD]
    failing = [w for w in bad if w.condition is Condition.FAILING]
    voices = _worst_by_kind(heard)
    real = voices.get(TRAFFIC)
    if speaking:
        total = sum(w.weight for w in speaking)
        if failing and sum(w.weight for w in failing) >= rule.down_share * total - ROUNDING:
            return _bad(component, Level.DOWN, failing, voices)
        if bad and sum(w.weight for w in bad) >= rule.degraded_share * total - ROUNDING:
            level = Level.DOWN if real and real.level is Level.DOWN and failing else Level.DEGRADED
            return _bad(component, level, bad, voices)
        few = [*bad, *(w for w in speaking if w.minority and w not in bad)]
        if few and (real or _corroborate(voices)):
            return _bad(component, Level.DEGRADED, few, voices)
    if dark:  # the checks that answer may be fine, but nobody can judge the whole
        return _blind(component, dark, sight)
    if real:
        return _by_traffic(component, words if speaking else (), real, voices)
    if not speaking and _corroborate(voices):
        return _unseen(component, voices)
    return _no_worse(component, words, ours, voices, off=off, rule=rule, advised=advised, now=now)


# --- one check


def _unless_blind(view: CheckView, sight: Sight, own: str, *, unseen: bool) -> CheckView:
    """The check without our own judgement if blindness hides or caused it: now, or before and not checked since it ended."""
    judgement = view.judgements.get(own)
    if judgement is None or not ((sight.blind and unseen) or _made_by_blindness(judgement, sight)):
        return view
    return CheckView({vantage: j for vantage, j in view.judgements.items() if vantage != own}, view.weight)


def _made_by_blindness(judgement: Judgement, sight: Sight) -> bool:
    last = judgement.last
    if last is None or not by_network(last):
        return False
    if last.inside and sight.inside_well:
        return False
    return sight.blind or (sight.ended_at is not None and last.at <= sight.ended_at)


def _word(name: str, view: CheckView, rule: VerdictRule) -> _Word:
    judged = view.judgements or {rule.own: Judgement(Condition.UNKNOWN, "no result yet")}
    ours = {v: j for v, j in judged.items() if j.condition is Condition.FAILING and j.fault.ours}
    warned = {v: j for v, j in judged.items() if _warning(j)}
    speaking = {v: j for v, j in judged.items() if v in warned or (j.condition is not Condition.UNKNOWN and v not in ours)}
    failing = {v: j for v, j in speaking.items() if j.condition is Condition.FAILING}
    bad = {v: j for v, j in speaking.items() if j.condition in BAD and v not in warned}
    if not speaking:
        signs = ours or judged
        return _Word(name, Condition.FAILING if ours else Condition.UNKNOWN, view.weight, signs, len(judged))
    needed = _needed(len(speaking), rule.quorum)
    if len(failing) >= needed:
        return _Word(name, Condition.FAILING, view.weight, failing, len(judged), warned=warned)
    if len(bad) >= needed:
        return _Word(name, Condition.SLOW, view.weight, bad, len(judged), warned=warned)
    well = {v: j for v, j in speaking.items() if v not in bad}
    return _Word(name, Condition.WELL, view.weight, well, len(judged), bad, warned)


def _warning(judgement: Judgement) -> Sample | None:
    """The sign of a working check that counts as slow for something that never opens an incident: its certificate ends soon."""
    sign = judgement.last
    if sign is None or judgement.condition not in (Condition.SLOW, Condition.UNKNOWN):
        return None
    return sign if sign.outcome is Outcome.SLOW and not may_open(sign.error) else None


def _reason(judgement: Judgement) -> str:
    warning = _warning(judgement)
    return warning.reason or _of_class(warning) if warning else judgement.reason


def _of_class(sample: Sample) -> str:
    return ERROR_CLASSES[sample.error or ""].sentence


def _all_said(words: Sequence[_Word]) -> str:
    """The words of all checks, what is wrong first; healthy checks share a phrase: `front, models: 5 of 5 checks passed`.

    Only checks whose reason quotes no single answer share one: two answers that took the same time are not the same.
    """
    names: dict[tuple[str, str, str], list[str]] = {}
    for word in sorted(words, key=lambda w: not w.trouble):
        alone = word.name if word.trouble or word.first.last else ""
        names.setdefault((*word.said, alone), []).append(word.name)
    said = [f"{', '.join(who)}{where}: {what}" for (where, what, _), who in names.items()]
    more = sum(len(who) for who in list(names.values())[MOST_SAID:])
    return "; ".join(said[:MOST_SAID]) + (f"; and {more} more check{'s' if more > 1 else ''}" if more else "")


def _needed(speaking: int, quorum: str | int) -> int:
    """How many of the vantages with a judgement must agree; never more than there are."""
    match quorum:
        case "any":
            return 1
        case "all":
            return speaking
        case int():
            return max(1, min(quorum, speaking))
    return speaking // 2 + 1


# --- other sources


def _worst_by_kind(heard: Sequence[SourceReport]) -> dict[str, SourceReport]:
    """For each kind that reports trouble: the worst word, and of equally bad ones the newest."""
    voices: dict[str, SourceReport] = {}
    for word in sorted(heard, key=lambda h: (h.level.rank, h.at)):
        if word.level.bad:
            voices[word.kind] = word
    return voices


def _corroborate(voices: Mapping[str, SourceReport]) -> bool:
    """Whether two independent kinds of source report trouble."""
    return sum(HEARD_WEIGHTS[kind] for kind in voices) >= CORROBORATED


def _say(voices: Mapping[str, SourceReport]) -> str:
    return "; ".join(f"{SOURCE_WORDS[kind]}: {voice.reason}" for kind, voice in voices.items())


# --- verdicts


def _bad(component: str, level: Level, words: Sequence[_Word], voices: Mapping[str, SourceReport]) -> Verdict:
    signs = [(w, j) for w in words for j in w.trouble.values()]
    began = min((j.began_at for _, j in signs if j.began_at), default=None)
    faults = [j.fault for _, j in signs]
    fault = Fault.THEIRS if Fault.THEIRS in faults else faults[0]
    if fault is Fault.UNCLEAR and ("feed" in voices or _corroborate(voices)):
        fault = Fault.THEIRS
    reason = _all_said(words) + (f"; also {_say(voices)}" if voices else "")
    network = all(by_network(j.last) for _, j in signs)
    return Verdict(component, level, reason, fault, _evidence(signs), began, by_network=network)


def _evidence(signs: Sequence[tuple[_Word, Judgement]]) -> tuple[str, ...]:
    return tuple(
        f"{word.name}: {key.replace('_', ' ')} {value}"
        for word, judgement in signs
        if judgement.last
        for key, value in sorted(judgement.last.evidence.items())
    )


def _blind(component: str, dark: Mapping[str, CheckView], sight: Sight) -> Verdict:
    if sight.blind:
        reason = f"we are blind: {sight.reason}"
    else:
        reason = f"we were blind ({sight.reason}); not judged anew since: {', '.join(dark)}"
    began = sight.began_at  # it was healthy until we became blind
    return Verdict(component, Level.UNKNOWN, reason, Fault.LOCAL, began_at=began, by_network=True)


def _unseen(component: str, voices: Mapping[str, SourceReport]) -> Verdict:
    """None of our checks can judge, and two independent kinds of source agree."""
    fault = Fault.THEIRS if "feed" in voices else Fault.UNCLEAR
    began = min(voice.at for voice in voices.values())
    return Verdict(component, Level.DEGRADED, f"no check of ours sees it, but {_say(voices)}", fault, began_at=began)


def _by_traffic(component: str, words: Sequence[_Word], real: SourceReport, voices: Mapping[str, SourceReport]) -> Verdict:
    """Customers are affected. If our checks pass it may be our own service, so it is degraded, with nobody at fault yet."""
    level = Level.DEGRADED if words else real.level
    fault = Fault.THEIRS if "feed" in voices else Fault.UNCLEAR
    seen = f"; our checks: {_all_said(words)}" if words else "; no check of ours sees it"
    return Verdict(component, level, f"{_say(voices)}{seen}", fault, began_at=real.at)


def _no_worse(
    component: str, words: Sequence[_Word], ours: Sequence[_Word], voices: Mapping[str, SourceReport], *,
    off: Sequence[str], rule: VerdictRule, advised: str, now: datetime,
) -> Verdict:  # fmt: skip
    advisory, few = _advisory(words, rule, now, advised)
    also = f"; heard, but not seen by our checks: {_say(voices)}" if voices else ""

    def unknown(reason: str) -> Verdict:
        return Verdict(component, Level.UNKNOWN, reason + also, advisory=advisory)

    if ours:
        signs = [(w, j) for w in ours for j in w.signs.values()]
        began = min((j.began_at for _, j in signs if j.began_at), default=None)
        reason = _all_said(ours) + also
        return Verdict(component, Level.UNKNOWN, reason, ours[0].first.fault, _evidence(signs), began, advisory)
    if not words:
        return unknown(f"no check is on ({', '.join(off)}: no credential)" if off else "no check is configured")
    silent = [w for w in words if w.condition is Condition.UNKNOWN]
    if silent:
        return unknown(f"{', '.join(w.name for w in silent)}: {silent[0].first.reason}")
    began = max((j.began_at for w in words for j in w.signs.values() if j.began_at), default=None)
    evidence = _evidence([(w, j) for w in few for j in w.trouble.values()])
    return Verdict(component, Level.OPERATIONAL, _all_said(words) + also, Fault.NONE, evidence, began, advisory)


def _advisory(words: Sequence[_Word], rule: VerdictRule, now: datetime, advised: str) -> tuple[str, list[_Word]]:
    """What a small part of the component suffers from, once it lasts, and every warning, at once.

    The wording does not change from run to run.
    """
    said = [(word, _lasting(word, rule, now, advised) or _warned(word)) for word in words]
    few = [(word, what) for word, what in said if what]
    share = f" ({len(few)} of {len(words)} checks)" if few and len(words) > 1 else ""
    return "; ".join(what for _, what in few) + share, [word for word, _ in few]


def _lasting(word: _Word, rule: VerdictRule, now: datetime, advised: str) -> str:
    """`haiku fails since 10:02 UTC`; empty if nothing is wrong with it, or not for long.

    A recovering check keeps the current advisory (`advised`) but does not start one: after an outage of the whole component,
    one check is always the last to recover.
    """
    signs = word.minority or (word.signs if word.condition in BAD else {})
    began = min((j.began_at for j in signs.values() if j.began_at and not j.fault.ours), default=None)
    if began is None or now - began < rule.advise_after:
        return ""
    if all(j.recovering for j in signs.values()) and f"{word.name} " not in advised:
        return ""
    does = "fails" if any(j.condition is Condition.FAILING for j in signs.values()) else "is slow"
    where = f" seen from {', '.join(sorted(signs))}" if word.minority else ""
    return f"{word.name} {does}{where} since {began.astimezone(UTC):%H:%M} UTC"


def _warned(word: _Word) -> str:
    """`tls: the certificate expires soon`; empty if it has no warning."""
    what = next((_of_class(sign) for judgement in word.warned.values() if (sign := _warning(judgement))), "")
    if not what:
        return ""
    where = f", seen from {', '.join(sorted(word.warned))}" if word.vantages > len(word.warned) else ""
    return f"{word.name}: {what}{where}"
