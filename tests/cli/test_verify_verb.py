"""`understudy verify`: whether the facts hold, for whoever has to rely on them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG
from tests.ledger_edits import edit

NOTE_EDITED = "UPDATE facts SET body = replace(body, 'support was told', 'nobody was told') WHERE stream = 'incident/1'"
FLAG_EDITED = "UPDATE facts SET body = replace(body, '\"gpt\"', '\"cached\"') WHERE stream GLOB 'flag/*'"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A deployment, not running, with two incidents; a flag was switched in the second."""
    async with a_deployment(tmp_path) as found:
        found.configure()
        for title in ("Claude is down", "The web is slow"):
            assert 0 == (await found.verb("incident", "declare", title, "--separate")).status
        assert 0 == (await found.verb("incident", "note", "1", "support was told")).status
        assert 0 == (await found.verb("flags", "engage", FLAG, "gpt", "--reason", "down")).status
        yield found


async def test_verify_says_that_everything_holds(two: Deployment) -> None:
    """In one line, with what was read."""
    ended = await two.verb("verify")

    assert (0, "The facts of all 3 streams hold.\n", "") == (ended.status, ended.out, ended.err)


async def test_verify_names_the_first_fact_that_was_edited_and_the_remedy(two: Deployment) -> None:
    """The sentence stands on standard output, what to do beside it."""
    edit(two.data, NOTE_EDITED)
    ended = await two.verb("verify")

    assert (1, "The facts of incident/1 do not hold from number 3 on: it was edited since it was written.\n") == (
        ended.status, ended.out,
    )  # fmt: skip
    assert "Restore a backup" in ended.err


async def test_verify_of_one_incident_leaves_the_others_out(two: Deployment) -> None:
    """INC-1's note was edited; INC-2 holds."""
    edit(two.data, NOTE_EDITED)

    assert [1, 0] == [(await two.verb("verify", name)).status for name in ("INC-1", "inc-02")]


async def test_verify_of_an_incident_reads_the_flags_of_its_timeline(two: Deployment) -> None:
    """What stands in the timeline but in another stream counts as well."""
    edit(two.data, "UPDATE facts SET incident = 2 WHERE stream GLOB 'flag/*'", FLAG_EDITED)
    ended = await two.verb("verify", "INC-2")

    assert 1 == ended.status
    assert f"The facts of flag/{FLAG} do not hold" in ended.out


async def test_verify_tells_a_state_that_does_not_follow_from_facts_that_hold(two: Deployment) -> None:
    """Nothing is lost then: it is rebuilt at the next start, and says so."""
    edit(two.data, "DELETE FROM states WHERE stream GLOB 'flag/*'")
    ended = await two.verb("verify")

    assert (1, f"The state of flag/{FLAG} did not follow from its facts (it was missing).\n") == (ended.status, ended.out)
    assert "is rebuilt from them when Understudy starts" in ended.err
    assert "Restore a backup" not in ended.err


async def test_verify_answers_programs(two: Deployment) -> None:
    """One JSON document, with the streams that do not hold."""
    edit(two.data, NOTE_EDITED)
    ended = await two.verb("verify", "--json")

    assert {"holds": False, "streams": 3} == {key: ended.json[key] for key in ("holds", "streams")}
    assert [("incident/1", False)] == [(flaw["stream"], flaw["facts_hold"]) for flaw in ended.json["flaws"]]


@pytest.mark.parametrize(
    ("reference", "status", "words"),
    [("INC-9", 1, "There is no INC-9.\n"), ("seven", 2, "'seven' names no incident. Write INC-7 or 7.\n")],
)
async def test_verify_says_what_it_cannot_find(reference: str, status: int, words: str, two: Deployment) -> None:
    """A reference is read as `export` reads it."""
    ended = await two.verb("verify", reference)

    assert (status, "", words) == (ended.status, ended.out, ended.err)


async def test_verify_works_beside_a_running_bot(two: Deployment) -> None:
    """It takes no lock."""
    await two.ready_bot()

    assert 0 == (await two.verb("verify", "1")).status


async def test_verify_says_where_it_looked_when_there_is_no_ledger(two: Deployment, tmp_path: Path) -> None:
    """As every verb that reads."""
    ended = await two.verb("verify", "--data", str(tmp_path / "elsewhere"))

    assert 1 == ended.status
    assert "there is no ledger in" in ended.err


async def test_verify_says_how_many_facts_are_gone_and_of_what(two: Deployment) -> None:
    """A flag's facts that were deleted with their state leave no trace in any stream; the line that told of them does."""
    edit(two.data, "DELETE FROM facts WHERE stream GLOB 'flag/*'", "DELETE FROM states WHERE stream GLOB 'flag/*'")
    ended = await two.verb("verify")

    assert 1 == ended.status
    assert f"1 of its facts was deleted, together with the state they led to (facts of flag/{FLAG} are gone).\n" == ended.out
    assert "understudy run --accept-missing" in ended.err


async def test_verify_says_it_to_programs(two: Deployment) -> None:
    """The ledger does not hold though each of its streams does."""
    edit(two.data, "DELETE FROM facts WHERE stream GLOB 'flag/*'", "DELETE FROM states WHERE stream GLOB 'flag/*'")
    found = (await two.verb("verify", "--json")).json

    assert {"holds": False, "streams": 2, "flaws": [], "missing_facts": 1, "missing_from": [f"flag/{FLAG}"]} == found


async def test_verify_names_the_words_to_type_for_a_broken_stream(two: Deployment) -> None:
    """As the refusal of a start does."""
    edit(two.data, NOTE_EDITED)
    ended = await two.verb("verify")

    assert "`understudy run --set-aside incident/1`" in ended.err
