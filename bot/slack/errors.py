"""Slack's refusals, in words that tell the reader what to do; and the meaning of no response.

A refusal (`ok: false`) is definite: the call was not carried out. The exceptions are `internal_error` and `fatal_error`, after
which part of the work may have been done (https://docs.slack.dev/reference/methods/chat.postMessage).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.core.lazy_dataclass import dataclass
from bot.ports import ChannelGone, ChannelNameTaken, ChatError, GroupGone, MessageGone

LIMITED_FOR = timedelta(seconds=30)  # if a 429 does not say how long; the SDK assumes the same
LONGEST_LIMIT = timedelta(hours=1)
DETAIL_MAX = 300

TRANSPORT_ERRORS = (aiohttp.ClientError, TimeoutError)

# Raised before any byte was sent: the call cannot have been carried out.
NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)

LIMITED = frozenset({"ratelimited", "rate_limited", "too_many_requests", "message_limit_exceeded"})
UNCLEAR = frozenset({"internal_error", "fatal_error"})

# Slack's codes for "we cannot post in this channel any more", with words for people.
CHANNEL_GONE = {
    "is_archived": "it was archived",
    "is_inactive": "it was archived",
    "channel_not_found": "it was deleted, or the bot may not see it",
    "not_in_channel": "the bot was removed from it",
}
MESSAGE_GONE = frozenset({"message_not_found", "thread_not_found", "cannot_reply_to_message"})

REINSTALL = "then reinstall the app (api.slack.com/apps, Install App)"
TOKEN = "put a fresh token into `slack.{which}` and start the bot again (`understudy doctor` checks it)"  # noqa: S105 # a sentence
NOT_SLACK = "is `slack.api_url` right, and is there a proxy on the way?"
BOT_TOKEN = TOKEN.format(which="bot_token")


@dataclass(frozen=True)
class Refusal:
    """The meaning of one of Slack's error codes."""

    permanent: bool
    sentence: str


def _no(sentence: str) -> Refusal:
    return Refusal(True, sentence)


def _later(sentence: str) -> Refusal:
    return Refusal(False, sentence)


REFUSALS: Mapping[str, Refusal] = {
    # The token. Not permanent: what waits in the outbox is sent once the token is fixed.
    "not_authed": _later(f"no token was sent: {BOT_TOKEN}"),
    "invalid_auth": _later(f"Slack does not know the token: {BOT_TOKEN}"),
    "token_revoked": _later(f"the token was revoked: {BOT_TOKEN}"),
    "token_expired": _later(f"the token has expired; switch token rotation off in the app's settings, and {BOT_TOKEN}"),
    "account_inactive": _later(f"the app was uninstalled or its bot removed: reinstall the app, and {BOT_TOKEN}"),
    "not_allowed_token_type": _later("the wrong kind of token: are `bot_token` (xoxb-) and `app_token` (xapp-) exchanged?"),
    "no_permission": _no("the app may not do that here: an administrator of the workspace can allow it"),
    "missing_scope": _no(f"the app lacks a scope: add it under OAuth & Permissions, {REINSTALL}"),
    "team_access_not_granted": _no("the app may not work in that workspace: set `slack.team`, or have an administrator add it"),
    "ekm_access_denied": _no("the workspace's administrators have suspended access to messages"),
    "app_access_restricted": _no("the workspace's administrators have restricted this app"),
    # Channels.
    "channel_not_found": _no("there is no such channel, or it is private and I am not in it: create it, or /invite me there"),
    "not_in_channel": _no("I am not in that channel: /invite me there"),
    "access_denied": _no("I may not do that in this channel: /invite me there"),
    "is_archived": _no("the channel is archived: unarchive it in Slack (a bot cannot)"),
    "is_inactive": _no("the channel is archived: unarchive it in Slack (a bot cannot)"),
    "name_taken": _no("a channel of that name exists already, perhaps archived or private"),
    "invalid_name": _no("Slack does not take that channel name"),
    "invalid_name_required": _no("a channel needs a name"),
    "no_channel": _no("a channel needs a name"),
    "invalid_name_maxlength": _no("a channel name has at most 80 characters"),
    "invalid_name_specials": _no("a channel name has lowercase letters, digits, - and _ only"),
    "invalid_name_punctuation": _no("a channel name needs a letter or a digit"),
    "cannot_create_channel": _no("the app may not create channels: an administrator of the workspace can allow it"),
    "restricted_action": _no("the workspace's settings do not let the app do that: an administrator can allow it"),
    "restricted_action_read_only_channel": _no("the channel is read-only for the app: let it post, or name another channel"),
    "restricted_action_thread_only_channel": _no("the channel takes answers in threads only: name another channel"),
    "restricted_action_non_threadable_channel": _no("the channel takes no threads: name another channel"),
    "restricted_action_thread_locked": _no("the thread is locked"),
    "posting_to_channel_denied": _no("the channel does not take posts from the app"),
    "channel_is_limited_access": _no("access to the channel is limited: an administrator can allow it"),
    "method_not_supported_for_channel_type": _no("that is a private channel or a direct message: /invite me there"),
    "too_many_members": _no("the channel has too many members to join it: /invite me there"),
    "too_long": _no("a channel's topic has at most 250 characters"),
    # Messages.
    "no_text": _no("the message is empty"),
    "msg_too_long": _no("the message is too long to be edited in place (4,000 characters)"),
    "msg_blocks_too_long": _no("the message's blocks are too long"),
    "invalid_blocks": _no("Slack does not take the message's blocks"),
    "invalid_blocks_format": _no("Slack does not take the message's blocks"),
    "metadata_too_large": _no("the message's metadata is too long"),
    "message_not_found": _no("the message is gone"),
    "thread_not_found": _no("the thread is gone"),
    "cannot_reply_to_message": _no("the message cannot be answered: it is gone, or not of a kind that has a thread"),
    "cant_update_message": _no("the message is not ours, or I was removed from its channel"),
    "edit_window_closed": _no("the workspace's settings do not let messages be edited any more after so long"),
    "cant_delete_message": _no("the message is not ours"),
    "messages_tab_disabled": _no("direct messages to the app are off: switch on the Messages tab under App Home"),
    "user_not_in_channel": _no("that person is not in the channel"),
    "user_not_found": _no("there is no such person"),
    # Pins, bookmarks, groups, files.
    "not_pinnable": _no("that message cannot be pinned"),
    "too_many_pins": _no("the channel has as many pins as it may have: remove one"),
    "invalid_link": _no("Slack does not take the bookmark's link: it must be an http or https address"),
    "too_many_bookmarks": _no("the channel has as many bookmarks as it may have: remove one"),
    "plan_upgrade_required": _no("user groups need a paid plan of Slack: name the people instead"),
    "paid_teams_only": _no("user groups need a paid plan of Slack: name the people instead"),
    "no_such_subteam": _no("there is no such user group"),
    "file_not_found": _no("Slack does not have the file"),
    "file_deleted": _no("the file was deleted in Slack"),
    "storage_limit_reached": _no("the workspace has no storage left: delete files, or export on the command line"),
    "file_uploads_disabled": _no("the workspace does not allow uploads: export on the command line"),
    "file_upload_size_restricted": _no("the file is larger than the workspace allows: export on the command line"),
    # Interactions.
    "expired_trigger_id": _no("Slack waited too long for the form to open: try again"),
    "exchanged_trigger_id": _no("that click was used already: try again"),
    "hash_conflict": _no("the form was changed meanwhile: try again"),
    # Nothing was done, and the next attempt may succeed.
    "request_timeout": _later("Slack did not receive the whole request"),
    "service_unavailable": _later("Slack is unavailable for the moment"),
    "team_added_to_org": _later("the workspace is being moved into an organization"),
    "external_channel_migrating": _later("the channel is being moved"),
    "update_failed": _later("Slack could not edit the message for the moment"),
    "file_update_failed": _later("Slack could not share the file for the moment"),
}


def refused(error: SlackApiError, method: str) -> ChatError:
    """The meaning of an answer that is not `ok`: a refusal, a rate limit, or a server error."""
    response: Any = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    body: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    code = str(body.get("error") or "")
    if status == 429 or code in LIMITED:
        after = limited_for(getattr(response, "headers", {}))
        return ChatError(
            f"Slack asks to wait {after.total_seconds():.0f} s ({method})",
            code="ratelimited", permanent=False, retry_after=after,
        )  # fmt: skip
    if status >= 500:
        return ChatError(f"Slack answered HTTP {status} ({method})", code="http_5xx", permanent=False, unclear=True)
    if code in UNCLEAR:
        return ChatError(f"Slack failed inside ({method}: {code})", code=code, permanent=False, unclear=True)
    if code:
        return _refusal(code, method, body)
    if status in (0, 200):
        words = f"the answer is not Slack's ({method}): {NOT_SLACK}"
        return ChatError(words, code="unreadable", permanent=False, unclear=True)
    words = f"HTTP {status} instead of an answer of Slack's ({method}): {NOT_SLACK}"
    return ChatError(words, code=f"http_{status}", permanent=False)


def refusal(sentence: str, *, code: str, permanent: bool = True) -> ChatError:
    """A refusal as an exception: a missing channel, message or group, a taken name, or a general one."""
    if code in CHANNEL_GONE:
        return ChannelGone(sentence, code=code, why=CHANNEL_GONE[code], permanent=permanent)
    if code in MESSAGE_GONE:
        return MessageGone(sentence, code=code, permanent=permanent)
    if code == "no_such_subteam":
        return GroupGone(sentence, code=code, permanent=permanent)
    if code == "name_taken":
        return ChannelNameTaken(sentence, code=code, permanent=permanent)
    return ChatError(sentence, code=code, permanent=permanent)


def unanswered(error: Exception, method: str) -> ChatError:
    """The meaning of a broken connection: `unclear`, unless it was never established."""
    if isinstance(error, NEVER_SENT):
        why = f"Slack cannot be reached ({method}): {type(error).__name__}; is the network up, and `slack.api_url` right?"
        return ChatError(why, code="connection", permanent=False)
    if isinstance(error, TimeoutError):
        return ChatError(f"Slack did not answer in time ({method})", code="timeout", permanent=False, unclear=True)
    why = f"the connection to Slack broke off ({method}): {type(error).__name__}"
    return ChatError(why, code="connection", permanent=False, unclear=True)


def limited_for(headers: Mapping[str, str]) -> timedelta:
    """How long a 429 asks to wait: between one second and an hour."""
    try:
        after = timedelta(seconds=float(headers.get("Retry-After") or LIMITED_FOR.total_seconds()))
    except ValueError:
        after = LIMITED_FOR
    return min(max(after, timedelta(seconds=1)), LONGEST_LIMIT)


def _refusal(code: str, method: str, body: Mapping[str, Any]) -> ChatError:
    known = REFUSALS.get(code)
    if known is None:
        return refusal(f"Slack refused {method}: {code}{_details(body)}", code=code)
    sentence = known.sentence
    if code == "missing_scope" and body.get("needed"):
        sentence = f"the app lacks the scope {body['needed']}: add it under OAuth & Permissions, {REINSTALL}"
    return refusal(f"{sentence} ({method}: {code}){_details(body)}", code=code, permanent=known.permanent)


def _details(body: Mapping[str, Any]) -> str:
    """Slack's own diagnosis, such as the position of a bad block; it concerns only our request."""
    messages = (body.get("response_metadata") or {}).get("messages") or []
    text = "; ".join(str(message) for message in messages)
    return f": {text[:DETAIL_MAX]}" if text else ""
