"""Whether our own network works: our uplink and our resolver, judged by control checks and by unrelated providers. Pure.

When everything fails at once, the cause is probably on our side. While we are blind, whatever cannot be reached is unknown, no
vendor incident opens, and no flag moves. A provider that answers anything at all, even an error, proves that our uplink works.
An address of our own network proves only that network: what fails there is believed while others there answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta

from bot.core.detection.error_classes import network, reported
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Outcome, Sample
from bot.core.record.sight import Sight


@dataclass(frozen=True)
class ProvenAnswers:
    """What has ever answered, kept across restarts: whether any provider did, and which controls.

    If only chosen hosts may be reached from here, a control stays silent for ever, and its silence during a vendor's outage
    does not mean that we are cut off. So a control that never answered is ignored once a provider has answered: one outside
    (`provider`), or `inside` our own network if nobody `outside` was ever asked.
    """

    provider: bool = False
    controls: frozenset[str] = frozenset()
    inside: bool = False
    outside: bool = False

    def speaks(self, control: str) -> bool:
        """Whether a failure of this control means anything."""
        return control in self.controls or not (self.provider or (self.inside and not self.outside))

    def after(self, sample: Sample) -> "ProvenAnswers":
        """With what a look at a provider proves; the same object if that is nothing new."""
        if by_network(sample) or answered(sample):
            if sample.inside:
                return self if self.inside or not answered(sample) else replace(self, inside=True)
            if not self.outside or (not self.provider and answered(sample)):
                return replace(self, outside=True, provider=self.provider or answered(sample))
        return self


@dataclass(frozen=True)
class BlindnessRule:
    """How long a sample stays fresh, how close together failures must begin, and how long answers must last to end blindness.

    `every` holds each check's interval; `resolvers` the ids of the controls that test our resolver (type dns); `heartbeats`
    those of the checks that ask nobody.
    """

    every: Mapping[str, timedelta] = field(default_factory=dict)
    resolvers: frozenset[str] = frozenset()
    heartbeats: frozenset[str] = frozenset()
    fresh_for: timedelta = timedelta(seconds=90)  # or three intervals, if longer
    together_within: timedelta = timedelta(seconds=90)
    least_providers: int = 3  # with fewer providers, simultaneous failures prove nothing
    believe_witnesses_after: timedelta = timedelta(minutes=3)
    regain_after: timedelta = timedelta(seconds=10)


CONTROL = "control/"  # prefix of control ids in `onsets`
UNLOOKED = frozenset({"address_refused", "bad_check"})  # nothing was sent
UNREACHED = UNLOOKED | {"proxy", "proxy_failed"}  # nothing came from the other side


def by_network(sample: Sample | None) -> bool:
    """Whether our own network could have caused this failure."""
    return sample is not None and sample.outcome is Outcome.FAIL and network(sample.error)


def answered(sample: Sample) -> bool:
    """Whether the other side was reached."""
    return sample.outcome is not Outcome.INCONCLUSIVE and not by_network(sample) and sample.error not in UNREACHED


def hidden(sample: Sample, sight: Sight) -> bool:
    """Whether the failure says nothing, because we are blind.

    A failure within our own network does say something once another address there has answered.
    """
    return sight.blind and by_network(sample) and not (sample.inside and sight.inside_well)


REFUSED = "connect_refused"
CONTROLS, ANSWERED = "controls", "answered"  # evidence of a refusal: what the controls did at that moment


def clearly_theirs(sample: Sample) -> bool:
    """Whether our network cannot have caused this failure: their front end reported it, or refused us as controls answered."""
    return reported(sample.error) or (sample.error == REFUSED and sample.evidence.get(CONTROLS) == ANSWERED)


def with_control_evidence(sample: Sample, controls: Iterable[Sample], rule: BlindnessRule) -> Sample:
    """The sample, with evidence that our uplink worked if it is a refusal and most newest samples of `controls` answered.

    A firewall of ours refuses connections too, but then refuses those of the controls as well. Controls of the resolver are
    not counted: they prove nothing about the uplink.
    """
    if sample.error != REFUSED:
        return sample
    ways = {one.check: one for one in controls if one.check not in rule.resolvers}
    return replace(sample, evidence={**sample.evidence, CONTROLS: ANSWERED}) if _most(ways, answered) else sample


def by_resolver(sample: Sample | None) -> bool:
    """Whether a sample failed because a name could not be resolved."""
    return by_network(sample) and sample is not None and (sample.error or "").startswith("dns")


def _stale(sample: Sample) -> bool:
    """Whether the name came from a cache, which says nothing about our resolver."""
    return sample.evidence.get("dns") == "stale"


def assess_sight(
    previous: Sight,
    controls: Mapping[str, Sample],
    providers: Mapping[str, Sequence[Sample]],
    now: datetime,
    rule: BlindnessRule,
) -> Sight:
    """What the newest samples of the controls (by check id) and of the providers' checks (by provider) say about our network.

    `providers` holds at least the newest sample of each of their checks; inconclusive ones are skipped. Calling this once a
    second is enough, but always call it before committing a bad verdict that is `by_network`. Only a change of `blind` is
    news.

    A control that was silent for minutes while providers still answered (a firewall, a host that moved) is lost and ignored.

    Blind = most uplink controls or most resolver controls fail, a provider fails by network too, and none has answered since;
    or most of at least three providers (at least two if names are not resolved) began to fail by network at once, unless
    controls answer during the next three minutes (or, without controls, another provider does).
    """
    look = _Assessment(previous, controls, providers, now, rule)
    reason, began_at = look.blindness()
    seen = replace(previous, onsets=look.onsets, controls_well_since=look.controls_well_since)
    if reason:
        if previous.blind and previous.began_at:
            began_at = previous.began_at
        inside_well = (previous.blind and previous.inside_well) or look.answers_inside(began_at)
        seen = replace(seen, good_since=None, inside_well=inside_well)
        return seen if previous.blind else replace(seen, blind=True, reason=reason, began_at=began_at, ended_at=None)
    if not previous.blind:
        return seen
    good_since = previous.good_since
    if good_since is None:
        return replace(seen, good_since=now) if look.answers_since(previous.began_at) else seen
    if now - good_since < rule.regain_after or not look.answers_since(good_since):
        return seen
    return replace(seen, blind=False, ended_at=now, good_since=None)


def lost_controls(
    sight: Sight, controls: Mapping[str, Sample], providers: Mapping[str, Sequence[Sample]], now: datetime, rule: BlindnessRule
) -> frozenset[str]:
    """Controls to ignore: they are silent, although providers answered long after they fell silent."""
    return _Assessment(sight, controls, providers, now, rule).lost


class _Assessment:
    """One evaluation of the newest samples."""

    def __init__(
        self, previous: Sight, controls: Mapping[str, Sample], providers: Mapping[str, Sequence[Sample]], now: datetime,
        rule: BlindnessRule,
    ) -> None:  # fmt: skip
        self._rule = rule
        self._now = now
        fresh = {id: s for id, s in controls.items() if self._counts(s) and s.error not in UNLOOKED}
        self._inside = [s for samples in providers.values() for s in samples if s.inside and self._counts(s)]
        providers = _gone_out(providers)
        found = {name: [s for s in samples if self._counts(s)] for name, samples in providers.items()}
        self.providers = {name: max(samples, key=_at) for name, samples in found.items() if samples}
        # A control without a fresh sample keeps its state: a pause or a restart is not an answer.
        self.onsets = {
            name: at for name, at in previous.onsets.items() if name.startswith(CONTROL) and name[len(CONTROL) :] not in fresh
        }
        self.onsets |= {
            f"{CONTROL}{id}": self._onset(previous, f"{CONTROL}{id}", [sample])
            for id, sample in fresh.items()
            if by_network(sample)
        }
        answers = [
            s for samples in providers.values() for s in samples if s.outcome is not Outcome.INCONCLUSIVE and not by_network(s)
        ]
        self.lost = frozenset(id for id, s in fresh.items() if self._is_lost(id, s, answers))
        self.controls = {id: s for id, s in fresh.items() if id not in self.lost}
        for name, newest in self.providers.items():
            if by_network(newest):
                self.onsets[name] = self._onset(previous, name, found[name])
        well = _most(self.controls, lambda s: not by_network(s))
        self.controls_well_since = (previous.controls_well_since or now) if well else None

    def _counts(self, sample: Sample) -> bool:
        """Whether the sample is fresh and conclusive."""
        fresh_for = max(self._rule.fresh_for, 3 * self._rule.every.get(sample.check, timedelta(0)))
        return sample.outcome is not Outcome.INCONCLUSIVE and self._now - sample.at <= fresh_for

    def _is_lost(self, id: str, sample: Sample, answers: Iterable[Sample]) -> bool:
        """Whether a failing control is to be ignored: providers answered long after it fell silent, so our uplink works."""
        if not by_network(sample):
            return False
        since = self.onsets[f"{CONTROL}{id}"] + self._rule.believe_witnesses_after
        return any(s.at > since and not (id in self._rule.resolvers and _stale(s)) for s in answers)

    @staticmethod
    def _onset(previous: Sight, name: str, samples: Iterable[Sample]) -> datetime:
        """When it began to fail: as remembered, or its first failure after its last answer."""
        if name in previous.onsets:
            return previous.onsets[name]
        ordered = sorted(samples, key=_at)
        answered = max((s.at for s in ordered if not by_network(s)), default=None)
        return min(s.at for s in ordered if by_network(s) and (answered is None or s.at >= answered))

    def blindness(self) -> tuple[str, datetime]:
        """Why we are blind, and since when; an empty reason when we are not."""
        resolvers = {id: s for id, s in self.controls.items() if id in self._rule.resolvers}
        ways = {id: s for id, s in self.controls.items() if id not in self._rule.resolvers}
        dark = [id for id, s in ways.items() if by_network(s)]
        if _majority(len(dark), len(ways)) and not self._proof(since := self._began(dark, len(ways))):
            if len(ways) == 1:
                return f"{dark[0] if resolvers else 'the only control'} is unreachable", since
            return f"{_of(len(dark), len(ways), 'control')} are unreachable", since
        mute = [id for id, s in resolvers.items() if by_network(s)]
        if _majority(len(mute), len(resolvers)) and not self._proof(since := self._began(mute, len(resolvers)), resolved=True):
            return f"our resolver does not answer, says {_of(len(mute), len(resolvers), 'control')}", since
        return self._together(resolvers_well=bool(resolvers) and not mute)

    def _together(self, *, resolvers_well: bool) -> tuple[str, datetime]:
        """Whether most providers began to fail at once. Providers that were not checked since then are not counted."""
        unresolved = self._at_once([name for name, newest in self.providers.items() if by_resolver(newest)])
        looked = self._looked_at_since(unresolved)
        # A control reached by IP address says nothing about name resolution; only one of type dns is evidence that it works.
        if looked >= 2 and len(unresolved) * 2 > looked and not resolvers_well:
            return f"our resolver finds {_of(len(unresolved), looked, 'provider')} no more", self._first(unresolved)
        failing = self._at_once([name for name, newest in self.providers.items() if by_network(newest)])
        looked = self._looked_at_since(failing)
        if looked < self._rule.least_providers or len(failing) * 2 <= looked or self._witnessed(failing):
            return "", self._now
        return f"{_of(len(failing), looked, 'provider')} became unreachable at once", self._first(failing)

    def _looked_at_since(self, failing: Sequence[str]) -> int:
        if not failing:
            return 0
        first = self._first(failing)
        return sum(1 for newest in self.providers.values() if newest.at >= first)

    def _at_once(self, failing: Sequence[str]) -> list[str]:
        """The largest group of providers whose failures began within `together_within`."""
        groups = (
            [n for n in failing if self.onsets[first] <= self.onsets[n] <= self.onsets[first] + self._rule.together_within]
            for first in failing
        )
        return max(groups, key=len, default=[])

    def _witnessed(self, failing: Sequence[str]) -> bool:
        """Whether others proved for long enough that our uplink works, so that the failure is the providers'."""
        since = max(self.onsets[name] for name in failing)
        if self._now - since < self._rule.believe_witnesses_after:
            return False
        if self.controls:
            well_since = self.controls_well_since
            return well_since is not None and self._now - well_since >= self._rule.believe_witnesses_after
        return any(not by_network(s) and s.at > since for s in self.providers.values())

    def _proof(self, since: datetime, *, resolved: bool = False) -> bool:
        """Whether a provider disproves it: it answered recently, and after most controls failed.

        If every provider that was checked answers, we are not blind: a lost packet of a control proves nothing.
        """
        if self.providers and not any(by_network(newest) for newest in self.providers.values()):
            return True
        for sample in self.providers.values():
            lately = max(self._rule.fresh_for, 1.5 * self._rule.every.get(sample.check, timedelta(0)))
            stale = resolved and _stale(sample)
            if not by_network(sample) and not stale and sample.at >= since and self._now - sample.at <= lately:
                return True
        return False

    def answers_since(self, moment: datetime | None) -> bool:
        """Whether a control or a provider has answered since then."""
        everyone = (*self.controls.values(), *self.providers.values())
        return any(not by_network(s) and (moment is None or s.at >= moment) for s in everyone)

    def answers_inside(self, moment: datetime) -> bool:
        """Whether an address of our own network has answered since then."""
        return any(answered(s) and s.at >= moment for s in self._inside)

    def _began(self, dark: Sequence[str], all_: int) -> datetime:
        """When the failing controls became a majority; earlier failures alone do not mark the start."""
        return sorted(self.onsets[f"{CONTROL}{id}"] for id in dark)[_needed(all_) - 1]

    def _first(self, providers: Sequence[str]) -> datetime:
        return min(self.onsets[name] for name in providers)


def _gone_out(providers: Mapping[str, Sequence[Sample]]) -> Mapping[str, Sequence[Sample]]:
    """Without the samples that say nothing of our way out: nobody was asked, or an address of our own network.

    If all addresses that were asked are our own, they are all there is to judge by.
    """
    asked = {name: [s for s in samples if by_network(s) or answered(s)] for name, samples in providers.items()}
    outside = {name: [s for s in samples if not s.inside] for name, samples in asked.items()}
    return outside if any(outside.values()) else asked


def _at(sample: Sample) -> datetime:
    return sample.at


def _most(samples: Mapping[str, Sample], test: Callable[[Sample], bool]) -> bool:
    return _majority(sum(1 for s in samples.values() if test(s)), len(samples))


def _majority(some: int, all_: int) -> bool:
    """More than half; with one or two, all of them."""
    return all_ > 0 and some >= _needed(all_)


def _needed(all_: int) -> int:
    return all_ // 2 + 1


def _of(some: int, all_: int, noun: str) -> str:
    """`both controls`, `2 of 3 controls`, `the only control`."""
    if some < all_:
        return f"{some} of {all_} {noun}s"
    return {1: f"the only {noun}", 2: f"both {noun}s"}.get(all_, f"all {all_} {noun}s")
