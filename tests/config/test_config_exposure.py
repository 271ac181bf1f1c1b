"""What the HTTP server opens, and to whom: told by `config check` and at start."""

from pathlib import Path

import pytest

from bot.config.load import load

SLACK = "slack: {bot_token: xoxb-123456, app_token: xapp-123456}\n"
JOB = "providers: {jobs: {components: {backup: {checks: [{type: heartbeat%s}]}}}}\n"
EVERYBODY = "192.168.1.6:8080"


def warnings(tmp_path: Path, text: str, **environ: str) -> tuple[str, ...]:
    file = tmp_path / "understudy.yaml"
    file.write_text(SLACK + text, encoding="utf-8")
    return load(file, environ).warnings


@pytest.mark.parametrize("listen", [EVERYBODY, "192.168.1.5:80", "[fd00::1]:8080", "bot.internal:8080"])
@pytest.mark.parametrize("token", ["", ", token: ''", ", token: '${JOB_TOKEN:-}'"])
def test_heartbeat_without_token_is_warned_of_when_others_reach_the_bot(tmp_path: Path, listen: str, token: str) -> None:
    """Anybody in the network could report the job as failed, or as well."""
    [found] = warnings(tmp_path, f"{JOB % token}server: {{listen: '{listen}'}}\n")
    assert ":2: providers.jobs.components.backup.checks[0].token: anybody who reaches the bot may report for this job" in found


@pytest.mark.parametrize("listen", ["", "server: {listen: '127.0.0.1:0'}\n", "server: {listen: '[::1]:80'}\n"])
def test_heartbeat_without_token_is_fine_when_only_this_machine_reaches_the_bot(tmp_path: Path, listen: str) -> None:
    """A job on the bot's own machine needs no set-up."""
    assert () == warnings(tmp_path, JOB % "" + listen)


@pytest.mark.parametrize("listen", ["", "listen: 'localhost:8080', "])
def test_heartbeat_without_token_is_warned_of_when_this_machine_is_open(tmp_path: Path, listen: str) -> None:
    """Where anybody on the machine reads, its other users are there too, and a proxy makes the world look like one of them."""
    [found] = warnings(tmp_path, f"{JOB % ''}server: {{{listen}open_to_loopback: true}}\n")
    assert (
        "anybody who reaches the bot may report for this job: everybody on this machine can (and everybody, behind a proxy"
        in found
    )


@pytest.mark.parametrize(("behind", "whom"), [
    ("server: {read_tokens: [r-123456-secret]}\n", "services with server.read_tokens use"),
    ("server: {listen: '[::1]:80', read_tokens: ['${READ}']}\n", "services with server.read_tokens use"),
    ("peers: [{vantage: iad-1, secret: p-123456-shared-secret-of-two}]\n", "peers use"),
])  # fmt: skip
def test_heartbeat_without_token_is_warned_of_when_a_proxy_must_stand_in_front(tmp_path: Path, behind: str, whom: str) -> None:
    """It listens on this machine alone, but others are expected: what brings them in looks like this machine to a heartbeat."""
    [found] = warnings(tmp_path, JOB % "" + behind, READ="r-123456-secret")
    assert f"anybody who reaches the bot may report for this job: others can, through the proxy that {whom}" in found


BY_HTTP = "slack: {mode: http, bot_token: xoxb-123456, signing_secret: s-123456}\n"


def test_heartbeat_without_token_is_warned_of_when_slack_comes_over_http(tmp_path: Path) -> None:
    """What brings Slack in from the internet brings in whoever finds the address."""
    file = tmp_path / "understudy.yaml"
    file.write_text(BY_HTTP + JOB % "", encoding="utf-8")

    assert ["others can, through the proxy that Slack uses" in line for line in load(file, {}).warnings] == [True]


def test_reading_without_a_token_is_warned_of_when_slack_comes_over_http(tmp_path: Path) -> None:
    """The proxy in front looks like this machine."""
    file = tmp_path / "understudy.yaml"
    file.write_text(BY_HTTP + "server: {open_to_loopback: true}\n", encoding="utf-8")
    [found] = load(file, {}).warnings

    assert ":2: server.open_to_loopback: Slack comes through a proxy, which counts as this machine" in found


@pytest.mark.parametrize("nobody", ["server: {read_tokens: ['${READ:-}']}\n", "peers: [{vantage: iad-1, secret: ''}]\n"])
def test_heartbeat_without_token_is_fine_where_nobody_else_is_expected(tmp_path: Path, nobody: str) -> None:
    """A token or a peer that is turned off brings nobody in."""
    assert () == warnings(tmp_path, JOB % "" + nobody)


def test_heartbeat_without_token_is_fine_when_this_machine_is_not_open(tmp_path: Path) -> None:
    """Said outright, as well as by default."""
    assert () == warnings(tmp_path, f"{JOB % ''}server: {{open_to_loopback: false}}\n")


def test_heartbeat_with_token_is_fine_wherever_the_bot_listens(tmp_path: Path) -> None:
    """Also where the token comes from outside the file."""
    job = JOB % ", token: '${JOB_TOKEN}'"
    text = f"{job}server: {{listen: '{EVERYBODY}'}}\n"
    assert () == warnings(tmp_path, text, JOB_TOKEN="long-enough-to-be-secret")


FLAG = "flags: {chat: {variants: {a: 1, b: 2}, default: a}}\n"


@pytest.mark.parametrize("server", ["", "{listen: '127.0.0.1:0'}", "{read_tokens: ['']}", "{open_to_loopback: false}"])
def test_flags_that_no_service_may_read_are_warned_of(tmp_path: Path, server: str) -> None:
    """Each service would go on with the default in its own code, and nobody would notice before an outage."""
    [found] = warnings(tmp_path, FLAG + (f"server: {server}\n" if server else ""))
    assert "server.read_tokens: no service may read the flags" in found
    assert "`open_to_loopback: true`" in found


@pytest.mark.parametrize("server", ["{read_tokens: [r-123456]}", "{open_to_loopback: true}", "{socket: /run/r.sock}"])
def test_each_choice_of_readers_is_fine(tmp_path: Path, server: str) -> None:
    """A token, a file, or this machine."""
    assert () == warnings(tmp_path, f"{FLAG}server: {server}\n")
