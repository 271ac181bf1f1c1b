"""The terminal interface. `understudy --help` lists the commands; each answers people in words, or programs with `--json`.

Only the requested command is loaded: loading all takes a second, and `--help` needs none of them.
"""

from collections.abc import Mapping
from importlib import import_module

import click

from bot.cli import loading
from bot.system.version import understudy_version

VERBS: Mapping[str, tuple[str, str]] = {  # name: its module in `bot/cli/`, what it does
    "backtest": ("backtest", "Replay stored results, or those of a trace, and compare rules."),
    "check": ("check", "Run every check once, or only some of them."),
    "config": ("config", "Check the configuration, or print its schema."),
    "demo": ("demo", "Play an outage: scripted vendors fail, the bot runs it."),
    "denied": ("denied", "Show who was refused what."),
    "doctor": ("doctor", "Check configuration, store and Slack."),
    "drill": ("drill", "Rehearse an outage with people and services."),
    "export": ("ledger.export", "Export an incident's timeline and durations."),
    "flags": ("flags", "See, switch and steer fallback flags without Slack."),
    "health": ("health", "Show every component: its verdict, since when, and why."),
    "incident": ("incident", "List, show, declare and run incidents without Slack."),
    "init": ("init", "Ask what you use and write the first configuration."),
    "manifest": ("config", "Print the Slack app manifest."),
    "page": ("page", "Send a test page to the people who would be paged."),
    "reload": ("running.reload", "Make the running bot read its configuration again."),
    "run": ("run", "Watch, serve flags, and run incidents in Slack."),
    "store": ("store", "Copy the ledger, for example into PostgreSQL."),
    "verify": ("ledger.verify", "Check that no stored fact was changed or removed."),
}


class Verbs(click.Group):
    """A group whose commands are loaded on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with this name; None if there is none."""
        if cmd_name not in VERBS:
            return None
        module, _ = VERBS[cmd_name]
        with loading():
            command = getattr(import_module(f"bot.cli.{module}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, does) for name, (_, does) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(understudy_version(), prog_name="understudy")
def main() -> None:
    """Understudy watches the AI providers you depend on, runs the incident in Slack and switches to a fallback."""
