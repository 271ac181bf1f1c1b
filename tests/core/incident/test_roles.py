"""Who leads an incident: given, handed over, taken back; and who has the other roles."""

from dataclasses import replace

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.codec import decode, encode
from bot.core.decide.incident.roles import GONE
from bot.core.effects import EditAlert, EditCard, InvitePeople, PostLine
from bot.core.model import COMMUNICATIONS, LEAD, Actor, Phase
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import RoleChanged
from bot.core.record.streams import evolve
from bot.timeline.rows import rows
from tests.desk import ANA, BOB, Table, policy, told


def declared() -> Table:
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))
    return table


def give(table: Table, to: Actor | None, by: Actor = ANA, role: str = LEAD) -> Answer:
    return table.send(s.GiveRole(actor=by, incident=1, role=role, to=to)).answer


def test_a_role_is_given() -> None:
    """Whoever gets it is invited, and the channel hears of it once; alert and card are drawn anew."""
    table = declared()
    said = give(table, BOB)
    [invited] = [one for one in table.steps[-1].effects if type(one.body) is InvitePeople]
    kinds = {type(one.body) for one in table.steps[-1].effects}

    assert said.ok
    assert "bob leads INC-1 now." == told(said)
    assert {LEAD: BOB} == table.incident().people.roles
    assert (BOB, ANA) == table.incident().people.responders
    assert 1 == invited.incident
    assert "incident/1" == invited.lane
    assert {PostLine, EditAlert, EditCard, InvitePeople} == kinds


def test_a_role_is_one_persons() -> None:
    """Handing it over needs no taking back, and the timeline says who had it before."""
    table = declared()
    give(table, ANA)
    give(table, BOB)

    assert {LEAD: BOB} == table.incident().people.roles
    assert [RoleChanged(LEAD, None, ANA), RoleChanged(LEAD, ANA, BOB)] == table.kinds(RoleChanged)


def test_a_role_is_taken_back() -> None:
    """Nobody leads then; who led is still among those who help."""
    table = declared()
    give(table, BOB)
    said = give(table, None)

    assert said.ok
    assert "Nobody leads INC-1 any more." == told(said)
    assert {} == table.incident().people.roles
    assert (BOB, ANA) == table.incident().people.responders
    assert [] == [one for one in table.steps[-1].effects if type(one.body) is InvitePeople]


def test_giving_it_again_changes_nothing() -> None:
    """A second press, or two people who are quick; by id, for names change."""
    table = declared()
    give(table, BOB)
    again = give(table, Actor.person(BOB.id, "robert"))

    assert not again.ok
    assert "bob already leads INC-1." == told(again)
    assert 1 == len(table.kinds(RoleChanged))


def test_what_nobody_has_is_not_taken_back() -> None:
    """The answer says how it is."""
    said = give(declared(), None)

    assert not said.ok
    assert "Nobody leads INC-1." == told(said)


def test_an_incident_that_is_over_has_no_roles_to_give() -> None:
    """Reopening comes first."""
    table = declared()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))
    said = give(table, BOB)

    assert not said.ok
    assert "INC-1 is resolved; nobody has a role in it any more." == told(said)


def test_who_had_it_stays_on_record_when_it_is_over() -> None:
    """The post-mortem asks who led."""
    table = declared()
    give(table, BOB)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))

    assert {LEAD: BOB} == table.incident().people.roles


def test_a_role_survives_a_restart() -> None:
    """The state is read back as it was written, and is what its facts come to."""
    table = declared()
    give(table, BOB)
    folded = Table().world
    for fact in table.facts:
        folded = evolve(folded, fact)

    assert table.incident() == decode(Incident, encode(table.incident())) == folded.incidents[1]


def test_an_incident_of_before_has_no_roles() -> None:
    """Rows that were written before there were any still open."""
    row = encode(declared().incident())
    del row["people"]["roles"]

    assert {} == decode(Incident, row).people.roles


def test_the_timeline_says_who_led() -> None:
    """By name, as people read it in the export."""
    table = declared()
    give(table, BOB)
    give(table, None)
    texts = [row.text for row in rows(table.facts) if row.kind == "incident.role_changed"]

    assert ["bob leads INC-1", "Nobody leads INC-1 any more"] == texts


# --- roles besides the lead


def test_roles_stand_beside_each_other() -> None:
    """One person may lead and speak; who is asked for updates is whoever has communications."""
    table = declared()
    give(table, ANA)
    said = give(table, BOB, role=COMMUNICATIONS)

    assert "bob is communications for INC-1 now." == told(said)
    assert {LEAD: ANA, COMMUNICATIONS: BOB} == table.incident().people.roles
    assert BOB == table.incident().people.speaker


def test_the_lead_speaks_where_nobody_has_communications() -> None:
    """Somebody is always asked."""
    table = declared()
    give(table, ANA)
    give(table, BOB, role="scribe")

    assert ANA == table.incident().people.speaker


def test_a_role_that_is_not_configured_is_refused() -> None:
    """From a forged form, say; the answer names those that there are."""
    table = declared()

    assert "There is no role 'chef'. There are: lead, communications, scribe." == told(give(table, BOB, role="chef"))
    assert [] == table.kinds(RoleChanged)


def test_a_role_that_left_the_configuration_is_given_up() -> None:
    """Somebody has it since before, and can still be rid of it."""
    table = declared()
    give(table, BOB, role="scribe")
    table.policy = called("lead", "communications")

    assert "Nobody is scribe for INC-1 any more." == told(give(table, None, role="scribe"))


def test_who_presses_too_late_takes_the_lead_from_nobody() -> None:
    """Two people at once: the second learns who was first."""
    table = declared()
    give(table, ANA)
    late = table.send(s.GiveRole(actor=BOB, incident=1, role=LEAD, to=BOB, free=True)).answer

    assert "ana already leads INC-1." == told(late)
    assert {LEAD: ANA} == table.incident().people.roles


@pytest.mark.parametrize("word", ["lead", "Commander", "chief"])
def test_the_first_role_leads_whatever_it_is_called(word: str) -> None:
    """People type what they are used to, and ledgers of before mean the same."""
    assert LEAD == called("chief", "scribe").incidents.role_meant(word)


@pytest.mark.parametrize("word", ["comms", "communications"])
def test_a_word_for_a_role_that_is_not_configured_means_nothing(word: str) -> None:
    """It would be given, and nowhere be seen."""
    assert called("chief", "scribe").incidents.role_meant(word) is None


def called(*roles: str) -> Policy:
    return replace(policy(), incidents=replace(policy().incidents, roles=roles))


# --- somebody is gone


def test_whoever_is_deactivated_has_no_role_any_more() -> None:
    """Theirs are free in every incident that is open, and the channel is asked for a lead from then on."""
    table = declared()
    give(table, BOB)
    give(table, BOB, role="scribe")
    give(table, ANA, role=COMMUNICATIONS)
    table.send(s.HolderGone(actor=GONE, user=BOB.id))
    told_why = [body.reason for body in table.kinds(RoleChanged)[-2:] if isinstance(body, RoleChanged)]

    assert {COMMUNICATIONS: ANA} == table.incident().people.roles
    assert ["bob's account is deactivated"] * 2 == told_why
    assert table.now == table.incident().people.lead_left_at


def test_that_somebody_else_is_gone_changes_nothing() -> None:
    """Slack tells of everybody."""
    table = declared()
    give(table, BOB)
    step = table.send(s.HolderGone(actor=GONE, user=ANA.id))

    assert () == step.facts
