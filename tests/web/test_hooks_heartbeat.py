"""/hooks/heartbeat: a job says that it lives, in whatever way its host can."""

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
class ListedSigns:
    """Knows the heartbeats of a list, by id and by last name; one of them wants a token."""

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
def signs() -> ListedSigns:
    return ListedSigns()


@pytest.fixture
async def beating(open_house: OpenHouse, signs: ListedSigns) -> House:
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
async def test_sign_is_taken_by_any_method(
    beating: House, http: aiohttp.ClientSession, signs: ListedSigns, method: str, path: str, kind: str, exit_code: int | None
) -> None:
    """curl, wget, a browser or a health check of a cloud: each can send it, and 0 alone means success."""
    status, text = await ask(http, beating, BEAT + path, method)

    assert (200, "" if method == "HEAD" else "OK") == (status, text)
    assert [("jobs.nightly.beat", kind, exit_code, "")] == signs.signs


async def test_sign_needs_no_token_of_ours(beating: House, http: aiohttp.ClientSession, signs: ListedSigns) -> None:
    """A job on another machine, behind a proxy: its name is enough unless the check has a token."""
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
async def test_guarded_heartbeat_takes_its_token(beating: House, http: aiohttp.ClientSession, sent: Any) -> None:
    """In a header, or in the address where a tool can send no headers."""
    assert 200 == (await ask(http, beating, "/hooks/heartbeat/jobs.guarded.beat/fail", **sent))[0]


@pytest.mark.parametrize("sent", [{}, {"headers": {"Authorization": "Bearer wrong"}}, {"params": {"token": "é" * 500}}])
async def test_guarded_heartbeat_refuses_others(
    beating: House, http: aiohttp.ClientSession, signs: ListedSigns, sent: Any
) -> None:
    """401, with what to send."""
    status, text = await ask(http, beating, "/hooks/heartbeat/jobs.guarded.beat", **sent)

    assert 401 == status
    assert '"field": "token"' in text
    assert [] == signs.signs


@pytest.mark.parametrize("name", ["nobody", "x" * 500, "%00", "..%2f..", "<script>", "%F0%9F%92%80", "jobs.nightly.beat%0a"])
async def test_unknown_heartbeat_is_404(beating: House, http: aiohttp.ClientSession, name: str) -> None:
    """In the shape of every other error, with what a name may be."""
    status, text = await ask(http, beating, f"/hooks/heartbeat/{name}")

    assert 404 == status
    assert "There is no heartbeat" in text
    assert '"remedy"' in text


async def test_every_heartbeat_is_unknown_when_none_is_configured(open_house: OpenHouse, http: aiohttp.ClientSession) -> None:
    """The route is there, and says so."""
    house = await open_house()
    assert 404 == (await ask(http, house, BEAT))[0]


@pytest.mark.parametrize("what", ["256", "-1", "1.5", "1e2", "²", "done", "0000", "9" * 400])
async def test_what_is_no_sign_is_refused(beating: House, http: aiohttp.ClientSession, signs: ListedSigns, what: str) -> None:
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
async def test_words_are_kept_as_a_note(
    beating: House, http: aiohttp.ClientSession, signs: ListedSigns, body: bytes, note: str
) -> None:
    """Cleaned, without secrets, cut to where the error stands; however much a job says, its sign counts."""
    assert 200 == (await ask(http, beating, f"{BEAT}/fail", data=io.BytesIO(body)))[0]
    assert note == signs.signs[0][3]


async def test_sign_counts_when_its_words_cannot_be_read(
    beating: House, http: aiohttp.ClientSession, signs: ListedSigns, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that is not what it says it is, is no reason to call a job dead."""
    sent = {"Content-Encoding": "gzip"}
    assert 200 == (await ask(http, beating, BEAT, data=b"this is not gzip", headers=sent))[0]
    assert 200 == (await ask(http, beating, BEAT, data=gzip.compress(b"z" * 5_000_000), headers=sent))[0]

    assert ["(its words could not be read)", "…" + "z" * 199] == [note for *_, note in signs.signs]
    assert [] == [record for record in caplog.records if record.exc_info]


async def test_sign_counts_when_its_words_trickle(beating: House, signs: ListedSigns) -> None:
    """A client that never ends its body is answered all the same."""
    reader, writer = await asyncio.open_connection("127.0.0.1", beating.port)
    writer.write(f"POST {BEAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf a".encode())
    status = await asyncio.wait_for(reader.readline(), 5)
    writer.close()

    assert b"HTTP/1.1 200 OK\r\n" == status
    assert ["half a ..."] == [note for *_, note in signs.signs]


async def test_sign_too_many_is_told_when_to_come_again(
    beating: House, signs: ListedSigns, http: aiohttp.ClientSession
) -> None:
    """429 with Retry-After, which curl --retry obeys; nothing is counted, and no body is waited for."""
    signs.busy = True
    answer = await http.post(f"{beating.url}{BEAT}/fail", data=b"x" * 1000)

    assert (429, "1") == (answer.status, answer.headers["Retry-After"])
    assert "at most one a second" in (await answer.json())["text"]
    assert [] == signs.signs


@pytest.mark.parametrize(("path", "status"), [(BEAT, 403), ("/hooks/heartbeat/jobs.guarded.beat?token=" + TOKEN, 200)])
async def test_sign_without_token_is_refused_under_a_foreign_name(
    beating: House, http: aiohttp.ClientSession, path: str, status: int
) -> None:
    """A page whose name was made to point at this machine cannot report a job as failed; whoever knows the token may."""
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
async def test_a_job_may_name_its_run(
    beating: House, http: aiohttp.ClientSession, signs: ListedSigns, sent: Any, run: str
) -> None:
    """As clients of healthchecks.io do; a key stands in no evidence, for it may be a token sent by mistake."""
    assert 200 == (await ask(http, beating, f"{BEAT}/fail", **sent))[0]
    assert [run] == signs.runs


@pytest.mark.parametrize("rid", ["a b", "x" * 65, "<script>", "é"])
async def test_what_is_no_name_of_a_run_is_refused(
    beating: House, http: aiohttp.ClientSession, signs: ListedSigns, rid: str
) -> None:
    """Rather than counted under no name, which would be found out in an outage."""
    status, text = await ask(http, beating, f"{BEAT}/fail", params={"rid": rid})

    assert (400, []) == (status, signs.signs)
    assert '"field": "rid"' in text
