"""What is new on a vendor's page, and what follows from it. Pure.

An update is new by its id and by when *we* first saw it, never by the vendor's clock: vendors post two updates in one second,
backdate them, and sometimes date them in the year 9999. Ids that need nothing further are kept in `ProviderState.seen`, so
every update is recorded once: individually, in the summary for a page that posts a flood, or as history that was there when we
first read the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.answers.base import Noted
from bot.core.decide.alerting.alarm import lift
from bot.core.decide.alerting.vendor_listing import follow, touches
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.automation import react
from bot.core.decide.phases import Outage, outage_of
from bot.core.effects import OpenThread, ReplyInThread
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, FeedReport, FeedState, Notice
from bot.core.record.incident import Incident
from bot.core.record.provider import MOST_AN_HOUR, NOTICE_OVER, ProviderState
from bot.core.record.provider_facts import (
    FeedChanged,
    MaintenanceSaid,
    NoticeSeen,
    PageFirstRead,
    PageFlooded,
    UpdatesForgotten,
)
from bot.core.signals import FeedRead

MOST_AT_ONCE = 20  # updates told individually per reading; a real vendor's worst minute had five
MOST_REMEMBERED = 5_000  # ids per provider; a page shows at most 2,000 (`feeds.statuspage`), so all shown ones fit
LATE_AFTER = timedelta(days=1)  # over this long before we first saw it: history, even if posted today
FLOOD_TOLD_EVERY = timedelta(hours=1)


def on_report(draft: Draft, report: FeedReport) -> None:
    """Record what is new in a reading of the provider's page."""
    stream = f"provider/{report.provider}"
    held = draft.world.provider(report.provider)
    if held.feed is not report.state:
        draft.add(stream, FeedChanged(report.provider, report.state, report.reason))
    if report.state is not FeedState.FRESH:
        return
    if set(report.maintenance) != set(held.maintenance):
        draft.add(stream, MaintenanceSaid(report.provider, tuple(sorted(report.maintenance))))
    incident = draft.world.open_for(report.provider)
    found = read(report, held, incident.began_at if incident else None)
    if found.passed or report.page not in held.pages:
        draft.add(stream, PageFirstRead(report.provider, report.page, found.passed))
    one_by_one, rest = _within_bounds(found.news, held, incident, draft.now)
    for notice in one_by_one:
        _write_down(draft, stream, notice, report.page, _is_late(notice, found, held, draft.now), incident)
    if rest:
        _flooded(draft, stream, rest, [n for n in rest if not _is_late(n, found, held, draft.now)], incident)
    follow(draft, report, incident)
    _forget(draft, stream, report)


# --- what is new


@dataclass(frozen=True)
class Reading:
    """New updates in the page's order; ids of history, by notice; and each notice's newest update."""

    news: tuple[Notice, ...]
    passed: Mapping[str, tuple[str, ...]]
    newest: Mapping[str, Notice]


def read(report: FeedReport, held: ProviderState, began_at: datetime | None) -> Reading:
    """Separate news from history; `began_at` is when the provider's open incident began."""
    notices: dict[str, dict[str, Notice]] = {}
    for notice in report.notices:
        notices.setdefault(notice.id, {}).setdefault(notice.update, notice)
    fresh: set[tuple[str, str]] = set()
    passed: dict[str, tuple[str, ...]] = {}
    for id, updates in notices.items():
        known = frozenset(held.seen.get(id, ()))
        unseen = [notice for update, notice in updates.items() if update not in known]
        news = unseen and _news(list(updates.values()), unseen, report, held, began_at)
        fresh.update((id, notice.update) for notice in news)
        if len(news) < len(unseen):
            passed[id] = tuple(notice.update for notice in unseen if (id, notice.update) not in fresh)
    ordered = {(n.id, n.update): n for n in reversed(report.notices)}  # if an id occurs twice, the first one counts
    news_in_order = tuple(n for n in report.notices if (n.id, n.update) in fresh and ordered[n.id, n.update] is n)
    return Reading(news_in_order, passed, {id: list(updates.values())[-1] for id, updates in notices.items()})


def _news(
    updates: Sequence[Notice], unseen: Sequence[Notice], report: FeedReport, held: ProviderState, began_at: datetime | None
) -> list[Notice]:
    """The unseen updates of a notice that are news."""
    heard = held.heard.get(updates[-1].id)
    if report.page in held.pages or (heard and held.pages):
        return list(unseen)
    if heard:  # ledgers older than `seen` know only the last update recorded
        order = {notice.update: place for place, notice in enumerate(updates)}
        if heard.update in order:
            return [notice for notice in unseen if order[notice.update] > order[heard.update]]
        return [notice for notice in unseen if notice.at > heard.last_at]
    if _is_history(updates[-1], report.at):
        return []
    # History from before our first reading: the newest update is enough, plus any made during an open incident.
    return [n for n in unseen if n is updates[-1] or (began_at is not None and n.at >= began_at)]


def _is_history(newest: Notice, now: datetime) -> bool:
    return newest.status in NOTICE_OVER and now - newest.at > LATE_AFTER


def _is_late(notice: Notice, found: Reading, held: ProviderState, now: datetime) -> bool:
    """Whether the update belongs to something that ended long before we first saw it."""
    return notice.id not in held.heard and _is_history(found.newest[notice.id], now)


# --- limits on how much is told


def _within_bounds(
    news: Sequence[Notice], held: ProviderState, incident: Incident | None, now: datetime
) -> tuple[list[Notice], list[Notice]]:
    """The updates told individually, and the rest. First those about the open incident, then open ones, then the newest."""
    lately = sum(now - at < timedelta(hours=1) for at in held.told_at)
    room = max(0, min(MOST_AT_ONCE, MOST_AN_HOUR - lately))
    if len(news) <= room:
        return list(news), []
    ranked = sorted(
        range(len(news)),
        key=lambda i: (not touches(news[i], incident), news[i].id not in held.heard, -i),
    )
    chosen = set(ranked[:room])
    return [n for i, n in enumerate(news) if i in chosen], [n for i, n in enumerate(news) if i not in chosen]


def _write_down(draft: Draft, stream: str, notice: Notice, page: str, late: bool, incident: Incident | None) -> None:
    heard = draft.world.provider(notice.provider).heard.get(notice.id)
    ours = incident if not late and touches(notice, incident) else None
    said = replace(notice, at=min(notice.at, draft.now))  # it cannot be later than our reading
    outage = _outage_before(draft, draft.incident(ours.number), said.at) if ours else None
    began_at, known_at = (outage.began_at, outage.known_at) if outage else (None, None)
    fact = draft.add(
        stream, NoticeSeen(said, late, page, began_at, known_at), incident=ours.number if ours else None,
        actor=Actor.vendor(notice.provider), told=ours is not None,
    )  # fmt: skip
    if ours is None and not late:
        root = OpenThread.of_notice(notice.provider, notice.id)
        if heard and heard.quiet:
            draft.send(ReplyInThread(root), fact)
        else:
            draft.send(OpenThread(root), fact)


def _outage_before(draft: Draft, incident: Incident, spoke: datetime) -> Outage | None:
    """An outage older than this incident, if the update is its vendor's first and earlier than the incident."""
    if spoke >= min(incident.vendor.first_at or incident.began_at, incident.began_at):
        return None
    return outage_of(draft, incident.provider, spoke, before=incident.number)


def _flooded(draft: Draft, stream: str, rest: Sequence[Notice], telling: Sequence[Notice], incident: Incident | None) -> None:
    held = draft.world.provider(rest[0].provider)
    updates: dict[str, tuple[str, ...]] = {}
    over: dict[str, bool] = {}
    for notice in rest:
        updates[notice.id] = (*updates.get(notice.id, ()), notice.update)
        over[notice.id] = notice.status in NOTICE_OVER
    ours = incident if any(touches(notice, incident) for notice in telling) else None
    told = bool(telling) and (held.flood_told_at is None or draft.now - held.flood_told_at >= FLOOD_TOLD_EVERY)
    body = PageFlooded(held.id, updates, tuple(id for id, ended in over.items() if ended), told)
    number = ours.number if ours and told else None
    fact = draft.add(stream, body, incident=number, actor=Actor.vendor(held.id), told=told and number is not None)
    if told and number is None:
        draft.send(OpenThread(OpenThread.of_flood(held.id, fact.seq)), fact)


def _forget(draft: Draft, stream: str, report: FeedReport) -> None:
    """Forget ids that the page no longer shows, oldest first, until half the limit is left."""
    seen = draft.world.provider(report.provider).seen
    total = sum(map(len, seen.values()))
    if total <= MOST_REMEMBERED:
        return
    shown = {(notice.id, notice.update) for notice in report.notices}
    gone: dict[str, tuple[str, ...]] = {}
    for id, updates in seen.items():
        away = tuple(update for update in updates if (id, update) not in shown)[: total - MOST_REMEMBERED // 2]
        if away:
            gone[id] = away
            total -= len(away)
        if total <= MOST_REMEMBERED // 2:
            break
    draft.add(stream, UpdatesForgotten(report.provider, gone))


# --- signals


def on_feed_read(draft: Draft, signal: FeedRead) -> Step:
    """A vendor's page was read: record its news, and alert to whatever it no longer holds back."""
    on_report(draft, signal.report)
    before = len(draft.facts)
    lift(draft)
    if len(draft.facts) > before:
        react(draft)
    return draft.done(Noted())


HANDLERS: Handlers = {FeedRead: on_feed_read}
