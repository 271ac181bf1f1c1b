"""What a person may do, for whoever asks."""

from bot.core.decide.permissions import role_of
from bot.core.model import Actor
from bot.core.policy import IncidentPolicy
from bot.core.signals.base import ADMINS, ASKING, COMMAND, RESPONDERS, Roles
from bot.views.blocks import context, plain_text, section
from bot.views.form_parts import View

WHAT: tuple[tuple[Roles, str], ...] = (
    (ASKING, "ask: health, incidents, timelines, flags"),
    (RESPONDERS, "help: acknowledge, join, note, report, export, add messages to a timeline"),
    (COMMAND, "run incidents: declare, update, give roles, change severity and phase, resolve"),
    (COMMAND, "switch flags, and mute alerts"),
    (ADMINS, "see who was refused what"),
)
WHOM = "Rights are set under `people:` in this bot's configuration."


def rights_view(reader: Actor, policy: IncidentPolicy) -> View:
    """A form to read, with one line per kind of action."""
    role = role_of(reader, policy)
    lines = [f"✅ You may {what}" if role in roles else f"🚫 You may not {what}" for roles, what in WHAT]
    blocks = [dict(section("\n".join(lines))), dict(context(WHOM))]
    return {"type": "modal", "title": plain_text("What may I do?", 24), "close": plain_text("Close", 24), "blocks": blocks}
