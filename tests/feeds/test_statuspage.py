"""The Statuspage dialect: what is taken from a page, and how little a change of the page costs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.model import FeedReport, FeedState, Level, Listing
from bot.feeds.errors import FeedError
from bot.feeds.statuspage import LEVELS, MOST_INCIDENTS, MOST_UPDATES, parse
from tests.truth import truth_dir

AT = datetime(2030, 1, 7, 12, 0, tzinfo=UTC)
IDS = {"acme.api": "c-api", "acme.web": "c-web"}


def page(**changes: Any) -> dict[str, Any]:
    """A small page of our own making."""
    components = [
        {"id": "c-api", "name": "API", "status": "major_outage"},
        {"id": "c-web", "name": "Web", "status": "operational"},
        {"id": "c-docs", "name": "Docs", "status": "partial_outage"},
    ]
    update = {
        "id": "u1",
        "status": "investigating",
        "body": "We look.",
        "created_at": "2030-01-07T11:00:00.000Z",
        "display_at": "2030-01-07T10:50:00.000-01:00",
        "affected_components": [{"code": "c-api", "name": "API", "old_status": "operational", "new_status": "major_outage"}],
    }
    incident = {
        "id": "i1",
        "name": "API fails",
        "status": "investigating",
        "impact": "major",
        "created_at": "2030-01-07T11:00:00.000Z",
        "shortlink": "https://short.example/i1",
        "incident_updates": [update],
        "components": [components[0], components[2]],
    }
    about = {"id": "p", "name": "Acme", "url": "https://status.example.com/"}
    made = {"page": about, "components": components, "incidents": [incident], "scheduled_maintenances": []}
    return made | {"status": {"indicator": "maintenance", "description": "?"}} | changes


def read(payload: Any) -> FeedReport:
    return parse(payload, provider="acme", component_ids=IDS, at=AT)


def test_page_gives_levels_and_notices_when_it_is_as_usual() -> None:
    """Levels by our ids; an update with its title, body, time in UTC, link and our components."""
    report = read(json.dumps(page()).encode())
    assert (FeedState.FRESH, "", AT) == (report.state, report.reason, report.at)
    assert {"acme.api": Level.DOWN, "acme.web": Level.OPERATIONAL} == report.levels
    (notice,) = report.notices
    assert ("i1", "u1", "API fails", "We look.") == (notice.id, notice.update, notice.title, notice.body)
    assert ("investigating", "major", ("acme.api",)) == (notice.status, notice.impact, notice.components)
    assert datetime(2030, 1, 7, 11, 50, tzinfo=UTC) == notice.at
    assert "https://short.example/i1" == notice.url


def test_component_is_absent_when_the_page_does_not_list_it() -> None:
    """Missing is not well."""
    report = read(page(components=[{"id": "c-web", "status": "operational"}]))
    assert {"acme.web": Level.OPERATIONAL} == report.levels


@pytest.mark.parametrize(("word", "level"), sorted(LEVELS.items()))
def test_component_has_its_level_when_the_word_is_known(word: str, level: Level) -> None:
    """Each word of the dialect maps to one level; maintenance says neither well nor ill."""
    report = read(page(components=[{"id": "c-api", "status": word}]))
    assert ({"acme.api": level}, "") == (report.levels, report.reason)


def test_component_is_unknown_when_the_word_is_new() -> None:
    """A word that nobody knew keeps the component, as unknown, and is told."""
    report = read(page(components=[{"id": "c-api", "status": "a bit odd"}]))
    assert {"acme.api": Level.UNKNOWN} == report.levels
    assert "the page calls acme.api 'a bit odd'" in report.reason


def test_component_is_found_by_name_when_configuration_gives_the_name() -> None:
    """Some pages change ids and keep names."""
    report = parse(page(), provider="acme", component_ids={"acme.api": "API", "acme.sdk": "API"}, at=AT)
    assert {"acme.api": Level.DOWN, "acme.sdk": Level.DOWN} == report.levels
    assert ("acme.api", "acme.sdk") == report.notices[0].components


def test_notice_names_the_incidents_components_when_the_update_names_none() -> None:
    """affected_components may be null or missing; then the incident's own list counts."""
    made = page()
    made["incidents"][0]["incident_updates"][0]["affected_components"] = None
    made["incidents"][0]["shortlink"] = None
    (notice,) = read(made).notices
    assert ("acme.api",) == notice.components
    assert "https://status.example.com/incidents/i1" == notice.url


def test_notices_are_in_order_when_the_page_lists_the_newest_first() -> None:
    """Whoever reads on reads forward; maintenances are notices too."""
    made = page()
    updates = [{"id": f"u{n}", "status": "identified", "body": "", "created_at": f"2030-01-07T1{n}:00:00Z"} for n in (2, 1)]
    made["incidents"][0]["incident_updates"] = updates
    early = {"id": "u0", "status": "scheduled", "body": "", "created_at": "2030-01-01T00:00:00Z"}
    made["scheduled_maintenances"] = [{"id": "m1", "name": "Upkeep", "impact": "maintenance", "incident_updates": [early]}]
    assert ["u0", "u1", "u2"] == [notice.update for notice in read(made).notices]


def updates_of(*updates: dict[str, Any], status: str = "investigating") -> FeedReport:
    """A page with one incident that lists these updates, the newest first."""
    made = page()
    made["incidents"][0] |= {"status": status, "incident_updates": list(updates)}
    return read(made)


def said(id: str, status: str = "identified", at: str = "2030-01-07T10:00:00Z") -> dict[str, Any]:
    return {"id": id, "status": status, "body": "", "display_at": at}


def test_updates_of_one_moment_are_in_the_order_of_the_page() -> None:
    """It lists the newest first."""
    report = updates_of(said("u3"), said("u2"), said("u1"))
    assert ["u1", "u2", "u3"] == [notice.update for notice in report.notices]


def test_a_time_to_come_is_the_time_of_reading() -> None:
    """A vendor whose clock says 9999 spoke no later than we read it."""
    report = updates_of(said("u1", at="9999-12-31T23:59:59Z"))
    assert [AT] == [notice.at for notice in report.notices]


def test_an_update_displayed_at_a_time_to_come_was_said_when_it_was_made() -> None:
    """One of the vendor's two times is of use."""
    report = updates_of(said("u1", at="9999-12-31T23:59:59Z") | {"created_at": "2030-01-07T10:30:00Z"})

    assert [datetime(2030, 1, 7, 10, 30, tzinfo=UTC)] == [notice.at for notice in report.notices]


def test_the_end_comes_last_when_the_page_says_that_it_is_over() -> None:
    """Also when an update before it is dated into the year 9999."""
    report = updates_of(said("u2", at="9999-01-01T00:00:00Z"), said("u3", "resolved"), said("u1"), status="resolved")
    assert ["u1", "u2", "u3"] == [notice.update for notice in report.notices]


def test_updates_without_ids_are_told_apart_by_what_they_say() -> None:
    """Two of one moment and status, and neither takes the other's name when a third comes."""
    first, second, third = ({"status": "identified", "body": body, "created_at": "x"} for body in "abc")
    two = [notice.update for notice in updates_of(second, first).notices]
    three = [notice.update for notice in updates_of(third, second, first).notices]
    assert 3 == len(set(three))
    assert two == three[:2]


@pytest.mark.parametrize(
    ("key", "count", "words"),
    [
        ("components", 5_001, "5,001 components; the first 5,000 were read"),
        ("incidents", 501, "501 incidents; the first 500 were read"),
        ("scheduled_maintenances", 501, "501 maintenances; the first 500 were read"),
    ],
)
def test_no_more_is_read_of_a_page_than_any_real_one_holds(key: str, count: int, words: str) -> None:
    """The rest is left out, and the report says so."""
    report = read(page(**{key: [{"id": f"x{n}"} for n in range(count)]}))
    assert words in report.reason


def test_no_more_updates_are_read_than_any_real_page_holds() -> None:
    """The newest count."""
    report = updates_of(*(said(f"u{n}") for n in range(2_100, 0, -1)))
    assert (2_000, "u2100") == (len(report.notices), report.notices[-1].update)


def test_what_is_beyond_the_most_of_a_page_is_not_read() -> None:
    """Neither a component nor an incident: the report says that they were left out, so they are."""
    others = [{"id": f"x{n}"} for n in range(5_000)]
    update = {"id": "u1", "status": "investigating"}
    incidents = [{"id": f"i{n}", "incident_updates": [update]} for n in range(MOST_INCIDENTS + 1)]
    report = read(page(components=[*others, *page()["components"]], incidents=incidents))

    assert {} == report.levels
    assert f"i{MOST_INCIDENTS}" not in {notice.id for notice in report.notices}


def test_one_incident_of_too_many_updates_is_said_as_well() -> None:
    """Nobody takes what was not read for what was not said."""
    report = updates_of(*(said(f"u{n}") for n in range(MOST_UPDATES + 1, 0, -1)))

    assert "more than 2,000 updates" in report.reason
    assert report.incidents is None


def test_long_texts_and_ids_are_cut() -> None:
    """One update cannot fill the ledger; a long id is told from others by its digest."""
    made = page()
    made["incidents"][0]["incident_updates"][0] |= {"id": "i" * 500, "body": "x" * 50_000, "status": "s" * 500}
    (notice,) = read(made).notices
    assert (16, 10_000, 60) == (len(notice.update), len(notice.body), len(notice.status))


def test_a_number_of_thousands_of_digits_costs_nothing() -> None:
    """Python takes a time that grows with the square of the digits."""
    assert FeedState.FRESH is read(json.dumps(page())[:-1].encode() + b', "n": ' + b"9" * 100_000 + b"}").state


def test_a_maintenance_tells_its_plan_when_the_page_has_one() -> None:
    """When it is to begin and to end; an incident has no plan, and junk is none."""
    made = page()
    update = {"id": "mu1", "status": "scheduled", "body": "soon", "display_at": "2026-03-20T10:00:00Z"}
    plan = {"scheduled_for": "2026-03-21T02:00:00Z", "scheduled_until": "yesterday"}
    made["scheduled_maintenances"] = [{"id": "m1", "name": "Upkeep", "incident_updates": [update], **plan}]
    notices = {notice.id: notice for notice in read(made).notices}
    maintenance = notices.pop("m1")

    assert (datetime(2026, 3, 21, 2, 0, tzinfo=UTC), None) == (maintenance.starts_at, maintenance.ends_at)
    assert {(None, None)} == {(notice.starts_at, notice.ends_at) for notice in notices.values()}


def test_components_under_maintenance_are_named_when_the_page_calls_them_so() -> None:
    """Their level is unknown, which alone would not tell why."""
    made = page()
    made["components"][0]["status"] = "under_maintenance"
    report = read(made)

    assert [our for our, level in report.levels.items() if level is Level.UNKNOWN] == list(report.maintenance)
    assert 1 == len(report.maintenance)
    assert () == read(page()).maintenance


def test_old_endings_are_read_when_the_page_lists_its_history() -> None:
    """incidents.json repeats weeks of resolved incidents; what of them is news is not for the vendor's clock to say."""
    made = page()
    incident = made["incidents"][0] | {"status": "resolved", "resolved_at": "2030-01-07T11:30:00Z"}
    stale = incident | {"id": "i0", "created_at": "2030-01-01T00:00:00Z", "resolved_at": "2030-01-01T01:00:00Z"}
    stale["incident_updates"] = [{"id": "old", "status": "resolved", "body": "", "display_at": "2030-01-01T01:00:00Z"}]
    report = read({"page": made["page"], "incidents": [incident, stale]})
    assert ["i0", "i1"] == [notice.id for notice in report.notices]
    assert {} == report.levels


def test_texts_are_whole_and_storable_when_they_are_strange() -> None:
    """Long texts and mentions stay as they are; what no encoding takes is replaced."""
    made = page()
    body = "<!channel> " + "x" * 9_000
    made["incidents"][0]["incident_updates"][0]["body"] = body + "\ud83d\x00"
    (notice,) = read(json.dumps(made).encode()).notices
    assert body + "?" == notice.body
    assert notice.body.encode()


@pytest.mark.parametrize(
    "junk",
    [
        {"components": [None, 3, {}, {"id": 5}, {"id": "c-api"}]},
        {
            "incidents": [
                None,
                {},
                {"id": None},
                {"id": "i", "incident_updates": None},
                {"id": "i", "incident_updates": [7, {}]},
            ]
        },
        {"scheduled_maintenances": None},
        {"page": None},
        {"page": {"url": "javascript:alert(1)"}},
        {"incidents": [{"id": "i", "created_at": 3, "incident_updates": [{"id": 4, "display_at": "soon", "body": ["x"]}]}]},
    ],
)
def test_page_is_still_read_when_a_part_of_it_is_junk(junk: dict[str, Any]) -> None:
    """What is not understood costs itself alone."""
    report = read(json.dumps(page(**junk)).encode())
    assert FeedState.FRESH == report.state
    assert all(notice.url.startswith(("https://", "")) for notice in report.notices)
    assert all(notice.at.tzinfo is not None for notice in report.notices)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"<!doctype html><p>Just a moment", "HTML instead of JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe[", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"components": [' + b"[]," * 200_000 + b"1]}", "more values than any status page"),
        (b"[]", "a JSON list, not an object"),
        (b'{"aggregate_state": "operational"}', "another dialect, or not a status page"),
    ],
)
def test_error_says_what_came_when_it_is_not_a_page(payload: bytes, words: str) -> None:
    """The sentence tells a challenge page from a wrong address."""
    with pytest.raises(FeedError, match=words):
        read(payload)


def test_recorded_anthropic_page_is_read_when_it_is_at_hand() -> None:
    """A real summary: six components, one incident with four updates that touches the Console alone."""
    truth = truth_dir()
    if truth is None:
        pytest.skip("recorded status pages are not in this checkout")
    payload = (truth / "feeds" / "anthropic_summary_2026-10-07.json").read_bytes()
    ids = {"anthropic.api": "k8w3r06qmzrp", "anthropic.web": "rwppv331jlwc", "anthropic.console": "0qbwn08sd68x"}
    report = parse(payload, provider="anthropic", component_ids=ids, at=AT)
    wanted = {"anthropic.api": Level.OPERATIONAL, "anthropic.web": Level.OPERATIONAL, "anthropic.console": Level.DEGRADED}
    assert wanted == report.levels
    assert 4 == len(report.notices)
    assert {("anthropic.console",)} == {notice.components for notice in report.notices}
    assert report.notices[0].at < report.notices[-1].at
    assert "monitoring" == report.notices[-1].status


def test_recorded_openai_page_is_read_when_it_is_at_hand() -> None:
    """incident.io's variant: no components in incidents, no maintenances, words of its own."""
    truth = truth_dir()
    if truth is None:
        pytest.skip("recorded status pages are not in this checkout")
    payload = (truth / "feeds" / "openai_summary_2026-09-29.json").read_bytes()
    ids = {"openai.api": "01JP8CD9JR3HR6Y7G4Q75N4DVW"}
    report = parse(payload, provider="openai", component_ids=ids, at=AT)
    assert {"openai.api": Level.DEGRADED} == report.levels
    assert report.notices
    assert all(notice.url.startswith("https://status.openai.com/incidents/") for notice in report.notices)
    assert all(AT - notice.at > timedelta(0) for notice in report.notices)


def test_recorded_status_is_read_when_it_is_at_hand() -> None:
    """status.json has neither components nor incidents, and is a page all the same."""
    truth = truth_dir()
    if truth is None:
        pytest.skip("recorded status pages are not in this checkout")
    report = read((truth / "feeds" / "anthropic_status_2026-08-09.json").read_bytes())
    assert ({}, ()) == (report.levels, report.notices)


def test_a_page_says_what_it_lists_also_where_nothing_was_said_of_it() -> None:
    """An incident without an update is on the page all the same."""
    created = "2030-01-07T11:00:00Z"
    report = read(
        page(incidents=[{"id": "i1", "created_at": created}, {"id": "i2", "status": "resolved", "created_at": created}])
    )
    at = datetime(2030, 1, 7, 11, 0, tzinfo=UTC)

    assert (Listing({"i1": at, "i2": at}, history=True), Listing()) == (report.incidents, report.maintenances)


@pytest.mark.parametrize(
    "incidents",
    [
        None,
        [{"id": "i1"}, "what?"],
        [{"name": "without an id"}],
        [{"id": f"i{n}"} for n in range(MOST_INCIDENTS + 1)],
        [
            {"id": "i1", "incident_updates": [{"id": f"u{n}"} for n in range(MOST_UPDATES)]},
            {"id": "i2", "incident_updates": [{}]},
        ],
    ],
    ids=["no list", "an odd row", "a row without an id", "too many", "too many updates"],
)
def test_a_page_that_is_not_read_whole_says_nothing_of_what_is_absent(incidents: Any) -> None:
    """So that what was not read is not taken for what the vendor took away."""
    assert read(page(incidents=incidents)).incidents is None


def test_the_same_words_said_again_without_an_id_are_another_update() -> None:
    """`We continue to investigate`, three times within a minute and without times of their own, is three updates."""
    again = {"status": "investigating", "body": "We continue to investigate."}
    two = [notice.update for notice in updates_of(again, again).notices]
    three = [notice.update for notice in updates_of(again, again, again).notices]
    assert 3 == len(set(three))
    assert two == three[:2]
