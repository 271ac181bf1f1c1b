"""Whatever is removed from the configuration while in use is kept over restarts, served until it ends, and reported."""

import signal
import sqlite3
from typing import Any

import pytest

from tests.cli.deployment import Bot, Deployment
from tests.house import FLAG

VALUE = {"provider": "openai"}


def without_the_flag(made: dict[str, Any]) -> None:
    made["flags"] = {}


def without_the_variant(made: dict[str, Any]) -> None:
    flag = made["flags"][FLAG]
    del flag["variants"]["gpt"]
    flag["fallbacks"] = [{"variant": "cached"}]


async def value(bot: Bot) -> Any:
    found = await bot.asks("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {"targetingKey": "t"}})
    return found.json.get("value")


async def edited(deployment: Deployment, bot: Bot, edit: Any) -> Bot:
    """The bot over an edited file, started twice: what the first start remembers must survive the second."""
    made = deployment.settings()
    edit(made)
    deployment.configure(made)
    for _ in range(2):
        await deployment.quiet()  # what is cut off in the middle waits half a minute at the next start
        assert 0 == await bot.ends(signal.SIGTERM)
        bot = await deployment.ready_bot()
    return bot


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (without_the_flag, f"flag {FLAG} left the configuration while it is engaged; it is served until it is released"),
        (without_the_variant, f"variant gpt of {FLAG} left the configuration while it is engaged"),
    ],
)
async def test_engaged_value_is_served_after_its_removal(edit: Any, words: str, deployment: Deployment) -> None:
    """No restart sends traffic back to a broken default; after the release nothing is reported any more."""
    bot = await deployment.ready_bot()
    assert 0 == (await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "Claude is down")).status
    bot = await edited(deployment, bot, edit)
    ready = (await bot.asks("GET", "/readyz")).json
    doctor = await deployment.verb("doctor", "--no-slack")
    health = await deployment.verb("health")
    listed = await deployment.verb("flags", "list")

    assert ("gpt", VALUE) == (await bot.serves(FLAG), await value(bot))
    assert ready["ready"]
    for text in (ready["parts"]["configuration"]["sentence"], bot.output, doctor.out, health.err):
        assert words in " ".join(text.split())
    assert FLAG in listed.out

    released = await deployment.verb("flags", "release", FLAG, "--reason", "over", "--force")
    assert (0, "claude") == (released.status, await bot.serves(FLAG))
    assert "configuration" not in (await bot.asks("GET", "/readyz")).json["parts"]
    assert words not in (await deployment.verb("doctor", "--no-slack")).out
    assert 0 == await bot.ends(signal.SIGTERM)
    assert "Traceback" not in bot.output


async def test_removed_flag_can_be_released_over_the_api(deployment: Deployment) -> None:
    """A control token is enough."""
    deployment.configure(server={"listen": "127.0.0.1:0", "control_tokens": ["control-token-1234"]})
    bot = await deployment.ready_bot()
    await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "Claude is down")
    bot = await edited(
        deployment,
        bot,
        lambda made: made.update(flags={}, server={"listen": "127.0.0.1:0", "control_tokens": ["control-token-1234"]}),
    )

    found = await bot.asks(
        "POST", f"/api/v1/flags/{FLAG}/release", {"reason": "over", "force": True}, token="control-token-1234"
    )

    assert (200, "claude") == (found.status, await bot.serves(FLAG))


async def test_removed_flag_is_known_to_the_terminal_without_a_bot(deployment: Deployment) -> None:
    """A command on the data folder reports what is kept, and does not forget it."""
    await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "Claude is down")
    made = deployment.settings()
    without_the_flag(made)
    deployment.configure(made)
    listed = await deployment.verb("flags", "list")
    bot = await deployment.ready_bot()

    assert f"note: flag {FLAG} left the configuration while it is engaged" in listed.err
    assert "gpt" in listed.out
    assert VALUE == await value(bot)


async def test_open_incident_of_a_removed_component_is_kept(deployment: Deployment) -> None:
    """It can be shown, noted and resolved; until then it is reported that nothing checks it."""
    bot = await deployment.ready_bot()
    declared = await deployment.verb("incident", "declare", "Claude is down", "--component", "anthropic.api")
    await deployment.quiet()

    def edit(made: dict[str, Any]) -> None:
        del made["providers"]["anthropic"]["components"]["api"]
        made["flags"][FLAG]["depends_on"] = []
        made["runbooks"] = {}

    bot = await edited(deployment, bot, edit)
    words = "component anthropic.api left the configuration while INC-1 is open; nothing watches it any more"
    ready = (await bot.asks("GET", "/readyz")).json
    doctor = await deployment.verb("doctor", "--no-slack")
    shown = await deployment.verb("incident", "show", "INC-1", "--json")

    assert 0 == declared.status
    assert ready["ready"]
    for text in (ready["parts"]["configuration"]["sentence"], bot.output, doctor.out):
        assert words in " ".join(text.split())
    assert ["anthropic.api"] == [affected["id"] for affected in shown.json["affected"]]

    assert 0 == (await deployment.verb("incident", "resolve", "INC-1", "vendor says so")).status
    await deployment.quiet()
    assert "configuration" not in (await bot.asks("GET", "/readyz")).json["parts"]
    assert words not in (await deployment.verb("doctor", "--no-slack")).out
    assert not any(row.state == "dead" for row in await deployment.outbox())
    assert "Traceback" not in bot.output


async def test_component_removed_while_down_does_not_stay_down(deployment: Deployment) -> None:
    """The board shows what is configured, and a verdict that is never renewed is none."""
    deployment.vendor.answers = {"anthropic.web": 502}
    bot = await deployment.ready_bot()
    await deployment.workspace.person("ana").waits_for("claude.ai", channel="ops", within=20)
    await deployment.verb("incident", "resolve", "1", "we leave them")

    def edit(made: dict[str, Any]) -> None:
        del made["providers"]["anthropic"]["components"]["web"]

    bot = await edited(deployment, bot, edit)
    health = await deployment.verb("health", "--json")

    assert ("unknown", "no check is configured") == next(
        (c["level"], c["reason"]) for c in health.json["components"] if c["id"] == "anthropic.web"
    )
    assert 0 == health.status


async def test_unreadable_settings_in_the_ledger_stop_no_start(deployment: Deployment) -> None:
    """Somebody edited them: their content is forgotten and reported, and flags are served."""
    bot = await deployment.ready_bot()
    await deployment.quiet()
    assert 0 == await bot.ends(signal.SIGTERM)
    conn = sqlite3.connect(deployment.data / "ledger.db")
    known = conn.execute("SELECT name FROM settings WHERE name <> 'ledger.id'").fetchall()
    names = [*(row[0] for row in known), "slack people", "budgets"]
    conn.executemany("INSERT OR REPLACE INTO settings VALUES (?, '{')", [(name,) for name in names])
    conn.commit()
    conn.close()
    bot = await deployment.ready_bot()

    assert "claude" == await bot.serves(FLAG)
    assert "a setting in the ledger cannot be read and is forgotten" in bot.output
    assert "Traceback" not in bot.output
