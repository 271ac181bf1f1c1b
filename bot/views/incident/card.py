"""The furniture of an incident's channel: pinned status card, topic, bookmarks, runbook."""

from bot.core.model import Phase
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.ports import Message
from bot.views.blocks import Block, actions, context, header, section
from bot.views.incident.parts import (
    export_button,
    first_words,
    happening,
    incident_buttons,
    over_words,
    record,
    reopen_button,
    standing,
    touched,
)
from bot.views.limits import fit
from bot.views.names import lag_words
from bot.views.scene import Scene
from bot.views.text import count, cut, foreign, is_web, link, plain, span, utc, when

VISIBLE = 3_900  # it is edited, and Slack takes no edit beyond 4,000 characters
TOPIC_MAX = 250
MOST_STEPS = 30
UNSAFE_IN_TOPIC = str.maketrans({"<": "‹", ">": "›", "&": "+"})


def card(scene: Scene) -> Message:
    """How the incident stands now, for whoever opens its channel; edited in place."""
    incident, now, due = scene.incident, scene.now, scene.next_update_at
    headline = header(f"Status of {incident.name}: {plain(incident.title, 110)}")
    if not incident.phase.open:
        lines = [record(incident), lag_words(incident)]
        back = [reopen_button(incident)] if incident.phase is Phase.RESOLVED else []
        buttons = actions([*back, export_button(incident)])
        body = section("\n".join(line for line in lines if line))
        return fit(Message(over_words(incident, scene.policy), (headline, body, *buttons)), visible=VISIBLE)
    said = f"{count(incident.updates, 'update')} so far"
    coming = f"next update by {when(due)}" if due else f"at {incident.severity} updates come on change only"
    counts = [f"relapses: {incident.relapses}"] if incident.relapses else []
    counts += [f"reopened: {incident.reopened}"] if incident.reopened else []
    blocks: tuple[Block, ...] = (
        headline,
        section(f"{standing(incident)}\n{said}, {coming}."),
        *happening(scene),
        *touched(scene),
        context(" · ".join([f"running for {span(now - incident.began_at)}", *counts, f"as of {when(now)}"])),
        context("Tell everybody: `/incident update TEXT` · remember something: `/incident note TEXT` · `/incident help`"),
        *incident_buttons(scene),
    )
    return fit(Message(first_words(scene), blocks), visible=VISIBLE)


def topic(scene: Scene) -> str:
    """The channel's topic: plain text in UTC, at most 250 characters."""
    incident, due = scene.incident, scene.next_update_at
    parts = [incident.name, incident.severity.value, incident.phase.value]
    if due is not None:
        parts.append(f"next update by {utc(due)}")
    elif incident.phase.open:
        parts.append("updates on change")
    parts.append(plain(incident.title, 150).translate(UNSAFE_IN_TOPIC))
    return cut(" · ".join(parts), TOPIC_MAX)


def bookmarks(incident: Incident, policy: Policy, *, board_url: str = "") -> list[tuple[str, str]]:
    """Links for the channel's bar as (title, address): the vendor's page, runbooks, the board where it has an address."""
    mine = [policy.components[id] for id in incident.affected if id in policy.components]
    pages = [(f"{plain(c.provider_name, 60)} status page", c.page_url) for c in mine if is_web(c.page_url)][:1]
    runbooks = [(f"Runbook: {plain(c.name, 80)}", c.runbook_url) for c in mine if is_web(c.runbook_url)]
    board = [("Board", board_url)] if is_web(board_url) else []
    return [*pages, *runbooks, *board]


def runbook(incident: Incident, policy: Policy) -> Message | None:
    """The steps to take as a checklist; None where configuration has no runbook for what fails."""
    mine = [policy.components[id] for id in incident.affected if id in policy.components]
    blocks: list[Block] = []
    for component in mine:
        if not component.runbook_steps and not component.runbook_url:
            continue
        title = f"*{foreign(component.name, 80)}*"
        if is_web(component.runbook_url):
            title += f" · {link(component.runbook_url, 'the whole runbook')}"
        steps = [f"☐ {n}. {foreign(step, 280)}" for n, step in enumerate(component.runbook_steps[:MOST_STEPS], 1)]
        blocks.append(section("\n".join([title, *steps])))
    if not blocks:
        return None
    hint = "Say in the channel who does which step; `/incident note TEXT` keeps what came out."
    return fit(Message(f"Runbook for {incident.name}", (header(f"Runbook for {incident.name}"), *blocks, context(hint))))
