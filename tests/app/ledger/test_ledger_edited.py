"""A ledger that was edited by hand is not believed: states are rebuilt from facts, edited facts are refused by name."""

import pytest

from bot.ledger_care.audit import DailyAudit
from bot.store.sqlite.ledgers import InlineLedger
from tests.cli.deployment import Deployment
from tests.house import FLAG
from tests.ledger_edits import edit
from tests.ledger_facts import an_incident

DEEP = "[" * 100_000 + "]" * 100_000


def a_ledger() -> InlineLedger:
    """One with an incident that is over and one that is open."""
    ledger = InlineLedger.open()
    for commit in an_incident():
        ledger.store.commit(commit)
    return ledger


async def audited_twice(ledger: InlineLedger) -> tuple[DailyAudit, list[tuple[str, str]]]:
    """The audit after two looks, and the title and text of each call to people."""
    calls: list[tuple[str, str]] = []
    audit = DailyAudit(ledger, lambda title, text: calls.append((title, text)))
    await audit.look()
    await audit.look()
    return audit, calls


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE states SET body = replace(body, '\"gpt\"', '\"cached\"') WHERE stream GLOB 'flag/*'",
        "UPDATE states SET body = '{' WHERE stream GLOB 'flag/*'",
        f"UPDATE states SET body = '{DEEP}' WHERE stream GLOB 'flag/*'",  # noqa: S608 # a constant
        "UPDATE states SET body = CAST(x'7bff' AS TEXT) WHERE stream GLOB 'flag/*'",
        "DELETE FROM states WHERE stream GLOB 'flag/*'",
    ],
)
async def test_a_state_that_does_not_follow_from_its_facts_is_rebuilt(sql: str, engaged: Deployment) -> None:
    """What is served is what was decided, and the log names what was found."""
    edit(engaged.data, sql)
    bot = await engaged.ready_bot()

    assert "gpt" == await bot.serves(FLAG)
    assert f"the state of flag/{FLAG} did not follow from its facts" in bot.output


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE facts SET body = replace(body, 'gpt', 'cached') WHERE stream GLOB 'flag/*'", f"flag/{FLAG} do not hold"),
        ("UPDATE facts SET body = '{' WHERE stream GLOB 'flag/*'", f"flag/{FLAG} do not hold from number 1 on: it was edited"),
        ("DELETE FROM facts WHERE stream GLOB 'flag/*'", f"flag/{FLAG} do not hold from number 1 on: later ones were removed"),
        (
            f"UPDATE facts SET body = '{DEEP}' WHERE stream GLOB 'flag/*'",  # noqa: S608 # a constant
            f"flag/{FLAG} do not hold from number 1 on: it was edited",
        ),
        (
            "UPDATE facts SET body = CAST(x'7bff' AS TEXT) WHERE stream GLOB 'flag/*'",
            f"flag/{FLAG} do not hold: one is no longer text",
        ),
        (
            "INSERT INTO states SELECT 'flag/made-up', 0, kind, dedup, body FROM states WHERE stream GLOB 'flag/*'",
            "flag/made-up do not hold: it has a state, and none of them led to it",
        ),
        ("UPDATE facts SET at = '2020-01-01T00:00:00.000000+00:00' WHERE incident = 1 AND seq = 1", "incident/1 do not hold"),
    ],
)
async def test_an_edited_fact_of_something_open_is_refused_by_name(sql: str, named: str, engaged: Deployment) -> None:
    """Nothing is decided on what was made up; the sentence has the remedy and no traceback."""
    edit(engaged.data, sql)
    ended = await engaged.refused()

    assert 1 == ended.status
    assert named in ended.err
    assert "Restore a backup" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("facts", ["stream GLOB 'flag/*'", "stream GLOB 'flag/*' AND id = (SELECT max(id) FROM facts)"])
async def test_facts_that_were_deleted_with_their_state_are_missed(facts: str, engaged: Deployment) -> None:
    """An engaged flag would be back on the provider that fails, and nothing left in its stream would show it."""
    edit(engaged.data, f"DELETE FROM facts WHERE {facts}", "DELETE FROM states WHERE stream GLOB 'flag/*'")  # noqa: S608 # constants
    ended = await engaged.refused()

    assert 1 == ended.status
    gone = f"1 of its facts was deleted, together with the state they led to (facts of flag/{FLAG} are gone). Restore a backup"
    assert gone in ended.err
    assert "Traceback" not in ended.err


async def test_a_ledger_is_used_without_what_is_missing_where_a_person_says_so(engaged: Deployment) -> None:
    """Without a backup the incident that is left is worth more than nothing."""
    edit(engaged.data, "DELETE FROM facts WHERE stream GLOB 'flag/*'", "DELETE FROM states WHERE stream GLOB 'flag/*'")
    bot = await engaged.ready_bot("--accept-missing")

    assert "claude" == await bot.serves(FLAG)
    assert "the ledger is used without facts that were deleted from it" in bot.output


async def test_a_stream_that_was_deleted_whole_is_missed_by_the_daily_audit() -> None:
    """Nothing is left of it to be read; the numbers of all facts have a gap. It is told once."""
    ledger = a_ledger()
    ledger.conn.execute("DROP TRIGGER facts_last")
    ledger.conn.execute("DELETE FROM facts WHERE stream = 'component/anthropic.api'")
    ledger.conn.execute("DELETE FROM states WHERE stream = 'component/anthropic.api'")
    audit, calls = await audited_twice(ledger)

    assert 1 == len(calls)
    assert "together with the state they led to (facts of component/anthropic.api are gone). Restore a backup" in calls[0][1]
    assert "of its facts were deleted" in audit.trouble


async def test_an_incident_that_is_over_is_not_opened_by_an_edit_of_its_state(engaged: Deployment) -> None:
    """Nobody is told of an incident that goes on when it was resolved, and no key of an open one is needed for that."""
    assert 0 == (await engaged.verb("incident", "resolve", "1", "--yes")).status
    edit(engaged.data, 'UPDATE states SET body = replace(body, \'"phase":"resolved"\', \'"phase":"mitigated"\')')
    bot = await engaged.ready_bot()
    listed = await engaged.verb("incident", "list")

    assert "the state of incident/1 did not follow from its facts" in bot.output
    assert "mitigated" not in listed.out


async def test_an_open_incident_stays_open_to_the_audit() -> None:
    """An edit that says it is over, in the fact as in the state, takes it out of nobody's sight."""
    ledger = a_ledger()
    ledger.conn.execute("DROP TRIGGER facts_stay")
    phase = "body = json_set(body, '$.phase', 'resolved')"
    changed = ledger.conn.execute(f"UPDATE facts SET {phase} WHERE stream = 'incident/2' AND kind = 'incident.phase_changed'")  # noqa: S608 # a constant
    ledger.conn.execute(f"UPDATE states SET dedup = '', {phase} WHERE stream = 'incident/2'")  # noqa: S608 # a constant

    assert changed.rowcount > 0
    assert "incident/2" in ledger.store.streams(only_open=True)


async def test_a_terminal_verb_does_not_believe_it_either(engaged: Deployment) -> None:
    """It works on the same ledger, without a bot."""
    edit(engaged.data, "UPDATE facts SET body = '{' WHERE stream GLOB 'flag/*'")
    ended = await engaged.verb("flags", "list")

    assert 1 == ended.status
    assert "the ledger was changed by hand" in ended.err


async def test_every_state_follows_from_its_facts_in_a_long_incident() -> None:
    """The check itself finds nothing where nothing was touched."""
    ledger = a_ledger()

    assert [] == [flaw for stream in ledger.store.streams() if (flaw := ledger.store.examine(stream))]
    assert {"incident/1", "incident/2"} - set(ledger.store.streams(only_open=True)) == {"incident/1"}


async def test_the_daily_audit_finds_what_was_edited_in_an_incident_that_is_over() -> None:
    """People are called once; the state beside it is mended."""
    ledger = a_ledger()
    ledger.conn.execute("DROP TRIGGER facts_stay")
    ledger.conn.execute("UPDATE facts SET actor = replace(actor, 'ana', 'bob') WHERE stream = 'incident/1'")
    ledger.conn.execute("UPDATE states SET body = '{}' WHERE stream = 'component/anthropic.api'")
    _, calls = await audited_twice(ledger)

    assert ["Understudy's ledger was changed by hand"] == [title for title, _ in calls]
    assert "the facts of incident/1 do not hold from number" in calls[0][1]
    assert ledger.store.examine("component/anthropic.api") is None
