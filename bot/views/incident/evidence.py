"""The evidence: what each check saw and what the vendor says, as the first reply to the alert, edited in place."""

from bot.core.model import Level
from bot.core.record.incident import Affected
from bot.ports import Message
from bot.views.blocks import context, section
from bot.views.limits import fit
from bot.views.names import ICONS, component_name, lag_words, notices_for, page_words, provider_name
from bot.views.scene import Scene
from bot.views.text import capital, clock, count, foreign, stop

MOST_COMPONENTS = 8
MOST_LINES = 3  # per component
VISIBLE = 3_900  # it is edited, and Slack accepts no edit beyond 4,000 characters


def evidence(scene: Scene) -> Message:
    """One line per component, with its error, counts and request ids; then the vendor's own words."""
    incident, policy = scene.incident, scene.policy
    order = worst_first(scene)
    parts = [component_part(one, scene) for one in order[:MOST_COMPONENTS]]
    if len(order) > MOST_COMPONENTS:
        parts.append(f"{count(len(order) - MOST_COMPONENTS, 'more component')}: `/health`")
    if not order:
        watched = incident.provider and any(one.provider == incident.provider for one in policy.components.values())
        saw = f"No check of {provider_name(policy, incident.provider)} has seen it" if watched else "No check watches this"
        parts.append(f"{saw}; what people report is all there is.")
    if incident.provider and not incident.drill:
        words = page_words(incident.provider, notices_for(incident, scene.world), scene.world, policy)
        parts.append(f"{words} {lag_words(incident)}".strip())
    blocks = [*(section(part) for part in parts), context(f"Evidence of {incident.name}, as of {clock(scene.now, scene.now)}")]
    return fit(Message(f"Evidence of {incident.name}", tuple(blocks)), visible=VISIBLE)


def worst_first(scene: Scene) -> list[Affected]:
    """An incident's components, worst first, then in the order in which they failed."""
    return sorted(scene.incident.affected.values(), key=lambda one: (-one.level.rank, one.failed_at, one.id))


def component_part(affected: Affected, scene: Scene) -> str:
    """A component's line, and its checks' evidence."""
    line = component_line(affected, scene)
    if affected.level is Level.OPERATIONAL or scene.incident.ending.at:
        return line  # current results are not those of the incident
    seen = scene.world.component(affected.id).evidence[:MOST_LINES]
    return "\n".join([f"{line} {capital(stop(foreign(affected.reason, 240)))}", *(f"• {foreign(one, 200)}" for one in seen)])


def component_line(affected: Affected, scene: Scene) -> str:
    """`🔴 *Claude API*: down since 12:40.`"""
    over = scene.incident.ending.at
    icon = "⚪" if over and affected.level.bad else ICONS[affected.level]
    name = f"{icon} *{component_name(scene.policy, affected.id)}*"
    if affected.level is Level.OPERATIONAL:
        since = f" again since {clock(affected.recovered_at, scene.now)}" if affected.recovered_at else ""
        return f"{name}: operational{since}."
    if over:
        until = "until the drill ended" if scene.incident.drill else "and still when it ended"
        return f"{name}: {affected.level} from {clock(affected.failed_at, scene.now)} on, {until} at {clock(over, scene.now)}."
    now = scene.world.component(affected.id)
    since_at = now.began_at if now.level is affected.level and now.began_at else affected.failed_at
    return f"{name}: {affected.level} since {clock(since_at, scene.now)}."
