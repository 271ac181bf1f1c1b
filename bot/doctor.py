"""What `understudy doctor` looks at: configuration, store, Slack's tokens and scopes, and whether a lost post can be found."""

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.clock import SystemClock
from bot.config.load import Loaded
from bot.config.policy import to_policy
from bot.core.state import World
from bot.engine import world_from
from bot.kept import SETTING, keep
from bot.plan import slack_login
from bot.ports import ChatError
from bot.slack.gateway import SlackGateway
from bot.slack.preflight import Preflight, preflight
from bot.slack.proof import prove_lookup
from bot.slack.scopes import expected_scopes
from bot.store.engine import sqlite_report
from bot.store.errors import StoreError
from bot.store.sqlite import LEDGER_FILE, open_read_only


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `good`, `note` (works, but know this) or `bad` (will not work), and the sentence."""

    state: str
    subject: str
    words: str


async def examine(loaded: Loaded, config_path: Path, data: Path, *, slack: bool = True) -> AsyncIterator[Finding]:
    """Look at everything, one finding after the other; nothing is changed but one message posted and deleted."""
    for finding in configuration(loaded, config_path):
        yield finding
    report = sqlite_report()
    yield Finding("note" if report.vulnerable else "good", "store", report.sentence)
    for finding in folder(data):
        yield finding
    if _has_ledger(data):
        async for finding in _ledger(loaded, data):
            yield finding
    if slack:
        async for finding in _slack(loaded):
            yield finding


def configuration(loaded: Loaded, config_path: Path) -> list[Finding]:
    """What is off, not available yet, or open to everybody."""
    config = loaded.config
    found = [
        Finding("good", "configuration", f"{config_path}: {len(config.live_checks())} checks on, {len(config.flags)} flags")
    ]
    found += [Finding("note", "configuration", warning) for warning in loaded.warnings]
    found += [Finding("note", f"{off.component}.{off.check}", f"off: {off.reason}") for off in loaded.off_checks]
    found += [Finding("note", item.path, f"line {item.line}: not available yet. {item.what}") for item in loaded.pending]
    if not config.people.commanders:
        words = "people.commanders is empty: EVERYBODY in the workspace may command incidents and switch flags"
        found.append(Finding("note", "people", words))
    if config.server.host not in ("127.0.0.1", "::1", "localhost") and not config.server.read_tokens:
        words = f"server.listen is {config.server.listen} without read_tokens: nobody but loopback may read flags"
        found.append(Finding("note", "server", words))
    if not config.notify:
        found.append(Finding("note", "notify", "no other way than Slack is configured: while Slack is down nobody is called"))
    return found


def folder(data: Path) -> list[Finding]:
    """Whether the data folder can be used, and by whom."""
    if not data.exists():
        return [Finding("note", "store", f"there is no folder {data} yet; the first start makes it")]
    if not (data.is_dir() and os.access(data, os.W_OK | os.X_OK)):
        return [Finding("bad", "store", f"{data} is not a folder that can be written; check `data`, --data and the owner")]
    if data.stat().st_mode & 0o077:
        return [Finding("note", "store", f"{data} can be read by others; it should have mode 0700")]
    return []


async def _ledger(loaded: Loaded, data: Path) -> AsyncIterator[Finding]:
    """What is under way: the bot runs on with it even where Slack refuses."""
    try:
        world, remembered = await _read(data)
    except StoreError as error:
        yield Finding("bad", "ledger", str(error))
        return
    for incident in world.open_incidents():
        yield Finding("note", "ledger", f"{incident.name} is open ({incident.severity}, {incident.phase}): {incident.title}")
    for key, state in world.flags.items():
        if state.engagement:
            yield Finding("note", "ledger", f"{key} is engaged on {state.engagement.variant}: {state.engagement.reason}")
    for sentence in keep(to_policy(loaded.config), world, remembered).sentences(world):
        yield Finding("note", "ledger", sentence)


def _has_ledger(data: Path) -> bool:
    return (data / LEDGER_FILE).is_file()


async def _read(data: Path) -> tuple[World, str | None]:
    ledger = open_read_only(data)
    try:
        states, remembered = await ledger.read(lambda store: (store.states(), store.setting(SETTING)))
    finally:
        await ledger.close()
    return world_from(states), remembered


async def _slack(loaded: Loaded) -> AsyncIterator[Finding]:
    config = loaded.config
    wanted = expected_scopes(private=config.incidents.private)
    login = slack_login(config.slack)
    found = await preflight(login, wanted)
    by_scope = {scope: f"{problem}" for scope in wanted for problem in found.problems if f" scope {scope} (" in problem.what}
    for problem in found.problems:
        if f"{problem}" not in by_scope.values():
            yield Finding("bad", "Slack", f"{problem}")
    if found.identity is not None:
        yield Finding("good", "Slack", f"the bot token is good for {found.team or found.team_id}")
        for finding in _scopes(found, wanted, by_scope):
            yield finding
    if found.usable:
        yield await _lookup(SlackGateway(login, identity=found.identity), config.slack.alerts_channel)


def _scopes(found: Preflight, wanted: Mapping[str, str], problems: Mapping[str, str]) -> list[Finding]:
    if not found.scopes:
        return [Finding("note", "scopes", "this server does not say which scopes the app has; the calls will")]
    return [
        Finding("bad", f"scope {scope}", problems[scope]) if scope in problems else Finding("good", f"scope {scope}", reason)
        for scope, reason in wanted.items()
    ]


async def _lookup(gateway: SlackGateway, channel: str) -> Finding:
    """Prove that a post whose answer got lost would be found again, by reading our own metadata back."""
    await gateway.start()
    try:
        problem = str(await prove_lookup(gateway, channel, SystemClock().now()) or "")
    except ChatError as error:
        problem = str(error)
    finally:
        await gateway.close()
    if problem:
        return Finding("bad", "look-up", f"a post whose answer got lost could not be found again: {problem}")
    return Finding("good", "look-up", "a message of ours was posted, found again by its metadata, and deleted")
