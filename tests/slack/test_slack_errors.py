"""Slack's error codes in our words."""

import json
from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import LIMITED, REFUSALS, UNCLEAR, limited_for, refused, unanswered
from tests.truth import truth_dir

# Every method that the gateway, the preflight and the commands call.
CALLED = (
    "apps.connections.open", "auth.test", "bookmarks.add", "bookmarks.list", "chat.delete", "chat.postEphemeral",
    "chat.postMessage", "chat.update", "conversations.create", "conversations.history", "conversations.info",
    "conversations.invite", "conversations.join", "conversations.list", "conversations.replies", "conversations.setTopic",
    "files.completeUploadExternal", "files.getUploadURLExternal", "files.info", "pins.add", "usergroups.users.list",
    "users.conversations", "views.open",
)  # fmt: skip

# Not documented for any method: common to all, or seen in practice.
COMMON = {
    "account_inactive", "invalid_auth", "invalid_name", "missing_scope", "no_permission", "not_allowed_token_type",
    "not_authed", "paid_teams_only", "request_timeout", "service_unavailable", "team_added_to_org", "token_expired",
    "token_revoked", "is_archived", "not_in_channel", "hash_conflict", "exchanged_trigger_id", "expired_trigger_id",
    "ekm_access_denied", "team_access_not_granted",
}  # fmt: skip


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> SlackApiError:
    response = AsyncSlackResponse(
        client=AsyncWebClient.__new__(AsyncWebClient), http_verb="POST", api_url="https://slack.com/api/chat.postMessage",
        req_args={}, data=body, headers=headers or {}, status_code=status,
    )  # fmt: skip
    return SlackApiError("failed", response)


@pytest.mark.parametrize(
    ("status", "body", "code", "permanent", "unclear"),
    [
        (200, {"ok": False, "error": "is_archived"}, "is_archived", True, False),
        (200, {"ok": False, "error": "brand_new_refusal"}, "brand_new_refusal", True, False),
        (200, {"ok": False, "error": "fatal_error"}, "fatal_error", False, True),
        (200, {"ok": False, "error": "service_unavailable"}, "service_unavailable", False, False),
        (200, {"ok": False, "error": "ratelimited"}, "ratelimited", False, False),
        (200, {}, "unreadable", False, True),
        (404, {}, "http_404", False, False),
        (429, {"ok": False, "error": "ratelimited"}, "ratelimited", False, False),
        (429, {}, "ratelimited", False, False),
        (500, {}, "http_5xx", False, True),
        (503, {"ok": False, "error": "service_unavailable"}, "http_5xx", False, True),
    ],
)
def test_error_codes_map_to_permanent_or_unclear(status: int, body: object, code: str, permanent: bool, unclear: bool) -> None:
    """The outbox decides by these two."""
    error = refused(answer(status, body), "chat.postMessage")

    assert (code, permanent, unclear) == (error.code, error.permanent, error.unclear)
    assert "chat.postMessage" in str(error)


def test_slacks_detailed_messages_are_passed_on() -> None:
    """They say which block is wrong."""
    messages = ["[ERROR] must be less than 76 characters [json-pointer:/blocks/3/elements/0/text/text]"]
    body = {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": messages}}

    assert "/blocks/3/elements/0/text/text" in str(refused(answer(200, body), "chat.postMessage"))


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 1), ("0.5", 1), ("soon", 30), ("", 30), ("999999", 3600), ("-3", 1)]
)
def test_retry_after_is_kept_within_bounds(header: str, seconds: int) -> None:
    """One second to an hour, and thirty seconds if unreadable."""
    assert timedelta(seconds=seconds) == limited_for({"Retry-After": header})


@pytest.mark.parametrize(
    ("error", "code", "unclear"),
    [
        (TimeoutError(), "timeout", True),
        (aiohttp.ServerDisconnectedError(), "connection", True),
        (aiohttp.ClientOSError(104, "reset"), "connection", True),
        (aiohttp.SocketTimeoutError(), "timeout", True),
        (aiohttp.ConnectionTimeoutError(), "connection", False),
        (aiohttp.ClientConnectorError(None, OSError(111, "refused")), "connection", False),  # type: ignore[arg-type]
        (aiohttp.InvalidURL("nowhere"), "connection", False),
    ],
)
def test_missing_reply_is_unclear_once_the_request_may_have_left(error: Exception, code: str, unclear: bool) -> None:
    """Only a connection that was never made is certain."""
    found = unanswered(error, "chat.postMessage")

    assert (code, False, unclear) == (found.code, found.permanent, found.unclear)


def test_every_explained_code_is_one_of_slacks() -> None:
    """No sentence explains a code that Slack does not have."""
    truth = truth_dir()
    if truth is None:
        pytest.skip("the folder of truth data is not here")
    methods = json.loads((truth / "slack" / "methods.json").read_text("utf-8"))
    methods = methods.get("methods", methods)
    documented = {code for method in CALLED for code in methods[method]["errors"]}

    assert [] == sorted(set(REFUSALS) - documented - COMMON)
    assert not set(REFUSALS) & (LIMITED | UNCLEAR)


def test_no_explanation_ends_in_a_full_stop() -> None:
    """The call and the code follow it."""
    assert [] == [code for code, refusal in REFUSALS.items() if refusal.sentence.endswith(".")]
