"""`/fallback ... scope env=eu` switches only some readers, as people see it in Slack."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bot.core.model import Actor
from bot.core.record.flag_facts import Engaged
from bot.core.signals import EngageFlag
from bot.views.answers.in_slack import shown
from bot.views.flags.board import flag_status
from tests.dialogs.talk import Talk
from tests.house import FLAG

EU = f"{FLAG} scope env=eu"


def gets(talk: Talk, **context: Any) -> str:
    assert talk.house.app is not None
    return talk.house.app.board.evaluate(FLAG, context).variant  # type: ignore[union-attr] # it exists


@pytest.fixture
async def apart(talk: Talk) -> Talk:
    """Ana has switched the readers in the EU to GPT."""
    await talk.asks(talk.house.ana, f"/fallback engage {FLAG} gpt for 2h scope env=eu answers are slow there")
    await talk.house.quiet()
    return talk


async def test_scoped_switch_moves_only_matching_readers(talk: Talk) -> None:
    """The reply and the channel name the scope and how to undo the switch."""
    answer = await talk.asks(talk.house.ana, f"/fallback engage {FLAG} gpt for 2h scope env=eu answers are slow there")
    await talk.house.quiet()

    assert f"Support chat (env=eu) serves gpt now. Undo: /fallback release {EU}" == answer
    assert ["gpt", "claude", "claude"] == [gets(talk, env="eu"), gets(talk, env="us"), gets(talk)]
    line = talk.shows(talk.said("ops", "Support chat (env=eu)")[-1])
    assert line.startswith("Support chat (env=eu) switched to gpt at 12:01 UTC (by @ana), instead of claude.")
    assert "Why: answers are slow there." in line


@pytest.mark.parametrize(
    "words",
    [
        f"engage {FLAG} scope env=eu gpt 25% for 2h slow", f"engage {FLAG} gpt scope env=eu 25% for 2h slow",
        f"engage {FLAG} gpt 25% for 2h scope env=eu slow", f"engage {FLAG} gpt 25% for 2h slow scope env=eu",
        f"engage {FLAG}@env=eu gpt 25% for 2h slow", "engage support chat scope env = eu gpt 25% for 2h slow",
    ],
)  # fmt: skip
async def test_scope_may_be_anywhere_in_the_command(talk: Talk, words: str) -> None:
    """Another order of words must never switch everybody."""
    await talk.asks(talk.house.ana, f"/fallback {words}")

    (fact,) = await talk.facts(Engaged)
    assert isinstance(fact.body, Engaged)
    assert (f"{FLAG}@env=eu", "gpt", 25, "slow") == (fact.body.flag, fact.body.variant, fact.body.share, fact.body.reason)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (f"engage {FLAG} scope", "Which readers? Name an attribute and its value"),
        (f"engage {FLAG} gpt scope env eu", "Which readers? Name an attribute and its value"),
        (f"engage {FLAG} gpt scope 9=eu", "9=eu is not a scope."),
        (f"engage {FLAG} gpt scope env=", "env= is not a scope."),
        (f"engage {FLAG} gpt scope env=eu scope env=us", "One scope at a time."),
        (f"engage {FLAG}@env gpt", "env is not a scope."),
        (f"engage {FLAG} gpt scope env=`eu`", "is not a scope."),
        (f"release {EU}", "Support chat (env=eu) is not switched separately."),
        (f"ramp {EU} 50%", "Support chat (env=eu) is not switched separately."),
        (f"pin {EU}", "Support chat (env=eu) has no fallback of its own: it follows the whole flag."),
        (f"clients {EU}", f"clients is for all readers of a flag: /fallback clients {FLAG}."),
        (f"rehearse {EU}", f"rehearse is for all readers of a flag: /fallback rehearse {FLAG}."),
        (f"engage {EU} claude", "claude is the default of support chat (env=eu)."),
    ],
)  # fmt: skip
async def test_mistyped_scope_switches_nobody(talk: Talk, words: str, expected: str) -> None:
    """Least of all readers outside the scope."""
    assert expected in await talk.asks(talk.house.ana, f"/fallback {words}")
    assert [] == list(await talk.facts(Engaged))


async def test_commands_with_a_scope_affect_that_switch_only(apart: Talk) -> None:
    """A share, its end, a pin, and a release; the unscoped flag stays as it is."""
    bob = apart.house.bob
    await apart.asks(bob, f"/fallback ramp {EU} 50%")
    answers = [
        await apart.asks(bob, f"/fallback {words}")
        for words in (f"extend {EU} 2h", f"pin {EU} we measure", f"unpin {EU}", f"release {EU}")
    ]

    assert [
        "Support chat (env=eu) stays on its fallback until 16:01 UTC.",
        f"Support chat (env=eu) is pinned to gpt: no rule moves it. Undo: /fallback unpin {EU}",
        "Support chat (env=eu) is no longer pinned. Automation asks before it switches.",
        "Support chat (env=eu) is back on claude, like all others.",
    ] == answers
    assert "claude" == gets(apart, env="eu")


async def test_status_shows_the_scoped_switch_with_an_undo_button(apart: Talk) -> None:
    """Next to the unscoped flag, which is on its default."""
    status = await apart.asks(apart.house.bob, "/fallback status")
    assert "support chat (env=eu): on gpt since 12:01 UTC (by @ana), instead of claude. Why: answers are slow there." in status

    await apart.presses(apart.house.bob, "Switch support chat (env=eu) back to claude", channel="ops")
    assert "claude" == gets(apart, env="eu")


async def test_scoped_switch_survives_a_restart(apart: Talk) -> None:
    """The ledger records it like any switch."""
    await apart.house.stop()
    await apart.house.start()

    assert ["gpt", "claude"] == [gets(apart, env="eu"), gets(apart, env="us")]


async def test_ops_is_told_which_clients_lack_the_scoped_switch(talk: Talk) -> None:
    """A client that caches the flag may serve readers in the scope."""
    assert talk.house.app is not None
    talk.house.app.board.rules("web-1")
    await talk.asks(talk.house.ana, f"/fallback engage {EU} gpt slow")
    await talk.house.passes(seconds=20)
    await talk.house.quiet()
    line = talk.shows(talk.said("ops", "readers of")[-1])
    assert "🟠 0 of 1 readers of support chat know that env=eu is on gpt.\nNot yet: web-1" == line

    talk.house.app.board.rules("web-1")
    await talk.house.passes(seconds=10)
    await talk.house.quiet()
    assert "Every reader of support chat knows that env=eu is on gpt now" in talk.shows(talk.said("ops", "Every reader")[-1])


async def test_switch_back_form_releases_the_chosen_switch(apart: Talk) -> None:
    """The unscoped flag stays as it is."""
    await apart.asks(apart.house.bob, f"/fallback engage {EU} cached it is no better")
    await apart.house.fails("anthropic.api")
    await apart.house.quiet()
    await apart.house.bob.picks("incident.more", "Switch back…", channel="ops")
    form = await apart.house.bob.waits_for("== ", channel="ops")
    await apart.house.bob.submits({"Switch back": f"{FLAG}@env=eu"})
    await apart.house.quiet()

    assert "All of support chat (env=eu)" in form
    assert ["gpt", "gpt"] == [gets(apart, env="eu"), gets(apart)]


async def test_card_and_resolve_question_show_both_switches(apart: Talk) -> None:
    """A scoped switch must not be forgotten when all is well."""
    await apart.asks(apart.house.bob, f"/fallback engage {EU} cached it is no better")
    await apart.house.fails("anthropic.api")
    await apart.house.quiet()
    card = apart.shows(apart.said(apart.house.incident_channel, "support chat (env=eu): cached until")[-1])
    await apart.house.bob.picks("incident.more", "Resolve…", channel="ops")
    form = await apart.house.bob.waits_for("== ", channel="ops")

    assert "support chat: gpt until" in card
    assert "Still on a fallback: support chat and support chat (env=eu)." in form


async def test_rule_switches_the_unscoped_flag_next_to_it(apart: Talk) -> None:
    """That mitigates the incident, and its card shows both switches."""
    await apart.asks(apart.house.bob, f"/fallback engage {EU} cached it is no better")
    await apart.house.fails("anthropic.api")
    await apart.house.quiet()

    assert ["cached", "gpt"] == [gets(apart, env="eu"), gets(apart, env="us")]


def marked_up(part: Any) -> Iterator[str]:
    """All texts in which Slack interprets mentions and links."""
    if isinstance(part, Mapping) and part.get("type") == "mrkdwn":
        yield part["text"]
    for inner in part.values() if isinstance(part, Mapping) else part if isinstance(part, list | tuple) else ():
        yield from marked_up(inner)


@pytest.mark.parametrize(
    "value", ["*x*_y_~z~", "<!channel>", "<@U123|x>", "&lt;!here&gt;", "https://example.com/", "@here", "#ops"]
)
async def test_scope_value_is_shown_as_text_and_mentions_nobody(talk: Talk, value: str) -> None:
    """In the reply, in the channel and on the board."""
    house = talk.house
    assert house.app is not None
    signal = EngageFlag(Actor.operator("x"), flag=f"{FLAG}@env={value}", variant="gpt", reason="slow")
    said = await house.app.engine.handle(signal)
    await house.quiet()
    status = flag_status(house.app.engine.world, house.app.engine.policy, house.clock.now(), {})
    messages = [shown(said), status, *talk.said("ops")]
    written = [text for one in messages for text in (one.text, *marked_up(one.blocks))]

    assert "gpt" == gets(talk, env=value)
    assert [] == [text for text in written for mark in ("<!channel", "<!here", "<@U123", "<https") if mark in text]
