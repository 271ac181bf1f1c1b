"""What an incident's channel contains: the pinned status card, topic, bookmarks, runbook."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from bot.core.decide.flags.choosing import sick_behind
from bot.core.decide.incident.runbooks import runbook_steps
from bot.core.ids import real
from bot.core.model import LEAD, Phase
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.incident import Incident
from bot.core.scope import scope_of
from bot.ports import Message
from bot.views.blocks import Block, context, header, section
from bot.views.incident.buttons import card_buttons
from bot.views.incident.customers import served_line
from bot.views.incident.ending import over_lines
from bot.views.incident.evidence import component_line, worst_first
from bot.views.incident.head import head, icon
from bot.views.incident.tasks import open_tasks
from bot.views.limits import fit
from bot.views.names import flag_name, lag_words, notices_for, page_words, variant_name
from bot.views.scene import Scene
from bot.views.text import clock, code, count, cut, foreign, how, is_web, link, plain, retold, spoken, unmarked, utc, who, words

VISIBLE = 3_900  # it is edited, and Slack accepts no edit beyond 4,000 characters
TOPIC_MAX = 250
MOST_NAMED = 3  # in a sentence
MOST_STEPS = 30
MOST_SHOWN = 6
UNSAFE_IN_TOPIC = str.maketrans({"<": "‹", ">": "›", "&": "+"})


def card(scene: Scene, *, readers: Mapping[str, int] | None = None) -> Message:
    """The incident's current state, for people who open its channel; edited in place. `readers` counts each flag's clients."""
    if not scene.incident.phase.open:
        lines = over_lines(scene)
        return fit(Message(spoken(lines[0]), (section("\n".join(lines)), *card_buttons(scene))), visible=VISIBLE)
    lines = head(scene)
    told = (
        _parts(scene),
        _components(scene),
        _flags(scene, readers or {}),
        served_line(scene.incident.served, scene.policy),
        _vendor(scene),
        _people(scene),
        open_tasks(scene),
        _runbooks(scene),
    )
    parts = ["\n".join(lines), *told]
    hint = "`/incident update TEXT` tells everybody · `/incident note TEXT` adds to the timeline"
    blocks = [*(section(part) for part in parts if part), context(_course(scene)), context(hint), *card_buttons(scene)]
    return fit(Message(spoken(lines[0]), tuple(blocks)), visible=VISIBLE)


def _parts(scene: Scene) -> str:
    """The incidents merged into it, with their channels, since their discussions are not here."""
    known = ((number, scene.world.incidents.get(number)) for number in scene.incident.parts)
    named = [f"INC-{number}{f' <#{one.room.channel}>' if one and one.room.channel else ''}" for number, one in known]
    return f"Merged into this: {words(named, most=MOST_SHOWN)}" if named else ""


def _components(scene: Scene) -> str:
    order = worst_first(scene)
    lines = [component_line(one, scene) for one in order[:MOST_SHOWN]]
    more = [f"{count(len(order) - MOST_SHOWN, 'more component')}: `/health`"] if len(order) > MOST_SHOWN else []
    return "\n".join([*lines, *more])


def _flags(scene: Scene, readers: Mapping[str, int]) -> str:
    flags = [*scene.flags, *scene.switched_scopes]
    lines = [_flag(flag, scene, readers.get(flag.key, 0)) for flag in flags[:MOST_SHOWN]]
    if len(flags) > MOST_SHOWN:
        lines.append(f"{count(len(flags) - MOST_SHOWN, 'more flag')}: `/fallback status`")
    return "\n".join([*lines, *_lost_fallbacks(scene)])


def _flag(flag: FlagPolicy, scene: Scene, readers: int) -> str:
    state = scene.world.flag(flag.key)
    read = f"read by {count(readers, 'client')}" if readers else "no client reads it"
    name, engagement = f"*{flag_name(flag.key, scene.policy)}*", state.engagement
    pinned = f" · 📌 pinned ({how(state.pin.by)})" if state.pin else ""
    if engagement:
        until = f"until {clock(engagement.expires_at, scene.now)} at the latest"
        left = "older conversations" if engagement.all_back else f"{engagement.share} %"
        share = f"{left} on " if engagement.share_back else ""
        by = "" if scope_of(flag.key) else f" · {read}"  # nobody counts the readers of a scope
        return f"{name}: {share}{variant_name(flag, engagement.variant)} {until}{by}{pinned}"
    held = f" · not switched: {retold(state.held, 160)}" if state.held else ""
    return f"{name}: {variant_name(flag, flag.default)} · {read}{held}{pinned}"


def _lost_fallbacks(scene: Scene) -> list[str]:
    """Fallbacks on components that fail here: other incidents may need them."""
    lost = [
        f"{variant_name(flag, one.variant)} of {flag_name(flag.key, scene.policy)}"
        for flag in scene.policy.flags.values()
        for one in flag.fallbacks
        if one.needs in scene.incident.affected and sick_behind(scene.world, flag, one.variant)
    ]
    return [f"Not usable as a fallback meanwhile: {words(lost, most=3)}."] if lost else []


def _vendor(scene: Scene) -> str:
    incident = scene.incident
    notices = notices_for(incident, scene.world)
    if not notices:
        return lag_words(incident)  # the head already says that the page shows nothing
    return f"{page_words(incident.provider, notices[:1], scene.world, scene.policy)} {lag_words(incident)}".strip()


def _people(scene: Scene) -> str:
    """Who has a role, who else helps, and where they talk; the head names the lead, or whoever acknowledged it."""
    people, call = scene.incident.people, scene.policy.incidents.bridge_url
    others = [f"{foreign(role.capitalize(), 20)}: {who(person)}" for role, person in people.roles.items() if role != LEAD]
    named = {person.id for person in (people.leader, *people.roles.values()) if person}
    helping = [who(person) for person in people.everybody if person.id not in named]
    line = " · ".join([*others, *([f"Helping: {words(helping)}"] if helping else [])])
    return "\n".join(filter(None, [line, f"Call: {link(call, urlsplit(call).hostname or call)}" if call else ""]))


def _runbooks(scene: Scene) -> str:
    """The components with runbooks, linked if there is an address; the steps are posted in the channel."""
    mine = {real(id) for id in scene.incident.affected}
    affected = (one for id, one in scene.policy.components.items() if id in mine)
    named = [link(one.runbook_url, one.name) for one in affected if one.has_runbook]
    steps, done = runbook_steps(scene.incident, scene.policy), len(scene.incident.steps)
    far = f" ({done} of {count(len(steps), 'step')} done)" if steps and done else ""
    return f"Runbook: {words(named, most=MOST_SHOWN)}{far}" if named else ""


def _course(scene: Scene) -> str:
    incident, due = scene.incident, scene.next_update_at
    parts = [
        incident.phase.capitalize(),
        _mitigated(scene),
        f"next update by {clock(due, scene.now)}" if due else "updates on change",
        f"{count(incident.updates, 'update')} so far" if incident.updates else "",
        f"declared at {clock(incident.declared_at, scene.now)} ({how(incident.declared_by)})",
        f"relapses: {incident.relapses}" if incident.relapses else "",
        f"reopened: {incident.reopened}" if incident.reopened else "",
    ]
    return " · ".join(part for part in parts if part)


def _mitigated(scene: Scene) -> str:
    """That customers are served, if the phase does not say so; that they no longer are, if it does."""
    incident, called = scene.incident, scene.incident.phase is Phase.MITIGATED
    if incident.well:
        return ""
    if incident.mitigation is None:
        return "not mitigated any more" if called else ""
    return "" if called else f"mitigated since {clock(incident.mitigation.at, scene.now)} ({how(incident.mitigation.by)})"


def topic(scene: Scene) -> str:
    """The channel's topic: plain text with UTC times, at most 250 characters."""
    incident, due, people = scene.incident, scene.next_update_at, scene.incident.people
    title = plain(incident.title, 150).translate(UNSAFE_IN_TOPIC)
    if not incident.phase.open:
        return cut(f"{icon(incident)} {incident.severity} · {incident.phase} · {title}", TOPIC_MAX)
    leader = people.lead
    parts = [
        f"{icon(incident)} {incident.severity}",
        f"lead @{plain(leader.name, 40).translate(UNSAFE_IN_TOPIC)}" if leader else "no lead yet",
        f"next update {utc(due)}" if due else "updates on change",
        title,
    ]
    return cut(" · ".join(parts), TOPIC_MAX)


def bookmarks(incident: Incident, policy: Policy, *, board_url: str = "") -> list[tuple[str, str]]:
    """Links for the channel's bar as (title, address): the call, the vendor's page, runbooks, the board."""
    mine = [known for id in incident.affected if (known := policy.component(id))]
    pages = [(f"{plain(c.provider_name, 60)} status page", c.page_url) for c in mine if is_web(c.page_url)][:1]
    runbooks = [(f"Runbook: {plain(c.name, 80)}", c.runbook_url) for c in mine if is_web(c.runbook_url)]
    board = [("Board", board_url)] if is_web(board_url) else []
    call = [("Call", policy.incidents.bridge_url)] if is_web(policy.incidents.bridge_url) else []
    return [*call, *pages, *runbooks, *board]


def which_step(incident: Incident, policy: Policy) -> str:
    """The likely steps for somebody who typed `/incident step` without a number."""
    left = [one for one in runbook_steps(incident, policy) if one.number not in incident.steps]
    if not left:
        return f"No step of a runbook is left in {incident.name}."
    listed = ", ".join(f"{one.number} ({unmarked(plain(one.text, 40))})" for one in left[:MOST_NAMED])
    return f"Left: {listed}. Write {code(f'/incident step {left[0].number}')}."


def runbook(incident: Incident, policy: Policy, components: Sequence[str]) -> Message | None:
    """The steps as a checklist; None if no runbook is configured for these components."""
    numbered = runbook_steps(incident, policy)
    blocks: list[Block] = []
    for id in components:
        component = policy.component(id)
        if component is None or not component.has_runbook:
            continue
        title = f"*{foreign(component.name, 80)}*"
        if is_web(component.runbook_url):
            title += f" · {link(component.runbook_url, 'the whole runbook')}"
        mine = [one for one in numbered if one.component == id][:MOST_STEPS]
        steps = [f"{'☑' if one.number in incident.steps else '☐'} {one.number}. {foreign(one.text, 280)}" for one in mine]
        blocks.append(section("\n".join([title, *steps])))
    if not blocks:
        return None
    first = next((one.number for one in numbered if one.component in components), 0)
    hint = f"{code(f'/incident step {first}')} marks step {first} as done." if first else "Open the link for the steps."
    return fit(Message(f"Runbook for {incident.name}", (header("Runbook"), *blocks, context(hint))))
