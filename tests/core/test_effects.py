"""Effects: each is a class that says how it is done once, and that names itself for ever."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.core import effects as e
from bot.core.effects import EFFECTS, About, Certainty, EffectBody, decode_effect, effect, encode_effect
from bot.core.model import Severity

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ABOUT = About("incident/7", 3, 7)
NOTICED = About("provider/anthropic", 3)
ROOT = "quiet/notice/anthropic/n1"

# Key, lane and slot of everything that is ever queued. A row of before must mean the same for ever: change none of these.
NAMED: list[tuple[EffectBody, About, str, str, str]] = [
    (e.PostAlert(), ABOUT, "INC-7/alert.post/incident/7/3", "alert/7", ""),
    (e.PostAlert(2), ABOUT, "INC-7/alert/2", "alert/7", ""),
    (e.EditAlert(), ABOUT, "INC-7/alert/incident/7/3", "alert/7", "alert/7"),
    (e.PostEvidence(), ABOUT, "INC-7/evidence.post/incident/7/3", "alert/7", ""),
    (e.PostEvidence(2), ABOUT, "INC-7/evidence/2", "alert/7", ""),
    (e.EditEvidence(), ABOUT, "INC-7/evidence/incident/7/3", "alert/7", "evidence/7"),
    (e.OpenChannel(), ABOUT, "INC-7/channel.open/incident/7/3", "incident/7", ""),
    (e.SetTopic(first=True), ABOUT, "INC-7/channel.topic/incident/7/3", "incident/7", ""),
    (e.SetTopic(), ABOUT, "INC-7/topic/incident/7/3", "incident/7", "topic/7"),
    (e.OpenChannel(again=True), ABOUT, "INC-7/channel.open/incident/7/3", "incident/7", ""),
    (e.InvitePeople(anew=True), ABOUT, "INC-7/channel.invite/incident/7/3", "incident/7", ""),
    (e.AddBookmarks(), ABOUT, "INC-7/channel.bookmarks/incident/7/3", "incident/7", ""),
    (e.InvitePeople(), ABOUT, "INC-7/channel.invite/incident/7/3", "incident/7", ""),
    (e.PostCard(), ABOUT, "INC-7/card.post/incident/7/3", "incident/7", ""),
    (e.PostCard(2), ABOUT, "INC-7/card/2", "incident/7", ""),
    (e.PinCard(), ABOUT, "INC-7/card.pin/incident/7/3", "incident/7", ""),
    (e.PinCard(2), ABOUT, "INC-7/pin/2", "incident/7", ""),
    (e.EditCard(), ABOUT, "INC-7/card/incident/7/3", "incident/7", "card/7"),
    (e.PostRunbook(), ABOUT, "INC-7/runbook.post/incident/7/3", "incident/7", ""),
    (e.PostUpdate(AT, 4), ABOUT, "INC-7/update/4", "incident/7", ""),
    (e.PostUpdate(AT, 4, newest_only=True), ABOUT, "INC-7/update/4", "incident/7", "update/7"),
    (e.PostSummary(), ABOUT, "INC-7/summary.post/incident/7/3", "incident/7", ""),
    (e.UploadExport("md"), ABOUT, "INC-7/export.upload/incident/7/3", "incident/7", ""),
    (e.PostLine(), ABOUT, "incident/7/3/line", "incident/7", ""),
    (e.PostLine(e.To.OPS), NOTICED, "provider/anthropic/3/line", "ops", ""),
    (e.PostLine(e.To.OPS, "INC-7/update/4"), ABOUT, "given-up/INC-7/update/4", "ops", ""),
    (e.PostLine(e.To.THREAD), ABOUT, "incident/7/3/push", "alert/7", ""),
    (e.PostRefusal(), ABOUT, "INC-7/refusal.post/incident/7/3", "ops", ""),
    (e.TellPerson("U0ANA"), ABOUT, "INC-7/tell/incident/7/3", "person/U0ANA", ""),
    (e.PostBroadcast("#all"), ABOUT, "INC-7/broadcast/#all", "broadcast/7/#all", ""),
    (e.EditBroadcast("#all"), ABOUT, "INC-7/broadcast/#all/incident/7/3", "broadcast/7/#all", "broadcast/7/#all"),
    (e.ReplyBroadcast("#all"), ABOUT, "INC-7/broadcast/#all/reply/incident/7/3", "broadcast/7/#all", ""),
    (e.RemindOwner(3, "U0ANA"), ABOUT, "INC-7/task.remind/incident/7/3", "person/U0ANA", ""),
    (e.PageMention(Severity.SEV1, 2, ("primary",)), ABOUT, "INC-7/page/SEV1/2/mention", "INC-7/page/SEV1/2/mention", ""),
    (e.FindPeople(Severity.SEV1, 2, ("primary",)), ABOUT, "INC-7/page/SEV1/2/dm", "INC-7/page/SEV1/2/dm", ""),
    (e.PagePerson(Severity.SEV1, 2, "U0ANA"), ABOUT, "INC-7/page/SEV1/2/dm/U0ANA", "INC-7/page/SEV1/2/dm/U0ANA", ""),
    (e.PageAddresses(Severity.SEV1, 3), ABOUT, "INC-7/page/SEV1/3/notify", "INC-7/page/SEV1/3/notify", ""),
    (e.FeedSink("chat.llm", "webhook:h#1"), About("sink/chat.llm/webhook:h#1", 3), "sink.feed/sink/chat.llm/webhook:h#1/3",
     "sink/chat.llm/webhook:h#1", "sink/chat.llm/webhook:h#1"),
    (e.OpenThread(ROOT), NOTICED, ROOT, "ops", ""),
    (e.ReplyInThread(ROOT), NOTICED, "quiet.reply/provider/anthropic/3", "ops", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "about", "key", "lane", "slot"), NAMED, ids=[f"{row[0].KIND} {row[2]}" for row in NAMED])
def test_an_effect_has_the_key_lane_and_slot_it_always_had(
    body: EffectBody, about: About, key: str, lane: str, slot: str
) -> None:
    """What was queued by an older Understudy is the same effect, so it is not done a second time."""
    made = effect(body, about)

    assert key == made.key
    assert lane == made.lane
    assert slot == made.slot


def test_what_is_ordered_again_is_another_effect() -> None:
    """The first key is taken for ever, and still tells which one it was."""
    again = effect(e.PostUpdate(AT, 4), ABOUT, again=9)

    assert "INC-7/update/4/again/9" == again.key
    assert "INC-7/update/4" == e.first_key(again.key)


def test_every_effect_is_named_above() -> None:
    """A new effect adds its row."""
    assert set(EFFECTS) == {row[0].KIND for row in NAMED}


CERTAIN = {
    Certainty.REPEATABLE: {
        "alert.edit", "channel.open", "channel.topic", "channel.bookmarks", "channel.invite", "card.pin", "card.edit",
        "evidence.edit", "export.upload", "page.dm", "broadcast.edit", "sink.feed",
    },
    Certainty.LOOKED_UP: {
        "alert.post", "evidence.post", "card.post", "runbook.post", "update.post", "summary.post", "fact.post", "refusal.post",
        "quiet.post", "quiet.reply", "page.mention", "broadcast.post", "broadcast.reply",
    },
    Certainty.BEST_EFFORT: {"tell", "page.person", "page.notify", "task.remind"},
}  # fmt: skip


@pytest.mark.parametrize("certainty", Certainty)
def test_every_effect_states_how_it_is_done_once(certainty: Certainty) -> None:
    """Posts carry their key; edits and settings may be repeated; nobody can read a direct message again."""
    assert CERTAIN[certainty] == {kind for kind, known in EFFECTS.items() if vars(known)["CERTAINTY"] is certainty}


def test_an_effect_that_does_not_state_its_certainty_is_no_effect() -> None:
    """It is found out when the bot starts, not when an answer gets lost."""
    with pytest.raises(TypeError, match="PageSomebody does not say how it can be done once"):

        @dataclass(frozen=True)
        class PageSomebody(EffectBody):
            KIND = "page.somebody"

    assert "page.somebody" not in EFFECTS


def test_a_step_of_paging_is_told_once_on_other_ways() -> None:
    """However many ways it has: while Slack is away nobody gets four calls for one step."""
    ways = [
        e.PageMention(Severity.SEV1, 2, ("a",)),
        e.FindPeople(Severity.SEV1, 2, ("a",)),
        e.PagePerson(Severity.SEV1, 2, "U0ANA"),
    ]

    assert {"INC-7/page/SEV1/2"} == {way.urgent_as(ABOUT) for way in ways}


def test_two_effects_cannot_be_of_one_kind() -> None:
    """A row of the ledger says its kind and nothing else."""
    with pytest.raises(TypeError, match=r"AlertAgain and PostAlert are both of the kind alert\.post"):

        @dataclass(frozen=True)
        class AlertAgain(EffectBody):
            KIND = "alert.post"
            CERTAINTY = Certainty.LOOKED_UP

    assert EFFECTS["alert.post"] is e.PostAlert


@pytest.mark.parametrize("body", [row[0] for row in NAMED], ids=[row[2] for row in NAMED])
def test_an_effect_is_read_back_as_it_was_written(body: EffectBody) -> None:
    """The ledger keeps its kind and the fields that are not as usual."""
    assert body == decode_effect(body.KIND, encode_effect(body))


OLD_ROWS: list[tuple[str, dict[str, str], EffectBody]] = [
    ("fact.post", {"to": "ops"}, e.PostLine(e.To.OPS)),
    ("update.post", {"since": "2026-03-20T12:00:00.000000+0000"}, e.PostUpdate(AT)),
    ("quiet.post", {}, e.OpenThread()),
    ("quiet.reply", {"root": ROOT}, e.ReplyInThread(ROOT)),
    ("tell", {"user": "U0ANA"}, e.TellPerson("U0ANA")),
    ("export.upload", {"format": "md"}, e.UploadExport("md")),
]


@pytest.mark.parametrize(("kind", "fields", "body"), OLD_ROWS, ids=[row[0] for row in OLD_ROWS])
def test_the_arguments_of_before_are_understood(kind: str, fields: dict[str, str], body: EffectBody) -> None:
    """Rows that an older Understudy left in the outbox say the same as ever."""
    assert body == decode_effect(kind, fields)


@pytest.mark.parametrize(
    ("kind", "fields"), [("page.somebody", {}), ("tell", {}), ("update.post", {"since": 3}), ("fact.post", {"to": "moon"})]
)
def test_an_effect_that_cannot_be_read_says_so(kind: str, fields: dict[str, object]) -> None:
    """A newer Understudy's row, or one that somebody edited, is not mistaken for another."""
    with pytest.raises(ValueError, match=r"no effect 'page\.somebody'|TellPerson|PostUpdate|moon"):
        decode_effect(kind, fields)
