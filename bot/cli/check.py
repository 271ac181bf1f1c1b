"""`understudy check`: look at everything once."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
import uvloop

from bot.cli.options import CONFIG_EXIT, config_option, fail, json_option, shared
from bot.cli.output import note, print_json
from bot.cli.words.check import as_document, print_look, without_secrets
from bot.config.checks.kinds import CONTROL
from bot.config.load import Loaded, load
from bot.config.models import Config
from bot.config.reading.errors import ConfigErrors, suggest
from bot.core.model import Fault, Level
from bot.doctor.look_once import OneLook, look_once
from bot.system.clock import SystemClock
from bot.system.logs import configure_logs
from bot.system.redaction import Redactor
from bot.views.text import count
from bot.watch.plan import Plan
from bot.wiring.plan import plan
from bot.wiring.probing import Probing

BAD_EXIT = 1
UNSURE_EXIT = 3
INTERRUPTED_EXIT = 130


@click.command()
@shared(config_option, json_option)
@click.argument("names", nargs=-1)
def check(config_path: Path, as_json: bool, names: tuple[str, ...]) -> None:
    """Run every check once, or only those of NAMES: providers, components or checks; `control` is the control group.

    Exit status 0 when all is well, 1 when a component is down or degraded, 2 when the configuration, a key or an address is
    wrong, 3 when some component's state is unknown (we are blind, or a check was inconclusive), 130 when interrupted.
    """
    loaded = _load(config_path, as_json)
    configure_logs(loaded.config.secrets(), level="ERROR", pretty=True)
    chosen, components = _chosen(loaded, names, as_json)
    if sys.stderr.isatty():
        note(f"running {count(len(chosen.checks) + len(chosen.controls), 'check')} ...")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            looked = runner.run(_look(loaded.config, chosen, components))
    except KeyboardInterrupt:
        fail("Interrupted: nothing can be said yet.", INTERRUPTED_EXIT)
    looked = without_secrets(looked, Redactor(loaded.config.secrets()))
    if as_json:
        print_json(as_document(looked))
    else:
        print_look(looked)
    _note_disabled(loaded, components)
    if looked.sight.blind:
        note(f"we are blind: {looked.sight.reason}. Nothing we cannot reach counts against a provider.")
    raise SystemExit(exit_status(looked))


def exit_status(looked: OneLook) -> int:
    """The exit status; the worst problem that a person can act on wins."""
    if any(verdict.level.bad for verdict in looked.verdicts):
        return BAD_EXIT
    if not looked.samples or any(sample.fault in (Fault.OURS_CONFIG, Fault.OURS_KEY) for sample in looked.samples):
        return CONFIG_EXIT
    unsure = {verdict.component for verdict in looked.verdicts if verdict.level is Level.UNKNOWN}
    if looked.sight.blind or not looked.looked_at or unsure & looked.looked_at:
        return UNSURE_EXIT
    return 0


def _load(path: Path, as_json: bool) -> Loaded:
    """The configuration. Checks need no tokens for Slack, but keys for providers."""
    try:
        return load(path, os.environ, lenient_credentials=True)
    except ConfigErrors as errors:
        _refuse(str(errors), as_json)


async def _look(config: Config, chosen: Plan, components: Sequence[str]) -> OneLook:
    clock = SystemClock()
    probing = Probing(config, clock)
    try:
        return await look_once(chosen, probing.prober, clock, components)
    finally:
        await probing.close()


def _note_disabled(loaded: Loaded, components: Sequence[str]) -> None:
    for off in loaded.off_checks:
        if off.component in components:
            note(f"{off.component}.{off.check} is off: {off.reason}")


# --- what to look at


def _chosen(loaded: Loaded, names: Sequence[str], as_json: bool) -> tuple[Plan, tuple[str, ...]]:
    """The plan, or the named part of it, and its components. Exits if a name matches nothing that is on."""
    everything = plan(loaded)
    if not names:
        return everything, tuple(loaded.config.components())
    meant = {name: _meant(loaded.config, everything, name) for name in names}
    unknown = [_unknown(loaded, everything, name) for name, found in meant.items() if not found]
    if unknown:
        _refuse("\n".join(unknown), as_json)
    chosen = everything.only([id for found in meant.values() for id in found])
    return chosen, tuple(dict.fromkeys(one.component for one in chosen.checks))


def _meant(config: Config, everything: Plan, name: str) -> list[str]:
    """The ids behind a name, its own or by display name; empty if none of its checks is on."""
    if everything.controls and name in (CONTROL, *(control.id for control in everything.controls)):
        return [name]
    called = {id: config.component_name(id) for id in config.components()}
    called |= {id: config.provider_name(id) for id in config.providers}
    ids = [name, *(id for id, words in called.items() if words.casefold() == name.casefold())]
    return [id for id in ids if everything.only((id,)).checks]


def _unknown(loaded: Loaded, everything: Plan, name: str) -> str:
    off = [one for one in loaded.off_checks if f"{one.component}.{one.check}.".startswith(f"{name}.")]
    if off:
        return "\n".join(f"{one.component}.{one.check} is off: {one.reason}" for one in off)
    config = loaded.config
    if name in config.components() or name in config.providers:
        return f"{name} has no check"
    known = [*config.providers, *config.components(), *(one.id for one in everything.checks)]
    return f"there is no provider, component or check {name}: {suggest(name, known, 'names')}"


def _refuse(text: str, as_json: bool) -> NoReturn:
    """Exit with status 2; programs still get a document."""
    if as_json:
        print_json({"checks": [], "components": [], "errors": text.splitlines()})
    fail(text, CONFIG_EXIT)
