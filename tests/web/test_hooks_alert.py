"""Alerts from other monitors, and what people do to one component over HTTP: mute, unmute, report."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from web_house import CONTROL, READ, House, headers

from bot.core import signals as s
from bot.core.model import Actor
from bot.web.services import ALERTS_PER_S, ALL_ALERTS_PER_S, MOST_SOURCES, AlertPace

ALERT = "/hooks/alert/anthropic.api"
COMPONENT = "/api/v1/components/anthropic.api"
FIRING = {"state": "firing", "key": "HighErrorRate", "title": "Claude errors above 5 %", "source": "grafana"}


async def ask(
    http: aiohttp.ClientSession, house: House, path: str, body: Any = None, method: str = "POST", **more: str
) -> tuple[int, Any]:
    answer = await http.request(method, house.url + path, json=body, headers=headers(CONTROL, **more))
    return answer.status, await answer.json()


def sent(house: House) -> dict[str, Any]:
    """The newest signal without its id."""
    return {name: value for name, value in vars(house.engine.signals[-1]).items() if name != "id"}


async def test_alert_becomes_its_signal(house: House, http: aiohttp.ClientSession) -> None:
    """A firing alert is recorded, and a resolved alert ends it."""
    status, found = await ask(http, house, ALERT, FIRING, X_Understudy_Actor="grafana")
    assert (200, True) == (status, found["ok"])
    expected = s.Alerted(
        Actor.operator("grafana"), source="grafana", key="HighErrorRate", component="anthropic.api", state="firing",
        title="Claude errors above 5 %",
    )  # fmt: skip
    assert {name: value for name, value in vars(expected).items() if name != "id"} == sent(house)
    assert ["grafana/HighErrorRate"] == list(house.engine.world.component("anthropic.api").alerts)
    status, _ = await ask(http, house, ALERT, {"state": "Resolved", "key": "HighErrorRate", "source": "grafana"})
    assert 200 == status
    assert {} == house.engine.world.component("anthropic.api").alerts


async def test_alert_without_a_source_is_attributed_to_its_sender(house: House, http: aiohttp.ClientSession) -> None:
    """Two monitors that use the same key are told apart by their actor names."""
    await ask(http, house, ALERT, {"state": "firing", "key": "k"}, X_Understudy_Actor="zabbix")

    assert "zabbix" == sent(house)["source"]


async def test_component_is_muted_and_unmuted(house: House, http: aiohttp.ClientSession) -> None:
    """A mute has an end, a reason and a name; the answer gives its end."""
    status, found = await ask(http, house, f"{COMPONENT}/mute", {"for": "2h", "reason": "load test"}, X_Understudy_Actor="ana")
    assert 200 == status
    assert "2026-03-20 14:00 UTC" in found["text"]
    mute = house.engine.world.component("anthropic.api").mute
    assert mute is not None
    assert (house.clock.now() + timedelta(hours=2), "ana", "load test") == (mute.until, mute.by.name, mute.reason)
    assert 200 == (await ask(http, house, f"{COMPONENT}/mute", method="DELETE"))[0]
    assert house.engine.world.component("anthropic.api").mute is None
    status, found = await ask(http, house, f"{COMPONENT}/mute", method="DELETE")
    assert (409, "Claude API is not muted.") == (status, found["text"])


async def test_person_reports_a_failing_component(house: House, http: aiohttp.ClientSession) -> None:
    """The answer says what the checks see."""
    status, found = await ask(http, house, f"{COMPONENT}/report", {"text": "Answers stop half-way"}, X_Understudy_Actor="ana")

    assert 200 == status
    assert "Claude API is operational" in found["text"]
    [report] = house.engine.world.component("anthropic.api").reports
    assert ("ana", "Answers stop half-way") == (report.who, report.text)


MISTAKES: list[tuple[str, Any, int, str]] = [
    (ALERT, None, 400, "state"),
    (ALERT, {**FIRING, "state": "burning"}, 400, "state"),
    (ALERT, {**FIRING, "key": ""}, 400, "key"),
    (ALERT, {**FIRING, "key": 5}, 400, "key"),
    (ALERT, {**FIRING, "key": "k" * 201}, 400, "key"),
    (ALERT, {**FIRING, "title": "t\x00"}, 400, "title"),
    (ALERT, {**FIRING, "severity": "page"}, 400, "severity"),
    (ALERT, [], 400, ""),
    ("/hooks/alert/anthropic.apl", FIRING, 404, "component"),
    (f"{COMPONENT}/mute", {}, 400, "for"),
    (f"{COMPONENT}/mute", {"for": "soon"}, 400, "for"),
    (f"{COMPONENT}/mute", {"for": "0s"}, 400, "for"),
    (f"{COMPONENT}/mute", {"for": "31d"}, 409, ""),
    (f"{COMPONENT}/report", {}, 400, "text"),
    (f"{COMPONENT}/report", {"text": "  "}, 400, "text"),
    ("/api/v1/components/claude/mute", {"for": "1h"}, 404, "component"),
]


@pytest.mark.parametrize(("path", "body", "status", "field"), MISTAKES)
async def test_invalid_request_names_the_field(
    house: House, http: aiohttp.ClientSession, path: str, body: Any, status: int, field: str
) -> None:
    """The error names the field, and nothing is recorded."""
    before = len(house.engine.facts)
    found_status, found = await ask(http, house, path, body)

    assert (status, field, False) == (found_status, found.get("field", ""), found["ok"])
    assert before == len(house.engine.facts)


async def test_misspelt_component_gets_the_nearest_one_suggested(house: House, http: aiohttp.ClientSession) -> None:
    """The remedy says what to send."""
    _, found = await ask(http, house, "/hooks/alert/anthropic.apl", FIRING)

    assert "Did you mean anthropic.api?" == found["remedy"]


@pytest.mark.parametrize(("token", "status"), [("", 401), (READ, 403), ("wrong", 401)])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ALERT), ("POST", f"{COMPONENT}/mute"), ("DELETE", f"{COMPONENT}/mute"), ("POST", f"{COMPONENT}/report")],
)
async def test_component_actions_need_a_control_token(
    house: House, http: aiohttp.ClientSession, method: str, path: str, token: str, status: int
) -> None:
    """A reader must not be able to hide an outage from people."""
    answer = await http.request(method, house.url + path, json=FIRING, headers=headers(token) if token else {})

    assert status == answer.status
    assert [] == house.engine.signals


async def test_flooding_source_gets_429(house: House, http: aiohttp.ClientSession) -> None:
    """It gets Retry-After before any decision is made and is accepted a second later; other sources are not affected."""
    pace = house.services.hooks.pace
    now = house.clock.monotonic()
    assert ALERTS_PER_S == sum(pace.take("grafana", now) for _ in range(ALERTS_PER_S + 50))
    answer = await http.post(house.url + ALERT, json=FIRING, headers=headers(CONTROL))
    assert (429, "1") == (answer.status, answer.headers["Retry-After"])
    assert [] == house.engine.signals
    assert 200 == (await ask(http, house, ALERT, {**FIRING, "source": "datadog"}))[0]
    house.clock.advance(timedelta(seconds=1))
    assert 200 == (await ask(http, house, ALERT, FIRING))[0]


def test_made_up_sources_share_one_limit() -> None:
    """A sender can invent source names, so the number of remembered names is bounded."""
    pace = AlertPace()
    assert ALL_ALERTS_PER_S == sum(pace.take(f"source {number}", 0.0) for number in range(5000))
    assert MOST_SOURCES == len(pace)
