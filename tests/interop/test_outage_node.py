"""Clients in Node through one whole outage, with a bot that is hung, killed and started again; `make interop` runs it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.flags.evaluate import bucket
from tests.clients.outage import DEFAULT, LONG_S, cells, outage, table_row
from tests.clients.page import PAGE, written

ROOT = Path(__file__).resolve().parents[2]
KIT_FOLDER = ROOT / "clients" / "node"
READER = str(Path(__file__).with_name("reader.mjs"))
KIT, EXAMPLE = "kit, Node", "the page's example"
NODE = shutil.which("node") or ""

pytestmark = pytest.mark.skipif(
    not NODE or not (KIT_FOLDER / "dist" / "index.js").exists(),
    reason="NO NODE, OR THE KIT FOR IT IS NOT BUILT: the Node clients were NOT tested against the bot (make interop)",
)


def node(kind: str) -> list[str]:
    """A service in Node, see reader.mjs."""
    return [NODE, READER, kind, "{url}", "{flagd}" if kind == "flagd" else "{cache}"]


def example(heading: str, module: Path) -> list[str]:
    """What the page writes for Node under this heading; address and file are told, the code default is told apart."""
    code = written("js", heading).replace("openai", "code").replace('"/var/lib/support-chat/flags.json"', "process.argv[4]")
    assert '"http://127.0.0.1:8080' in code
    module.parent.mkdir(exist_ok=True)
    module.write_text(code.replace('"http://127.0.0.1:8080', 'process.argv[3] + "'), encoding="utf-8")
    return node(str(module))


@pytest.mark.timeout(180)
async def test_node_clients_do_what_the_page_says_while_the_bot_is_hung_killed_and_back(tmp_path: Path) -> None:
    """With the kit no read waits and none goes back to the broken provider; the table says what the others do."""
    clients = {
        KIT: node("kit"),
        "official OFREP client, Node": node("official"),
        "flagd within the process, Node": node("flagd"),
        "without a package, Node": example("Without a package", tmp_path / "lines.mjs"),
    }
    from_the_page = example("Node", KIT_FOLDER / "build" / "page.mjs")  # in the package's folder it finds the package by name
    seen = await outage(tmp_path, {**clients, EXAMPLE: from_the_page})

    for name in (KIT, EXAMPLE):
        assert [] == [read for read in seen.in_outage[name] if read.provider == DEFAULT]
        assert [] == [read for read in seen.all_reads[name] if read.took_s > LONG_S]
    assert "STATIC" == seen.after_restart[KIT]
    assert seen.rows[KIT] == seen.rows.pop(EXAMPLE)
    page = cells(PAGE)
    assert [table_row(name, row) for name, row in seen.rows.items()] == [page.get(name) for name in clients]


def test_readers_stand_where_the_bot_puts_them() -> None:
    """Ten thousand of them, with names of all kinds: the kit must not move a customer to the other side."""
    readers = [f"user-{number}" for number in range(10_000)] + ["ü", "日本", "\ud800", "a\udfffb", "😀", "", "\x00"]
    code = """
        import { readFileSync } from 'node:fs';
        import { bucket } from './dist/flags.js';
        console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map((reader) => bucket('chat#1', reader))));
    """
    ran = subprocess.run(
        [NODE, "--input-type=module", "-e", code],
        input=json.dumps(readers),
        capture_output=True,
        text=True,
        cwd=KIT_FOLDER,
        check=True,
    )
    assert [bucket("chat#1", reader) for reader in readers] == json.loads(ran.stdout)
