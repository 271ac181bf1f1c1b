"""The hourly update and the summary at the end."""

from collections.abc import Mapping, Sequence

from bot.core.model import Actor, Phase
from bot.core.policy import Policy
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.fact import Body, Fact
from bot.core.record.incident_facts import (
    ChannelNamed,
    ChannelOpened,
    Declared,
    Exported,
    GivenUp,
    Posted,
    PostGone,
    UpdateWritten,
)
from bot.ports import Message
from bot.timeline.durations import Durations, durations
from bot.timeline.rows import rows
from bot.views.blocks import Block, actions, context, fields, header, section
from bot.views.flags.board import flag_line, short_flag_line
from bot.views.incident.parts import export_button, over_words, record, reopen_button
from bot.views.limits import fit
from bot.views.names import (
    component_name,
    headline,
    lag_words,
    notices_for,
    page_words,
)
from bot.views.scene import Scene
from bot.views.text import code, count, foreign, inert, plain, quote, span, stop, utc, when, who, words

MOST_EVENTS = 8
# Facts that an update need not tell: the bot's own posts, the updates, and what a later fact says in better words.
NOT_NEWS: tuple[type[Body], ...] = (
    Posted, PostGone, ChannelNamed, ChannelOpened, GivenUp, Exported, UpdateWritten, VerdictChanged, Declared,
)  # fmt: skip


def update(
    scene: Scene, *, slot: int, text: str, missed: int, since_facts: Sequence[Fact],
    readers: Mapping[str, int] | None = None, author: Actor | None = None,
) -> Message:  # fmt: skip
    """What everybody should know now, and when the next word comes; one line where nothing changed.

    `text` is a person's own words (`author`), empty for the bot's. `since_facts` are the facts since the last update;
    `readers` counts the clients of each flag. `missed` slots before this one passed unspoken.
    """
    incident, policy, now, due = scene.incident, scene.policy, scene.now, scene.next_update_at
    state = headline(incident, policy)
    coming = f"Next update by {utc(due, now)}." if due else "The next update comes on change."
    shown = f"*Next update by* {when(due)}." if due else f"At {incident.severity} updates come on change only."
    news = [fact for fact in since_facts if not isinstance(fact.body, NOT_NEWS)]
    title = f"{incident.name} update {slot}"
    if not text and not news:
        waiting = " ".join(_asked(scene))
        waits = f"*Asked of people*: {waiting} " if waiting else ""
        body = f"*{title}*: nothing changed. {_as_it_was(scene)} {_missed(missed)}{waits}{shown}"
        return fit(Message(f"{title}: nothing changed, {state}. {coming}", (section(body),)))
    said = f"{stop(foreign(text, 300))} " if text else ""
    blocks: list[Block] = [header(f"{title} · {incident.severity} · {incident.phase}")]
    if text:
        blocks.append(section(f"{who(author)} writes:\n{quote(text, 2500)}"))
    if missed:
        blocks.append(section(_missed(missed).strip()))
    blocks.append(section(f"*How it stands*, {span(now - incident.began_at)} in\n{scene.component_lines}"))
    if news:
        blocks.append(section(f"*Since the last update*\n{_events(news, scene)}"))
    blocks += _surroundings(scene, readers or {})
    asked = _asked(scene) or ["Nothing at present. What you know and we do not: `/incident note TEXT`."]
    blocks.append(section("*Asked of people*\n" + "\n".join(f"• {line}" for line in asked)))
    blocks.append(section(shown))
    return fit(Message(f"{title}: {said}{state}. {coming}", tuple(blocks)))


def _missed(slots: int) -> str:
    if not slots:
        return ""
    before = f"{count(slots, 'update')} before this one {'was' if slots == 1 else 'were'} missed"
    return f"{before}: the bot was not running or could not write. "


def _as_it_was(scene: Scene) -> str:
    flags = [short_flag_line(flag, scene.world) for flag in scene.flags]
    rest = f"; {words(flags, most=3)}" if flags else ""
    return f"After {span(scene.now - scene.incident.began_at)}: {headline(scene.incident, scene.policy)}{rest}."


def _events(news: Sequence[Fact], scene: Scene) -> str:
    told = rows(news, scene.names)
    left = [f"• {len(told) - MOST_EVENTS} earlier: `/incident timeline`"] if len(told) > MOST_EVENTS else []
    return "\n".join([*left, *(f"• {when(row.at, '{time}')} {inert(row.sentence, 260)}" for row in told[-MOST_EVENTS:])])


def _surroundings(scene: Scene, readers: Mapping[str, int]) -> list[Block]:
    incident, world, flags = scene.incident, scene.world, scene.flags
    blocks = []
    if flags:
        lines = [f"• {flag_line(flag, world)} Clients reading it: {readers.get(flag.key, 0)}." for flag in flags[:5]]
        blocks.append(section("*Services and what they use*\n" + "\n".join(lines)))
    if incident.provider:
        page = page_words(incident.provider, notices_for(incident, world), world, scene.policy)
        blocks.append(section(f"*What the vendor says*\n{page} {lag_words(incident)}".strip()))
    return blocks


def _asked(scene: Scene) -> list[str]:
    """What waits for a person, with what to press or type."""
    incident, asked = scene.incident, []
    if not incident.people.acknowledged_by:
        asked.append(f"Acknowledge it: press *Acknowledge* on the alert, or type {code(f'/incident ack {incident.name}')}.")
    for flag in scene.flags:
        state = scene.world.flag(flag.key)
        if state.proposal:
            way = code(f"/fallback engage {flag.key} {state.proposal.variant}")
            asked.append(f"A yes or no to the switch of {code(flag.key)} to {foreign(state.proposal.variant, 60)}: {way}.")
        elif state.engagement and state.engagement.asked_at:
            asked.append(f"The hand-back of {code(flag.key)} waits for a yes: *Start hand-back* in the channel.")
    if incident.ending.asked_at:
        asked.append(f"Is it over? *Resolve incident*, or {code(f'/incident resolve {incident.name}')}.")
    return asked


# --- the end


def summary(scene: Scene, facts: Sequence[Fact]) -> Message:
    """What it was, how long everything took, and who writes it up."""
    incident, policy = scene.incident, scene.policy
    took = durations(incident, facts)
    ended = "canceled" if incident.phase is Phase.CANCELED else "resolved"
    counts = [
        f"relapses: {incident.relapses}",
        f"reopened: {incident.reopened}",
        f"updates: {took.updates}, missed: {took.missed}",
    ]
    blocks: tuple[Block, ...] = (
        header(f"{incident.name} {ended}: {plain(incident.title, 120)}"),
        section(record(incident) or over_words(incident, policy)),
        fields(_spans(took)),
        section(f"*Outage by component*\n{_outages(took, policy)}"),
        section(f"*Flags away from their default*\n{_away(took)}"),
        context(" · ".join(counts)),
        section(
            "*Who owns the post-mortem?* Say so here. What only people know: `/incident note TEXT`, it joins the timeline. "
            "The timeline comes as a file; nothing is archived by the bot."
        ),
        *actions([reopen_button(incident), export_button(incident)] if incident.phase is Phase.RESOLVED else []),
    )
    return fit(Message(over_words(incident, policy), blocks))


def _spans(took: Durations) -> list[str]:
    known = {
        "Impact to end": took.resolve,
        "Impact to detection": took.detect,
        "Detection to acknowledgement": took.acknowledge,
        "Detection to first post": took.first_post,
        "Detection to failover": took.failover,
        "Impact to customers served": took.mitigate,
        "Vendor's first word after impact": took.vendor_ack_lag,
        "Longest silence": took.longest_silence,
    }
    return [f"*{name}*\n{span(length) if length is not None else 'not recorded'}" for name, length in known.items()]


def _outages(took: Durations, policy: Policy) -> str:
    lines = []
    for outage in took.outages[:15]:
        end = (
            f"{when(outage.ended_at)}, {span(outage.ended_at - outage.began_at)}" if outage.ended_at else "not seen well again"
        )
        lines.append(f"• {component_name(policy, outage.component)}: {when(outage.began_at)} to {end}, at worst {outage.worst}")
    return "\n".join(lines) or "No check saw any."


def _away(took: Durations) -> str:
    lines = []
    for away in took.away[:15]:
        end = f"{when(away.ended_at)}, {span(away.ended_at - away.began_at)}" if away.ended_at else "now: *still away*"
        lines.append(f"• {code(away.flag)} on {foreign(away.variant, 60)}: {when(away.began_at)} to {end}")
    return "\n".join(lines) or "None was switched."
