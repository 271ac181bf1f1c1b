"""Samples on the wire: what goes out comes in as it was, and nothing else comes in."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Fault, Outcome, Sample
from bot.vantage.wire import BATCH_BYTES, BATCH_SAMPLES, OPENED_AT_MOST, PACK_BYTES, WireError, pack, unpack

NOW = datetime(2026, 3, 20, 12, 0, 0, 250_000, tzinfo=UTC)
ID = "0123456789abcdef"
FAILED = Sample(
    check="anthropic.api.models", component="anthropic.api", at=NOW, outcome=Outcome.FAIL, error="http_5xx", fault=Fault.THEIRS,
    reason="HTTP 502 after 1.2 s", phases_ms={"dns": 1.5, "total": 1200.25}, evidence={"status": "502"}, vantage="eu-1",
)  # fmt: skip
WELL = Sample(check="a.b.c", component="a.b", at=NOW, outcome=Outcome.OK, vantage="eu-1")


def batch(**changes: Any) -> dict[str, Any]:
    """A good batch as data, with some fields changed."""
    return {**json.loads(pack(ID, "eu-1", [FAILED])[0]), **changes}


def sample(**changes: Any) -> dict[str, Any]:
    """A batch whose sample has some fields changed."""
    return batch(samples=[{**batch()["samples"][0], **changes}])


def test_samples_come_in_as_they_went_out() -> None:
    """Every field, to the microsecond and the tenth of a millisecond."""
    raw, count = pack(ID, "eu-1", [FAILED, WELL])
    found = unpack(raw)

    assert 2 == count
    assert (ID, "eu-1", (FAILED, WELL)) == (found.id, found.vantage, found.samples)


def test_vantage_is_that_of_the_batch() -> None:
    """A sample cannot claim to come from elsewhere."""
    assert "eu-1" == unpack(json.dumps(sample(vantage="local")).encode()).samples[0].vantage


def test_a_batch_of_more_lists_than_any_has_is_refused_unread() -> None:
    """Reading it would hold up everybody."""
    with pytest.raises(WireError, match="more lists and objects"):
        unpack(json.dumps(batch(x=[[]] * OPENED_AT_MOST)).encode())


def test_batch_is_cut_where_it_grows_too_large() -> None:
    """What does not fit goes with the next one; one sample always fits."""
    fat = Sample(
        check="a.b.c", component="a.b", at=NOW, outcome=Outcome.FAIL, reason="😀" * 5000,
        evidence={f"k{n}": "😀" * 5000 for n in range(50)},
    )  # fmt: skip
    raw, count = pack(ID, "eu-1", [fat] * 100)

    assert 1 <= count < 100
    assert len(raw) <= PACK_BYTES + 1000 < BATCH_BYTES
    assert count == len(unpack(raw).samples)
    assert BATCH_SAMPLES == pack(ID, "eu-1", [WELL] * (BATCH_SAMPLES + 5))[1]


def test_texts_are_short_and_inert() -> None:
    """Words of another machine hold no control characters, no direction marks and no secrets."""
    raw = json.dumps(sample(reason="a\x00b\u202ec\n" + "x" * 1000, evidence={"k" * 99: "xoxb-1-2-abcdef \ud800"})).encode()
    found = unpack(raw).samples[0]

    assert found.reason.startswith("abc x")
    assert 300 == len(found.reason)
    assert {"k" * 39 + "…": "[secret]"} == found.evidence


def test_newer_peer_is_understood() -> None:
    """Unknown fields and phases are passed over; a fault that we do not know is unclear."""
    raw = json.dumps(sample(fault="cosmic", new=[1], phases_ms={"total": 5, "teleport": 1})).encode()
    found = unpack(raw).samples[0]

    assert (Fault.UNCLEAR, {"total": 5.0}) == (found.fault, found.phases_ms)


WRONG: list[tuple[str, bytes]] = [
    *((f"not JSON {n}", raw) for n, raw in enumerate((b"", b"{", b"\xff\xfe{}", b"nonsense", b"\x1f\x8b\x08\x00"))),
    ("a list", b"[]"),
    ("a number of 5,000 digits", b'{"v": ' + b"1" * 5000 + b"}"),
    ("deep", b"[" * 100_000 + b"]" * 100_000),
    ("twice the same name", b'{"v": 1, "v": 1}'),
    ("NaN", json.dumps(sample(phases_ms={"total": float("nan")})).encode()),
    ("infinity", json.dumps(sample(phases_ms={"total": 1})).replace('"total": 1', '"total": 1e999').encode()),
    *(
        (f"{name}={str(value)[:30]}", json.dumps(batch(**{name: value})).encode())
        for name, value in (
            ("v", 2), ("v", True), ("v", None), ("batch", ""), ("batch", "a/../../b"), ("batch", 5), ("batch", "x" * 65),
            ("vantage", None), ("vantage", ""), ("vantage", "x" * 201), ("samples", None), ("samples", {}), ("samples", [1]),
            ("samples", [{}] * (BATCH_SAMPLES + 1)),
        )
    ),
    *(
        (f"sample {name}={str(value)[:30]}", json.dumps(sample(**{name: value})).encode())
        for name, value in (
            ("check", None), ("check", ""), ("check", "a b"), ("check", "x" * 201), ("check", "é"), ("component", 5),
            ("at", None), ("at", 5), ("at", "yesterday"), ("at", "2026-03-20T12:00:00"), ("at", "0001-01-01T00:00:00+23:59"),
            ("at", "9999-12-31T23:59:59-23:59"), ("outcome", "great"), ("outcome", None), ("outcome", []), ("fault", 5),
            ("error", 5), ("error", "Not A Class"), ("error", ""), ("reason", 5), ("reason", None), ("evidence", []),
            ("evidence", {"a": 5}), ("phases_ms", []), ("phases_ms", {"total": "1"}), ("phases_ms", {"total": -1}),
            ("phases_ms", {"total": True}), ("phases_ms", {"total": 10**400}), ("phases_ms", {"total": None}),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("raw", [raw for _, raw in WRONG], ids=[name for name, _ in WRONG])
def test_batch_is_refused_with_a_reason(raw: bytes) -> None:
    """Whatever comes, it is one sentence and never another exception."""
    with pytest.raises(WireError) as refused:
        unpack(raw)
    assert str(refused.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(field=st.sampled_from([*batch(), *batch()["samples"][0]]), value=json_values)
def test_any_value_in_any_field_is_taken_or_refused(field: str, value: Any) -> None:
    """No value of any kind gets past the reader as another exception."""
    for data in (batch(**{field: value}), sample(**{field: value})):
        try:
            unpack(json.dumps(data).encode())
        except WireError as refused:
            assert str(refused)
