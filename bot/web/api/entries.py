"""/api/v1, the timeline: entries by people can be corrected and hidden. The original stays on record."""

from aiohttp import web

from bot.core.decide.incident.entries import NoEntry
from bot.core.signals.base import Signal
from bot.core.signals.entries import CorrectEntry, HideEntry
from bot.timeline.story import entry_words
from bot.verbs.verb import TEXT_CHARS
from bot.web.api.carrying_out import actor_of, carry_out, signal_id
from bot.web.api.reads import NO_STORE, the_incident
from bot.web.api.shapes import answer_shape
from bot.web.server.bodies import Fields, read_json
from bot.web.server.errors import Refusal, answer_json
from bot.web.services import SERVICES


async def correct(request: web.Request) -> web.Response:
    """Correct the text or time of an entry by people: `{entry, text, at}`, at least one of the two."""
    number, fields = (await the_incident(request)).number, Fields(await read_json(request))
    entry, text, at = fields.whole("entry"), fields.text("text", TEXT_CHARS), fields.moment("at")
    fields.done()
    if not text and at is None:
        raise Refusal(
            400, "Neither text nor at is given.", field="text", remedy='Send "text": "...", or "at": "2026-03-20T14:00Z".'
        )
    signal = CorrectEntry(
        actor_of(request), signal_id(request), incident=number, entry=entry, text=text or None, happened_at=at
    )  # fmt: skip
    return await _about_entry(request, number, entry, signal)


async def hide(request: web.Request) -> web.Response:
    """Hide an entry by people, or with `back` show it again: `{entry, back}`."""
    number, fields = (await the_incident(request)).number, Fields(await read_json(request))
    entry, back = fields.whole("entry"), fields.truth("back")
    fields.done()
    signal = HideEntry(actor_of(request), signal_id(request), incident=number, entry=entry, back=back)
    return await _about_entry(request, number, entry, signal)


async def _about_entry(request: web.Request, number: int, entry: int, signal: Signal) -> web.Response:
    """Send the signal if the fact is a note or a message; 409 for entries by the bot or a vendor, and for updates."""
    facts = await request.app[SERVICES].ledger.read(lambda store: store.facts_about(number))
    found = entry_words(facts, f"incident/{number}", entry)
    if found is None:
        return answer_json(answer_shape(NoEntry(incident=number)), status=409, headers=NO_STORE)
    return await carry_out(request, signal)
