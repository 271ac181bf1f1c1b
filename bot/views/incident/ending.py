"""What is said about a finished incident: what it was, how long it took, who ended it and why."""

from bot.core.model import Phase
from bot.core.record.incident import Incident
from bot.views.incident.customers import served_line
from bot.views.incident.head import icon, place
from bot.views.names import lag_words
from bot.views.scene import Scene
from bot.views.text import clock, foreign, how, span, stop

CANCELED = {"false-alarm": "a false alarm", "duplicate": "a duplicate", "external": "not ours to handle", "drill": "a drill"}


def canceled_words(reason: str, duplicate_of: int) -> str:
    """What it really was: `a false alarm`, `a duplicate of INC-4`."""
    if duplicate_of:
        return f"a duplicate of INC-{duplicate_of}"
    return CANCELED.get(reason, foreign(reason, 80)) or "no reason given"


def over_lines(scene: Scene) -> list[str]:
    """The lines of record that replace alert and card."""
    incident, end, now = scene.incident, scene.incident.ending, scene.now
    if end.at is None:
        return [f"{icon(incident)} *{incident.name} {incident.phase} · {foreign(incident.title, 120)}*"]
    if incident.merged:
        said = f"⚪ *{incident.name} is part of INC-{incident.merged.number} now · {stop(foreign(incident.title, 120))}*"
        goes_on = scene.world.incidents.get(incident.merged.number)
        where = f"Continue in {place(goes_on)}." if goes_on else ""
        return [f"{said} Merged {how(end.by)}, {clock(end.at, now)}.", where or place(incident)]
    if incident.phase is Phase.CANCELED:
        why = canceled_words(end.reason, end.duplicate_of)
        said = f"⚪ *{incident.name} canceled · {stop(foreign(incident.title, 120))}*"
        said_so = [stop(foreign(end.why, 200))] if end.why else []
        return [f"{said} It was {why} ({how(end.by)}, {clock(end.at, now)}).", *said_so, place(incident)]
    took, times = span(end.at - incident.began_at), f"{clock(incident.began_at, now)} to {clock(end.at, now)}"
    because = f": {foreign(end.reason, 300)}" if end.reason else ""
    if end.at < incident.declared_at:  # it was already over when declared
        said = f"{times}, declared {how(end.by)} at {clock(incident.declared_at, now)}"
    else:
        said = f"{times}, ended {'automatically' if how(end.by) == 'automatic' else how(end.by)}{because}"
    lines = [
        f"{icon(incident)} *{incident.name} {incident.phase} after {took} · {foreign(incident.title, 120)}*",
        stop(said),
        served_line(incident.served, scene.policy),
        lag_words(incident),
        place(incident),
    ]
    return [line for line in lines if line]


def over_words(incident: Incident) -> str:
    """`INC-7 resolved after 3 h 10 min: Claude API is down`, for notifications and lists."""
    title, end = foreign(incident.title, 150), incident.ending
    if incident.merged:
        return f"{incident.name} is part of INC-{incident.merged.number}: {title}"
    if end.at is None:
        return f"{incident.name} is {incident.phase}: {title}"
    if incident.phase is Phase.CANCELED:
        return f"{incident.name} canceled: {title}"
    return f"{incident.name} {incident.phase} after {span(end.at - incident.began_at)}: {title}"
