"""A workspace whose manifest prefixes every slash command with `us-`: the bot suggests commands that exist there."""

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
    """A healthy deployment."""
    async with a_house(tmp_path, slack={"prefix": "us-"}) as house:
        yield Talk(house)


async def test_replies_to_buttons_and_forms_suggest_prefixed_commands(talk: Talk) -> None:
    """Unprefixed commands do not exist in this workspace."""
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


async def test_error_at_a_forms_field_suggests_the_prefixed_command(talk: Talk) -> None:
    """A blank title brings the error."""
    ana = talk.house.ana
    await ana.types("/us-incident declare")
    await ana.waits_for("== Declare incident ==")
    with pytest.raises(ModalErrors, match="`/us-incident declare Claude API answers with errors`"):
        await ana.submits({"What is wrong?": "   "})


async def test_no_message_of_an_outage_names_an_unprefixed_command(talk: Talk) -> None:
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
def test_paths_that_look_like_commands_stay_unprefixed(foreign: str) -> None:
    """A URL path is not one of our slash commands."""
    assert foreign == Wording("us-").text(foreign)


def test_every_command_of_the_table_gets_the_prefix() -> None:
    """A new command must not be forgotten."""
    for word in WORDS:
        assert f"`/us-{word.word[1:]} help`" == Wording("us-").text(f"`{word.word} help`")


def test_button_values_are_not_prefixed() -> None:
    """A title comes back as it was typed."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "value": "`/incident help`"}

    assert {"blocks": [button]} == Wording("us-").body({"blocks": [button]})
