"""The alert in the ops channel: one message, edited in place until the incident is over."""

from collections.abc import Sequence

from bot.ports import Message
from bot.views.blocks import context, header, section
from bot.views.incident.paging import unacknowledged
from bot.views.incident.parts import first_words, happening, incident_buttons, over_words, record, standing, touched
from bot.views.limits import fit
from bot.views.names import lag_words, place_words
from bot.views.scene import Scene
from bot.views.text import is_web, link, plain, span, when

VISIBLE = 3_900  # it is edited, and Slack takes no edit beyond 4,000 characters


def alert(scene: Scene, *, board_url: str = "", called: Sequence[str] = ()) -> Message:
    """Everything that somebody needs who sees it for the first time; a line of record once it is over."""
    incident, now = scene.incident, scene.now
    headline = header(f"{incident.name} {incident.severity}: {plain(incident.title, 120)}")
    where = place_words(incident) + (f" · {link(board_url, 'Board')}" if is_web(board_url) else "")
    if not incident.phase.open:
        lag = lag_words(incident)
        body = section("\n".join(line for line in (record(incident), lag) if line))
        buttons = incident_buttons(scene)
        return fit(Message(over_words(incident, scene.policy), (headline, body, context(where), *buttons)), visible=VISIBLE)
    running = f"{standing(incident)} · running for {span(now - incident.began_at)}, as of {when(now)}"
    blocks = (
        headline,
        *happening(scene),
        *touched(scene),
        *([section(line)] if (line := unacknowledged(scene, called)) else []),
        context(running),
        context(where),
        *incident_buttons(scene),
    )
    return fit(Message(first_words(scene), blocks), visible=VISIBLE)
