"""Reports from elsewhere, advisories and our own faults: recorded, reported quietly, and no incident opens."""

from datetime import timedelta

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.alerting.corroboration import MOST_ALERTS, MOST_OF_A_SOURCE, hear
from bot.core.effects import OpenThread, PostLine, ReplyInThread
from bot.core.model import Actor, Fault, FeedReport, FeedState, Level, Notice, Verdict
from bot.core.record.component_facts import AdvisoryEnded
from bot.timeline.durations import durations
from tests.desk import ANA, BOB, CHAT_FLAG, RULE, START, Table, policy, told

API, GPT = "anthropic.api", "openai.api"
FLAG = CHAT_FLAG.key
MONITOR = Actor("operator", "grafana", "grafana")


def reaches(
    table: Table, level: Level, fault: Fault = Fault.NONE, *, component: str = API, advisory: str = "", **more: bool
) -> None:  # fmt: skip
    words = Verdict(component, level, "models: said so", fault, ("models: status 401",), table.now, advisory, **more)
    table.send(s.VerdictReached(actor=RULE, verdict=words))


def kinds(table: Table, component: str = API, levels: dict[str, Level] | None = None) -> list[tuple[str, Level]]:
    return [(h.kind, h.level) for h in hear(table.world, component, table.now, levels)]


def fires(table: Table, state: str = "firing", key: str = "k1") -> Answer:
    signal = s.Alerted(actor=MONITOR, source="grafana", key=key, component=API, state=state, title="5xx <!channel>")
    return table.send(signal).answer


def reads(table: Table, *notices: Notice, state: FeedState = FeedState.FRESH) -> None:
    report = FeedReport("anthropic", table.now, state, notices=notices)
    table.send(s.FeedRead(actor=Actor.vendor("anthropic"), report=report))


def notice(status: str = "investigating", impact: str = "major") -> Notice:
    return Notice("anthropic", "n1", status, "Elevated errors", "", status, impact, START, components=(API,))


# --- what others say


def test_alert_counts_until_it_is_resolved() -> None:
    """Repeating it records nothing."""
    table = Table().all_well()
    fires(table)
    before = len(table.facts)
    fires(table)
    during, unchanged = kinds(table), len(table.facts) - before
    fires(table, "resolved")

    assert [("alert", Level.DEGRADED)] == during
    assert 0 == unchanged
    assert [] == kinds(table)


def test_alerts_per_source_are_limited() -> None:
    """A runaway monitor has a bounded cost; another one still counts, up to its own limit."""
    table = Table().all_well()
    answers = [fires(table, key=f"k{number}").ok for number in range(MOST_OF_A_SOURCE + 2)]
    refused = fires(table, key="one more")
    known = fires(table, key="k1")
    other = s.Alerted(actor=MONITOR, source="datadog", key="k1", component=API, state="firing")
    heard = table.send(other).answer

    assert [True] * MOST_OF_A_SOURCE + [False] * 2 == answers
    assert not refused.ok
    assert known.ok
    assert heard.ok
    assert "100 alerts of grafana are already firing about Claude API; resolve some first." == told(refused)
    assert MOST_OF_A_SOURCE + 1 == len(table.world.component(API).alerts)
    fires(table, "resolved", key="k1")
    assert fires(table, key="one more").ok


def test_alerts_of_all_sources_are_limited() -> None:
    """Whoever may send alerts may also invent sources."""
    table = Table().all_well()
    for number in range(MOST_ALERTS + 5):
        table.send(s.Alerted(actor=MONITOR, source=f"m{number}", key="k", component=API, state="firing"))
    assert MOST_ALERTS == len(table.world.component(API).alerts)


def test_alerts_older_than_a_day_make_room() -> None:
    """They no longer count, so they must not block new ones."""
    table = Table().all_well()
    for number in range(MOST_OF_A_SOURCE):
        fires(table, key=f"k{number}")
    table.now += timedelta(hours=24)
    assert fires(table, key="new").ok
    assert ["grafana/new"] == list(table.world.component(API).alerts)


def test_unresolved_alert_expires_after_a_day() -> None:
    """Its monitor may be gone."""
    table = Table().all_well()
    fires(table)
    table.now += timedelta(hours=24)

    assert [] == kinds(table)
    assert fires(table).changed


def test_reports_by_people_count_for_half_an_hour() -> None:
    """Several count as one source."""
    table = Table().all_well()
    for actor in (ANA, BOB):
        said = table.send(s.Reported(actor=actor, component=API, text="it hangs")).answer
    table.now += timedelta(minutes=29)
    during = hear(table.world, API, table.now)
    table.now += timedelta(minutes=2)

    assert "Noted. Our checks say: Claude API is operational" in told(said)
    assert ["bob and 1 more: it hangs"] == [voice.reason for voice in during]
    assert [] == kinds(table)


def test_report_goes_to_the_open_incident() -> None:
    """Into its timeline and its channel."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    step = table.send(s.Reported(actor=ANA, component=API, text="it hangs"))

    assert 1 == step.facts[0].incident
    assert 1 == step.answer.incident
    assert 1 == sum(type(effect.body) is PostLine for effect in step.effects)


def test_report_without_an_incident_is_only_counted() -> None:
    """The person gets an answer."""
    table = Table().all_well()

    assert () == table.send(s.Reported(actor=ANA, component=API, text="it hangs")).effects


def test_report_on_an_unknown_component_is_refused() -> None:
    """With the known names."""
    table = Table().all_well()
    answers = [
        table.send(s.Reported(actor=ANA, component="nothing", text="it hangs")).answer,
        table.send(s.Reported(actor=ANA, component=API, text="  ")).answer,
        table.send(s.Alerted(actor=MONITOR, source="g", key="k", component="nothing", state="firing")).answer,
        table.send(s.Alerted(actor=MONITOR, source="g", key="k", component=API, state="perhaps")).answer,
    ]

    assert [False] * 4 == [answer.ok for answer in answers]
    assert API in told(answers[0])


def test_vendors_page_counts_while_it_is_fresh() -> None:
    """A current notice that names the component, by our name or the page's; maintenance is no trouble."""
    table = Table().all_well()
    reads(table, notice())
    standing = kinds(table)
    reads(table, notice(), notice("resolved"))

    assert [("feed", Level.DEGRADED)] == standing
    assert [] == kinds(table)
    assert [("feed", Level.DOWN)] == kinds(table, levels={API: Level.DOWN})
    reads(table, state=FeedState.STALE)
    assert [] == kinds(table, levels={API: Level.DOWN})


def test_announced_maintenance_does_not_count_as_trouble() -> None:
    """It holds alerts back instead."""
    table = Table().all_well()
    reads(table, notice("in_progress", "maintenance"))

    assert [] == kinds(table)


# --- a small part


def test_advisory_gets_a_quiet_thread_and_nothing_else() -> None:
    """Raised, changed, ended: one post and two replies, no incident, no flag."""
    table = Table().all_well()
    for words in ("haiku fails since 10:02 UTC", "haiku and opus fail since 10:02 UTC", ""):
        reaches(table, Level.OPERATIONAL, advisory=words)
    kinds_ = [fact.kind for fact in table.facts if fact.kind.startswith("advisory")]

    assert ["advisory.raised", "advisory.raised", "advisory.ended"] == kinds_
    assert 1 == len(table.effects(OpenThread))
    assert 2 == len(table.effects(ReplyInThread))
    assert {} == table.world.incidents
    assert "" == table.world.component(API).advisory


def test_advisory_ends_when_the_component_is_worse() -> None:
    """The incident reports the rest."""
    table = Table().all_well()
    reaches(table, Level.OPERATIONAL, advisory="haiku fails since 10:02 UTC")
    reaches(table, Level.DOWN, Fault.THEIRS)
    ended = [body.reason for body in table.kinds(AdvisoryEnded) if isinstance(body, AdvisoryEnded)]

    assert ["all of it is down now"] == ended
    assert [1] == list(table.world.incidents)


def test_advisory_stays_while_we_are_blind() -> None:
    """Nothing speaks against it."""
    table = Table().all_well()
    reaches(table, Level.OPERATIONAL, advisory="haiku fails since 10:02 UTC")
    reaches(table, Level.UNKNOWN, Fault.LOCAL, by_network=True)

    state = table.world.component(API)
    assert Level.UNKNOWN == state.level
    assert "haiku fails since 10:02 UTC" == state.advisory


# --- ours to mend


def test_failure_of_ours_is_reported_quietly() -> None:
    """A refused key: one quiet post, its end in the same thread, and no flag moves."""
    table = Table().all_well()
    reaches(table, Level.UNKNOWN, Fault.OURS_KEY)
    reaches(table, Level.UNKNOWN, Fault.OURS_CONFIG)
    engaged = table.world.flag(FLAG).engagement
    reaches(table, Level.OPERATIONAL)

    assert 1 == len(table.effects(OpenThread))
    assert 2 == len(table.effects(ReplyInThread))
    assert {} == table.world.incidents
    assert engaged is None


def test_blindness_is_not_reported_per_component() -> None:
    """There is one notice for it."""
    table = Table().all_well()
    reaches(table, Level.UNKNOWN, Fault.LOCAL, by_network=True)

    assert [] == table.effects(OpenThread)


def test_flag_leaves_a_provider_whose_quota_is_exhausted() -> None:
    """Our services get no answer there; nobody is alerted about the vendor."""
    table = Table().all_well()
    reaches(table, Level.UNKNOWN, Fault.OURS_QUOTA)
    engaged = table.world.flag(FLAG).engagement

    assert engaged is not None
    assert "gpt" == engaged.variant
    assert "our quota at Claude API is used up" == engaged.reason
    assert {} == table.world.incidents
    assert 1 == len(table.effects(OpenThread))


def test_flag_returns_when_the_quota_does() -> None:
    """By the same steps as after an outage."""
    table = Table(policy(first_step="auto")).all_well()
    reaches(table, Level.UNKNOWN, Fault.OURS_QUOTA)
    table.passes(5)
    reaches(table, Level.OPERATIONAL)
    table.passes(40)

    assert None is table.world.flag(FLAG).engagement


def test_fallback_with_an_exhausted_quota_is_not_used() -> None:
    """Neither by a rule nor by hand."""
    table = Table().all_well()
    reaches(table, Level.UNKNOWN, Fault.OURS_QUOTA, component=GPT)
    refused = table.send(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", reason="cost")).answer
    table.sees(API, Level.DOWN)

    assert not refused.ok
    assert "cached" == table.world.flag(FLAG).engagement.variant  # type: ignore[union-attr] # engaged, or it fails


def test_hand_back_waits_while_we_are_blind() -> None:
    """No step further, and none back."""
    table = Table(policy(first_step="auto")).all_well()
    table.sees(API, Level.DOWN)
    table.passes(2)
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    share = table.world.flag(FLAG).engagement.share_back  # type: ignore[union-attr] # engaged, or it fails
    reaches(table, Level.UNKNOWN, Fault.LOCAL, by_network=True)
    table.passes(30)

    assert 10 == share
    assert 10 == table.world.flag(FLAG).engagement.share_back  # type: ignore[union-attr] # engaged, or it fails


def test_time_of_blindness_is_no_outage() -> None:
    """A component that was well before it did not fail."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.passes(5)
    reaches(table, Level.UNKNOWN, Fault.LOCAL, by_network=True)
    table.passes(5)
    table.sees(API, Level.OPERATIONAL)

    assert 1 == len(durations(table.incident(), table.facts).outages)
