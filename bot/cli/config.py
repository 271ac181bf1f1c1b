"""`understudy config` and `understudy manifest`."""

from pathlib import Path

import click
import yaml

from bot.cli.options import config_option, fail, load_or_exit
from bot.cli.output import print_json
from bot.config.models import Config
from bot.config.schema import schema
from bot.ports.signed_requests import REQUEST_PATH
from bot.slack.scopes import EVENTS, PRIVATE_SCOPES, SCOPES
from bot.views.text import count
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
    components, flags = count(len(loaded.config.components()), "component"), count(len(loaded.config.flags), "flag")
    checks = count(len(loaded.config.live_checks()), "check")
    click.echo(f"{config_path} is good: {components}, {checks} on, {flags}.")


@config.command("schema")
def print_schema() -> None:
    """Print the JSON Schema, for editors."""
    print_json(schema())


@click.command()
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Take slack.mode, slack.prefix, slack.team, server.public_url and incidents.private from this file.",
)  # fmt: skip
@click.option("--prefix", default=None, help="Put before every slash command: us- makes /us-health.")
@click.option("--private", is_flag=True, help="With the scopes for private incident channels.")
@click.option("--organization", is_flag=True, help="To be installed for a whole Enterprise Grid organization.")
def manifest(config_path: Path | None, prefix: str | None, private: bool, organization: bool) -> None:
    """Print the Slack app manifest."""
    request_url = ""
    if config_path is not None:
        found = load_or_exit(config_path, lenient=True).config
        prefix = found.slack.prefix if prefix is None else prefix
        private = private or found.incidents.private
        organization = organization or bool(found.slack.team)
        request_url = _request_url(found)
    try:
        made = manifest_for(prefix or "", private=private, request_url=request_url, organization=organization)
    except ValueError as error:
        fail(str(error))
    click.echo(_with_reasons(yaml.safe_dump(made, sort_keys=False, allow_unicode=True)), nl=False)


def _with_reasons(document: str) -> str:
    """The manifest with a comment on each scope and event that says what it is for."""
    reasons = {**SCOPES, **PRIVATE_SCOPES, **EVENTS}
    lines = (
        f"{line}  # {why}" if (why := reasons.get(line.strip().removeprefix("- "))) else line for line in document.splitlines()
    )
    return "\n".join(lines) + "\n"


def _request_url(config: Config) -> str:
    """The URL for Slack's requests; empty in Socket Mode."""
    if config.slack.mode != "http":
        return ""
    if not config.server.public_url.startswith("https://"):
        fail(
            "slack.mode is http, and Slack sends to https addresses only: set server.public_url to how the internet reaches you"
        )
    return config.server.public_url + REQUEST_PATH
