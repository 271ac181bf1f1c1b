"""What people read when paged, and what is said if paging fails."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.decide.paging import steps_left, waits_for_people
from bot.core.record.incident import Incident
from bot.core.record.paging_facts import PageLost, PageOutcome
from bot.ports import Message
from bot.views.blocks import Block, actions, button, section
from bot.views.limits import fit
from bot.views.names import headline
from bot.views.scene import Scene
from bot.views.text import clock, foreign, mention, plain, retold, span, stop, utc

A_MINUTE = timedelta(minutes=1)
NOBODY = "*Nobody has acknowledged this.*"

WAYS = {"alert": "with the alert", "mention": "in the alert's thread", "notify": "by notify"}


def unacknowledged(scene: Scene, called: Sequence[str] = ()) -> str:
    """The alert's line on who should come: whom it mentions, or until when quiet hours hold the page."""
    left = steps_left(scene.incident, scene.policy.paging) if waits_for_people(scene.incident) else []
    held = left[0] if left and left[0].wanted <= scene.now < left[0].at else None
    if held:
        return f"{NOBODY} Quiet hours: nobody is paged before {clock(held.at, scene.now)}."
    return " ".join([NOBODY, *map(mention, called)])


def reply(incident: Incident, called: Sequence[str], now: datetime) -> Message:
    """A page in the alert's thread: what is broken, for how long nobody has come, and a button."""
    what, wait = _what(incident), _wait(incident, now)
    body = f"*{what}.* {wait} {' '.join(map(mention, called))}"
    return fit(Message(f"{what}. {wait}", (section(body), *_acknowledge(incident))))


def direct(incident: Incident, now: datetime) -> Message:
    """A page to one person."""
    what, wait = _what(incident), _wait(incident, now)
    where = f" The channel is <#{incident.room.channel}>." if incident.room.channel else ""
    return fit(Message(f"{what}. {wait}", (section(f"*{what}.* {wait}{where}"), *_acknowledge(incident))))


def notice(incident: Incident, now: datetime) -> tuple[str, str]:
    """Title and text of a page outside Slack, as plain text."""
    title = plain(headline(incident), 180)
    how = f"Acknowledge it in Slack, or: understudy incident ack {incident.name}"
    return title, f"{_wait(incident, now)} Since {utc(incident.began_at)}. {how}"


TEST = "TEST of paging. Nothing is wrong, and nobody has to do anything."
TEST_NOTICE = ("TEST of paging by Understudy", "Nothing is wrong, and nobody has to do anything. This way to you works.")


def trial_mention(called: Sequence[str]) -> Message:
    """What `page --test` posts for people it mentions."""
    return fit(Message(TEST, (section(f"*{TEST}* {' '.join(map(mention, called))}"),)))


def trial_direct() -> Message:
    """What `page --test` sends to one person."""
    return fit(Message(TEST, (section(f"*{TEST}* In an incident you would be paged here."),)))


def failed(incident: Incident, body: PageOutcome | PageLost) -> str:
    """Who could not be called; if nobody could, what comes next."""
    page = f"{incident.name} {foreign(incident.title, 100)}: page {body.step}"
    if isinstance(body, PageOutcome):
        how = "went out, but" if body.reached else f"was not sent {WAYS.get(body.way, 'by direct message')}"
        return f"{page} {how}: {stop(retold(body.problem, 600))}"
    then = "There is no further step: *somebody must act now*." if body.last else "The next step starts at once."
    return f"{page} reached *nobody* ({retold(body.reason, 600)}). {then}"


def _what(incident: Incident) -> str:
    return foreign(headline(incident), 180)


def _wait(incident: Incident, now: datetime) -> str:
    waited = now - incident.declared_at
    return "Nobody has acknowledged it yet." if waited < A_MINUTE else f"Nobody has acknowledged it for {span(waited)}."


def _acknowledge(incident: Incident) -> tuple[Block, ...]:
    return actions([button("Acknowledge", "incident.ack", {"incident": incident.number}, style="primary")])
