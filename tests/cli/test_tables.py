"""Tables in the terminal: every word is there, whatever the window, and columns stand below each other."""

import pytest

from bot.cli.output import print_table

COLUMNS = ("component", "why")
LONG = "Requests fail with 502 since 12:04, seen by three checks of four"


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_columns_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Two blanks apart."""
    print_table(COLUMNS, [("anthropic.api", "well"), ("x", 7)], empty="")

    assert ["component      why", "anthropic.api  well", "x              7"] == lines(capsys)


def test_what_is_too_long_is_folded_between_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In the widest column; no line is longer than the window."""
    monkeypatch.setenv("COLUMNS", "40")
    print_table(COLUMNS, [("anthropic.api", LONG)], empty="")
    shown = lines(capsys)

    assert max(map(len, shown)) <= 40
    assert LONG == " ".join(line[15:] for line in shown[1:])


def test_a_word_that_is_longer_than_the_window_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address, perhaps: all of it is there."""
    monkeypatch.setenv("COLUMNS", "40")
    print_table(COLUMNS, [("a", "x" * 100)], empty="")
    shown = lines(capsys)

    assert max(map(len, shown)) <= 40
    assert "x" * 100 == "".join(line[11:] for line in shown[1:])


def test_a_window_of_nothing_shows_something(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody shrank it; nobody waits for ever."""
    monkeypatch.setenv("COLUMNS", "1")
    print_table(COLUMNS, [("東", "b")], empty="")

    assert "東  b" in lines(capsys)


def test_nothing_is_folded_on_its_way_into_a_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever greps finds whole sentences."""
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(COLUMNS, [("anthropic.api", LONG)], empty="")

    assert f"anthropic.api  {LONG}" in lines(capsys)


def test_wide_characters_take_two_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """As they do in a terminal."""
    print_table(COLUMNS, [("東京", "a"), ("xxxx", "b"), ("é\u0301xxx", "c")], empty="")

    assert ["東京       a", "xxxx       b", "é\u0301xxx       c"] == lines(capsys)[1:]


def test_lines_of_a_cell_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """The next one stands below the first."""
    print_table(COLUMNS, [("a", "one\ntwo")], empty="")

    assert ["a          one", "           two"] == lines(capsys)[1:]


def test_a_table_without_rows_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """And no head above nothing."""
    print_table(COLUMNS, [], empty="No incident is open.")

    assert ["No incident is open."] == lines(capsys)
