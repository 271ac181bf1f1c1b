"""What is recorded when an incident opens, moves, posts and ends: completely, by whom, and with which effects."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core import signals as s
from bot.core.answers import base
from bot.core.answers import incident as a
from bot.core.decide.cadence import missed
from bot.core.decide.incident.naming import TITLE_CHARS, TitleTooLong
from bot.core.decide.permissions import Denied, Role, denied
from bot.core.decide.phases import due
from bot.core.effects import (
    AddBookmarks,
    EditAlert,
    EditCard,
    EffectBody,
    InvitePeople,
    OpenChannel,
    PinCard,
    PostAlert,
    PostCard,
    PostEvidence,
    PostLine,
    PostRunbook,
    PostSummary,
    PostUpdate,
    SetTopic,
    To,
    UploadExport,
)
from bot.core.model import Actor, FeedReport, FeedState, Level, Notice, Phase, Severity
from bot.core.policy import ResolveMode
from bot.core.record.incident_facts import (
    ComponentJoined,
    Declared,
    PhaseChanged,
    ResolveAsked,
    UpdateWritten,
)
from bot.core.record.room.room_facts import ChannelOpened, Posted
from bot.core.signals.incident import Rename
from tests.desk import ANA, BOB, RULE, START, Table, Written, policy

API, WEB, GPT = "anthropic.api", "anthropic.web", "openai.api"
MINUTE = timedelta(minutes=1)
WELL = "every component has been operational for 30 min"


def outage(**flag: object) -> Table:
    table = Table(policy(automation="off", **flag)).all_well()
    table.sees(API, Level.DOWN)
    return table


def bodies(table: Table, *kinds: type[EffectBody]) -> list[EffectBody]:
    """What the last step does, of these kinds or of all."""
    return [e.body for e in table.steps[-1].effects if not kinds or isinstance(e.body, kinds)]


def over(table: Table, number: int) -> None:
    """All is well, and somebody resolves it; three hours pass."""
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=number, phase=Phase.RESOLVED, force=True))
    table.passes(180)


# --- opening

OPENING = [
    PostAlert(),
    PostEvidence(),
    OpenChannel(),
    SetTopic(first=True),
    PostCard(),
    PinCard(),
    AddBookmarks(),
    InvitePeople(),
]


@pytest.mark.parametrize(
    ("runbook", "more"),
    [({}, []), ({"runbook_url": "https://wiki/claude"}, [PostRunbook()]), ({"runbook_steps": ("look",)}, [PostRunbook()])],
    ids=["no runbook", "a link", "steps"],
)
def test_incident_opens_with_everything_people_need_once(runbook: dict[str, object], more: list[EffectBody]) -> None:
    """Alert, channel, card and links in this order, the runbook where there is one, and no edit of what is posted just now."""
    base_ = policy(automation="off")
    api = replace(base_.components[API], **runbook)  # type: ignore[arg-type]
    table = Table(replace(base_, components={**base_.components, API: api})).all_well()
    table.sees(API, Level.DOWN)

    assert [*OPENING, *more] == bodies(table)


def test_first_component_gets_no_line_of_its_own() -> None:
    """The alert names it; the record has level, reason, evidence and start."""
    table = Table(policy(automation="off")).all_well()
    table.sees(API, Level.DOWN)
    began = table.incident().began_at
    body = ComponentJoined(API, Level.DOWN, "3 of 5 checks failed: HTTP 502", (), began)

    assert [Written(body, 1, RULE)] == table.written(ComponentJoined)
    assert [] == bodies(table, PostLine)


def notice(update: str, at: datetime, names: tuple[str, ...] = (API,)) -> Notice:
    return Notice("anthropic", "n1", update, "Errors", "", "investigating", "major", at, components=names)


def page(table: Table, *notices: Notice) -> None:
    report = FeedReport("anthropic", table.now, FeedState.FRESH, notices=notices, page="p")
    table.send(s.FeedRead(actor=Actor.vendor("anthropic"), report=report))


def declared(table: Table) -> list[tuple[datetime | None, datetime | None, datetime | None]]:
    """Of each incident: the vendor's first word, and the outage that it is about."""
    found = [body for body in table.kinds(Declared) if isinstance(body, Declared)]
    return [(body.vendor_first_at, body.outage_began_at, body.outage_known_at) for body in found]


def test_ongoing_notice_connects_the_incidents_of_one_outage() -> None:
    """The vendor posted in the first and never ended it: later ones count from the first."""
    table = outage()
    first = table.incident(1)
    table.passes(5)
    spoke = table.now
    page(table, notice("u1", spoke))
    for number in (1, 2):
        over(table, number)
        table.sees(API, Level.DOWN)

    assert [(None, None, None), *[(spoke, first.began_at, first.declared_at)] * 2] == declared(table)


def test_notice_between_two_incidents_acknowledges_the_later() -> None:
    """The earlier one was over by then."""
    table = outage()
    over(table, 1)
    spoke = table.now - 20 * MINUTE
    page(table, notice("u1", spoke))
    table.sees(API, Level.DOWN)

    assert (spoke, None, None) == declared(table)[-1]


@pytest.mark.parametrize("names", [(WEB,), ()], ids=["another component", "none"])
def test_notice_about_something_else_is_no_acknowledgement(names: tuple[str, ...]) -> None:
    """The vendor speaks of something else, or of nothing in particular."""
    table = Table(policy(automation="off")).all_well()
    page(table, notice("u1", START, names))
    table.sees(API, Level.DOWN)

    assert [(None, None, None)] == declared(table)


def test_incident_of_another_provider_is_separate() -> None:
    """OpenAI was down too when Claude's vendor posted."""
    table = Table(policy(automation="off")).all_well()
    table.sees(GPT, Level.DOWN)
    page(table, notice("u1", table.now))
    table.passes(5)
    table.sees(API, Level.DOWN)

    assert (START, None, None) == declared(table)[-1]


# --- moving and ending


def test_phase_set_by_a_person_is_posted_in_one_line() -> None:
    """Who works on it reads it in the channel."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.IDENTIFIED, reason="a bad deploy"))
    body = PhaseChanged(Phase.TRIAGE, Phase.IDENTIFIED, "forward", "a bad deploy", chosen=True)

    assert [Written(body, 1, ANA)] == table.written(PhaseChanged)
    assert 1 == len(bodies(table, PostLine))
    assert [] == bodies(table, PostSummary, UploadExport)


def test_resolution_posts_only_summary_and_timeline_in_the_channel() -> None:
    """And one line under the alert, which reaches phones."""
    table = outage()
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))

    assert [PostLine(To.THREAD), PostSummary(), UploadExport("md")] == bodies(table, PostLine, PostSummary, UploadExport)


def test_automatic_resolution_records_reason_and_rule() -> None:
    """`resolve: auto`."""
    table = outage()
    table.policy = replace(table.policy, incidents=replace(table.policy.incidents, resolve=ResolveMode.AUTO))
    table.sees(API, Level.OPERATIONAL)
    table.passes(30)
    body = PhaseChanged(Phase.MONITORING, Phase.RESOLVED, "forward", WELL)

    assert Written(body, 1, Actor.rule("resolve: auto")) == table.written(PhaseChanged)[-1]


def test_resolution_is_requested_once_with_its_reason() -> None:
    """`resolve: ask`; then only the hourly update is due."""
    table = outage()
    table.sees(API, Level.OPERATIONAL)
    table.passes(45)

    assert [Written(ResolveAsked(WELL), 1, Actor.rule("resolve: ask"))] == table.written(ResolveAsked)
    assert [START + 60 * MINUTE] == list(due(table.world, table.policy))


# --- speaking


def test_automatic_update_names_its_rule() -> None:
    """Exports show that nobody wrote it."""
    table = outage()
    table.passes(60)

    assert [Written(UpdateWritten(1, "", 0), 1, Actor.rule("update every 60 min"))] == table.written(UpdateWritten)


@pytest.mark.parametrize("severity", [Severity.SEV2, Severity.SEV4])
def test_update_by_a_person_is_recorded_for_them(severity: Severity) -> None:
    """Even if none is due."""
    table = outage()
    if severity is not Severity.SEV2:
        table.send(s.SetSeverity(actor=ANA, incident=1, severity=severity, reason="so we see it"))
    table.send(s.WriteUpdate(actor=ANA, incident=1, text="we are on it"))

    assert [Written(UpdateWritten(1, "we are on it", 0), 1, ANA)] == table.written(UpdateWritten)
    assert [PostUpdate(START, 1, newest_only=False)] == bodies(table, PostUpdate)


def test_missed_updates_count_from_the_last_one() -> None:
    """Then the power was off for three hours."""
    table = outage()
    table.passes(60)
    table.now += 185 * MINUTE

    assert 2 == missed(table.incident(), table.policy, table.now)


@pytest.mark.parametrize("severity", [Severity.SEV2, Severity.SEV4])
def test_no_update_is_missed_if_none_is_due(severity: Severity) -> None:
    """On change only, or after the end."""
    table = outage()
    if severity is Severity.SEV4:
        table.send(s.SetSeverity(actor=ANA, incident=1, severity=severity, reason="so we see it"))
    else:
        over(table, 1)

    assert 0 == missed(table.incident(), table.policy, START + timedelta(days=1))


# --- people


@pytest.mark.parametrize(
    ("signal", "actor", "answer"),
    [
        (s.Declare, ANA, Denied(role=Role.RESPONDER, needs=Role.COMMANDER)),
        (s.Declare, Actor.outsider("U0GUEST", "guest"), Denied(role=Role.OUTSIDER, needs=Role.MEMBER)),
        (s.TimePassed, Actor.outsider("U0GUEST", "guest"), Denied(role=Role.OUTSIDER)),
        (s.TimePassed, BOB, Denied(role=Role.ADMIN)),
        (s.Declare, Actor.vendor("anthropic"), Denied(role=Role.VENDOR)),
    ],
    ids=["a member", "a guest", "a guest plays a rule", "a commander plays a rule", "a vendor declares"],
)
def test_refusal_names_the_persons_level_and_the_required_one(signal: type[s.Signal], actor: Actor, answer: Denied) -> None:
    """None is named for what only rules may do."""
    commanded = replace(policy().incidents, commanders=(BOB.id,))

    assert answer == denied(signal, actor, commanded)


def test_long_title_is_refused_with_the_limit() -> None:
    """One character too many."""
    table = outage()
    answer = table.send(Rename(actor=ANA, incident=1, title="x" * (TITLE_CHARS + 1))).answer

    assert TitleTooLong(incident=1, most=TITLE_CHARS) == answer


def declare(table: Table, title: str, *components: str) -> base.Answer:
    return table.send(s.Declare(actor=BOB, title=title, components=components)).answer


def test_declaration_without_a_title_or_with_unknown_components_is_refused() -> None:
    """The first unknown name, and the known ones."""
    table = Table().all_well()
    known = tuple(sorted(table.policy.components))

    assert base.NoWords(of=base.Words.TITLE) == declare(table, "  ")
    assert base.NoComponent(component="a.b", known=known) == declare(table, "Chat is slow", API, "a.b", "c.d")


def test_answer_to_a_declaration_has_number_title_and_channel() -> None:
    """The title without surrounding blanks."""
    table = Table().all_well()
    answer = declare(table, " Payments hang ")
    name = table.incident().room.name

    assert a.Declared(incident=1, title="Payments hang", channel_name=name, changed=True) == answer
    assert name


def test_two_free_text_declarations_are_separate() -> None:
    """What happens to the one is not grouped with the other."""
    table = Table().all_well()
    declare(table, "Payments hang")
    table.passes(31)
    declare(table, "The door is locked")

    assert ["declared/1", "declared/2"] == [body.dedup for body in table.kinds(Declared) if isinstance(body, Declared)]


def in_channel(table: Table) -> a.RoomRef:
    """Slack opened the incident's channel."""
    table.send(s.EffectDone(actor=RULE, incident=1, kind=OpenChannel, key="k", channel="C1", ts="", name="inc-1-claude"))
    return a.RoomRef("C1", "inc-1-claude")


def test_answer_to_joining_names_the_channel() -> None:
    """By id and name; the second time as well."""
    table = outage()
    place = in_channel(table)
    first, second = (table.send(s.Join(actor=BOB, incident=1)).answer for _ in range(2))

    assert a.Joined(incident=1, place=place, changed=True) == first
    assert a.JoinedBefore(incident=1, place=place) == second


def test_joining_before_the_channel_exists_names_none() -> None:
    """It is created within seconds, or refused."""
    table = outage()

    assert a.Joined(incident=1, place=a.RoomRef(), changed=True) == table.send(s.Join(actor=BOB, incident=1)).answer


# --- what became of our own effects


def test_positions_of_posts_are_recorded() -> None:
    """The channel with its name, a post with its key."""
    table = outage()
    in_channel(table)
    done = s.EffectDone(actor=RULE, incident=1, kind=PostAlert, key="alert/INC-1", channel="C0", ts="1.2")

    assert base.Noted(changed=True) == table.send(done).answer
    assert [Written(ChannelOpened("C1", "inc-1-claude"), 1, RULE)] == table.written(ChannelOpened)
    assert [Written(Posted(PostAlert.KIND, "alert/INC-1", "C0", "1.2"), 1, RULE)] == table.written(Posted)


def test_abandoned_effect_without_an_incident_is_only_recorded() -> None:
    """There is no channel to say it in."""
    table = Table().all_well()
    refused = s.EffectRefused(actor=RULE, incident=None, kind=PostLine, key="k", reason="no such channel")

    assert base.Noted(changed=False) == table.send(refused).answer


def test_change_edits_alert_and_card_once() -> None:
    """Of each affected incident, and no other."""
    table = outage()
    table.sees(GPT, Level.DOWN)
    table.send(s.AddNote(actor=ANA, incident=1, text="it hangs"))
    edited = [(type(e.body), e.incident) for e in table.steps[-1].effects if isinstance(e.body, (EditAlert, EditCard))]

    assert [(EditAlert, 1), (EditCard, 1)] == edited
