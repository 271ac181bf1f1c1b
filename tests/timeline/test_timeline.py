"""Facts read as plain sentences, and durations are measured between recorded points only."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import signals as s
from bot.core.effects import EFFECTS
from bot.core.model import Actor, FeedReport, FeedState, Level, Notice, Phase, Severity
from bot.core.record.fact import Body, Fact
from bot.core.record.flag_facts import Engaged
from bot.core.record.incident_facts import (
    ComponentMoved,
    Declared,
    NoteAdded,
    PhaseChanged,
    UpdateWritten,
)
from bot.core.record.kinds import BODIES
from bot.core.record.provider_facts import ListingChanged, NoticeSeen
from bot.core.record.room.room_facts import ChannelNamed
from bot.exports import render
from bot.exports.times import points, spans
from bot.timeline.durations import Away, Durations, Outage, durations
from bot.timeline.effects import EFFECT_NAMES
from bot.timeline.rows import Row, rows
from bot.views.names import lag_words
from tests.desk import ANA, Table
from tests.generated import instances
from tests.stories import API, FLAG, MOBILE, T0, WEB, Story, one_of_each, outage_story

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "timeline.md").read_text(encoding="utf-8")


def after(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def measured(story: Story) -> Durations:
    return durations(story.incident(), story.about(7))


# --- rows


@pytest.mark.parametrize("fact", one_of_each(), ids=lambda fact: fact.kind)
def test_every_kind_of_fact_reads_as_a_sentence(fact: Fact) -> None:
    """No kind shows its technical name or our internal markup."""
    row = rows([fact])[0]

    assert row.text and fact.kind not in row.text
    assert not re.search(r"[*`<>]", row.text)
    assert row.source in {"probe", "vendor", "alert", "person", "rule", "slack"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (ChannelNamed("inc-7-claude", 1), "The channel will be #inc-7-claude"),
        (ChannelNamed("inc-7-claude-2", 2), "The channel will be #inc-7-claude-2, since the name before was taken"),
        (ListingChanged("anthropic", "p", ("n1",)), "The status page of Claude lists 1 open notice"),
        (
            ListingChanged("anthropic", "p", ("n1", "n2"), ("n3",)),
            "The status page of Claude lists 2 open notices and no longer lists 1 that it never called over",
        ),
        (
            ListingChanged("anthropic", "p", missing=("n3",)),
            "The status page of Claude no longer lists 1 notice that it never called over",
        ),
    ],
)
def test_fact_is_worded_in_plain_english(body: Body, sentence: str) -> None:
    """People read these sentences at night and in the demo."""
    fact = Fact("incident/7", 1, T0, ANA, 7, body)

    assert sentence == rows([fact], {"anthropic": "Claude"})[0].text


def test_rows_are_numbered_from_one_and_reference_their_facts() -> None:
    """Each row can be looked up in the ledger."""
    story = outage_story()
    made = rows(story.about(7))

    assert list(range(1, len(made) + 1)) == [row.seq for row in made]
    assert [(fact.stream, fact.seq, fact.at) for fact in story.about(7)] == [(row.stream, row.fact_seq, row.at) for row in made]


def test_components_and_providers_are_shown_by_name() -> None:
    """The id is shown where no name is known."""
    story = outage_story(109)
    moved = [fact for fact in story.about(7) if isinstance(fact.body, ComponentMoved)]

    named = "Claude API is operational again, was down, since 14:27 UTC"
    assert named == rows(moved, {API: "Claude API"})[0].text
    assert f"{API} is operational again, was down, since 14:27 UTC" == rows(moved)[0].text


def test_vendor_text_is_not_truncated() -> None:
    """The timeline keeps a vendor's notice at full length."""
    story = outage_story(50, words="x" * 5000)
    row = next(row for row in rows(story.about(7), {"anthropic": "Claude"}) if row.kind == "notice.seen")

    assert row.text.startswith("Status page of Claude: xxx")
    assert row.text.count("x") >= 10_000
    assert f"{API},{WEB},{MOBILE}" == row.component
    assert "vendor" == row.source


@pytest.mark.parametrize(
    ("later", "dated"),
    [(59, ""), (60, " (dated 13:25 UTC)"), (-60, " (dated 13:25 UTC)"), (86_400, " (dated 2026-03-20 13:25 UTC)")],
)
def test_vendor_timestamp_is_shown_when_it_differs_from_ours(later: int, dated: str) -> None:
    """The row itself carries the time at which we saw the notice."""
    story = outage_story(50)
    fact, notice = next((fact, fact.body.notice) for fact in story.about(7) if isinstance(fact.body, NoticeSeen))
    [row] = rows([replace(fact, at=notice.at + timedelta(seconds=later))], {"anthropic": "Claude"})

    assert row.text.startswith(f"Status page of Claude{dated}: Requests fail")


def test_row_sentence_includes_its_reason() -> None:
    """Some interfaces print only this one line."""
    row = Row(1, T0, "k", "ana", "person", "INC-7 is SEV1, was SEV2", "", "everybody is hit", "incident/7", 3)

    assert "INC-7 is SEV1, was SEV2: everybody is hit" == row.sentence


def test_operator_counts_as_a_person() -> None:
    """Someone acting at the terminal is a person too."""
    fact = Fact("incident/7", 1, T0, Actor.operator("root"), 7, NoteAdded("x"))

    assert "person" == rows([fact])[0].source
    assert "root" == rows([fact])[0].who


def test_every_effect_has_an_english_name() -> None:
    """Rows about posted or abandoned effects use it."""
    assert set(EFFECTS) == set(EFFECT_NAMES)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_generated_fact_has_a_row(data: st.DataObject) -> None:
    """Rendering must not fail on any fact that the ledger can hold."""
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    fact = Fact("incident/7", 1, T0, ANA, 7, data.draw(instances(BODIES[kind])))

    assert 1 == len(rows([fact]))


# --- durations


def test_complete_incident_yields_every_span() -> None:
    """The spans follow the definitions in docs/timeline.md."""
    took = measured(outage_story())

    assert {
        "detect": after(3), "acknowledge": after(3), "first_post": after(1), "failover": after(0), "mitigate": after(3),
        "resolve": after(190), "vendor_ack_lag": after(45), "lead": after(42), "longest_silence": after(60),
    } == spans(took)  # fmt: skip
    assert "probe" == took.detected_by
    assert 3 == took.updates
    assert 0 == took.missed
    assert took.vendor_resolved_at is None


def test_span_is_none_when_a_point_was_not_recorded() -> None:
    """A missing point must not be reported as zero."""
    took = measured(outage_story(3))

    assert [None] * 4 == [took.acknowledge, took.vendor_ack_lag, took.resolve, took.first_post]
    assert took.longest_silence is None


def test_outages_are_measured_per_component() -> None:
    """An outage runs from the first failed check to the first good one; a component that fails later starts when we saw it."""
    assert (
        Outage(API, T0, T0 + after(107), Level.DOWN),
        Outage(MOBILE, T0 + after(15), T0 + after(149), Level.DOWN),
        Outage(WEB, T0 + after(15), T0 + after(149), Level.DEGRADED),
    ) == measured(outage_story()).outages


def test_component_that_fails_twice_has_two_outages() -> None:
    """A relapse is a new outage; getting worse is not."""
    story = outage_story(109)
    story.at(120).verdict(API, Level.DEGRADED, "slow", incident=7)
    story.at(121).verdict(API, Level.DOWN, "HTTP 502", incident=7)
    story.at(130).verdict(API, Level.UNKNOWN, "no result", incident=7)

    mine = [outage for outage in measured(story).outages if outage.component == API]
    assert [Outage(API, T0, T0 + after(107), Level.DOWN), Outage(API, T0 + after(119), None, Level.DOWN)] == mine


def test_flag_is_away_until_released() -> None:
    """Hand-back steps do not end the time away, and each fallback has its own times."""
    assert (Away(FLAG, "gpt", T0 + after(3), T0 + after(125)),) == measured(outage_story()).away

    story = outage_story(20)
    later = Engaged(FLAG, f"{FLAG}#2", "cached", "gpt", "openai.api is down", "auto", T0 + after(300), (API,))
    story.add(f"flag/{FLAG}", later, incident=7)
    gpt, cached = Away(FLAG, "gpt", T0 + after(3), story.now), Away(FLAG, "cached", story.now, None)
    assert (gpt, cached) == measured(story).away


def test_vendor_lag_is_negative_when_the_vendor_was_first() -> None:
    """The lag is reported honestly in both directions."""
    story = outage_story(-1)
    story.at(3).add(
        "incident/7",
        Declared(7, "t", Severity.SEV2, "anthropic", "anthropic", (), T0, "r", "#ops", vendor_first_at=T0 - after(10)),
    )
    took = measured(story)

    assert after(-10) == took.vendor_ack_lag
    assert after(-13) == took.lead


def test_time_spent_resolved_does_not_count_as_silence() -> None:
    """An incident reopened the next day was not silent overnight."""
    story = outage_story()
    story.at(1500).add("incident/7", PhaseChanged(Phase.RESOLVED, Phase.INVESTIGATING, "reopen", "again"))
    story.at(1570).add("incident/7", UpdateWritten(4, "", 0))
    took = measured(story)

    assert after(70) == took.longest_silence
    assert took.ended_at is None


def test_person_who_declares_is_recorded_as_the_detector() -> None:
    """`detected_by` tells people from checks."""
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Payments are slow"))

    took = durations(table.incident(), [fact for fact in table.facts if fact.incident == 1])
    assert "person" == took.detected_by
    assert timedelta(0) == took.detect
    assert () == took.outages


def test_durations_match_facts_written_by_the_rules() -> None:
    """Real signals yield the same down, failover, recovery and resolution times as handwritten facts."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.passes(20)
    table.sees(API, Level.OPERATIONAL)
    table.passes(5)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    took = durations(table.incident(), [fact for fact in table.facts if fact.incident == 1])

    assert after(0) == took.failover
    assert after(0) == took.mitigate
    assert after(25) == took.resolve
    assert [after(20)] == [o.ended_at - o.began_at for o in took.outages if o.ended_at]


# --- docs


def test_every_point_and_span_is_documented() -> None:
    """docs/timeline.md defines exactly what the files contain."""
    took = measured(outage_story())
    told = set(re.findall(r"^\| `(\w+)`", DOCS, re.MULTILINE))

    assert set(points(took)) | set(spans(took)) <= told


def test_every_row_field_and_source_is_documented() -> None:
    """docs/timeline.md covers each of them."""
    for field in ("seq", "at", "kind", "who", "source", "text", "component", "reason", "stream", "fact_seq"):
        assert f"`{field}`" in DOCS


def test_second_incident_counts_vendor_lag_from_the_first() -> None:
    """INC-1 was resolved while the vendor's notice was still open, so the vendor was not ahead of us in INC-2."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    began = table.now
    table.passes(8)
    notice = Notice("anthropic", "n1", "u1", "Errors", "We look.", "investigating", "major", table.now, components=(API,))
    report = FeedReport("anthropic", table.now, FeedState.FRESH, notices=(notice,))
    table.send(s.FeedRead(actor=Actor.vendor("anthropic"), report=report))
    table.passes(60)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(100)
    table.sees(API, Level.DOWN)
    took = durations(table.incident(2), [fact for fact in table.facts if fact.incident == 2])

    assert began == took.first_impact_at
    assert after(8) == took.vendor_ack_lag
    assert after(8) == took.lead
    assert "The vendor's first word came 8 min after the first failure." == lag_words(table.incident(2))


def test_vendor_lag_spans_incidents_of_other_components() -> None:
    """The API failed first and the notice covered everything. Web failed after INC-1 was resolved, and we were still first."""
    table = _spoken_of(8)
    table.passes(100)
    table.sees(WEB, Level.DOWN)

    assert "The vendor's first word came 8 min after the first failure." == lag_words(table.incident(2))


def test_third_incident_counts_vendor_lag_from_the_first() -> None:
    """The notice stays open through all three incidents; in the second, only web failed."""
    table = _spoken_of(8)
    for one in (WEB, API):
        table.passes(20)
        table.sees(one, Level.DOWN)
        table.sees(one, Level.OPERATIONAL)
        table.send(s.SetPhase(actor=ANA, incident=table.world.last_incident, phase=Phase.RESOLVED, force=True))

    assert 3 == table.world.last_incident
    assert "The vendor's first word came 8 min after the first failure." == lag_words(table.incident(3))


def test_outage_that_ended_before_the_notice_is_separate() -> None:
    """A blip an hour earlier does not count as detecting this outage first."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(60)
    _speaks(table)
    table.passes(5)
    table.sees(API, Level.DOWN)

    assert "The vendor spoke 5 min before we saw a failure." == lag_words(table.incident(2))


def test_cancelled_hand_back_does_not_split_the_time_away() -> None:
    """Someone cancelled the hand-back, so customers were on GPT all along."""
    story = outage_story(20)
    story.add(
        f"flag/{FLAG}", Engaged(FLAG, f"{FLAG}#2", "gpt", "gpt", "slow again", "manual", T0 + after(300), (API,)), incident=7
    )

    assert [("gpt", None)] == [(away.variant, away.ended_at) for away in measured(story).away]


def test_backdated_notice_counts_from_the_first_incident() -> None:
    """The page is first read during INC-2, but its notice is dated within INC-1, eight minutes after we saw the failure."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    began = table.now
    table.passes(20)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.passes(150)
    table.sees(API, Level.DOWN)
    table.passes(2)
    _speaks(table, began + after(8))
    about = [fact for fact in table.facts if fact.incident == 2]
    took = durations(table.incident(2), about)

    assert "The vendor's first word came 8 min after the first failure." == lag_words(table.incident(2))
    assert began == took.first_impact_at
    assert after(8) == took.vendor_ack_lag
    file = render("md", table.incident(2), about, table.policy)[1].decode()
    assert "| Vendor's acknowledgement lag (first word after impact) | 8 min |" in file


def test_notice_dated_before_any_incident_puts_the_vendor_first() -> None:
    """We had seen no failure at that time."""
    table = Table().all_well()
    spoke = table.now
    table.passes(30)
    table.sees(API, Level.DOWN)
    _speaks(table, spoke)

    assert "The vendor spoke 30 min before we saw a failure." == lag_words(table.incident(1))


def _speaks(table: Table, at: datetime | None = None) -> None:
    words = ("n1", "u1", "Errors", "We look.", "investigating", "major", at or table.now)
    notice = Notice("anthropic", *words, components=(API, WEB))
    report = FeedReport("anthropic", table.now, FeedState.FRESH, notices=(notice,))
    table.send(s.FeedRead(actor=Actor.vendor("anthropic"), report=report))


def _spoken_of(minutes: int) -> Table:
    """INC-1 of the API is over; the vendor spoke so long after its first failure, and its notice stands."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.passes(minutes)
    _speaks(table)
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    return table
