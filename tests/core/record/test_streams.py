"""A kind of stream is one entry: folded, put, written and read by it, and no list elsewhere names it."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings

from bot.core.codec import encode
from bot.core.record.fact import BODIES, Body, Fact
from bot.core.record.incident_facts import NoteAdded
from bot.core.record.layered import MOST_ON_TOP, Layered
from bot.core.record.sight import Sight, SightLost, SightRegained
from bot.core.record.streams import BY_STATE, STREAMS, Stream, changed, evolve, put, state_of
from bot.core.record.world import World
from bot.engine.world_reading import changed_states, world_from
from tests.desk import ANA, START, Table
from tests.generated import instances
from tests.stories import outage_story


@dataclass(frozen=True)
class Shift:
    """A state that no Understudy has."""

    id: str
    notes: tuple[str, ...] = ()


def test_a_new_kind_of_stream_is_one_entry() -> None:
    """Its facts are folded, its rows are written, and a restart reads them."""
    STREAMS["shift"] = BY_STATE[Shift] = Stream("shift", Shift, new=Shift)
    try:

        @dataclass(frozen=True)
        class Passed(Body):
            KIND = "test.shift_passed"
            note: str

            def onto(self, state: Shift, fact: Fact) -> Shift:
                return replace(state, notes=(*state.notes, self.note))

        world = evolve(World(), Fact("shift/night", 1, START, ANA, None, Passed("all quiet")))
        rows = changed_states(World(), world)

        assert Shift("night", ("all quiet",)) == state_of(world, "shift/night")
        assert [("shift/night", 1, "shift", "")] == [(row.stream, row.seq, row.kind, row.dedup) for row in rows]
        assert world == world_from(rows)
    finally:
        del STREAMS["shift"], BY_STATE[Shift], BODIES["test.shift_passed"]


def test_an_unknown_kind_of_stream_is_refused() -> None:
    """A ledger of a newer version is not folded into nothing."""
    with pytest.raises(ValueError, match="no kind of stream is called 'shift'"):
        evolve(World(), Fact("shift/night", 1, START, ANA, None, NoteAdded("all quiet")))


def test_a_fact_before_an_incident_was_declared_is_refused() -> None:
    """A ledger whose first fact is gone is not folded into an incident without a beginning."""
    with pytest.raises(ValueError, match=r"incident/7 has a incident\.note_added before it was declared"):
        evolve(World(), Fact("incident/7", 1, START, ANA, 7, NoteAdded("all quiet")))


def test_our_blindness_is_noted_in_an_incident_and_changes_nothing_of_it() -> None:
    """Its timeline says that we did not see; the incident stays what it is."""
    story = outage_story(100)
    incident = story.incident()
    lost = Fact(incident.stream, story.world.seqs[incident.stream] + 1, START, ANA, 7, SightLost("every provider", START))
    seen = Fact(incident.stream, lost.seq + 1, START, ANA, 7, SightRegained("every provider", START, START))

    world = evolve(evolve(story.world, lost), seen)

    assert incident == world.incidents[incident.number]


def test_a_world_is_the_same_after_a_restart() -> None:
    """Every state of a whole story comes back from its row, and so does what is kept to find incidents fast."""
    world = outage_story(160).world
    again = world_from(changed_states(World(), world))

    assert world == again
    assert world.running == again.running
    assert world.ended_last == again.ended_last
    assert world.last_incident == again.last_incident


def test_every_state_is_written_under_its_stream() -> None:
    """The names stand in ledgers and never change."""
    story = outage_story()
    world = put(story.world, Sight(blind=True))
    names = {name for _, name, _ in changed(World(), world)}

    assert {fact.stream for fact in story.facts} | {"sight"} == names


def test_only_an_open_incident_holds_its_provider() -> None:
    """A second one may be opened when it is over."""
    held = STREAMS["incident"].holds

    assert "anthropic" == held(outage_story(100).incident())
    assert "" == held(outage_story().incident())


def test_a_step_writes_only_what_it_changed() -> None:
    """A note rewrites its incident's row alone, whatever else there is."""
    table = Table().all_well()
    before = table.world
    row = changed_states(before, evolve(before, Fact("flag/support-chat.llm", 1, START, ANA, None, NoteAdded("x"))))

    assert ["flag/support-chat.llm"] == [one.stream for one in row]


@pytest.mark.parametrize("apart", [1, 10, MOST_ON_TOP, MOST_ON_TOP + 1, 3 * MOST_ON_TOP])
def test_what_differs_is_found_however_many_versions_apart(apart: int) -> None:
    """Neither a lost row nor one too many, also across the moment at which the layers are merged."""
    versions: list[Layered[int, list[int]]] = [Layered()]
    for n in range(5 * MOST_ON_TOP):
        versions.append(versions[-1].but(n * 7 % 101, [n]))

    for before, after in zip(versions, versions[apart:], strict=False):
        differ = {key for key in after if before.get(key) is not after[key]}
        assert differ == {key for key, _ in after.differing(before)}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.name)
def test_a_state_is_put_where_its_stream_says(stream: Stream) -> None:
    """By its own key, of whichever type that is."""

    @settings(max_examples=10, deadline=None)
    @given(instances(stream.state))
    def holds(state: object) -> None:
        world = put(World(), state)
        assert encode(state) == encode(world.of(stream.name)[stream.key_of(state)])

    holds()
