"""Sinks in the running bot: a receiver over HTTP and a file on disk, through outages, restarts and refusals."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.ports import UNFINISHED
from tests.house import FLAG, SOON_S, House, a_house

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
TEAM_S_OWN = b'{"flags": {"another": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}}}\n'


@dataclass
class Receiver:
    """Answers with `status`, and records what it received."""

    status: int = 204
    body: str = ""
    retry_after: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    forged: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/flags?key=hook-key-for-tests"

    async def take(self, request: web.Request) -> web.Response:
        body, id = await request.read(), request.headers["webhook-id"]
        signed = f"{id}.{request.headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        ours = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        self.forged += not hmac.compare_digest(ours, request.headers["webhook-signature"])
        self.ids.append(id)
        if 200 <= self.status < 300:
            self.told.append(json.loads(body))
        headers = {"location": "http://127.0.0.1:1/elsewhere"} if 300 <= self.status < 400 else {}
        headers |= {"retry-after": self.retry_after} if self.retry_after else {}
        return web.Response(status=self.status, text=self.body or None, headers=headers)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/flags", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


def flags(*sinks: dict[str, Any]) -> dict[str, Any]:
    """The house's flag with these sinks."""
    return {
        FLAG: {
            "variants": {"claude": {"provider": "anthropic"}, "gpt": {"provider": "openai"}}, "default": "claude",
            "fallbacks": [{"variant": "gpt", "needs": "openai.api"}], "depends_on": ["anthropic.api"], "automation": "auto",
            "hand_back": {"first_step": "auto", "steps": [25, 100], "hold": "5m"}, "min_hold": "0s", "sinks": list(sinks),
        }
    }  # fmt: skip


def hook(receiver: Receiver) -> dict[str, Any]:
    return {"type": "webhook", "url": receiver.url, "secret": SECRET}


async def until(check: Any) -> None:
    """Wait for what somebody outside would see."""
    async with asyncio.timeout(SOON_S):
        while not check():
            await asyncio.sleep(0.02)


def served(file: Path) -> tuple[str, str]:
    """Variant and phase in the file."""
    flag = json.loads(file.read_text())["flags"][FLAG]
    return flag["defaultVariant"], flag["metadata"]["phase"]


async def status(house: House) -> str:
    """What `/fallback status` shows."""
    await house.ana.types("/fallback status")
    return house.ana.sees("#ops")


# --- a receiver


async def test_receiver_gets_the_switch_each_share_and_the_way_back(tmp_path: Path) -> None:
    """Signed, with the value that services get, and an id for each message."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        await house.fails("anthropic.api")
        await until(lambda: receiver.told)
        await house.recovers("anthropic.api")
        await until(lambda: len(receiver.told) > 1)
        await house.passes(minutes=6)
        await until(lambda: len(receiver.told) > 2)

        assert ["flag.engaged", "flag.handing_back", "flag.released"] == [said["type"] for said in receiver.told]
        assert [{"gpt": 100}, {"gpt": 75, "claude": 25}, {"claude": 100}] == [said["data"]["shares"] for said in receiver.told]
        assert {"provider": "openai"} == receiver.told[0]["data"]["value"]
        assert (0, 3) == (receiver.forged, len(set(receiver.ids)))


async def test_switch_does_not_wait_for_a_receiver(tmp_path: Path) -> None:
    """It answers 500: readers are on the fallback all the same, people learn why, and it is retried."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status = 500
        await house.fails("anthropic.api")
        assert house.app is not None
        assert "gpt" == house.app.board.evaluate(FLAG, {}).variant  # type: ignore[union-attr]
        await until(lambda: len(receiver.ids) >= 3)
        await until(lambda: house.app.health().parts.get("sinks"))  # type: ignore[union-attr]

        assert "HTTP 500" in house.app.health().parts["sinks"].sentence
        assert house.app.health().ready
        receiver.status = 204
        await until(lambda: receiver.told)
        await until(lambda: not house.app.health().parts.get("sinks"))  # type: ignore[union-attr]
        assert 1 == len(set(receiver.ids))


async def test_refusal_and_recovery_of_a_receiver_are_reported_once(tmp_path: Path) -> None:
    """In the incident's channel, with its host only, since its address contains a key."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status = 401
        await house.fails("anthropic.api")
        await until(lambda: len(receiver.ids) >= 4)
        receiver.status = 204
        await until(lambda: receiver.told)
        await house.quiet()
        said = house.ana.sees(f"#{house.incident_channel}")

        assert 1 == said.count("does not follow")
        assert 1 == said.count("follows *support chat* again") or 1 == said.count("follows support chat again")
        assert "hook-key-for-tests" not in said


async def test_order_survives_a_restart(tmp_path: Path) -> None:
    """The bot stops while the receiver is away; the next start sends it the current state only."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status = 503
        await house.fails("anthropic.api")
        await until(lambda: receiver.ids)
        await house.stop()
        receiver.status = 204
        await house.start()
        await until(lambda: receiver.told)

        assert [{"gpt": 100}] == [said["data"]["shares"] for said in receiver.told]


async def test_only_the_newest_state_is_sent(tmp_path: Path) -> None:
    """Switched there and back while the receiver was away: it gets the end, not the history."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status = 503
        await house.fails("anthropic.api")
        await house.recovers("anthropic.api")
        await house.passes(minutes=6)
        receiver.status = 204
        await house.quiet()

        assert "flag.engaged" not in [said["type"] for said in receiver.told]


@pytest.mark.parametrize(
    ("code", "body", "words"),
    [(302, "", "redirects"), (403, '{"message": "approval needed"}', "approval needed"), (418, "<html>tea</html>", "HTTP 418")],
)
async def test_refusal_is_reported_in_the_receivers_words(tmp_path: Path, code: int, body: str, words: str) -> None:
    """Redirects are not followed, and web pages are not quoted."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status, receiver.body = code, body
        await house.fails("anthropic.api")
        assert house.app is not None
        await until(lambda: house.app.health().parts.get("sinks"))  # type: ignore[union-attr]
        sentence = house.app.health().parts["sinks"].sentence

        assert words in sentence
        assert "<html>" not in sentence


async def test_unlisted_private_address_is_refused(tmp_path: Path) -> None:
    """As for checks: whoever may write the file must not reach into our network through it."""
    async with a_receiver() as receiver:
        away = [{"type": "webhook", "url": f"http://[::1]:{receiver.port}/flags", "secret": SECRET}]
        async with a_house(tmp_path, flags=flags(*away)) as house:
            await house.fails("anthropic.api")
            assert house.app is not None
            await until(lambda: house.app.health().parts.get("sinks"))  # type: ignore[union-attr]

            assert "allow_private" in house.app.health().parts["sinks"].sentence


# --- a file


async def test_file_follows_the_flag_there_and_back(tmp_path: Path) -> None:
    """It is written before the first outage, since flagd does not start without it, and readable by everybody."""
    file = tmp_path / "flagd" / "understudy.json"
    file.parent.mkdir()
    async with a_house(tmp_path, flags=flags({"type": "flagd_file", "path": str(file)})) as house:
        await until(file.exists)
        found = [served(file)]
        await house.fails("anthropic.api")
        await house.quiet()
        found.append(served(file))
        await house.recovers("anthropic.api")
        await house.passes(minutes=6)
        await house.quiet()
        found.append(served(file))

    assert [("claude", "normal"), ("gpt", "engaged"), ("claude", "normal")] == found
    assert (0o644, [file]) == (file.stat().st_mode & 0o777, list(file.parent.iterdir()))


async def test_file_of_the_team_is_restored_byte_for_byte(tmp_path: Path) -> None:
    """Even if the bot restarted in between."""
    file = tmp_path / "understudy.json"
    file.write_bytes(TEAM_S_OWN)
    async with a_house(tmp_path, flags=flags({"type": "flagd_file", "path": str(file)})) as house:
        await house.quiet()
        assert TEAM_S_OWN == file.read_bytes()
        await house.fails("anthropic.api")
        await house.quiet()
        assert "gpt" == served(file)[0]
        await house.stop()
        await house.start()
        await house.passes(minutes=1)
        await house.recovers("anthropic.api")
        await house.passes(minutes=6)
        await house.quiet()

    assert TEAM_S_OWN == file.read_bytes()


async def test_foreign_change_of_the_file_is_reverted_and_reported_once(tmp_path: Path) -> None:
    """The file is examined each minute; here the test triggers it."""
    file = tmp_path / "understudy.json"
    async with a_house(tmp_path, flags=flags({"type": "flagd_file", "path": str(file)})) as house:
        await house.fails("anthropic.api")
        await house.quiet()
        assert house.app is not None and house.app.sinks is not None
        for _ in range(3):
            file.write_bytes(TEAM_S_OWN)
            await house.app.sinks.look()
            await house.quiet()

            assert "gpt" == served(file)[0]
        assert 1 == house.ana.sees(f"#{house.incident_channel}").count("was changed by somebody else")


async def test_unusable_folder_is_reported_with_the_remedy(tmp_path: Path) -> None:
    """Nobody created the path."""
    file = tmp_path / "nowhere" / "understudy.json"
    async with a_house(tmp_path, flags=flags({"type": "flagd_file", "path": str(file)})) as house:
        await house.fails("anthropic.api")
        assert house.app is not None
        await until(lambda: house.app.health().parts.get("sinks"))  # type: ignore[union-attr]

        assert "its folder has to take new files of ours" in house.app.health().parts["sinks"].sentence


async def test_sink_removed_while_switched_is_reported(tmp_path: Path) -> None:
    """Nobody would restore its state; once it is in the file again, that happens."""
    file = tmp_path / "understudy.json"
    async with a_house(tmp_path, flags=flags({"type": "flagd_file", "path": str(file)})) as house:
        await house.fails("anthropic.api")
        await house.quiet()
        await house.stop()
        house.changes["flags"] = flags()
        await house.start()
        assert house.app is not None

        assert "was removed from the configuration while it has gpt" in house.app.trouble()
        await house.passes(minutes=1)
        await house.quiet()
        assert "It still has gpt" in house.ana.sees(f"#{house.incident_channel}")


async def test_order_of_a_removed_sink_is_given_again_when_it_returns(tmp_path: Path) -> None:
    """Nothing is retried for ever, and nothing is lost."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status = 503
        await house.fails("anthropic.api")
        await until(lambda: receiver.ids)
        await house.stop()
        house.changes["flags"] = flags()
        await house.start()
        await house.passes(minutes=1)
        await house.quiet()
        assert house.app is not None
        waiting = await house.app.ledger.read(lambda store: store.outbox(*UNFINISHED))
        assert [] == [row for row in waiting if row.effect.kind == "sink.feed"]
        assert "It may have gpt" in house.ana.sees(f"#{house.incident_channel}")
        await house.stop()
        receiver.status, house.changes["flags"] = 204, flags(hook(receiver))
        await house.start()
        await house.passes(minutes=1)
        await until(lambda: receiver.told)

        assert [{"gpt": 100}] == [said["data"]["shares"] for said in receiver.told]


async def test_retry_after_of_a_receiver_is_honoured(tmp_path: Path) -> None:
    """Without it retries would come every 50 ms."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status, receiver.retry_after = 429, "3"
        await house.fails("anthropic.api")
        await until(lambda: receiver.ids)
        receiver.status = 204
        await asyncio.sleep(0.5)
        assert ([], 1) == (receiver.told, len(receiver.ids))
        await house.passes(seconds=5)
        await until(lambda: receiver.told)


async def test_long_wait_requested_by_a_receiver_is_reported_at_once(tmp_path: Path) -> None:
    """After three attempts it would be six minutes later."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status, receiver.retry_after = 503, "120"
        await house.fails("anthropic.api")
        await until(lambda: house.app.health().parts.get("sinks"))  # type: ignore[union-attr]

        assert house.app is not None
        assert "asks to wait 120 s" in house.app.health().parts["sinks"].sentence
        assert 1 == len(receiver.ids)


async def test_metrics_show_which_sink_is_behind(tmp_path: Path) -> None:
    """For an alert of one's own."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status = 500
        await house.fails("anthropic.api")
        await until(lambda: len(receiver.ids) >= 2)
        assert house.app is not None
        async with aiohttp.ClientSession() as http, http.get(house.app.url + "/metrics") as answer:
            lines = [line for line in (await answer.text()).splitlines() if line.startswith("understudy_sink")]

        assert any("understudy_sink_follows{" in line and line.endswith(" 0.0") for line in lines)
        assert any('outcome="failed"' in line and not line.endswith(" 0.0") for line in lines)


async def test_status_shows_a_sink_that_is_behind(tmp_path: Path) -> None:
    """Where people look at flags."""
    async with a_receiver() as receiver, a_house(tmp_path, flags=flags(hook(receiver))) as house:
        receiver.status = 401
        await house.fails("anthropic.api")
        await until(lambda: len(receiver.ids) >= 1)
        await until(lambda: house.app.health().parts.get("sinks"))  # type: ignore[union-attr]

        assert "Webhook 127.0.0.1 does not follow since" in await status(house)
