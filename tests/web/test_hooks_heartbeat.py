"""/hooks/heartbeat: a job reports that it is alive, over whatever HTTP client its host has."""

import asyncio
import gzip
import io
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from web_house import House, OpenHouse

from bot.ports import Admission
from bot.web.services import Hooks

BEAT = "/hooks/heartbeat/jobs.nightly.beat"
TOKEN = "token-of-the-nightly-job"
Sign = tuple[str, str, int | None, str]


@dataclass
class ListedHeartbeats:
    """Knows a fixed list of heartbeats, by id and by last name; one of them needs a token."""

    signs: list[Sign] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    busy: bool = False

    def admit(self, name: str, token: str, *, open: bool = True) -> Admission:
        if name not in ("jobs.nightly.beat", "beat", "jobs.guarded.beat"):
            return Admission.UNKNOWN
        if name == "jobs.guarded.beat":
            return Admission.OK if token == TOKEN else Admission.DENIED
        if not open:
            return Admission.CLOSED
        return Admission.TOO_MANY if self.busy else Admission.OK

    async def record(self, name: str, kind: str, exit_code: int | None, note: str, run: str = "") -> None:
        self.signs.append((name, kind, exit_code, note))
        self.runs.append(run)


@pytest.fixture
def signs() -> ListedHeartbeats:
    return ListedHeartbeats()


@pytest.fixture
async def beating(open_house: OpenHouse, signs: ListedHeartbeats) -> House:
    return await open_house(hooks=Hooks(signs=signs), read_tokens=("read-token",))


async def ask(http: aiohttp.ClientSession, house: House, path: str, method: str = "POST", **more: Any) -> tuple[int, str]:
    answer = await http.request(method, house.url + path, **more)
    return answer.status, await answer.text()


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    ("path", "kind", "exit_code"),
    [("", "success", None), ("/start", "start", None), ("/fail", "fail", None), ("/0", "success", 0), ("/1", "fail", 1),
     ("/255", "fail", 255), ("/007", "fail", 7)],
)  # fmt: skip
async def test_heartbeat_is_accepted_by_any_method(
    beating: House,
    http: aiohttp.ClientSession,
    signs: ListedHeartbeats,
    method: str,
    path: str,
    kind: str,
    exit_code: int | None,
) -> None:
    """curl, wget, a browser or a cloud health check can send it, and only exit code 0 means success."""
    status, text = await ask(http, beating, BEAT + path, method)

    assert (200, "" if method == "HEAD" else "OK") == (status, text)
    assert [("jobs.nightly.beat", kind, exit_code, "")] == signs.signs


async def test_heartbeat_needs_no_api_token(beating: House, http: aiohttp.ClientSession, signs: ListedHeartbeats) -> None:
    """For a job on another machine behind a proxy, the heartbeat's name is enough unless the check has a token."""
    status, _ = await ask(http, beating, "/hooks/heartbeat/beat", headers={"X-Forwarded-For": "192.0.2.7"})

    assert 200 == status
    assert "beat" == signs.signs[0][0]


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"headers": {"authorization": f"bearer {TOKEN}"}},
        {"params": {"token": TOKEN}},
    ],
)
async def test_guarded_heartbeat_accepts_its_token(beating: House, http: aiohttp.ClientSession, sent: Any) -> None:
    """The token goes in a header, or in the URL for a tool that cannot send headers."""
    assert 200 == (await ask(http, beating, "/hooks/heartbeat/jobs.guarded.beat/fail", **sent))[0]


@pytest.mark.parametrize("sent", [{}, {"headers": {"Authorization": "Bearer wrong"}}, {"params": {"token": "é" * 500}}])
async def test_guarded_heartbeat_without_its_token_is_refused(
    beating: House, http: aiohttp.ClientSession, signs: ListedHeartbeats, sent: Any
) -> None:
    """The answer is 401 and says what to send."""
    status, text = await ask(http, beating, "/hooks/heartbeat/jobs.guarded.beat", **sent)

    assert 401 == status
    assert '"field": "token"' in text
    assert [] == signs.signs


@pytest.mark.parametrize("name", ["nobody", "x" * 500, "%00", "..%2f..", "<script>", "%F0%9F%92%80", "jobs.nightly.beat%0a"])
async def test_unknown_heartbeat_is_404(beating: House, http: aiohttp.ClientSession, name: str) -> None:
    """The error has the usual shape and says which names exist."""
    status, text = await ask(http, beating, f"/hooks/heartbeat/{name}")

    assert 404 == status
    assert "There is no heartbeat" in text
    assert '"remedy"' in text


async def test_every_heartbeat_is_unknown_when_none_is_configured(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """The route still exists and answers 404."""
    house = await open_house()
    assert 404 == (await ask(http, house, BEAT))[0]


@pytest.mark.parametrize("what", ["256", "-1", "1.5", "1e2", "²", "done", "0000", "9" * 400])
async def test_invalid_heartbeat_suffix_is_refused(
    beating: House, http: aiohttp.ClientSession, signs: ListedHeartbeats, what: str
) -> None:
    """A misspelt end of the path must not count as success."""
    status, text = await ask(http, beating, f"{BEAT}/{what}")

    assert 400 == status
    assert "exit code from 0 to 255" in text
    assert [] == signs.signs


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"backed up 3 databases\n", "backed up 3 databases"),
        (b"a\x00b\x1b[31mred\xff\n\n  c", "ab[31mred\ufffd c"),
        ("\u202eevil <!channel>".encode(), "evil <!channel>"),
        (b"key sk-abcdefgh12345678 used", "key [secret] used"),
        (b"x" * 600 + b" the error", "…" + "x" * 189 + " the error"),
        (b"y" * 2_000_000, "…" + "y" * 199),
    ],
)
async def test_heartbeat_body_is_kept_as_a_note(
    beating: House, http: aiohttp.ClientSession, signs: ListedHeartbeats, body: bytes, note: str
) -> None:
    """It is cleaned, stripped of secrets and cut to its end, where the error is; a long body never costs the heartbeat."""
    assert 200 == (await ask(http, beating, f"{BEAT}/fail", data=io.BytesIO(body)))[0]
    assert note == signs.signs[0][3]


async def test_heartbeat_counts_when_its_body_is_unreadable(
    beating: House, http: aiohttp.ClientSession, signs: ListedHeartbeats, caplog: pytest.LogCaptureFixture
) -> None:
    """A body in the wrong encoding is no reason to call a job dead."""
    sent = {"Content-Encoding": "gzip"}
    assert 200 == (await ask(http, beating, BEAT, data=b"this is not gzip", headers=sent))[0]
    assert 200 == (await ask(http, beating, BEAT, data=gzip.compress(b"z" * 5_000_000), headers=sent))[0]

    assert ["(its words could not be read)", "…" + "z" * 199] == [note for *_, note in signs.signs]
    assert [] == [record for record in caplog.records if record.exc_info]


async def test_heartbeat_counts_when_its_body_never_ends(beating: House, signs: ListedHeartbeats) -> None:
    """The client is answered even though it never finishes its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", beating.port)
    writer.write(f"POST {BEAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf a".encode())
    status = await asyncio.wait_for(reader.readline(), 5)
    writer.close()

    assert b"HTTP/1.1 200 OK\r\n" == status
    assert ["half a ..."] == [note for *_, note in signs.signs]


async def test_too_frequent_heartbeat_gets_429(beating: House, signs: ListedHeartbeats, http: aiohttp.ClientSession) -> None:
    """Retry-After is set, which curl --retry obeys; nothing is counted and the body is not awaited."""
    signs.busy = True
    answer = await http.post(f"{beating.url}{BEAT}/fail", data=b"x" * 1000)

    assert (429, "1") == (answer.status, answer.headers["Retry-After"])
    assert "at most one a second" in (await answer.json())["text"]
    assert [] == signs.signs


@pytest.mark.parametrize(("path", "status"), [(BEAT, 403), ("/hooks/heartbeat/jobs.guarded.beat?token=" + TOKEN, 200)])
async def test_heartbeat_without_a_token_is_refused_under_a_foreign_host(
    beating: House, http: aiohttp.ClientSession, path: str, status: int
) -> None:
    """A page on a DNS name rebound to this machine cannot report a job as failed; a client with the token can."""
    assert status == (await ask(http, beating, path, headers={"Host": "rebound.example.com"}))[0]


RUN_ID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@pytest.mark.parametrize(
    ("sent", "run"),
    [
        ({"params": {"rid": RUN_ID}}, RUN_ID),
        ({"headers": {"Idempotency-Key": "sk-not-meant-for-this"}}, "key-e3f7e672d81e"),
        ({"params": {"rid": RUN_ID}, "headers": {"Idempotency-Key": "k-1"}}, RUN_ID),
        ({}, ""),
    ],
)
async def test_heartbeat_may_name_its_run(
    beating: House, http: aiohttp.ClientSession, signs: ListedHeartbeats, sent: Any, run: str
) -> None:
    """Clients of healthchecks.io do so; an idempotency key is hashed, because it may be a token sent by mistake."""
    assert 200 == (await ask(http, beating, f"{BEAT}/fail", **sent))[0]
    assert [run] == signs.runs


@pytest.mark.parametrize("rid", ["a b", "x" * 65, "<script>", "é"])
async def test_invalid_run_id_is_refused(
    beating: House, http: aiohttp.ClientSession, signs: ListedHeartbeats, rid: str
) -> None:
    """Dropping it silently would only be noticed in an outage."""
    status, text = await ask(http, beating, f"{BEAT}/fail", params={"rid": rid})

    assert (400, []) == (status, signs.signs)
    assert '"field": "rid"' in text
