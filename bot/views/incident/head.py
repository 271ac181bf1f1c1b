"""The head of alert and card: what is broken, them or us, are customers served, who leads. One mrkdwn line each."""

from collections.abc import Sequence

from bot.core.drill import Drill
from bot.core.model import ActorKind, FeedState, Level, Phase, Severity
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.views.component_messages import blind_line
from bot.views.flags.serving import frozen_line, serving
from bot.views.incident.paging import unacknowledged
from bot.views.names import ICONS, blame, component_name, flag_name, notices_for, page_of, variant_name
from bot.views.scene import Scene
from bot.views.text import capital, clock, foreign, how, stop, who, words

MOST_NAMED = 3


def head(scene: Scene, called: Sequence[str] = ()) -> list[str]:
    """The four lines, plus one for what people say about customers and one while we are blind. The fourth mentions `called`."""
    lines = [what(scene), customers(scene), mitigated(scene), around(scene), lead(scene, called)]
    lines += [blind_line(scene.world, scene.now), frozen_line(scene.world, scene.now) if scene.flags else ""]
    return [line for line in lines if line]


def icon(incident: Incident) -> str:
    """How bad it is at a glance; if no check sees it, by severity. A drill is blue, whatever it pretends."""
    if incident.drill:
        return "🔵"
    if not incident.phase.open:
        return "⚪" if incident.phase in (Phase.CANCELED, Phase.MERGED) else "🟢"
    if not incident.failing and not incident.well:
        return "🟠" if Severity.SEV2.is_worse_than(incident.severity) else "🔴"
    return ICONS[max((a.level for a in incident.affected.values()), key=lambda level: level.rank)]


def what(scene: Scene) -> str:
    """`🔴 *SEV2 · Claude API is down.* It's Claude, not us.`, or what has recovered since when."""
    incident = scene.incident
    if incident.drill:
        back = " The simulated failure is over." if incident.well else ""
        return f"🔵 *{stop(foreign(incident.title, 120))}* {incident.severity}, an exercise: nothing is broken.{back}"
    if incident.well:
        order = [*scene.policy.components, *sorted(incident.affected)]  # as configured; those no longer configured come last
        names = [component_name(scene.policy, id) for id in dict.fromkeys(order) if id in incident.affected]
        since = max(a.recovered_at for a in incident.affected.values() if a.recovered_at)
        back = f"{words(names, most=MOST_NAMED)} {'is' if len(names) == 1 else 'are'} back"
        title = f"{stop(foreign(incident.title, 120))}* {back}" if incident.named_by_person else f"{back}*"
        return f"🟢 *{incident.severity} · {title} (since {clock(since, scene.now)})."
    failing = [a.id for a in incident.failing if a.level is not Level.UNKNOWN] or [a.id for a in incident.failing]
    whose = blame(failing, incident.provider, scene.world, scene.policy)
    return f"{icon(incident)} *{incident.severity} · {stop(foreign(incident.title, 120))}* {whose}".strip()


def customers(scene: Scene) -> str:
    """Whether customers are served, and by what; those who are not come first. For a drill, what it does to flags."""
    if scene.incident.drill:
        return drill_scope(scene.incident.drill, scene.policy)
    every = [one for flag in scene.flags if (one := serving(flag, scene.world, scene.policy, scene.now))]
    if not every:
        return _nobody_is_away(scene)
    lost = [stop(one.words) for one in every if not one.served]
    served = [one.words for one in every if one.served]
    lines = [capital(one) for one in lost[:MOST_NAMED]]
    if len(lost) > MOST_NAMED:
        lines.append(f"{len(lost) - MOST_NAMED} more are failing: `/fallback status`.")
    if served:
        more = [f"{len(served) - MOST_NAMED} more"] if len(served) > MOST_NAMED else []
        lines.append(f"{'Served' if lost else 'Customers are served'}: {'; '.join([*served[:MOST_NAMED], *more])}.")
    return " ".join(lines)


def mitigated(scene: Scene) -> str:
    """Who says that customers are served, if it was a person; measurements are shown already."""
    mitigation = scene.incident.mitigation
    if mitigation is None or mitigation.by.kind is ActorKind.RULE:
        return ""
    why = f": {stop(foreign(mitigation.reason, 160))}" if mitigation.reason else "."
    return f"Mitigated since {clock(mitigation.at, scene.now)} ({how(mitigation.by)}){why}"


def drill_scope(drill: Drill, policy: Policy) -> str:
    """What a drill does to flags: nothing, except for readers in its scope."""
    plan, flag = drill.plan, policy.flags.get(drill.plan.flag)
    if not plan.flag:
        return "Customers are served as usual: a drill switches no flag."
    variant, name = variant_name(flag, plan.variant) if flag else plan.variant, flag_name(plan.flag, policy)
    reads = "reads" if drill.running else "read"
    return f"Customers are served as usual. Whoever asks with `understudy_drill: true` {reads} {name} as {variant}."


def _nobody_is_away(scene: Scene) -> str:
    """Every flag is on a healthy default, or there is none. Checks may not show what people report."""
    if scene.incident.well:
        return "Customers are served as usual." if scene.flags else ""
    if scene.flags:  # flags that depend on what failed earlier, or on what somebody reported
        names = capital(words([flag_name(flag.key, scene.policy) for flag in scene.flags], most=MOST_NAMED))
        return f"*{names}* {'is' if len(scene.flags) == 1 else 'are'} served as usual."
    if scene.incident.failing:
        return "No flag depends on it, so nothing was switched."
    return "Our checks see no failure." if scene.incident.affected else ""


def around(scene: Scene) -> str:
    """Since when, what the vendor says, and where people work on it."""
    incident, now = scene.incident, scene.now
    declared = f" (declared at {clock(incident.declared_at, now)})" if incident.backdated else ""
    parts = [f"Since {clock(incident.began_at, now)}{declared}", vendor(scene), place(scene.incident)]
    return " · ".join(part for part in parts if part)


def vendor(scene: Scene) -> str:
    """What the vendor's page says, in a few words; empty if none is configured."""
    incident, world, page = scene.incident, scene.world, page_of(scene.policy, scene.incident.provider)
    if not any(c.provider == incident.provider and c.page_url for c in scene.policy.components.values()):
        return ""
    match world.provider(incident.provider).feed:
        case FeedState.UNKNOWN:
            return f"{page} was not read yet"
        case FeedState.STALE:
            return f"{page} cannot be read"
    notices = notices_for(incident, world)
    if notices:
        return f"{page}: “{foreign(notices[0].title, 60)}” ({foreign(notices[0].status, 30)})"
    return f"{page} shows no problem" + ("" if incident.well else " yet")


def place(incident: Incident) -> str:
    """Where people work on it: the channel, else the incident's name; the thread tells why there is no channel."""
    if incident.room.channel:
        return f"<#{incident.room.channel}>"
    if incident.room.refused:
        return f"{incident.name}, in this thread (it has no channel)"
    return incident.name


def lead(scene: Scene, called: Sequence[str] = ()) -> str:
    """Who leads, else who acknowledged it, else that nobody did and who should."""
    people = scene.incident.people
    if people.lead:
        return f"Lead: {who(people.lead)}"
    if people.acknowledged_by is None:
        return unacknowledged(scene, called)
    at = f" at {clock(people.acknowledged_at, scene.now)}" if people.acknowledged_at else ""
    return f"Acknowledged by {who(people.acknowledged_by)}{at}"
