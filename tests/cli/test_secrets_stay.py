"""Canary secrets are planted wherever a deployment holds secrets, and looked for wherever words come out."""

import base64
import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from aiohttp import web

from bot.sandbox.slack import LocalWorkspace
from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG, Vendor

API_KEY = "canary-api-key-71f3"  # of no known shape, so that only knowing it helps
BEARER = "canary-bearer-93ab"
NOTIFY_PASSWORD = "canary-notify-5c01"
READ, CONTROL = "canary-read-token-0d4e", "canary-control-token-77aa"
URL = f"https://ana:{CONTROL}@x.test"
ENVIRONMENT = {
    "ANTHROPIC_API_KEY": API_KEY, "OPENAI_API_KEY": BEARER, "NOTIFY_URL": f"json://ana:{NOTIFY_PASSWORD}@127.0.0.1:1/page",
    "READ_TOKEN": READ, "CONTROL_TOKEN": CONTROL,
}  # fmt: skip


FORMS: tuple[Callable[[str], str], ...] = (
    str, str.upper, str.lower, quote, lambda heard: base64.b64encode(heard.encode()).decode(),
    lambda heard: base64.urlsafe_b64encode(f"k:{heard}".encode()).decode(), lambda heard: heard.encode().hex(),
    lambda heard: "".join(f"%{byte:02X}" for byte in heard.encode()), lambda heard: "".join(f"\\u{ord(c):04x}" for c in heard),
    lambda heard: hashlib.sha256(heard.encode()).hexdigest(), lambda heard: hashlib.sha1(heard.encode()).hexdigest(),  # noqa: S324 # a vendor's
    lambda heard: heard[:-3], lambda heard: f"...{heard[3:]}",
)  # fmt: skip


class Mimic(Vendor):
    """A vendor that sends back each key in another form every time, in its headers and in its body."""

    def application(self) -> web.Application:
        forms = itertools.cycle(FORMS)

        async def answer(request: web.Request) -> web.Response:
            key = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
            told = next(forms)(key)
            status = self.answers.get(request.path.strip("/").replace("/", "."), 200)
            headers = {"request-id": told, "retry-after": told, "location": told}
            return web.json_response({"error": {"message": f"not {told} again", "type": told}}, status=status, headers=headers)

        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", answer)
        return app


async def test_no_form_of_a_secret_comes_out_anywhere(tmp_path: Path) -> None:
    """A vendor echoes the key in capitals, encoded, hashed and cut: Slack, ledger, samples, exports, API and logs hold none."""
    async with a_deployment(tmp_path, vendor=Mimic()) as deployment:
        deployment.configure(with_secrets(deployment))
        deployment.env |= ENVIRONMENT | {
            "SLACK_BOT_TOKEN": deployment.workspace.bot_token, "SLACK_APP_TOKEN": deployment.workspace.app_token,
        }  # fmt: skip
        bot = await deployment.ready_bot()
        await bot.sees("operational")
        deployment.vendor.answers = {"anthropic.api": 502, "openai.api": 529}
        await bot.sees("down", "openai.api")
        await bot.sees("down", "anthropic.api")
        for path in ("/", "/api/v1/status", "/api/v1/incidents/1", "/api/v1/incidents/1/timeline"):
            await bot.asks("GET", path, token=READ)
        exports = [(await deployment.verb("export", "1", "--format", form)).out for form in ("md", "csv", "json")]
        await bot.ends(15)
        places = {
            "log": bot.output, "answers": "\n".join(bot.answers), "messages": deployment.said(), "exports": "\n".join(exports),
        }  # fmt: skip
        places |= {name: dumped(deployment.data / name) for name in ("ledger.db", "samples.db")}
        # Runs of twelve of each form; its ends are left out, since base64 mixes them with what stands around.
        forms = {form(key)[3:-3] for form in FORMS for key in (API_KEY, BEARER)}
        runs = {form.lower()[at : at + 12] for form in forms for at in range(len(form) - 11)}

        assert [] == [(name, run) for name, text in places.items() for run in runs if run in text.lower()]
        assert places["samples.db"].count("[secret]") > 2 * len(FORMS)  # the mimic was heard


class Parrot(Vendor):
    """A vendor that sends back whatever it is told, in its headers and in its body."""

    def application(self) -> web.Application:
        async def answer(request: web.Request) -> web.Response:
            names = sorted(request.headers, key=lambda name: name.lower() not in ("x-api-key", "authorization"))
            heard = "; ".join(f"{name}: {request.headers[name]}" for name in names)
            status = self.answers.get(request.path.strip("/").replace("/", "."), 200)
            body = {"error": {"message": f"wrong key, you sent {heard} to {request.path_qs}"}}
            return web.json_response(
                body, status=status, headers={"request-id": f"req {heard}"[:900], "retry-after": heard[:300]}
            )

        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", answer)
        return app


def with_secrets(deployment: Deployment) -> dict[str, Any]:
    made = deployment.settings()
    made["slack"] |= {"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"}
    made["server"] |= {"read_tokens": ["${READ_TOKEN}"], "control_tokens": ["${CONTROL_TOKEN}"]}
    made["notify"] = ["${NOTIFY_URL}"]
    anthropic, openai = (made["providers"][name]["components"]["api"]["checks"][0] for name in ("anthropic", "openai"))
    anthropic["headers"] = {"x-api-key": "${ANTHROPIC_API_KEY}"}
    openai["headers"] = {"authorization": "Bearer ${OPENAI_API_KEY}"}
    return made


def canaries(workspace: LocalWorkspace) -> tuple[str, ...]:
    return (workspace.bot_token, workspace.app_token, API_KEY, BEARER, NOTIFY_PASSWORD, READ, CONTROL)


def assert_silent(secrets: Iterable[str], places: Mapping[str, str]) -> None:
    """No place holds a canary; every place holds something, or it was not looked at."""
    assert [] == [name for name, text in places.items() if not text.strip()]
    assert [] == [(name, secret) for name, text in places.items() for secret in secrets if secret in text]


def dumped(path: Path) -> str:
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return "\n".join(repr(row) for table in tables for row in conn.execute(f'SELECT * FROM "{table}"'))  # noqa: S608 # own tables
    finally:
        conn.close()


async def test_no_secret_comes_out_anywhere(tmp_path: Path) -> None:
    """Logs down to DEBUG, messages, ledger, samples, exports, HTTP answers and the terminal, in a day of trouble."""
    async with a_deployment(tmp_path, vendor=Parrot()) as deployment:
        deployment.configure(with_secrets(deployment))
        deployment.env |= ENVIRONMENT | {
            "SLACK_BOT_TOKEN": deployment.workspace.bot_token, "SLACK_APP_TOKEN": deployment.workspace.app_token,
        }  # fmt: skip
        bot = await deployment.ready_bot("--log-level", "DEBUG")
        ana = deployment.workspace.person("ana")
        await bot.sees("operational")
        # Slack takes no alert at first, so the pager is called, which does not answer either.
        deployment.workspace.faults.add("chat.postMessage", "error:fatal_error", times=1)
        deployment.workspace.faults.add("chat.postMessage", "500_before", times=1)
        deployment.vendor.answers = {"anthropic.api": 401, "anthropic.web": 502, "openai.api": 529}
        await bot.says("an out-of-band notice was not accepted")
        await bot.sees("down", "openai.api")
        for words in (
            "/health",
            "/health claude",
            "/incident list",
            "/incident show INC-1",
            "/fallback status",
            "/fallback help",
        ):
            await ana.types(words)
        await deployment.workspace.faults.drop_sockets()
        places: dict[str, str] = {}
        for method, path in (
            ("GET", "/"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/api/v1/status"),
            ("GET", "/api/v1/incidents?state=all"), ("GET", "/api/v1/incidents/1"), ("GET", "/api/v1/incidents/1/timeline"),
            ("GET", "/api/v1/flags"), ("POST", f"/ofrep/v1/evaluate/flags/{FLAG}"), ("POST", "/ofrep/v1/evaluate/flags"),
            ("GET", f"/api/v1/status?token={READ}"), ("POST", f"/api/v1/flags/{FLAG}/engage"),
        ):  # fmt: skip
            for token in (None, READ, CONTROL, "", f"{READ}-wrong"):
                await bot.asks(method, path, {} if method == "POST" else None, token=token)
        for args in (
            ("health",), ("health", "--json"), ("incident", "list", "--json"), ("incident", "show", "1", "--json"),
            ("incident", "timeline", "1"), ("flags", "list", "--json"), ("config", "check"), ("doctor",),
            ("export", "1"), ("export", "1", "--format", "csv"), ("export", "1", "--format", "json"),
            ("incident", "resolve", "1", "over"), ("run",),
        ):  # fmt: skip
            runs_apart = args in (("doctor",), ("run",))  # they set up the logs of their process
            ended = await (deployment.understudy(*args) if runs_apart else deployment.verb(*args))
            places[" ".join(args)] = ended.out + ended.err
        await bot.ends(15)
        places["incident list, alone"] = (await deployment.understudy("incident", "list")).err
        places |= {"log": bot.output, "answers": "\n".join(bot.answers), "messages": deployment.said(), "screen": ana.sees()}
        places |= {name: dumped(deployment.data / name) for name in ("ledger.db", "samples.db")}

        assert_silent(canaries(deployment.workspace), places)
        assert "[secret]" in places["samples.db"]  # the parrot was heard
        assert '"level": "debug"' in places["log"]


@pytest.mark.parametrize(
    "section",
    [
        {"server": {"listen": "127.0.0.1:0", "read_tokens": CONTROL}},
        {"server": {"listen": "127.0.0.1:0", "read_tokens": [{"token": CONTROL}]}},
        {"slack": {"bot_token": [CONTROL], "app_token": {"token": CONTROL}, "api_url": f"https://ana:{CONTROL}@slack.test/api/"}},
        {"notify": [CONTROL, {"url": CONTROL}]},
        {"surprise": CONTROL, "data": [CONTROL]},
        {"providers": {"x": {"api_key": [CONTROL], "components": {"y": {"checks": [{"type": "http", "url": URL}]}}}}},
        {"providers": {"x": {"components": {"y": {"checks": [{"type": "http", "url": URL, "headers": {"a": [CONTROL]}}]}}}}},
    ],
)  # fmt: skip
async def test_errors_of_the_configuration_quote_no_secret(section: dict[str, Any], deployment: Deployment) -> None:
    """A secret in the wrong place or shape is still a secret."""
    deployment.config.write_text(yaml.safe_dump({**deployment.settings(), **section}), encoding="utf-8")
    ended = await deployment.understudy("run")

    assert 2 == ended.status
    assert_silent([CONTROL], {"run": ended.out + ended.err})
