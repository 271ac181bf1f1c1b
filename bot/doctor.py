"""What `understudy doctor` looks at: configuration, store, Slack's tokens and scopes, and whether a lost post can be found."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bot.clock import SystemClock
from bot.config.load import Loaded
from bot.plan import slack_login
from bot.ports import ChatError
from bot.slack.gateway import SlackGateway
from bot.slack.preflight import preflight
from bot.slack.proof import prove_lookup
from bot.slack.scopes import expected_scopes
from bot.store.engine import sqlite_report


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
    if data.exists() and data.stat().st_mode & 0o077:
        yield Finding("note", "store", f"{data} can be read by others; it should have mode 0700")
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


async def _slack(loaded: Loaded) -> AsyncIterator[Finding]:
    config = loaded.config
    wanted = expected_scopes(private=config.incidents.private)
    login = slack_login(config.slack)
    found = await preflight(login, wanted)
    for problem in found.problems:
        yield Finding("bad", "Slack", f"{problem}")
    if found.unreachable:
        return
    for scope, reason in wanted.items():
        has = scope in found.scopes
        yield Finding("good" if has else "bad", f"scope {scope}", reason if has else f"missing. {reason}")
    if found.ok:
        yield await _lookup(SlackGateway(login, identity=found.identity), config.slack.alerts_channel)


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
