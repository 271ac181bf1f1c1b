"""The facts of a component, each with its effect on the component's state.

What our checks, alerts and people found, and what was done about it short of an incident: the component was muted, or an alert
was held back.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.model import AlertState, Fault, Level
from bot.core.record.component import ComponentState, HeldBack, MutedUntil, OutsideReport
from bot.core.record.fact import Body, Evidenced, Fact, OfComponent, Reasoned, Source

REPORT_LASTS = timedelta(minutes=30)  # a problem noticed half an hour ago says nothing about now
MOST_REPORTS = 20


@dataclass(frozen=True)
class VerdictChanged(OfComponent, Reasoned, Evidenced, Body):
    """The verdict of a component changed."""

    KIND = "verdict.changed"
    SOURCE = Source.PROBE
    component: str
    previous: Level
    level: Level
    reason: str
    fault: Fault
    evidence: tuple[str, ...]
    began_at: datetime
    thread: str = ""  # effect key of its quiet thread, empty = none

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """Keep `since` if only the reason or fault changed."""
        return replace(
            state, level=self.level, reason=self.reason, fault=self.fault, evidence=self.evidence,
            since=fact.at if self.level is not self.previous or state.since is None else state.since,
            unwell_since=None if self.level is Level.OPERATIONAL else state.unwell_since or fact.at,
            began_at=self.began_at, quiet_key=self.thread if self.level is not Level.OPERATIONAL else "",
            held_back=state.held_back if self.level.bad else None,
        )  # fmt: skip


@dataclass(frozen=True)
class AdvisoryRaised(OfComponent, Reasoned, Evidenced, Body):
    """A part of a component fails persistently, too small to change the verdict; or a different part than before."""

    KIND = "advisory.raised"
    SOURCE = Source.PROBE
    component: str
    text: str
    reason: str
    evidence: tuple[str, ...] = ()
    thread: str = ""  # effect key of its quiet thread, empty = none

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """A changed advisory keeps the start of the first one."""
        since = state.advisory_since if state.advisory else fact.at
        return replace(
            state,
            advisory=self.text,
            advisory_since=since,
            advisory_key=self.thread,
            reason=self.reason,
            evidence=self.evidence,
        )


@dataclass(frozen=True)
class AdvisoryEnded(OfComponent, Reasoned, Body):
    """That part has recovered, or the whole component got worse."""

    KIND = "advisory.ended"
    SOURCE = Source.PROBE
    component: str
    text: str  # the advisory's text
    reason: str

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """If the verdict is worse, its reason stays."""
        over = replace(state, advisory="", advisory_since=None, advisory_key="")
        return replace(over, reason=self.reason, evidence=()) if state.level is Level.OPERATIONAL else over


@dataclass(frozen=True)
class AlertSuppressed(OfComponent, Body):
    """A component is bad but nobody is alerted; measuring continues. `until` is when the reason ends by itself."""

    KIND = "alert.suppressed"
    ANNOUNCED = True
    component: str
    why: str
    until: datetime | None = None
    thread: str = ""  # effect key of the quiet line that it went down while muted (once per mute); empty = none

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """Remember, in the mute, that people were told."""
        mute = replace(state.mute, told=True) if state.mute and self.thread else state.mute
        return replace(state, held_back=HeldBack(self.why, self.until, fact.incident, fact.at), mute=mute)


@dataclass(frozen=True)
class AlertResumed(OfComponent, Body):
    """The reason for holding an alert back ended while the component was still bad."""

    KIND = "alert.resumed"
    component: str
    why: str  # why it was held back
    thread: str = ""  # effect key of its quiet thread, empty = none

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """Nothing holds the alert back any more."""
        return replace(state, held_back=None, quiet_key=self.thread)


@dataclass(frozen=True)
class AlertHeard(OfComponent, Body):
    """Another monitor fired or resolved an alert about a component. The title is in that monitor's words."""

    KIND = "alert.heard"
    SOURCE = Source.ALERT
    ANNOUNCED = True
    component: str
    source: str
    key: str
    state: AlertState
    title: str

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """Keep only alerts that are firing."""
        others = {id: said for id, said in state.alerts.items() if id != f"{self.source}/{self.key}"}
        if self.state != AlertState.FIRING:
            return replace(state, alerts=others)
        return replace(state, alerts={**others, f"{self.source}/{self.key}": OutsideReport(self.source, self.title, fact.at)})


@dataclass(frozen=True)
class ReportHeard(OfComponent, Body):
    """A person says that a component does not work for them."""

    KIND = "report.heard"
    ANNOUNCED = True
    component: str
    text: str

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """Add the report and drop old ones."""
        lately = [said for said in state.reports if fact.at - said.at < REPORT_LASTS]
        said = OutsideReport(fact.actor.name or fact.actor.id, self.text, fact.at)
        return replace(state, reports=(*lately, said)[-MOST_REPORTS:])


@dataclass(frozen=True)
class Muted(OfComponent, Reasoned, Body):
    """Somebody holds a component's alerts back for a while."""

    KIND = "mute.set"
    ANNOUNCED = True
    component: str
    until: datetime
    reason: str

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """A second mute replaces the first."""
        return replace(state, mute=MutedUntil(self.until, fact.actor, self.reason, fact.at))


@dataclass(frozen=True)
class Unmuted(OfComponent, Reasoned, Body):
    """A mute ended, when its time was up or by a person, who need give no reason."""

    KIND = "mute.ended"
    ANNOUNCED = True
    component: str
    reason: str

    def onto(self, state: ComponentState, fact: Fact) -> ComponentState:
        """Alerts go out again."""
        return replace(state, mute=None)
