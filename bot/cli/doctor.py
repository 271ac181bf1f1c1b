"""`understudy doctor`: what is wrong, what is off, and what to do about it."""

import asyncio
from pathlib import Path

import click

from bot.cli.options import config_option, data_option, json_option, load_or_exit, shared
from bot.cli.output import print_json, print_table
from bot.doctor.checkup import Finding, examine
from bot.system.logs import configure_logs


@click.command()
@shared(config_option, data_option, json_option)
@click.option("--no-slack", is_flag=True, help="Do not ask Slack.")
def doctor(config_path: Path, data_path: Path | None, as_json: bool, no_slack: bool) -> None:
    """Check configuration, store and Slack. Exit status 1 when something will not work."""
    loaded = load_or_exit(config_path, lenient=no_slack)
    configure_logs(loaded.config.secrets(), level="ERROR", pretty=True)

    async def gather() -> list[Finding]:
        return [found async for found in examine(loaded, config_path, data_path or loaded.config.data, slack=not no_slack)]

    findings = asyncio.run(gather())
    if as_json:
        print_json([{"state": f.state, "subject": f.subject, "words": f.words} for f in findings])
    else:
        print_table(
            ("", "what", "how it is"), [(f.state, f.subject, f.words) for f in findings], empty="Nothing was looked at."
        )
    if any(finding.state == "bad" for finding in findings):
        raise SystemExit(1)
