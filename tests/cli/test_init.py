"""`understudy init`: from what somebody uses to a file that the bot takes, and the link that makes the Slack app."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from click.testing import CliRunner

from bot.cli.verbs import main
from bot.config.load import Loaded, load
from bot.config.reading.errors import ConfigErrors
from bot.wiring.manifest import manifest_for
from tests.forks import ROOT

TOKENS = {
    "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "s" * 32,
    "UNDERSTUDY_READ_TOKEN": "r" * 32,
    "ANTHROPIC_API_KEY": "key-a", "OPENAI_API_KEY": "key-o", "GEMINI_API_KEY": "key-g",
}  # fmt: skip


def written(folder: Path, *args: str) -> tuple[Loaded, str]:
    """The configuration as the bot reads it with everything set, and what was printed."""
    file = folder / "understudy.yaml"
    done = CliRunner().invoke(main, ["init", "--output", str(file), *args])
    assert 0 == done.exit_code, done.output
    return load(file, TOKENS), done.stdout


def refused(folder: Path, *args: str) -> str:
    """What was said; no file is left behind."""
    file = folder / "understudy.yaml"
    done = CliRunner().invoke(main, ["init", "--output", str(file), *args])
    assert (2, False) == (done.exit_code, file.exists()), done.output
    return done.stderr


@pytest.mark.parametrize("preset", ["anthropic", "openai", "gemini", "github", "slack"])
@pytest.mark.parametrize(
    "slack", [("socket",), ("http", "--public-url", "https://bot.example.com"), ("none",)], ids=["socket", "http", "none"]
)
def test_what_it_writes_the_bot_takes(slack: tuple[str, ...], preset: str, tmp_path: Path) -> None:
    """Whatever is chosen: no error, every check on, controls of two owners, and one that asks our resolver."""
    loaded, _ = written(tmp_path, "--provider", preset, "--slack", *slack)

    assert slack[0] == loaded.config.slack.mode
    assert {preset} == {placed.provider for placed in loaded.config.checks()}
    assert () == loaded.off_checks
    assert ["tcp", "tcp", "dns"] == [control.check.type for control in loaded.config.controls()]


def test_the_first_flag_falls_back_to_the_second_provider_and_then_to_cached_answers(tmp_path: Path) -> None:
    """And asks before it switches, since nobody has rehearsed it yet."""
    loaded, said = written(tmp_path, "--provider", "anthropic", "--provider", "openai", "--service", "help-desk")
    flag = loaded.config.flags["help-desk.llm"]

    assert ("claude", ["gpt", "cached"], "propose") == (flag.default, [one.variant for one in flag.fallbacks], flag.automation)
    assert "the flag help-desk.llm" in said


def test_without_a_service_there_is_no_flag(tmp_path: Path) -> None:
    """An empty name is a no."""
    loaded, said = written(tmp_path, "--provider", "anthropic", "--service", "")

    assert {} == loaded.config.flags
    assert "no flag" in said


def test_each_host_of_our_own_is_watched_as_a_provider(tmp_path: Path) -> None:
    """It has its own incidents; two addresses of one host are told apart, and a number is a name."""
    urls = ("https://api.example.com/health", "https://api.example.com/ready", "http://192.0.2.7:8080/")
    loaded, _ = written(tmp_path, *(word for url in urls for word in ("--url", url)))

    assert {
        "api-example-com.front": "api.example.com/health", "api-example-com.front-2": "api.example.com/ready",
        "host-192-0-2-7.front": "192.0.2.7",
    } == {p.component: loaded.config.component_name(p.component) for p in loaded.config.checks()}  # fmt: skip


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://10.1.2.3:8080/health", ["10.1.2.3/32"]),
        ("http://[fd00::7]/", ["fd00::7/128"]),
        ("http://localhost:3000/", ["127.0.0.0/8", "::1/128"]),
        ("https://1.1.1.1/", []),
        ("https://api.example.com/", []),
    ],
)
def test_an_address_of_our_own_network_may_be_reached_by_the_check_that_asks_for_it(
    tmp_path: Path, url: str, allowed: list[str]
) -> None:
    """A first file whose own check is refused helps nobody."""
    loaded, _ = written(tmp_path, "--url", url)

    assert allowed == list(map(str, loaded.config.allow_private))


def test_a_host_called_like_a_preset_gets_a_key_of_its_own(tmp_path: Path) -> None:
    """Both are watched."""
    loaded, _ = written(tmp_path, "--provider", "openai", "--url", "http://openai/health")

    assert {"openai", "our-openai"} == set(loaded.config.providers)


def test_the_link_makes_the_app_of_the_manifest(tmp_path: Path) -> None:
    """With the address that Slack sends to, in http mode."""
    _, said = written(tmp_path, "--provider", "slack", "--slack", "http", "--public-url", "https://bot.example.com/")
    [link] = [line for line in said.splitlines() if line.startswith("https://api.slack.com/apps?new_app=1&manifest_yaml=")]

    manifest = yaml.safe_load(unquote(link.partition("manifest_yaml=")[2]))
    assert manifest_for(request_url="https://bot.example.com/slack/events") == manifest


def test_every_variable_that_the_file_needs_is_named(tmp_path: Path) -> None:
    """Who sets those and no other can start."""
    _, said = written(tmp_path, "--provider", "anthropic", "--provider", "gemini")

    assert "Set SLACK_BOT_TOKEN, SLACK_APP_TOKEN, UNDERSTUDY_READ_TOKEN, ANTHROPIC_API_KEY, GEMINI_API_KEY." in said
    with pytest.raises(ConfigErrors, match="SLACK_APP_TOKEN"):
        load(tmp_path / "understudy.yaml", {key: value for key, value in TOKENS.items() if key != "SLACK_APP_TOKEN"})


def test_an_address_is_text_whatever_it_holds(tmp_path: Path) -> None:
    """Nothing of it is read as YAML."""
    url = "https://api.example.com/a?b={c:'d'},[x]&y=*z"
    loaded, _ = written(tmp_path, "--url", url)

    [placed] = loaded.config.checks()
    assert url == placed.check.url


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Whatever it holds."""
    (tmp_path / "understudy.yaml").write_text("mine")
    done = CliRunner().invoke(main, ["init", "--output", str(tmp_path / "understudy.yaml"), "--provider", "slack"])

    assert (2, "mine") == (done.exit_code, (tmp_path / "understudy.yaml").read_text())
    assert "is there already and is left alone. Name another file with --output." in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--provider", "antropic"), "There is no preset 'antropic'"),
        (("--url", "example.com"), "'example.com' is not an address. Write it as https://"),
        (("--provider", "slack", "--slack", "http"), "give yours with --public-url"),
        (("--provider", "slack", "--slack", "http", "--public-url", "http://bot.example.com"), "https addresses only"),
        (("--provider", "slack", "--channel", '#ops"\ndata: /etc'), "names no channel. Write it as #ops"),
        (("--provider", "openai", "--service", "Help desk"), "'Help desk' cannot name a flag"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_named_with_the_remedy(args: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """And nothing is written."""
    assert said in refused(tmp_path, *args)


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    """No traceback."""
    done = CliRunner().invoke(main, ["init", "--output", str(tmp_path / "gone" / "u.yaml"), "--provider", "slack"])

    assert 2 == done.exit_code
    assert "cannot be written: No such file or directory" in done.stderr


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    """Five answers; the keys that are in the environment are offered as providers."""
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "init"], cwd=tmp_path, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "GEMINI_API_KEY": "key-g"},
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, b"\nhttps://api.example.com/health\nnone\nmail-bot\n")
    out, err = asked.communicate(timeout=60)
    os.close(ours)

    assert 0 == asked.returncode, err
    assert "Providers (anthropic, openai, gemini, github, slack) [gemini]" in err
    config = load(tmp_path / "understudy.yaml", TOKENS).config
    assert {"gemini", "api-example-com"} == {placed.provider for placed in config.checks()}
    assert ("none", ["mail-bot.llm"]) == (config.slack.mode, list(config.flags))
    assert "Without Slack, alerts reach you by `notify`" in out
