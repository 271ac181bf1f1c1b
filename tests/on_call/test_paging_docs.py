"""The examples in docs/paging.md work when they are copied."""

import re
from pathlib import Path

import pytest

from bot.config.load import load
from bot.config.policy import to_policy
from bot.core.effects import ALL
from bot.core.model import Severity

PAGE = (Path(__file__).parents[2] / "docs" / "paging.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_example_in_paging_docs_loads(tmp_path: Path, block: str) -> None:
    """The only complaint allowed is that Slack is missing."""
    path = tmp_path / "understudy.yaml"
    path.write_text(block, encoding="utf-8")

    assert [] == [warning for warning in load(path, {}, lenient_credentials=True).warnings if "slack" not in warning]


def test_first_example_in_paging_docs_does_what_the_page_says(tmp_path: Path) -> None:
    """Three steps for SEV1, the last of them by every address."""
    path = tmp_path / "understudy.yaml"
    path.write_text(BLOCKS[0], encoding="utf-8")
    paging = to_policy(load(path, {}, lenient_credentials=True).config).paging

    assert [0, 300, 600] == [step.after.total_seconds() for step in paging.steps[Severity.SEV1]]
    assert (ALL,) == paging.steps[Severity.SEV1][2].notify
    assert ("pagerduty",) == paging.steps[Severity.SEV2][1].notify
    assert paging.quiet is not None
    assert {Severity.SEV3, Severity.SEV4} == paging.quiet.severities
