"""`/fallback ... scope env=eu`: some of the readers are switched, as people meet it in Slack."""

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
    """Ana has sent the readers in the EU to GPT."""
    await talk.asks(talk.house.ana, f"/fallback engage {FLAG} gpt for 2h scope env=eu answers are slow there")
    await talk.house.quiet()
    return talk


async def test_some_readers_are_switched_and_the_others_are_not(talk: Talk) -> None:
    """The answer and the channel call it by its scope, with what takes it back."""
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
async def test_the_scope_may_stand_anywhere(talk: Talk, words: str) -> None:
    """The whole is never switched because the words came in another order."""
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
async def test_a_slip_switches_nobody(talk: Talk, words: str, expected: str) -> None:
    """Least of all those who were not meant."""
    assert expected in await talk.asks(talk.house.ana, f"/fallback {words}")
    assert [] == list(await talk.facts(Engaged))


async def test_what_is_typed_with_the_scope_is_about_that_switch(apart: Talk) -> None:
    """A share, its end, a pin, and back; the whole is left alone."""
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


async def test_the_status_shows_it_with_a_button_that_takes_it_back(apart: Talk) -> None:
    """Beside the whole, which is on its default."""
    status = await apart.asks(apart.house.bob, "/fallback status")
    assert "support chat (env=eu): on gpt since 12:01 UTC (by @ana), instead of claude. Why: answers are slow there." in status

    await apart.presses(apart.house.bob, "Switch support chat (env=eu) back to claude", channel="ops")
    assert "claude" == gets(apart, env="eu")


async def test_a_restart_changes_nothing(apart: Talk) -> None:
    """It is in the ledger as everything else."""
    await apart.house.stop()
    await apart.house.start()

    assert ["gpt", "claude"] == [gets(apart, env="eu"), gets(apart, env="us")]


async def test_ops_hear_who_does_not_know_of_it(talk: Talk) -> None:
    """Whoever keeps a copy reads for some of them."""
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


async def test_the_form_switches_back_what_was_chosen(apart: Talk) -> None:
    """And the whole stays where it is."""
    await apart.asks(apart.house.bob, f"/fallback engage {EU} cached it is no better")
    await apart.house.fails("anthropic.api")
    await apart.house.quiet()
    await apart.house.bob.picks("incident.more", "Switch back…", channel="ops")
    form = await apart.house.bob.waits_for("== ", channel="ops")
    await apart.house.bob.submits({"Switch back": f"{FLAG}@env=eu"})
    await apart.house.quiet()

    assert "All of support chat (env=eu)" in form
    assert ["gpt", "gpt"] == [gets(apart, env="eu"), gets(apart)]


async def test_the_card_shows_both_and_resolving_asks_about_both(apart: Talk) -> None:
    """What is switched apart is not forgotten when all is well."""
    await apart.asks(apart.house.bob, f"/fallback engage {EU} cached it is no better")
    await apart.house.fails("anthropic.api")
    await apart.house.quiet()
    card = apart.shows(apart.said(apart.house.incident_channel, "support chat (env=eu): cached until")[-1])
    await apart.house.bob.picks("incident.more", "Resolve…", channel="ops")
    form = await apart.house.bob.waits_for("== ", channel="ops")

    assert "support chat: gpt until" in card
    assert "Still on a fallback: support chat and support chat (env=eu)." in form


async def test_a_rule_switches_the_whole_beside_it(apart: Talk) -> None:
    """The incident is mitigated by that, and its card shows both."""
    await apart.asks(apart.house.bob, f"/fallback engage {EU} cached it is no better")
    await apart.house.fails("anthropic.api")
    await apart.house.quiet()

    assert ["cached", "gpt"] == [gets(apart, env="eu"), gets(apart, env="us")]


def marked_up(part: Any) -> Iterator[str]:
    """All texts in which Slack reads mentions and links."""
    if isinstance(part, Mapping) and part.get("type") == "mrkdwn":
        yield part["text"]
    for inner in part.values() if isinstance(part, Mapping) else part if isinstance(part, list | tuple) else ():
        yield from marked_up(inner)


@pytest.mark.parametrize(
    "value", ["*x*_y_~z~", "<!channel>", "<@U123|x>", "&lt;!here&gt;", "https://example.com/", "@here", "#ops"]
)
async def test_a_value_is_shown_as_it_is_and_calls_nobody(talk: Talk, value: str) -> None:
    """It is text, whatever it looks like: in the answer, in the channel and on the board."""
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
