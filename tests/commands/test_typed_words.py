"""Recovering what people typed from the markup that Slack sends."""

from datetime import timedelta

import pytest

from bot.core.model import Level
from bot.core.record.fact import Fact
from bot.core.record.room.room_facts import ChannelOpened
from bot.core.record.streams import evolve
from commands.parsing.parse import (
    Mention,
    MentionKind,
    Misunderstood,
    duration,
    duration_first,
    mentions,
    nearest,
    typed,
    which_incident,
)
from tests.desk import Table

PERSON, GROUP, CHANNEL = MentionKind.PERSON, MentionKind.GROUP, MentionKind.CHANNEL


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("ask <@U0ANA|ana> &amp; <@U0BOB>", "ask @ana & @U0BOB"),
        ("see <#C0OPS|ops> and <#C0SECRET|>", "see #ops and #a-private-channel"),
        ("&lt;!channel&gt; &amp;lt;", "<!channel> &lt;"),
        ("<!here> <!subteam^S0ONCALL|@oncall>", "@here @oncall"),
        ("<https://status.example/x?a=1&amp;b=2|status.example> <https://a.example>", "https://status.example/x?a=1&b=2 https://a.example"),
        ("<mailto:ana@example.com|ana@example.com>", "ana@example.com"),
        ("a < b > c and <not a token>", "a < b > c and <not a token>"),
    ],
)  # fmt: skip
def test_slack_markup_becomes_what_was_typed(sent: str, meant: str) -> None:
    """Mentions become names, links addresses, entities characters; nothing else changes."""
    assert meant == typed(sent)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("<@U0ANA|ana> and <@W0BOB>", [Mention(PERSON, "U0ANA", "@ana"), Mention(PERSON, "W0BOB", "@W0BOB")]),
        ("ask <!subteam^S0ONCALL|@oncall>", [Mention(GROUP, "S0ONCALL", "@oncall")]),
        ("ask <!subteam^S0SRE>", [Mention(GROUP, "S0SRE", "@subteam^S0SRE")]),
        ("<#C0OPS|ops> <#G0SECRET|>", [Mention(CHANNEL, "C0OPS", "#ops"), Mention(CHANNEL, "G0SECRET", "#a-private-channel")]),
        ("<#C0OPS|ops> <@U0ANA|ana> <!here>", [Mention(CHANNEL, "C0OPS", "#ops"), Mention(PERSON, "U0ANA", "@ana")]),
        ("@ana &lt;@U0BOSS&gt; <https://a.example/@U0ANA> <@U0BOSS", []),
    ],
)  # fmt: skip
def test_mentions_keep_their_ids(sent: str, found: list[Mention]) -> None:
    """Names change and are not unique; text that only looks like a mention is none."""
    assert found == list(mentions(sent))


@pytest.mark.parametrize(
    "sent", ["<@U0ANA|ana> <!subteam^S0SRE> <#G0SECRET|>", "<#C0OPS|ops> <@W0BOB> <!subteam^S0ONCALL|@oncall>"]
)
def test_mention_is_found_by_its_displayed_name(sent: str) -> None:
    """A verb that needs a person looks up the word that was typed."""
    assert typed(sent).split() == [one.shown for one in mentions(sent)]


def two_incidents() -> Table:
    """INC-1 of Claude in C0ONE, INC-2 of OpenAI in C0TWO."""
    table = Table().all_well()
    for number, (component, channel) in enumerate((("anthropic.api", "C0ONE"), ("openai.api", "C0TWO")), 1):
        table.sees(component, Level.DOWN)
        seq = table.world.seqs[f"incident/{number}"] + 1
        opened = ChannelOpened(channel, f"inc-{number}")
        table.world = evolve(
            table.world, Fact(f"incident/{number}", seq, table.now, table.incident(number).declared_by, number, opened)
        )
    return table


@pytest.mark.parametrize("sent", ["<#C0TWO|renamed-by-people> it is slow", "<#C0TWO|> it is slow", "<#C0TWO|inc-1> it is slow"])
def test_mentioned_channel_finds_its_incident_by_id(sent: str) -> None:
    """Also if the channel was renamed, or is private."""
    meant = which_incident(typed(sent), "C0OPS", two_incidents().world, mentions(sent))

    assert 2 == meant.incident.number
    assert "it is slow" == meant.rest


def test_typed_channel_name_finds_its_incident() -> None:
    """Slack makes no mention of a channel that the person may not see."""
    assert 2 == which_incident("#inc-2 it is slow", "C0OPS", two_incidents().world).incident.number


def test_mentioned_channel_without_incident_names_none() -> None:
    """With two incidents open, the bot asks which one is meant."""
    sent = "<#C0OPS|inc-1> it is slow"
    with pytest.raises(Misunderstood, match="Which incident"):
        which_incident(typed(sent), "C0OPS", two_incidents().world, mentions(sent))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30m", 30),
        ("30 min", 30),
        ("2h", 120),
        ("2 hours", 120),
        ("1 Day", 1440),
        ("an hour", 60),
        ("a minute", 1),
        ("90 s", 1.5),
    ],
)
def test_duration_is_read_as_people_write_it(text: str, minutes: float) -> None:
    """With a space, with the unit as a word; the words after it are the rest."""
    assert duration(text) == timedelta(minutes=minutes)
    assert duration_first(f"{text} load test") == (timedelta(minutes=minutes), "load test")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("resolv", "resolve"),
        ("resovle", "resolve"),
        ("acknowlegde", "acknowledge"),
        ("doen", "done"),
        ("ROEL", "role"),
        ("res", "resolve"),
        ("dance", ""),
        ("role", "role"),
        ("rule", "role"),
        ("rename it", ""),
        ("xesolve", ""),
        ("", ""),
    ],
)
def test_similar_command_is_suggested_only_if_it_is_close(typed: str, meant: str) -> None:
    """Nobody who types `dance` means `done`."""
    found = nearest(typed, ["done", "role", "resolve", "acknowledge"])

    assert (f" Did you mean `{meant}`?" if meant else "") == found


@pytest.mark.parametrize("text", ["", "5", "0m", "a", "for ever", "30 moons", "2h30", "-5m"])
def test_text_that_is_no_duration_is_refused(text: str) -> None:
    """The bot must not guess."""
    with pytest.raises(Misunderstood, match="is not a duration"):
        duration(text)
