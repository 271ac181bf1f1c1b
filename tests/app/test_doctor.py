"""What the doctor says about checks: settings that work but will surprise somebody."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config.load import load
from bot.doctor.checkup import Finding, examine, looking
from bot.store.samples.sqlite import SAMPLES_FILE, InlineSamples

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
SLACK = "slack: {bot_token: xoxb-123456, app_token: xapp-123456}\n"
CONTROLS = "control_group: [{type: tcp, host: a, port: 1}, {name: b, type: tcp, host: b, port: 1}, {type: dns, host: c}]\n"
HTTP = "{type: http, url: 'https://a'}"


def findings(folder: Path, text: str = CONTROLS, checks: str = HTTP) -> dict[str, str]:
    """The doctor's findings on a configuration with these checks, by subject."""
    path = folder / "understudy.yaml"
    path.write_text(f"{SLACK}providers: {{p: {{components: {{c: {{checks: [{checks}]}}}}}}}}\n{text}", encoding="utf-8")
    found = looking(load(path, {}).config, NOW)
    assert {"note", "good"} >= {finding.state for finding in found}
    return {finding.subject: finding.words for finding in found}


def llm(rest: str) -> str:
    return f"{{type: llm, name: ask, dialect: openai, url: 'https://a', model: m, api_key: k-123456, {rest}}}"


def test_good_settings_have_no_findings(tmp_path: Path) -> None:
    """Two controls and defaults; every needless word hides a needed one."""
    assert {} == findings(tmp_path, checks=f"{HTTP}, {llm('every: 60s')}")


def test_example_has_no_findings(tmp_path: Path) -> None:
    """People copy it."""
    environ = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "ANTHROPIC_API_KEY": "k-123456"}
    config = load(ROOT / "examples" / "understudy.yaml", environ).config

    assert [] == looking(config, NOW)


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        ("control_group: []", "a fault of our own network can look like everybody's outage; add two controls"),
        ("control_group: [{type: http, url: 'https://a', headers: {k: ''}}]", "add two controls"),
        (
            "control_group: [{type: tcp, host: 1.1.1.1, port: 443}, {type: tcp, name: b, host: '2001:db8::1', port: 443}]",
            "each control is a number: a dead resolver of ours can look like the provider's outage",
        ),
        ("control_group: [{type: tcp, host: a, port: 1}]", "tcp is the only control: its own outage can look like ours"),
        (
            "control_group: [{type: tcp, host: a, port: 1}, {type: dns, host: b}]",
            "tcp is the only control that is not of type dns: its own outage can look like ours",
        ),
        ("control_group: [{type: dns, host: b}]", "a dead line looks like everybody's outage; add two of type tcp"),
    ],
)
def test_missing_control_is_named(controls: str, said: str, tmp_path: Path) -> None:
    """None at all, one without its key, one alone, and one beside controls that only ask our resolver."""
    assert said in findings(tmp_path, controls)["control_group"]


def test_default_control_group_is_named(tmp_path: Path) -> None:
    """People should know what the bot talks to, and how to stop that."""
    said = findings(tmp_path, "")["control_group"]

    assert "tcp 1.1.1.1:443, tcp 8.8.8.8:443, tcp slack.com:443, dns a.root-servers.net, dns www.wikipedia.org" in said
    assert "`control_group: []` turns it off" in said


def test_no_control_group_is_needed_without_checks(tmp_path: Path) -> None:
    """Flags alone need none."""
    path = tmp_path / "understudy.yaml"
    path.write_text(SLACK, encoding="utf-8")

    assert [] == looking(load(path, {}).config, NOW)


@pytest.mark.parametrize(
    ("written", "key", "said"),
    [
        ("threshold: 3", "threshold", "3: a single failed run is already an outage; 10 is usual"),
        ("threshold: 4.5", "threshold", "4.5: two failed runs in a row are already an outage; 10 is usual"),
        ("failures: 1", "failures", "every single failed run is an outage"),
        ("at_least: 2s", "at_least", "2s: a hiccup of our own line already counts as an outage"),
        ("at_least_clear: 2s", "at_least_clear", "2s: a restart at the provider already counts as an outage"),
        ("recover_after: 1", "recover_after", "one lucky answer ends an outage"),
        ("slow_factor: 1.2", "slow_factor", "1.2: an ordinary day counts as slow"),
        ("quorum: 3", "quorum", "3: there are only 2 vantages, so all of them must agree"),
    ],
)
def test_risky_detection_settings_are_named(written: str, key: str, said: str, tmp_path: Path) -> None:
    """They are allowed, with a sentence on what they mean."""
    peers = "vantage: here\npeers: [{vantage: there, secret: s-123456}]\n"
    found = findings(tmp_path, f"{CONTROLS}{peers}detection: {{{written}}}")

    assert {f"detection.{key}"} == set(found)
    assert said in found[f"detection.{key}"]


def test_more_patience_is_advised_without_controls(tmp_path: Path) -> None:
    """No control distinguishes our own short failures; docs/detection.md has the measurements."""
    none = "control_group: []\n"
    assert ": without a control group use 1m" in findings(tmp_path, none)["detection.at_least"]
    assert {"control_group"} == set(findings(tmp_path, f"{none}detection: {{at_least: 60s}}"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("every: 10s", "8,640 runs a day (every 10s) are more than budget.calls_per_day (3,000): from 08:20 UTC on"),
        ("every: 60s, budget: {calls_per_day: 720}", "(every 1m) are more than budget.calls_per_day (720): from 12:00"),
        ("every: 60s, budget: {tokens_per_day: 7200}", "leaves 5.0 tokens for each of 1,440 runs a day, and one takes 10 or"),
        ("budget: {calls_per_day: 0}", "never asks the model: write `rung: free` instead"),
    ],
)  # fmt: skip
def test_budget_that_ends_before_the_day_is_named_with_its_hour(written: str, said: str, tmp_path: Path) -> None:
    """From then on nobody sees whether the model answers."""
    assert said in findings(tmp_path, checks=llm(written))["p.c.ask"]


@pytest.mark.parametrize("written", ["every: 30s", "every: 10s, rung: free", "every: 10s, budget: {calls_per_day: 8640}"])
def test_sufficient_budget_is_no_finding(written: str, tmp_path: Path) -> None:
    """A free call costs nothing, and a budget may be met exactly."""
    assert {} == findings(tmp_path, checks=llm(written))


@pytest.mark.parametrize(
    ("prices", "rehearse", "said"),
    [
        ("prices: {p.c: {input_per_mtok: 3, output_per_mtok: 15}}", "{}", "at most $0.30 a day (every 6h), within its budget"),
        (
            "prices: {p.c: {input_per_mtok: 3, output_per_mtok: 15}}",
            "{every: 10m}",
            "at most $10.64 a day (every 10m), bounded by $0.50",
        ),
        ("", "{}", "b costs what it costs: no price of p.c, so the budget of p.c.ask holds"),
    ],
)
def test_daily_cost_of_rehearsals_is_shown(prices: str, rehearse: str, said: str, tmp_path: Path) -> None:
    """By their schedule, and what limits it."""
    flag = (
        f"flags: {{f: {{variants: {{a: x, b: y}}, default: a, fallbacks: [{{variant: b, needs: p.c}}], rehearse: {rehearse}}}}}"
    )

    assert {"flags.f.rehearse": said} == findings(tmp_path, f"{CONTROLS}{flag}\n{prices}\n", llm("every: 60s"))


def test_fallback_without_a_check_of_its_model_is_named(tmp_path: Path) -> None:
    """A rehearsal would have nothing to ask with."""
    flag = "flags: {f: {variants: {a: x, b: y}, default: a, fallbacks: [{variant: b, needs: p.c}], rehearse: {}}}\n"

    assert {"flags.f.rehearse": "b is never rehearsed: p.c has no llm check"} == findings(tmp_path, f"{CONTROLS}{flag}")


def test_incomplete_peers_are_named(tmp_path: Path) -> None:
    """Without a secret nothing is sent or accepted, and without a vantage of our own no peer would know us."""
    peers = "peers: [{vantage: iad-1, secret: ''}, {vantage: fra-1, secret: s-123456, url: 'http://fra.example.com'}]"
    path = tmp_path / "understudy.yaml"
    path.write_text(f"{SLACK}{peers}", encoding="utf-8")
    found = [(finding.subject, finding.words) for finding in looking(load(path, {}).config, NOW)]

    assert [
        ("peers", "iad-1 has no secret, so nothing is sent or accepted; set the same one on both sides"),
        ("peers", "fra-1 is reached without TLS: our results can be read on the way, though not changed"),
        ("vantage", "it is still 'local': give each side its own label, since a peer reports only under its own"),
    ] == found


def test_past_and_current_maintenance_is_named(tmp_path: Path) -> None:
    """Repeated windows are never past, and future ones are as intended."""
    windows = """maintenance:
  - {starts: 2026-03-19T02:00:00Z, lasts: 2h}
  - {starts: 2026-03-20T11:00:00Z, lasts: 2h, components: [p.c]}
  - {starts: 2026-04-01T02:00:00Z, lasts: 2h}
  - {starts: 2025-01-01T02:00:00Z, lasts: 2h, repeats: weekly}
"""
    assert {
        "maintenance[0]": "it ended at 2026-03-19 04:00 UTC: remove it",
        "maintenance[1]": "it lasts until 2026-03-20 13:00 UTC: no incident opens for p.c",
    } == findings(tmp_path, CONTROLS + windows)


async def examined(path: Path, data: Path) -> list[Finding]:
    return [finding async for finding in examine(load(path, {}), path, data, slack=False)]


def about(found: Iterable[Finding], subject: str) -> list[tuple[str, str]]:
    return [(finding.state, finding.words) for finding in found if finding.subject == subject]


async def test_size_of_samples_is_examined(tmp_path: Path) -> None:
    """How much of its budget the file takes; nothing if there is none yet, and a damaged one is bad."""
    path, data = tmp_path / "understudy.yaml", tmp_path / "data"
    path.write_text(f"{SLACK}samples: {{budget: 100MB}}", encoding="utf-8")
    data.mkdir(mode=0o700)
    assert [] == about(await examined(path, data), "samples")

    await InlineSamples.open(data / SAMPLES_FILE).close()
    ((state, words),) = about(await examined(path, data), "samples")
    assert "good" == state
    assert "of its budget of 100 MB" in words

    (data / SAMPLES_FILE).write_bytes(b"no database at all, but long enough to be looked at as one" * 100)
    assert ["bad"] == [state for state, _ in about(await examined(path, data), "samples")]


async def test_check_without_its_key_is_named_with_the_variable(tmp_path: Path) -> None:
    """As `understudy check` says it."""
    path = tmp_path / "understudy.yaml"
    text = "providers: {p: {components: {c: {checks: [{type: http, url: 'https://a', headers: {k: '${KEY:-}'}}]}}}}"
    path.write_text(SLACK + text, encoding="utf-8")

    assert [("note", "off: headers.k is empty: set KEY to turn the check on")] == about(
        await examined(path, tmp_path / "data"), "p.c.http"
    )


@pytest.mark.parametrize(("notify", "said"), [("notify: ['json://a']", 1), ("", 0)])
async def test_without_slack_other_ways_to_people_are_named(notify: str, said: int, tmp_path: Path) -> None:
    """If there are none, a warning says that nobody is told anything."""
    path = tmp_path / "understudy.yaml"
    path.write_text(f"slack: none\n{CONTROLS}{notify}\n", encoding="utf-8")

    assert said == str(about(await examined(path, tmp_path / "data"), "Slack")).count("go out by notify")
