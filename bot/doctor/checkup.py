"""What `understudy doctor` examines: configuration, store, Slack's tokens and scopes, and whether a lost post can be found."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.config.checks.llm import LlmCheck
from bot.config.detection import MaintenanceConfig
from bot.config.load import Loaded
from bot.config.models import Config, PlacedCheck
from bot.config.policy import to_policy
from bot.config.scalars import show
from bot.core.lazy_dataclass import dataclass
from bot.core.policy import Policy
from bot.core.record.world import World
from bot.doctor.paging import look_at_on_call
from bot.doctor.people import look_at_list
from bot.doctor.rehearsals import look_at_rehearsals
from bot.doctor.replicas import look_at_replicas
from bot.doctor.rights import who_helps, who_may
from bot.doctor.sinks import look_at_sinks
from bot.doctor.storage import look_at_database, look_at_disk, look_at_samples
from bot.doctor.templates import messages, views
from bot.engine.world_reading import read_world
from bot.ports import ChatError, LiveReplica
from bot.ports.signed_requests import REQUEST_PATH
from bot.slack.block_proof import message_problem, view_problem
from bot.slack.gateway import SlackGateway
from bot.slack.http_mode.challenge import prove_request_url
from bot.slack.preflight import Preflight, preflight
from bot.slack.proof import prove_lookup
from bot.slack.scopes import expected_scopes
from bot.store.errors import StoreError
from bot.store.home import Home
from bot.store.sqlite.engine import sqlite_report
from bot.system.clock import SystemClock
from bot.system.descriptors import complaint, limit_after_start
from bot.views.text import count
from bot.wiring.plan import slack_login
from bot.wiring.retained import SETTING, keep

A_DAY = timedelta(days=1)
BLIP = timedelta(seconds=60)  # docs/detection.md: what settings without a control group should tolerate
EVIDENCE = 3.4  # what one failed run adds to the sequential test's score
TOKENS_A_RUN = 10  # the shortest question and a one-token answer, in and out together


@dataclass(frozen=True)
class Finding:
    """One finding: `good`, `note` (works, but know this) or `bad` (will not work), and the sentence."""

    state: str
    subject: str
    words: str


async def examine(loaded: Loaded, config_path: Path, data: Path, *, slack: bool = True) -> AsyncIterator[Finding]:
    """Examine everything, one finding after the other; changes nothing, except one message posted and deleted."""
    for finding in (*configuration(loaded, config_path), *looking(loaded.config, SystemClock().now())):
        yield finding
    low = complaint(limit_after_start(), len(loaded.config.checks()))
    yield Finding("note" if low else "good", "open files", low or f"{limit_after_start()} may be open at once")
    home = Home(data, loaded.config.store.get_secret_value())
    if not home.shared:
        report = sqlite_report()
        yield Finding("note" if report.vulnerable else "good", "store", report.sentence)
    for finding in folder(data):
        yield finding
    for storage in look_at_disk(data):
        yield Finding(storage.state, "store", storage.words)
    if samples := look_at_samples(data, loaded.config.samples.budget, loaded.config.samples.keep):
        yield Finding(samples.state, "samples", samples.words)
    database, begun = look_at_database(home)
    for storage in database:
        yield Finding(storage.state, "store", storage.words)
    if begun:
        async for finding in _ledger(loaded, home):
            yield finding
    async for state, subject, words in look_at_sinks(loaded, home if begun else None):
        yield Finding(state, subject, words)
    notified = any(url.get_secret_value() for url in loaded.config.notify)
    if loaded.config.slack.mode == "none" and notified:  # without either, the configuration warns about it
        yield Finding("note", "Slack", "Slack is off in the configuration: alerts and pages go out by notify")
    if slack and loaded.config.slack.mode != "none":
        async for finding in _slack(loaded):
            yield finding
    else:
        async for state, words in look_at_on_call(loaded.config, None):
            yield Finding(state, "people.on_call", words)


def configuration(loaded: Loaded, config_path: Path) -> list[Finding]:
    """What is off, not available yet, or open to everybody."""
    config = loaded.config
    checks, flags = count(len(config.live_checks()), "check"), count(len(config.flags), "flag")
    found = [Finding("good", "configuration", f"{config_path}: {checks} on, {flags}")]
    found += [Finding("note", "configuration", warning) for warning in loaded.warnings]
    found += [Finding("note", f"{off.component}.{off.check}", f"off: {off.reason}") for off in loaded.off_checks]
    found += [Finding("note", item.path, f"line {item.line}: not available yet. {item.what}") for item in loaded.pending]
    found += [Finding(state, "people", words) for state, words in (*who_may(config.people), *who_helps(config.people))]
    if not any(config.paging.by_severity().values()):
        words = "no severity has steps, so an alert nobody sees wakes nobody (docs/paging.md)"
        found.append(Finding("note", "paging", words))
    if not config.notify and config.slack.mode != "none":  # without Slack too, the configuration warns about it
        found.append(Finding("note", "notify", "Slack is the only way to reach people: while it is down, nobody is called"))
    return found


def looking(config: Config, now: datetime) -> list[Finding]:
    """What may surprise people about the checks: no control group, unwise settings, budgets, windows that are over."""
    return [
        *_controls(config),
        *_detection(config),
        *(finding for placed in config.live_checks() if (finding := _budget(placed))),
        *(Finding(*found) for found in look_at_rehearsals(config)),
        *_peers(config),
        *(finding for number, window in enumerate(config.maintenance) if (finding := _window(number, window, now))),
    ]


def _controls(config: Config) -> list[Finding]:
    live = [placed for placed in config.controls() if placed.live]
    if config.checks() and config.control_group is None:
        return [Finding("good", "control_group", config.control_words())]
    if config.checks() and config.controls_without_names():
        words = "each control is a number: a dead resolver of ours can look like the provider's outage; add one of type dns"
        return [Finding("note", "control_group", words)]
    ways = [placed for placed in live if placed.check.type != "dns"]  # the resolver's answers prove nothing about the uplink
    if not config.checks() or len(ways) >= 2:
        return []
    if not live:
        words = "it is empty: a fault of our own network can look like everybody's outage; add two controls of different owners"
    elif not ways:
        words = "controls of type dns ask our resolver alone: a dead line looks like everybody's outage; add two of type tcp"
    else:
        beside = "the only control" if live == ways else "the only control that is not of type dns"
        words = f"{ways[0].name} is {beside}: its own outage can look like ours; add one of another owner"
    return [Finding("note", "control_group", words)]


def _detection(config: Config) -> list[Finding]:
    section, vantages, least = config.detection, 1 + len(config.peers), timedelta(seconds=5)
    few = "a single failed run is" if section.threshold <= EVIDENCE else "two failed runs in a row are"
    unwise = {
        "threshold": (section.threshold <= 2 * EVIDENCE, f"{section.threshold:g}: {few} already an outage; 10 is usual"),
        "failures": (section.failures == 1, "1: every single failed run is an outage; 3 of 5 is usual"),
        "at_least": (
            section.at_least < least,
            f"{show(section.at_least)}: a hiccup of our own line already counts as an outage",
        ),
        "at_least_clear": (
            section.at_least_clear < least,
            f"{show(section.at_least_clear)}: a restart at the provider already counts as an outage",
        ),
        "recover_after": (section.recover_after == 1, "1: one lucky answer ends an outage; 5 is usual"),
        "slow_factor": (section.slow_factor < 1.5, f"{section.slow_factor:g}: an ordinary day counts as slow; 3 is usual"),
        "quorum": (
            isinstance(section.quorum, int) and section.quorum > vantages,
            f"{section.quorum}: there are only {_count(vantages, 'vantage')}, so all of them must agree",
        ),
    }
    found = [Finding("note", f"detection.{key}", words) for key, (holds, words) in unwise.items() if holds]
    if config.checks() and not config.controls() and least <= section.at_least < BLIP:
        words = f"{show(section.at_least)}: without a control group use {show(BLIP)}, which avoids six false alarms in ten"
        found.append(Finding("note", "detection.at_least", words))
    return found


def _budget(placed: PlacedCheck) -> Finding | None:
    """A check that spends its budget by its schedule alone, without a single recheck."""
    check = placed.check
    if not isinstance(check, LlmCheck) or check.rung == "free":
        return None
    calls, tokens = check.budget.calls_per_day, check.budget.tokens_per_day
    by_schedule = A_DAY / check.every
    if calls == 0:
        return Finding("note", placed.id, "budget.calls_per_day is 0, so it never asks the model: write `rung: free` instead")
    if calls < by_schedule:
        spent_at = f"{datetime.min.replace(tzinfo=UTC) + calls * check.every:%H:%M}"
        words = f"{by_schedule:,.0f} runs a day (every {show(check.every)}) are more than budget.calls_per_day ({calls:,}): "
        words += f"from {spent_at} UTC on it only makes its free call, which does not see whether the model answers"
        return Finding("note", placed.id, words)
    if tokens is not None and tokens < by_schedule * TOKENS_A_RUN:
        words = (
            f"budget.tokens_per_day ({tokens:,}) leaves {tokens / by_schedule:.1f} tokens for each of {by_schedule:,.0f} runs "
        )
        words += f"a day, and one takes {TOKENS_A_RUN} or more: it runs out before the day ends"
        return Finding("note", placed.id, words)
    return None


def _peers(config: Config) -> list[Finding]:
    found = []
    for peer in config.peers:
        if not peer.secret.get_secret_value():
            words = f"{peer.vantage} has no secret, so nothing is sent or accepted; set the same one on both sides"
            found.append(Finding("note", "peers", words))
        elif peer.url is not None and peer.url.startswith("http://"):
            words = f"{peer.vantage} is reached without TLS: our results can be read on the way, though not changed"
            found.append(Finding("note", "peers", words))
    if config.peers and config.vantage == Config.model_fields["vantage"].default:
        words = f"it is still {config.vantage!r}: give each side its own label, since a peer reports only under its own"
        found.append(Finding("note", "vantage", words))
    return found


def _window(number: int, window: MaintenanceConfig, now: datetime) -> Finding | None:
    if window.repeats != "never":
        return None
    ends = window.starts + window.lasts
    if ends <= now:
        return Finding("note", f"maintenance[{number}]", f"it ended at {_utc(ends)}: remove it")
    if window.starts <= now:
        what = ", ".join(window.components) or "anything"
        return Finding("note", f"maintenance[{number}]", f"it lasts until {_utc(ends)}: no incident opens for {what}")
    return None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def folder(data: Path) -> list[Finding]:
    """Whether the data folder can be used, and by whom."""
    if not data.exists():
        return [Finding("note", "store", f"there is no folder {data} yet; the first start creates it")]
    if not (data.is_dir() and os.access(data, os.W_OK | os.X_OK)):
        return [Finding("bad", "store", f"{data} is not a folder that can be written; check `data`, --data and the owner")]
    status = data.stat()
    if status.st_mode & 0o077 and status.st_uid == os.geteuid():  # of a Kubernetes volume nobody here can change it
        return [Finding("note", "store", f"{data} can be read by others; it should have mode 0700")]
    return []


async def _ledger(loaded: Loaded, home: Home) -> AsyncIterator[Finding]:
    """Open incidents and flags: the bot starts even if Slack refuses, because of them."""
    try:
        world, remembered, live = await _read(home)
    except StoreError as error:
        yield Finding("bad", "ledger", str(error))
        return
    for found in look_at_replicas(loaded.config, live):
        yield Finding(*found)
    for incident in world.open_incidents():
        yield Finding("note", "ledger", f"{incident.name} is open ({incident.severity}, {incident.phase}): {incident.title}")
    for key, state in world.flags.items():
        if state.engagement:
            yield Finding("note", "ledger", f"{key} is engaged on {state.engagement.variant}: {state.engagement.reason}")
    for sentence in keep(to_policy(loaded.config), world, remembered).sentences(world):
        yield Finding("note", "ledger", sentence)


async def _read(home: Home) -> tuple[World, str | None, Sequence[LiveReplica]]:
    ledger = home.open_read_only()
    try:
        flaws = await ledger.read(lambda store: [store.examine(stream) for stream in store.streams(only_open=True)])
        if broken := [flaw.sentence for flaw in flaws if flaw]:
            raise StoreError(f"it was changed by hand: {'; '.join(broken[:5])} (docs/storage.md)")
        now = SystemClock().now()
        return await ledger.read(lambda store: (read_world(store), store.setting(SETTING), store.replicas(now)))
    finally:
        await ledger.close()


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
        where = f", an organization; channels are made in {found.workspace}" if found.workspace else ""
        yield Finding("good", "Slack", f"the bot token is good for {found.team or found.team_id}{where}")
        for finding in _scopes(found, wanted, by_scope):
            yield finding
    if login.by_http:
        yield await _request_url(config)
    if found.usable:
        yield await _lookup(SlackGateway(login, identity=found.identity), config.slack.alerts_channel)
        if backup := config.slack.backup_channel:
            told = "gets the alerts while the alerts channel accepts none"
            yield await _there(SlackGateway(login, identity=found.identity), "backup channel", backup, told)
        for one in config.broadcast:
            told = f"is told of {', '.join(one.severities)} ({one.detail})"
            yield await _there(SlackGateway(login, identity=found.identity), "broadcast", one.channel, told)
        async for finding in _levels(SlackGateway(login, identity=found.identity), config.people.lists()):
            yield finding
        async for finding in _on_call(SlackGateway(login, identity=found.identity), config):
            yield finding
        yield await _templates(SlackGateway(login, identity=found.identity), to_policy(config))


def _scopes(found: Preflight, wanted: Mapping[str, str], problems: Mapping[str, str]) -> list[Finding]:
    if not found.scopes:
        return [Finding("note", "scopes", "this server does not say which scopes the app has; the calls will")]
    return [
        Finding("bad", f"scope {scope}", problems[scope]) if scope in problems else Finding("good", f"scope {scope}", reason)
        for scope, reason in wanted.items()
    ]


async def _request_url(config: Config) -> Finding:
    """Whether Slack's requests reach this bot, as far as that can be tested from here."""
    if not config.server.public_url:
        words = f"set server.public_url, and doctor tries {REQUEST_PATH} there; Slack sends its requests to that address"
        return Finding("note", "request URL", words)
    url, secret = config.server.public_url + REQUEST_PATH, config.slack.signing_secret.get_secret_value()
    state, words = await prove_request_url(url, secret)
    return Finding(state, "request URL", words)


async def _there(gateway: SlackGateway, what: str, channel: str, words: str) -> Finding:
    """Whether a channel exists that nobody posts to until it is needed."""
    await gateway.start()
    try:
        await gateway.find_channel(channel)
    except ChatError as error:
        return Finding("bad", what, f"{channel}: {error}")
    finally:
        await gateway.close()
    return Finding("good", what, f"{channel} {words}")


async def _levels(gateway: SlackGateway, lists: Mapping[str, Sequence[str]]) -> AsyncIterator[Finding]:
    await gateway.start()
    try:
        for level, ids in lists.items():
            async for state, words in look_at_list(gateway, level, ids):
                yield Finding(state, f"people.{level}", words)
    finally:
        await gateway.close()


async def _on_call(gateway: SlackGateway, config: Config) -> AsyncIterator[Finding]:
    await gateway.start()
    try:
        async for state, words in look_at_on_call(config, gateway):
            yield Finding(state, "people.on_call", words)
    finally:
        await gateway.close()


async def _templates(gateway: SlackGateway, policy: Policy) -> Finding:
    """Whether Slack accepts every kind of message and form with this configuration's names. Nothing is posted."""
    now, problems, asked = SystemClock().now(), [], 0
    await gateway.start()
    try:
        for name, message in messages(policy, now):
            problems += [f"{name}: {said}"] if (said := await message_problem(gateway, message)) else []
            asked += 1
        for name, view in views(policy, now):
            problems += [f"{name}: {said}"] if (said := await view_problem(gateway, view)) else []
            asked += 1
    except ChatError as error:
        return Finding("note", "messages", f"Slack did not say whether it accepts our messages: {error}")
    finally:
        await gateway.close()
    if problems:
        return Finding("bad", "messages", f"Slack would refuse {'; '.join(problems)}")
    return Finding("good", "messages", f"Slack accepts all {asked} kinds of messages and forms, with your names in them")


async def _lookup(gateway: SlackGateway, channel: str) -> Finding:
    """Prove that a post whose response was lost would be found again, by reading back our own metadata."""
    await gateway.start()
    try:
        problem = str(await prove_lookup(gateway, channel, SystemClock().now()) or "")
    except ChatError as error:
        problem = str(error)
    finally:
        await gateway.close()
    if problem:
        return Finding("bad", "look-up", f"a post whose answer was lost could not be found again: {problem}")
    return Finding("good", "look-up", "a message of ours was posted, found again by its metadata, and deleted")
