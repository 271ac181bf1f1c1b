"""Half a verdict waits a moment where the other half is on its way: one outage is one word, and so is its end."""

from bot.core.record.component_facts import VerdictChanged
from tests.engine.stand import BROKEN, WELL, Check, Stand

COMPONENT = "anthropic.api"
CHECKS = [f"{COMPONENT}.{name}" for name in ("batch", "inference", "models", "tokens")]


def levels(stand: Stand) -> list[str]:
    """What the component was called, one after the other."""
    facts = stand.ledger.store.all_facts()
    return [f.body.level.value for f in facts if isinstance(f.body, VerdictChanged) and f.body.component == COMPONENT]


async def test_an_outage_of_all_checks_is_told_once_each_way() -> None:
    """Four checks fail and come back at their own moments; nobody hears of degraded in between."""
    stand = await Stand([Check(check) for check in CHECKS]).opened()
    await stand.passes(60)
    stand.script.answers |= dict.fromkeys(CHECKS, BROKEN)
    await stand.passes(120)
    stand.script.answers |= dict.fromkeys(CHECKS, WELL)
    await stand.passes(300)

    assert ["operational", "down", "operational"] == levels(stand)


async def test_a_part_that_fails_alone_is_degraded() -> None:
    """Half of the checks fail for good: that is no half verdict."""
    stand = await Stand([Check(check) for check in CHECKS]).opened()
    await stand.passes(60)
    stand.script.answers |= dict.fromkeys(CHECKS[:2], BROKEN)
    await stand.passes(120)

    assert ["operational", "degraded"] == levels(stand)
