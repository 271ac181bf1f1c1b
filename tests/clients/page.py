"""The examples of docs/flags.md, taken from the page and prepared for a test."""

import re
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "flags.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"


def written(language: str, heading: str) -> str:
    """The first example in this language under this heading."""
    found = re.search(rf"\n#+ {re.escape(heading)}\n(.*?)(?=\n##+ |\Z)", PAGE, re.DOTALL)
    assert found is not None, heading
    example = re.search(rf"```{language}\n(.*?)```", found[1], re.DOTALL)
    assert example is not None, (language, heading)
    return example[1]


def at(example: str, url: str) -> str:
    """The example with the address of a running bot."""
    assert ADDRESS in example
    return example.replace(ADDRESS, url)
