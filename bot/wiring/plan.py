"""From the configuration to the watch's plan: checks, controls, feeds, their rules, and checks that are off."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.checks.heartbeat import HeartbeatCheck
from bot.checks.kinds import KINDS
from bot.config.detection import DetectionConfig
from bot.config.load import Loaded
from bot.config.models import Config, PlacedCheck, SlackConfig
from bot.core.detection.blindness import BlindnessRule
from bot.core.detection.settings import Rule
from bot.core.detection.verdict import VerdictRule
from bot.feeds.fetch import FeedSource
from bot.watch.plan import Check, Plan

if TYPE_CHECKING:  # loaded later, see `wiring.slack`
    from bot.slack.client import SlackLogin


def plan(loaded: Loaded) -> Plan:
    """The plan that a configuration describes."""
    config = loaded.config
    placed_checks = config.checks()
    live = [placed for placed in placed_checks if placed.live]
    checks = [runtime_check(placed) for placed in live]
    controls = [placed for placed in config.controls() if placed.live]
    rule = rule_of(config.detection)
    return Plan(
        checks=checks,
        feeds=_feeds(config),
        controls=[runtime_check(placed) for placed in controls],
        off=_off(placed_checks, config.components()),
        rule=rule,
        rules=rules_of(live, rule),
        weights={placed.id: placed.check.weight for placed in live if placed.check.weight != 1},
        intervals={check.id: check.look_every for check in checks if isinstance(check, HeartbeatCheck)},
        verdicts=_verdicts(config),
        sight=BlindnessRule(
            every={placed.id: placed.check.every for placed in (*controls, *live)},
            resolvers=frozenset(placed.id for placed in controls if placed.check.type == "dns"),
            heartbeats=frozenset(check.id for check in checks if isinstance(check, HeartbeatCheck)),
        ),
        vantage=config.vantage,
    )


def knowing(made: Plan, known: Iterable[str]) -> Plan:
    """The plan plus components known only to the ledger: those no longer configured cannot be judged."""
    looked_at = {check.component for check in made.checks}
    return replace(made, off={**{id: [] for id in known if id not in looked_at}, **made.off})


def _off(placed_checks: Sequence[PlacedCheck], components: Iterable[str]) -> dict[str, list[str]]:
    """Checks that are off, by component; an empty list for a component without checks."""
    off: dict[str, list[str]] = {}
    for placed in placed_checks:
        if not placed.live:
            off.setdefault(placed.component, []).append(placed.name)
    looked_at = {placed.component for placed in placed_checks}
    return off | {id: [] for id in components if id not in looked_at}


def rule_of(section: DetectionConfig) -> Rule:
    """The detector's settings, as configured."""
    return Rule(
        threshold=section.threshold, window=section.window, failures=section.failures, at_least=section.at_least,
        at_least_clear=section.at_least_clear, recheck=section.recheck, recover_after=section.recover_after,
        recover_for=section.recover_for, slow_floor=section.slow_floor, slow_factor=section.slow_factor,
    )  # fmt: skip


def rules_of(checks: Iterable[PlacedCheck], rule: Rule) -> dict[str, Rule]:
    """The settings, by check id, of checks with an `under` of their own."""
    return {placed.id: replace(rule, slow_over=under) for placed in checks if (under := placed.check.slow_over) is not None}


def slack_login(config: SlackConfig) -> "SlackLogin":
    """Where Slack is, and our credentials."""
    from bot.slack.client import SlackLogin

    bot, app = config.bot_token.get_secret_value(), config.app_token.get_secret_value()
    return SlackLogin(config.api_url, bot, app, config.prefix, by_http=config.mode == "http", team=config.team)


def _verdicts(config: Config) -> VerdictRule:
    section = config.detection
    return VerdictRule(section.down_share, section.degraded_share, section.advise_after, section.quorum, own=config.vantage)


# --- checks


def runtime_check(placed: PlacedCheck) -> Check:
    """The check as its prober runs it."""
    model = placed.check
    check: Check = KINDS[model.type].made(
        model, id=placed.id, component=placed.component, every=model.every, deadline=model.deadline
    )
    return check


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
