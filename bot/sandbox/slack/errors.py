"""Refusals of the Web API, and the codes that any method may give."""

from typing import Any


class SlackError(Exception):
    """A refused call: becomes `{"ok": false, "error": code}` with `messages` in `response_metadata`."""

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.extra = extra


class RateLimited(SlackError):  # noqa: N818 - the state that the reply is in
    """A call over a limit: HTTP 429 with `Retry-After`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("ratelimited")
        self.retry_after_s = retry_after_s


class SlackbotSays(Exception):  # noqa: N818 - Slackbot speaks, and what it says is the point
    """What Slack itself tells the person when the app did not answer a command, a click or a form."""


class ModalErrors(Exception):  # noqa: N818 - named after what the form shows
    """The form was refused; `errors` maps each block_id to the text under its field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{block}: {text}" for block, text in errors.items()))
        self.errors = errors


class NotThere(AssertionError):  # noqa: N818 - an assertion of a test, not an error of the program
    """The person looked for something on the screen and it is not there; the text lists what is."""


COMMON = frozenset(
    {
        "invalid_arguments",
        "invalid_auth",
        "invalid_json",
        "invalid_post_type",
        "json_not_object",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "ratelimited",
        "unknown_method",
    }
)
"""Codes that any method may give before its own work begins."""
