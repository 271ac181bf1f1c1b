"""In which ways replicas differ, as people read it; and what a replica is called."""

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
    """What the first of them says of all."""
    return differences(says[0], [LiveReplica(one, 1, NOON, after(3)) for one in says])


def test_replicas_that_are_alike_say_nothing() -> None:
    """Names, addresses and small offsets of clocks are no difference."""
    assert [] == said(A, replace(B, listen="10.0.0.1:80", offset=timedelta(seconds=9)))


def test_what_differs_in_the_same_way_is_said_once() -> None:
    """Two that run the newer file, and one that does not: one sentence."""
    newer = {"flag chat": "7", "provider x": "2", "provider y": "3"}

    assert [
        "The configuration of b and c is not that of a: flag chat differs; a lacks provider y. Give all replicas the same file"
    ] == said(A, replace(B, configuration=newer), replace(C, configuration=newer))


def test_many_differences_are_counted() -> None:
    """Whoever compares two files needs no list of all."""
    ours, theirs = ({f"flag f{n}": str(by + n) for n in range(9)} for by in (0, 100))

    [sentence] = said(replace(A, configuration=ours), replace(B, configuration=theirs))
    assert "flag f0, flag f1, flag f2, flag f3, flag f4 and 4 more differ." in sentence


def test_other_versions_are_named() -> None:
    """They run side by side for a while, and not for good."""
    assert ["b runs Understudy 0.9, a 1.0: finish the upgrade"] == said(A, replace(B, version="0.9"))


@pytest.mark.parametrize(("off_s", "words"), [(120, "2 min behind"), (-45, "45 s ahead of")])
def test_a_clock_that_is_off_is_named_with_what_it_means(off_s: float, words: str) -> None:
    """Whose it is, by how much, and what that replica leaves to the others."""
    assert [
        f"The clock of b is {words} the database's: it does no checks, and nothing that falls due, until that clock is set"
    ] == said(A, replace(B, offset=timedelta(seconds=off_s)))


def test_where_every_clock_is_off_it_is_the_databases() -> None:
    """Somebody has to act, so all do."""
    late = timedelta(seconds=60)

    told = said(replace(A, offset=late), replace(B, offset=late))
    assert 2 == len(told)
    assert all(one.endswith("set the clock of the database's machine") for one in told)


def test_a_copied_data_folder_is_told() -> None:
    """Two replicas of one name share what only one should have."""
    [sentence] = said(A, replace(B, name="a"))
    assert sentence.startswith("Another replica is called a too, so its data folder is a copy of ours: delete replica.id")


def test_a_name_is_made_once_and_stays(tmp_path: Path) -> None:
    """Of the machine's name, in letters that do as a vantage, and six characters of its own."""
    first = replica_name(tmp_path / "data", "Web_01.example.com")

    assert first.startswith("web-01-")
    assert 13 == len(first)
    assert first == replica_name(tmp_path / "data", "web_01")
    assert first != replica_name(tmp_path / "other", "web_01")


def test_what_all_should_agree_on_has_digests_without_secrets() -> None:
    """Two machines may hold the same key in different variables; that one has none is a difference."""
    page = {"x": {"name": "X", "api_key": "sk-one"}}
    one, other = Config(providers=page), Config(providers={"x": {"name": "X", "api_key": "sk-two"}})  # type: ignore[arg-type]
    without = Config(providers={"x": {"name": "X"}})  # type: ignore[arg-type]

    assert alike(one) == alike(other)
    assert {"provider x"} == {name for name, digest in alike(one).items() if alike(without)[name] != digest}
    assert alike(Config()) == alike(Config(vantage="elsewhere", data=Path("/x")))


def test_one_namesake_among_several_is_told() -> None:
    """Its data folder is a copy of ours."""
    [sentence] = said(A, replace(B, name="a"), C)
    assert sentence.startswith("Another replica is called a too")


def test_what_only_this_one_has_is_said_of_it() -> None:
    """Beside what differs, which is named first."""
    ours = {"flag chat": "7", "flag search": "1", "provider x": "2"}

    assert [
        "The configuration of b is not that of a: flag chat differs; only a has flag search. Give all replicas the same file"
    ] == said(replace(A, configuration=ours), B)


def test_each_other_version_is_said_with_those_that_run_it() -> None:
    """Three at once, in an upgrade that was left half way."""
    others = [replace(A, name=name, boot=f"boot-{name}", version=version) for name, version in zip("bcde", "2223", strict=True)]

    assert [
        "b, c and d run Understudy 2, a 1.0: finish the upgrade",
        "e runs Understudy 3, a 1.0: finish the upgrade",
    ] == said(A, *others)


def test_five_that_differ_are_all_named() -> None:
    """Only what does not fit is counted."""
    ours, theirs = ({f"flag f{n}": str(by + n) for n in range(5)} for by in (0, 100))

    [sentence] = said(replace(A, configuration=ours), replace(B, configuration=theirs))
    assert "flag f3, flag f4 differ." in sentence


def test_a_machine_without_a_name_is_a_replica_all_the_same(tmp_path: Path) -> None:
    """And its data folder is made where there is none."""
    assert replica_name(tmp_path / "not" / "there", "___").startswith("replica-")
