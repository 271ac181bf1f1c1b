"""`understudy drill`: from its start to its report, through the running bot."""

from tests.cli.deployment import Deployment


async def test_a_drill_is_run_from_the_terminal(deployment: Deployment) -> None:
    """Started for a whole provider, followed, ended, and read about afterwards."""
    bot = await deployment.ready_bot()
    await bot.sees("operational")

    async def says(*args: str) -> str:
        ended = await deployment.verb("drill", *args)
        assert (0, "") == (ended.status, ended.err), args
        return ended.out.strip()

    assert "No drill is running." == await says("status")
    assert "INC-1 has begun" in await says("start", "claude api", "--for", "5m")
    assert "INC-1, triage: DRILL: " in await says("status")
    assert "The drill INC-1 is over; its report comes in its channel." == await says("stop")
    assert "Nobody acknowledged it." in await says("status", "INC-1")
