"""`understudy config` and `understudy manifest`."""

from pathlib import Path

import click
import yaml

from bot.cli.options import config_option, fail, load_or_exit
from bot.cli.output import print_json
from bot.config.schema import schema
from bot.wiring.manifest import manifest_for


@click.group()
def config() -> None:
    """Check the configuration, or print its schema."""


@config.command("check")
@config_option
@click.option("--no-env", is_flag=True, help="Do not ask for Slack's tokens.")
def check(config_path: Path, no_env: bool) -> None:
    """Validate the file: every error with its line, and what is off or not available yet. Exit status 2 on errors."""
    loaded = load_or_exit(config_path, lenient=no_env)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}")
    for off in loaded.off_checks:
        click.echo(f"off: {off.component}.{off.check}: {off.reason}")
    for item in loaded.pending:
        click.echo(f"not available yet: {config_path}:{item.line}: {item.path}: {item.what}")
    if not loaded.config.control_group and loaded.config.checks():
        click.echo(f"note: {loaded.config.control_words()}")
    count = len(loaded.config.live_checks())
    components, flags = len(loaded.config.components()), len(loaded.config.flags)
    click.echo(f"{config_path} is good: {components} components, {count} checks on, {flags} flags.")


@config.command("schema")
def print_schema() -> None:
    """Print the JSON Schema, for editors."""
    print_json(schema())


@click.command()
@click.option("--prefix", default="", help="Put before every slash word: us- makes /us-health.")
@click.option("--private", is_flag=True, help="With the scopes for private incident channels.")
def manifest(prefix: str, private: bool) -> None:
    """Print the Slack app manifest."""
    try:
        click.echo(yaml.safe_dump(manifest_for(prefix, private=private), sort_keys=False, allow_unicode=True), nl=False)
    except ValueError as error:
        fail(str(error))
