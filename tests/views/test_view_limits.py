"""`fit` brings any message within Slack's limits."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ports import Message
from bot.views.blocks import actions, button, confirm, context, fields, header, section
from bot.views.limits import cut_markup, fit
from tests.views.message_checks import assert_taken, marked_up

TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs"), exclude_characters="<`"), max_size=60).map(
    lambda s: s * 60
)
BLOCKS: st.SearchStrategy[Any] = st.one_of(
    st.builds(section, TEXTS),
    st.builds(header, TEXTS),
    st.builds(context, TEXTS),
    st.builds(fields, st.lists(TEXTS, min_size=1, max_size=14)),
    st.builds(lambda n: actions([button("Go", f"incident.ack:{i}", {"n": "x" * n}) for i in range(n)])[0], st.integers(1, 30)),
)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.lists(BLOCKS, max_size=60))
def test_any_message_fits(text: str, blocks: list[Any]) -> None:
    """Long texts, many blocks, many buttons: Slack accepts the result, and fitting it again changes nothing."""
    made = fit(Message(text, tuple(blocks)))

    assert_taken(made)
    assert made == fit(made)


@given(st.integers(min_value=8, max_value=120))
def test_cut_never_splits_a_token(limit: int) -> None:
    """No date, mention or entity is cut in half."""
    text = "a &amp; <@U0ANA> since <!date^1^{time}|12:00 UTC> &lt;!channel&gt; " * 4
    made = cut_markup(text, limit)

    assert len(made) <= limit
    assert made.count("<") == made.count(">")
    assert made.count("&") == made.count(";")


def test_message_that_fits_is_unchanged() -> None:
    """Not even copied."""
    message = Message("text", (header("a"), section("b"), *actions([button("Go", "incident.ack", {"incident": 7})])))

    assert message == fit(message)


def test_long_texts_are_cut_before_buttons() -> None:
    """What people can do must be the last thing to go."""
    many = [section(f"{n} " + "x" * 2900) for n in range(60)]
    made = fit(Message("t", (*many, *actions([button("Go", "incident.ack", {"incident": 7})]))))

    assert "actions" in [block["type"] for block in made.blocks]
    assert_taken(made)


def test_message_stays_below_the_limit_of_an_edit() -> None:
    """`visible` limits all texts together."""
    made = fit(Message("t", tuple(section("y" * 2000) for _ in range(8))), visible=3_900)

    assert sum(map(len, marked_up([dict(b) for b in made.blocks]))) <= 3_900


def test_empty_texts_are_left_out() -> None:
    """Slack refuses an empty section; a message always has a text."""
    made = fit(Message("", (section(""), context(" "), fields(["", "a"]))))

    assert "…" == made.text
    assert 1 == len(made.blocks)
    assert_taken(made)


def test_confirmation_fits_slacks_dialog() -> None:
    """Title 100, text 300, buttons 30 characters."""
    made = confirm("t" * 500, "x" * 500, "y" * 500, "n" * 500, danger=True)

    assert [100, 300, 30, 30] == [len(made[name]["text"]) for name in ("title", "text", "confirm", "deny")]


def test_button_whose_value_is_too_long_is_left_out() -> None:
    """A cut value would do something else."""
    assert () == actions([button("Go", "flag.engage", {"flag": "k" * 3000})])
    assert {"flag": "a"} == json.loads(button("Go", "flag.engage", {"flag": "a"})["value"])
