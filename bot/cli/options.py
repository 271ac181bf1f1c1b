"""Options and errors that all verbs share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from bot.config.errors import ConfigErrors
from bot.config.load import Loaded, load

CONFIG_EXIT = 2

config_option = click.option(
    "--config", "config_path", type=click.Path(path_type=Path), default=Path("understudy.yaml"), show_default=True,
    help="The configuration file.",
)  # fmt: skip
data_option = click.option(
    "--data",
    "data_path",
    type=click.Path(path_type=Path),
    default=None,
    help="The data folder; the configuration's when not given.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def load_or_exit(path: Path, *, lenient: bool = False) -> Loaded:
    """Read the configuration, or end with every error of it and exit status 2."""
    try:
        return load(path, os.environ, lenient_credentials=lenient)
    except ConfigErrors as errors:
        fail(str(errors), CONFIG_EXIT)


def data_folder(config_path: Path, data_path: Path | None) -> Path:
    """The data folder: as named, as configured, or `./data` where there is no configuration to ask."""
    if data_path is not None:
        return data_path
    if not config_path.exists():
        return Path("data")
    return load_or_exit(config_path, lenient=True).config.data


def fail(text: str, status: int = 1) -> NoReturn:
    """End with a sentence on standard error; never a traceback."""
    click.echo(text, err=True)
    raise SystemExit(status)


def shared(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
