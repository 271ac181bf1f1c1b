"""What the ledger writes it reads back: every fact, every state, every policy, through real JSON."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.codec import decode, encode, sparse
from bot.core.detection.detector import NEW
from bot.core.effects import EFFECTS
from bot.core.model import Actor, Fault, Level, Notice, Phase, Severity
from bot.core.policy import ComponentPolicy, Fallback, FlagPolicy, IncidentPolicy
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement, Proposal
from bot.core.record.incident import Affected, Incident, People
from bot.core.record.incident_facts import Declared, NoteAdded
from bot.core.record.kinds import BODIES, decode_body, encode_body
from bot.core.record.provider_facts import NoticeSeen
from bot.core.record.streams import STREAMS
from tests.generated import instances

AT = datetime(2026, 3, 20, 12, 0, 0, 123456, tzinfo=UTC)

# JSON cannot tell a float second from the next one beyond 285 years; no cadence is that long.
SPANS = st.timedeltas(timedelta(days=-3650), timedelta(days=3650))

STATES = (*(stream.state for stream in STREAMS.values()), Affected, Proposal, Engagement, Actor, Notice, *EFFECTS.values())


def wire(value: Any) -> Any:
    """What comes back from a ledger's column of text."""
    return json.loads(json.dumps(encode(value), allow_nan=False))


def round_trip(value: Any) -> Any:
    return decode(type(value), wire(value))


@pytest.mark.parametrize("kind", BODIES)
def test_fact_body_is_read_back_when_it_was_written(kind: str) -> None:
    """A body of any kind, with text as hostile as it comes, is the same after JSON."""
    body = BODIES[kind]

    @settings(max_examples=15, deadline=None)
    @given(instances(body))
    def holds(written: Body) -> None:
        data = json.loads(json.dumps(encode_body(written), allow_nan=False))
        assert written == decode_body(kind, body.VERSION, data)

    holds()


@pytest.mark.parametrize("kind", STATES, ids=lambda kind: kind.__name__)
def test_state_is_read_back_when_it_was_written(kind: Any) -> None:
    """State rows are the same after JSON, None and mappings of dataclasses included."""

    @settings(max_examples=15, deadline=None)
    @given(instances(kind))
    def holds(written: Any) -> None:
        assert written == round_trip(written)

    holds()


def test_optional_fields_are_none_when_they_were_none() -> None:
    """A young incident has many moments that have not come yet."""
    young = Incident(
        number=7, title="Claude API down", severity=Severity.SEV2, provider="anthropic", dedup="anthropic", began_at=AT,
        declared_at=AT, declared_by=Actor.rule("k-of-n window"), reason="3 of 5 checks failed",
    )  # fmt: skip

    read = round_trip(young)

    assert young == read
    assert read.people.acknowledged_by is None
    assert read.last_update_at is None
    assert read.ending.at is None


def test_nested_dataclasses_are_rebuilt_when_they_stand_in_mappings_and_options() -> None:
    """An incident's components and persons come back as what they were, not as dicts."""
    affected = {"anthropic.api": Affected("anthropic.api", Level.DOWN, "HTTP 502", AT, None)}
    incident = Incident(
        number=1, title="t", severity=Severity.SEV1, provider="p", dedup="p", began_at=AT, declared_at=AT,
        declared_by=Actor.person("U1", "ana"), reason="r", phase=Phase.MITIGATED, affected=affected,
        people=People(acknowledged_at=AT, acknowledged_by=Actor.operator("bob")),
    )  # fmt: skip

    read = round_trip(incident)

    assert affected == read.affected
    assert Actor("operator", "bob", "bob") == read.people.acknowledged_by
    assert Phase.MITIGATED == read.phase
    assert Level.DOWN == read.affected["anthropic.api"].level
    assert isinstance(read.phase, Phase)
    assert isinstance(read.affected["anthropic.api"].level, Level)


def test_tuples_stay_tuples_when_json_made_lists_of_them() -> None:
    """Evidence and notices are hashable again after a restart."""
    notice = Notice("anthropic", "n1", "u1", "title", "body", "investigating", "major", AT, components=("anthropic.api",))
    changed = VerdictChanged("anthropic.api", Level.OPERATIONAL, Level.DOWN, "r", Fault.THEIRS, ("http: status 502",), AT)

    assert ("anthropic.api",) == round_trip(NoticeSeen(notice)).notice.components
    assert hash(changed) == hash(round_trip(changed))


def test_mapping_is_keyed_by_enum_when_its_type_says_so() -> None:
    """The cadence by severity, with None for "on change only", survives."""
    every = {Severity.SEV1: timedelta(minutes=30), Severity.SEV2: timedelta(hours=1), Severity.SEV4: None}
    policy = IncidentPolicy(update_every=every, resolve_after=timedelta(seconds=1.5))
    component = ComponentPolicy("a.api", "A", "a", "A", {Level.DOWN: "SEV2", Level.DEGRADED: "thread"})

    assert {"SEV1": 1800.0, "SEV2": 3600.0, "SEV4": None} == wire(policy)["update_every"]
    assert policy == round_trip(policy)
    assert component == round_trip(component)
    assert all(isinstance(key, Severity) for key in round_trip(policy).update_every)


def test_mapping_is_keyed_by_number_when_its_type_says_so() -> None:
    """JSON has text keys only; a number comes back as a number."""
    assert {7: "INC-7"} == decode(dict[int, str], wire({7: "INC-7"}))


@pytest.mark.parametrize(
    "values", [{"a": "text"}, {"a": 1, "b": 2.5}, {"a": True}, {"a": {"model": "gpt", "n": [1, {"x": None}]}}], ids=str
)
def test_flag_values_stay_as_they_are_when_a_flag_is_remembered(values: Mapping[str, Any]) -> None:
    """Variants hold any JSON; their types decide what OpenFeature clients may read."""
    flag = FlagPolicy("f", values, "a", (Fallback("b", "openai.api"), Fallback("c")), min_hold=timedelta(minutes=7))

    read = round_trip(flag)

    assert flag == read
    assert [type(value) for value in values.values()] == [type(value) for value in read.variants.values()]


@given(SPANS)
@settings(deadline=None)
def test_span_is_exact_when_it_is_shorter_than_a_lifetime(span: timedelta) -> None:
    """To the microsecond, negative ones too."""
    assert span == decode(timedelta, wire(span))


@given(st.datetimes(timezones=st.just(UTC)))
@settings(deadline=None)
def test_moment_is_exact_and_aware_when_it_is_read_back(at: datetime) -> None:
    """To the microsecond, in UTC."""
    read = decode(datetime, wire(at))

    assert at == read
    assert timedelta(0) == read.utcoffset()


def test_moment_is_the_same_when_it_was_told_in_another_zone() -> None:
    """A vendor's own offset changes the writing, not the moment."""
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert AT == decode(datetime, wire(there))


@pytest.mark.parametrize("kind", [*BODIES.values(), *STATES], ids=lambda kind: kind.__name__)
def test_unknown_keys_are_ignored_when_a_newer_understudy_wrote_the_row(kind: Any) -> None:
    """A downgrade reads what it knows, at every depth where a dataclass stands."""

    @settings(max_examples=3, deadline=None)
    @given(instances(kind))
    def holds(written: Any) -> None:
        assert written == decode(kind, _with_strange_keys(wire(written)))

    holds()


def test_missing_keys_take_their_defaults_when_an_older_understudy_wrote_the_row() -> None:
    """A field that came later has a default, so that an old row still reads."""
    declared = Declared(1, "t", Severity.SEV2, "p", "p", ("p.api",), AT, "r", "#ops", vendor_first_at=AT)
    data = wire(declared)
    del data["vendor_first_at"]

    assert dataclasses.replace(declared, vendor_first_at=None) == decode_body("incident.declared", 1, data)


@pytest.mark.parametrize(("kind", "version"), [("incident.exploded", 1), ("incident.note_added", 2)])
def test_fact_is_refused_with_the_way_out_when_it_is_from_the_future(kind: str, version: int) -> None:
    """An operator who downgraded learns that it was that."""
    with pytest.raises(ValueError, match="newer"):
        decode_body(kind, version, wire(NoteAdded("hello")))


@pytest.mark.parametrize(("kind", "data"), [(Level, "molten"), (datetime, "yesterday"), (Actor, {"kind": "person"})])
def test_row_is_refused_when_it_does_not_fit(kind: Any, data: Any) -> None:
    """A damaged row is an error, never a half-made state."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode(kind, data)


INNER = frozenset({"notice", "actor", "declared_by", "acknowledged_by", "resolved_by", "engagement", "proposal"})


def _with_strange_keys(data: Any) -> Any:
    """Keys that nobody knows, in the outermost object and in those inside that are dataclasses of ours."""
    strange = {"a_key_of_tomorrow": {"deep": [1, 2]}, "": None}
    inner = {name: {**value, **strange} if name in INNER and isinstance(value, dict) else value for name, value in data.items()}
    return {**inner, **strange}


@pytest.mark.parametrize("kind", STATES, ids=lambda kind: kind.__name__)
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_what_is_as_usual_needs_no_room_and_is_read_back(kind: Any, data: st.DataObject) -> None:
    """The sparse form says what differs, and comes back whole."""
    value = data.draw(instances(kind))

    assert value == decode(kind, json.loads(json.dumps(sparse(value))))


def test_a_track_at_rest_takes_no_room() -> None:
    """Ten thousand of them are stored all the time."""
    assert {} == sparse(NEW)
