"""Clients in Python and the shell through one whole outage, with a bot that is hung, killed and started again."""

from pathlib import Path

import pytest

from tests.clients.outage import DEFAULT, LONG_S, cells, outage, python, table_row
from tests.clients.page import PAGE

KIT, EXAMPLE = "kit, Python", "the page's example"
CLIENTS = {
    KIT: python("kit"),
    "official OFREP client, Python": python("official"),
    "flagd within the process, Python": python("flagd"),
    "without a package, Python": python("lines"),
    "without a package, shell": python("shell"),
}


@pytest.mark.timeout(180)
async def test_clients_do_what_the_page_says_while_the_bot_is_hung_killed_and_back(tmp_path: Path) -> None:
    """With the kit no read waits and none goes back to the broken provider; the table says what the others do."""
    seen = await outage(tmp_path, {**CLIENTS, EXAMPLE: python("page")})

    for name in (KIT, EXAMPLE):
        assert [] == [read for read in seen.in_outage[name] if read.provider == DEFAULT]
        assert [] == [read for read in seen.all_reads[name] if read.took_s > LONG_S]
    assert "STATIC" == seen.after_restart[KIT]
    assert seen.rows[KIT] == seen.rows.pop(EXAMPLE)
    written = cells(PAGE)
    assert [table_row(name, row) for name, row in seen.rows.items()] == [written.get(name) for name in CLIENTS]
