"""When an open notice lapses because the page that listed it no longer does. Pure.

Pages drop finished notices (a summary lists only open ones), and sometimes drop ones that were never closed. Absence counts
only in a fresh, complete reading of a page that listed the notice. If new entries may push old ones out of the list, a notice
older than every listed one may still be open.
"""

from datetime import timedelta

from bot.core.decide.alerting.suppression import MAINTENANCE_STAGES
from bot.core.decide.draft import Draft
from bot.core.effects import OpenThread, ReplyInThread
from bot.core.model import Actor, FeedReport, Notice
from bot.core.record.incident import Incident
from bot.core.record.provider import NOTICE_OVER, Listed, ProviderState
from bot.core.record.provider_facts import ListingChanged, NoticeListedAgain, NoticeUnlisted

UNLISTED_AFTER = timedelta(hours=1)  # status pages are cached for minutes, and editors change their minds
SHORTEST_CUT = 10  # no known status page cuts its list to fewer entries
MOST_AT_ONCE = 20  # reported per reading; the rest follow with later readings


def follow(draft: Draft, report: FeedReport, incident: Incident | None) -> None:
    """Record which open notices the page lists and which it lacks; one that was missing for an hour lapses."""
    shown = _shown(report)
    unlisted = draft.world.provider(report.provider).unlisted
    for notice in [n for n in unlisted if n.id in shown and shown[n.id] not in NOTICE_OVER][:MOST_AT_ONCE]:
        again = NoticeListedAgain(report.provider, notice.id, notice.title, notice.components)
        _tell(draft, notice, again, incident)
    held = draft.world.provider(report.provider)  # reread: the page may list some of them again
    listed = tuple(n.id for n in held.notices if n.id in shown and _is_news(held.listed.get(n.id, Listed()), report.page))
    absent = [n for n in held.notices if n.id not in shown and _lacks(report, n, held)]
    since = {n.id: held.listed.get(n.id, Listed()).missing_since for n in absent}
    missing = tuple(id for id, at in since.items() if at is None)
    if listed or missing:
        draft.add(f"provider/{report.provider}", ListingChanged(report.provider, report.page, listed, missing))
    gone = [n for n in absent if (at := since[n.id]) is not None and draft.now - at >= UNLISTED_AFTER]
    for notice in gone[:MOST_AT_ONCE]:
        body = NoticeUnlisted(report.provider, notice.id, notice.title, notice.status, notice.components)
        _tell(draft, notice, body, incident)


def touches(notice: Notice, incident: Incident | None) -> bool:
    """Whether a notice concerns the incident: it names one of its components, or none at all."""
    if incident is None:
        return False
    return not (notice.components or notice.elsewhere) or not incident.affected.keys().isdisjoint(notice.components)


def _shown(report: FeedReport) -> dict[str, str]:
    """The ids of all notices on the page, with their newest status; empty if the page gives none."""
    lists = (report.incidents, report.maintenances)
    bare = {id: "" for listing in lists if listing for id in listing.began}
    return bare | {notice.id: notice.status for notice in report.notices}


def _is_news(listed: Listed, page: str) -> bool:
    return listed.missing_since is not None or bool(page and page not in listed.pages)


def _lacks(report: FeedReport, notice: Notice, held: ProviderState) -> bool:
    """Whether the page would list the notice if it were still open."""
    pages = held.listed.get(notice.id, Listed()).pages  # empty in ledgers older than this field
    if pages and report.page not in pages:
        return False
    planned = notice.impact == "maintenance" or notice.status in MAINTENANCE_STAGES
    listing = report.maintenances if planned else report.incidents
    if listing is None:
        return False
    cut = listing.history or len(listing.began) >= SHORTEST_CUT
    oldest = min(listing.began.values(), default=None)
    return not cut or oldest is None or oldest <= (notice.began_at or held.first_word(notice))


def _tell(draft: Draft, notice: Notice, body: NoticeUnlisted | NoticeListedAgain, incident: Incident | None) -> None:
    ours = incident.number if incident and touches(notice, incident) else None
    stream = f"provider/{notice.provider}"
    fact = draft.add(stream, body, incident=ours, actor=Actor.vendor(notice.provider), told=ours is not None)
    heard = draft.world.provider(notice.provider).heard.get(notice.id)
    if ours is None and heard and heard.quiet:
        draft.send(ReplyInThread(OpenThread.of_notice(notice.provider, notice.id)), fact)
