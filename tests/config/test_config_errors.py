"""Every mistake in a file is named at once, with its line, its key and what to write instead."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from bot.config.load import load
from bot.config.reading.errors import ConfigErrors
from tests.config.mistakes import checks, flags, sections
from tests.config.mistakes.texts import HEAD

TABLE = [*sections.MISTAKES, *checks.MISTAKES, *flags.MISTAKES]


def errors_of(path: Path, text: str, environ: dict[str, str] | None = None) -> list[tuple[int, str, str, str]]:
    """Line, key, message and remedy of every error that the text has."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(path, environ or {})
    return [(error.line, error.key, error.message, error.remedy) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("written", "line", "key", "message", "remedy"), TABLE, ids=[f"{row[2]}-{i}" for i, row in enumerate(TABLE)]
)
def test_mistake_is_named_with_line_key_and_remedy(
    tmp_path: Path, written: str, line: int, key: str, message: str, remedy: str
) -> None:
    """One mistake gives one error, at its line and key, that says what to do."""
    found = errors_of(tmp_path / "understudy.yaml", HEAD + written)
    assert [(line, key)] == [(error[0], error[1]) for error in found], found
    assert message in found[0][2]
    assert remedy in found[0][3]


def test_all_errors_come_together_when_a_file_has_many(tmp_path: Path) -> None:
    """Eight different mistakes in one file are eight errors of one exception, in the order of the file."""
    text = """\
slack:
  bot_token: ${SLACK_BOT_TOKEN}
  app_token: xapp-1
  alert_channel: "#ops"
providers:
  anthropic:
    components:
      api:
        checks:
          - {type: http, url: "https://a.example", every: 0s}
flags:
  chat:
    variants: {a: x, b: 1}
    default: c
    depends_on: [anthropic.apy]
  chat:
    variants: {}
incidents:
  private: off
"""
    found = errors_of(tmp_path / "understudy.yaml", text)
    assert [
        (2, "slack.bot_token"),
        (4, "slack.alert_channel"),
        (10, "providers.anthropic.components.api.checks[0].every"),
        (13, "flags.chat.variants.b"),
        (14, "flags.chat.default"),
        (15, "flags.chat.depends_on[0]"),
        (16, "flags.chat"),
        (19, "incidents.private"),
    ] == [(line, key) for line, key, _, _ in found]


def test_errors_print_file_line_key_message_and_remedy_when_shown(tmp_path: Path) -> None:
    """str() has one line for each error, ready for a terminal."""
    path = tmp_path / "understudy.yaml"
    path.write_text(HEAD + "flgas: {}\ndata: ''\n", encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(path, {})
    assert (
        f"{path}:5: flgas: there is no such key — did you mean `flags`?\n"
        f"{path}:6: data: the path is empty — name a folder, such as ./data"
    ) == str(caught.value)


def test_flags_that_differ_by_case_are_named_with_the_other_line(tmp_path: Path) -> None:
    """`Chat` and `chat` would be one flag to a hurried reader."""
    text = HEAD + "flags:\n  chat: {default: a, variants: {a: 1}}\n  Chat: {default: a, variants: {a: 1}}\n"
    found = errors_of(tmp_path / "understudy.yaml", text)
    assert any(key == "flags.Chat" and "from `chat` in line 6 only in upper and lower" in what for _, key, what, _ in found)


ALIAS_BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "the file is empty"),
        ("# nothing\n", 0, "the file is empty"),
        ("---\n", 0, "the file is empty"),
        ("- a\n", 1, "does not hold a mapping"),
        ("\nword\n", 2, "does not hold a mapping"),
        ("a: b: c\n", 1, "not valid YAML"),
        ("a: [1\nb: 2\n", 2, "not valid YAML"),
        ("a:\n\tb: 1\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "has no meaning here"),
        ("? [a, b]\n: c\n", 1, "a key must be a word"),
        ("a: *b\n", 1, "no finished anchor"),
        ("a: &a [*a]\n", 1, "no finished anchor"),
        ("a: \x07\n", 1, "a character that YAML does not take"),
        ('a: "\\UFFFFFFFF"\n', 0, "not valid YAML"),
        ('a: "\\ud800"\n', 1, "lone surrogate"),
        ("a: " + "9" * 5000 + "\n", 1, "the number is too large"),
        ("a: 1e999\n", 1, "the number is too large"),
        ("a: " + "[" * 5000 + "\n", 1, "nested too deeply"),
        (ALIAS_BOMB, 6, "too large once its aliases are followed"),
    ],
)
def test_file_that_is_no_configuration_gives_one_error_when_read(tmp_path: Path, text: str, line: int, message: str) -> None:
    """What cannot be read at all is said once, and a bomb of aliases is stopped before it grows."""
    found = errors_of(tmp_path / "understudy.yaml", text)
    assert [line] == [error[0] for error in found]
    assert message in found[0][2]


def test_missing_file_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    """Told like every other mistake, with what a newcomer types next."""
    with pytest.raises(ConfigErrors, match="there is no such file — `understudy init` writes one"):
        load(tmp_path / "none.yaml", {})


@pytest.mark.timeout(20)
def test_pipe_is_an_error_and_nobody_waits_for_its_writer(tmp_path: Path) -> None:
    """`${file:...}` on a pipe, or a pipe as the file itself; a start that hangs says nothing."""
    pipe, file = tmp_path / "pipe", tmp_path / "understudy.yaml"
    os.mkfifo(pipe)
    [found] = errors_of(file, f"{HEAD}data: ${{file:{pipe}}}\n")

    assert (5, "data", f"{pipe} is not a regular file") == found[:3]
    with pytest.raises(ConfigErrors, match="not a regular file"):
        load(pipe, {})


@pytest.mark.parametrize(
    ("slack", "line", "key", "message", "remedy"),
    [
        ("{bot_token: xapp-canary, app_token: xapp-1}", 1, "slack.bot_token", "this is the app-level token", "xoxb-"),
        (
            "{mode: http, bot_token: xoxb-1, signing_secret: xapp-canary}",
            1, "slack.signing_secret", "this is a token", "Basic Information",
        ),
        ("{bot_token: xoxb-1, app_token: xoxb-canary}", 1, "slack.app_token", "this is the bot token", "begins with xapp-"),
        (
            "{bot_token: xoxb-1, app_token: xapp-1, alerts_channel: 'https://hooks.slack.com/services/T1/B1/canary'}",
            1, "slack.alerts_channel", "an address is not a channel", "name the channel",
        ),
        (
            "{bot_token: xoxb-1, app_token: xapp-1, backup_channel: 'https://hooks.slack.com/services/T1/B1/canary'}",
            1, "slack.backup_channel", "an address is not a channel", "name the channel",
        ),
        (
            "{bot_token: xoxb-1, app_token: xapp-1, alerts_channel: '@canary'}",
            1, "slack.alerts_channel", "a person is not a channel", "name the channel",
        ),
    ],
)  # fmt: skip
def test_commonest_mistakes_of_a_first_installation_are_refused(
    tmp_path: Path, slack: str, line: int, key: str, message: str, remedy: str
) -> None:
    """Exchanged tokens, and a webhook where a channel belongs; named, without what was written."""
    [found] = errors_of(tmp_path / "understudy.yaml", f"slack: {slack}\n")

    assert (line, key, message) == found[:3]
    assert remedy in found[3]
    assert "canary" not in repr(found)


def test_folder_and_binary_are_errors_when_given_as_file(tmp_path: Path) -> None:
    """Neither a folder nor bytes that are no text end in a traceback."""
    with pytest.raises(ConfigErrors, match="not a regular file"):
        load(tmp_path, {})
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(ConfigErrors, match=r"binary\.yaml:2: the file is not UTF-8"):
        load(path, {})


@pytest.mark.parametrize(
    "written",
    [
        "server: {read_tokens: {canary-secret: 1}, control_tokens: [[canary-secret]]}",
        "server: {listen: '${CANARY}', read_tokens: ['${CANARY}\\nx']}",
        "providers: {p: {api_key: [canary-secret], components: {a: {checks: [{type: http, url: '${CANARY}'}]}}}}",
        "providers: {p: {components: {a: {checks: [{type: http, url: 'https://a', headers: {a: [canary-secret]}}]}}}}",
        "providers: {p: {components: {a: {checks: [{type: http, url: 'https://a', every: '${CANARY}'}]}}}}",
        "notify: [canary-secret]",
        "flags: {f: {variants: {a: 1}, default: '${CANARY}', depends_on: ['${CANARY}'], automation: '${CANARY}'}}",
    ],
)
def test_secret_stays_out_of_errors_when_it_stands_in_a_wrong_place(tmp_path: Path, written: str) -> None:
    """Errors quote only what was written in the file at a place where no secret can be."""
    path = tmp_path / "understudy.yaml"
    path.write_text(HEAD + written, encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(path, {"CANARY": "canary-secret"})
    assert "canary-secret" not in str(caught.value).replace("server.read_tokens.canary-secret", "")
