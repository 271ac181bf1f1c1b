"""The alert in the ops channel: one message, edited in place until the incident ends."""

from collections.abc import Sequence

from bot.ports import Message
from bot.views.blocks import section
from bot.views.incident.buttons import alert_buttons
from bot.views.incident.ending import over_lines
from bot.views.incident.head import head
from bot.views.limits import fit
from bot.views.scene import Scene
from bot.views.text import spoken

VISIBLE = 3_900  # it is edited, and Slack accepts no edit beyond 4,000 characters


def alert(scene: Scene, *, called: Sequence[str] = ()) -> Message:
    """Four lines for somebody who was just woken by it; a line of record once it is over. `called`: whom it mentions."""
    lines = head(scene, called) if scene.incident.phase.open else over_lines(scene)
    return fit(Message(spoken(lines[0]), (section("\n".join(lines)), *alert_buttons(scene))), visible=VISIBLE)
