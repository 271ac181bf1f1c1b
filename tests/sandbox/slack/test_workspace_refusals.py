"""Every refusal of the workspace, provoked through the SDK's real client."""

import inspect
import re
from typing import Any

import aiohttp
import pytest
from slack_refusals import ROWS, Row
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient
from slack_stage import SETTINGS, Stage, furnish

from bot.sandbox.slack import LocalWorkspace, Settings
from bot.sandbox.slack.errors import COMMON
from bot.sandbox.slack.web_api import EMITS


def sdk_method(client: AsyncWebClient, method: str) -> Any:
    """The SDK's function for a method: `conversations.setTopic` is `conversations_setTopic`."""
    return getattr(client, method.replace(".", "_"))


async def refusal(client: AsyncWebClient, method: str, args: dict[str, Any]) -> str:
    """The error code that a call gets; "" when it is accepted."""
    call = sdk_method(client, method)
    try:
        try:
            await call(**args)
        except (TypeError, SlackRequestError):  # the SDK itself refuses to leave this out
            await client.api_call(method, params=args)
    except SlackApiError as error:
        return str(error.response["error"])
    return ""


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing:UserWarning")
@pytest.mark.filterwarnings("ignore:The `text` argument is missing:UserWarning")
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_call_is_refused_with_its_code(stage: Stage, row: Row) -> None:
    """Each row of the table gets the error code that it names."""
    made = row.args(stage)
    args = await made if inspect.isawaitable(made) else made

    assert row.code == await refusal(stage.client, row.method, args)


def test_table_has_every_refusal_that_the_server_can_give() -> None:
    """A new refusal needs a row, and a row needs a refusal."""
    provoked = {(row.method, row.code) for row in ROWS}
    emitted = {(method, code) for method, codes in EMITS.items() for code in codes}

    assert emitted == provoked


async def _raw(stage: Stage, body: bytes, kind: str) -> str:
    headers = {"Authorization": f"Bearer {stage.ws.bot_token}", "Content-Type": kind}
    url = stage.ws.api_url + "chat.postMessage"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return str((await response.json())["error"])


def _as(stage: Stage, token: str | None) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=stage.ws.api_url, session=stage.client.session, retry_handlers=[])


async def _common(stage: Stage) -> dict[str, str]:
    """Each common code, and what a call that should provoke it returned."""
    poor = LocalWorkspace(scopes=["chat:write"], settings=Settings(messages_burst=1))
    async with poor:
        other = furnish(poor, stage.client.session)
        await other.client.chat_postMessage(channel=other.ana.id, text="one")
        limited = await refusal(other.client, "chat.postMessage", {"channel": other.ana.id, "text": "two"})
        lacking = await refusal(other.client, "conversations.create", {"name": "x"})
    return {
        "invalid_arguments": await refusal(stage.client, "conversations.info", {"channel": stage.ops, "colour": "red"}),
        "invalid_auth": await refusal(_as(stage, "xoxb-wrong"), "auth.test", {}),
        "invalid_json": await _raw(stage, b"{", "application/json"),
        "invalid_post_type": await _raw(stage, b"x", "text/plain"),
        "json_not_object": await _raw(stage, b"[]", "application/json"),
        "missing_scope": lacking,
        "not_allowed_token_type": await refusal(_as(stage, stage.ws.app_token), "auth.test", {}),
        "not_authed": await refusal(_as(stage, None), "auth.test", {}),
        "ratelimited": limited,
        "unknown_method": await _unknown(stage),
    }


async def _unknown(stage: Stage) -> str:
    with pytest.raises(SlackApiError) as caught:
        await stage.client.api_call("conversations.destroy")
    return str(caught.value.response["error"])


async def test_common_refusals_come_before_the_method_runs(stage: Stage) -> None:
    """Every common code is provoked: token, scope, rate, form of the request."""
    got = await _common(stage)

    assert {code: code for code in COMMON} == got


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("chat.postMessage", {"text": "no channel"}),
        ("views.open", {"view": {"type": "modal"}}),
        ("conversations.create", {"name": "x", "is_private": "perhaps"}),
        ("conversations.history", {"channel": "C1", "limit": "many"}),
        ("bookmarks.add", {"channel_id": "C1", "type": "link"}),
        ("files.completeUploadExternal", {"files": "[]"}),
        ("files.getUploadURLExternal", {"filename": "a", "length": 0}),
        ("views.publish", {"user_id": "U0", "view": {"type": "home", "blocks": []}}),
        ("users.conversations", {"user": "U0"}),
    ],
)
async def test_missing_or_mistyped_arguments_are_refused(stage: Stage, method: str, args: Any) -> None:
    """Required arguments, and the types of all."""
    args = {name: (stage.ops if value == "C1" else value) for name, value in args.items()}

    with pytest.raises(SlackApiError) as caught:
        await stage.client.api_call(method, json=args)

    assert "invalid_arguments" == caught.value.response["error"]


async def test_invite_refuses_more_people_than_one_call_allows(stage: Stage) -> None:
    """The current documentation says a hundred."""
    users = ",".join(["U0000000000"] * (SETTINGS.invite_max + 1))

    assert "invalid_arguments" == await refusal(stage.client, "conversations.invite", {"channel": stage.ops, "users": users})


async def test_forced_invite_adds_everybody_it_can(stage: Stage) -> None:
    """`force` continues past bad ids and names them."""
    reply = await stage.client.conversations_invite(channel=stage.den, users=f"U0000000000,{stage.ben.id}", force=True)

    assert [{"user": "U0000000000", "ok": False, "error": "user_not_found"}] == reply["errors"]
    assert stage.ben.id in stage.ws.channel("den").members


async def test_missing_scope_names_needed_and_provided_scopes(session: aiohttp.ClientSession) -> None:
    """The reply lets a person fix the manifest."""
    async with LocalWorkspace(scopes=["chat:write"]) as ws:
        stage = furnish(ws, session)
        with pytest.raises(SlackApiError) as caught:
            await stage.client.pins_list(channel=stage.ops)

    assert ("pins:read", "chat:write") == (caught.value.response["needed"], caught.value.response["provided"])


@pytest.mark.parametrize(
    ("method", "args", "needed"),
    [
        ("conversations.create", {"name": "x", "is_private": True}, "groups:write"),
        ("conversations.list", {"types": "private_channel"}, "groups:read"),
        ("conversations.open", {"users": "ANA"}, "im:write"),
    ],
)
async def test_needed_scope_depends_on_the_kind_of_channel(
    session: aiohttp.ClientSession,
    method: str,
    args: dict[str, Any],
    needed: str,
) -> None:
    """channels:* does not open private channels."""
    async with LocalWorkspace() as ws:
        stage = furnish(ws, session)
        args = {name: stage.ana.id if value == "ANA" else value for name, value in args.items()}
        with pytest.raises(SlackApiError) as caught:
            await sdk_method(stage.client, method)(**args)

    assert needed == caught.value.response["needed"]


async def test_refused_blocks_come_with_the_place_of_each_problem(stage: Stage) -> None:
    """The reply has a JSON pointer for each."""
    with pytest.raises(SlackApiError) as caught:
        await stage.client.chat_postMessage(channel=stage.ops, text="x", blocks=[{"type": "section"}])

    (message,) = caught.value.response["response_metadata"]["messages"]
    assert re.fullmatch(r"\[ERROR\] .* \[json-pointer:/blocks/0\]", message)
