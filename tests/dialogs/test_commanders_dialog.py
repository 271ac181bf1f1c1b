"""people.commanders: who may command, also when they are named as a user group."""

from pathlib import Path

from tests.house import a_house


async def test_only_members_of_the_commanders_group_may_resolve(tmp_path: Path) -> None:
    """Bob's group commands; Ana is told why not, and may still write updates."""
    async with a_house(tmp_path, started=False) as house:
        group = house.workspace.add_group("sre", "SRE", members=(house.bob,))
        house.changes["people"] = {"commanders": [group]}
        await house.start()
        await house.passes(minutes=1)
        await house.ana.types("/incident declare Chat is slow")
        await house.ana.waits_for("INC-1")
        await house.ana.types("/incident resolve INC-1")
        refused = await house.ana.waits_for("Only commanders")
        await house.bob.types("/incident resolve INC-1 it was nothing")
        await house.bob.waits_for("INC-1 is resolved")

        assert "Ask one of them" in refused
        assert house.app is not None
        assert "resolved" == house.app.engine.world.incidents[1].phase
