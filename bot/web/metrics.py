"""Prometheus metrics, in a registry of our own. The composition root connects these methods to events."""

import platform
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.core.model import Level, Sample, Severity, Verdict
from bot.core.outcomes.counts import Counts, Route
from bot.core.policy import Policy
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared
from bot.core.record.paging_facts import PageOutcome
from bot.core.record.world import World
from bot.core.scope import scope_of, whole
from bot.flags.board import FlagBoard
from bot.ports import UNFINISHED, RowState
from bot.web.check_results import CheckResults

PROBE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
STALL_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
PAGE_WAYS = {"alert": "mention", "mention": "mention", "notify": "notify", "dm": "dm_lookup"}
OUTBOX_STATES = (*UNFINISHED, RowState.DEAD)


class Metrics:
    """Counters and gauges named `understudy_*`. Counters start at zero with the process; gauges come from committed state."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._checks()
        self._incidents()
        self._flags()
        self._house()
        self._build.labels(version, platform.python_version()).set(1)

    # --- events

    def observe_sample(self, sample: Sample) -> None:
        """A check ran."""
        self._results.see(sample)
        total = sample.phases_ms.get("total")
        if total is not None:
            self._duration(sample.component).observe(total / 1000)

    def observe_start(self, late_s: float) -> None:
        """A check started, this many real seconds later than planned."""
        self._late.observe(late_s)

    def observe_turn(self, late_s: float) -> None:
        """The event loop ran a requested turn, this many real seconds late."""
        self._turns.observe(late_s)

    def observe_stall(self, code: str, seconds: float) -> None:
        """The event loop was blocked; `code` is the function that blocked it."""
        self._stalls.labels(code).inc()
        self._stalled.inc(seconds)

    def observe_fact(self, fact: Fact, *, drill: bool = False) -> None:
        """A fact was committed; `drill`: it belongs to a drill, whose pages are not counted."""
        self._facts.labels(fact.kind).inc()
        match fact.body:
            case VerdictChanged(component=component, level=level):
                self._changes.labels(component, level.value).inc()
            case Declared(severity=severity, drill=None):
                self._declared.labels(severity.value).inc()
            case PageOutcome() as b if not drill:
                outcome = "reached" if b.reached else "failed" if b.problem else "not_needed"
                self._pages.labels(PAGE_WAYS.get(b.way, "dm"), outcome).inc()

    def observe_sink(self, flag: str, sink: str, well: bool) -> None:
        """A write to a sink succeeded or failed."""
        self._sink_tries.labels(flag, sink, "taken" if well else "failed").inc()

    def observe_unknown_flag(self) -> None:
        """Somebody asked for an unknown flag; its name is foreign and never becomes a label."""
        self._unknown_flags.inc()

    def observe_outcomes(self, route: Route, counts: Counts) -> None:
        """A service reported requests; its name is foreign and never becomes a label."""
        for outcome, count in (("ok", counts.ok), ("failed", counts.failed)):
            if count:
                self._outcomes(route.flag, route.variant, route.provider, outcome).inc(count)

    def observe_ping(self, outcome: str) -> None:
        """The result of a ping to `server.ping_url`."""
        self._pings.labels(outcome).inc()

    def observe_commit(self, took: timedelta) -> None:
        """The ledger durably committed something for the engine."""
        self._commit.observe(took.total_seconds())

    # --- state

    def set_world(self, world: World, policy: Policy) -> None:
        """The committed world; called at each scrape."""
        for id in {*policy.components, *world.components}:
            state = world.component(id)
            for level in Level:
                self._level.labels(id, level.value).set(state.level is level)
            if state.since is not None:
                self._since.labels(id).set(state.since.timestamp())
        self._blind.set(world.sight.blind)
        running = [incident for incident in world.open_incidents() if incident.drill is None]
        for severity in Severity:
            self._open.labels(severity.value).set(sum(i.severity is severity for i in running))
        apart = [whole(key) for key, state in world.flags.items() if state.engagement and scope_of(key)]
        for key in {*policy.flags, *(key for key in world.flags if not scope_of(key))}:
            engagement = world.flag(key).engagement
            self._engaged.labels(key).set(engagement is not None)
            self._percent.labels(key).set(engagement.share if engagement else 0)
            self._scopes.labels(key).set(apart.count(key))
        for flag in policy.fed:
            for sink in flag.sinks:
                told = world.sink(flag.key, sink.id)
                self._sink_follows.labels(flag.key, sink.id).set(not (told.on_its_way or told.drifted))

    def set_seen(self, world: World, policy: Policy, seen: Mapping[str, Verdict]) -> None:
        """Current verdicts that are not committed; called at each scrape."""
        for id in {*policy.components, *world.components}:
            now = seen[id].level if id in seen else world.component(id).level
            for level in Level:
                self._seen.labels(id, level.value).set(now is level)

    def set_ledger(self, writable: bool) -> None:
        """Whether the ledger accepts commits."""
        self._writable.set(writable)

    def set_readers(self, board: FlagBoard) -> None:
        """Who reads which flag, and how often each answer was given; called at each scrape."""
        for read, times in board.take_reads().items():
            self._evaluations.labels(*read).inc(times)
        keys: Iterable[str] = board.snapshot.entries if board.ready else ()
        for key in keys:
            self._readers.labels(key).set(board.readers(key))

    def set_outbox(self, counts: Mapping[str, int], oldest_pending_for: timedelta = timedelta(0)) -> None:
        """How many effects are in each state, and how long the oldest has waited."""
        for state in OUTBOX_STATES:
            self._outbox.labels(state).set(counts.get(state, 0))
        self._oldest.set(oldest_pending_for.total_seconds())

    def set_slack(self, connected: bool) -> None:
        """Whether the socket to Slack is connected."""
        self._slack.set(connected)

    # --- metric definitions

    def _checks(self) -> None:
        self._level = self._gauge(
            "component_level", "1 for the component's committed level, 0 for the others.", "component", "level"
        )
        self._seen = self._gauge(
            "component_level_seen", "1 for the level that the checks show now, committed or not.", "component", "level"
        )
        self._since = self._gauge("component_since_timestamp_seconds", "When the present level was committed.", "component")
        self._results = CheckResults()
        self.registry.register(self._results)
        took = self._histogram("probe_duration_seconds", "Total time of check runs.", PROBE_SECONDS, "component")
        self._duration = cache(took.labels)  # called for each sample
        self._late = self._histogram("check_start_lag_seconds", "How much later than planned checks were started.", LAG_SECONDS)
        self._blind = self._gauge("blind", "1 while our own network or DNS resolver fails, so that checks prove nothing.")
        self._changes = self._counter("verdict_changes", "Committed changes of verdict, by new level.", "component", "level")

    def _incidents(self) -> None:
        self._open = self._gauge("incidents_open", "Open incidents, by severity.", "severity")
        self._declared = self._counter("incidents_declared", "Incidents declared, by first severity.", "severity")
        self._pages = self._counter("pages", "Attempts to page, by way and outcome.", "way", "outcome")
        self._facts = self._counter("facts", "Facts committed, by kind.", "kind")

    def _flags(self) -> None:
        self._engaged = self._gauge("flag_engaged", "1 while an engagement sends readers to a fallback.", "flag")
        self._percent = self._gauge("flag_percent_on_fallback", "Share of readers on the fallback, 0 to 100.", "flag")
        self._scopes = self._gauge("flag_scopes", "Groups of readers that are switched separately from the rest.", "flag")
        self._readers = self._gauge("flag_readers", "Distinct clients in the last 15 minutes, as far as remembered.", "flag")
        self._evaluations = self._counter("flag_evaluations", "Flags read, by answer.", "flag", "variant", "reason")
        told = self._counter(
            "outcomes", "Requests that services reported, by their outcome.", "flag", "variant", "provider", "outcome"
        )
        self._outcomes = cache(told.labels)  # called for each outcome
        self._unknown_flags = self._counter("flag_not_found", "Reads of flags that are not configured.")
        self._sink_follows = self._gauge("sink_follows", "1 while a sink has what its flag serves.", "flag", "sink")
        self._sink_tries = self._counter(
            "sink_tries", "Times that a sink was told its flag's state.", "flag", "sink", "outcome"
        )

    def _house(self) -> None:
        self._outbox = self._gauge("outbox_rows", "Effects on their way, by state.", "state")
        self._oldest = self._gauge("outbox_oldest_pending_age_seconds", "How long the oldest unfinished effect has waited.")
        self._slack = self._gauge("slack_socket_connected", "1 while the socket to Slack stands.")
        self._writable = self._gauge("ledger_writable", "1 while the ledger takes what is committed.")
        self._commit = self._histogram("store_commit_seconds", "Time of a durable commit.", COMMIT_SECONDS)
        self._turns = self._histogram(
            "loop_stall_seconds", "How late the event loop gave a turn that was asked for.", STALL_SECONDS
        )
        self._stalls = self._counter(
            "loop_stalls", "Times that the event loop was blocked for 100 ms, by what held it.", "code"
        )
        self._stalled = self._counter("loop_stalled_seconds", "Seconds that the event loop was blocked in such stalls.")
        self._pings = self._counter("pings", "Pings to server.ping_url, by what became of them.", "outcome")
        self._build = self._gauge("build_info", "Always 1; the labels say what runs.", "version", "python")

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"understudy_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"understudy_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"understudy_{name}", text, labels, buckets=buckets, registry=self.registry)
