"""What somebody is told who may not do something, and the list in `/understudy denied`."""

import re
from collections.abc import Sequence
from datetime import datetime

from bot.core.decide.permissions import Denied
from bot.core.signals.base import Role
from bot.ports import Message
from bot.system.denials import Attempt
from bot.views.blocks import context, header, section
from bot.views.limits import fit
from bot.views.text import clock, code, count, inert, mention, retold

SLACK_ID = re.compile(r"[UWS][A-Z0-9]{2,}")
SIGNAL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # splits the name of a kind of signal into words: SetPhase
MOST_NAMED = 3  # of the people who may do it
MOST_LINES = 20
ABOUT = "The newest 200 are on record, at most one a minute per person. Refused requests changed nothing."
NONE = "Nobody has been refused anything yet."


def denied_words(denied: Denied) -> str:
    """Why somebody may not do that."""
    match denied.needs:
        case None:
            return f"A {denied.role} may not send that. Nothing was changed."
        case Role.MEMBER:
            return "Only full members of this workspace may do that. Nothing was changed. Ask one of them."
    return f"{_only(denied.needs)} (people.{denied.needs}s in the configuration). Ask one of them."


def denied_text(denied: Denied) -> str:
    """The same as markup, naming those who may. Only the refused person sees it, so nobody is notified by a mention."""
    who = [mention(id) for id in denied.named[:MOST_NAMED] if SLACK_ID.fullmatch(id)]
    if denied.needs is None or not who:
        return inert(denied_words(denied))
    more = len(denied.named) - len(who)
    return f"{_only(denied.needs)}: {', '.join(who)}{f' and {more} more' if more else ''}. Ask one of them."


def denied_message(denied: Denied) -> Message:
    """The same as a message."""
    text = denied_text(denied)
    return Message(text, (section(text),))


def _only(needs: Role) -> str:
    return f"Only {needs}s may {'ask' if needs is Role.VIEWER else 'do that'} here"


def denied_attempts(attempts: Sequence[Attempt], now: datetime) -> Message:
    """Recent refusals, newest first."""
    if not attempts:
        return Message(NONE, (section(NONE), context(ABOUT)))
    lines = [_line(attempt, now) for attempt in attempts[:MOST_LINES]]
    older = [f"{count(len(attempts) - MOST_LINES, 'older one')} not shown."] if len(attempts) > MOST_LINES else []
    text = f"{count(len(attempts), 'refusal')} on record, the newest first."
    return fit(Message(text, (header("Refused"), section("\n".join([*lines, *older])), context(ABOUT))))


def wanted(what: str) -> str:
    """What somebody tried, in words: `set phase` for a kind of signal; a slash command or button unchanged."""
    return SIGNAL.sub(" ", what).lower() if what.isidentifier() else what


def _line(attempt: Attempt, now: datetime) -> str:
    who = retold(attempt.name or attempt.who, 80)
    about = f", INC-{attempt.incident}" if attempt.incident else ""
    what = wanted(attempt.what) if attempt.what.isidentifier() else code(attempt.what)
    more = f", and {attempt.held_back} more before" if attempt.held_back else ""
    return f"{clock(attempt.at, now)} {who} ({retold(attempt.role, 60)}): {what}{about}{more}"
