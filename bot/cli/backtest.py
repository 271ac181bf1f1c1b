"""`understudy backtest`: what these settings, or others, would have detected in past check runs."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from bot.backtest.replay import OnRecord, Settings, compare, on_record, replay
from bot.backtest.traces import TraceError, read_trace
from bot.cli.ledger.home import home_of
from bot.cli.options import (
    CONFIG_EXIT,
    config_option,
    data_option,
    fail,
    json_option,
    load_for_verbs,
    shared,
)
from bot.cli.output import note, print_json
from bot.cli.words.backtest import as_document, print_comparison
from bot.config.detection import DetectionConfig
from bot.config.models import Config
from bot.config.scalars import parse_duration
from bot.core.model import Sample
from bot.engine.world_reading import world_from
from bot.store.errors import StoreError
from bot.store.home import Home
from bot.store.samples.sampling import SampleStore
from bot.store.samples.sqlite import SAMPLES_FILE
from bot.store.sqlite.engine import DatabaseError, connect_read_only
from bot.store.sqlite.migrations import SAMPLES, require
from bot.system.clock import SystemClock
from bot.wiring.plan import rule_of, rules_of

SETTINGS = (
    "window", "failures", "threshold", "at_least", "at_least_clear", "recover_after", "recover_for", "slow_factor",
    "slow_floor",
)  # fmt: skip
SINCE = "7d"


@click.command()
@click.option("--trace", type=click.Path(path_type=Path), default=None, help="Check runs from a file, CSV or JSON lines.")
@click.option("--since", default=None, help=f"How far back, such as 24h; by default {SINCE}, or the whole trace.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Another setting to compare: detection.failures=2.")
@shared(config_option, data_option, json_option)
def backtest(
    trace: Path | None, since: str | None, sets: tuple[str, ...], config_path: Path, data_path: Path | None, as_json: bool
) -> None:
    """Replay stored check runs, or those of a trace, and compare what would have been detected with the incidents on record.

    With --set, the same runs are replayed with today's settings and with the others, side by side. Exit status 2 when the
    configuration, a setting or the trace is wrong.
    """
    config = _config(config_path, needed=trace is None)
    others = with_sets(config.detection if config else DetectionConfig(), sets)
    span = _span(since) if since else None
    home = home_of(config_path, data_path) if data_path or not trace else None
    samples = _trace(trace, span) if trace else _stored(home or Home(Path("data")), span or _span(SINCE))
    if not samples:
        fail("No check run is stored for that time. Name a longer one with --since, or a file with --trace.")
    incidents = _incidents(home, samples) if home else None
    named = {"today": settings_of(config, config.detection if config else DetectionConfig())}
    if sets:
        named["with " + ", ".join(s.removeprefix("detection.") for s in sets)] = settings_of(config, others)
    outcomes = {name: compare(replay(samples, settings), incidents or ()) for name, settings in named.items()}
    if as_json:
        print_json(as_document(samples, outcomes, incidents))
    else:
        print_comparison(samples, outcomes, incidents)


# --- settings


def with_sets(section: DetectionConfig, sets: Sequence[str]) -> DetectionConfig:
    """The section with the changes by `--set`; exits with a sentence if that is impossible."""
    changed: dict[str, Any] = {}
    for written in sets:
        name, equals, value = written.partition("=")
        key = name.removeprefix("detection.")
        if not equals or key not in SETTINGS:
            known = ", ".join(f"detection.{setting}" for setting in SETTINGS)
            fail(f"--set {written}: write KEY=VALUE, with one of the keys that a replay depends on: {known}.", CONFIG_EXIT)
        changed[key] = value
    try:
        return DetectionConfig.model_validate({**section.model_dump(include=set(SETTINGS), exclude_unset=True), **changed})
    except ValidationError as errors:
        fail("\n".join(_sentence(error) for error in errors.errors()), CONFIG_EXIT)


def _sentence(error: Any) -> str:
    context = error.get("ctx", {})
    key = ".".join(("detection", *map(str, error["loc"])))
    return f"--set {key}: {context.get('message', error['msg'])}; {context.get('remedy', 'see docs/configuration.md')}"


def settings_of(config: Config | None, section: DetectionConfig) -> Settings:
    """The settings of each configured check, including checks that are off: they may have run then."""
    rule = rule_of(section)
    placed = config.checks() if config else ()
    return Settings(rule, rules_of(placed, rule))


# --- what is replayed


def _config(path: Path, *, needed: bool) -> Config | None:
    if not needed and not path.exists():
        note(f"{path} does not exist, so the default settings judge every check.")
        return None
    return load_for_verbs(path)[0].config


def _span(written: str) -> timedelta:
    try:
        return parse_duration(written)
    except ValueError as error:
        fail(f"--since {written}: {error}; write a whole number with m, h or d, such as 24h.", CONFIG_EXIT)


def _trace(path: Path, span: timedelta | None) -> list[Sample]:
    """The check runs in a file; `span` counts back from the newest."""
    try:
        samples = read_trace(path.read_bytes().decode("utf-8"), str(path))
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}. Name another file with --trace.", CONFIG_EXIT)
    except UnicodeDecodeError as error:
        fail(f"{path} is not UTF-8 text (byte {error.start}).", CONFIG_EXIT)
    except TraceError as error:
        fail(str(error), CONFIG_EXIT)
    return [sample for sample in samples if span is None or sample.at >= samples[-1].at - span]


def _stored(home: Home, span: timedelta) -> list[Sample]:
    if home.shared:
        try:
            return home.shared_samples_since(SystemClock().now() - span)
        except StoreError as error:
            fail(str(error))
    path = home.folder / SAMPLES_FILE
    if not path.is_file():
        fail(f"there are no stored check runs in {home.folder}; check --data")
    try:
        conn = connect_read_only(path)
        try:
            require(conn, SAMPLES, str(path))
            return list(SampleStore(conn).since(SystemClock().now() - span))
        finally:
            conn.close()
    except (StoreError, DatabaseError) as error:
        fail(f"{path} cannot be read: {error}")


def _incidents(home: Home, samples: Sequence[Sample]) -> tuple[OnRecord, ...]:
    times = [sample.at for sample in samples]
    try:
        return asyncio.run(_read_incidents(home, min(times), max(times)))
    except StoreError as error:
        fail(str(error))


async def _read_incidents(home: Home, since: datetime, until: datetime) -> tuple[OnRecord, ...]:
    ledger = home.open_read_only()
    try:
        world = world_from(await ledger.read(lambda store: store.states()))
    finally:
        await ledger.close()
    return on_record(world.incidents.values(), since, until)
