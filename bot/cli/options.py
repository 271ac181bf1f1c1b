"""Options and errors shared by all commands."""

import os
import re
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

from bot.cli.output import inert
from bot.config.load import Loaded, load
from bot.config.reading.errors import ConfigErrors

CONFIG_EXIT = 2

config_option = click.option(
    "--config", "config_path", type=click.Path(path_type=Path), default=Path("understudy.yaml"), show_default=True,
    envvar="UNDERSTUDY_CONFIG", show_envvar=True, help="The configuration file.",
)  # fmt: skip
data_option = click.option(
    "--data",
    "data_path",
    type=click.Path(path_type=Path),
    default=None,
    envvar="UNDERSTUDY_DATA",
    show_envvar=True,
    help="The data folder, instead of the configuration's.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def reason_taken(*, needed: bool = False, default: str = "") -> Callable[[Any], Any]:
    """Accept a reason as the last argument or as `--reason`, so that nobody needs to know which; but not both."""

    def decorate(function: Any) -> Any:
        @wraps(function)
        def run(*args: Any, reason: str, given_reason: str, **given: Any) -> Any:
            if reason and given_reason:
                raise click.UsageError("There are two reasons: one as an argument, one as --reason. Give one.")
            if needed and not (reason or given_reason):
                raise click.UsageError("Missing the reason: add it as the last argument, or as --reason.")
            return function(*args, reason=reason or given_reason or default, **given)

        option = click.option("--reason", "given_reason", default="", help="Why; the same as the argument.")
        return click.argument("reason", required=False, default="")(option(run))

    return decorate


def load_or_exit(path: Path, *, lenient: bool = False) -> Loaded:
    """Load the configuration, or exit with status 2 and all its errors."""
    try:
        return load(path, os.environ, lenient_credentials=lenient)
    except ConfigErrors as errors:
        fail(str(errors), CONFIG_EXIT)


def read_for_verbs(path: Path) -> tuple[Loaded, bool]:
    """The configuration for a terminal command, and whether all its variables were set.

    In an outage, people use a shell without the bot's keys; commands contact no vendor and need none. Raises ConfigErrors.
    """
    try:
        return load(path, os.environ, lenient_credentials=True), True
    except ConfigErrors as errors:
        try:
            return load(path, _EmptyWhereMissing(os.environ), lenient_credentials=True), False
        except ConfigErrors:
            raise errors from None


def load_for_verbs(path: Path) -> tuple[Loaded, bool]:
    """Like `read_for_verbs`; exits with status 2 and all errors."""
    try:
        return read_for_verbs(path)
    except ConfigErrors as errors:
        fail(str(errors), CONFIG_EXIT)


def data_folder(config_path: Path, data_path: Path | None) -> Path:
    """The data folder: as given, as configured, or `./data` without a configuration."""
    if data_path is not None:
        return data_path
    if not config_path.exists():
        return Path("data")
    try:
        return read_for_verbs(config_path)[0].config.data
    except ConfigErrors as errors:
        fail(f"{errors}\nA bot that runs already is reached all the same: name its data folder with --data.", CONFIG_EXIT)


def incident_number(reference: str) -> int:
    """The 7 in INC-7; exits with status 2 if there is none."""
    match = re.fullmatch(r"(?:INC-)?0*([1-9]\d{0,8})", reference, re.IGNORECASE)
    if match is None:
        fail(f"{reference!r} names no incident. Write INC-7 or 7.", CONFIG_EXIT)
    return int(match[1])


def fail(text: str, status: int = 1) -> NoReturn:
    """Exit with a sentence on standard error; never a traceback."""
    click.echo(inert(text), err=True)
    raise SystemExit(status)


def shared(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


class _EmptyWhereMissing(dict[str, str]):
    """An environment in which every variable is set, possibly to ""."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)

    def get(self, name: str, default: Any = "") -> Any:
        return super().get(name, default)
