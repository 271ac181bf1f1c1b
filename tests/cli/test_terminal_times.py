"""Times in the terminal are those of the deployment's zone, as its incidents have them."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.cli.deployment import Deployment

KATHMANDU = "Asia/Kathmandu"  # a quarter of an hour off every other clock


async def test_every_table_of_the_terminal_has_the_zone_of_the_deployment(deployment: Deployment) -> None:
    """Whoever reads two of them side by side reckons nothing."""
    deployment.configure(incidents={"zone": KATHMANDU}, people={"commanders": [deployment.workspace.person("bob").id]})
    bot = await deployment.ready_bot()
    await bot.sees("operational")
    ana = deployment.workspace.person("ana")
    await ana.types("/incident declare Payments are slow", channel="ops")
    await ana.waits_for("Only commanders", channel="ops")
    await deployment.verb("drill", "start", "claude api", "--for", "5m")
    shown = [
        (await deployment.verb(*verb)).out
        for verb in (("health",), ("denied",), ("incident", "timeline", "1"), ("drill", "status"))
    ]
    here = {f"{datetime.now(ZoneInfo(KATHMANDU)) - timedelta(hours=n):%Y-%m-%d %H}" for n in (-1, 0, 1)}

    for table in shown:
        assert f"({KATHMANDU})" in table
        assert here & set(re.findall(r"\d{4}-\d\d-\d\d \d\d(?=:\d\d)", table)), table


async def test_a_task_says_in_the_terminal_where_it_went(deployment: Deployment) -> None:
    """From the incident that was merged, and in the one that goes on, where it came from."""
    await deployment.ready_bot()

    async def says(*args: str) -> str:
        ended = await deployment.verb("incident", *args)
        assert (0, "") == (ended.status, ended.err), args
        return ended.out.strip()

    await says("declare", "Payments are slow")
    await says("declare", "Mail is late")
    await says("task", "2", "Call support", "me")
    await says("merge", "2", "1")

    assert re.search(r"1 +in INC-1, #1 +\w+ +Call support", await says("tasks", "2"))
    assert re.search(r"1 +open +\w+ +Call support \(from INC-2\)", await says("tasks", "1"))
