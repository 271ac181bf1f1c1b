"""The briefing: an incident's state in three lines, for people who join late."""

from bot.ports import Message
from bot.views.blocks import section
from bot.views.incident.ending import over_lines
from bot.views.incident.head import customers, what
from bot.views.limits import fit
from bot.views.scene import Scene
from bot.views.text import clock, link, spoken, who


def briefing(scene: Scene) -> Message:
    """What is broken and whose fault; customers and flags; who leads, when the next update is due, and where people talk."""
    lines = [what(scene), customers(scene), _led(scene)] if scene.incident.phase.open else over_lines(scene)
    return fit(Message(spoken(lines[0]), (section("\n".join(line for line in lines if line)),)))


def _led(scene: Scene) -> str:
    people, due, call = scene.incident.people, scene.next_update_at, scene.policy.incidents.bridge_url
    noticed = f" (acknowledged by {who(people.acknowledged_by)})" if people.acknowledged_by else ""
    parts = [
        f"Lead: {who(people.lead)}" if people.lead else f"*No lead yet*{noticed}",
        f"next update by {clock(due, scene.now)}" if due else "updates on change",
        link(call, "Join the call") if call else "",
    ]
    return " · ".join(part for part in parts if part)
