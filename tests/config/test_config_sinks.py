"""Mistakes in `flags.KEY.sinks` are named by their key, with what to write instead."""

from pathlib import Path

import pytest

from bot.config.load import load
from bot.config.reading.errors import ConfigErrors

HEAD = """\
slack: {bot_token: xoxb-1, app_token: xapp-1}
providers: {anthropic: {components: {api: {checks: [{type: http, url: "https://a.example"}]}}}}
flags:
  chat:
    variants: {claude: {m: 1}, gpt: {m: 2}}
    default: claude
    sinks:
"""
FILE = "      - {type: flagd_file, path: /var/lib/flagd/u.json}\n"
UNLEASH = "      - {type: unleash, url: http://u.internal:4242, feature: use-gpt, on: [gpt]}\n"
ENVOY = "      - {type: envoy_rds, path: /etc/envoy/llm.json, route: llm, clusters: {claude: a, gpt: b}}\n"
HOOK = "      - {type: webhook, url: https://hooks.example.com/flags}\n"
OTHER = "  other: {variants: {on: true, off: false}, default: on, sinks: [{type: flagd_file, path: /var/lib/flagd/u.json}]}\n"
OTHER_HOOK = (
    "  other: {variants: {on: true, off: false}, default: on, sinks: [{type: webhook, url: https://hooks.example.com/flags}]}\n"
)

ADDRESS = '"https://hooks.example.com/flags?key=a-long-secret-key", secret: whsec_abcdefgh}'


def errors(folder: Path, text: str) -> list[tuple[str, str, str]]:
    """Key, message and remedy of every error."""
    file = folder / "understudy.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    try:
        load(file, {})
    except ConfigErrors as caught:
        return [(error.key, error.message, error.remedy) for error in caught.errors]
    return []


@pytest.mark.parametrize("text", [FILE + UNLEASH + ENVOY + HOOK, HOOK + OTHER_HOOK], ids=["one of each", "one receiver of two"])
def test_sinks_as_they_are_meant_are_taken(tmp_path: Path, text: str) -> None:
    """Two flags may tell one receiver: it knows them apart."""
    assert [] == errors(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (FILE + FILE, "flags.chat.sinks[1]", "writes to the same place"),
        (FILE + OTHER, "flags.other.sinks[0]", "writes to the same place"),
        (UNLEASH + UNLEASH, "flags.chat.sinks[1]", "writes to the same place"),
        (FILE.replace("/var/lib", "var/lib"), "flags.chat.sinks[0].path", "not the path of a file"),
        (UNLEASH.replace("[gpt]", "[gtp]"), "flags.chat.sinks[0].on[0]", "there is no variant 'gtp'"),
        (ENVOY.replace(", gpt: b", ""), "flags.chat.sinks[0].clusters", "'gpt' has no cluster"),
        (ENVOY.replace("gpt: b", "gpt: b, mini: c"), "flags.chat.sinks[0].clusters.mini", "there is no variant 'mini'"),
        (HOOK.replace("webhook", "webhok"), "flags.chat.sinks[0].type", "there is no such type of sink"),
        (HOOK.replace("url:", "urll:"), "flags.chat.sinks[0].urll", "there is no such key"),
        (HOOK.replace("https://", "ftp://"), "flags.chat.sinks[0].url", "does not start with http"),
    ],
)
def test_mistake_is_named(tmp_path: Path, text: str, key: str, words: str) -> None:
    """Before the bot runs, not in the middle of an outage."""
    found = errors(tmp_path, text)

    assert any(key == at and words in message for at, message, _ in found), found


def test_address_of_a_webhook_and_its_secret_are_kept_out_of_what_is_said(tmp_path: Path) -> None:
    """Some of these addresses are all that it takes."""
    file = tmp_path / "understudy.yaml"
    file.write_text(HEAD + HOOK.replace("https://hooks.example.com/flags}", ADDRESS), encoding="utf-8")
    config = load(file, {}).config
    [sink] = config.flags["chat"].sinks

    assert "a-long-secret-key" not in f"{sink!r} {sink.id} {sink.label}"
    assert {"whsec_abcdefgh", "https://hooks.example.com/flags?key=a-long-secret-key"} <= config.secrets()
