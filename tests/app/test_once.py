"""One run of every check, and what is concluded from the samples."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.checks.heartbeat import HeartbeatCheck
from bot.core.detection.blindness import BlindnessRule
from bot.core.detection.error_classes import ERROR_CLASSES
from bot.core.model import Fault, Level, Outcome, Sample
from bot.doctor.look_once import AT_ONCE, OneLook, look_once
from bot.system.clock import ManualClock
from bot.watch.plan import Plan

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Look:
    """A check whose result is scripted."""

    id: str
    error: str | None = None
    every: timedelta = EVERY

    @property
    def component(self) -> str:
        return self.id.rpartition(".")[0]


@dataclass
class Script:
    """Runs everything at once, and counts how many were under way."""

    under_way: int = 0
    most: int = 0
    seen: list[str] = field(default_factory=list)

    async def probe(self, check: Any) -> Sample:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        self.seen.append(check.id)
        if check.error is None:
            return Sample(check.id, check.component, START, Outcome.OK, reason="HTTP 200")
        if check.error == "slow":
            return Sample(check.id, check.component, START, Outcome.SLOW, fault=Fault.THEIRS, reason="took long")
        row = ERROR_CLASSES[check.error]
        return Sample(check.id, check.component, START, row.outcome, check.error, row.fault, row.sentence)

    async def close(self) -> None:
        self.under_way = 0


async def look(checks: Mapping[str, str | None], *controls: str | None, **more: Any) -> OneLook:
    """Run checks with their scripted error by id, and controls with theirs."""
    watched = [Look(id, error) for id, error in checks.items()]
    group = [Look(f"control.{number}", error) for number, error in enumerate(controls)]
    made = Plan(
        checks=watched, controls=group, sight=BlindnessRule(every={one.id: EVERY for one in (*watched, *group)}), **more
    )
    components = tuple(dict.fromkeys(one.component for one in watched))
    return await look_once(made, Script(), ManualClock(START), components)


def levels(looked: OneLook) -> dict[str, str]:
    return {verdict.component: verdict.level.value for verdict in looked.verdicts}


@pytest.mark.parametrize(
    ("errors", "level"),
    [
        ((None, None, None), "operational"),
        (("http_5xx", None, None), "degraded"),
        (("http_5xx", None, None, None), "operational"),
        (("http_5xx", "deadline", None), "down"),
        (("slow", "slow", "slow"), "degraded"),
        (("auth", None), "unknown"),
        (("challenge",), "unknown"),
        (("rate_limited",), "unknown"),
    ],
)
async def test_component_is_judged_by_one_run_of_each_check(errors: tuple[str | None, ...], level: str) -> None:
    """By the usual shares, without patience; failures of our own make it unknown, never down."""
    looked = await look({f"a.api.{n}": error for n, error in enumerate(errors)})

    assert {"a.api": level} == levels(looked)


async def test_weights_count() -> None:
    """A check with weight three outvotes one with weight one."""
    looked = await look({"a.api.ask": "http_5xx", "a.api.list": None}, weights={"a.api.ask": 3.0})

    assert {"a.api": "down"} == levels(looked)


async def test_any_answer_proves_our_uplink_even_if_controls_fail() -> None:
    """The vendor's 500 is an answer, so it counts, and so does the refusal beside it."""
    looked = await look({"a.api.list": "http_5xx", "b.api.list": "connect_refused"}, "connect_timeout", "connect_timeout")

    assert not looked.sight.blind
    assert {"a.api": "down", "b.api": "down"} == levels(looked)


@pytest.mark.parametrize("vantage", ["local", "fra-1"])
async def test_unreachable_checks_count_as_unknown_while_blind(vantage: str) -> None:
    """From any vantage; the controls keep their results."""
    looked = await look(
        {"a.api.list": "dns_timeout", "b.api.list": "deadline"}, "connect_timeout", "unreachable", vantage=vantage
    )

    assert looked.sight.blind
    assert {"a.api": "unknown", "b.api": "unknown"} == levels(looked)
    assert ["connect_timeout", "unreachable", "blind", "blind"] == [sample.error for sample in looked.samples]
    assert {Fault.LOCAL} == {verdict.fault for verdict in looked.verdicts}
    assert "both controls are unreachable; what was seen: no resolver answered" == looked.samples[2].reason


async def test_simultaneous_failures_of_unrelated_providers_are_our_fault() -> None:
    """Even without a control group."""
    looked = await look({f"{name}.api.list": "connect_timeout" for name in "abc"})

    assert looked.sight.blind
    assert {Level.UNKNOWN} == {verdict.level for verdict in looked.verdicts}


async def test_heartbeats_are_left_out() -> None:
    """This process cannot have received any; the rest of the component is judged without them."""
    beat = HeartbeatCheck("a.api.beat", "a.api", EVERY)
    script = Script()
    made = Plan(checks=[beat, Look("a.api.list"), HeartbeatCheck("b.job.beat", "b.job", EVERY)])
    looked = await look_once(made, script, ManualClock(START), ("a.api", "b.job"))

    assert ["a.api.list"] == script.seen
    assert {"a.api": "operational", "b.job": "unknown"} == levels(looked)
    assert {"a.api.beat", "b.job.beat"} == looked.unheard
    assert {"a.api"} == looked.looked_at


async def test_component_without_checks_is_unknown_with_a_reason() -> None:
    """It is listed even if all its checks are off."""
    looked = await look_once(Plan(off={"a.api": ["ask"]}), Script(), ManualClock(START), ("a.api", "a.web"))

    reasons = {verdict.component: (verdict.level.value, verdict.reason) for verdict in looked.verdicts}
    assert ("unknown", "no check is on (ask: no credential)") == reasons["a.api"]
    assert ("unknown", "no check is configured") == reasons["a.web"]
    assert (frozenset(), ()) == (looked.looked_at, looked.samples)


async def test_a_thousand_checks_do_not_start_at_once() -> None:
    """A laptop's network would produce failures of its own."""
    script = Script()
    made = Plan(checks=[Look(f"a.api.{n}") for n in range(1_000)])
    looked = await look_once(made, script, ManualClock(START), ("a.api",))

    assert (AT_ONCE, 1_000, {"a.api": "operational"}) == (script.most, len(looked.samples), levels(looked))
