"""`understudy demo` with arguments that do not do: one sentence and an exit status, before anything is started."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.verbs import main
from tests.cli.deployment import Deployment


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--scenario", "no-such-day"), "no-such-day"),
        (("--scenario", "/nowhere/day.yaml"), "/nowhere/day.yaml"),
        (("--speed", "0.5"), "is not in the range"),
        (("--speed", "1000000"), "is not in the range"),
        (("--speed", "fast"), "is not a valid float"),
        (("--automation", "maybe"), "is not one of"),
        (("--replicas", "0"), "is not in the range"),
        (("--replicas", "6"), "is not in the range"),
        (("--listen", "here"), "--listen here: not an address to listen on"),
        (("--listen", "127.0.0.1:99999"), "--listen 127.0.0.1:99999: not an address to listen on"),
    ],
)
def test_demo_refuses_wrong_arguments(args: tuple[str, ...], words: str) -> None:
    """Exit status 2, and the word that is wrong."""
    done = CliRunner().invoke(main, ["demo", *args])

    assert 2 == done.exit_code
    assert words in " ".join(done.stderr.split())
    assert "" == done.stdout
    assert isinstance(done.exception, SystemExit)


def test_demo_refuses_a_folder_that_was_used(tmp_path: Path) -> None:
    """An earlier run's ledger would tell another story; it is named, and kept."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ledger.db").write_bytes(b"earlier")
    done = CliRunner().invoke(main, ["demo", "--out", str(tmp_path)])

    assert 2 == done.exit_code
    assert f"{tmp_path} holds the data of an earlier demo. Name another folder, or remove {tmp_path / 'data'}." in done.stderr
    assert b"earlier" == (tmp_path / "data" / "ledger.db").read_bytes()


def test_demo_refuses_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    done = CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "file")])

    assert 2 == done.exit_code
    assert f"--out {tmp_path / 'file'}: " in done.stderr


def test_demo_refuses_a_scenario_that_makes_no_sense(tmp_path: Path) -> None:
    """A file of somebody's own, with a mistake: the file and the mistake are named."""
    path = tmp_path / "day.yaml"
    path.write_text("title: Mine\nminutes: soon\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["demo", "--scenario", str(path)])

    assert 2 == done.exit_code
    assert str(path) in done.stderr
    assert isinstance(done.exception, SystemExit)


async def test_demo_names_a_port_that_is_taken(deployment: Deployment) -> None:
    """Exit status 1 and the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = await deployment.understudy("demo", "--listen", where, config=False)

    assert (1, True) == (ended.status, f"Cannot listen on {where}: another program already does." in ended.err)
    assert "Traceback" not in ended.err
