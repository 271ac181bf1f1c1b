"""The page on checks: its tables match the code, and each check type's section lists every key."""

import re
from pathlib import Path

import pytest

from bot.checks.judging.vendor_words import STATUS_CLASSES, STRONG_WORDS
from bot.config.checks.base import CheckBase
from bot.config.checks.http import Expect
from bot.config.checks.json_rules import parse_expectation
from bot.config.checks.kinds import CHECK_MODELS
from bot.core.detection.error_classes import GROUPS, ErrorClass
from bot.core.model import Outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checks.md"
FAULT_WORDS = {"ours_key": "our key", "ours_quota": "our quota", "ours_config": "our configuration"}


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None, f"there is no section {title}"
    return found[1]


def row_of(name: str, row: ErrorClass) -> str:
    fault = FAULT_WORDS.get(row.fault, row.fault.value)
    fault += "" if row.outcome is Outcome.FAIL else f", {row.outcome.value}"
    marks = ["yes" if mark else "no" for mark in (row.may_open, row.may_flip)]
    marks[0] += ", while the control group is fine" if row.may_open and row.network else ""
    return f"| `{name}` | {fault} | {marks[0]} | {marks[1]} | {row.sentence} |"


def errors_table() -> str:
    """The error classes as the page shows them."""
    lines = []
    for title, rows in GROUPS.items():
        lines += [f"### {title}", ""]
        lines += ["| class | whose fault | opens an incident | moves a flag | means |", "|---|---|---|---|---|"]
        lines += [row_of(name, row) for name, row in rows.items()] + [""]
    return "\n".join(lines).strip()


def statuses_table() -> str:
    """The class of each status for answers whose body says nothing."""
    by_class: dict[str, list[int]] = {}
    for status, error in STATUS_CLASSES.items():
        by_class.setdefault(error, []).append(status)
    lines = ["| status | class |", "|---|---|"]
    lines += [f"| {', '.join(str(status) for status in found)} | `{error}` |" for error, found in by_class.items()]
    return "\n".join([*lines, "| any other 5xx | `http_5xx` |", "| anything else | `http_unexpected` |"])


def words_table() -> str:
    """The provider words that select each class."""
    lines = ["| words | class |", "|---|---|"]
    lines += [f"| {', '.join(f'`{word}`' for word in words)} | `{error}` |" for error, words in STRONG_WORDS.items()]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("mark", "made"),
    [("ERRORS", errors_table()), ("STATUSES", statuses_table()), ("WORDS", words_table())],
    ids=["ERRORS", "STATUSES", "WORDS"],
)
def test_tables_on_the_page_match_the_code(mark: str, made: str) -> None:
    """If this fails, put the expected table between the markers."""
    found = re.search(rf"<!-- {mark} -->\n\n(.*)\n\n<!-- /{mark} -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    assert made == (found[1] if found else "")


@pytest.mark.parametrize("kind", CHECK_MODELS)
def test_section_of_each_check_type_lists_its_keys(kind: str) -> None:
    """Keys that all types share are described once."""
    told = {part for word in re.findall(r"`([\w.]+)`", section(kind)) for part in word.split(".")}
    model = CHECK_MODELS[kind]
    names = {field.alias or name for name, field in model.model_fields.items()} - {"type"}
    names -= {name for name in CheckBase.model_fields if name in re.findall(r"`([\w.]+)`", section("What all checks have"))}

    assert set() == names - told


def test_http_section_lists_every_expectation() -> None:
    """These are the keys of `expect`."""
    told = set(re.findall(r"`expect\.(\w+)`", section("http")))

    assert {field.alias or name for name, field in Expect.model_fields.items()} == told


def test_json_comparisons_on_the_page_are_valid() -> None:
    """People copy these examples."""
    examples = re.findall(r"^\| `([$l][^`]*)` \|", section("http"), re.MULTILINE)

    assert len(examples) >= 5
    assert all(parse_expectation(example.replace("\\|", "|")) for example in examples)
