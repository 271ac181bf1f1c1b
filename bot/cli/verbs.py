"""The terminal face. `understudy --help` lists the verbs; each answers in words for people, or with `--json` for programs."""

import click

from bot.cli.backtest import backtest
from bot.cli.check import check
from bot.cli.config import config, manifest
from bot.cli.demo import demo
from bot.cli.doctor import doctor
from bot.cli.export import export
from bot.cli.flags import flags
from bot.cli.health import health
from bot.cli.incident import incident
from bot.cli.page import page
from bot.cli.run import run
from bot.cli.verify import verify
from bot.system.version import understudy_version


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(understudy_version(), prog_name="understudy")
def main() -> None:
    """Understudy watches the AI providers you depend on, runs the incident in Slack and switches to a fallback."""


for command in (run, demo, check, backtest, health, incident, flags, export, verify, page, doctor, config, manifest):
    main.add_command(command)
