"""A component that joins an open incident brings what belongs to it."""

from dataclasses import replace

from bot.core import signals as s
from bot.core.effects import AddBookmarks, EffectBody, InvitePeople, PostRunbook
from bot.core.model import Level
from bot.core.record.flag_facts import Engaged
from bot.core.record.room.room_facts import PeopleInvited
from tests.desk import RULE, Table, policy

API, WEB, MOBILE = "anthropic.api", "anthropic.web", "anthropic.mobile"
BROUGHT = (AddBookmarks, InvitePeople, PostRunbook)


def outage(*, flag_on: tuple[str, ...] = (API,), **web: object) -> Table:
    """The API is down; `web` is what configuration says of claude.ai, on which no flag depends unless `flag_on` names it."""
    known = policy(depends_on=flag_on)
    components = {**known.components, WEB: replace(known.components[WEB], **web)}  # type: ignore[arg-type]
    table = Table(replace(known, components=components)).all_well()
    table.sees(API, Level.DOWN)
    return table


def brought(table: Table) -> list[EffectBody]:
    """What claude.ai brings when it fails too."""
    return [effect.body for effect in table.sees(WEB, Level.DOWN).effects if isinstance(effect.body, BROUGHT)]


def test_checklist_of_a_joining_component_is_posted() -> None:
    assert [PostRunbook()] == brought(outage(runbook_steps=("Ask the vendor",)))


def test_runbook_with_an_address_is_linked() -> None:
    assert [AddBookmarks(), PostRunbook()] == brought(outage(runbook_url="https://wiki.example.com/web"))


def test_experts_of_a_joining_component_are_invited() -> None:
    assert [InvitePeople()] == brought(outage(invite=("S0WEB",)))


def test_component_without_settings_brings_nothing() -> None:
    assert [] == brought(outage())


def test_relapse_brings_nothing_again() -> None:
    """The component has been in the incident all along."""
    table = outage(runbook_steps=("Ask the vendor",), invite=("S0WEB",))
    table.sees(WEB, Level.DOWN)
    table.sees(WEB, Level.OPERATIONAL)

    assert [] == brought(table)


def test_each_checklist_has_its_own_key() -> None:
    """Otherwise the second would count as the first."""
    table = outage(runbook_steps=("Ask the vendor",))
    table.policy = replace(
        table.policy, components={id: replace(one, runbook_steps=("Look",)) for id, one in table.policy.components.items()}
    )
    table.sees(WEB, Level.DOWN)
    table.sees(MOBILE, Level.DOWN)

    assert 2 == len(set(table.effects(PostRunbook)))


def test_flags_of_a_joining_component_are_switched() -> None:
    """They belong to the incident from then on."""
    table = outage(flag_on=(WEB,))
    table.sees(WEB, Level.DOWN)

    [engaged] = table.written(Engaged)
    assert 1 == engaged.incident


def test_invited_people_are_recorded() -> None:
    """So that a restart invites nobody twice."""
    table = outage()
    for people in (("U0ANA",), ("U0ANA", "S0WEB")):
        table.send(s.EffectDone(actor=RULE, key="k", kind=InvitePeople, incident=1, reached=people))

    assert ("U0ANA", "S0WEB") == table.incident().room.invited
    assert 2 == len(table.kinds(PeopleInvited))


def test_invitation_of_nobody_new_records_nothing() -> None:
    table = outage()

    assert () == table.send(s.EffectDone(actor=RULE, key="k", kind=InvitePeople, incident=1)).facts
