"""Whatever the text, loading ends in a configuration or in ConfigErrors."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config.load import load
from bot.config.models import Config
from bot.config.reading.errors import ConfigErrors

EXAMPLE = (Path(__file__).parents[2] / "examples" / "understudy.yaml").read_text(encoding="utf-8")
TOKENS = re.findall(r"\s+|[\w.]+|[^\w\s]", EXAMPLE)
ODD = [
    "null",
    "~",
    "[]",
    "{}",
    "true",
    "0",
    "-1",
    ".nan",
    "1e9",
    "''",
    '"\\x00"',
    "&a",
    "*a",
    "<<",
    "!!str",
    "${",
    "${X}",
    "$${",
    "é",
    "- ",
]
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
SECTIONS = list(Config.model_fields)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the text is written."""
    return tmp_path / "understudy.yaml"


def useless_refusals(path: Path, data: bytes) -> list[str]:
    """Load the bytes; what is refused without an error, or with one that does not name the file. Each can be printed."""
    path.write_bytes(data)
    found = []
    for lenient in (False, True):
        try:
            load(path, {"X": "x"}, lenient_credentials=lenient)
        except ConfigErrors as errors:
            str(errors).encode("utf-8")
            if not errors.errors or not all(str(error).startswith(str(path)) for error in errors.errors):
                found.append(str(errors))
    return found


@QUIET
@given(text=st.text())
def test_random_text_never_raises_anything_else(path: Path, text: str) -> None:
    """Text of any kind."""
    assert [] == useless_refusals(path, text.encode("utf-8", errors="replace"))


@QUIET
@given(data=st.binary())
def test_random_bytes_never_raise_anything_else(path: Path, data: bytes) -> None:
    """Bytes of any kind."""
    assert [] == useless_refusals(path, data)


@QUIET
@given(data=st.data())
def test_damaged_example_never_raises_anything_else(path: Path, data: st.DataObject) -> None:
    """The example with a few words replaced, lost or doubled."""
    tokens = list(TOKENS)
    for _ in range(data.draw(st.integers(1, 6))):
        index = data.draw(st.integers(0, len(tokens) - 1))
        tokens[index] = data.draw(st.sampled_from(ODD) | st.sampled_from(TOKENS) | st.just(""))

    assert [] == useless_refusals(path, "".join(tokens).encode("utf-8"))


@QUIET
@given(document=st.dictionaries(st.sampled_from(SECTIONS), Json, max_size=6))
def test_wrong_shapes_never_raise_anything_else(path: Path, document: dict[str, object]) -> None:
    """Known sections that hold values of any shape."""
    assert [] == useless_refusals(path, _flow(document).encode("utf-8", errors="replace"))


@QUIET
@given(
    shape=st.sampled_from(
        [
            "providers: {p: %s}",
            "providers: {p: {preset: openai, components: %s, status_page: %s}}",
            "providers: {p: {preset: openai, api_key: %s, name: %s}}",
            "providers: {p: {components: {c: {checks: [%s, %s]}}}}",
            "providers: {p: {components: {c: {checks: [{type: http, url: %s, headers: %s, expect: %s}]}}}}",
            "providers: {p: {components: {c: {checks: [{type: http, name: %s, every: %s, deadline: %s}]}}}}",
            "flags: {f: %s}",
            "flags: {f: {variants: %s, default: %s, fallbacks: [%s], depends_on: [%s]}}",
            "flags: {f: {variants: {a: %s, b: %s}, default: a, hand_back: %s, fallbacks: [{variant: %s, needs: %s}]}}",
            "incidents: {open_on: %s, update_every: {SEV1: %s}, channel_name: %s}",
            "slack: {bot_token: %s, app_token: %s, invite: %s}",
            "runbooks: {a.b: %s}",
        ]
    ),
    values=st.lists(Json, min_size=6, max_size=6),
)
def test_wrong_values_in_deep_places_never_raise_anything_else(path: Path, shape: str, values: list[object]) -> None:
    """Values of any shape where another one belongs."""
    text = shape % tuple(_flow(value) for value in values[: shape.count("%s")])

    assert [] == useless_refusals(path, text.encode("utf-8", errors="replace"))


def _flow(value: object) -> str:
    """JSON is YAML."""
    return json.dumps(value)
