"""The timeline in pages, and the forms for its entries."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.model import Phase
from bot.core.record.incident import Incident
from bot.ports import Message
from bot.timeline.rows import Row
from bot.views.blocks import Block, actions, button, context, header, menu, section
from bot.views.form_parts import MOST_OPTIONS, TEXT_MAX, View, input_block, modal, option, select, text_input
from bot.views.limits import fit
from bot.views.names import drill_mark
from bot.views.text import clock, count, foreign, inert, link, retold, words

PAGE_ROWS = 10
ROW_CHARS = 300

PAGE, ENTRY, SHOW = "timeline.page", "timeline.entry", "timeline.show"
CORRECT, HIDE = "correct", "hide"
CORRECT_CALLBACK = "correct_entry"
CHOOSE_CALLBACK = "add_message"
MOST_LINKS = 4


def timeline_page(incident: Incident, story: Sequence[Row], now: datetime, page: int | None = None) -> Message:
    """Ten rows, the newest last; page 1 is the oldest, None the newest. The bot's own posts appear only in exports."""
    pages = max((len(story) + PAGE_ROWS - 1) // PAGE_ROWS, 1)
    shown = min(max(page or pages, 1), pages)
    rows = story[(shown - 1) * PAGE_ROWS : shown * PAGE_ROWS]
    over = incident.phase in (Phase.RESOLVED, Phase.CLOSED, Phase.CANCELED, Phase.MERGED)
    title = f"{drill_mark(incident)}Timeline of {incident.name}{'' if over else ' so far'}"
    where = f"Page {shown} of {pages} · " if pages > 1 else ""
    blocks = [
        header(title),
        *(_row(incident, row, now, shown) for row in rows),
        context(f"{where}As a file: `/incident export {incident.name} md`"),
        *actions([
            *([_turn("Older", incident, shown - 1)] if shown > 1 else []),
            *([_turn("Newer", incident, shown + 1)] if shown < pages else []),
        ]),
    ]  # fmt: skip
    return fit(Message(f"{title}: {count(len(story), 'entry', 'entries')}", tuple(blocks)))


def _turn(label: str, incident: Incident, page: int) -> Block:
    return button(label, f"{PAGE}:{label.lower()}", {"incident": incident.number, "page": page})


def _row(incident: Incident, row: Row, now: datetime, page: int) -> Block:
    """A row; entries by people have a menu."""
    links = " · ".join(link(url, name) for name, url in row.links[:MOST_LINKS])
    text = f"{clock(row.at, now)} {retold(row.sentence, ROW_CHARS)}{_who(row)}{_changed(row)}" + (f"\n{links}" if links else "")
    block = section(text)
    if not row.entry:
        return block
    value = {"incident": incident.number, "entry": row.entry, "page": page}
    choices = [("Correct…", {"do": CORRECT, **value}), ("Hide", {"do": HIDE, **value})]
    return {**block, "accessory": menu(f"{ENTRY}:{row.entry}", choices)}


def _who(row: Row) -> str:
    known = row.source == "person" and row.who and row.who not in row.sentence
    return f" ({foreign(row.who, 60)})" if known else ""


def _changed(row: Row) -> str:
    """Its changes, without the earlier text, which is in the export."""
    told = list(dict.fromkeys(foreign(one.how, 80) for one in row.changes))
    return f" ({words(told)})" if told else ""


def correct_modal(incident: Incident, row: Row, text: str, metadata: str) -> View:
    """The form that corrects the text or time of an entry by people."""
    field = {**text_input("text", TEXT_MAX, "", multiline=True), "initial_value": text[:TEXT_MAX]}
    at = {"type": "datetimepicker", "action_id": "time", "initial_date_time": int(row.at.timestamp())}
    hint = "In your own time zone. The original stays in the exports, with your name beside it."
    blocks = [
        input_block("text", "What happened?", field if text else text_input("text", TEXT_MAX, "", multiline=True)),
        input_block("time", "When?", at, hint),
    ]
    return modal(CORRECT_CALLBACK, f"Correct {incident.name}", "Correct", blocks, metadata)


def choose_modal(open_ones: Sequence[Incident], over: Sequence[Incident], text: str, metadata: str) -> View:
    """The form that asks to whose timeline a message belongs."""
    choices = [option(f"{one.name} {one.title}", str(one.number)) for one in [*open_ones, *over][:MOST_OPTIONS]]
    quoted = dict(section(f"“{foreign(text, 200)}”")) if text.strip() else None
    blocks = [
        *([quoted] if quoted else []),
        input_block("incident", "Which incident?", select("incident", choices, choices[0])),
    ]
    return modal(CHOOSE_CALLBACK, "Add to timeline", "Add", blocks, metadata)


def show_again(text: str, incident: int, entry: int) -> Message:
    """The answer that an entry is hidden, with a button to undo it."""
    back = button("Show again", SHOW, {"incident": incident, "entry": entry})
    return fit(Message(inert(text), (section(inert(text)), *actions([back]))))


def same_minute(one: datetime, other: datetime) -> bool:
    """Whether they agree to the minute: forms have no seconds, so an untouched time comes back without them."""
    return int(one.timestamp()) // 60 == int(other.timestamp()) // 60
