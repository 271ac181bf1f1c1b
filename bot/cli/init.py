"""`understudy init`: asks what you use, writes the first configuration, and explains how to create the Slack app."""

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

import click
import yaml

from bot.cli.options import CONFIG_EXIT, fail
from bot.cli.output import print_text
from bot.config.first_file import KEYS, FirstFileOptions, first_file
from bot.config.load import Loaded, load
from bot.config.presets import preset_names
from bot.config.reading.errors import ConfigErrors, suggest
from bot.ports.signed_requests import REQUEST_PATH
from bot.wiring.manifest import manifest_for

NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_yaml="
MOST_URLS = 20
WIDE = 1_000  # so that no line is folded
CHANNEL = re.compile(r"#?[\w-]{1,80}")
SERVICE = re.compile(r"[a-z][a-z0-9-]{0,39}")


@click.command()
@click.option("--provider", "providers", multiple=True, help="A preset to watch, such as anthropic; may be repeated.")
@click.option("--url", "urls", multiple=True, help="An address of your own to watch; may be repeated.")
@click.option("--slack", type=click.Choice(["socket", "http", "none"]), default=None, help="How Slack is reached.")
@click.option("--channel", default=None, help="Where alerts go, such as #ops.")
@click.option("--public-url", default=None, help="How the internet reaches the bot; Slack needs it in http mode.")
@click.option("--service", default=None, help="The service that falls back; it names the first flag. Empty for none.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("understudy.yaml"), show_default=True, help="The file.")
def init(
    providers: tuple[str, ...], urls: tuple[str, ...], slack: str | None, channel: str | None, public_url: str | None,
    service: str | None, output: Path,
) -> None:  # fmt: skip
    """Ask what you use and write the first configuration.

    On a terminal it asks for what no option gives; elsewhere it takes the defaults. It never overwrites a file.
    """
    if output.exists():
        fail(f"{output} is there already and is left alone. Name another file with --output.", CONFIG_EXIT)
    asked = sys.stdin.isatty()
    if not (providers or urls):
        providers, urls = _asked_what(asked)
    slack = slack or _answer("Slack: socket, http or none", "socket", asked)
    if slack == "http" and public_url is None:
        public_url = _answer("Public https address of the bot", "", asked)
    if slack != "none" and channel is None:
        channel = _answer("Channel for alerts", "#ops", asked)
    if service is None:
        service = _answer("Service that needs a fallback (- for none)", "support-chat", asked).strip("-")
    wanted = _parsed(FirstFileOptions(providers, urls, slack, channel or "", (public_url or "").rstrip("/"), service))
    _told(wanted, _written(wanted, output), output)


def _asked_what(asked: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Presets and addresses; presets whose keys are in the environment are suggested."""
    likely = [preset for preset, key in KEYS.items() if os.environ.get(key)] or ["anthropic", "openai"]
    presets = _answer(f"Providers ({', '.join(preset_names())})", " ".join(likely), asked)
    urls = _answer("Your own addresses to watch (https://..., - for none)", "-", asked)
    return tuple(re.split(r"[,\s]+", presets.strip())), tuple(url for url in re.split(r"[,\s]+", urls.strip()) if url != "-")


def _answer(question: str, default: str, asked: bool) -> str:
    return str(click.prompt(question, default=default, err=True)).strip() if asked else default


def _parsed(wanted: FirstFileOptions) -> FirstFileOptions:
    """The parsed answers; exits with what is wrong and the remedy."""
    for preset in wanted.presets:
        if preset not in preset_names():
            fail(f"There is no preset {preset!r}. {suggest(preset, preset_names(), 'presets')}", CONFIG_EXIT)
    for url in wanted.urls:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            fail(f"{url!r} is not an address. Write it as https://status.example.com/health.", CONFIG_EXIT)
    if len(wanted.urls) > MOST_URLS:
        fail(
            f"{len(wanted.urls)} addresses are many for a first file; add the rest to it, at most {MOST_URLS} here.",
            CONFIG_EXIT,
        )
    if wanted.slack not in ("socket", "http", "none"):
        fail(f"slack is socket, http or none, not {wanted.slack!r}.", CONFIG_EXIT)
    if wanted.slack == "http" and not wanted.public_url.startswith("https://"):
        fail("In http mode Slack sends to https addresses only: give yours with --public-url.", CONFIG_EXIT)
    if wanted.slack != "none" and not CHANNEL.fullmatch(wanted.channel):
        fail(f"{wanted.channel!r} names no channel. Write it as #ops, or as its ID.", CONFIG_EXIT)
    if wanted.service and not SERVICE.fullmatch(wanted.service):
        fail(f"{wanted.service!r} cannot name a flag: at most 40 of a-z, 0-9 and -, a letter first.", CONFIG_EXIT)
    return wanted


def _written(wanted: FirstFileOptions, output: Path) -> Loaded:
    """Write the file and load it as the bot will; an invalid one is deleted again."""
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(first_file(wanted))
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}. Name another file with --output.", CONFIG_EXIT)
    try:
        return load(output, os.environ, lenient_credentials=True)
    except ConfigErrors as errors:
        output.unlink()
        fail(str(errors), CONFIG_EXIT)


def _told(wanted: FirstFileOptions, loaded: Loaded, output: Path) -> None:
    """Print what was written, and the remaining steps."""
    flag = f"the flag {wanted.service}.llm" if loaded.config.flags else "no flag"
    checks = len(loaded.config.checks())
    off = f" ({len(loaded.off_checks)} of them off until a key is set)" if loaded.off_checks else ""
    print_text(f"Wrote {output}: {checks} check{'s' * (checks != 1)}{off} and {flag}.\n\nNext:")
    steps = [f"Set {', '.join(wanted.variables)}. The read token is any long secret: openssl rand -hex 24"]
    if wanted.slack != "none":
        secret = "make an app-level token with connections:write" if wanted.slack == "socket" else "copy its signing secret"
        request_url = wanted.public_url + REQUEST_PATH if wanted.slack == "http" else ""
        link = NEW_APP + quote(yaml.safe_dump(manifest_for(request_url=request_url), sort_keys=False, width=WIDE), safe="")
        steps.insert(0, f"Create the Slack app from this link, install it, copy its bot token, and {secret}:\n\n{link}\n")
    else:
        brings = "" if find_spec("apprise") else ", for which you need `pip install 'understudy[notify]'`"
        steps.insert(0, f"Without Slack, alerts reach you by `notify`: set UNDERSTUDY_NOTIFY_URL to an Apprise URL{brings}.")
    where = "" if output == Path("understudy.yaml") else f" --config {output}"
    steps.append(f"Run `understudy check{where}`, then `understudy doctor{where}`, then `understudy run{where}`.")
    for number, step in enumerate(steps, start=1):
        print_text(f"{number}. {step}")
