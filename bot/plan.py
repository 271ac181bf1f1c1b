"""From the configuration to what the watch does: live checks and feeds, and what cannot look, by component."""

import json
from collections.abc import Iterable

from bot.checks.http import HttpCheck
from bot.config.checks import HttpCheck as HttpConfig
from bot.config.load import Loaded
from bot.config.models import Config, PlacedCheck, SlackConfig
from bot.core.detector import WindowRule
from bot.feeds.fetch import FeedSource
from bot.slack.client import SlackLogin
from bot.watch import Plan


def plan(loaded: Loaded, known: Iterable[str] = ()) -> Plan:
    """The plan that a configuration describes.

    `known` names components of the ledger; of those that left the configuration nobody knows any more how they are.
    """
    config = loaded.config
    pending: dict[str, list[str]] = {}
    off: dict[str, list[str]] = {}
    for placed in config.checks():
        if placed.live:
            continue
        # A credential that is missing is the operator's choice; a kind that is missing is ours to say.
        (off if placed.check.missing_credential else pending).setdefault(placed.component, []).append(placed.name)
    for id in {**config.components(), **dict.fromkeys(known)}:
        if not any(placed.component == id for placed in config.checks()):
            off.setdefault(id, [])
    rule = config.detection
    return Plan(
        checks=[_check(placed) for placed in config.live_checks()],
        feeds=_feeds(config),
        pending=pending,
        off=off,
        rule=WindowRule(rule.window, rule.failures, rule.recover_after),
    )


def slack_login(config: SlackConfig) -> SlackLogin:
    """Where Slack is and who we are there."""
    return SlackLogin(config.api_url, config.bot_token.get_secret_value(), config.app_token.get_secret_value())


def _check(placed: PlacedCheck) -> HttpCheck:
    check = placed.check
    if not isinstance(check, HttpConfig):
        raise TypeError(f"{placed.id} is a {check.type} check, which does not run yet")
    headers = {name: value.get_secret_value() for name, value in check.headers.items()}
    body = check.body.encode() if check.body is not None else None
    if check.json_body is not None:
        body = json.dumps(check.json_body).encode()
        headers = {"content-type": "application/json", **headers}
    return HttpCheck(
        id=placed.id, component=placed.component, url=check.url, method=check.method, headers=headers, body=body,
        every=check.every, deadline=check.deadline, statuses=check.expect.accepts, under=check.expect.under,
        contains=check.expect.contains,
    )  # fmt: skip


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
