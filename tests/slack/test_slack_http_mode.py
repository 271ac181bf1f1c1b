"""HTTP mode: requests signed by Slack work as over the socket; all others are refused before anything is done."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.sandbox.slack.errors import SlackbotSays
from bot.sandbox.slack.http_delivery import FORM, Sent
from bot.slack.http_mode.challenge import prove_request_url
from tests.house import House, a_house

FIVE_MINUTES_S = 300


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A deployment that Slack reaches over HTTP."""
    async with a_house(tmp_path, slack={"mode": "http"}) as found:
        yield found


def typed(house: House, text: str = "declare Claude is down", **fields: str) -> Sent:
    """A slash command of Ana's, as Slack sends it."""
    payload = {
        "team_id": house.workspace.team_id, "channel_id": house.workspace.channel("ops").id, "user_id": house.ana.id,
        "user_name": "ana", "command": "/incident", "text": text, "trigger_id": f"1.2.{time.monotonic_ns()}",
        "response_url": f"{house.workspace.page_url}response/T/none", **fields,
    }  # fmt: skip
    return Sent(urlencode(payload).encode(), FORM)


def signed(house: House, sent: Sent, *, ahead_s: float = 0.0, secret: str = "") -> dict[str, str]:
    """Slack's signature headers, optionally by another clock or with another secret."""
    stamp = str(int(time.time() + ahead_s))
    key = (secret or house.workspace.signing_secret).encode()
    value = hmac.new(key, f"v0:{stamp}:".encode() + sent.body, hashlib.sha256).hexdigest()
    return {"Content-Type": sent.content_type, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={value}"}


async def posts(
    house: House, body: bytes, headers: Mapping[str, str] | list[tuple[str, str]], path: str = "/slack/events"
) -> tuple[int, str]:
    assert house.app is not None
    async with aiohttp.ClientSession() as session, session.post(house.app.url + path, data=body, headers=headers) as answer:
        return answer.status, await answer.text()


async def declared(house: House) -> int:
    """The number of incidents, once everything received has been handled."""
    assert house.app is not None
    await asyncio.sleep(0.1)
    return house.app.engine.world.last_incident


async def test_signed_command_works_without_a_socket(house: House) -> None:
    """It declares an incident, and no Socket Mode connection is open."""
    sent = typed(house)

    assert (200, "") == await posts(house, sent.body, signed(house, sent))
    assert 1 == await declared(house)
    assert [] == house.workspace.links.links


@pytest.mark.parametrize("ahead_s", [-FIVE_MINUTES_S + 20, FIVE_MINUTES_S - 20])
async def test_signature_is_valid_for_five_minutes(house: House, ahead_s: float) -> None:
    """Clocks differ, and requests take a while."""
    sent = typed(house)

    assert 200 == (await posts(house, sent.body, signed(house, sent, ahead_s=ahead_s)))[0]


def without(headers: dict[str, str], name: str) -> list[tuple[str, str]]:
    return [(key, value) for key, value in headers.items() if key != name]


HOSTILE: dict[str, Any] = {
    "no signature": lambda good: without(good, "X-Slack-Signature"),
    "no timestamp": lambda good: without(good, "X-Slack-Request-Timestamp"),
    "two signatures": lambda good: [*good.items(), ("X-Slack-Signature", good["X-Slack-Signature"])],
    "two timestamps": lambda good: [*good.items(), ("X-Slack-Request-Timestamp", good["X-Slack-Request-Timestamp"])],
    "empty signature": lambda good: good | {"X-Slack-Signature": ""},
    "other version": lambda good: good | {"X-Slack-Signature": good["X-Slack-Signature"].replace("v0", "v1")},
    "letters beyond ASCII": lambda good: good | {"X-Slack-Signature": "v0=" + "é" * 64},
    "somebody's guess": lambda good: good | {"X-Slack-Signature": "v0=" + "0" * 64},
    "no number": lambda good: good | {"X-Slack-Request-Timestamp": "now"},
    "endless number": lambda good: good | {"X-Slack-Request-Timestamp": "9" * 5000},
    "negative": lambda good: good | {"X-Slack-Request-Timestamp": "-1"},
    "another second": lambda good: good | {"X-Slack-Request-Timestamp": str(int(good["X-Slack-Request-Timestamp"]) - 1)},
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_missing_or_malformed_signature_headers_are_refused(house: House, kind: str) -> None:
    """401, and nothing is done."""
    sent = typed(house)
    made = HOSTILE[kind](signed(house, sent))
    status, _ = await posts(house, sent.body, made)

    assert 401 == status
    assert 0 == await declared(house)


@pytest.mark.parametrize("ahead_s", [-FIVE_MINUTES_S - 20, FIVE_MINUTES_S + 20])
async def test_stale_signature_is_refused(house: House, ahead_s: float) -> None:
    """A recorded request must not work an hour later."""
    sent = typed(house)
    status, words = await posts(house, sent.body, signed(house, sent, ahead_s=ahead_s))

    assert 401 == status
    assert "not of the last five minutes" in words
    assert 0 == await declared(house)


async def test_signature_with_another_secret_is_refused(house: House) -> None:
    """Of another app, or guessed."""
    sent = typed(house)

    assert 401 == (await posts(house, sent.body, signed(house, sent, secret="0" * 32)))[0]
    assert 0 == await declared(house)


async def test_changed_body_is_refused(house: House) -> None:
    """The signature covers the body byte for byte."""
    sent = typed(house)

    assert 401 == (await posts(house, sent.body + b"&x=1", signed(house, sent)))[0]
    assert 0 == await declared(house)


async def test_body_that_is_not_utf8_is_refused(house: House) -> None:
    """Slack sends UTF-8; anything else must not cause an error of ours."""
    sent = Sent(b"payload=\xff\xfe", FORM)

    assert 401 == (await posts(house, sent.body, signed(house, sent)))[0]


async def test_oversized_body_is_refused_unread(house: House) -> None:
    """413 by its headers, before any of it is read."""
    assert house.app is not None
    headers = signed(house, Sent(b"x", FORM))
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    port = int(house.app.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n{said}\r\n".encode())
    first = await asyncio.wait_for(reader.readline(), 5.0)
    writer.close()

    assert b"413" in first


async def test_replayed_request_is_acknowledged_but_not_done_again(house: House) -> None:
    """Within the five minutes that its signature is valid."""
    sent = typed(house)
    headers = signed(house, sent)
    answers = [await posts(house, sent.body, headers) for _ in range(3)]

    assert [(200, "")] * 3 == answers
    assert 1 == await declared(house)


async def test_replayed_question_is_answered_once(house: House) -> None:
    """Even a request that changes nothing is not handled twice."""
    house.workspace.faults.deliver_twice(1)
    await house.ana.types("/health")
    await asyncio.sleep(0.5)

    assert 1 == len([m for m in house.workspace.team.ephemerals if m.ephemeral_to == house.ana.id])


async def test_replay_after_a_restart_does_nothing(house: House) -> None:
    """Handled requests are remembered on disk."""
    sent = typed(house)
    headers = signed(house, sent)
    await posts(house, sent.body, headers)
    await declared(house)
    await house.stop()
    await house.start()

    assert (200, "") == await posts(house, sent.body, headers)
    assert 1 == await declared(house)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM), (b"hello", "text/plain"), (b"{", "application/json"), (b"[1]", "application/json"),
        (b"payload=", FORM), (b"payload=%7B", FORM), (b"payload=[]", FORM), (b"ssl_check=1&token=x", FORM),
        (b"[" * 20000, "application/json"), (b"--x--", "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
async def test_signed_body_without_a_payload_is_acknowledged_and_ignored(house: House, body: bytes, kind: str) -> None:
    """Otherwise Slack would send it again."""
    sent = Sent(body, kind)
    status, _ = await posts(house, body, signed(house, sent))

    assert 200 == status
    assert 0 == await declared(house)


async def test_retry_with_a_new_signature_counts_once(house: House) -> None:
    """Slack signs retries anew, so they are recognized by the id of their payload."""
    sent = typed(house, trigger_id="1.2.3")
    retry = signed(house, sent, ahead_s=1) | {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    answers = [await posts(house, sent.body, headers) for headers in (signed(house, sent), retry)]

    assert [(200, "")] * 2 == answers
    assert 1 == await declared(house)


async def test_challenge_is_answered_only_if_slack_signed_it(house: House) -> None:
    """Slack sends it when the address is entered; strangers learn nothing."""
    body = b'{"type": "url_verification", "challenge": "c-123"}'
    sent = Sent(body, "application/json")

    assert (200, '{"challenge": "c-123"}') == await posts(house, body, signed(house, sent))
    assert 401 == (await posts(house, body, signed(house, sent, secret="0" * 32)))[0]


@pytest.mark.parametrize("path", ["/slack", "/slack/", "/slack/events/", "/slack/commands", "/slack/events/x"])
async def test_slack_is_served_at_one_path_only(house: House, path: str) -> None:
    """A signature is accepted at no other path."""
    sent = typed(house)

    assert 404 == (await posts(house, sent.body, signed(house, sent), path))[0]


async def test_slacks_signature_does_not_replace_a_token(house: House) -> None:
    """Endpoints that need a token stay closed."""
    sent = Sent(b'{"title": "x"}', "application/json")

    assert (await posts(house, sent.body, signed(house, sent), "/api/v1/incidents"))[0] in (401, 403)


async def test_request_from_another_sites_page_is_refused(house: House) -> None:
    """Before the signature is checked."""
    sent = typed(house)

    assert 403 == (await posts(house, sent.body, signed(house, sent) | {"Origin": "https://evil.example"}))[0]


async def test_slack_gets_through_a_proxy_with_a_public_name(house: House) -> None:
    """Neither the Host header nor the proxy's headers get in the way."""
    sent = typed(house)
    headers = signed(house, sent) | {"Host": "understudy.example.com", "X-Forwarded-For": "203.0.113.9", "Via": "1.1 nginx"}

    assert 200 == (await posts(house, sent.body, headers))[0]
    assert 1 == await declared(house)


async def test_bot_in_socket_mode_has_no_slack_endpoint(tmp_path: Path) -> None:
    """What is not used is not open."""
    async with a_house(tmp_path) as house:
        sent = typed(house)

        assert 404 == (await posts(house, sent.body, signed(house, sent)))[0]


async def test_refusals_log_neither_secret_nor_body(house: House) -> None:
    """Only the reason, once a minute."""
    sent = typed(house, "declare canary-in-the-body")
    with capture_logs() as lines:
        for _ in range(5):
            await posts(house, sent.body, signed(house, sent, secret="0" * 32))
    refusals = [line for line in lines if "did not sign" in line["event"]]

    assert 1 == len(refusals)
    assert not any(word in repr(lines) for word in (house.workspace.signing_secret, "canary", "v0="))


async def test_health_says_when_slack_last_sent_a_request(house: House) -> None:
    """With a wrong address configured, people see that nothing arrives."""
    assert house.app is not None
    await house.ana.types("/health")
    part = house.app.health().parts["slack"]

    assert (True, "http") == (part.ok, part.state)
    assert "Slack's last request came at " in part.sentence


async def test_health_says_if_the_signing_secret_is_wrong(house: House) -> None:
    """The commonest mistake is another app's secret."""
    assert house.app is not None
    await asyncio.sleep(1.1)
    sent = typed(house)
    await posts(house, sent.body, signed(house, sent, secret="0" * 32))

    assert "the signing secret does not fit" in house.app.health().parts["slack"].sentence


async def test_requests_get_503_until_the_bot_knows_who_it_is(tmp_path: Path) -> None:
    """Slack then sends events again; the challenge is answered meanwhile."""
    async with a_house(tmp_path, started=False, slack={"mode": "http"}) as house:
        house.workspace.faults.add("auth.test", "error:fatal_error", times=50)
        await house.start()
        sent = typed(house)

        assert 503 == (await posts(house, sent.body, signed(house, sent)))[0]


async def test_command_fails_in_slacks_words_while_the_bot_is_down(house: House) -> None:
    """People see Slack's own error."""
    await house.stop()

    with pytest.raises(SlackbotSays, match="dispatch_failed"):
        await house.ana.types("/health")


async def test_doctor_sends_a_signed_challenge_to_a_running_bot(house: House) -> None:
    """With the right secret, with another secret, and with no bot running."""
    assert house.app is not None
    url, secret = house.app.url + "/slack/events", house.workspace.signing_secret
    states = [
        (await prove_request_url(url, secret))[0],
        (await prove_request_url(url, "0" * 32))[0],
        (await prove_request_url(house.app.url + "/elsewhere", secret))[0],
        (await prove_request_url("http://127.0.0.1:1/slack/events", secret))[0],
    ]

    assert ["good", "bad", "bad", "note"] == states
