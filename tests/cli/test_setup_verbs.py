"""What people do before the first start: check the file, make the app from a manifest, ask the doctor."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # published without types
import pytest
import yaml
from click.testing import CliRunner

from bot.cli.verbs import main
from bot.sandbox.slack import LocalWorkspace
from bot.sandbox.slack.records import BOT_SCOPES
from bot.slack.proof import TEXT
from bot.slack.scopes import PRIVATE_SCOPES, SCOPES
from bot.store.lock import DataLock
from bot.store.sqlite.ledgers import LEDGER_FILE, InlineLedger
from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG


def printed(*args: str) -> str:
    done = CliRunner().invoke(main, list(args))
    assert 0 == done.exit_code, done.output
    return done.stdout


# --- config


async def test_good_file_is_called_good(deployment: Deployment) -> None:
    """With its counts, what is off and why, and what should be known; nothing is started."""
    made = deployment.settings()
    made["providers"]["openai"]["components"]["api"]["checks"][0]["headers"] = {"authorization": "${OPENAI_API_KEY:-}"}
    deployment.configure(made)
    ended = await deployment.understudy("config", "check")

    assert (0, "") == (ended.status, ended.err)
    assert f"{deployment.config} is good: 3 components, 2 checks on, 1 flag." in ended.out
    assert "off: openai.api.front: headers.authorization is empty: set OPENAI_API_KEY" in ended.out
    assert not deployment.data.exists()


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (None, "note: no control_group is set, so the default applies: tcp 1.1.1.1:443, tcp 8.8.8.8:443"),
        ([], "note: control_group is empty: a fault of our own network looks like everybody's outage"),
    ],
)
async def test_the_control_group_that_nobody_chose_is_named(group: list[str] | None, said: str, deployment: Deployment) -> None:
    """Whoever wrote nothing learns what the bot will talk to; whoever turned it off, what that means."""
    deployment.configure(control_group=group)

    assert said in (await deployment.understudy("config", "check")).out


async def test_tokens_are_not_needed_to_check_a_file(deployment: Deployment) -> None:
    """A pipeline that checks the file has no tokens."""
    made = deployment.settings()
    made["slack"] |= {"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"}
    deployment.configure(made)

    assert 2 == (await deployment.understudy("config", "check")).status
    assert 0 == (await deployment.understudy("config", "check", "--no-env")).status


async def test_schema_takes_what_the_loader_takes(deployment: Deployment) -> None:
    """Editors complain about the same things."""
    schema = json.loads(printed("config", "schema"))
    validator = jsonschema.validators.validator_for(schema)(schema)

    assert [] == [error.message for error in validator.iter_errors(deployment.settings())]
    assert [] != list(validator.iter_errors({**deployment.settings(), "surprise": 1}))


# --- manifest


async def test_prefixed_words_work_from_manifest_to_answer(tmp_path: Path) -> None:
    """Two apps may have a /health in one workspace; ours becomes /us-health, and says so in its help."""
    manifest = yaml.safe_load(printed("manifest", "--prefix", "us-"))
    async with a_deployment(tmp_path, LocalWorkspace.from_manifest(manifest)) as deployment:
        bot = await deployment.ready_bot()
        await bot.sees("operational")
        ana = deployment.workspace.person("ana")
        await ana.types("/us-health")
        await ana.waits_for("Claude API", channel="ops")
        await ana.types("/us-health help")
        await ana.waits_for("/us-health claude", channel="ops")
        await ana.types("/us-incident declare Claude is slow")
        await ana.waits_for("INC-1", channel="ops")
        await ana.types(f"/us-fallback engage {FLAG} gpt Claude is slow")
        await ana.waits_for("serves gpt now", channel="ops")

        assert "gpt" == await bot.serves(FLAG)
        assert "Traceback" not in bot.output


async def test_private_channels_work_with_the_scopes_of_the_private_manifest(tmp_path: Path) -> None:
    """`--private` asks for what private incident channels need, and the bot needs no more."""
    manifest = yaml.safe_load(printed("manifest", "--private"))
    async with a_deployment(tmp_path, LocalWorkspace.from_manifest(manifest)) as deployment:
        deployment.configure(incidents={"private": True})
        await deployment.ready_bot()
        await deployment.verb("incident", "declare", "Claude is slow")
        rows = await deployment.quiet()

        assert ["private"] == [c.kind for c in deployment.workspace.channels() if c.creator == deployment.workspace.bot_user_id]
        assert {"done", "superseded"} >= {row.state for row in rows}


async def test_prefix_that_slack_would_not_take_is_refused(deployment: Deployment) -> None:
    """Exit status 1 and what a prefix may be."""
    done = CliRunner().invoke(main, ["manifest", "--prefix", "Ops!"])

    assert (1, "") == (done.exit_code, done.stdout)
    assert "cannot begin a slash command" in done.stderr


# --- doctor


async def findings(deployment: Deployment, *args: str) -> tuple[int, list[dict[str, Any]]]:
    ended = await deployment.verb("doctor", "--json", *args)
    assert "Traceback" not in ended.err
    return ended.status, ended.json


async def test_doctor_finds_a_good_deployment_good(deployment: Deployment) -> None:
    """Every scope with its reason, SQLite, and a post that was found again and taken away."""
    status, found = await findings(deployment)
    methods = [call.method for call in deployment.workspace.calls]

    assert (0, set()) == (status, {f["subject"] for f in found if f["state"] == "bad"})
    assert {f"scope {scope}": reason for scope, reason in SCOPES.items()} == {
        f["subject"]: f["words"] for f in found if f["subject"].startswith("scope ")
    }
    assert ["good"] == [f["state"] for f in found if f["subject"] == "look-up"]
    assert any(f["subject"] == "store" and "SQLite" in f["words"] for f in found)
    assert ["chat.postMessage", "conversations.history", "chat.delete"] == [
        method for method in methods if method in ("chat.postMessage", "conversations.history", "chat.delete")
    ]
    assert TEXT not in deployment.said()
    assert not deployment.data.exists()


@pytest.mark.parametrize("lacking", ["channels:history", "bookmarks:write"])
async def test_doctor_names_the_scope_that_is_missing(lacking: str, tmp_path: Path) -> None:
    """What it is for and what to do, once; without history, posts cannot be looked up, with the rest they can."""
    workspace = LocalWorkspace(scopes=[scope for scope in BOT_SCOPES if scope != lacking])
    async with a_deployment(tmp_path, workspace) as deployment:
        status, found = await findings(deployment)
        bad = {f["subject"]: f["words"] for f in found if f["state"] == "bad"}

        assert 1 == status
        assert f"the app lacks the scope {lacking} ({SCOPES[lacking]})" in bad[f"scope {lacking}"]
        assert "reinstall the app" in bad[f"scope {lacking}"]
        assert ("look-up" in bad) is (lacking == "channels:history")
        assert {f"scope {lacking}"} == bad.keys() - {"look-up"}
        assert TEXT not in deployment.said()


async def test_doctor_asks_for_private_scopes_only_where_channels_are_private(deployment: Deployment) -> None:
    """A right that is not needed is not missed."""
    deployment.configure(incidents={"private": True})
    status, found = await findings(deployment)

    assert 1 == status
    assert {f"scope {scope}" for scope in PRIVATE_SCOPES} <= {f["subject"] for f in found if f["state"] == "bad"}


@pytest.mark.parametrize("token", ["bot_token", "app_token"])
async def test_doctor_names_a_token_that_is_refused(token: str, deployment: Deployment) -> None:
    """The remedy, without a list of scopes that nobody could ask for."""
    made = deployment.settings()
    made["slack"][token] = {"bot_token": "xoxb-1-1-wrong", "app_token": "xapp-1-A1-wrong"}[token]
    deployment.configure(made)
    status, found = await findings(deployment)
    bad = [f for f in found if f["state"] == "bad"]

    assert (1, ["Slack"]) == (status, [f["subject"] for f in bad])
    assert f"Slack does not take slack.{token}" in bad[0]["words"]
    assert "api.slack.com/apps" in bad[0]["words"]


async def test_doctor_says_that_slack_is_away(deployment: Deployment) -> None:
    """And looks at everything else all the same."""
    await deployment.workspace.faults.offline()
    status, found = await findings(deployment)

    assert 1 == status
    assert [True] == [f["words"].startswith("Slack cannot be reached") for f in found if f["state"] == "bad"]
    assert {"configuration", "store"} <= {f["subject"] for f in found}


async def test_doctor_says_what_is_open_to_many(deployment: Deployment) -> None:
    """Nobody should learn from a guest that guests may read."""
    deployment.configure(people={"external": "read"})
    _, found = await findings(deployment, "--no-slack")
    said = [f["words"] for f in found if f["subject"] == "people"]

    assert ["EVERY full member" in said[0], "people.external is read: guests" in said[1]] == [True, True]


async def test_doctor_says_who_may_help_where_commanders_stand_alone(deployment: Deployment) -> None:
    """Meant so by many, and a surprise to some: said here, and at no start."""
    deployment.configure(people={"commanders": ["U1ANA"]})
    _, found = await findings(deployment, "--no-slack")

    assert ["no responders are named, so every full member may acknowledge, note, report and export"] == [
        f["words"] for f in found if f["subject"] == "people"
    ]


async def test_doctor_names_commanders_who_may_not_command(deployment: Deployment) -> None:
    """A guest stays a guest, whoever names them; an id that is nobody's, an empty group and whoever left are named too."""
    space = deployment.workspace
    ana, gus = space.add_user("anna"), space.add_user("gus", guest="multi")
    left, eve = space.add_user("lea", deleted=True), space.add_user("eve", stranger=True, team_id="T07OTHER")
    group, empty = space.add_group("sre", "SRE", members=(ana, eve)), space.add_group("none", "None", members=())
    deployment.configure(people={"commanders": [ana.id, gus.id, left.id, group, empty, "bob", "U07NOBODY"]})
    status, found = await findings(deployment)
    said = [(f["state"], f["words"]) for f in found if f["subject"] == "people.commanders"]

    unknown = [(state, words) for state, words in said if words.startswith("U07NOBODY cannot be looked up: ")]
    assert (1, [("bad", unknown[0][1])]) == (status, unknown)
    assert [
        ("bad", f"the group {empty} has no members, so it lets nobody command"),
        ("bad", "bob is not the ID of a person (U...) or a user group (S...), so it lets nobody command"),
        ("bad", f"{gus.id} is a guest, and a guest may not command: only full members may"),
        ("bad", f"{left.id} is deactivated, and may not command: take them out of people.commanders or of the group"),
        ("bad", f"{eve.id} (of the group {group}) belongs to another organization or workspace, and may not command here"),
        ("good", "1 of 5 commanders are full members"),
    ] == [one for one in said if one not in unknown]


async def test_doctor_leaves_slack_alone_when_it_is_told_to(deployment: Deployment) -> None:
    """No token is needed, and nothing is posted."""
    made = deployment.settings()
    made["slack"] |= {"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"}
    deployment.configure(made)
    status, found = await findings(deployment, "--no-slack")

    assert 0 == status
    assert [] == deployment.workspace.calls
    assert {"note"} == {f["state"] for f in found if f["subject"] in ("people", "notify")}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_doctor_says_nothing_of_the_mode_of_a_folder_that_is_not_ours(deployment: Deployment) -> None:
    """A volume of Kubernetes belongs to root, and nobody in the pod could follow the advice."""
    deployment.data.mkdir(exist_ok=True)
    deployment.data.chmod(0o2777)
    os.chown(deployment.data, 12345, 12345)
    ended = await deployment.verb("doctor", "--no-slack")

    assert "can be read by others" not in " ".join(ended.out.split())


async def test_doctor_looks_into_the_ledger_beside_a_running_bot(deployment: Deployment) -> None:
    """What is open and what is engaged, and who could read it; the bot is not disturbed."""
    bot = await deployment.ready_bot()
    await deployment.verb("incident", "declare", "Claude is slow \x9b31m")
    await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "slow")
    deployment.data.chmod(0o755)
    ended = await deployment.verb("doctor", "--no-slack")
    text = " ".join(ended.out.split())

    assert 0 == ended.status
    assert "INC-1 is open (SEV2, triage): Claude is slow" in text
    assert f"{FLAG} is engaged on gpt: slow" in text
    assert "can be read by others; it should have mode 0700" in text
    assert "\x9b" not in ended.out
    assert 200 == (await bot.asks("GET", "/readyz")).status


async def test_doctor_names_a_data_folder_that_cannot_be_used(deployment: Deployment, tmp_path: Path) -> None:
    """A file in its place, or a ledger of another make."""
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    status, found = await findings(deployment, "--no-slack", "--data", str(tmp_path / "file"))
    assert (1, [True]) == (status, ["is not a folder" in f["words"] for f in found if f["state"] == "bad"])

    with DataLock(deployment.data):
        await InlineLedger.open(deployment.data / LEDGER_FILE).close()
    conn = sqlite3.connect(deployment.data / LEDGER_FILE)
    conn.execute("PRAGMA application_id = 7")
    conn.commit()
    conn.close()
    status, found = await findings(deployment, "--no-slack")
    assert (1, [True]) == (status, ["is not an Understudy file" in f["words"] for f in found if f["state"] == "bad"])
