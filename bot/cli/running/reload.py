"""`understudy reload`: let the running bot read its configuration again."""

from pathlib import Path
from threading import Event
from typing import Any

import click

from bot.cli.incident import reach
from bot.cli.options import fail
from bot.cli.output import print_json
from bot.cli.remote import call, said
from bot.system.clock import SystemClock
from bot.views.text import stop

TAKEN_OVER_WITHIN_S = 60.0  # less than the 90 s that systemd allows for a reload
LOOK_EVERY_S = 0.1


@click.command()
@reach
def reload(config_path: Path, data_path: Path | None, as_json: bool) -> None:
    """Make the running bot read its configuration again, and wait until it is in use.

    If the new configuration is invalid or cannot run, it is refused, and nothing changes.
    """
    found = said(call(config_path, data_path, "POST", "/reload", {}))
    if found["changed"]:
        _wait(config_path, data_path, found)
    if as_json:
        print_json({"ok": found["ok"], "changed": found["changed"]})
    elif found["changed"]:
        print(f"Taken over. Changed: {', '.join(found['changed'])}")
    else:
        print("The configuration is as it was.")


def _wait(config_path: Path, data_path: Path | None, asked: dict[str, Any]) -> None:
    """Wait until it is in use; exits with status 1 if it was refused."""
    clock = SystemClock()
    until = clock.monotonic() + TAKEN_OVER_WITHIN_S
    while clock.monotonic() < until:
        reply = call(config_path, data_path, "GET", "/reload")
        if not reply.running:
            break
        if reply.status != 503:  # the previous bot has stopped, and the next is still restoring its state
            state = said(reply)
            if state["ended"] > asked["ended"]:
                if state["refused"]:
                    fail(
                        f"The new configuration is valid but cannot run, so the old one stays in use: {stop(state['refused'])}"
                    )
                return
            if not state["under_way"]:
                break  # counters start at zero: it was restarted
        Event().wait(LOOK_EVERY_S)
    fail("Whether the new configuration is in use is not known: the bot ended or hangs. Look at its log.")
