"""OpenFeature's client for web pages in a real browser, through one whole outage; `make interop` runs it."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.clients.outage import DEFAULT, LONG_S, cells, outage, table_row
from tests.clients.page import PAGE

BUNDLE = Path(sys.prefix) / "web" / "page.bundle.js"
READER = str(Path(__file__).with_name("web_reader.py"))
NAME = "official OFREP client for web pages"

pytestmark = pytest.mark.skipif(
    not BUNDLE.exists() or not shutil.which("chromium"),
    reason="NO CHROMIUM, OR NO CLIENT FOR WEB PAGES: it was NOT tested against the bot (make interop)",
)


@pytest.mark.timeout(180)
async def test_page_does_what_the_table_says_while_the_bot_is_hung_killed_and_back(tmp_path: Path) -> None:
    """It follows the stream that is announced to it, keeps its last answer, and is never back at the broken provider."""
    seen = await outage(tmp_path, {NAME: [sys.executable, READER, str(BUNDLE), "{url}", "{page}", "{cache}"]})

    assert [] == [read for read in seen.in_outage[NAME] if read.provider == DEFAULT]
    assert [] == [read for read in seen.all_reads[NAME] if read.took_s > LONG_S]
    assert table_row(NAME, seen.rows[NAME]) == cells(PAGE).get(NAME)
