"""Other texts about an incident: why it has no channel, and messages by other means while Slack is away."""

from bot.core.effects import EffectBody, OfPage, PostAlert, PostSummary
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.ports import Message
from bot.timeline.rows import rows
from bot.views.blocks import actions, section
from bot.views.incident.buttons import repair_button
from bot.views.limits import fit
from bot.views.names import headline, plain_names
from bot.views.text import code, foreign, retold, stop

# Slack's code in the reason -> what people can do.
REMEDIES: dict[str, str] = {
    "restricted_action": "This workspace does not let apps create channels; an owner can allow it in the settings.",
    "missing_scope": "The app lacks a scope; reinstall it from the manifest (`understudy manifest`).",
    "not_in_channel": "The bot was removed from the channel; `/invite` it there again.",
    "is_archived": "The channel was archived; unarchive it by hand and invite the bot.",
    "channel_not_found": "The channel was deleted, or the bot may not see it.",
}


def refusal(incident: Incident, reason: str, policy: Policy) -> Message:
    """For the ops channel and the declarer: why there is no channel, where the incident continues, what to do."""
    text = f"{incident.name} has no channel of its own: {retold(reason, 400) or 'Slack gave no reason'}"
    ops = foreign(policy.incidents.alerts_channel, 80)
    remedy = next((words for word, words in REMEDIES.items() if word in reason), "`understudy doctor` shows what Slack needs.")
    lines = [
        f"*{text}*",
        f"{incident.name} ({foreign(incident.title, 150)}) continues in the thread under its alert in {ops}, updates included.",
        f"Name it in commands: {code(f'/incident update {incident.name} TEXT')}.",
        f"{remedy} Then press *Repair* to open the channel.",
    ]
    return fit(Message(text, (section("\n".join(lines)), *actions([repair_button(incident)]))))


def out_of_band(body: EffectBody, incident: Incident, world: World, why: str) -> tuple[str, str]:
    """Title and text of what Slack did not take, for other channels, as plain text."""
    match body:
        case PostAlert():
            what = incident.reason
        case PostSummary():
            what = f"It is {incident.phase}."
        case OfPage():
            what = "Nobody has acknowledged it."
        case _:
            what = "An update is due."
    flags = [f"{key} serves {state.engagement.variant}." for key, state in world.flags.items() if state.engagement]
    where = f"Terminal: understudy incident show {incident.name}"
    if why:
        where = f"Slack did not accept this ({why}). {where}"
    return headline(incident), " ".join([stop(what), *flags, where])


def out_of_band_line(fact: Fact, policy: Policy) -> str:
    """One fact for channels other than Slack: plain text, with its reason."""
    row = rows([fact], plain_names(policy))[0]
    return f"{row.text}: {row.reason}" if row.reason else row.text
