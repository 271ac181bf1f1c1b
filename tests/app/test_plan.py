"""From a configuration file to what the watch does."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.checks.dns import DnsCheck
from bot.checks.heartbeat import HeartbeatCheck
from bot.checks.http import HttpCheck
from bot.checks.llm.budget import Budget
from bot.checks.llm.check import LlmCheck
from bot.checks.tcp import TcpCheck
from bot.checks.tls import TlsCheck
from bot.config.load import Loaded, load
from bot.feeds.fetch import FeedSource
from bot.wiring.plan import knowing, plan, slack_login

CHECK = {"type": "http", "name": "front", "url": "https://example.com"}


def loaded(folder: Path, components: dict[str, Any], **more: Any) -> Loaded:
    path = folder / "understudy.yaml"
    made = {
        "slack": {"bot_token": "xoxb-1-1-a", "app_token": "xapp-1-A-b"},
        "providers": {"claude": {"components": components, **more}},
    }
    path.write_text(yaml.safe_dump(made), encoding="utf-8")
    return load(path, {})


def test_check_runs_as_configured(tmp_path: Path) -> None:
    """Every setting reaches the prober."""
    full = {
        **CHECK, "method": "POST", "headers": {"x-api-key": "k-1234"}, "json": {"ping": [1]}, "every": "30s", "deadline": "5s",
        "expect": {"status": [200, 204], "under": "2s", "contains": "ok"},
    }  # fmt: skip
    check = plan(loaded(tmp_path, {"api": {"checks": [full]}})).checks[0]

    assert isinstance(check, HttpCheck)
    assert ("claude.api.front", "claude.api", "POST") == (check.id, check.component, check.method)
    assert b'{"ping": [1]}' == check.body
    assert {"content-type": "application/json", "x-api-key": "k-1234"} == check.headers
    assert (timedelta(seconds=30), timedelta(seconds=5), timedelta(seconds=2)) == (check.every, check.deadline, check.under)
    assert "ok" == check.contains


def test_check_without_its_key_is_off_and_named(tmp_path: Path) -> None:
    """Apart from checks that an operator turned off."""
    keyless = {**CHECK, "headers": {"x-api-key": ""}}
    made = plan(loaded(tmp_path, {"api": {"checks": [keyless]}, "web": {"checks": [CHECK]}, "bare": {}}))

    assert {"claude.api": ["front"], "claude.bare": []} == made.off
    assert ["claude.web.front"] == [check.id for check in made.checks]


ALL: dict[str, dict[str, Any]] = {
    "http": {"url": "https://example.com", "redirects": 2,
             "expect": {"status": "2xx", "json": ["$.a == 1"], "header": {"x-a": "^b"}}},
    "llm": {"dialect": "openai", "url": "https://example.com", "models": ["a", "b"], "api_key": "k-123456",
            "budget": {"calls_per_day": 7, "tokens_per_day": 70},
            "expect": {"answer": "pong", "first_token": "2s", "under": "9s"}},
    "tcp": {"host": "example.com", "port": 443, "under": "1s"},
    "tls": {"host": "example.com", "days_left": "30d", "names": ["www.example.com"]},
    "dns": {"host": "example.com", "record": "MX", "expect": ["10 mail.example.com."], "server": "9.9.9.9"},
    "heartbeat": {"every": "1h", "grace": "5m", "token": "t-123456"},
}  # fmt: skip


def test_every_type_of_check_reaches_its_prober(tmp_path: Path) -> None:
    """Six types, each with its own settings; several models are several checks."""
    checks = [{"type": kind, "name": kind, "every": "10m", **rest} for kind, rest in ALL.items()]
    made = plan(loaded(tmp_path, {"api": {"checks": checks}}))
    http, one, two, tcp, tls, dns, beat = made.checks

    assert [HttpCheck, LlmCheck, LlmCheck, TcpCheck, TlsCheck, DnsCheck, HeartbeatCheck] == [type(c) for c in made.checks]
    assert ["claude.api.llm-a", "claude.api.llm-b"] == [one.id, two.id]
    assert isinstance(http, HttpCheck)
    assert (2, {"x-a": "^b"}, 1) == (http.redirects, dict(http.header), len(http.json))
    assert isinstance(one, LlmCheck)
    assert (Budget(7, 70), "pong", timedelta(seconds=2)) == (one.budget, one.answer, one.first_token_under)
    assert isinstance(tcp, TcpCheck)
    assert ("example.com", 443, timedelta(seconds=1)) == (tcp.host, tcp.port, tcp.under)
    assert isinstance(tls, TlsCheck)
    assert (443, timedelta(days=30), ("www.example.com",)) == (tls.port, tls.days_left, tls.names)
    assert isinstance(dns, DnsCheck)
    assert ("MX", ("10 mail.example.com.",), "9.9.9.9") == (dns.record, dns.expect, dns.server)
    assert isinstance(beat, HeartbeatCheck)
    assert (timedelta(minutes=5), beat.look_every) == (beat.grace, made.interval(beat))
    assert "123456" not in repr(made)


def test_settings_are_kept_per_check(tmp_path: Path) -> None:
    """When it counts as slow, and its weight."""
    checks = [CHECK, {**CHECK, "name": "quick", "expect": {"under": "2s"}, "weight": 2}]
    made = plan(loaded(tmp_path, {"api": {"checks": checks}}))

    assert {"claude.api.quick": timedelta(seconds=2)} == {id: rule.slow_over for id, rule in made.rules.items()}
    assert {"claude.api.quick": 2.0} == made.weights


def test_controls_are_planned_beside_the_checks(tmp_path: Path) -> None:
    """With those that test our resolver marked, and without those that lack a credential."""
    path = tmp_path / "understudy.yaml"
    loaded(tmp_path, {"api": {"checks": [CHECK]}})
    controls = [
        {"type": "tcp", "host": "a", "port": 1}, {"type": "dns", "host": "b"}, {**CHECK, "name": "off", "headers": {"a": ""}},
    ]  # fmt: skip
    written = {**yaml.safe_load(path.read_text(encoding="utf-8")), "control_group": controls, "vantage": "fra-1"}
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    made = plan(load(path, {}))

    assert ["control.tcp", "control.dns"] == [control.id for control in made.controls]
    assert frozenset({"control.dns"}) == made.sight.resolvers
    assert {"control.tcp", "control.dns", "claude.api.front"} == set(made.sight.every)
    assert ["claude.api.front"] == [check.id for check in made.checks]
    assert "fra-1" == made.vantage


def test_names_select_a_part_of_the_plan(tmp_path: Path) -> None:
    """Providers, components and checks; controls are always included."""
    made = plan(loaded(tmp_path, {"api": {"checks": [CHECK]}, "web": {"checks": [CHECK]}}))

    assert [2, 1, 1, 0] == [len(made.only([name]).checks) for name in ("claude", "claude.web", "claude.api.front", "front")]
    assert made is made.only([])


@pytest.mark.parametrize(("known", "off"), [(["claude.api", "claude.gone"], {"claude.gone": []}), ([], {})])
def test_removed_component_has_no_check(known: list[str], off: dict[str, list[str]], tmp_path: Path) -> None:
    """Its last verdict must not stay for ever."""
    assert off == knowing(plan(loaded(tmp_path, {"api": {"checks": [CHECK]}})), known).off


def test_status_page_is_planned_with_its_components(tmp_path: Path) -> None:
    """Our ids, the page's ids, and its address."""
    page = {"dialect": "statuspage", "urls": ["https://status.example.com/api/v2/summary.json"], "components": {"api": "k8w3"}}
    feeds = plan(loaded(tmp_path, {"api": {"checks": [CHECK]}}, status_page=page)).feeds

    assert all(isinstance(feed, FeedSource) for feed in feeds)
    assert [("claude", {"claude.api": "k8w3"})] == [(f.provider, f.components) for f in feeds if isinstance(f, FeedSource)]


def test_repr_of_a_login_has_no_token(tmp_path: Path) -> None:
    """It may appear in a log line or traceback."""
    login = slack_login(loaded(tmp_path, {"api": {"checks": [CHECK]}}).config.slack)

    assert "xoxb" not in repr(login)
    assert "xapp" not in repr(login)
