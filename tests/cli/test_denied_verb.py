"""`understudy denied`: an admin of the machine sees what admins see in Slack."""

from tests.cli.deployment import Deployment


async def test_a_denied_attempt_is_shown_in_the_terminal(deployment: Deployment) -> None:
    """When, who, what they are, and what they wanted, in words."""
    deployment.configure(people={"commanders": [deployment.workspace.person("bob").id]})
    await deployment.ready_bot()
    nobody = await deployment.verb("denied")
    ana = deployment.workspace.person("ana")
    await ana.types("/incident declare Payments are slow", channel="ops")
    await ana.waits_for("Only commanders", channel="ops")
    shown, listed = await deployment.verb("denied"), await deployment.verb("denied", "--json")

    assert "Nobody has been refused anything yet." == nobody.out.strip()
    assert f"({ana.id})" in shown.out and "responder  declare" in shown.out
    assert ["Declare"] == [one["what"] for one in listed.json["attempts"]]
