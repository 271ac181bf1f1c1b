"""What a file says of looking: models, controls, heartbeats, peers, windows of maintenance, weights and room for samples."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config.controls import default_controls
from bot.config.load import Loaded, OffCheck, load
from bot.config.policy import to_policy
from bot.core.maintenance_windows import Window

SLACK = "slack: {bot_token: xoxb-123456, app_token: xapp-123456}\n"
PROVIDER = "providers: {p: {components: {c: {checks: [{type: http, url: 'https://a'}]}, d: {depends_on: [p.c]}}}}\n"


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> Loaded:
    path = folder / "understudy.yaml"
    path.write_text(SLACK + text, encoding="utf-8")
    return load(path, environ or {})


def component(checks: str) -> str:
    return f"providers: {{p: {{components: {{c: {{checks: [{checks}]}}}}}}}}"


# --- several models


MODELS = "{type: llm, name: ask, dialect: openai, url: 'https://a', models: [gpt-5, ft:gpt-5:acme::x], api_key: '${KEY:-}'}"


@pytest.mark.parametrize(
    ("slack", "targets"),
    [
        ("https://slack.com/api/", ["1.1.1.1", "8.8.8.8", "slack.com", "a.root-servers.net", "www.wikipedia.org"]),
        ("http://127.0.0.1:4000/api/", ["1.1.1.1", "8.8.8.8", "a.root-servers.net", "www.wikipedia.org"]),
        ("", ["1.1.1.1", "8.8.8.8", "a.root-servers.net", "www.wikipedia.org"]),
    ],
)
def test_default_controls_are_of_unrelated_operators(slack: str, targets: list[str]) -> None:
    """By number, by name, and Slack's own host where Slack is used and elsewhere than on this machine."""
    assert targets == [check.host for check in default_controls(slack)]


def test_each_model_is_a_check_of_its_own(tmp_path: Path) -> None:
    """Its id ends in the model, with what an id cannot hold made a dash; it asks for its own model only."""
    config = loaded(tmp_path, component(MODELS), {"KEY": "k-123456"}).config

    assert ["p.c.ask-gpt-5", "p.c.ask-ft-gpt-5-acme-x"] == [placed.id for placed in config.live_checks()]
    assert ["gpt-5", "ft:gpt-5:acme::x"] == [getattr(placed.check, "model", "") for placed in config.checks()]
    assert [()] * 2 == [getattr(placed.check, "models", None) for placed in config.checks()]
    assert {"ask"} == {placed.written for placed in config.checks()}


def test_each_model_is_off_when_their_key_is_missing(tmp_path: Path) -> None:
    """Each is named as it would be on the board, with the variable that turns it on."""
    found = loaded(tmp_path, component(MODELS))

    reason = "api_key is empty: set KEY to turn the check on"
    assert (OffCheck("p.c", "ask-gpt-5", reason), OffCheck("p.c", "ask-ft-gpt-5-acme-x", reason)) == found.off_checks
    assert () == found.config.live_checks()


def test_one_model_keeps_the_name_of_its_check(tmp_path: Path) -> None:
    """Only a list makes names longer."""
    config = loaded(
        tmp_path, component("{type: llm, dialect: openai, url: 'https://a', model: gpt-5, api_key: k-123456}")
    ).config

    assert ["p.c.llm"] == [placed.id for placed in config.checks()]


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        ("access_key_id: AKIA123456, secret_access_key: '${KEY:-}'", "secret_access_key"),
        ("access_key_id: '${KEY:-}', secret_access_key: s-123456", "api_key"),
        ("access_key_id: AKIA123456, secret_access_key: s-123456", None),
        ("api_key: k-123456", None),
    ],
)
def test_bedrock_is_on_with_a_key_or_a_pair(written: str, missing: str | None, tmp_path: Path) -> None:
    """Half a pair is none."""
    check = f"{{type: llm, dialect: bedrock, region: us-east-1, url: 'https://a', model: m, {written}}}"
    config = loaded(tmp_path, component(check)).config

    assert [missing] == [placed.check.missing_credential for placed in config.checks()]


# --- controls


def test_controls_belong_to_no_component(tmp_path: Path) -> None:
    """They have ids of their own, numbered by type, and are no part of what is judged."""
    text = "control_group: [{type: tcp, host: a, port: 443}, {type: tcp, host: b, port: 443}, {type: dns, host: c}]"
    config = loaded(tmp_path, PROVIDER + text).config

    assert ["control.tcp", "control.tcp-2", "control.dns"] == [placed.id for placed in config.controls()]
    assert {("control", "control", True)} == {(placed.component, placed.provider, placed.live) for placed in config.controls()}
    assert ["p.c.http"] == [placed.id for placed in config.checks()]
    assert ["p.c", "p.d"] == list(config.components())


# --- decisions


def test_maintenance_becomes_windows_of_the_policy(tmp_path: Path) -> None:
    """Once, daily, and weekly on the day of its first time, in the wall time of its zone."""
    text = """
maintenance:
  - {components: [p.c], starts: 2026-11-30T02:00:00+01:00, lasts: 2h, reason: moving house}
  - {starts: 2026-01-05T23:30:00Z, lasts: 1h, repeats: daily}
  - {components: [p], starts: "2026-06-01T03:00:00+02:00", lasts: 30m, repeats: weekly, time_zone: Europe/Berlin}
"""
    once, daily, weekly = to_policy(loaded(tmp_path, PROVIDER + text).config).maintenance
    starts = datetime(2026, 11, 30, 1, tzinfo=UTC)

    assert Window(("p.c",), starts, starts + timedelta(hours=2), reason="moving house") == once
    assert starts + timedelta(hours=2) == once.until(starts + timedelta(minutes=119))
    assert datetime(2026, 3, 10, 0, 30, tzinfo=UTC) == daily.until(datetime(2026, 3, 10, 0, 10, tzinfo=UTC))
    assert daily.covers("p.c")
    # A Monday in winter: 03:00 in Berlin is 02:00 UTC then, and was 01:00 UTC in June.
    assert datetime(2026, 12, 7, 2, 30, tzinfo=UTC) == weekly.until(datetime(2026, 12, 7, 2, 15, tzinfo=UTC))
    assert None is weekly.until(datetime(2026, 12, 7, 1, 15, tzinfo=UTC))
    assert None is weekly.until(datetime(2026, 12, 8, 2, 15, tzinfo=UTC))
    assert (True, False) == (weekly.covers("p.d"), once.covers("p.d"))


def test_dependencies_and_shares_reach_the_policy(tmp_path: Path) -> None:
    """What a component cannot work without."""
    policy = to_policy(loaded(tmp_path, PROVIDER).config)

    assert {"p.c": (), "p.d": ("p.c",)} == {id: one.depends_on for id, one in policy.components.items()}
    assert () == policy.maintenance


def test_inference_weighs_more_than_other_checks(tmp_path: Path) -> None:
    """It is the only one that sees whether a model answers; a file may say otherwise."""
    written = "{type: http, url: 'https://a'}, {type: llm, dialect: openai, url: 'https://a', model: m, api_key: k-123456}"
    config = loaded(tmp_path, component(f"{written}, {{type: tcp, host: a, port: 1, weight: 0.5}}")).config

    assert [1.0, 3.0, 0.5] == [placed.check.weight for placed in config.checks()]


# --- secrets


def test_secrets_of_looking_are_listed_but_never_shown(tmp_path: Path) -> None:
    """Peers, heartbeats, access keys and proxies' passwords: the redactor learns them, and repr holds none."""
    text = """
peers: [{vantage: there, secret: canary-peer}, {vantage: off, secret: ""}]
providers:
  p:
    components:
      c:
        checks:
          - {type: heartbeat, name: beat, token: canary-beat}
          - {type: llm, name: signed, dialect: bedrock, region: r, url: "https://a", model: m, access_key_id: canary-id,
             secret_access_key: canary-access, session_token: canary-session, headers: {x-team: canary-team}}
"""
    config = loaded(tmp_path, text).config

    assert {"canary-peer", "canary-beat", "canary-id", "canary-access", "canary-session", "canary-team"} == {
        secret for secret in config.secrets() if secret.startswith("canary")
    }
    assert "canary" not in repr(config)


def test_peer_without_secret_is_kept_and_says_nothing(tmp_path: Path) -> None:
    """An empty variable turns it off; it is no error."""
    config = loaded(tmp_path, "peers: [{vantage: there, secret: '${PEER:-}', url: ''}]").config

    assert [("there", "", None)] == [(peer.vantage, peer.secret.get_secret_value(), peer.url) for peer in config.peers]


def test_room_for_samples_is_read_in_bytes(tmp_path: Path) -> None:
    """`500MB` is 500 million bytes; two gigabytes and two weeks are usual."""
    usual = loaded(tmp_path, "").config.samples
    small = loaded(tmp_path, "samples: {keep: 3d, budget: 500MB}").config.samples

    assert (timedelta(days=14), 2_000_000_000) == (usual.keep, usual.budget)
    assert (timedelta(days=3), 500_000_000) == (small.keep, small.budget)
