"""Replies to questions: health, incidents, flags, help, and the forms."""

from dataclasses import replace

from bot.core.model import Phase
from bot.core.policy import IncidentPolicy, Policy
from bot.core.record.flag_facts import Held
from bot.core.record.incident_facts import PhaseChanged
from bot.core.record.world import World
from bot.timeline.story import story as story_rows
from bot.views.flags.board import flag_status
from bot.views.health import board, provider
from bot.views.help import help_text
from bot.views.incident.forms import DECLARE_CALLBACK, UPDATE_CALLBACK, declare_modal, update_modal
from bot.views.incident.lists import incident_list, incident_show
from bot.views.incident.timeline import timeline_page
from tests.stories import ANA, API, FLAG, MOBILE, T0, latencies, outage_story
from tests.views.message_checks import assert_taken, assert_view_taken, buttons, shown

NOTHING = Policy({}, {}, IncidentPolicy({}))


def test_board_shows_every_component_in_words() -> None:
    """Failures first with whose fault, latency and the vendor's words; operational components in one line."""
    story = outage_story(109)
    made = board(story.world, story.policy, story.now, latencies(), trouble="Slack is slow to answer")
    text = shown(made)

    assert "claude.ai: degraded since 12:54 UTC and Claude mobile: down since 12:54 UTC." == made.text
    for words in (
        "🔴 *Claude mobile is down, claude.ai is degraded* (since",
        "It's Claude, not us.",
        "🟢 Claude API",
        "p50 420 ms, p95 2.6 s, 2 of 60 checks failed",
        "not measured in the last hour",
        "“Requests fail on all surfaces”",
        "🟢 *OpenAI*: OpenAI API",
        "⚠️ Slack is slow to answer",
        "Open incidents: INC-7 Claude API down <#C0INC7>",
    ):
        assert words in text


def test_healthy_board_is_one_sentence() -> None:
    """For a phone."""
    story = outage_story(-1)

    assert "4 of 4 components are operational." == board(story.world, story.policy, story.now, {}).text


def test_unknown_is_never_called_operational() -> None:
    """Components without a result are named."""
    story = outage_story(-1)
    made = board(World(), story.policy, story.now, {})

    assert "0 of 4 components are operational. Unknown: Claude API, claude.ai, Claude mobile and OpenAI API." == made.text


def test_empty_configuration_is_explained() -> None:
    """What to write, and where."""
    assert "providers:" in board(World(), NOTHING, T0, {}).text
    assert "flags:" in flag_status(World(), NOTHING, T0, {}).text


def test_provider_page_shows_evidence_latency_and_buttons() -> None:
    """Numbers stand next to the bars; the button declares an incident for the worst component."""
    story = outage_story(109)
    made = provider("anthropic", story.world, story.policy, story.now, latencies())
    text = shown(made)

    assert "Claude: Claude API operational; claude.ai degraded; Claude mobile down" == made.text
    assert "claude.ai: p50 ▇▇ 420 ms, p95 ▇▇▇▇▇▇▇▇▇▇ 2.6 s, 2 of 60 checks failed" in text
    assert "• front: status 504" in text
    assert f"incident.declare:{MOBILE}" in buttons(made)
    assert f"flag.release:{FLAG}" in buttons(made)


def test_hundred_providers_fit_into_one_message() -> None:
    """The worst come first, and the message says how many are left out."""
    story = outage_story(109)
    many = {
        f"p{n}.api": replace(story.policy.components[API], id=f"p{n}.api", provider=f"p{n}", name=f"P{n} API")
        for n in range(100)
    }
    made = board(story.world, replace(story.policy, components={**many, **story.policy.components}), story.now, {})

    assert_taken(made)
    assert "*Claude mobile*: down" in shown(made)


def test_incident_list_separates_open_from_past() -> None:
    """Open ones with lead and next update, past ones with their duration."""
    story = outage_story(109)
    assert "acknowledged by <@U0ANA> · next update by" in shown(incident_list(story.world, story.policy, story.now))

    over = outage_story()
    assert "No incident is open. `/incident list all` shows those that are over. `/incident declare TITLE` opens one." == (
        incident_list(over.world, over.policy, over.now).text
    )
    assert "took 3 h 10 min" in shown(incident_list(over.world, over.policy, over.now, everything=True))


def test_incident_is_shown_with_its_possible_actions() -> None:
    """Open: everything; over: record, reopen, export."""
    story, over = outage_story(20), outage_story()

    assert "Resolve…" in buttons(incident_show(story.scene()))["incident.more"]
    assert {"incident.reopen", "incident.export"} == set(buttons(incident_show(over.scene())))


def test_timeline_shows_the_newest_page_without_bookkeeping() -> None:
    """The newest entry is last, with who did it."""
    story = outage_story()
    text = shown(timeline_page(story.incident(), story_rows(story.about(7)), story.now))

    assert "Posted:" not in text
    assert "INC-7 is resolved, was monitoring: vendor confirms the fix (ana)" in text
    assert "Page 3 of 3" in text


def test_flag_list_shows_readers_and_how_to_switch_back() -> None:
    """Flags on a fallback come first."""
    story = outage_story(109)
    made = flag_status(story.world, story.policy, story.now, {FLAG: 1})
    text = shown(made)

    assert "1 of 2 flags on a fallback: support chat." == made.text
    assert "1 reader in 15 min" in text
    assert f"undo: `/fallback release {FLAG}`" in text
    assert "A switch to *off* waits for your yes" in text


def test_flag_held_by_automation_says_why() -> None:
    """If automation does nothing, people need the reason."""
    story = outage_story(-1)
    story.add(f"flag/{FLAG}", Held(FLAG, "no fallback is fit to serve"))

    assert "Not switched: no fallback is fit to serve" in shown(flag_status(story.world, story.policy, story.now, {}))


def test_help_has_one_line_per_verb() -> None:
    """What to type, and what it does."""
    made = help_text(
        "/incident: declare and run", [("/incident list [all]", "the open incidents"), ("/incident ack", "take it")]
    )

    assert "• `/incident list [all]`: the open incidents" in shown(made)


def test_declare_form_lists_open_incidents() -> None:
    """People should see them before they declare; the component that was pressed is chosen."""
    story = outage_story(20)
    view = declare_modal(story.world.open_incidents(), story.policy, private_metadata="C0OPS", component=API)

    assert_view_taken(view)
    assert DECLARE_CALLBACK == view["callback_id"]
    assert "C0OPS" == view["private_metadata"]
    assert "INC-7* SEV2 mitigated: Claude API down <#C0INC7>" in view["blocks"][1]["text"]["text"]
    assert "Join INC-7" == view["blocks"][1]["accessory"]["text"]["text"]
    inputs = {block["block_id"]: block["element"] for block in view["blocks"][2:]}
    assert {"title", "component", "severity", "when"} == set(inputs) == {element["action_id"] for element in inputs.values()}
    assert API == inputs["component"]["initial_option"]["value"]
    assert "SEV2" == inputs["severity"]["initial_option"]["value"]


def test_declare_form_keeps_the_chosen_of_many_components() -> None:
    """Slack allows a hundred options; the chosen component is among them."""
    story = outage_story(-1)
    many = {f"p.c{n}": replace(story.policy.components[API], id=f"p.c{n}", name=f"C{n}") for n in range(300)}
    view = declare_modal((), replace(story.policy, components=many), component="p.c299")

    assert_view_taken(view)
    assert "p.c299" == view["blocks"][1]["element"]["initial_option"]["value"]


def test_update_form_accepts_a_long_text() -> None:
    """Several lines, posted under the author's name."""
    view = update_modal(outage_story(20).scene(), ())

    assert_view_taken(view)
    assert UPDATE_CALLBACK == view["callback_id"]
    assert view["blocks"][-1]["element"]["multiline"] is True


def test_reopened_incident_shows_no_previous_end() -> None:
    """It is open again, with everything that an open incident has."""
    story = outage_story()
    story.add("incident/7", PhaseChanged(Phase.RESOLVED, Phase.INVESTIGATING, "reopen", "again"), ANA)
    made = incident_show(story.scene())

    assert "resolved" not in made.text
    assert "incident.resolve" in buttons(made)
