"""OpenFeature's client for Java through one whole outage, with a bot that is hung, killed and back; `make interop` runs it."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.clients.outage import cells, outage, table_row
from tests.clients.page import PAGE, at, written

BUILT = Path(sys.prefix) / "java" / "target"
SOURCE = Path(__file__).parent / "java" / "src" / "main" / "java" / "SupportChat.java"
JAVA = shutil.which("java") or ""
NAME = "official OFREP client, Java"

pytestmark = pytest.mark.skipif(
    not JAVA or not (BUILT / "classes" / "Reader.class").exists(),
    reason="NO JAVA, OR THE CLIENT FOR IT IS NOT BUILT: it was NOT tested against the bot (make interop)",
)


@pytest.mark.timeout(180)
async def test_java_client_does_what_the_table_says_while_the_bot_is_hung_killed_and_back(tmp_path: Path) -> None:
    """With the lines that the page has for it: it keeps nothing, and follows the bot again by itself."""
    command = [JAVA, "-Xshare:auto", "-cp", f"{BUILT}/classes:{BUILT}/lib/*", "Reader"]
    seen = await outage(tmp_path, {NAME: command})

    assert table_row(NAME, seen.rows[NAME]) == cells(PAGE).get(NAME)


def test_what_the_page_shows_for_java_is_what_was_asked() -> None:
    """But for the address, the time limit, and a code default that is told apart from the fallback."""
    shown = at(written("java", "Other OpenFeature clients"), '" + FLAGS_URL + "').replace(
        '"" + FLAGS_URL + ""', 'System.getenv("FLAGS_URL")'
    )

    assert SOURCE.read_text(encoding="utf-8") == shown.replace("openai", "code").replace("ofMillis(300)", "ofMillis(1000)")
