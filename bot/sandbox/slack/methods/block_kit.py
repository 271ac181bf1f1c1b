"""blocks.validate: judges blocks, a message or a view, and posts nothing."""

import re

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.block_kit.blocks import check_blocks, check_view
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.team import Team

PAYLOADS = ("blocks", "view", "message")
NOTED = re.compile(r"\[ERROR\] (?P<message>.*) \[json-pointer:(?P<pointer>.*)\]")


def validate(team: Team, args: Args) -> Json:
    given = [name for name in PAYLOADS if name in args]
    if len(given) != 1:
        raise SlackError("invalid_arguments", "must provide exactly one of `blocks`, `view`, or `message`")
    [kind] = given
    payload = args.structure(kind, "invalid_arguments")
    if kind == "view":
        problems = check_view(payload)
    elif kind == "blocks":
        problems = check_blocks(payload, surface="message", at="")
    else:
        problems = check_blocks(payload.get("blocks", []) if isinstance(payload, dict) else payload, surface="message")
    if problems:
        raise SlackError(f"invalid_{kind}", errors=[_error(problem) for problem in problems])
    return {}


def _error(problem: str) -> Json:
    found = NOTED.fullmatch(problem)
    assert found  # noqa: S101 # every finding is noted in this form
    return {"code": "failed_constraint", **found.groupdict()}


METHODS = {"blocks.validate": validate}
EMITS = {"blocks.validate": ("invalid_blocks", "invalid_message", "invalid_view")}
