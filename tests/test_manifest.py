"""The manifest that people paste into Slack matches the code, and Slack accepts it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # published without types
import pytest
import yaml
from click.testing import CliRunner

from bot.slack.scopes import APP_SCOPE, EVENTS, PRIVATE_SCOPES, SCOPES, expected_scopes
from bot.wiring.manifest import manifest_for
from commands.table import SHORTCUTS, WORDS, words
from tests.truth import truth_dir

ROOT = Path(__file__).resolve().parents[1]

# Slack's limits for slash commands and names in a manifest.
COMMAND_CHARS, DESCRIPTION_CHARS, HINT_CHARS, MOST_COMMANDS = 32, 2000, 1000, 50
NAME_CHARS, SHORT_DESCRIPTION_CHARS, DISPLAY_NAME_CHARS = 35, 140, 80

LONGEST_PREFIX = "a" * 16
VARIANTS = [("", False), ("", True), ("us-", False), (LONGEST_PREFIX, True)]


def schemas() -> list[Path]:
    """Slack's official schemas, if they are available."""
    found = truth_dir()
    return sorted(found.glob("slack/manifest.schema.*.json")) if found else []


def published() -> Any:
    return yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))


def slash_commands(manifest: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manifest["features"]["slash_commands"]
    return found


def test_manifest_for_an_organization_says_so() -> None:
    """Only then does Slack install the app for the whole organization."""
    assert [True, False] == [manifest_for(organization=org)["settings"]["org_deploy_enabled"] for org in (True, False)]


def test_manifest_file_is_generated_by_the_code() -> None:
    """With the commands and scopes that the bot uses, in the same order."""
    assert json.dumps(manifest_for()) == json.dumps(published())


@pytest.mark.parametrize(("prefix", "private"), VARIANTS)
def test_manifest_is_valid_by_slacks_own_schemas(prefix: str, private: bool) -> None:
    """Slack refuses a manifest with an unknown key or a value that is too long."""
    found = schemas()
    if not found:
        pytest.skip("Slack's manifest schemas are not here: set UNDERSTUDY_TRUTH to a folder with slack/manifest.schema.*.json")
    for path in found:
        schema = json.loads(path.read_text(encoding="utf-8"))
        validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
        assert [] == [error.message for error in validator.iter_errors(manifest_for(prefix, private=private))], path.name


def test_schemas_refuse_a_manifest_with_mistakes() -> None:
    """A command without its slash, a name that is too long, and an unknown key are found."""
    found = schemas()
    if not found:
        pytest.skip("Slack's manifest schemas are not here: set UNDERSTUDY_TRUTH to a folder with slack/manifest.schema.*.json")
    wrong = manifest_for()
    slash_commands(wrong)[0]["command"] = "health"
    wrong["display_information"]["name"] = "u" * (NAME_CHARS + 1)
    wrong["settings"]["colour"] = "red"
    for path in found:
        validator = jsonschema.Draft7Validator(json.loads(path.read_text(encoding="utf-8")))
        places = {"/".join(map(str, error.absolute_path)) for error in validator.iter_errors(wrong)}
        assert {"features/slash_commands/0/command", "display_information/name", "settings"} <= places, path.name


@pytest.mark.parametrize(("prefix", "private"), VARIANTS)
def test_every_command_is_within_slacks_limits(prefix: str, private: bool) -> None:
    """Even with the longest prefix."""
    manifest = manifest_for(prefix, private=private)
    commands = slash_commands(manifest)
    about = manifest["display_information"]

    assert len(commands) <= MOST_COMMANDS
    assert len(commands) == len({command["command"] for command in commands})
    for command in commands:
        assert re.fullmatch(r"/[a-z0-9_-]+", command["command"])
        assert len(command["command"]) <= COMMAND_CHARS
        assert 0 < len(command["description"]) <= DESCRIPTION_CHARS
        assert 0 < len(command["usage_hint"]) <= HINT_CHARS
    assert len(about["name"]) <= NAME_CHARS
    assert len(about["description"]) <= SHORT_DESCRIPTION_CHARS
    assert len(manifest["features"]["bot_user"]["display_name"]) <= DISPLAY_NAME_CHARS


def test_every_command_is_in_the_manifest() -> None:
    """Slack refuses commands that it does not know."""
    commands = slash_commands(manifest_for())

    assert [word.word for word in WORDS] == [command["command"] for command in commands]
    assert [word.hint for word in WORDS] == [command["usage_hint"] for command in commands]


def test_mentions_arrive_as_ids() -> None:
    """Without escaping, Slack sends `@ana` as plain text, and nobody could be sure who that is."""
    assert all(command["should_escape"] for command in slash_commands(manifest_for()))


def test_prefix_is_put_before_every_command() -> None:
    """Slash commands have no namespaces: two apps with /incident in one workspace need a prefix."""
    assert ["/us-health", "/us-incident", "/us-fallback", "/us-drill", "/us-understudy"] == [
        word for word, _, _ in words("us-")
    ]
    assert [word for word, _, _ in words("us-")] == [c["command"] for c in slash_commands(manifest_for("us-"))]


@pytest.mark.parametrize("prefix", ["US-", "us ", "/us", "ü", "a" * 17, "us\n"])
def test_invalid_prefix_is_refused(prefix: str) -> None:
    """The reason says what a prefix may be."""
    with pytest.raises(ValueError, match="cannot begin a slash command"):
        manifest_for(prefix)


def test_every_scope_has_a_reason() -> None:
    """Those for private channels are only requested if channels are private."""
    asked = manifest_for()["oauth_config"]["scopes"]["bot"]
    private = manifest_for(private=True)["oauth_config"]["scopes"]["bot"]

    assert list(SCOPES) == asked
    assert [*SCOPES, *PRIVATE_SCOPES] == private == list(expected_scopes(private=True))
    assert len(private) == len(set(private))
    assert all(reason for reason in expected_scopes(private=True).values())


def test_scopes_of_the_app_level_token_are_not_requested_for_the_bot() -> None:
    """`connections:write` belongs to the other token, and Slack refuses a manifest that has it among the bot's scopes."""
    assert APP_SCOPE not in manifest_for(private=True)["oauth_config"]["scopes"]["bot"]


def test_app_is_reached_by_socket_only() -> None:
    """Nothing has to be public, and tokens are not rotated while a bot is offline."""
    settings = manifest_for()["settings"]

    assert (True, False) == (settings["socket_mode_enabled"], settings["token_rotation_enabled"])
    assert settings["interactivity"]["is_enabled"]
    assert "request_url" not in json.dumps(manifest_for())


HTTP_FILE = """
slack: {mode: http, bot_token: "${SLACK_BOT_TOKEN}", signing_secret: "${SLACK_SIGNING_SECRET}", prefix: us-}
server: {public_url: "https://understudy.example.com/bot/"}
"""
REQUEST_URL = "https://understudy.example.com/bot/slack/events"


def test_http_mode_has_one_request_url_for_everything() -> None:
    """Commands, buttons, menus and events, so that nobody has to type an address."""
    made = manifest_for(request_url=REQUEST_URL)
    settings = made["settings"]
    urls = {
        *(command["url"] for command in slash_commands(made)), settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"], settings["interactivity"]["message_menu_options_url"],
    }  # fmt: skip

    assert ({REQUEST_URL}, False) == (urls, settings["socket_mode_enabled"])


def test_manifest_for_http_is_valid_by_slacks_own_schemas() -> None:
    """The addresses are where Slack wants them."""
    if not schemas():
        pytest.skip("Slack's manifest schemas are not here: set UNDERSTUDY_TRUTH to a folder with slack/manifest.schema.*.json")
    wrong = [
        error.message
        for path in schemas()
        for error in jsonschema.Draft7Validator(json.loads(path.read_text(encoding="utf-8"))).iter_errors(
            manifest_for(request_url=REQUEST_URL)
        )
    ]
    assert [] == wrong


def test_manifest_of_a_configuration_needs_no_tokens(tmp_path: Path) -> None:
    """There are none before the app exists."""
    from bot.cli.verbs import main

    file = tmp_path / "understudy.yaml"
    file.write_text(HTTP_FILE, encoding="utf-8")
    result = CliRunner().invoke(main, ["manifest", "--config", str(file)])

    assert manifest_for("us-", request_url=REQUEST_URL) == yaml.safe_load(result.stdout)


@pytest.mark.parametrize("public", ["", "http://understudy.example.com"])
def test_missing_settings_for_http_are_reported(public: str, tmp_path: Path) -> None:
    """Slack sends to https only."""
    from bot.cli.verbs import main

    file = tmp_path / "understudy.yaml"
    file.write_text(HTTP_FILE.replace("https://understudy.example.com/bot/", public), encoding="utf-8")
    result = CliRunner().invoke(main, ["manifest", "--config", str(file)])

    assert (1, True) == (result.exit_code, "set server.public_url" in result.stderr)


@pytest.mark.parametrize(("prefix", "private"), VARIANTS)
def test_terminal_prints_the_manifest_as_yaml(prefix: str, private: bool) -> None:
    """`understudy manifest` prints what can be pasted."""
    from bot.cli.verbs import main

    options = [*(["--prefix", prefix] if prefix else []), *(["--private"] if private else [])]
    result = CliRunner().invoke(main, ["manifest", *options])

    assert 0 == result.exit_code
    assert manifest_for(prefix, private=private) == yaml.safe_load(result.stdout)


def test_terminal_reports_an_invalid_prefix() -> None:
    """A sentence on standard error and exit status 1, without a traceback."""
    command = [sys.executable, "-m", "bot.cli", "manifest", "--prefix", "US"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (1, "") == (result.returncode, result.stdout)
    assert 1 == len(result.stderr.splitlines())
    assert "cannot begin a slash command" in result.stderr


def test_every_event_has_a_documented_reason() -> None:
    """Whoever installs the app reads what Slack will send it, and why."""
    told = manifest_for()["settings"]["event_subscriptions"]["bot_events"]
    docs = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")

    assert list(EVENTS) == told
    assert [] == [name for name, why in EVENTS.items() if f"| `{name}` | {why} |" not in docs]


def test_every_shortcut_is_in_the_manifest_within_slacks_limits() -> None:
    """Slack accepts names of 24 characters and descriptions of 150."""
    shortcuts = manifest_for()["features"]["shortcuts"]

    assert [(one.callback, one.name) for one in SHORTCUTS] == [(made["callback_id"], made["name"]) for made in shortcuts]
    assert all(len(made["name"]) <= 24 and 0 < len(made["description"]) <= 150 for made in shortcuts)
    assert [] == [made for made in shortcuts if f"| *{made['name']}* |" not in (ROOT / "docs" / "slack.md").read_text("utf-8")]
