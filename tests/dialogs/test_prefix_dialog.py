"""A workspace whose manifest put `us-` before every slash command: what people are told to type is what works there."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.slack import ModalErrors
from bot.slack.wording import Wording
from commands.table import WORDS
from tests.dialogs.talk import Talk
from tests.house import a_house

WITHOUT = re.compile(r"(?<![\w/.-])/(health|incident|fallback|understudy)\b")


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """Everything is well."""
    async with a_house(tmp_path, slack={"prefix": "us-"}) as house:
        yield Talk(house)


async def test_what_is_offered_after_a_button_or_a_form_is_typed_with_the_prefix(talk: Talk) -> None:
    """The form's answer names the ways on as this workspace has them, and so does a button's."""
    house, ana = talk.house, talk.house.ana
    await talk.asks(ana, "/us-incident declare Claude API is slow")
    await house.quiet()
    await ana.types("/us-incident declare")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": "claude.ai too", "What is affected?": "claude.ai"})
    pointed = await ana.waits_for("Or type /us-incident join INC-1, or /us-incident declare separate TITLE.")
    declared = await talk.presses(ana, "Declare a separate one")

    assert not WITHOUT.search(pointed)
    assert declared.startswith("INC-2 is declared: claude.ai too. Its channel ")


async def test_an_error_at_a_forms_field_is_typed_with_the_prefix(talk: Talk) -> None:
    """Only blanks for a title: what the field says to type is what works here."""
    ana = talk.house.ana
    await ana.types("/us-incident declare")
    await ana.waits_for("== Declare incident ==")
    with pytest.raises(ModalErrors, match="`/us-incident declare Claude API answers with errors`"):
        await ana.submits({"What is wrong?": "   "})


async def test_no_message_of_an_outage_names_a_word_that_is_not_there(talk: Talk) -> None:
    """Alert, card, threads, updates and help."""
    house, ana = talk.house, talk.house.ana
    house.vendor.answers["anthropic.api"] = 503
    await house.passes(minutes=65)
    await house.quiet()
    for words in ("/us-incident help", "/us-incident list all", "/us-incident mistake", "/us-fallback status", "/us-health"):
        await talk.asks(ana, words)

    assert "/us-fallback release" in ana.sees() + talk.alert()
    assert [] == [line for line in ana.sees().splitlines() if WITHOUT.search(line)]
    assert [] == [talk.shows(m) for m in talk.said(house.incident_channel) if WITHOUT.search(talk.shows(m))]


@pytest.mark.parametrize(
    "foreign", ["HTTP 404 on /health", "see https://status.example.com/incident today", "a/fallback b", "/incidents open"]
)
def test_what_others_call_so_stays_as_it_is(foreign: str) -> None:
    """A path is not a slash command of ours."""
    assert foreign == Wording("us-").text(foreign)


def test_every_word_of_the_table_is_known_to_the_wording() -> None:
    """A new word is not forgotten."""
    for word in WORDS:
        assert f"`/us-{word.word[1:]} help`" == Wording("us-").text(f"`{word.word} help`")


def test_what_a_button_carries_is_not_reworded() -> None:
    """A title that somebody typed comes back as it was typed."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "value": "`/incident help`"}

    assert {"blocks": [button]} == Wording("us-").body({"blocks": [button]})
