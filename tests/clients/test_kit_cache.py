"""The file of the Python kit: private, written atomically, and never trusted if another user could have written it."""

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


def test_saved_flags_are_loaded_unchanged(path: Path) -> None:
    """Nothing is lost, and no other file is left in the folder."""
    CacheFile(path, URL).save(FLAGS)
    assert FLAGS == CacheFile(path, URL).load()
    assert ["flags.json"] == [one.name for one in path.parent.iterdir()]


def test_file_is_readable_only_by_its_owner(path: Path) -> None:
    """Even if a file with wider permissions was there before."""
    path.write_text("{}")
    path.chmod(0o644)
    CacheFile(path, URL).save(FLAGS)
    assert 0o600 == path.stat().st_mode & 0o777


def test_missing_file_is_not_an_error(path: Path) -> None:
    """It is missing at the very first start."""
    assert CacheFile(path, URL).load() is None


def saved(version: int, flags: object) -> str:
    return json.dumps({"understudy_client": version, "url": URL, "flags": flags})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"understudy_client": 1}', "\x00" * 4096,
                                  saved(2, '{"flags": []}'), saved(1, "{}"), saved(1, 7), saved(1, None)])  # fmt: skip
def test_broken_file_is_refused_with_a_sentence(path: Path, text: str) -> None:
    """Truncated, or of another program or version; CacheError is the only exception."""
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
def test_file_writable_by_others_is_refused(path: Path, mode: int) -> None:
    """They could route customers as they like."""
    CacheFile(path, URL).save(FLAGS)
    path.chmod(mode)
    with pytest.raises(CacheError, match="others may write"):
        CacheFile(path, URL).load()


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away takes root")
def test_file_of_another_user_is_refused(path: Path) -> None:
    """It may have been planted in a shared folder."""
    CacheFile(path, URL).save(FLAGS)
    os.chown(path, 12345, 12345)
    with pytest.raises(CacheError, match="another user"):
        CacheFile(path, URL).load()


def test_folder_or_pipe_in_its_place_is_refused_without_blocking(tmp_path: Path) -> None:
    """A start must not wait for a writer on the pipe."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(CacheError):
            CacheFile(tmp_path / name, URL).load()


def test_saving_into_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """The only exception is a CacheError that names the folder."""
    with pytest.raises(CacheError, match="folder"):
        CacheFile(tmp_path / "gone" / "flags.json", URL).save(FLAGS)
