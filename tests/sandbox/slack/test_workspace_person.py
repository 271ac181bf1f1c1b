"""What people in the workspace see and can do."""

import pytest
from slack_refusals import TEXT
from slack_stage import Stage

from bot.sandbox.slack import CommandSpec, LocalWorkspace, NotThere, SlackbotSays


async def test_screen_shows_markup_as_readable_text(stage: Stage) -> None:
    """Names for ids, labels for links, no asterisks, UTC for date tokens, entities resolved."""
    text = (
        f"*Claude API* is `down_now` since <!date^1774008000^{{time}}|12:00 UTC>: ask <@{stage.ben.id}> in <#{stage.hall}>, "
        "see <https://example.org|the _page_> &amp; <https://example.org/a_b_c>"
    )
    await stage.post(text)

    expected = "Claude API is down_now since 12:00 UTC: ask @ben in #hall, see the page & https://example.org/a_b_c"
    assert f"# ops\nunderstudy: {expected}" == stage.ana.sees("ops")


async def test_blocks_read_line_by_line(stage: Stage) -> None:
    """Headers, fields, context, tables, buttons."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "INC-1"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Phase*"}, {"type": "mrkdwn", "text": "triage"}]},
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "since 12:00"}, {"type": "plain_text", "text": "SEV2"}]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]]},
        {"type": "actions", "elements": [{"type": "button", "text": TEXT}]},
    ]
    await stage.post("short", blocks=blocks)

    assert "INC-1\nPhase\ntriage\n---\nsince 12:00 SEV2\na | b\n[Hello]" == stage.ws.shows(stage.ws.messages("ops")[0])


async def test_thread_is_shown_under_its_root(stage: Stage) -> None:
    """Replies are indented and follow the message they answer."""
    root = await stage.post("root")
    await stage.post("later")
    await stage.ana.says("reply", channel="ops", thread_ts=root)

    assert "understudy: root\n    ana: reply\nunderstudy: later" in stage.ben.sees("ops")


async def test_private_channel_is_hidden_from_others(stage: Stage) -> None:
    """Not even its name appears."""
    await stage.ana.says("hush", channel="secret")

    assert "hush" in stage.ana.sees()
    assert "" == stage.ben.sees("secret")
    with pytest.raises(NotThere, match="ben is not in #secret"):
        await stage.ben.says("let me in", channel="secret")


async def test_failed_wait_shows_the_screen(stage: Stage) -> None:
    """So that a failing test says what was there instead."""
    await stage.post("something else")

    with pytest.raises(NotThere, match=r"(?s)ana waited 0.01 s for 'resolved' and sees:.*something else"):
        await stage.ana.waits_for("resolved", channel="ops", within=0.01)


async def test_inviting_the_bot_adds_it_to_the_channel(stage: Stage) -> None:
    """An error message tells people to "/invite @understudy and retry"."""
    await stage.ana.types("/invite @understudy", channel="hall")
    await stage.client.chat_postMessage(channel=stage.hall, text="here I am")

    assert "understudy: here I am" in stage.ben.sees("hall")
    with pytest.raises(SlackbotSays, match="already in this channel"):
        await stage.ana.types("/invite @understudy", channel="hall")


async def test_people_join_leave_rename_and_archive_channels(stage: Stage) -> None:
    """Slack's own commands need no app; an archived channel keeps its name and accepts no messages."""
    await stage.ben.types("/leave", channel="ops")
    await stage.ben.types("/join #ops", channel="hall")
    await stage.ben.types("/topic all is well", channel="ops")
    await stage.ben.types("/archive", channel="ops")
    channel = stage.ws.channel("ops")

    assert (True, "all is well") == (channel.is_archived, channel.topic)
    assert stage.ws.bot_user_id not in channel.members
    with pytest.raises(NotThere, match="#ops is archived"):
        await stage.ben.says("anyone?", channel="ops")


async def test_workspace_installs_what_a_manifest_declares() -> None:
    """Scopes, commands with their escaping, and events; nothing by default."""
    manifest = {
        "features": {"slash_commands": [{"command": "/us-health", "description": "Board"}]},
        "oauth_config": {"scopes": {"bot": ["commands", "channels:read"]}},
        "settings": {"event_subscriptions": {"bot_events": ["member_joined_channel"]}},
    }
    ws = LocalWorkspace.from_manifest(manifest)

    assert ["commands", "channels:read"] == ws.team.scopes
    assert {"/us-health": CommandSpec("/us-health", "Board", "", should_escape=False)} == ws.team.commands
    assert {"member_joined_channel"} == ws.team.settings.events


async def test_duplicate_and_unknown_names_are_errors(stage: Stage) -> None:
    """A test's mistakes must show at once."""
    with pytest.raises(ValueError, match="there is already a user named ana"):
        stage.ws.add_user("ana")
    with pytest.raises(ValueError, match="there is already a channel named ops"):
        stage.ws.add_channel("ops")
    with pytest.raises(KeyError, match="no channel named nowhere"):
        stage.ws.channel("nowhere")
    assert stage.ana.id == stage.ws.person("ana").id


async def test_shortcut_missing_from_the_manifest_is_in_no_menu() -> None:
    """Nor is a global shortcut in a message's menu."""
    declared = [{"name": "Declare", "type": "global", "callback_id": "declare", "description": "It opens a form"}]
    manifest = {"features": {"shortcuts": declared}, "oauth_config": {"scopes": {"bot": ["commands"]}}}
    workspace = LocalWorkspace.from_manifest(manifest)
    ana = workspace.add_user("ana")
    await ana.says("it burns", channel="general")

    with pytest.raises(NotThere, match="no global shortcut 'other'; there is: declare"):
        await ana.uses_shortcut("other")
    with pytest.raises(NotThere, match="no message shortcut 'declare'"):
        await ana.uses_shortcut("declare", message_containing="burns")
