"""The page of all messages, grouped as people meet them."""

from collections.abc import Callable, Iterator
from itertools import groupby

from tests.gallery import answers, drills, facts, incident, queries
from tests.gallery.phone import PUSH_MOST, PUSHED, Entry, Kind

HOW = "python -m tests.gallery > docs/messages.md"
CHAPTERS: tuple[tuple[str, Callable[[], Iterator[Entry]]], ...] = (
    ("The alert", incident.alerts),
    ("Paging", incident.pages),
    ("The incident's channel", incident.channel),
    ("Updates and the summary", incident.updates_and_summary),
    ("Broadcast", incident.broadcasts),
    ("What happens in an incident", facts.of_the_incident),
    ("Tasks and follow-ups", facts.of_tasks),
    ("Reminders of tasks", incident.reminders),
    ("Drills", drills.drills),
    ("Flags", facts.of_flags),
    ("Components and vendors", facts.of_components),
    ("The bot itself", facts.of_the_bot),
    ("Quiet threads in ops", facts.quiet_threads),
    ("/health", queries.health),
    ("/fallback status", queries.flags),
    ("/incident list, show, timeline", queries.incidents),
    ("/understudy", queries.the_bot),
    ("Questions by mention and direct message", queries.questions),
    ("The Home tab", queries.home),
    ("Help", queries.help_),
    ("Answers", answers.given),
    ("Slips", answers.slips),
    ("Refused at the door", answers.refused),
    ("Forms", incident.modals),
    ("While the ledger takes nothing", queries.of_storage),
    ("Outside of Slack", queries.elsewhere),
)
HEAD = f"""# Messages

Everything that people read of Understudy, rendered from sample histories: incident 7 of 20 March 2026, when Claude fails.
Made by `{HOW}`; a test compares it, so a change of wording shows here. *Push* is what a phone's
notification shows. The number beside a title counts its words; of an alert those above the buttons. Times
stand here in UTC, in Slack in each reader's own zone. [CONTRIBUTING](../CONTRIBUTING.md) says how a message gets here.
"""


def entries() -> list[tuple[str, list[Entry]]]:
    """Every message by chapter."""
    return [(title, list(made())) for title, made in CHAPTERS]


def page() -> str:
    """The whole page."""
    parts, asked = [HEAD, _limits()], dict[str, None]()
    for title, shown in entries():
        parts.append(f"## {title}\n")
        parts += [_drawn(list(run), short) for short, run in groupby(shown, _is_short)]
        asked |= dict.fromkeys(question for one in shown for question in one.asks)
    parts += ["## Questions behind buttons\n", _fenced("\n".join(asked))]
    return "\n".join(parts).rstrip() + "\n"


def _limits() -> str:
    rows = [f"| {kind.where} | {kind.most if kind.most else 'as long as it needs'} |" for kind in Kind]
    rows.append(f"| a notification | {PUSH_MOST} |")
    return "\n".join(["| where it is read | words at most |", "|---|---|", *rows, ""])


def _is_short(one: Entry) -> bool:
    """Whether the message is one line, to be listed with others."""
    return not one.push and "\n" not in one.body


def _drawn(run: list[Entry], short: bool) -> str:
    if short:
        return _fenced("\n".join(f"{one.title}: {one.body}" for one in run))
    return "\n".join(f"**{one.title}** ({one.words})\n\n{_fenced(_with_push(one))}" for one in run)


def _with_push(one: Entry) -> str:
    pushed = one.kind in PUSHED and one.push != one.body
    return f"Push ({one.push_words}): {one.push}\n\n{one.body}" if pushed else one.body


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```\n"
