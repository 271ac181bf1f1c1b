"""A repair orders what is missing, once, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import effects as e
from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.draft import Step
from bot.core.decide.incident.repair import ChangedMeanwhile, NobodyLooked, NothingMissing, RepairStarted
from bot.core.model import Level, Phase
from bot.core.record.room.room_facts import ChannelRefused, GivenUp, Repaired
from bot.core.record.standing import FoundPieces, Piece
from tests.desk import ANA, BOB, RULE, Table

REFRESH = (e.EditAlert, e.EditCard, e.SetTopic)  # after every change


def outage() -> Table:
    """Alert, evidence and card stand, the last in a channel of its own."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    for kind, channel, ts in (
        (e.OpenChannel, "C7", ""), (e.PostAlert, "COPS", "1.1"), (e.PostEvidence, "COPS", "1.2"), (e.PostCard, "C7", "2.1"),
    ):  # fmt: skip
        done(table, kind(), channel, ts)
    return table


def done(table: Table, body: e.EffectBody, channel: str = "", ts: str = "") -> Step:
    return table.send(
        s.EffectDone(
            actor=RULE, key=f"k/{body.KIND}", kind=type(body), body=body, incident=1, channel=channel, ts=ts, name="inc-1"
        )
    )  # fmt: skip


def refused(table: Table, body: e.EffectBody, *, key: str = "k", seq: int = 3) -> Step:
    signal = s.EffectRefused(
        actor=RULE, key=key, kind=type(body), body=body, incident=1, stream="incident/1", seq=seq, reason="no"
    )  # fmt: skip
    return table.send(signal)


def found(table: Table, *missing: Piece, **more: object) -> FoundPieces:
    incident = table.incident()
    return replace(FoundPieces(incident.room, incident.repairs, missing), **more)  # type: ignore[arg-type]


def repairs(table: Table, *missing: Piece, **more: object) -> Step:
    return table.send(s.Repair(actor=ANA, incident=1, found=found(table, *missing, **more)))


def ordered(step: Step) -> list[e.EffectBody]:
    return [effect.body for effect in step.effects if not isinstance(effect.body, REFRESH)]


def refreshed(step: Step) -> set[str]:
    return {effect.kind for effect in step.effects if isinstance(effect.body, REFRESH)}


def answered(table: Table, *missing: Piece, **more: object) -> Answer:
    return repairs(table, *missing, **more).answer


def test_nothing_missing_writes_nothing_down() -> None:
    step = repairs(outage())

    assert ((), ()) == (step.facts, step.effects)
    assert isinstance(step.answer, NothingMissing)


ORDERS: list[tuple[Piece, list[e.EffectBody]]] = [
    (Piece.CARD, [e.PostCard(2), e.PinCard(2)]), (Piece.PIN, [e.PinCard(1)]), (Piece.BOOKMARKS, [e.AddBookmarks()]),
    (Piece.INVITATIONS, [e.InvitePeople(anew=True)]), (Piece.ALERT, [e.PostAlert(2), e.PostEvidence(2)]),
    (Piece.EVIDENCE, [e.PostEvidence(1)]), (Piece.TOPIC, []),
]  # fmt: skip


@pytest.mark.parametrize(("piece", "effects"), ORDERS, ids=[row[0] for row in ORDERS])
def test_what_is_missing_is_ordered(piece: Piece, effects: list[e.EffectBody]) -> None:
    assert effects == ordered(repairs(outage(), piece))


def test_the_topic_is_set_by_what_every_change_brings() -> None:
    assert "channel.topic" in refreshed(repairs(outage(), Piece.TOPIC))


@pytest.mark.parametrize("piece", [row[0] for row in ORDERS])
def test_no_order_is_taken_for_an_earlier_one(piece: Piece) -> None:
    """A key that was queued before would be done already."""
    table = outage()
    repairs(table, piece)
    for key in [effect for effect in ("C7", "COPS") if piece in (Piece.CARD, Piece.ALERT)]:
        done(table, e.PostCard(2) if key == "C7" else e.PostAlert(2), key, "3.1")
    repairs(table, piece)
    keys = [effect.key for step in table.steps for effect in step.effects]

    assert sorted(set(keys)) == sorted(keys)


def test_what_waits_is_not_ordered_and_is_named() -> None:
    answer = answered(outage(), Piece.CARD, waiting=(Piece.CARD, Piece.PIN))

    assert NothingMissing(incident=1, waiting=(Piece.CARD, Piece.PIN)) == answer


def test_what_was_found_counts_for_what_was_looked_at_only() -> None:
    """Two who press at once: the second looked before the first repaired."""
    table = outage()
    seen = found(table, Piece.TOPIC)
    table.send(s.Repair(actor=ANA, incident=1, found=seen))
    step = table.send(s.Repair(actor=BOB, incident=1, found=seen))

    assert ((), ChangedMeanwhile) == (step.facts, type(step.answer))


def test_a_new_card_since_the_look_stays() -> None:
    table = outage()
    seen = found(table, Piece.CARD)
    done(table, e.PostCard(2), "C7", "2.2")

    assert isinstance(table.send(s.Repair(actor=ANA, incident=1, found=seen)).answer, ChangedMeanwhile)


def test_nobody_looked_is_no_repair() -> None:
    """Without Slack there is nothing that could be missing."""
    assert isinstance(outage().send(s.Repair(actor=ANA, incident=1)).answer, NobodyLooked)


def test_it_is_on_record_who_repaired_what() -> None:
    table = outage()
    repairs(table, Piece.TOPIC, Piece.PIN)

    [written] = table.written(Repaired)
    assert ((Piece.PIN, Piece.TOPIC), ANA) == (written.body.pieces, written.actor)  # type: ignore[attr-defined]


# --- the channel


def test_a_lost_channel_is_opened_again_and_then_filled() -> None:
    """Not before: a card for a channel that does not come would land elsewhere."""
    table = outage()
    assert [e.OpenChannel(again=True)] == ordered(repairs(table, lost_channel="#inc-1 takes no more posts: it was archived"))
    opened = done(table, e.OpenChannel(again=True), "C8")

    assert [e.PostCard(2), e.PinCard(2), e.PostRunbook(), e.AddBookmarks(), e.InvitePeople(anew=True)] == ordered(opened)


def test_the_same_channel_taken_again_keeps_its_card() -> None:
    table = outage()
    repairs(table, lost_channel="the bot was removed from it")

    assert [e.AddBookmarks(), e.InvitePeople(anew=True)] == ordered(done(table, e.OpenChannel(again=True), "C7"))


def test_the_loss_is_written_down_and_not_told_in_ops() -> None:
    table = outage()
    repairs(table, lost_channel="it was archived")

    assert [ChannelRefused("it was archived", "C7")] == table.kinds(ChannelRefused)
    assert "C7" == table.incident().room.former


def test_a_channel_that_was_refused_is_asked_for_again() -> None:
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    refused(table, e.OpenChannel())

    assert e.OpenChannel(again=True) in ordered(repairs(table))


def test_a_missing_card_comes_in_the_thread_where_no_channel_comes() -> None:
    table = outage()
    table.send(s.ChannelLost(actor=RULE, incident=1, reason="it was archived"))
    done(table, e.PostCard(2), "COPS", "1.3")
    repairs(table, Piece.CARD)

    assert [e.PostCard(2), e.PinCard(2)] == [
        body for body in ordered(refused(table, e.OpenChannel(again=True))) if isinstance(body, e.PostCard | e.PinCard)
    ]


def test_a_channel_on_its_way_is_not_asked_for_again() -> None:
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    waiting = (Piece.CHANNEL, Piece.CARD, Piece.ALERT, Piece.EVIDENCE)

    assert isinstance(answered(table, waiting=waiting), NothingMissing)


# --- what was given up


@pytest.mark.parametrize(
    ("body", "piece"),
    [
        (e.PostUpdate(outage().now, 4), Piece.UPDATES), (e.PostLine(), Piece.LINES), (e.PostRunbook(), Piece.RUNBOOK),
        (e.UploadExport("csv"), Piece.EXPORT),
    ],
)  # fmt: skip
def test_what_was_given_up_is_ordered_as_it_was(body: e.EffectBody, piece: Piece) -> None:
    """About the same fact, and with the same values."""
    table = outage()
    refused(table, body, seq=5)
    step = repairs(table)

    [again] = [effect for effect in step.effects if effect.body == body]
    assert ("incident/1", 5, f"{e.effect(body, e.About('incident/1', 5, 1)).key}/again/{step.facts[0].seq}") == (
        again.stream, again.seq, again.key,
    )  # fmt: skip
    assert RepairStarted(incident=1, pieces=(piece,), changed=True) == step.answer


def test_it_is_ordered_again_once() -> None:
    table = outage()
    refused(table, e.PostUpdate(table.now, 4))
    repairs(table)

    assert isinstance(answered(table), NothingMissing)


def test_what_is_given_up_again_is_ordered_again() -> None:
    table = outage()
    for key in ("INC-1/update/4", "INC-1/update/4/again/9"):
        refused(table, e.PostUpdate(table.now, 4), key=key)
        assert isinstance(answered(table), RepairStarted)


def test_an_old_update_of_the_bots_own_is_out_of_date() -> None:
    """A newer one is out; a person's words are said however late."""
    table = outage()
    table.passes(130)
    for text_is in (True, False):
        refused(table, e.PostUpdate(table.now - timedelta(hours=1), 1, newest_only=text_is))

    assert [e.PostUpdate(table.now - timedelta(hours=1), 1)] == ordered(repairs(table))


@pytest.mark.parametrize("key", ["given-up/INC-1/update/4", "k"])
def test_pages_and_lines_about_lost_lines_are_left_alone(key: str) -> None:
    """Paging goes on by itself."""
    table = outage()
    body = e.PostLine(e.To.OPS, "INC-1/update/4") if key != "k" else e.PageMention(table.incident().severity, 1, ("primary",))
    refused(table, body, key=key)

    assert isinstance(answered(table), NothingMissing)


def test_an_edit_that_was_given_up_is_made_anew() -> None:
    table = outage()
    refused(table, e.EditAlert())
    step = repairs(table)

    assert RepairStarted(incident=1, pieces=(Piece.EDITS,), changed=True) == step.answer
    assert {"alert.edit", "card.edit"} <= refreshed(step)


def test_a_given_up_of_an_older_understudy_is_no_trouble() -> None:
    """It did not write down what the effect was."""
    table = outage()
    table.send(s.EffectRefused(actor=RULE, key="k", kind=e.PostUpdate, incident=1, reason="no"))

    assert GivenUp("update.post", "k", "no") == table.kinds(GivenUp)[-1]
    assert () == table.incident().undelivered  # or the state would not follow from the facts that led to it then
    assert isinstance(answered(table), NothingMissing)


# --- the end


def test_an_incident_that_is_over_is_not_furnished_any_more() -> None:
    """Tidying up afterwards is fine; a summary that got lost is said."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, reason="over", force=True))
    refused(table, e.PostSummary())

    assert [e.PostSummary()] == ordered(repairs(table, Piece.CARD, Piece.ALERT, lost_channel="it was archived"))
