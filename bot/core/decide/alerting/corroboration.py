"""What others say about our components: alerts of other monitors, reports by people, vendors' pages. Only corroborates."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from bot.core.answers import base
from bot.core.answers import components as ca
from bot.core.decide.alerting.suppression import MAINTENANCE_STAGES
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.detection.verdict import SourceReport
from bot.core.ids import ComponentId
from bot.core.model import Actor, AlertState, FeedState, Level
from bot.core.record import component_facts
from bot.core.record.component_facts import REPORT_LASTS, ReportHeard
from bot.core.record.world import World
from bot.core.signals import Alerted, Reported

ALERT_LASTS = timedelta(hours=24)  # a monitor that was shut down never resolves its alerts
MOST_ALERTS = 300  # per component, of which one source may use a third; the first alert already says that something is wrong
MOST_OF_A_SOURCE = 100
STATES = tuple(AlertState)
FORGETTING = Actor.rule("alerts that fired for a day")


def hear(world: World, component: str, now: datetime, levels: Mapping[str, Level] | None = None) -> tuple[SourceReport, ...]:
    """What others currently say about a component, for `verdict.reach`.

    `levels` come from the provider's newest `FeedReport`, by component; without them only its open notices count.
    """
    said = _page(world, component, now, levels or {})
    return (*said, *_alerts(world, component, now), *_reports(world, component, now))


def _page(world: World, component: str, now: datetime, levels: Mapping[str, Level]) -> Iterator[SourceReport]:
    page = world.provider(ComponentId(component).provider)
    if page.feed is not FeedState.FRESH:
        return
    for notice in page.notices:
        announced = notice.impact == "maintenance" or notice.status in MAINTENANCE_STAGES
        if component in notice.components and not announced:
            yield SourceReport("feed", Level.DEGRADED, f"{notice.title} ({notice.status})", notice.at)
    level = levels.get(component, Level.UNKNOWN)
    if level.bad:
        yield SourceReport("feed", level, f"the component is called {level}", now)


def _alerts(world: World, component: str, now: datetime) -> Iterator[SourceReport]:
    for alert in world.component(component).alerts.values():
        if now - alert.at < ALERT_LASTS:
            yield SourceReport("alert", Level.DEGRADED, f"{alert.text} ({alert.who})", alert.at)


def _reports(world: World, component: str, now: datetime) -> Iterator[SourceReport]:
    lately = [report for report in world.component(component).reports if now - report.at < REPORT_LASTS]
    if lately:
        more = f" and {len(lately) - 1} more" if len(lately) > 1 else ""
        yield SourceReport("report", Level.DEGRADED, f"{lately[-1].who}{more}: {lately[-1].text}", lately[0].at)


# --- signals


def on_alert(draft: Draft, signal: Alerted) -> Step:
    """Record an alert of another monitor; one that keeps firing is recorded once a day."""
    if signal.component not in draft.policy.components:
        return draft.refuse(ca.AlertAboutNothing(component=signal.component))
    if signal.state not in STATES:
        return draft.refuse(ca.NoAlertState(state=signal.state, known=STATES))
    held = draft.world.component(signal.component).alerts.get(f"{signal.source}/{signal.key}")
    fires = held is not None and draft.now - held.at < ALERT_LASTS
    if fires if signal.state == AlertState.FIRING else held is None:
        return draft.done(base.KnownAlready())
    if held is None:
        if full := _full(draft, signal):
            return draft.refuse(full)
        _forget_old(draft, signal)
    body = component_facts.AlertHeard(signal.component, signal.source, signal.key, signal.state, signal.title)
    incident = draft.world.concerned(signal.component)
    draft.add(f"component/{signal.component}", body, incident=incident.number if incident else None, told=incident is not None)
    return draft.done(ca.AlertTaken(incident=incident.number if incident else None))


def _full(draft: Draft, signal: Alerted) -> ca.TooManyAlerts | None:
    """Why no more alerts are kept; None if there is room, after forgetting old ones if necessary."""
    fire = [said for said in draft.world.component(signal.component).alerts.values() if draft.now - said.at < ALERT_LASTS]
    name = draft.policy.name_of(signal.component)
    if sum(said.who == signal.source for said in fire) >= MOST_OF_A_SOURCE:
        return ca.TooManyAlerts(component=name, most=MOST_OF_A_SOURCE, source=signal.source)
    if len(fire) >= MOST_ALERTS:
        return ca.TooManyAlerts(component=name, most=MOST_ALERTS)
    return None


def _forget_old(draft: Draft, signal: Alerted) -> None:
    """Make room: an alert older than a day no longer counts, so when there are this many it is dropped."""
    alerts = draft.world.component(signal.component).alerts
    if len(alerts) < MOST_OF_A_SOURCE:
        return
    for id, said in alerts.items():
        if draft.now - said.at >= ALERT_LASTS:
            body = component_facts.AlertHeard(
                signal.component, said.who, id.removeprefix(f"{said.who}/"), AlertState.RESOLVED, said.text
            )
            draft.add(f"component/{signal.component}", body, actor=FORGETTING, told=False)


def on_report(draft: Draft, signal: Reported) -> Step:
    """Record a person's report, and tell them what our checks see."""
    text = signal.text.strip()
    if signal.component not in draft.policy.components:
        return draft.refuse(base.NoComponent(component=signal.component, known=tuple(sorted(draft.policy.components))))
    if not text:
        return draft.refuse(base.NoWords(of=base.Words.REPORT))
    incident = draft.world.concerned(signal.component)
    body = ReportHeard(signal.component, text)
    draft.add(f"component/{signal.component}", body, incident=incident.number if incident else None, told=incident is not None)
    state, name = draft.world.component(signal.component), draft.policy.name_of(signal.component)
    number = incident.number if incident else None
    return draft.done(ca.ReportHeard(incident=number, component=name, level=state.level, reason=state.reason))


HANDLERS: Handlers = {Alerted: on_alert, Reported: on_report}
