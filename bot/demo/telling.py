"""The demo's output: one short line per event, and an ending."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged, HandBackAsked, HandBackStepped, Released
from bot.core.record.incident_facts import (
    Acknowledged,
    ComponentMoved,
    Declared,
    NoteAdded,
    PhaseChanged,
    RoleChanged,
    SeverityChanged,
    TitleChanged,
    UpdateWritten,
)
from bot.core.record.provider_facts import NoticeSeen
from bot.demo.proof import Claim
from bot.timeline.rows import rows
from bot.views.text import cut

LINE_CHARS = 96  # the width of a narrow window
TOLD = (
    Declared, TitleChanged, SeverityChanged, PhaseChanged, ComponentMoved, Acknowledged, RoleChanged, NoteAdded, UpdateWritten,
    NoticeSeen, Engaged, HandBackAsked, HandBackStepped, Released,
)  # fmt: skip


def lines(facts: Sequence[Fact], names: Mapping[str, str]) -> Iterator[str]:
    """What happened, in the story's time; bookkeeping is left out."""
    for fact in facts:
        if isinstance(fact.body, TOLD):
            yield f"{fact.at:%H:%M}  {cut(_words(fact, names), LINE_CHARS)}"


def _words(fact: Fact, names: Mapping[str, str]) -> str:
    match fact.body:
        case Declared() as b:
            return f"INC-{b.number} is declared, {b.severity}: {b.title}"
        case NoticeSeen(notice=n):
            return f"{names.get(n.provider, n.provider)}'s status page says: {n.title} ({n.status})"
        case UpdateWritten() as b:
            return f"Update {b.slot} of INC-{fact.incident} is posted"
    text, _, _ = rows([fact], names)[0].text.partition(" (evidence: ")
    return " ".join(text.split())


def ending(claims: Sequence[Claim], exports: Sequence[Path], stays: bool) -> Iterator[str]:
    """What was shown, where the files are, and what to do next; `stays` while the page can still be used."""
    yield ""
    held = all(claim.holds for claim in claims)
    yield "That was the whole story. It showed:" if held else "The story is over. Not all of it was shown:"
    for claim in claims:
        yield f"{'shown ' if claim.holds else 'FAILED'}  {claim.words}"
    if exports:
        yield ""
        yield "The post-mortem's timeline, as people and programs read it:"
        yield from (f"  {path}" for path in exports)
    yield ""
    if stays:
        yield "The workspace stays open: try /health, /incident list or /fallback status there. Ctrl-C ends it."
    yield 'Next: `understudy init` asks what you use and writes its configuration; see "Run it for real" in README.md.'
