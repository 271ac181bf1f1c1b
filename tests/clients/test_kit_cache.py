"""The file of the Python kit: private, whole or not there, and never believed when somebody else could have written it."""

import json
import os
from pathlib import Path

import pytest
from understudy_client.cache import CacheError, CacheFile
from understudy_client.flags import parse

from tests.clients.scripted import SCOPE

URL = "http://127.0.0.1:8080"
FLAGS = parse(json.dumps({"flags": [SCOPE]}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flags.json"


def test_flags_come_back_as_they_were_saved(path: Path) -> None:
    """Nothing is lost on the way, and nothing else is left in the folder."""
    CacheFile(path, URL).save(FLAGS)
    assert FLAGS == CacheFile(path, URL).load()
    assert ["flags.json"] == [one.name for one in path.parent.iterdir()]


def test_file_is_readable_for_its_owner_only(path: Path) -> None:
    """Also when a file with wider permissions stood there."""
    path.write_text("{}")
    path.chmod(0o644)
    CacheFile(path, URL).save(FLAGS)
    assert 0o600 == path.stat().st_mode & 0o777


def test_there_may_be_no_file(path: Path) -> None:
    """The first start ever."""
    assert CacheFile(path, URL).load() is None


def saved(version: int, flags: object) -> str:
    return json.dumps({"understudy_client": version, "url": URL, "flags": flags})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"understudy_client": 1}', "\x00" * 4096,
                                  saved(2, '{"flags": []}'), saved(1, "{}"), saved(1, 7), saved(1, None)])  # fmt: skip
def test_broken_file_is_refused_with_a_sentence(path: Path, text: str) -> None:
    """Truncated, another program's, of another version: it raises what the caller says and goes on without."""
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(CacheError):
        CacheFile(path, URL).load()


def test_flags_of_another_bot_are_refused(path: Path) -> None:
    """Staging's flags in production would route customers by staging's outages."""
    CacheFile(path, "http://staging:8080").save(FLAGS)
    with pytest.raises(CacheError, match="another bot"):
        CacheFile(path, URL).load()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_file_that_others_may_write_is_refused(path: Path, mode: int) -> None:
    """They could send customers where they like."""
    CacheFile(path, URL).save(FLAGS)
    path.chmod(mode)
    with pytest.raises(CacheError, match="others may write"):
        CacheFile(path, URL).load()


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away takes root")
def test_file_of_another_user_is_refused(path: Path) -> None:
    """As above: a planted file in a shared folder."""
    CacheFile(path, URL).save(FLAGS)
    os.chown(path, 12345, 12345)
    with pytest.raises(CacheError, match="another user"):
        CacheFile(path, URL).load()


def test_folder_or_pipe_in_its_place_is_refused_and_hangs_nobody(tmp_path: Path) -> None:
    """A start must not wait for somebody to write into a pipe."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(CacheError):
            CacheFile(tmp_path / name, URL).load()


def test_what_was_there_stays_when_saving_fails(tmp_path: Path) -> None:
    """A folder that is gone is said, and raises nothing else."""
    with pytest.raises(CacheError, match="folder"):
        CacheFile(tmp_path / "gone" / "flags.json", URL).save(FLAGS)
