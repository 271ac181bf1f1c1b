"""From the configuration to what the watch does: checks, controls and feeds, the rules for them, and what cannot look."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.checks.dns import DnsCheck
from bot.checks.heartbeat import HeartbeatCheck
from bot.checks.http import HttpCheck
from bot.checks.judging.expect import parse_expectation
from bot.checks.llm.budget import Budget
from bot.checks.llm.check import LlmCheck
from bot.checks.tcp import TcpCheck
from bot.checks.tls import TlsCheck
from bot.config.checks import below_http as looks_config
from bot.config.checks import http as http_config
from bot.config.checks import llm as llm_config
from bot.config.detection import DetectionConfig
from bot.config.load import Loaded
from bot.config.models import Config, PlacedCheck, SlackConfig
from bot.core.detection.blindness import SightRule
from bot.core.detection.settings import Rule
from bot.core.detection.verdict import VerdictRule
from bot.feeds.fetch import FeedSource
from bot.slack.client import SlackLogin
from bot.watch.plan import Check, Plan


def plan(loaded: Loaded, known: Iterable[str] = ()) -> Plan:
    """The plan that a configuration describes.

    `known` names components of the ledger; of those that left the configuration nobody knows any more how they are.
    """
    config = loaded.config
    off: dict[str, list[str]] = {}
    for placed in config.checks():
        if not placed.live:
            off.setdefault(placed.component, []).append(placed.name)
    for id in {**config.components(), **dict.fromkeys(known)}:
        if not any(placed.component == id for placed in config.checks()):
            off.setdefault(id, [])
    live = config.live_checks()
    checks = [runtime_check(placed) for placed in live]
    controls = [placed for placed in config.controls() if placed.live]
    rule = rule_of(config.detection)
    return Plan(
        checks=checks,
        feeds=_feeds(config),
        controls=[runtime_check(placed) for placed in controls],
        off=off,
        rule=rule,
        rules=rules_of(live, rule),
        weights={placed.id: placed.check.weight for placed in live},
        intervals={check.id: check.look_every for check in checks if isinstance(check, HeartbeatCheck)},
        verdicts=_verdicts(config),
        sight=SightRule(
            every={placed.id: placed.check.every for placed in (*controls, *live)},
            resolvers=frozenset(placed.id for placed in controls if placed.check.type == "dns"),
        ),
        vantage=config.vantage,
    )


def rule_of(section: DetectionConfig) -> Rule:
    """The detector's rule, as the configuration sets it."""
    return Rule(
        threshold=section.threshold, window=section.window, failures=section.failures, at_least=section.at_least,
        recheck=section.recheck, recover_after=section.recover_after, recover_for=section.recover_for,
        slow_floor=section.slow_floor, slow_factor=section.slow_factor,
    )  # fmt: skip


def rules_of(checks: Iterable[PlacedCheck], rule: Rule) -> dict[str, Rule]:
    """By check id, the rule of those that have an `under` of their own."""
    return {placed.id: replace(rule, slow_over=under) for placed in checks if (under := _under(placed)) is not None}


def slack_login(config: SlackConfig) -> SlackLogin:
    """Where Slack is and who we are there."""
    return SlackLogin(config.api_url, config.bot_token.get_secret_value(), config.app_token.get_secret_value(), config.prefix)


def _verdicts(config: Config) -> VerdictRule:
    section = config.detection
    return VerdictRule(section.down_share, section.degraded_share, section.advise_after, section.quorum, own=config.vantage)


def _under(placed: PlacedCheck) -> timedelta | None:
    match placed.check:
        case http_config.HttpCheck(expect=expect) | llm_config.LlmCheck(expect=expect):
            return expect.under
        case looks_config.TcpCheck(under=under) | looks_config.TlsCheck(under=under):
            return under
    return None


# --- checks


@dataclass(frozen=True)
class _Place:
    """What all kinds take over from their place."""

    id: str
    component: str
    every: timedelta
    deadline: timedelta

    def fields(self) -> dict[str, Any]:
        return {"id": self.id, "component": self.component, "every": self.every, "deadline": self.deadline}


def runtime_check(placed: PlacedCheck) -> Check:
    """The check as its prober runs it."""
    check = placed.check
    place = _Place(placed.id, placed.component, check.every, check.deadline)
    make: Callable[[Any, _Place], Check] = _MAKERS[type(check)]
    return make(check, place)


def _http(check: http_config.HttpCheck, place: _Place) -> HttpCheck:
    headers = _plain(check.headers)
    body = check.body.encode() if check.body is not None else None
    if check.json_body is not None:
        body = json.dumps(check.json_body).encode()
        headers = {"content-type": "application/json", **headers}
    expect = check.expect
    return HttpCheck(
        **place.fields(), url=check.url, method=check.method, headers=headers, body=body, statuses=expect.accepts,
        under=expect.under, header=expect.header, contains=expect.contains, excludes=expect.excludes, matches=expect.matches,
        json=tuple(parse_expectation(rule) for rule in expect.json_rules), redirects=check.redirects, http2=check.http2,
        proxy=check.proxy, reuse=check.reuse,
    )  # fmt: skip


def _llm(check: llm_config.LlmCheck, place: _Place) -> LlmCheck:
    expect = check.expect
    return LlmCheck(
        **place.fields(), dialect=check.dialect, url=check.url, model=check.model or "",
        api_key=check.api_key.get_secret_value(), api=check.api, rung=check.rung, prompt=check.prompt,
        max_tokens=check.max_tokens, headers=_plain(check.headers), api_version=check.api_version, region=check.region,
        access_key_id=check.access_key_id.get_secret_value(), secret_access_key=check.secret_access_key.get_secret_value(),
        session_token=check.session_token.get_secret_value(), under=expect.under, first_token_under=expect.first_token,
        answer=expect.answer, tokens_per_second=expect.tokens_per_second,
        budget=Budget(check.budget.calls_per_day, check.budget.tokens_per_day),
    )  # fmt: skip


def _tcp(check: looks_config.TcpCheck, place: _Place) -> TcpCheck:
    return TcpCheck(**place.fields(), host=check.host, port=check.port, under=check.under)


def _tls(check: looks_config.TlsCheck, place: _Place) -> TlsCheck:
    return TlsCheck(
        **place.fields(), host=check.host, port=check.port, days_left=check.days_left, names=check.names, under=check.under
    )


def _dns(check: looks_config.DnsCheck, place: _Place) -> DnsCheck:
    return DnsCheck(**place.fields(), host=check.host, record=check.record, expect=check.expect, server=check.server)


def _heartbeat(check: looks_config.HeartbeatCheck, place: _Place) -> HeartbeatCheck:
    return HeartbeatCheck(**place.fields(), grace=check.grace, token=check.token.get_secret_value())


_MAKERS: Mapping[type, Callable[[Any, _Place], Check]] = {
    http_config.HttpCheck: _http,
    llm_config.LlmCheck: _llm,
    looks_config.TcpCheck: _tcp,
    looks_config.TlsCheck: _tls,
    looks_config.DnsCheck: _dns,
    looks_config.HeartbeatCheck: _heartbeat,
}


def _plain(headers: http_config.Headers) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in headers.items()}


# --- feeds


def _feeds(config: Config) -> list[FeedSource]:
    found = []
    for key, provider in config.providers.items():
        page = provider.status_page
        if page and page.live:
            components = {f"{key}.{ours}": theirs for ours, theirs in page.components.items()}
            found.append(
                FeedSource(provider=key, dialect=page.dialect, urls=page.urls, components=components, every=page.every)
            )
    return found
