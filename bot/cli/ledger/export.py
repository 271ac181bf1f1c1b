"""`understudy export INC-7`: the timeline as a file. Reads the ledger directly, whether or not the bot is running."""

import asyncio
from pathlib import Path

import click

from bot.cli.ledger.home import home_of
from bot.cli.options import config_option, data_option, fail, incident_number, read_for_verbs, shared
from bot.cli.output import inert_json, note
from bot.config.policy import to_policy
from bot.config.reading.errors import ConfigErrors
from bot.core.policy import IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.engine.world_reading import read_incidents, read_world
from bot.exports import FORMATS, render
from bot.store.errors import StoreError
from bot.store.home import Home
from bot.system.redaction import Redactor
from bot.wiring.retained import keep


@click.command()
@click.argument("reference")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="md", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=None, help="Write to this file instead of standard output.")
@shared(config_option, data_option)
def export(reference: str, format_: str, output: Path | None, config_path: Path, data_path: Path | None) -> None:
    """Export an incident's timeline and durations."""
    number = incident_number(reference)
    try:
        world, facts = asyncio.run(_read(home_of(config_path, data_path), number))
    except StoreError as error:
        fail(str(error))
    incident = world.incidents.get(number)
    if incident is None:
        fail(f"There is no INC-{number}." + (f" The newest is INC-{world.last_incident}." if world.last_incident else ""))
    name, content = render(format_, incident, facts, _policy(config_path, world, incident), _redactor(config_path))
    if output is None:
        text = content.decode("utf-8")
        click.echo(inert_json(text) if format_ == "json" else text, nl=False)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}. Name another file with --output.")
    click.echo(f"{name} written to {output}", err=True)


async def _read(home: Home, number: int) -> tuple[World, list[Fact]]:
    ledger = home.open_read_only()
    try:
        return await ledger.read(lambda store: (read_incidents(store, read_world(store), [number]), store.facts_about(number)))
    finally:
        await ledger.close()


def _redactor(config_path: Path) -> Redactor:
    """For the secrets in the configuration, if there is one; what looks like a token is removed anyway."""
    try:
        return Redactor(read_for_verbs(config_path)[0].config.secrets())
    except ConfigErrors:
        return Redactor(())


def _policy(config_path: Path, world: World, incident: Incident) -> Policy:
    """Names from the configuration, if there is one; otherwise ids."""
    policy = Policy({}, {}, IncidentPolicy({}))
    if config_path.exists():
        try:
            policy = to_policy(read_for_verbs(config_path)[0].config)
        except ConfigErrors:
            note(f"{config_path} has errors, so components are called by their ids; `understudy config check` lists them.")
    return keep(policy, world, None).policy
