"""`understudy check`: one look at real servers, told to people and to programs."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from bot.cli.verbs import main
from bot.sandbox.vendor import Vendors
from bot.sandbox.vendor.load import read
from bot.system.clock import SystemClock
from tests.checks.net import faults
from tests.checks.net.faults import OK, Play, saying
from tests.cli.deployment import KEPT_ENVIRONMENT, Ended
from tests.forks import ROOT
from tests.transcripts import own_logs

CANARIES = {"API_KEY": "canary-api-key-71f3", "PEER_SECRET": "canary-peer-secret-6b1d", "BEAT_TOKEN": "canary-beat-token-2e9c"}
HOSTILE = "\x1b[31mred\x07 \u202egnp.exe <!channel> [bold]x[/bold] \x9b2J end"
PHASES = {"dns", "connect", "tls", "first_byte", "first_token", "total"}
FAULTS = {"theirs", "ours_key", "ours_config", "ours_quota", "local", "unclear", "none"}


# --- the stage


def closed_port() -> int:
    """A port that refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def http(port: int, name: str = "front", **more: Any) -> dict[str, Any]:
    return {"type": "http", "name": name, "url": f"http://127.0.0.1:{port}/", "deadline": "8s", **more}


def control(port: int, name: str = "tcp") -> dict[str, Any]:
    return {"type": "tcp", "name": name, "host": "127.0.0.1", "port": port, "deadline": "8s"}


def settings(components: dict[str, list[dict[str, Any]]], *controls: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Providers with checks by component id."""
    providers: dict[str, Any] = {}
    for id, checks in components.items():
        provider, _, name = id.partition(".")
        providers.setdefault(provider, {"components": {}})["components"][name] = {"checks": checks}
    return {"providers": providers, "control_group": list(controls), "allow_private": ["127.0.0.0/8"], **more}


async def check(folder: Path, made: dict[str, Any] | str, *args: str, **env: str) -> Ended:
    """Run the verb to its end, as a shell with these variables would."""
    path = folder / "understudy.yaml"
    path.write_text(made if isinstance(made, str) else yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")
    runner = CliRunner(env={"COLUMNS": None, **env})
    with own_logs():
        done = await asyncio.to_thread(runner.invoke, main, ["check", "--config", str(path), *args])
    await asyncio.sleep(0.01)  # servers here still meet who hung up already
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ended(done.exit_code, done.stdout, done.stderr)


@asynccontextmanager
async def vendor(dialect: str, word: str = "ok") -> AsyncIterator[str]:
    """The base address of a scripted provider that answers so."""
    scenario = f"""
name: test
title: A test
minutes: 60
providers: {{vendor: {{name: Vendor, dialect: {dialect}, components: {{api: API}}}}}}
events: [{{at: 0, component: vendor.api, answer: {word}}}]
"""
    vendors = Vendors(read(scenario, "test.yaml"), SystemClock())
    await vendors.start()
    try:
        yield vendors.url("vendor", "api")
    finally:
        await vendors.stop()


def llm(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "llm", "name": "inference", "dialect": "anthropic", "url": url, "model": "claude-haiku-4-5",
            "api_key": "${API_KEY:-}", "deadline": "8s", **more}  # fmt: skip


def found(ended: Ended, check: str) -> dict[str, Any]:
    """A check's entry in the document."""
    return next(one for one in ended.json["checks"] if one["check"] == check)


def verdicts(ended: Ended) -> dict[str, str]:
    return {one["component"]: one["verdict"] for one in ended.json["components"]}


# --- exit status and document


async def test_everything_is_healthy(tmp_path: Path) -> None:
    """Exit status 0; the document has each check with its phases, the first token too, and each component with its reason."""
    async with vendor("anthropic") as url, faults.serving(saying(OK)) as port:
        made = settings({"claude.api": [llm(url)], "claude.web": [http(port)]}, control(port))
        ended = await check(tmp_path, made, "--json", **CANARIES)

    assert (0, "") == (ended.status, ended.err)
    assert {"checks", "components"} == set(ended.json)
    assert ["control.tcp", "claude.api.inference", "claude.web.front"] == [one["check"] for one in ended.json["checks"]]
    for one in ended.json["checks"]:
        assert {"check", "outcome", "class", "fault", "phases_ms", "reason", "evidence"} == set(one)
        assert ("ok", None, "none") == (one["outcome"], one["class"], one["fault"])
        assert set(one["phases_ms"]) <= PHASES
        assert one["phases_ms"]["total"] > 0
    assert {"connect", "first_byte", "first_token", "total"} <= set(found(ended, "claude.api.inference")["phases_ms"])
    assert {"claude.api": "operational", "claude.web": "operational"} == verdicts(ended)
    assert all({"component", "verdict", "reason"} == set(one) and one["reason"] for one in ended.json["components"])


async def test_one_component_is_down(tmp_path: Path) -> None:
    """Exit status 1; the others are well all the same."""
    async with faults.serving(saying(OK)) as port:
        made = settings({"a.api": [http(port)], "b.api": [http(closed_port())]}, control(port))
        ended = await check(tmp_path, made, "--json")

    assert 1 == ended.status
    assert {"a.api": "operational", "b.api": "down"} == verdicts(ended)
    assert ("fail", "connect_refused", "theirs") == tuple(found(ended, "b.api.front")[k] for k in ("outcome", "class", "fault"))


async def test_component_is_degraded_when_its_check_is_slow(tmp_path: Path) -> None:
    """Exit status 1 as well: people feel it."""
    async with faults.serving(saying(OK[:30], OK[30:], pause_s=0.05)) as port:
        ended = await check(tmp_path, settings({"a.api": [http(port, expect={"under": "20ms"})]}), "--json")

    slow = found(ended, "a.api.front")
    assert (1, {"a.api": "degraded"}) == (ended.status, verdicts(ended)), slow
    assert ("slow", None) == (slow["outcome"], slow["class"])
    assert "expected under 20 ms" in slow["reason"]


@pytest.mark.parametrize("args", [(), ("--json",)])
async def test_mistake_in_the_file_is_named_with_file_and_line(args: tuple[str, ...], tmp_path: Path) -> None:
    """Exit status 2, and nothing is looked at; a program that reads standard output gets its document."""
    ended = await check(tmp_path, "providers:\n  a:\n    components: {api: {checks: [{type: http}]}}\n", *args)

    assert 2 == ended.status
    assert f"{tmp_path / 'understudy.yaml'}:3: providers.a.components.api.checks[0].url: is missing" in ended.err
    if args:
        assert ([], [], ended.err.splitlines()) == tuple(ended.json[key] for key in ("checks", "components", "errors"))
    else:
        assert "" == ended.out


async def test_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Whoever starts it in the wrong folder reads which file was looked for."""
    done = await asyncio.to_thread(CliRunner().invoke, main, ["check", "--config", str(tmp_path / "none.yaml")])

    assert 2 == done.exit_code
    assert f"{tmp_path / 'none.yaml'}: there is no such file" in done.stderr


async def test_refused_address_is_our_configuration(tmp_path: Path) -> None:
    """The metadata service of a cloud is never asked; exit status 2, and the component is unknown, not down."""
    made = settings({"a.api": [{"type": "http", "name": "front", "url": "http://169.254.169.254/"}]})
    ended = await check(tmp_path, made, "--json")

    assert (2, {"a.api": "unknown"}) == (ended.status, verdicts(ended))
    refused = found(ended, "a.api.front")
    assert ("address_refused", "ours_config") == (refused["class"], refused["fault"])
    assert "169.254.169.254" in refused["reason"]


async def test_refused_key_is_ours(tmp_path: Path) -> None:
    """Exit status 2: nobody needs to wait for the vendor."""
    async with vendor("anthropic", "bad_key") as url:
        ended = await check(tmp_path, settings({"claude.api": [llm(url)]}), "--json", **CANARIES)

    assert (2, {"claude.api": "unknown"}) == (ended.status, verdicts(ended))
    assert ("fail", "auth", "ours_key") == tuple(found(ended, "claude.api.inference")[k] for k in ("outcome", "class", "fault"))


@pytest.mark.parametrize("args", [(), ("--json",)])
async def test_we_are_blind_when_the_controls_are_cut_off(args: tuple[str, ...], tmp_path: Path) -> None:
    """Exit status 3: what cannot be reached is nobody's outage."""
    away = closed_port()
    made = settings({"a.api": [http(away)], "b.api": [http(away)]}, control(away, "one"), control(away, "two"))
    ended = await check(tmp_path, made, *args)

    assert 3 == ended.status
    assert "note: we are blind: both controls are unreachable." in ended.err
    if args:
        assert {"a.api": "unknown", "b.api": "unknown"} == verdicts(ended)
        assert [("inconclusive", "blind", "local")] * 2 == [
            (one["outcome"], one["class"], one["fault"])
            for one in ended.json["checks"]
            if not one["check"].startswith("control")
        ]
    else:
        assert 2 == ended.out.count("we are blind: both controls are unreachable")


async def test_outage_is_an_outage_while_a_control_answers(tmp_path: Path) -> None:
    """Controls that are well make us sure that it is not us."""
    async with faults.serving(saying(OK)) as port:
        made = settings({"a.api": [http(closed_port())]}, control(port, "one"), control(port, "two"))
        ended = await check(tmp_path, made, "--json")

    assert (1, {"a.api": "down"}, "") == (ended.status, verdicts(ended), ended.err)


async def test_outcome_that_says_nothing_is_not_healthy(tmp_path: Path) -> None:
    """A robot challenge on the only check: exit status 3, since a script must not take it for well."""
    async with vendor("anthropic", "challenge") as url:
        ended = await check(tmp_path, settings({"claude.api": [http(0, url=f"{url}/v1/models")]}), "--json")

    assert (3, {"claude.api": "unknown"}) == (ended.status, verdicts(ended))
    assert ("inconclusive", "challenge") == tuple(found(ended, "claude.api.front")[k] for k in ("outcome", "class"))


async def test_everything_fails_and_the_document_is_whole(tmp_path: Path) -> None:
    """Each fault of the wire is a row with its class; one document on standard output, no traceback anywhere."""
    plays: dict[str, tuple[Play, str]] = {
        "reset": (faults.reset, "reset"), "closed": (faults.close_after_accept, "closed"),
        "half-head": (saying(b"HTTP/1.1 200 OK\r\ncontent-"), "truncated"),
        "short": (saying(faults.LONG + b"x"), "truncated"),
        "cut": (saying(faults.CHUNKED + b"5\r\nab"), "truncated"),
        "ssh": (faults.speaks_first, "protocol"),
        "mute": (faults.mute, "deadline"),
        "stalled": (saying(faults.LONG + b"x", then_hang=True), "body_timeout"),
        "heads": (saying(faults.many_headers(100_000)), "head_too_large"),
        "gateway": (saying(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"), "gateway"),
        "999": (saying(b"HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n"), "http_unexpected"),
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        ports = {name: await stack.enter_async_context(faults.serving(play)) for name, (play, _) in plays.items()}
        well = await stack.enter_async_context(faults.serving(saying(OK)))
        # Those that hang wait for their deadline; a busy machine may notice it a tenth later.
        checks = [http(port, name, deadline="1500ms" if name in ("mute", "stalled") else "8s") for name, port in ports.items()]
        ended = await check(tmp_path, settings({"a.api": checks}, control(well)), "--json")

    assert (1, {"a.api": "down"}) == (ended.status, verdicts(ended))
    assert {f"a.api.{name}": error for name, (_, error) in plays.items()} == {
        one["check"]: one["class"] for one in ended.json["checks"] if one["check"] != "control.tcp"
    }
    assert {one["fault"] for one in ended.json["checks"]} <= FAULTS
    assert "Traceback" not in ended.out + ended.err


# --- what to look at


async def test_names_choose_providers_components_and_checks(tmp_path: Path) -> None:
    """By id or by what people call them; the control group is asked along."""
    async with faults.serving(saying(OK)) as port:
        made = settings(
            {"claude.api": [http(port, "one"), http(port, "two")], "claude.web": [http(port)], "gpt.api": [http(port)]},
            control(port),
        )
        made["providers"]["claude"]["name"] = "Claude"
        made["providers"]["gpt"]["components"]["api"]["name"] = "OpenAI API"

        async def looked(*names: str) -> tuple[list[str], list[str]]:
            ended = await check(tmp_path, made, "--json", *names)
            assert 0 == ended.status
            return [one["check"] for one in ended.json["checks"]], list(verdicts(ended))

        assert (["control.tcp", "claude.api.one"], ["claude.api"]) == await looked("claude.api.one")
        assert (["control.tcp", "claude.web.front"], ["claude.web"]) == await looked("claude.web")
        assert ["claude.api", "claude.web"] == (await looked("CLAUDE"))[1]
        assert ["claude.api", "gpt.api"] == (await looked("openai api", "claude.api.two"))[1]
        assert (["control.tcp"], []) == await looked("control")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("claud", "there is no provider, component or check claud: did you mean `claude`?"),
        ("claude.apy", "did you mean `claude.api`?"),
        ("gpt.api", "gpt.api.front is off: headers.authorization is empty: set KEY to turn the check on"),
        ("bare.api", "bare.api has no check"),
        ("control", "there is no provider, component or check control"),
    ],
)
async def test_name_that_means_nothing_is_answered_with_what_is_meant(name: str, said: str, tmp_path: Path) -> None:
    """A typo, a check without its key, a component without checks: exit status 2."""
    keyless = http(1, headers={"authorization": "${KEY:-}"})
    ended = await check(tmp_path, settings({"claude.api": [http(1)], "gpt.api": [keyless], "bare.api": []}), name)

    assert (2, "") == (ended.status, ended.out)
    assert said in ended.err


async def test_nothing_is_on(tmp_path: Path) -> None:
    """Nothing was looked at, which is not the same as well: exit status 2, and what is missing."""
    made = settings({"claude.api": [llm("https://api.anthropic.com")]})
    ended = await check(tmp_path, made)
    assert 2 == ended.status
    assert "No check is on, so nothing was checked." in ended.out
    assert "claude.api.inference is off: api_key is empty: set API_KEY to turn the check on" in ended.err

    ended = await check(tmp_path, made, "--json")
    assert (2, [], {"claude.api": "unknown"}) == (ended.status, ended.json["checks"], verdicts(ended))


async def test_heartbeat_is_left_to_the_running_bot(tmp_path: Path) -> None:
    """It is named and neither called well nor missing; the rest is judged without it."""
    beat = {"type": "heartbeat", "name": "backup", "every": "1h"}
    async with faults.serving(saying(OK)) as port:
        made = settings({"jobs.night": [beat], "jobs.api": [beat, http(port)]})
        ended = await check(tmp_path, made, "--json")
        alone = await check(tmp_path, made, "--json", "jobs.night")

    said = "only the running bot receives its heartbeats; ask it with `understudy health`"
    assert (0, {"jobs.night": "unknown", "jobs.api": "operational"}) == (ended.status, verdicts(ended))
    assert ("inconclusive", None, said) == tuple(found(ended, "jobs.night.backup")[k] for k in ("outcome", "class", "reason"))
    assert 3 == alone.status


# --- what people read


def table(ended: Ended, head: str) -> list[str]:
    """The lines of the table that begins so, up to the next empty line."""
    lines = [line.rstrip() for line in ended.out.splitlines()]
    start = next(at for at, line in enumerate(lines) if line.startswith(head))
    return lines[start : [*lines, ""].index("", start)]


async def test_table_fits_a_narrow_terminal(tmp_path: Path) -> None:
    """80 columns; numbers stand below each other, and a phase that nobody has takes no room."""
    async with vendor("anthropic") as url, faults.serving(saying(OK)) as port:
        parts = {"anthropic.api": [llm(url, name="inference"), http(port, "models")], "anthropic.web": [http(port)]}
        whole = await check(tmp_path, settings(parts, control(port)), COLUMNS="80", **CANARIES)
        plain = await check(tmp_path, settings(parts, control(port)), "anthropic.web", COLUMNS="80")

    lines = table(whole, "check")
    assert 0 == whole.status
    assert ["check", "outcome", "connect", "byte", "token", "total", "ms"] == [w for w in lines[0].split() if w != "dns"]
    assert 5 == len(lines)
    assert max(map(len, whole.out.splitlines())) <= 80
    assert 1 == len({len(line) for line in lines})  # all end with a number, to the right
    assert "token" not in table(plain, "check")[0]
    assert ["component", "verdict", "why"] == table(whole, "component")[0].split()


async def test_what_is_wrong_is_told_with_its_class_fault_and_evidence(tmp_path: Path) -> None:
    """The request id is what a vendor's support asks for first; what is well takes one line."""
    async with vendor("anthropic", "529") as url, faults.serving(saying(OK)) as port:
        made = settings({"claude.api": [llm(url)], "claude.web": [http(port)]}, control(port))
        ended = await check(tmp_path, made, **CANARIES)

    lines = ended.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("claude.api.inference (fail, overloaded): "))
    assert 1 == ended.status
    assert "  It's the provider, not us." == lines[at + 1]
    assert "  status: 529" in lines
    assert any(re.fullmatch(r"  request id: \S+", line) for line in lines)
    assert not any(line.startswith("claude.web.front (") for line in lines)
    assert re.search(r"^claude.api +down +inference: ", ended.out, re.MULTILINE)


@pytest.mark.parametrize("args", [(), ("--json",)])
async def test_hostile_words_of_a_provider_are_inert(args: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing that a terminal would obey, and no markup, comes through in a table or a document."""
    body = json.dumps({"type": "error", "error": {"type": f"bad_{HOSTILE}", "message": HOSTILE}}).encode()
    raw = HOSTILE.encode()
    heading = "\u202egnp.exe <!channel> [bold]x[/bold] end".encode()  # control characters in a head are no HTTP at all
    head = b"HTTP/1.1 418 no\r\nrequest-id: " + heading + b"\r\ncontent-length: "
    async with (
        faults.serving(saying(head + b"%d\r\n\r\n" % len(body) + body)) as port,
        faults.serving(saying(head + b"%d\r\n\r\n" % len(raw) + raw)) as bare,
    ):
        made = settings({"a.api": [http(port, "json"), http(bare, "raw")]})
        ended = await check(tmp_path, made, *args)

    assert 1 == ended.status
    assert "end" in ended.out
    assert "[bold]x[/bold]" in ended.out
    assert [] == [c for c in ended.out + ended.err if c in "\x1b\x07\x9b\u202e\u200b"]
    if args:
        assert ["a.api.json", "a.api.raw"] == [one["check"] for one in ended.json["checks"]]


@pytest.mark.parametrize("args", [(), ("--json",)])
async def test_no_secret_is_printed(args: tuple[str, ...], tmp_path: Path) -> None:
    """A provider that sends our key back, secrets of peers and tokens of heartbeats: none of them comes out."""

    async def parrot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        said = head.replace(b"\r\n", b" ")
        writer.write(b"HTTP/1.1 500 no\r\nrequest-id: " + said + b"\r\ncontent-length: %d\r\n\r\n" % len(said) + said)
        await writer.drain()
        writer.close()

    async with faults.serving(parrot) as port:
        beat = {"type": "heartbeat", "name": "beat", "token": "${BEAT_TOKEN}"}
        keyed = http(port, headers={"x-api-key": "${API_KEY}"})
        peers = [{"vantage": "there", "secret": "${PEER_SECRET}"}]
        parts = {"a.api": [keyed, beat, llm(f"http://127.0.0.1:{port}")]}
        ended = await check(tmp_path, settings(parts, peers=peers), *args, **CANARIES)

    assert 1 == ended.status
    assert "[secret]" in ended.out  # the parrot was heard
    assert [] == [name for name, secret in CANARIES.items() if secret in ended.out + ended.err]


# --- as a process


async def test_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    """Ctrl-C while a provider hangs: one sentence, exit status 130, no traceback."""
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await faults.mute(reader, writer)

    async with faults.serving(hang) as port:
        path = tmp_path / "understudy.yaml"
        path.write_text(yaml.safe_dump(settings({"a.api": [http(port, deadline="60s")]})), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "check", "--config", str(path), cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), **{name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # shells let background jobs ignore it
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                await asked.wait()
                process.send_signal(signal.SIGINT)
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    assert (130, "", "Interrupted: nothing can be said yet.\n") == (process.returncode, out.decode(), err.decode())
    assert [] == [path.name for path in tmp_path.iterdir() if path.name != "understudy.yaml"]  # it keeps nothing
