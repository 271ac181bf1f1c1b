"""How the gateway handles Slack's behavior, beyond the contract for every chat."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from slack_house import QUICK, login

from bot.ports import ChatError, Message, Place
from bot.sandbox.slack import BOT_SCOPES, LocalWorkspace, Settings
from bot.slack.client import SlackLogin, proxy_for
from bot.slack.gateway import SlackGateway
from bot.slack.lookup import metadata

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HELLO = Message("Claude API: degraded since 12:40 UTC")


def methods(workspace: LocalWorkspace) -> list[str]:
    return [call.method for call in workspace.calls]


# --- posts


async def test_post_has_text_key_and_no_link_previews(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """A link in a vendor's notice must not unfold into a picture of its page."""
    ops = workspace.add_channel("ops", members=("understudy",))

    await gateway.post(Place(ops), Message("words", ({"type": "divider"},)), "INC-7/alert")

    args = workspace.calls[-1].args
    assert ("words", False, False) == (args["text"], args["unfurl_links"], args["unfurl_media"])
    assert metadata("INC-7/alert") == workspace.messages(ops)[0].metadata


async def test_post_by_channel_name_finds_and_joins_the_channel(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """`#ops` works without an invitation."""
    ops = workspace.add_channel("ops")

    assert ops == (await gateway.post(Place("#ops"), HELLO, "k")).channel


async def test_post_after_removal_from_the_channel_may_be_retried(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """The next look-up joins again, so the refusal is not permanent."""
    ops = workspace.add_channel("ops")
    await gateway.find_channel("#ops")
    workspace.channel(ops).members.remove(workspace.bot_user_id)

    with pytest.raises(ChatError) as caught:
        await gateway.post(Place(ops), HELLO, "k")
    await gateway.post(Place(await gateway.find_channel("#ops")), HELLO, "k")

    assert ("not_in_channel", False) == (caught.value.code, caught.value.permanent)
    assert 1 == len(workspace.messages(ops))


async def test_posts_into_one_channel_are_paced(workspace: LocalWorkspace) -> None:
    """They never reach Slack's limit for a channel, and other channels do not wait."""
    patience = replace(QUICK, post_every_s=0.2)
    gateway = SlackGateway(login(workspace), patience=patience)
    ops, dev = (workspace.add_channel(name, members=("understudy",)) for name in ("ops", "dev"))
    loop = asyncio.get_running_loop()
    began = loop.time()

    many = asyncio.gather(*(gateway.post(Place(ops), HELLO, str(n)) for n in range(5)))
    await gateway.post(Place(dev), HELLO, "k")
    other = loop.time() - began
    await many
    took = loop.time() - began
    await gateway.close()

    assert other < 0.2 < 0.4 <= took  # three at once, then one every 0.2 s
    assert ["0", "1", "2", "3", "4"] == [m.metadata["event_payload"]["key"] for m in workspace.messages(ops) if m.metadata]


async def test_rate_limited_channel_refuses_the_next_post(workspace: LocalWorkspace) -> None:
    """Slack's limit overrides our own pace: the next sender is told when to come back."""
    gateway = SlackGateway(login(workspace), patience=replace(QUICK, longest_turn_s=0.5))
    ops = workspace.add_channel("ops", members=("understudy",))
    workspace.faults.add("chat.postMessage", "429", retry_after=9)

    codes = []
    for key in ("a", "b"):
        with pytest.raises(ChatError) as caught:
            await gateway.post(Place(ops), HELLO, key)
        codes.append(caught.value.code)
    await gateway.close()

    assert ["ratelimited", "paced"] == codes
    assert caught.value.retry_after is not None
    assert timedelta(seconds=8) < caught.value.retry_after <= timedelta(seconds=9)


@pytest.mark.parametrize(
    ("fault", "code", "unclear", "stands"),
    [
        ("500_before", "http_5xx", True, 0),
        ("500_after", "http_5xx", True, 1),
        ("drop_after", "connection", True, 1),
        ("hang", "timeout", True, 0),
        ("hang_after", "timeout", True, 1),
        ("error:internal_error", "internal_error", True, 0),
        ("error:service_unavailable", "service_unavailable", False, 0),
    ],
)
async def test_post_without_a_reply_is_unclear(
    workspace: LocalWorkspace, gateway: SlackGateway, fault: str, code: str, unclear: bool, stands: int
) -> None:
    """The gateway does not repeat it; the outbox looks whether it arrived."""
    ops = workspace.add_channel("ops", members=("understudy",))
    workspace.faults.add("chat.postMessage", fault)

    with pytest.raises(ChatError) as caught:
        await gateway.post(Place(ops), HELLO, "k")

    assert (code, False, unclear) == (caught.value.code, caught.value.permanent, caught.value.unclear)
    assert 1 == methods(workspace).count("chat.postMessage") or fault == "hang"
    assert stands == len(workspace.messages(ops))


async def test_post_over_a_refused_connection_was_certainly_not_made(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """Trying again at once is safe."""
    ops = workspace.add_channel("ops", members=("understudy",))
    await gateway.identity()
    await workspace.faults.offline()
    assert gateway.api.web.session is not None
    await gateway.api.web.session.close()  # close the connections made so far

    with pytest.raises(ChatError) as caught:
        await gateway.post(Place(ops), HELLO, "k")

    assert ("connection", False, False) == (caught.value.code, caught.value.permanent, caught.value.unclear)


async def test_error_from_a_wrong_address_says_what_to_check(workspace: LocalWorkspace) -> None:
    """Such as a wrong api_url, or the login page of a proxy."""
    elsewhere = SlackGateway(replace(login(workspace), api_url=workspace.page_url), patience=QUICK)

    with pytest.raises(ChatError) as caught:
        await elsewhere.post(Place("C0700000000"), HELLO, "k")
    await elsewhere.close()

    assert "slack.api_url" in str(caught.value)
    assert not caught.value.permanent


async def test_error_names_the_missing_scope() -> None:
    """What to add, and where."""
    async with LocalWorkspace(scopes=[scope for scope in BOT_SCOPES if scope != "pins:write"]) as workspace:
        gateway = SlackGateway(login(workspace), patience=QUICK)
        ops = workspace.add_channel("ops", members=("understudy",))
        at = await gateway.post(Place(ops), HELLO, "k")

        with pytest.raises(ChatError) as caught:
            await gateway.pin(at)
        await gateway.close()

    assert ("missing_scope", True) == (caught.value.code, caught.value.permanent)
    assert "pins:write" in str(caught.value)


async def test_printed_errors_and_logins_hide_the_tokens(workspace: LocalWorkspace) -> None:
    """Errors reach the timeline and the log."""
    wrong = SlackGateway(SlackLogin(workspace.api_url, "xoxb-canary", "xapp-canary"), patience=QUICK)

    with pytest.raises(ChatError) as caught:
        await wrong.identity()
    await wrong.close()

    assert ("invalid_auth", False) == (caught.value.code, caught.value.permanent)
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__} {login(workspace)!r}"
    assert workspace.bot_token not in repr(login(workspace))


# --- looking up


async def test_key_in_a_message_of_another_app_does_not_count(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """Any app can write metadata; only a message of our own bot proves that we posted."""
    ops = workspace.add_channel("ops", members=("understudy",))
    eve = workspace.add_user("eve")
    workspace.team.post(workspace.channel(ops), eve.id, "forged", metadata=metadata("INC-7/alert"))

    assert await gateway.find_post(Place(ops), "INC-7/alert", LONG_AGO) is None


async def test_message_is_found_behind_many_newer_pages(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """History comes in pages, newest first."""
    ops = workspace.add_channel("ops", members=("understudy",))
    eve = workspace.add_user("eve")
    at = await gateway.post(Place(ops), HELLO, "first")
    for n in range(450):
        workspace.team.post(workspace.channel(ops), eve.id, f"chatter {n}")

    assert at == await gateway.find_post(Place(ops), "first", LONG_AGO)
    assert 3 == methods(workspace).count("conversations.history")


async def test_reply_is_not_found_if_its_thread_is_deleted(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """A deleted root takes its replies along."""
    ops = workspace.add_channel("ops", members=("understudy",))

    assert await gateway.find_post(Place(ops, "1700000000.000001"), "k", LONG_AGO) is None


# --- channels


async def test_channel_is_found_on_a_later_page(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """And looked up only once."""
    for n in range(230):
        workspace.add_channel(f"chan-{n}")
    ops = workspace.add_channel("ops")

    assert ops == await gateway.find_channel("#ops")
    asked = len(workspace.calls)
    assert ops == await gateway.find_channel("#ops")
    assert asked == len(workspace.calls)


@pytest.mark.parametrize("written", ["#ops", "ops", "<#{id}|ops>", "<#{id}>", "{id}"])
async def test_channel_is_found_by_name_id_or_link(workspace: LocalWorkspace, gateway: SlackGateway, written: str) -> None:
    """People write channels in each of these ways."""
    ops = workspace.add_channel("ops")

    assert ops == await gateway.find_channel(written.format(id=ops))


async def test_private_channel_id_is_accepted_without_groups_read(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """An invited bot can post there without being able to look it up."""
    ops = workspace.add_channel("secret-ops", private=True, members=("understudy",))

    at = await gateway.post(Place(await gateway.find_channel(ops)), HELLO, "k")

    assert ops == at.channel


async def test_private_channels_are_created_listed_and_found() -> None:
    """If incidents are private and the scopes are granted."""
    async with LocalWorkspace(scopes=[*BOT_SCOPES, "groups:write", "groups:read", "groups:history"]) as workspace:
        gateway = SlackGateway(login(workspace), private=True, patience=QUICK)
        made = await gateway.create_channel("inc-0007", True)

        assert made in await gateway.own_channels()
        assert made.id == await gateway.find_channel("#inc-0007")
        assert workspace.channel("inc-0007").is_private
        await gateway.close()


# --- invitations


async def test_group_larger_than_one_call_is_invited_completely(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """Slack accepts a hundred people per call."""
    ops = workspace.add_channel("ops", members=("understudy",))
    people = [workspace.add_user(f"user{n}") for n in range(205)]
    oncall = workspace.add_group("oncall", "On call", people)

    problems = await gateway.invite(ops, [f"<!subteam^{oncall}|@oncall>", f"<@{people[0].id}>"])

    assert [] == problems
    assert {person.id for person in people} <= set(workspace.channel(ops).members)
    assert 3 == methods(workspace).count("conversations.invite")


async def test_people_are_invited_even_if_groups_need_a_paid_plan() -> None:
    """One sentence for the group, and the named people are added."""
    async with LocalWorkspace(settings=Settings(paid_plan=False)) as workspace:
        gateway = SlackGateway(login(workspace), patience=QUICK)
        ops, ana = workspace.add_channel("ops", members=("understudy",)), workspace.add_user("ana")

        problems = await gateway.invite(ops, ["S07ONCALL", ana.id, "@bob"])
        await gateway.close()

        assert ana.id in workspace.channel(ops).members
    assert 2 == len(problems)
    assert "paid plan" in problems[0]
    assert problems[1].startswith("@bob is nobody: write the id")


async def test_invitation_into_a_missing_channel_fails_as_a_whole(gateway: SlackGateway) -> None:
    """The error is not about one person."""
    with pytest.raises(ChatError) as caught:
        await gateway.invite("C0NOWHERE0", ["U0ANA"])

    assert ("channel_not_found", True) == (caught.value.code, caught.value.permanent)


# --- files


async def test_file_that_slack_accepts_but_never_shows_is_an_error(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """The caller is told, although Slack said yes."""
    ops = workspace.add_channel("ops", members=("understudy",))
    workspace.faults.lose_shares(1)
    file = await gateway.start_upload("INC-7.md", b"# INC-7")

    with pytest.raises(ChatError) as caught:
        await gateway.share_upload(file, "INC-7", Place(ops), "Timeline")

    assert ("share_lost", True) == (caught.value.code, caught.value.permanent)


async def test_file_is_shared_once_if_the_reply_was_lost(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """The second attempt sees that the first one worked."""
    ops = workspace.add_channel("ops", members=("understudy",))
    root = await gateway.post(Place(ops), HELLO, "root")
    file = await gateway.start_upload("INC-7.md", b"# INC-7")
    workspace.faults.add("files.completeUploadExternal", "drop_after")

    with pytest.raises(ChatError) as caught:
        await gateway.share_upload(file, "INC-7", Place(ops, root.ts), "Timeline")
    await gateway.share_upload(file, "INC-7", Place(ops, root.ts), "Timeline")

    assert caught.value.unclear
    assert ["Timeline"] == [message.text for message in workspace.messages(ops, thread_ts=root.ts)][1:]


async def test_file_is_assumed_shared_without_files_read() -> None:
    """Nobody can check whether it arrived."""
    async with LocalWorkspace(scopes=[scope for scope in BOT_SCOPES if scope != "files:read"]) as workspace:
        gateway = SlackGateway(login(workspace), patience=QUICK)
        ops = workspace.add_channel("ops", members=("understudy",))

        await gateway.share_upload(await gateway.start_upload("INC-7.md", b"#"), "INC-7", Place(ops), "Timeline")
        await gateway.close()

    assert "files.completeUploadExternal" in methods(workspace)


# --- the machine's proxy


@pytest.mark.parametrize(
    ("no_proxy", "url", "expected"),
    [
        ("", "https://slack.com/api/", "http://proxy.example.com:3128"),
        ("slack.com", "https://slack.com/api/", None),
        ("", "http://127.0.0.1:8080/api/", None),
        ("", "http://localhost:8080/api/", None),
    ],
)
def test_machines_proxy_is_used_only_for_addresses_it_covers(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, expected: str | None
) -> None:
    """The SDK would use it for loopback too, since it ignores NO_PROXY."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example.com:3128")
        monkeypatch.setenv(name.lower(), "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    monkeypatch.setenv("no_proxy", no_proxy)

    assert expected == proxy_for(url)
