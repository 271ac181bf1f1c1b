"""Paging: whom a step calls and when, that each step is taken once, and what stops it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core import signals as s
from bot.core.decide.due import next_due
from bot.core.decide.paging import steps_left
from bot.core.effects import ALL, EffectBody, FindPeople, PageAddresses, PageMention, PagePerson, PostAlert, PostLine, To
from bot.core.model import Level, Phase, Severity
from bot.core.paging import PageStep, PagingPolicy, QuietHours
from bot.core.record.paging_facts import Paged, PageHeld, PageLost
from tests.desk import ANA, RULE, START, Table, policy

API = "anthropic.api"
MINUTE = timedelta(minutes=1)
SEV1, SEV2, SEV3 = Severity.SEV1, Severity.SEV2, Severity.SEV3
STEPS = (
    PageStep(0 * MINUTE, mention=("primary",)),
    PageStep(5 * MINUTE, mention=("primary",), dm=("primary",)),
    PageStep(10 * MINUTE, notify=(ALL,)),
)
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(frozenset({SEV2}), time(22), time(7), BERLIN)


def paged(steps: PagingPolicy | None = None) -> Table:
    """A table at which SEV2 is paged in three steps; everything is well."""
    return Table(replace(policy(), paging=steps or PagingPolicy({SEV2: STEPS, SEV1: STEPS}))).all_well()


def down(table: Table) -> Table:
    table.sees(API, Level.DOWN)
    return table


def done(table: Table, body: EffectBody, *reached: str, problem: str = "") -> None:
    """The outbox carried it out."""
    signal = s.EffectDone(
        actor=RULE, key="k", kind=type(body), incident=1, body=body, channel="C0OPS", ts="1.2", reached=reached, problem=problem
    )  # fmt: skip
    table.send(signal)


def steps(table: Table) -> list[tuple[Severity, int]]:
    """What was taken of the first incident."""
    return [(x.body.severity, x.body.step) for x in table.facts if isinstance(x.body, Paged) and x.incident == 1]


# --- steps


def test_first_mention_is_in_the_alert() -> None:
    """An edit wakes nobody, so it is there from the start, and no second message repeats it."""
    table = down(paged())

    assert [(SEV2, 1)] == steps(table)
    assert 1 == len(table.effects(PostAlert))
    assert [] == table.effects(PageMention)


def test_later_steps_follow_without_an_acknowledgement() -> None:
    """Each after its time, with keys of severity, step and way."""
    table = down(paged())
    done(table, PostAlert(), "S0ONCALL")
    table.passes(4)
    before = steps(table)
    table.passes(6)

    assert [(SEV2, 1)] == before
    assert [(SEV2, 1), (SEV2, 2), (SEV2, 3)] == steps(table)
    assert ["INC-1/page/SEV2/2/mention"] == table.effects(PageMention)
    assert ["INC-1/page/SEV2/2/dm"] == table.effects(FindPeople)
    assert ["INC-1/page/SEV2/3/notify"] == table.effects(PageAddresses)


def test_severity_without_steps_pages_nobody() -> None:
    """What is not configured does not happen."""
    table = down(paged(PagingPolicy({SEV1: STEPS})))
    table.passes(30)

    assert [] == steps(table)


def test_acknowledgement_stops_paging() -> None:
    """Somebody is there."""
    table = down(paged())
    table.send(s.Acknowledge(actor=ANA, incident=1))
    table.passes(30)

    assert [(SEV2, 1)] == steps(table)


def test_end_of_the_incident_stops_paging() -> None:
    """Nobody is woken for what was canceled."""
    table = down(paged())
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="false-alarm"))
    table.passes(30)

    assert [(SEV2, 1)] == steps(table)


def test_paging_waits_while_the_incident_is_monitored() -> None:
    """A relapse resumes it."""
    table = down(paged())
    done(table, PostAlert(), "S0ONCALL")
    table.sees(API, Level.OPERATIONAL)
    table.passes(8)
    watched = steps(table)
    table.sees(API, Level.DOWN)
    table.passes(1)

    assert [(SEV2, 1)] == watched
    assert [(SEV2, 1), (SEV2, 2)] == steps(table)


def test_steps_missed_in_downtime_are_taken_as_one() -> None:
    """Nobody gets three calls at once, and the timeline says how many steps it was."""
    table = down(paged())
    table.now += timedelta(hours=2)
    table.send(s.TimePassed(actor=RULE))
    last = table.kinds(Paged)[-1]

    assert [(SEV2, 1), (SEV2, 3)] == steps(table)
    assert isinstance(last, Paged)
    assert "nobody has acknowledged it for 120 min; 1 earlier step was overdue too and goes out with it" == last.reason


NAMES = st.lists(st.sampled_from(["primary", "backup", "chief"]), max_size=2, unique=True).map(tuple)
CALLS = st.builds(PageStep, st.just(0 * MINUTE), NAMES, NAMES, NAMES).filter(
    lambda step: step.mention or step.dm or step.notify
)


@given(st.lists(CALLS, min_size=2, max_size=5), st.integers(1, 25))
def test_everybody_from_missed_steps_is_called_once(calls: list[PageStep], away: int) -> None:
    """Each by their own way: an earlier step's pager rings too."""
    policy = PagingPolicy({SEV2: tuple(replace(step, after=5 * n * MINUTE) for n, step in enumerate(calls))})
    table = down(paged(policy))
    missed = calls[1 : away // 5 + 1]
    table.now += away * MINUTE
    table.send(s.TimePassed(actor=RULE))
    again = [fact.body for fact in table.facts if isinstance(fact.body, Paged)][1:]

    for way in ("mention", "dm", "notify"):
        wanted = list(dict.fromkeys(name for step in missed for name in getattr(step, way)))
        assert wanted == [name for body in again for name in getattr(body, way)]


# --- another severity


def test_steps_of_a_raised_severity_count_from_then_on() -> None:
    """The first goes out at once, as a reply."""
    table = down(paged())
    done(table, PostAlert(), "S0ONCALL")
    table.passes(3)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=SEV1, reason="so we see it"))
    table.passes(4)
    early = steps(table)
    table.passes(1)

    assert [(SEV2, 1), (SEV1, 1)] == early
    assert [(SEV2, 1), (SEV1, 1), (SEV1, 2)] == steps(table)
    assert "INC-1/page/SEV1/1/mention" in table.effects(PageMention)


def test_lowered_severity_does_not_start_again() -> None:
    """Who was called already is not called again for less."""
    table = down(paged(PagingPolicy({SEV2: STEPS, SEV3: STEPS})))
    done(table, PostAlert(), "S0ONCALL")
    table.passes(3)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=SEV3, reason="so we see it"))
    table.passes(3)

    assert [(SEV2, 1), (SEV3, 2)] == steps(table)


def test_step_is_not_repeated_when_a_severity_returns() -> None:
    """By severity and number, once for ever."""
    table = down(paged())
    done(table, PostAlert(), "S0ONCALL")
    for severity in (SEV1, SEV2, SEV1):
        table.passes(1)
        table.send(s.SetSeverity(actor=ANA, incident=1, severity=severity, reason="so we see it"))
    table.passes(30)

    assert len(set(steps(table))) == len(steps(table))
    assert [(SEV2, 1), (SEV1, 1), (SEV1, 2), (SEV1, 3)] == steps(table)


# --- nobody is reached


def test_step_that_reaches_nobody_is_followed_at_once() -> None:
    """A name stands for nobody; ops reads why."""
    table = down(paged())
    done(table, PostAlert(), problem="primary: the user group has no members")
    table.passes(0)

    assert [(SEV2, 1), (SEV2, 2)] == steps(table)
    assert [PageLost(SEV2, 1, last=False, reason="primary: the user group has no members")] == table.kinds(PageLost)
    assert [PostLine(To.OPS)] == [x.body for x in table.steps[-2].effects if type(x.body) is PostLine]


def test_step_waits_for_the_results_of_all_its_ways() -> None:
    """The mention reached nobody; the direct message may."""
    table = down(paged())
    done(table, PostAlert(), "S0ONCALL")
    table.passes(5)
    done(table, PageMention(SEV2, 2, ("primary",)), problem="gone")
    done(table, FindPeople(SEV2, 2, ("primary",)), ANA.id)
    waiting = steps(table)
    done(table, PagePerson(SEV2, 2, ANA.id), ANA.id)
    table.passes(1)

    assert [(SEV2, 1), (SEV2, 2)] == waiting
    assert waiting == steps(table)
    assert ["INC-1/page/SEV2/2/dm/U0ANA"] == table.effects(PagePerson)


def test_same_problem_of_two_ways_is_reported_once() -> None:
    """The same calendar was read for both."""
    table = down(paged())
    done(table, PostAlert(), "S0ONCALL")
    table.passes(5)
    done(table, PageMention(SEV2, 2, ("primary",)), ANA.id, problem="as read yesterday")
    done(table, FindPeople(SEV2, 2, ("primary",)), ANA.id, problem="as read yesterday")
    lines = [x.key for step in table.steps for x in step.effects if type(x.body) is PostLine and x.body.to is To.OPS]

    assert 1 == len(lines)


def test_failed_direct_messages_count_as_reaching_nobody() -> None:
    """What the outbox gives up counts as well."""
    table = down(paged())
    done(table, PostAlert(), "S0ONCALL")
    table.passes(5)
    done(table, PageMention(SEV2, 2, ("primary",)), problem="gone")
    done(table, FindPeople(SEV2, 2, ("primary",)), ANA.id)
    body = PagePerson(SEV2, 2, ANA.id)
    table.send(s.EffectRefused(actor=RULE, key="k", kind=PagePerson, incident=1, body=body, reason="user_disabled"))
    table.passes(1)

    assert [(SEV2, 1), (SEV2, 2), (SEV2, 3)] == steps(table)


def test_every_address_is_called_if_no_step_is_left() -> None:
    """Once."""
    table = down(paged(PagingPolicy({SEV2: STEPS[:1]}, last_resort=True)))
    done(table, PostAlert(), problem="nobody is on call now")
    table.passes(1)
    done(table, PageAddresses(SEV2, 2, (ALL,)), problem="no address took it")
    table.passes(30)

    assert [(SEV2, 1), (SEV2, 2)] == steps(table)
    assert ["INC-1/page/SEV2/2/notify"] == table.effects(PageAddresses)
    assert [False, True] == [fact.last for fact in table.kinds(PageLost) if isinstance(fact, PageLost)]


def test_late_result_of_an_earlier_step_is_ignored() -> None:
    """The newest step alone decides whether somebody was reached."""
    table = down(paged())
    table.passes(5)
    done(table, PostAlert(), problem="Slack was away")
    table.passes(1)

    assert [(SEV2, 1), (SEV2, 2)] == steps(table)
    assert [] == table.kinds(PageLost)


# --- quiet hours


def at_night(table: Table) -> Table:
    table.now = datetime(2026, 3, 20, 23, 0, tzinfo=UTC)  # midnight in Berlin
    return table


def test_quiet_hours_delay_paging() -> None:
    """The timeline says until when; steps count from there, so they do not all come at seven."""
    table = down(at_night(paged(PagingPolicy({SEV2: STEPS}, NIGHT))))
    table.passes(60)
    held = table.kinds(PageHeld)
    table.passes(360)
    at_seven = steps(table)
    table.passes(5)

    assert [PageHeld(SEV2, 1, datetime(2026, 3, 21, 6, 0, tzinfo=UTC), "quiet hours of SEV2")] == held
    assert [(SEV2, 1)] == at_seven
    assert [(SEV2, 1), (SEV2, 2)] == steps(table)


def test_quiet_hours_between_two_steps_delay_the_second() -> None:
    """Declared at 21:57."""
    table = paged(PagingPolicy({SEV2: STEPS}, NIGHT))
    table.now = datetime(2026, 3, 20, 20, 57, tzinfo=UTC)
    down(table)
    done(table, PostAlert(), "S0ONCALL")
    table.passes(30)

    assert [(SEV2, 1)] == steps(table)
    assert datetime(2026, 3, 21, 6, 2, tzinfo=UTC) == next(
        fact.until for fact in table.kinds(PageHeld) if isinstance(fact, PageHeld)
    )


def test_severity_without_quiet_hours_pages_at_night() -> None:
    """Quiet hours are for what can wait."""
    table = down(at_night(paged(PagingPolicy({SEV2: STEPS}, replace(NIGHT, severities=frozenset({SEV3}))))))

    assert [(SEV2, 1)] == steps(table)


def test_severity_raised_at_night_pages_at_once() -> None:
    """The night is over for everybody."""
    table = down(at_night(paged(PagingPolicy({SEV2: STEPS, SEV1: STEPS}, NIGHT))))
    table.passes(10)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=SEV1, reason="so we see it"))
    table.passes(0)

    assert [(SEV1, 1)] == steps(table)


def test_quiet_hours_follow_local_time_over_a_dst_change() -> None:
    """On 29 March 2026 Berlin jumps from two to three; seven is an hour earlier in UTC."""
    before = NIGHT.until(datetime(2026, 3, 28, 23, 0, tzinfo=UTC))
    autumn = NIGHT.until(datetime(2026, 10, 24, 23, 0, tzinfo=UTC))

    assert datetime(2026, 3, 29, 5, 0, tzinfo=UTC) == before
    assert datetime(2026, 10, 25, 6, 0, tzinfo=UTC) == autumn


def test_quiet_hours_within_one_day() -> None:
    """From noon to one, without its end."""
    noon = QuietHours(frozenset({SEV2}), time(12), time(13))

    assert START + 60 * MINUTE == noon.until(START)
    assert noon.until(START - MINUTE) is None
    assert noon.until(START + 60 * MINUTE) is None


# --- whatever happens

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("time"), st.integers(0, 700)),
        st.tuples(st.just("severity"), st.sampled_from(list(Severity))),
        st.tuples(st.just("answer"), st.booleans()),
        st.tuples(st.just("ack"), st.none()),
        st.tuples(st.just("level"), st.sampled_from([Level.DOWN, Level.OPERATIONAL])),
        st.tuples(st.just("phase"), st.sampled_from([Phase.IDENTIFIED, Phase.RESOLVED, Phase.INVESTIGATING])),
    ),
    max_size=14,
)


def act(table: Table, what: str, value: object) -> None:
    match what, value:
        case "time", int(minutes):
            table.now += minutes * MINUTE
            table.send(s.TimePassed(actor=RULE))
        case "severity", Severity() as severity:
            table.send(s.SetSeverity(actor=ANA, incident=1, severity=severity, reason="so we see it"))
        case "answer", bool(reached):
            waiting = [x.body for done in table.steps for x in done.effects if "/page/" in x.key or type(x.body) is PostAlert]
            for body in waiting[-2:]:
                done(table, body, *(["U0ANA"] if reached else []), problem="" if reached else "nobody")
        case "ack", _:
            table.send(s.Acknowledge(actor=ANA, incident=1))
        case "level", Level() as level:
            table.sees(API, level)
        case "phase", Phase() as phase:
            table.send(s.SetPhase(actor=ANA, incident=1, phase=phase, force=True))


@given(ACTS, st.booleans(), st.booleans())
def test_no_step_is_taken_twice_or_after_an_acknowledgement(
    acts: list[tuple[str, object]], quiet: bool, last_resort: bool
) -> None:
    """Restarts and replicas come to the same, because the state alone decides; and no deadline that has passed is left."""
    every = PagingPolicy(dict.fromkeys(Severity, STEPS), NIGHT if quiet else None, last_resort)
    table = down(paged(every))
    acknowledged = False
    for what, value in acts:
        count = len(steps(table))
        act(table, what, value)
        table.send(s.TimePassed(actor=RULE))
        incident = table.incident()
        assert not (acknowledged and len(steps(table)) > count), "paged although somebody was there"
        acknowledged = incident.people.acknowledged_by is not None
        left = steps_left(incident, every)
        held = NIGHT.until(table.now) if quiet and incident.severity is SEV2 else None
        assert not (held and len(steps(table)) > count and what == "time"), "paged in quiet hours"
        if not acknowledged and not incident.well and incident.phase not in (Phase.MONITORING, Phase.RESOLVED):
            assert all(step.at > table.now for step in left), "a step that is due was left lying"
            due = next_due(table.world, table.policy)
            assert not left or (due is not None and due <= left[0].at), "nobody would wake up for the next step"

    assert len(set(steps(table))) == len(steps(table))
