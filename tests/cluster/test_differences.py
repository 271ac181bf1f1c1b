"""How differences between replicas are worded, and how a replica gets its name."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cluster.differences import differences
from bot.cluster.name import replica_name
from bot.config.models import Config
from bot.ports import LiveReplica, ReplicaInfo
from bot.wiring.cluster.alike import alike
from tests.ledger_facts import NOON, after

A = ReplicaInfo("a", "boot-a", version="1.0", configuration={"flag chat": "1", "provider x": "2"})
B = replace(A, name="b", boot="boot-b")
C = replace(A, name="c", boot="boot-c")


def said(*says: ReplicaInfo) -> list[str]:
    """What the first of them says about all."""
    return differences(says[0], [LiveReplica(one, 1, NOON, after(3)) for one in says])


def test_equal_replicas_report_no_difference() -> None:
    """Names, addresses and small clock offsets are no difference."""
    assert [] == said(A, replace(B, listen="10.0.0.1:80", offset=timedelta(seconds=9)))


def test_same_difference_is_reported_once() -> None:
    """Two with the newer file and one without: one sentence."""
    newer = {"flag chat": "7", "provider x": "2", "provider y": "3"}

    assert [
        "The configuration of b and c is not that of a: flag chat differs; a lacks provider y. Give all replicas the same file"
    ] == said(A, replace(B, configuration=newer), replace(C, configuration=newer))


def test_many_differences_are_counted() -> None:
    """Nobody needs the whole list to compare two files."""
    ours, theirs = ({f"flag f{n}": str(by + n) for n in range(9)} for by in (0, 100))

    [sentence] = said(replace(A, configuration=ours), replace(B, configuration=theirs))
    assert "flag f0, flag f1, flag f2, flag f3, flag f4 and 4 more differ." in sentence


def test_other_versions_are_named() -> None:
    """They may run side by side for a while, but not for good."""
    assert ["b runs Understudy 0.9, a 1.0: finish the upgrade"] == said(A, replace(B, version="0.9"))


@pytest.mark.parametrize(("off_s", "words"), [(120, "2 min behind"), (-45, "45 s ahead of")])
def test_wrong_clock_is_named_with_its_consequence(off_s: float, words: str) -> None:
    """Whose it is, by how much, and what that replica leaves to others."""
    assert [
        f"The clock of b is {words} the database's: it does no checks, and nothing that falls due, until that clock is set"
    ] == said(A, replace(B, offset=timedelta(seconds=off_s)))


def test_if_every_clock_differs_the_databases_is_wrong() -> None:
    """Somebody has to act, so all do."""
    late = timedelta(seconds=60)

    told = said(replace(A, offset=late), replace(B, offset=late))
    assert 2 == len(told)
    assert all(one.endswith("set the clock of the database's machine") for one in told)


def test_copied_data_folder_is_reported() -> None:
    """Two replicas with one name share what only one should have."""
    [sentence] = said(A, replace(B, name="a"))
    assert sentence.startswith("Another replica is called a too, so its data folder is a copy of ours: delete replica.id")


def test_name_is_generated_once_and_kept(tmp_path: Path) -> None:
    """From the machine's name, in characters allowed for a vantage, with a suffix of six characters."""
    first = replica_name(tmp_path / "data", "Web_01.example.com")

    assert first.startswith("web-01-")
    assert 13 == len(first)
    assert first == replica_name(tmp_path / "data", "web_01")
    assert first != replica_name(tmp_path / "other", "web_01")


def test_settings_are_compared_by_digests_without_secrets() -> None:
    """Two machines may hold the same key in different variables; a missing key is a difference."""
    page = {"x": {"name": "X", "api_key": "sk-one"}}
    one, other = Config(providers=page), Config(providers={"x": {"name": "X", "api_key": "sk-two"}})  # type: ignore[arg-type]
    without = Config(providers={"x": {"name": "X"}})  # type: ignore[arg-type]

    assert alike(one) == alike(other)
    assert {"provider x"} == {name for name, digest in alike(one).items() if alike(without)[name] != digest}
    assert alike(Config()) == alike(Config(vantage="elsewhere", data=Path("/x")))


def test_one_namesake_among_several_is_reported() -> None:
    """Its data folder is a copy of ours."""
    [sentence] = said(A, replace(B, name="a"), C)
    assert sentence.startswith("Another replica is called a too")


def test_settings_that_only_this_replica_has_are_named() -> None:
    """After those that differ."""
    ours = {"flag chat": "7", "flag search": "1", "provider x": "2"}

    assert [
        "The configuration of b is not that of a: flag chat differs; only a has flag search. Give all replicas the same file"
    ] == said(replace(A, configuration=ours), B)


def test_each_version_is_named_with_its_replicas() -> None:
    """Three at once, in an upgrade that was left half way."""
    others = [replace(A, name=name, boot=f"boot-{name}", version=version) for name, version in zip("bcde", "2223", strict=True)]

    assert [
        "b, c and d run Understudy 2, a 1.0: finish the upgrade",
        "e runs Understudy 3, a 1.0: finish the upgrade",
    ] == said(A, *others)


def test_up_to_five_differing_replicas_are_named() -> None:
    """Only the others are counted."""
    ours, theirs = ({f"flag f{n}": str(by + n) for n in range(5)} for by in (0, 100))

    [sentence] = said(replace(A, configuration=ours), replace(B, configuration=theirs))
    assert "flag f3, flag f4 differ." in sentence


def test_machine_without_a_name_gets_one(tmp_path: Path) -> None:
    """And its data folder is created."""
    assert replica_name(tmp_path / "not" / "there", "___").startswith("replica-")
