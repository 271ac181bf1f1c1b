"""`/health`: the board, the page of one provider, and declaring an incident from there."""

from bot.core.record.incident_facts import Declared
from tests.dialogs.talk import Talk
from tests.house import BOTH_WAYS, FLAG


@BOTH_WAYS
async def test_board_shows_every_component_and_open_incidents(talk: Talk) -> None:
    """One line says that all is operational; every component is listed by name."""
    board = await talk.asks(talk.house.ana, "/health")
    for words in (
        " components are operational.",
        "🟢 Claude: Claude API",
        "🟢 OpenAI: OpenAI API",
        "Open incidents: none · /health PROVIDER for more",
    ):
        assert words in board


async def test_board_puts_failing_providers_first(outage: Talk) -> None:
    """A phone shows the failure in one sentence."""
    board = await outage.asks(outage.house.bob, "/health")

    assert board.startswith("🔴 Claude API is down (since 12:01 UTC). It's Claude, not us.")
    assert board.index("🔴 Claude API: down since 12:01 UTC") < board.index("🟢 OpenAI: OpenAI API")
    assert "support chat is on gpt" in board
    assert "Open incidents: INC-1 Claude API is down #inc-20260320-0001-claude" in board
    assert "Claude API: down since 12:01 UTC." == outage.whispers(outage.house.bob)[-1].text


async def test_provider_is_found_by_any_of_its_names(talk: Talk) -> None:
    """By its id, its name or the name of a component, in any case."""
    for name in ("claude", "Anthropic", "claude.ai", "@claude", "anthropic.api"):
        seen = await talk.asks(talk.house.ana, f"/health {name}")
        assert seen.startswith("🟢 Claude is operational.\n"), name


async def test_health_answers_questions_like_a_mention(talk: Talk) -> None:
    """People type what they would ask a colleague."""
    for question in ("is claude down?", "is the Claude API up", "status of claude.ai, please"):
        seen = await talk.asks(talk.house.ana, f"/health {question}")
        assert seen.startswith("🟢 Claude is operational.\n"), question
    for question in ("?", "what is down?", "is everything ok"):
        assert " components are operational." in await talk.asks(talk.house.ana, f"/health {question}"), question


async def test_provider_page_shows_evidence_and_latency(outage: Talk) -> None:
    """The reason for the state, whose fault it is, numbers beside every bar, and buttons."""
    seen = await outage.asks(outage.house.ana, "/health claude")
    for words in (
        "🔴 Claude API is down. It's Claude, not us.",
        " Front: 3 of 5 checks failed in 60 s: HTTP 502 after",
        "• front: status 502",
        "Latency of the last hour\nClaude API: p50 ▇",
        "🟠 support chat: on gpt since 12:02 UTC (automatic), instead of claude.",
        "[Declare incident] [Switch support chat back to claude]",
    ):
        assert words in seen


async def test_typo_gets_the_nearest_provider(talk: Talk) -> None:
    """The reply says what to type instead."""
    answer = await talk.asks(talk.house.ana, "/health cluade")

    assert "No provider is called cluade. Did you mean claude? Known: Claude, OpenAI." == answer


async def test_help_lists_the_commands(talk: Talk) -> None:
    """With an example for each."""
    answer = await talk.asks(talk.house.ana, "/health help")

    assert "• /health claude: one provider with its evidence and latency, and buttons" in answer


@BOTH_WAYS
async def test_incident_is_declared_from_the_board(talk: Talk) -> None:
    """The form opens with the component chosen; the declarer gets the channel's link and is added to it."""
    ana = talk.house.ana
    await talk.asks(ana, "/health claude")
    await ana.clicks("Declare incident")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({"What is wrong?": "Answers are garbled"})
    await ana.waits_for("INC-1 is declared: Answers are garbled.")
    await talk.house.quiet()

    [declared] = await talk.facts(Declared)
    assert isinstance(declared.body, Declared)
    assert ("anthropic.api",) == declared.body.components
    assert ana.id in talk.house.workspace.channel("inc-20260320-0001-answers-are-garbled").members


async def test_flag_is_switched_from_the_board(talk: Talk) -> None:
    """The button on the provider's page does what the slash command does."""
    await talk.asks(talk.house.ana, "/health claude")
    answer = await talk.presses(talk.house.ana, "Switch support chat to gpt")

    assert f"Support chat serves gpt now. Undo: /fallback release {FLAG}" == answer
