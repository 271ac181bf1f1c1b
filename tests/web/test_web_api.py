"""/api/v1: every request becomes one signal, every answer is a sentence, every mistake is named with its remedy."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from web_house import CONTROL, READ, START, House, OpenHouse, headers

from bot.core import signals as s
from bot.core.model import LEAD, Actor, Level, Phase, Severity, Verdict
from bot.core.record.sight import Sight

API = "/api/v1"
DECLARE = {"title": "Chat is slow", "components": ["anthropic.api"], "severity": "SEV3"}
CHAT = "support-chat.llm"
ANA = Actor.person("U0ANA", "ana")


async def get(http: aiohttp.ClientSession, house: House, path: str) -> tuple[int, Any]:
    answer = await http.get(house.url + API + path, headers=headers(READ))
    return answer.status, await answer.json()


async def post(http: aiohttp.ClientSession, house: House, path: str, body: Any = None, **more: str) -> tuple[int, Any]:
    answer = await http.post(house.url + API + path, json=body, headers=headers(CONTROL, **more))
    return answer.status, await answer.json()


@pytest.fixture
async def declared(house: House, http: aiohttp.ClientSession) -> House:
    """A house with INC-1."""
    assert 200 == (await post(http, house, "/incidents", DECLARE))[0]
    return house


async def test_incident_is_declared_by_the_named_operator(house: House, http: aiohttp.ClientSession) -> None:
    """The engine gets one signal whose actor comes from the header; its answer is returned unchanged."""
    status, found = await post(http, house, "/incidents", DECLARE, X_Understudy_Actor="ana", Idempotency_Key="k-1")
    assert [
        s.Declare(
            Actor.operator("ana"),
            "api/k-1 POST /api/v1/incidents",
            title="Chat is slow",
            components=("anthropic.api",),
            severity=Severity.SEV3,
        )
    ] == house.engine.signals
    assert 200 == status
    assert {
        "ok": True,
        "text": "INC-1 is declared: Chat is slow",
        "incident": 1,
        "flag": "",
        "flag_name": "",
        "changed": True,
        "code": "",
        "choices": [],
        "kind": "declared",
        "zone": "UTC",
        "data": {
            "title": "Chat is slow",
            "channel_name": house.engine.world.incidents[1].room.name,
            "at": None,
            "began_at": None,
            "ended_at": None,
            "channel": "",
            "beside": [],
        },
    } == found


async def test_incident_is_declared_with_an_earlier_start(house: House, http: aiohttp.ClientSession) -> None:
    """The time is in UTC unless it has a zone."""
    times = {"began": (START - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S"), "ended": "2026-03-20T12:00+01:00"}
    status, found = await post(http, house, "/incidents", DECLARE | times)
    [signal] = house.engine.signals

    assert isinstance(signal, s.Declare)
    assert (START - timedelta(hours=2), "11:00") == (signal.began_at, f"{signal.ended_at:%H:%M}")
    assert 200 == status, found


async def test_repeated_request_changes_nothing(house: House, http: aiohttp.ClientSession) -> None:
    """Requests with the same Idempotency-Key are one signal; without a key, each request is separate."""
    for _ in range(2):
        status, found = await post(http, house, "/incidents", {"title": "No component"}, Idempotency_Key="k-1")
        assert 200 == status
    assert not found["changed"]
    assert 1 == len(house.engine.world.incidents)
    for _ in range(2):
        await post(http, house, "/incidents", {"title": "No component"})
    assert 3 == len({signal.id for signal in house.engine.signals})


async def test_key_is_separate_for_each_route(house: House, http: aiohttp.ClientSession) -> None:
    """A script may use one key for a whole run: its next request is done, not reported as already done."""
    await post(http, house, "/incidents", {"title": "Slow"}, Idempotency_Key="run-7")
    _, found = await post(http, house, "/incidents/1/ack", {}, Idempotency_Key="run-7")

    assert found["changed"]
    assert house.engine.world.incidents[1].people.acknowledged_by


API_ACTOR = Actor.operator("api")
IN_SLACK = Actor.person("U0ANA0000")
WORDS = "We serve from the fallback"
ACTIONS: list[tuple[str, Any, s.Signal]] = [
    ("update", {"text": WORDS}, s.WriteUpdate(API_ACTOR, incident=1, text=WORDS)),
    ("note", {"text": "Vendor\nsays: failover"}, s.AddNote(API_ACTOR, incident=1, text="Vendor\nsays: failover")),
    ("severity", {"severity": "sev1", "reason": "x"}, s.SetSeverity(API_ACTOR, incident=1, severity=Severity.SEV1, reason="x")),
    ("rename", {"title": "Stripe fails"}, s.Rename(API_ACTOR, incident=1, title="Stripe fails")),
    ("role", {"role": "Lead", "to": "me"}, s.GiveRole(API_ACTOR, incident=1, role=LEAD, to=API_ACTOR)),
    (
        "role",
        {"role": "commander", "to": "U0ANA0000"},
        s.GiveRole(API_ACTOR, incident=1, role=LEAD, to=Actor.person("U0ANA0000")),
    ),
    ("role", {"role": "commander", "to": "ben"}, s.GiveRole(API_ACTOR, incident=1, role=LEAD, to=Actor.operator("ben"))),
    ("phase", {"phase": "identified"}, s.SetPhase(API_ACTOR, incident=1, phase=Phase.IDENTIFIED)),
    ("mitigated", {"reason": "by mail"}, s.SayMitigated(API_ACTOR, incident=1, reason="by mail")),
    ("ack", None, s.Acknowledge(API_ACTOR, incident=1)),
    ("resolve", {"reason": "well"}, s.SetPhase(API_ACTOR, incident=1, phase=Phase.RESOLVED, reason="well")),
    ("join", {}, s.Join(API_ACTOR, incident=1)),
    ("resolve", {"force": True}, s.SetPhase(API_ACTOR, incident=1, phase=Phase.RESOLVED, force=True)),
    ("resolve", {"warned": ["a", "b"]}, s.SetPhase(API_ACTOR, incident=1, phase=Phase.RESOLVED, warned=("a", "b"))),
    ("phase", {"phase": "resolved", "force": True}, s.SetPhase(API_ACTOR, incident=1, phase=Phase.RESOLVED, force=True)),
    (
        "cancel",
        {"reason": "external", "why": "not ours"},
        s.SetPhase(API_ACTOR, incident=1, phase=Phase.CANCELED, reason="external", why="not ours"),
    ),
    ("cancel", {"reason": "drill"}, s.SetPhase(API_ACTOR, incident=1, phase=Phase.CANCELED, reason="drill")),
]


@pytest.mark.parametrize(("action", "body", "signal"), ACTIONS, ids=[name for name, _, _ in ACTIONS])
@pytest.mark.parametrize("reference", ["1", "INC-1", "inc-0001"])
async def test_incident_action_becomes_its_signal(
    declared: House, http: aiohttp.ClientSession, action: str, body: Any, signal: s.Signal, reference: str
) -> None:
    """Each action is one signal, and every way to name an incident works."""
    status, found = await post(http, declared, f"/incidents/{reference}/{action}", body)
    assert (200, True, 1) == (status, found["ok"], found["incident"])
    sent = declared.engine.signals[-1]
    assert sent.id.startswith("api/")
    assert vars(signal) | {"id": sent.id} == vars(sent)


async def test_repair_is_refused_without_slack(declared: House, http: aiohttp.ClientSession) -> None:
    """The answer says that nothing was done."""
    status, found = await post(http, declared, "/incidents/1/repair")
    assert (409, "nobody_looked", False) == (status, found["kind"], found["changed"])


async def test_task_is_added_and_done(declared: House, http: aiohttp.ClientSession) -> None:
    """The incident shows its text, owner and due time."""
    body = {"text": "Call support", "owner": "U0ANASILVA", "due": "30m"}
    status, found = await post(http, declared, "/incidents/1/task", body)
    later = await post(http, declared, "/incidents/1/followup", {"text": "Write it up", "due": "2026-03-23T09:00+01:00"})
    done = await post(http, declared, "/incidents/1/done", {"task": 1}, X_Understudy_Actor="carla")
    first, second = (await get(http, declared, "/incidents/1"))[1]["tasks"]

    assert (200, 200, 200) == (status, later[0], done[0]), (found, later, done)
    assert ("Call support", "U0ANASILVA", "done", "carla") == (
        first["text"], first["owner"]["id"], first["state"], first["ended_by"]["name"],
    )  # fmt: skip
    assert (START + timedelta(minutes=30)).isoformat() == first["due_at"]
    assert ("2026-03-23T08:00:00+00:00", None, True) == (second["due_at"], second["owner"], second["follow_up"])


async def test_resolved_incident_is_reopened(declared: House, http: aiohttp.ClientSession) -> None:
    """A reopened incident is investigating again."""
    await post(http, declared, "/incidents/1/resolve")
    status, found = await post(http, declared, "/incidents/1/reopen", {"reason": "again"})
    assert (200, True) == (status, found["ok"])
    assert Phase.INVESTIGATING is declared.engine.world.incidents[1].phase


async def test_refusal_of_the_core_is_409_with_its_reason(declared: House, http: aiohttp.ClientSession) -> None:
    """A refusal has the usual shape, and nothing is recorded."""
    await post(http, declared, "/incidents/1/resolve")
    status, found = await post(http, declared, "/incidents/1/resolve")
    assert (409, False, False, 1) == (status, found["ok"], found["changed"], found["incident"])
    assert "INC-1 is already resolved" in found["text"]
    assert {"ok", "text", "incident", "flag", "flag_name", "changed", "code", "choices", "kind", "zone", "data"} == set(found)
    assert ("no_way", "resolved", "resolved") == (found["kind"], found["data"]["phase"], found["data"]["to"])


async def test_flag_is_engaged_stepped_back_and_released(house: House, http: aiohttp.ClientSession) -> None:
    """An engagement goes through all its steps by API, each visible in /flags at once."""
    body = {"variant": "gpt", "reason": "claude is down", "for": "2h"}
    status, found = await post(http, house, f"/flags/{CHAT}/engage", body, X_Understudy_Actor="ana")
    assert (200, CHAT) == (status, found["flag"])
    flag = await shown(http, house)
    assert ("engaged", "gpt", 100, "claude is down") == (
        flag["phase"], flag["variant"], flag["percent_on_fallback"], flag["engagement"]["reason"],
    )  # fmt: skip
    assert "2026-03-20T14:00:00+00:00" == flag["engagement"]["expires_at"]
    assert 200 == (await post(http, house, f"/flags/{CHAT}/step-back"))[0]
    flag = await shown(http, house)
    assert ("handing_back", 90) == (flag["phase"], flag["percent_on_fallback"])
    assert 200 == (await post(http, house, f"/flags/{CHAT}/release", {"reason": "well again", "force": True}))[0]
    flag = await shown(http, house)
    assert ("normal", "claude", None) == (flag["phase"], flag["variant"], flag["engagement"])


async def test_flag_ramp_pin_and_freeze_are_set(house: House, http: aiohttp.ClientSession) -> None:
    """A plan, a share, another share, its end, a pin and a freeze are each visible in /flags at once."""
    status, planned = await post(http, house, f"/flags/{CHAT}/plan", {"variant": "gpt", "share": 25})
    assert (200, False, 25) == (status, planned["changed"], planned["data"]["share"])
    await post(http, house, f"/flags/{CHAT}/engage", {"variant": "gpt", "reason": "a try", "share": "25%", "for": "2h"})
    assert ("engaged", 25) == ((flag := await shown(http, house))["phase"], flag["percent_on_fallback"])
    await post(http, house, f"/flags/{CHAT}/ramp", {"share": 50})
    assert 50 == (await shown(http, house))["percent_on_fallback"]
    await post(http, house, f"/flags/{CHAT}/extend", {"for": "1h"})
    assert "2026-03-20T15:00:00+00:00" == (await shown(http, house))["engagement"]["expires_at"]
    await post(http, house, f"/flags/{CHAT}/pin", {"reason": "we measure"}, X_Understudy_Actor="ana")
    assert ("ana", "we measure") == ((pin := (await shown(http, house))["pin"])["by"]["name"], pin["reason"])
    assert 200 == (await post(http, house, f"/flags/{CHAT}/unpin"))[0]
    assert 409 == (await post(http, house, f"/flags/{CHAT}/hold"))[0]
    assert 200 == (await post(http, house, f"/flags/{CHAT}/resume"))[0]
    assert "handing_back" == (await shown(http, house))["phase"]


async def test_one_scope_of_a_flag_is_switched_and_steered(house: House, http: aiohttp.ClientSession) -> None:
    """Each body names the scope; the flag stays on its default and lists the switched scope separately."""
    scope = {"scope": "env=eu"}
    status, planned = await post(http, house, f"/flags/{CHAT}/plan", {"variant": "gpt", **scope})
    assert (200, f"{CHAT}@env=eu") == (status, planned["flag"])
    status, found = await post(http, house, f"/flags/{CHAT}/engage", {"variant": "gpt", "reason": "slow", "share": 25, **scope})
    undo = f'Undo: POST /api/v1/flags/{CHAT}/release {{"scope": "env=eu", "reason": "REASON"}}'
    assert (200, f"25 % of {CHAT} (env=eu) gets gpt now. {undo}") == (status, found["text"])
    await post(http, house, f"/flags/{CHAT}/ramp", {"share": 50, **scope})
    flag = await shown(http, house)
    assert ("normal", "claude", 0) == (flag["phase"], flag["variant"], flag["percent_on_fallback"])
    (part,) = flag["scopes"]
    assert ("env=eu", "engaged", 50, "gpt") == (
        part["scope"], part["phase"], part["percent_on_fallback"], part["engagement"]["variant"],
    )  # fmt: skip
    page, metrics = [await (await http.get(f"{house.url}{path}", headers=headers(READ))).text() for path in ("/", "/metrics")]
    assert "env=eu: <strong>gpt</strong> for 50 %" in page
    assert f'understudy_flag_scopes{{flag="{CHAT}"}} 1.0' in metrics
    assert 409 == (await post(http, house, f"/flags/{CHAT}/release", {"reason": "done"}))[0]
    assert 200 == (await post(http, house, f"/flags/{CHAT}/release", {"reason": "done", **scope}))[0]
    assert [] == (await shown(http, house))["scopes"]


async def test_automation_is_frozen_and_thawed(house: House, http: aiohttp.ClientSession) -> None:
    """Flags and status show who froze it."""
    await post(http, house, "/automation/freeze", {"reason": "the board lies"}, X_Understudy_Actor="ana")
    for path in ("/flags", "/status"):
        _, found = await get(http, house, path)
        assert ("ana", "the board lies") == (found["freeze"]["by"]["name"], found["freeze"]["reason"])
    await post(http, house, "/automation/thaw")
    assert None is (await get(http, house, "/flags"))[1]["freeze"]


async def shown(http: aiohttp.ClientSession, house: House) -> Any:
    _, found = await get(http, house, "/flags")
    return next(flag for flag in found["flags"] if flag["key"] == CHAT)


MISTAKES = [
    ("/incidents", {}, "title"),
    ("/incidents", {"title": " "}, "title"),
    ("/incidents", {"title": 7}, "title"),
    ("/incidents", {"title": "x" * 201}, "title"),
    ("/incidents", {"title": "a\x00b"}, "title"),
    ("/incidents", {"title": "a\ud800b"}, "title"),
    ("/incidents", {"title": "t", "components": "anthropic.api"}, "components"),
    ("/incidents", {"title": "t", "components": [7]}, "components"),
    ("/incidents", {"title": "t", "components": ["anthropic.apu"]}, "components"),
    ("/incidents", {"title": "t", "severity": "SEV9"}, "severity"),
    ("/incidents", {"title": "t", "severity": ["SEV1"]}, "severity"),
    ("/incidents", {"title": "t", "sevrity": "SEV1"}, "sevrity"),
    *((f"/flags/{CHAT}/ramp", {"share": wrong}, "share") for wrong in (None, 0, 101, "half", True, [50])),
    (f"/flags/{CHAT}/extend", {}, "for"),
    ("/incidents/1/update", {}, "text"),
    ("/incidents/1/update", {"text": "x" * 3001}, "text"),
    ("/incidents/1/severity", {}, "severity"),
    ("/incidents/1/phase", {"phase": "done"}, "phase"),
    ("/incidents/1/cancel", {"reason": "because"}, "reason"),
    ("/incidents/1/ack", {"text": "mine"}, "text"),
    *(("/incidents", {"title": "Chat is slow", "began": wrong}, "began") for wrong in ("14:00", "soon", 14, "9999-13-01")),
    ("/incidents/1/task", {"owner": "me"}, "text"),
    ("/incidents/1/task", {"text": "Call support", "owner": "<@U0ANA>"}, "owner"),
    *(("/incidents/1/task", {"text": "Call support", "due": wrong}, "due") for wrong in ("soon", "0m", 30, "14:00")),
    *(("/incidents/1/done", {"task": wrong}, "task") for wrong in (None, 0, "x", True, 1.5)),
    ("/incidents/seven/ack", None, "incident"),
    ("/incidents/0/ack", None, "incident"),
    ("/incidents/-1/ack", None, "incident"),
    (f"/flags/{CHAT}/engage", {"variant": "gpt"}, "reason"),
    (f"/flags/{CHAT}/engage", {"reason": "r", "for": "soon"}, "for"),
    (f"/flags/{CHAT}/engage", {"reason": "r", "for": 30}, "for"),
    (f"/flags/{CHAT}/engage", {"reason": "r", "for": "0s"}, "for"),
    (f"/flags/{CHAT}/release", {"reason": "r", "force": "yes"}, "force"),
    ("/incidents/1/resolve", {"warned": "a"}, "warned"),
    ("/incidents/1/resolve", {"warned": [1]}, "warned"),
    ("/incidents/1/resolve", {"warned": ["a"] * 201}, "warned"),
    (f"/flags/{CHAT}/engage", {"reason": "r", "scope": "env"}, "scope"),
    (f"/flags/{CHAT}/release", {"reason": "r", "scope": {"env": "eu"}}, "scope"),
    (f"/flags/{CHAT}/reject", {"reason": "r", "scope": "env=eu"}, "scope"),
]


@pytest.mark.parametrize(("path", "body", "field"), MISTAKES)
async def test_invalid_request_names_the_field_and_the_remedy(
    declared: House, http: aiohttp.ClientSession, path: str, body: Any, field: str
) -> None:
    """The answer is 400, and no signal is sent."""
    before = len(declared.engine.signals)
    status, found = await post(http, declared, path, body)
    assert (400, False, field) == (status, found["ok"], found["field"])
    assert found["remedy"]
    assert before == len(declared.engine.signals)


@pytest.mark.parametrize("body", ["{", "[]", '"t"', '{"title": NaN}', "[" * 30_000])
async def test_body_that_is_not_an_object_is_refused(house: House, http: aiohttp.ClientSession, body: str) -> None:
    """Malformed JSON is the caller's mistake, not ours."""
    answer = await http.post(house.url + API + "/incidents", data=body, headers=headers(CONTROL))
    assert 400 == answer.status
    assert (await answer.json())["remedy"]


@pytest.mark.parametrize(
    ("name", "value"), [("X-Understudy-Actor", "ana maria"), ("X-Understudy-Actor", "<!here>"), ("Idempotency-Key", "a b")]
)
async def test_header_with_invalid_characters_is_refused(
    house: House, http: aiohttp.ClientSession, name: str, value: str
) -> None:
    """Names go into timelines and Slack, so only plain text is accepted."""
    answer = await http.post(house.url + API + "/incidents", json=DECLARE, headers={**headers(), name: value})
    assert (400, name) == (answer.status, (await answer.json())["field"])


@pytest.mark.parametrize(
    ("path", "says"),
    [("/incidents/9/ack", "INC-1"), ("/flags/support-chat.lm/engage", f"mean {CHAT}?"), ("/nothing", "docs/http-api.md")],
)
async def test_unknown_resource_is_404_with_a_pointer(
    declared: House, http: aiohttp.ClientSession, path: str, says: str
) -> None:
    """The answer says where to find what exists."""
    status, found = await post(http, declared, path, {"reason": "r"})
    assert (404, False) == (status, found["ok"])
    assert says in found["remedy"]


async def test_status_shows_components_vendors_incidents_and_flags(house: House, http: aiohttp.ClientSession) -> None:
    """Everything at a glance, with reasons, latency and the readers of the flags."""
    await house.verdict("anthropic.api", Level.DOWN)
    house.board.evaluate(CHAT, {"targetingKey": "svc-a"})
    status, found = await get(http, house, "/status")
    assert 200 == status
    claude = found["components"][0]
    assert ("Claude API", "down", "5 of 5 probes failed", ["HTTP 529"]) == (
        claude["name"], claude["level"], claude["reason"], claude["evidence"],
    )  # fmt: skip
    assert {"count": 10, "p50_ms": 120.0, "p95_ms": 480.5, "failed": 1} == claude["latency"]
    assert ["anthropic", "openai"] == [provider["id"] for provider in found["providers"]]
    assert [("INC-1", "SEV2", "2026-03-20T13:00:00+00:00")] == [
        (i["name"], i["severity"], i["next_update_at"]) for i in found["incidents"]
    ]
    assert {CHAT: 1} == {flag["key"]: flag["readers"] for flag in found["flags"] if flag["readers"]}


async def test_status_shows_why_an_alert_was_not_sent(house: House, http: aiohttp.ClientSession) -> None:
    """Advisory, mute, held-back alert and blindness explain why nobody was notified."""
    calm = (await get(http, house, "/status"))[1]
    assert {"blind": False, "reason": "", "began_at": None, "ended_at": None} == calm["sight"]
    assert {(None, None, None)} == {(c["advisory"], c["mute"], c["held_back"]) for c in calm["components"]}

    rule = Actor.rule("detector")
    advised = Verdict("openai.api", Level.OPERATIONAL, "haiku: HTTP 529", advisory="haiku fails since 11:40 UTC")
    await house.engine.handle(s.VerdictReached(actor=rule, verdict=advised))
    await house.engine.handle(s.Mute(actor=ANA, component="anthropic.api", lasts=timedelta(hours=1), reason="load test"))
    await house.verdict("anthropic.api", Level.DOWN)
    await house.engine.handle(s.SightChanged(actor=rule, sight=Sight(True, "both controls are unreachable", START)))
    found = (await get(http, house, "/status"))[1]
    claude, openai = found["components"]

    noon, one = START.isoformat(), (START + timedelta(hours=1)).isoformat()
    assert (True, "both controls are unreachable", noon) == tuple(found["sight"][k] for k in ("blind", "reason", "began_at"))
    assert {"text": "haiku fails since 11:40 UTC", "since": noon} == openai["advisory"]
    ana = {"kind": "person", "id": "U0ANA", "name": "ana"}
    assert {"until": one, "by": ana, "reason": "load test", "at": noon} == claude["mute"]
    held = {"why": "we are blind: both controls are unreachable", "until": None, "incident": None, "at": noon}
    assert held == claude["held_back"]


async def test_incidents_are_listed_by_state(declared: House, http: aiohttp.ClientSession) -> None:
    """Open incidents by default, all on request; other states are refused."""
    await post(http, declared, "/incidents", {"title": "Another"})
    await post(http, declared, "/incidents/1/resolve")
    assert ["INC-2"] == [i["name"] for i in (await get(http, declared, "/incidents"))[1]["incidents"]]
    assert ["INC-2", "INC-1"] == [i["name"] for i in (await get(http, declared, "/incidents?state=all"))[1]["incidents"]]
    status, found = await get(http, declared, "/incidents?state=closed")
    assert (400, "state") == (status, found["field"])
    assert "resolved" == (await get(http, declared, "/incidents/INC-1"))[1]["phase"]


@pytest.mark.parametrize("state", ["all", "open"])
async def test_incidents_come_in_pages_of_fifty(house: House, http: aiohttp.ClientSession, state: str) -> None:
    """Newest first, each incident once, and the last page says that it is the last."""
    for number in range(120):
        await house.engine.handle(s.Declare(actor=Actor.operator("ana"), title=f"Trouble {number}", separate=True))
    pages, cursor = [], ""
    while cursor is not None and len(pages) < 9:
        found = (await get(http, house, f"/incidents?state={state}{cursor and '&cursor='}{cursor}"))[1]
        pages.append([i["number"] for i in found["incidents"]])
        cursor = found["next"]

    assert [50, 50, 20] == [len(page) for page in pages]
    assert list(range(120, 0, -1)) == [number for page in pages for number in page]


async def test_unknown_cursor_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """The error names the field, as every other mistake does."""
    for cursor in ("0", "-1", "INC-7", "9" * 40, "7%20"):
        status, found = await get(http, house, f"/incidents?cursor={cursor}")
        assert (400, "cursor") == (status, found["field"])


async def test_timeline_lists_the_facts_of_one_incident(declared: House, http: aiohttp.ClientSession) -> None:
    """Every fact has its actor, time and text, in order."""
    await post(http, declared, "/incidents/1/note", {"text": "Vendor says: failover"}, X_Understudy_Actor="ana")
    status, found = await get(http, declared, "/incidents/1/timeline")
    assert 200 == status
    assert "incident.declared" == found["facts"][0]["kind"]
    last = found["facts"][-1]
    assert ("incident.note_added", "ana", {"text": "Vendor says: failover"}) == (
        last["kind"], last["actor"]["name"], last["data"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("", "text/markdown"),
        ("?format=csv", "text/csv"),
        ("?format=json", "application/json"),
    ],
)
async def test_export_is_a_file(declared: House, http: aiohttp.ClientSession, query: str, kind: str) -> None:
    """File name and content type suit the format; an HTML export with foreign text must not run as a page of ours."""
    answer = await http.get(f"{declared.url}{API}/incidents/1/export{query}", headers=headers(READ))
    assert (200, kind, "# Zeitleiste für alle") == (answer.status, answer.content_type, await answer.text())
    name = f"INC-1-Zo-.{declared.exported[0][1]}"
    assert f'attachment; filename="{name}"' == answer.headers["Content-Disposition"]
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


async def test_unknown_export_format_is_refused(declared: House, http: aiohttp.ClientSession) -> None:
    """Only the three formats, and the answer names them."""
    status, found = await get(http, declared, "/incidents/1/export?format=pdf")
    assert (400, "format", "One of: md, json, csv.") == (status, found["field"], found["remedy"])


async def test_engaged_flag_stays_reachable_after_its_removal(house: House, http: aiohttp.ClientSession) -> None:
    """A flag that left the configuration can still be read and released."""
    await post(http, house, f"/flags/{CHAT}/engage", {"reason": "down"})
    others = {key: flag for key, flag in house.engine.policy.flags.items() if key != CHAT}
    house.engine.policy = replace(house.engine.policy, flags=others)
    assert CHAT in [flag["key"] for flag in (await get(http, house, "/flags"))[1]["flags"]]
    assert 200 == (await post(http, house, f"/flags/{CHAT}/release", {"reason": "gone"}))[0]
    assert CHAT not in [flag["key"] for flag in (await get(http, house, "/flags"))[1]["flags"]]


async def test_internal_error_is_500_without_details(house: House, http: aiohttp.ClientSession) -> None:
    """The caller learns that a retry is safe, and nothing about the internals."""
    house.engine.broken = True
    status, found = await post(http, house, "/incidents", DECLARE)
    assert (500, False) == (status, found["ok"])
    assert "Idempotency-Key" in found["remedy"]
    assert "secret" not in str(found)


async def test_nothing_is_changed_before_the_state_is_restored(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """A decision on an empty world would be wrong."""
    house = await open_house(restored=False, control_tokens=(CONTROL,))
    status, found = await post(http, house, "/incidents", DECLARE)
    assert (503, False) == (status, found["ok"])
    assert [] == house.engine.signals
