"""Exported files hold everything, in UTC, and contain nothing that runs when they are opened."""

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import LEAD, Actor, Phase, Severity
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared, NoteAdded, PhaseChanged, RoleChanged
from bot.core.record.kinds import BODIES, decode_body
from bot.core.record.task_facts import TaskAdded
from bot.exports import FORMATS, render
from bot.exports.csv_file import COLUMNS, FORMULA, cell
from bot.exports.markdown import md
from bot.system.redaction import Redactor
from bot.timeline.story import story as story_rows
from tests.generated import HOSTILE as ANY_TEXT
from tests.generated import instances
from tests.stories import ANA, BOB, HOSTILE, T0, Story, one_of_each, outage_story, story_policy

UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*([`*_\[\]<>|#~])")


SECRETS = ("key_of_the_house_9", '"q"u"o"t"e"d"9x')


def rendered(format: str, story: Story, secret: str = "") -> str:
    return render(format, story.incident(), story.about(7), story.policy, Redactor([secret]))[1].decode()


def as_written(secret: str) -> set[str]:
    """A secret as it stands in a file of any format."""
    return {secret, md(secret), json.dumps(secret)[1:-1], secret.replace('"', '""')}


def cells(story: Story) -> list[list[str]]:
    return list(csv.reader(io.StringIO(rendered("csv", story))))


def test_file_name_contains_ids_only() -> None:
    """A title must not end up in a path."""
    story = outage_story(title="../../etc/passwd")
    names = [render(format, story.incident(), story.about(7), story.policy)[0] for format in FORMATS]

    assert ["INC-7-timeline.md", "INC-7-timeline.json", "INC-7-timeline.csv"] == names


def test_declarer_is_not_repeated_as_the_reason() -> None:
    """People should not read "by ana: declared by ana"; programs still get the recorded reason."""
    story = Story(story_policy())
    story.add("incident/7", Declared(7, "Slow", Severity.SEV2, "", "declared/7", (), T0, "declared by ana", "#ops"), ANA)
    text = rendered("md", story)

    assert "ana" in text
    assert "declared by ana" not in text
    assert "declared by ana" in rendered("json", story)
    assert "declared by ana" in rendered("csv", story)


@pytest.mark.parametrize("format", FORMATS)
def test_secret_wrapped_over_lines_is_redacted(format: str) -> None:
    """Terminals and mail programs wrap long secrets; no part may remain."""
    parts = ("k9Qz7Lw2", "Xv5Tb8Rn", "4Jc6Ht3D")
    story = outage_story()
    story.add("incident/7", NoteAdded("use " + "\n".join(parts) + " now"), ANA)
    text = rendered(format, story, "".join(parts))

    assert [] == [part for part in parts if part in text]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "secret", ["key_of_the_house_9", "a*b*c*d*e*f*g*h*9", '"q"u"o"t"e"d"9x', "p|i|p|e|d|9", "#w~a&b<c>d[e]f`9"]
)
@pytest.mark.parametrize("place", ["title", "words", "name", "task"])
def test_secret_in_an_old_ledger_is_redacted(format: str, secret: str, place: str) -> None:
    """The secret was stored before it was configured, and each format escapes it differently."""
    said = f"use {secret} now"
    story = outage_story(title=said) if place == "title" else outage_story(words=said) if place == "words" else outage_story()
    if place == "name":
        story.add("incident/7", NoteAdded("seen"), Actor.operator(said))
    if place == "task":
        story.add("incident/7", TaskAdded(1, said), ANA)
    text = rendered(format, story, secret)

    assert [] == [form for form in as_written(secret) if form in text]
    assert "[secret]" in text or md("[secret]") in text


@pytest.mark.parametrize("format", FORMATS)
def test_token_like_text_is_redacted(format: str) -> None:
    """The whole token goes, even though Markdown escapes its underscores."""
    assert "ghij" not in rendered(format, outage_story(words="Authorization: Bearer abcd_efgh_ghij"))


def test_unknown_format_error_lists_the_known_formats() -> None:
    """The caller can pick a valid format from the message."""
    story = outage_story()

    with pytest.raises(ValueError, match="'html' is not known; there are: md, json, csv"):
        render("html", story.incident(), story.about(7), story.policy)


def test_duplicate_names_the_original_and_the_comment() -> None:
    """A reader of this file can find the other incident."""
    story, words = outage_story(3), "same failover | seen twice"
    story.add("incident/7", PhaseChanged(Phase.TRIAGE, Phase.CANCELED, "cancel", "duplicate", duplicate_of=4, why=words), ANA)

    assert "by ana: a duplicate of INC-4: same failover \\| seen twice" in rendered("md", story)
    assert 4 == json.loads(rendered("json", story))["incident"]["duplicate_of"]


def test_post_mortem_uses_display_names() -> None:
    """Providers appear by name, and automatic actions are attributed to Understudy."""
    text = rendered("md", outage_story())

    assert "| Provider | Claude |" in text
    assert "| the status page of Claude |" in text
    assert "| Understudy (fallback automation) |" in text
    assert "the rule " not in text


def test_resolution_without_a_reason_has_no_trailing_colon() -> None:
    """With no reason given, the sentence simply ends."""
    story = outage_story(3)
    story.add("incident/7", PhaseChanged(Phase.TRIAGE, Phase.RESOLVED, "resolve", ""), ANA)

    assert re.search(r"\| Ended \| \S+ \S+ UTC by ana \|", rendered("md", story))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_contains_the_whole_story(format: str) -> None:
    """Phases, vendor notices and switches appear with time, actor and reason."""
    story = outage_story()
    text = rendered(format, story)

    for words in (
        "INC-7 is monitoring, was mitigated",
        "every component is operational again",
        "We are investigating the cause.",
        "support-chat.llm uses gpt instead of claude",
        "ana",
        "Vendor support says: database failover",
        "vendor confirms the fix",
    ):
        assert words in text.replace("\\", "")


@pytest.mark.parametrize(("format", "holds"), [("md", False), ("json", True), ("csv", True)])
def test_bookkeeping_is_exported_for_programs_only(format: str, holds: bool) -> None:
    """A post-mortem author does not need the bot's own posts; a program may want to count them."""
    assert holds == ("Posted: the alert" in rendered(format, outage_story()))


def test_json_rows_mark_bookkeeping() -> None:
    """Programs can filter by a field instead of keeping a list of kinds."""
    told = json.loads(rendered("json", outage_story()))["timeline"]

    assert {True} == {row["bookkeeping"] for row in told if row["kind"] == "incident.posted"}
    assert {False} == {row["bookkeeping"] for row in told if row["kind"] == "incident.note_added"}


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words[:12]))
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_valid_with_hostile_text(format: str, words: str) -> None:
    """Each file is valid UTF-8 and parses in its own format."""
    story = outage_story(title=words, words=words)
    story.facts += one_of_each(words)
    text = rendered(format, story)

    assert len(story.about(7)) > len(BODIES)
    if format == "json":
        assert len(story.about(7)) == len(json.loads(text)["timeline"])
    if format == "csv":
        assert {len(COLUMNS)} == {len(row) for row in csv.reader(io.StringIO(text))}
    if format == "md":
        assert 1 + len(story_rows(story.about(7))) == sum(bool(re.match(r"\| (\d+|#) \|", line)) for line in text.splitlines())


# --- CSV


@pytest.mark.parametrize(
    "risky", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", " =1", "\x00=1", "\u200b=1"]
)
def test_csv_cell_is_never_a_formula(risky: str) -> None:
    """A leading apostrophe makes the cell text (OWASP, CSV injection)."""
    assert cell(risky).startswith("'")


@given(ANY_TEXT)
def test_generated_text_never_becomes_a_formula(text: str) -> None:
    """Invisible characters before the sign make no difference."""
    assert not cell(text).lstrip().startswith(FORMULA)


def test_ordinary_cell_is_unchanged() -> None:
    """A hyphen inside the text is harmless."""
    assert "claude-api, 3 = 3" == cell("claude-api, 3 = 3")


def test_every_csv_cell_is_quoted() -> None:
    """Commas and line breaks in foreign text must not shift columns."""
    story = outage_story(words='a,"b"\n=c')
    text = rendered("csv", story)

    assert text.startswith('"seq","at","kind"')
    assert {len(COLUMNS)} == {len(row) for row in cells(story)}
    assert "2026-03-20T12:43:00Z" == cells(story)[1][1]


# --- Markdown


def test_link_in_a_title_is_escaped() -> None:
    """Brackets, pipes, HTML and backticks are escaped; a line end becomes a break."""
    assert r"\[x\](javascript:alert(1)) \| \<img\> \`a\`<br>\# b" == md("[x](javascript:alert(1)) | <img> `a`\n# b")


@given(ANY_TEXT)
def test_foreign_text_never_becomes_markdown(text: str) -> None:
    """Only the line break that we insert is left unescaped."""
    assert [] == UNESCAPED.findall(md(text).replace("<br>", ""))


def test_markdown_table_keeps_its_columns() -> None:
    """Pipes and line breaks in people's text do not split a row."""
    story = outage_story(title="a | b", words="c | d\n| e |")
    lines = [line for line in rendered("md", story).splitlines() if line.startswith("| ")]
    timeline = lines[lines.index("| # | time | source | who | what | why |") :]

    assert {7} == {len(re.findall(r"(?<!\\)\|", line)) for line in timeline}


def test_markdown_shows_durations_outages_and_flags() -> None:
    """A point that was not recorded says so."""
    text = rendered("md", outage_story())

    for words in (
        "# INC-7: Claude API down",
        "| Vendor's acknowledgement lag (first word after impact) | 45 min |",
        "| Vendor called it over | not recorded |",
        "| Claude API | 2026-03-20 12:40:00 UTC | 2026-03-20 14:27:00 UTC | 1 h 47 min | down |",
        "| support-chat.llm | gpt | 2026-03-20 12:43:00 UTC | 2026-03-20 14:45:00 UTC | 2 h 02 min |",
        "Detected by a probe. Updates: 3, missed: 0.",
    ):
        assert words in text


# --- JSON


def test_json_facts_can_be_read_back() -> None:
    """The data of each row is the fact's body as stored in the ledger."""
    story = outage_story()
    rows = json.loads(rendered("json", story))["timeline"]

    assert [fact.body for fact in story.about(7)] == [decode_body(row["kind"], 1, row["data"]) for row in rows]


def test_json_is_null_where_nothing_was_recorded() -> None:
    """A missing value must not be reported as zero."""
    story = outage_story(3)
    durations = json.loads(rendered("json", story))["durations"]

    assert (None, None) == (durations["points"]["vendor_first_at"], durations["spans_s"]["vendor_ack_lag"])
    assert (180.0, None) == (durations["spans_s"]["detect"], durations["spans_s"]["resolve"])


@pytest.mark.parametrize("format", FORMATS)
def test_token_pasted_into_a_note_is_redacted(format: str) -> None:
    """People paste keys into notes during an outage."""
    story = outage_story(5)
    story.add("incident/7", NoteAdded("try sk-ant-api03-canary0123456789 and xoxb-1-canary"), ANA)

    assert "canary" not in rendered(format, story)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_generated_fact_can_be_exported(data: st.DataObject) -> None:
    """No export may fail on a fact that the ledger can hold."""
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    body: Any = data.draw(instances(BODIES[kind]))
    story = STORY
    facts = [*story.about(7), Fact("incident/7", 99, T0, ANA, 7, body)]

    for format in FORMATS:
        name, content = render(format, story.incident(), facts, story.policy)
        assert content.decode("utf-8") and name.startswith("INC-7-")


STORY = outage_story()


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("md", ("| Roles | lead: bob |", "| Responders | ana, bob |")),
        ("json", ('"commander": {\n        "kind": "person",\n        "id": "U0BOB"', '"responders": [')),
    ],
)
def test_file_names_the_lead_and_the_responders(format: str, expected: tuple[str, ...]) -> None:
    """The post-mortem needs both; the lead's role is shown under its configured name."""
    story = outage_story(16)
    story.add("incident/7", RoleChanged(LEAD, None, BOB), ANA)
    made = rendered(format, story)

    assert [] == [part for part in expected if part not in made]
