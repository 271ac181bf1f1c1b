"""The docs on checks, feeds and scenarios cover everything that exists, and their example runs."""

import re
from pathlib import Path

from bot.checks.judging.exceptions import ERROR_CLASSES
from bot.feeds.fetch import DIALECTS
from bot.feeds.statuspage import LEVELS
from bot.sandbox.vendor import Scenario
from bot.sandbox.vendor.load import IMPACTS, MAINTENANCE_STATUSES, POST_STATUSES, STATUSES, read
from bot.sandbox.vendor.scenario import ANSWER_WORDS
from bot.sandbox.vendor.scenario import DIALECTS as SCRIPTED

DOCS = Path(__file__).resolve().parents[2] / "docs"


def documented_words(page: str) -> set[str]:
    """Words in backticks, split at spaces; headings count as well."""
    text = (DOCS / page).read_text()
    quoted = {word for span in re.findall(r"`([^`\n]+)`", text) for word in span.split()}
    return quoted | set(re.findall(r"^## (\S+)$", text, re.MULTILINE))


def test_checks_page_names_every_error_class() -> None:
    """Each has its row, with whose fault it is."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", (DOCS / "checks.md").read_text(), re.MULTILINE))
    words = {"ours_key": "our key", "ours_quota": "our quota", "ours_config": "our configuration"}
    faults = {name: words.get(row.fault, row.fault.value) for name, row in ERROR_CLASSES.items()}
    assert {} == {name: fault for name, fault in faults.items() if rows.get(name, "").split(",")[0] != fault}


def test_feeds_page_names_every_dialect_and_status_word() -> None:
    """Each dialect has its section, each status word its level."""
    assert set() == {*DIALECTS, *LEVELS} - documented_words("feeds.md")


def test_scenarios_page_names_every_word() -> None:
    """Each answer, status, dialect and shipped scenario."""
    grammar = {*ANSWER_WORDS, *STATUSES, *POST_STATUSES, *MAINTENANCE_STATUSES, *Scenario.names()}
    assert set() == (grammar | set(IMPACTS) - {"maintenance"}) - documented_words("scenarios.md")
    assert all(dialect in (DOCS / "scenarios.md").read_text() for dialect in SCRIPTED)


def test_scenarios_page_example_can_be_loaded() -> None:
    """People copy it."""
    example = re.findall(r"```yaml\n(.*?)```", (DOCS / "scenarios.md").read_text(), re.DOTALL)[0]
    scenario = read(example, "docs")
    assert ("short", 4, 2) == (scenario.name, len(scenario.answer_events), len(scenario.page_events))
    assert "ok" == scenario.answers("acme", "api", 16).words[0].kind
