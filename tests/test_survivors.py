"""The page of mutants that may live is true of the code of today, and `make mutants` reads it as it is written."""

import pytest

from tests.mutants import KNOWN, ROOT, Mutant, known, patterns

NAMED = list(known(KNOWN.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("mutant", "reason"), NAMED, ids=lambda one: one.file if isinstance(one, Mutant) else "")
def test_a_survivor_changes_code_that_there_is(mutant: Mutant, reason: str) -> None:
    """Whoever changes the code takes its survivors off the page; each has a reason."""
    lines = {line.strip() for line in (ROOT / mutant.file).read_text(encoding="utf-8").splitlines()}

    assert set() == set(mutant.old) - lines
    assert reason


def test_changes_are_told_apart_by_blank_lines() -> None:
    """A change may take lines away and put none there; the text above a block is the reason of all that it holds."""
    page = "# Left\n### bot/a.py\nNobody sees it.\n```diff\n-    a\n+    b\n\n-    c\n```\nNor this.\n```diff\n-d\n+e\n```\n"

    assert [
        (Mutant("bot/a.py", ("a",), ("b",)), "Nobody sees it."),
        (Mutant("bot/a.py", ("c",), ()), "Nobody sees it."),
        (Mutant("bot/a.py", ("d",), ("e",)), "Nor this."),
    ] == list(known(page))


@pytest.mark.parametrize(
    ("old", "new", "wording"),
    [
        ('why("too few to judge", x)', 'why("XXtoo few to judgeXX", x)', True),
        ('why("too few to judge", x)', 'why("TOO FEW TO JUDGE", x)', True),
        ('case "user_change":', 'case "XXuser_changeXX":', False),
        ('why("too few to judge", x)', 'why("too few to judge", None)', False),
        ("say(f\"{', '.join(who)} fail: {what}\")", "say(f\"{'XX, XX'.join(who)} fail: {what}\")", True),
        ("say(f\"{', '.join(who)} fail: {what}\")", "say(f\"{', '.join(None)} fail: {what}\")", False),
    ],
)
def test_a_sentence_is_a_wording_and_a_key_is_none(old: str, new: str, wording: bool) -> None:
    """What only people read may change without a test; what the code compares may not, nor what it puts into a sentence."""
    assert wording == Mutant("bot/a.py", (old,), (new,)).is_wording


def test_a_sample_holds_the_mutants_whose_number_ends_so() -> None:
    """Each digit is an even tenth of each file; without any, all of them run."""
    assert ["bot.a.*3", "bot.a.*7", "bot.b.*3", "bot.b.*7"] == patterns(["bot.a", "bot.b"], "37")
    assert ["bot.a.*"] == patterns(["bot.a"], "")
