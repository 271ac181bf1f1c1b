"""The docs' smallest configuration, verbatim: our own network's failure is no vendor outage; a real one is."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.model import Fault, Outcome
from bot.core.record.flag_facts import Engaged
from bot.core.record.incident_facts import Declared
from bot.core.record.sight import SightLost
from tests.dialogs.talk import Talk
from tests.engine.stand import Answer, Script
from tests.house import FLAG, House, a_house

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
CHECKS = ("anthropic.api.inference", "anthropic.api.models", "anthropic.web.front")
CONTROLS = ("control.cloudflare", "control.google", "control.root-servers", "control.wikipedia")
UNFIT = {
    "no such name": Answer(Outcome.FAIL, "dns_nxdomain", Fault.THEIRS),
    "no resolver": Answer(Outcome.FAIL, "dns_timeout", Fault.UNCLEAR),
    "no route": Answer(Outcome.FAIL, "unreachable", Fault.UNCLEAR),
    "refused": Answer(Outcome.FAIL, "connect_refused", Fault.THEIRS),
    "no connection": Answer(Outcome.FAIL, "connect_timeout", Fault.UNCLEAR),
}


def smallest() -> dict[str, Any]:
    """The file that docs/configuration.md calls the smallest."""
    found = re.search(r"The smallest file that does something:\n\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert found is not None
    return dict(yaml.safe_load(found[1].replace("${ANTHROPIC_API_KEY:-}", "key-of-the-test")))


@pytest.fixture
async def script(small: House) -> Script:
    """What every check and control gets as an answer."""
    assert small.script is not None
    return small.script


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[House]:
    """The smallest deployment with one flag, healthy for a minute."""
    flag = {
        "variants": {"claude": "a", "cached": "b"}, "default": "claude", "fallbacks": [{"variant": "cached"}],
        "depends_on": ["anthropic.api"], "automation": "auto",
    }  # fmt: skip
    file = smallest()
    assert {"slack", "providers"} == set(file)
    changes = {"providers": file["providers"], "control_group": None, "flags": {FLAG: flag}, "runbooks": {}}
    async with a_house(tmp_path, started=False, **changes) as house:
        house.script = Script(house.clock)
        await house.start()
        await house.passes(minutes=1)
        yield house


@pytest.mark.parametrize("unfit", list(UNFIT))
async def test_unreachable_network_opens_no_incident(unfit: str, small: House, script: Script) -> None:
    """One notice says why; services keep the variant they had."""
    script.answers = dict.fromkeys((*CHECKS, *CONTROLS), UNFIT[unfit])
    await small.passes(minutes=10)
    await small.quiet()
    talk = Talk(small)

    [notice] = [talk.shows(message) for message in talk.said("ops")]
    assert notice.startswith("⚪ We have been blind since")
    assert [] == await talk.facts(Declared)
    assert [] == await talk.facts(Engaged)


async def test_failing_name_lookups_are_blamed_on_our_resolver(small: House, script: Script) -> None:
    """A captive resolver denies every name while addresses still answer."""
    dark = (*CHECKS, "control.root-servers", "control.wikipedia")
    script.answers = dict.fromkeys(dark, UNFIT["no such name"])
    await small.passes(minutes=10)
    talk = Talk(small)

    assert [] == await talk.facts(Declared)
    assert small.app is not None
    assert "our resolver does not answer, says both controls" == small.app.engine.world.sight.reason


@pytest.mark.parametrize("unfit", list(UNFIT))
async def test_provider_failing_alone_opens_its_incident(unfit: str, small: House, script: Script) -> None:
    """The controls answer, so an incident opens within two minutes and the flag switches."""
    script.answers = dict.fromkeys(CHECKS, UNFIT[unfit])
    await small.passes(minutes=2)

    assert [] == await Talk(small).facts(SightLost)
    assert "Claude API is down" in [fact.body.title for fact in await Talk(small).facts(Declared)]  # type: ignore[attr-defined]
    assert 1 == len(await Talk(small).facts(Engaged))


async def test_people_can_see_which_controls_apply(small: House) -> None:
    """The reply lists what the bot contacts, and how to turn it off."""
    said = await Talk(small).asks(small.ana, "/understudy about")

    assert "so the default applies: tcp 1.1.1.1:443, tcp 8.8.8.8:443" in said
    assert "control_group: []" in said
