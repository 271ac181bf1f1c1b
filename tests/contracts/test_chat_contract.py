"""What every `bot.ports.Chat` does, over the real gateway and over the fake."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from chat_stages import Stage, stage

from bot.ports import (
    ChannelGone,
    ChannelNameTaken,
    ChannelSetup,
    ChatError,
    GroupGone,
    Message,
    MessageGone,
    MessageState,
    Place,
    PostedAt,
)

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HELLO = Message("Claude API: degraded since 12:40 UTC", ({"type": "divider"},))


@pytest.fixture(params=["gateway", "fake"])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with stage(request.param) as made:
        yield made


async def test_post_appears_in_its_channel(slack: Stage) -> None:
    """The returned position is where the message is."""
    ops = slack.add_channel("ops")

    at = await slack.chat.post(Place(ops), HELLO, "INC-7/alert")

    assert ops == at.channel
    assert [HELLO.text] == slack.texts(ops)


async def test_reply_goes_into_its_thread(slack: Stage) -> None:
    """And not into the channel."""
    ops = slack.add_channel("ops")
    root = await slack.chat.post(Place(ops), HELLO, "root")

    await slack.chat.post(Place(ops, root.ts), Message("still failing"), "reply")

    assert ["still failing"] == slack.texts(ops, root.ts)
    assert [HELLO.text] == slack.texts(ops)


@pytest.mark.parametrize(
    ("prepare", "code", "why"),
    [
        ("nowhere", "channel_not_found", "it was deleted, or the bot may not see it"),
        ("stranger", "not_in_channel", "the bot was removed from it"),
        ("archived", "is_archived", "it was archived"),
        ("secret", "channel_not_found", "it was deleted, or the bot may not see it"),
    ],
)
async def test_post_fails_for_good_when_the_channel_is_gone(slack: Stage, prepare: str, code: str, why: str) -> None:
    """The error says in plain words what happened to the channel, and that a retry cannot help."""
    channel = slack.add_channel("x", private=prepare == "secret", member=prepare == "archived")
    if prepare == "archived":
        slack.archive(channel)
    elif prepare == "nowhere":
        channel = "C0NOWHERE0"

    with pytest.raises(ChannelGone) as caught:
        await slack.chat.post(Place(channel), HELLO, "k")

    error = caught.value
    assert (code, why, True, False) == (error.code, error.why, error.permanent, error.unclear)


async def test_reply_fails_when_its_root_was_deleted(slack: Stage) -> None:
    """The error distinguishes a missing thread from a missing channel."""
    ops = slack.add_channel("ops")

    with pytest.raises(MessageGone) as caught:
        await slack.chat.post(Place(ops, "1700000000.000001"), HELLO, "k")

    assert (True, False) == (caught.value.permanent, caught.value.unclear)


async def test_edit_fails_when_the_message_is_gone(slack: Stage) -> None:
    """The caller may post it again, unlike a message that is too long."""
    ops = slack.add_channel("ops")

    with pytest.raises(MessageGone) as caught:
        await slack.chat.edit(PostedAt(ops, "1700000000.000001"), HELLO)

    assert caught.value.permanent


async def test_edit_fails_when_the_channel_is_archived(slack: Stage) -> None:
    """The message still exists, but nobody can change it."""
    ops = slack.add_channel("ops")
    at = await slack.chat.post(Place(ops), HELLO, "card")
    slack.archive(ops)

    with pytest.raises(ChannelGone) as caught:
        await slack.chat.edit(at, HELLO)

    assert "it was archived" == caught.value.why


async def test_empty_post_is_refused(slack: Stage) -> None:
    """It is an error, not silence."""
    ops = slack.add_channel("ops")

    with pytest.raises(ChatError) as caught:
        await slack.chat.post(Place(ops), Message(""), "k")

    assert ("no_text", True) == (caught.value.code, caught.value.permanent)


async def test_rate_limited_post_says_how_long_to_wait(slack: Stage) -> None:
    """A 429 is neither permanent nor unclear."""
    ops = slack.add_channel("ops")
    slack.limit("post", 7)

    with pytest.raises(ChatError) as caught:
        await slack.chat.post(Place(ops), HELLO, "k")

    error = caught.value
    assert ("ratelimited", False, False) == (error.code, error.permanent, error.unclear)
    assert timedelta(seconds=7) == error.retry_after
    assert [] == slack.texts(ops)


@pytest.mark.parametrize("happens", [True, False])
async def test_post_with_a_lost_answer_is_found_by_its_key(slack: Stage, happens: bool) -> None:
    """The caller cannot know whether it was posted, and looks it up by key."""
    ops = slack.add_channel("ops")
    slack.lose_answer("post", happens=happens)

    with pytest.raises(ChatError) as caught:
        await slack.chat.post(Place(ops), HELLO, "INC-7/update/3")
    found = await slack.chat.find_post(Place(ops), "INC-7/update/3", LONG_AGO)

    assert (False, True) == (caught.value.permanent, caught.value.unclear)
    assert happens == (found is not None)
    assert (1 if happens else 0) == len(slack.texts(ops))


async def test_find_post_matches_the_key_and_not_the_text(slack: Stage) -> None:
    """Several messages with the same text may be in the channel."""
    ops = slack.add_channel("ops")
    await slack.chat.post(Place(ops), HELLO, "INC-7/update/1")
    second = await slack.chat.post(Place(ops), HELLO, "INC-7/update/2")
    await slack.chat.post(Place(ops), HELLO, "INC-7/update/20")

    assert second == await slack.chat.find_post(Place(ops), "INC-7/update/2", LONG_AGO)
    assert await slack.chat.find_post(Place(ops), "INC-8/update/2", LONG_AGO) is None


async def test_newest_matching_key_is_found(slack: Stage) -> None:
    """A replica learns from it what another one posted."""
    ops = slack.add_channel("ops")
    for key in ("ledger/1", "ledger/2", "INC-7/update/1"):
        await slack.chat.post(Place(ops), HELLO, key)

    def wanted(key: str) -> bool:
        return key.startswith("ledger/")

    assert "ledger/2" == await slack.chat.newest_key(Place(ops), wanted, LONG_AGO)
    assert await slack.chat.newest_key(Place(ops), wanted, datetime(2100, 1, 1, tzinfo=UTC)) is None


async def test_find_post_searches_the_thread(slack: Stage) -> None:
    """A reply is found in its thread, and not in the channel."""
    ops = slack.add_channel("ops")
    root = await slack.chat.post(Place(ops), HELLO, "root")
    reply = await slack.chat.post(Place(ops, root.ts), HELLO, "reply")

    assert reply == await slack.chat.find_post(Place(ops, root.ts), "reply", LONG_AGO)
    assert await slack.chat.find_post(Place(ops), "reply", LONG_AGO) is None


async def test_find_post_ignores_older_messages(slack: Stage) -> None:
    """Whatever is older than `since` does not count."""
    ops = slack.add_channel("ops")
    await slack.chat.post(Place(ops), HELLO, "k")

    assert await slack.chat.find_post(Place(ops), "k", datetime(2100, 1, 1, tzinfo=UTC)) is None


async def test_find_post_cannot_search_direct_messages(slack: Stage) -> None:
    """The bot does not ask for the right to read them."""
    ana = slack.add_person("ana")
    await slack.chat.tell(ana, HELLO, "k")

    with pytest.raises(ChatError) as caught:
        await slack.chat.find_post(Place(ana), "k", LONG_AGO)

    assert ("cannot_look_up", True) == (caught.value.code, caught.value.permanent)


async def test_edit_replaces_the_text_and_keeps_the_key(slack: Stage) -> None:
    """The edited message is still found by its key."""
    ops = slack.add_channel("ops")
    at = await slack.chat.post(Place(ops), HELLO, "card")

    await slack.chat.edit(at, Message("Claude API: operational"))

    assert ["Claude API: operational"] == slack.texts(ops)
    assert at == await slack.chat.find_post(Place(ops), "card", LONG_AGO)


@pytest.mark.parametrize(
    ("text", "ts", "code"), [("x" * 4001, "", "msg_too_long"), ("words", "1700000000.000001", "message_not_found")]
)
async def test_impossible_edit_fails_for_good(slack: Stage, text: str, ts: str, code: str) -> None:
    """A message that is too long or deleted is not tried again."""
    ops = slack.add_channel("ops")
    at = await slack.chat.post(Place(ops), HELLO, "card")

    with pytest.raises(ChatError) as caught:
        await slack.chat.edit(PostedAt(ops, ts or at.ts), Message(text))

    assert (code, True) == (caught.value.code, caught.value.permanent)


async def test_find_channel_joins_a_public_channel(slack: Stage) -> None:
    """It returns the id, and the bot can post there."""
    ops = slack.add_channel("ops", member=False)

    assert ops == await slack.chat.find_channel("#ops")
    assert ops == await slack.chat.find_channel(ops)
    assert slack.chat.me in slack.members(ops)


@pytest.mark.parametrize("name", ["#nowhere", "#secret"])
async def test_find_channel_fails_when_the_bot_cannot_see_it(slack: Stage, name: str) -> None:
    """A missing channel and a hidden one look the same."""
    slack.add_channel("secret", private=True, member=False)

    with pytest.raises(ChannelGone) as caught:
        await slack.chat.find_channel(name)

    assert ("channel_not_found", True) == (caught.value.code, caught.value.permanent)


async def test_created_channel_is_listed_and_takes_posts(slack: Stage) -> None:
    """If the name is free."""
    before = datetime.now(UTC) - timedelta(seconds=1)

    made = await slack.chat.create_channel("inc-0007-claude-api", False)
    own = {each.id: each for each in await slack.chat.own_channels()}
    await slack.chat.post(Place(made.id), HELLO, "card")

    assert ("inc-0007-claude-api", slack.chat.me, False) == (made.name, made.creator, made.is_archived)
    assert before <= made.created_at <= datetime.now(UTC)
    assert made == own[made.id]


async def test_create_channel_fails_when_the_name_is_taken(slack: Stage) -> None:
    """Also if an archived channel or one of the bot's own has it."""
    slack.archive(slack.add_channel("inc-0007"))

    with pytest.raises(ChannelNameTaken) as caught:
        await slack.chat.create_channel("inc-0007", False)

    assert ("name_taken", True, False) == (caught.value.code, caught.value.permanent, caught.value.unclear)


@pytest.mark.parametrize(
    ("name", "code"), [("", "invalid_name_required"), ("x" * 81, "invalid_name_maxlength"), ("Inc 7", "invalid_name_specials")]
)
async def test_create_channel_fails_when_the_name_is_invalid(slack: Stage, name: str, code: str) -> None:
    """By Slack's rules for names."""
    with pytest.raises(ChatError) as caught:
        await slack.chat.create_channel(name, False)

    assert (code, True) == (caught.value.code, caught.value.permanent)


async def test_channel_with_a_lost_answer_is_among_our_own(slack: Stage) -> None:
    """Slack created it, but the answer did not arrive."""
    slack.lose_answer("create_channel", happens=True)

    with pytest.raises(ChatError) as caught:
        await slack.chat.create_channel("inc-0007", False)
    own = await slack.chat.own_channels()

    assert caught.value.unclear
    assert [("inc-0007", slack.chat.me)] == [(each.name, each.creator) for each in own if each.name == "inc-0007"]


async def test_own_channels_are_those_the_bot_is_in(slack: Stage) -> None:
    """Other channels are left out."""
    slack.add_channel("others", member=False)
    mine = slack.add_channel("mine")

    own = [each.id for each in await slack.chat.own_channels()]

    assert mine in own
    assert "others" not in [each.name for each in await slack.chat.own_channels()]


async def test_topic_may_have_250_characters(slack: Stage) -> None:
    """One more is refused."""
    ops = slack.add_channel("ops")

    await slack.chat.set_topic(ops, "SEV2 " * 50)
    with pytest.raises(ChatError) as caught:
        await slack.chat.set_topic(ops, "x" * 251)

    assert "SEV2 " * 50 == slack.topic(ops)
    assert ("too_long", True) == (caught.value.code, caught.value.permanent)


async def test_invite_adds_people_and_members_of_groups(slack: Stage) -> None:
    """People who are there already, and the bot itself, are no problem."""
    ops, ana, bob, eve = slack.add_channel("ops"), *(slack.add_person(name) for name in ("ana", "bob", "eve"))
    oncall = slack.add_group([bob, eve])

    first = await slack.chat.invite(ops, [ana, oncall])
    second = await slack.chat.invite(ops, [ana, bob, slack.chat.me])

    assert ([], []) == (first, second)
    assert {ana, bob, eve} <= slack.members(ops)


async def test_invite_names_unknown_people(slack: Stage) -> None:
    """Everybody else is still invited."""
    ops, ana = slack.add_channel("ops"), slack.add_person("ana")

    problems = await slack.chat.invite(ops, ["U0NOBODY00", ana])

    assert ["<@U0NOBODY00> was not invited: there is no such person in the workspace"] == problems
    assert ana in slack.members(ops)


async def test_members_of_a_group_are_listed_and_a_deleted_group_raises(slack: Stage) -> None:
    """Their members are paged directly."""
    ana, bob = slack.add_person("ana"), slack.add_person("bob")
    oncall = slack.add_group([ana, bob])

    assert [ana, bob] == await slack.chat.members_of(oncall)
    with pytest.raises(GroupGone):
        await slack.chat.members_of("S0NOBODY00")


async def test_pinning_twice_is_harmless(slack: Stage) -> None:
    """The message stays pinned once."""
    ops = slack.add_channel("ops")
    at = await slack.chat.post(Place(ops), HELLO, "card")

    await slack.chat.pin(at)
    await slack.chat.pin(at)

    assert [at.ts] == slack.pins(ops)


async def test_bookmark_with_the_same_title_is_added_once(slack: Stage) -> None:
    """Adding it again does nothing."""
    ops = slack.add_channel("ops")

    await slack.chat.bookmark(ops, "Board & runbook", "https://status.example.com/")
    await slack.chat.bookmark(ops, "Board & runbook", "https://status.example.com/")

    assert [("Board & runbook", "https://status.example.com/")] == slack.bookmarks(ops)


async def test_bookmark_needs_a_web_address(slack: Stage) -> None:
    """Slack accepts http and https."""
    ops = slack.add_channel("ops")

    with pytest.raises(ChatError) as caught:
        await slack.chat.bookmark(ops, "Runbook", "file:///etc/runbook")

    assert ("invalid_link", True) == (caught.value.code, caught.value.permanent)


async def test_file_shared_twice_appears_once(slack: Stage) -> None:
    """Nobody sees it before it is shared."""
    ops = slack.add_channel("ops")

    file = await slack.chat.start_upload("INC-7.md", b"# INC-7")
    hidden = slack.files(ops)
    await slack.chat.share_upload(file, "INC-7", Place(ops), "Timeline of INC-7")
    await slack.chat.share_upload(file, "INC-7", Place(ops), "Timeline of INC-7")

    assert ([], ["INC-7.md"]) == (hidden, slack.files(ops))
    assert ["Timeline of INC-7"] == slack.texts(ops)


async def test_empty_or_unknown_file_is_refused(slack: Stage) -> None:
    """Slack neither accepts empty files nor shares files that it does not have."""
    ops = slack.add_channel("ops")

    with pytest.raises(ChatError) as empty:
        await slack.chat.start_upload("INC-7.md", b"")
    with pytest.raises(ChatError) as unknown:
        await slack.chat.share_upload("F0NOWHERE", "INC-7", Place(ops), "")

    assert ("empty_file", True) == (empty.value.code, empty.value.permanent)
    assert ("file_not_found", True) == (unknown.value.code, unknown.value.permanent)


# --- what stands


async def test_message_exists_until_it_is_deleted(slack: Stage) -> None:
    """Pinned or not; a position where nothing was posted does not exist."""
    ops = slack.add_channel("ops")
    at = await slack.chat.post(Place(ops), HELLO, "card")
    before = await slack.chat.message_state(at)
    await slack.chat.pin(at)

    assert [MessageState(False), MessageState(True)] == [before, await slack.chat.message_state(at)]
    assert await slack.chat.message_state(PostedAt(ops, "1700000000.000001")) is None


async def test_reply_exists_until_it_is_deleted(slack: Stage) -> None:
    """A deleted reply does not exist, although its thread does."""
    ops = slack.add_channel("ops")
    root = await slack.chat.post(Place(ops), HELLO, "root")
    reply = await slack.chat.post(Place(ops, root.ts), HELLO, "reply")

    assert MessageState(False) == await slack.chat.message_state(reply, root.ts)
    assert await slack.chat.message_state(PostedAt(ops, "1700000000.000001"), root.ts) is None


async def test_pins_bookmarks_and_topic_of_a_channel_are_read(slack: Stage) -> None:
    ops, ana = slack.add_channel("ops"), slack.add_person("ana")
    empty = await slack.chat.channel_setup(ops)
    await slack.chat.set_topic(ops, "SEV2")
    await slack.chat.bookmark(ops, "Board", "https://board.example.com")
    await slack.chat.invite(ops, [ana])
    has = await slack.chat.channel_setup(ops)

    assert ("", frozenset(), {slack.chat.me}) == (empty.topic, empty.bookmarks, empty.members)
    assert ChannelSetup("SEV2", slack.chat.me, frozenset({"Board"}), frozenset({ana, slack.chat.me})) == has


@pytest.mark.parametrize(("prepare", "why"), [("archived", "it was archived"), ("stranger", "the bot was removed from it")])
async def test_reading_a_lost_channel_says_what_happened_to_it(slack: Stage, prepare: str, why: str) -> None:
    channel = slack.add_channel("x", member=prepare == "archived")
    if prepare == "archived":
        slack.archive(channel)

    with pytest.raises(ChannelGone) as caught:
        await slack.chat.channel_setup(channel)
    assert why == caught.value.why


async def test_bot_rejoins_a_public_channel(slack: Stage) -> None:
    """As if nobody had removed it."""
    hall = slack.add_channel("hall", member=False)
    taken = await slack.chat.take_again(hall)

    assert (hall, "hall") == (taken.id, taken.name)
    assert slack.chat.me in slack.members(hall)


async def test_bot_cannot_rejoin_an_archived_channel(slack: Stage) -> None:
    channel = slack.add_channel("x")
    slack.archive(channel)

    with pytest.raises(ChannelGone):
        await slack.chat.take_again(channel)
