"""`understudy page --test`, and what the doctor says of who is on call."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.cli.deployment import Deployment

TEST = "TEST of paging. Nothing is wrong, and nobody has to do anything."


@dataclass
class Receiver:
    """An address of `notify`."""

    got: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """It listens."""
    made, app = Receiver(), web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"json://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


def team(deployment: Deployment, receiver: Receiver, **on_call: Any) -> tuple[str, str]:
    """An on-call group with Ana in it, three steps for SEV1, one for SEV3; the ids of the group and of Ana."""
    space = deployment.workspace
    ana = space.person("ana")
    group = space.add_group("oncall", "On call", members=(ana,))
    sev1 = [
        {"after": "0s", "mention": ["primary"]}, {"after": "5m", "mention": ["primary"], "dm": ["primary"]},
        {"after": "10m", "notify": True},
    ]  # fmt: skip
    deployment.configure(
        people={"on_call": {"primary": {"usergroup": group}, **on_call}}, notify=[receiver.url],
        paging={"SEV1": sev1, "SEV3": [{"after": "0s", "mention": [ana.id]}]},
    )  # fmt: skip
    return group, ana.id


async def test_a_test_goes_along_every_way_and_says_what_happened(deployment: Deployment, receiver: Receiver) -> None:
    """The worst severity's steps, each name once: one mention, one direct message, one notice, all marked."""
    group, ana = team(deployment, receiver)
    ended = await deployment.understudy("page", "--test", "--json")
    said = deployment.said()

    assert 0 == ended.status
    assert [
        {"way": "mention", "who": "primary", "reached": True, "words": f"mentioned in #ops as {group}"},
        {"way": "dm", "who": f"primary: {ana}", "reached": True, "words": "was sent a direct message"},
        {"way": "notify", "who": "address 1 (json)", "reached": True, "words": "took the test"},
    ] == ended.json
    assert f"*{TEST}* <!subteam^{group}>" in said
    assert ["TEST of paging by Understudy"] == [notice["title"] for notice in receiver.got]
    assert not deployment.data.exists()


async def test_one_name_is_tried_alone(deployment: Deployment, receiver: Receiver) -> None:
    """A new colleague wants to know whether it rings."""
    _, ana = team(deployment, receiver)
    ended = await deployment.understudy("page", "--test", ana)

    assert 0 == ended.status
    assert "was sent a direct message" in ended.out
    assert [] == receiver.got


async def test_one_severity_is_tried_alone(deployment: Deployment, receiver: Receiver) -> None:
    """SEV3 mentions Ana, and nothing else."""
    team(deployment, receiver)
    ended = await deployment.understudy("page", "--test", "--severity", "SEV3", "--json")

    assert ["mention"] == [tried["way"] for tried in ended.json]


async def test_a_way_that_takes_nothing_is_named_and_ends_with_one(deployment: Deployment, receiver: Receiver) -> None:
    """The others are tried all the same."""
    team(deployment, receiver)
    receiver.status = 500
    ended = await deployment.understudy("page", "--test", "--json")

    assert 1 == ended.status
    assert [True, True, False] == [tried["reached"] for tried in ended.json]
    assert "notify address 1 (json) did not take the notice" in ended.json[2]["words"]


async def test_a_name_behind_which_nobody_stands_is_named(deployment: Deployment, receiver: Receiver) -> None:
    """A rota that has not begun wakes nobody."""
    rota = {"starts": "2999-01-01T00:00:00Z", "every": "7d", "users": ["U0ANA"]}
    team(deployment, receiver, later={"rota": rota})
    ended = await deployment.understudy("page", "--test", "later", "--json")

    assert 1 == ended.status
    assert {"later: nobody is on call now"} == {tried["words"] for tried in ended.json}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "Incidents page by themselves. To try the ways to people: understudy page --test"),
        (("--test", "primray"), "did you mean `primary`?"),
        (("--test", "--severity", "SEV2"), "paging.SEV2 has no steps, so nobody would be called."),
    ],
)
async def test_what_cannot_be_tried_is_refused(
    deployment: Deployment, receiver: Receiver, args: tuple[str, ...], said: str
) -> None:
    """With status 2, and nothing is sent."""
    team(deployment, receiver)
    ended = await deployment.understudy("page", *args)

    assert 2 == ended.status
    assert said in ended.err
    assert "TEST" not in deployment.said()


async def test_where_nothing_is_configured_the_verb_says_so(deployment: Deployment) -> None:
    """It points to the page that explains it."""
    ended = await deployment.understudy("page", "--test")

    assert (2, True) == (ended.status, "has no `paging:`, so nobody would be called. docs/paging.md" in ended.err)


# --- the doctor


async def findings(deployment: Deployment, *args: str) -> dict[str, list[tuple[str, str]]]:
    ended = await deployment.verb("doctor", "--json", *args)
    assert "Traceback" not in ended.err
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(ended.out):
        found.setdefault(one["subject"], []).append((one["state"], one["words"]))
    return found


async def test_doctor_says_who_is_on_call(deployment: Deployment, receiver: Receiver) -> None:
    """By name, as of now."""
    _, ana = team(deployment, receiver)

    assert [("good", f"primary: on call now is {ana}")] == (await findings(deployment))["people.on_call"]


async def test_doctor_names_whose_account_is_deactivated(deployment: Deployment, receiver: Receiver) -> None:
    """A page would reach nobody."""
    ana = deployment.workspace.person("ana")
    deployment.workspace.change_user("ana", deleted=True)
    team(deployment, receiver, weekly={"rota": {"starts": "2026-03-19T12:00:00Z", "every": "7d", "users": [ana.id]}})
    said = (await findings(deployment))["people.on_call"]

    assert ("bad", f"weekly: the account of {ana.id} in Slack is deactivated") in said


async def test_doctor_names_a_source_that_cannot_be_read(deployment: Deployment, receiver: Receiver) -> None:
    """Without the address of the calendar, which is a secret."""
    url = f"http://127.0.0.1:{deployment.vendor.port}/secret-calendar.ics"
    team(deployment, receiver, calendar={"ical": url, "users": {"ana": "U0ANA"}})
    said = (await findings(deployment, "--no-slack"))["people.on_call"]

    assert [("bad", "calendar: the answer is not a readable calendar (ValueError)")] == said


async def test_doctor_notes_that_nobody_is_paged(deployment: Deployment) -> None:
    """Without `paging` an alert wakes nobody."""
    [(state, words)] = (await findings(deployment, "--no-slack"))["paging"]

    assert "note" == state
    assert "an alert nobody sees wakes nobody" in words


# --- without Slack


async def test_a_test_without_slack_tries_the_addresses_alone(deployment: Deployment, receiver: Receiver) -> None:
    """Whoever is mentioned or written to is said not to be reached, and no token that still stands in the file is used."""
    steps = [{"after": "0s", "mention": ["U0ANA"], "dm": ["U0ANA"]}, {"after": "5m", "notify": True}]
    deployment.configure(slack={"mode": "none"}, notify=[receiver.url], paging={"SEV1": steps})
    before = len(deployment.workspace.calls)
    ended = await deployment.understudy("page", "--test", "--json")

    none = "there is no Slack by configuration"
    assert 1 == ended.status
    assert [("mention", False, none), ("dm", False, none), ("notify", True, "took the test")] == [
        (one["way"], one["reached"], one["words"]) for one in ended.json
    ]
    assert ["TEST of paging by Understudy"] == [notice["title"] for notice in receiver.got]
    assert before == len(deployment.workspace.calls)
