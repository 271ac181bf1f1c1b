"""Folds each kind of stream: a state and the next fact make the next state. `streams` says which fold is whose.

A fold decides nothing and refuses nothing: a fact has happened.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core import facts as f
from bot.core.effects import PostAlert, PostCard
from bot.core.model import ActorKind, AlertState, FeedState, Level, Phase
from bot.core.sight import Sight
from bot.core.state import (
    MOST_AN_HOUR,
    NOTICE_OVER,
    Affected,
    ComponentState,
    Ending,
    Engagement,
    FlagState,
    HeldBack,
    Incident,
    Listed,
    Mute,
    NoticeHeard,
    Proposal,
    ProviderState,
    Room,
    Said,
    VendorWords,
)

REPORT_LASTS = timedelta(minutes=30)  # what somebody felt half an hour ago says nothing of now
MOST_REPORTS = 20
MOST_STANDING = 50  # notices that a page has open at once; the newest are kept
MOST_PAGES = 20  # addresses of one provider; they change with the configuration


def component(state: ComponentState, fact: f.Fact) -> ComponentState:
    match fact.body:
        case f.VerdictChanged() as b:
            return replace(
                state, level=b.level, reason=b.reason, fault=b.fault, evidence=b.evidence,
                since=fact.at if b.level is not b.previous or state.since is None else state.since,
                unwell_since=None if b.level is Level.OPERATIONAL else state.unwell_since or fact.at,
                began_at=b.began_at, quiet_key=b.thread if b.level is not Level.OPERATIONAL else "",
                held_back=state.held_back if b.level.bad else None,
            )  # fmt: skip
        case f.AdvisoryRaised() as b:
            since = state.advisory_since if state.advisory else fact.at
            return replace(
                state, advisory=b.text, advisory_since=since, advisory_key=b.thread, reason=b.reason, evidence=b.evidence
            )
        case f.AdvisoryEnded() as b:
            over = replace(state, advisory="", advisory_since=None, advisory_key="")
            return replace(over, reason=b.reason, evidence=()) if state.level is Level.OPERATIONAL else over
        case f.AlertSuppressed() as b:
            mute = replace(state.mute, told=True) if state.mute and b.thread else state.mute
            return replace(state, held_back=HeldBack(b.why, b.until, fact.incident, fact.at), mute=mute)
        case f.AlertResumed() as b:
            return replace(state, held_back=None, quiet_key=b.thread)
        case f.Muted() as b:
            return replace(state, mute=Mute(b.until, fact.actor, b.reason, fact.at))
        case f.Unmuted():
            return replace(state, mute=None)
    return _what_others_say(state, fact)


def _what_others_say(state: ComponentState, fact: f.Fact) -> ComponentState:
    match fact.body:
        case f.AlertHeard() as b:
            others = {id: said for id, said in state.alerts.items() if id != f"{b.source}/{b.key}"}
            fires = {f"{b.source}/{b.key}": Said(b.source, b.title, fact.at)} if b.state == AlertState.FIRING else {}
            return replace(state, alerts={**others, **fires})
        case f.ReportHeard(text=text):
            lately = [said for said in state.reports if fact.at - said.at < REPORT_LASTS]
            said = Said(fact.actor.name or fact.actor.id, text, fact.at)
            return replace(state, reports=(*lately, said)[-MOST_REPORTS:])
    return state


def sight(state: Sight, fact: f.Fact) -> Sight:
    match fact.body:
        case f.SightLost() as b:
            return Sight(blind=True, reason=b.reason, began_at=b.began_at, notice=b.thread)
        case f.SightRegained() as b:
            return Sight(blind=False, reason=b.reason, began_at=b.began_at, ended_at=b.ended_at)
    return state


def provider(state: ProviderState, fact: f.Fact) -> ProviderState:
    match fact.body:
        case f.FeedChanged() as b:
            state = replace(state, feed=b.state, feed_reason=b.reason, feed_at=fact.at, listed=_unread(state, fact.at))
        case f.MaintenanceSaid(components=components):
            state = replace(state, maintenance=components)
        case f.NoticeSeen() as b:
            state = _notice(state, fact, b)
        case f.PageFirstRead() as b:
            pages = (*(page for page in state.pages if page != b.page), b.page)[-MOST_PAGES:]
            state = replace(state, pages=pages, seen=_seen(state.seen, b.passed))
        case f.PageFlooded() as b:
            standing = tuple(n for n in state.notices if n.id not in b.over)
            told_at = fact.at if b.told else state.flood_told_at
            words = state.words + b.count
            seen = _seen(state.seen, b.updates)
            state = _standing(replace(state, seen=seen, notices=standing, flood_told_at=told_at, words=words))
        case f.UpdatesForgotten(updates=updates):
            state = _forgotten(state, updates)
        case f.ListingChanged() as b:
            state = _listing(state, b, fact.at)
        case f.NoticeUnlisted(notice=id):
            gone = tuple(n for n in state.notices if n.id == id)
            standing = tuple(n for n in state.notices if n.id != id)
            state = _standing(replace(state, notices=standing, unlisted=(*gone, *state.unlisted)[:MOST_STANDING]))
        case f.NoticeListedAgain(notice=id):
            back = tuple(n for n in state.unlisted if n.id == id)
            gone = tuple(n for n in state.unlisted if n.id != id)
            state = _standing(replace(state, notices=(*back, *state.notices)[:MOST_STANDING], unlisted=gone))
    return state


def vendor_word(incident: Incident, fact: f.Fact) -> Incident:
    """An incident hears what its vendor says, which stands in the vendor's own stream."""
    if not isinstance(fact.body, f.NoticeSeen):
        return incident
    b = fact.body
    first = min(incident.vendor.first_at or b.notice.at, b.notice.at)
    vendor = replace(incident.vendor, first_at=first, words=incident.vendor.words + 1)
    if b.outage_began_at:
        vendor = replace(vendor, outage_began_at=b.outage_began_at, outage_known_at=b.outage_known_at)
    return replace(incident, vendor=vendor)


def _notice(state: ProviderState, fact: f.Fact, b: f.NoticeSeen) -> ProviderState:
    notice = b.notice
    others = tuple(n for n in state.notices if n.id != notice.id)
    pages = state.listed.get(notice.id, Listed()).pages
    pages = pages if not b.page or b.page in pages else (*pages, b.page)[-MOST_PAGES:]
    listed = {id: held for id, held in state.listed.items() if id != notice.id}
    after = replace(
        state,
        listed={**listed, notice.id: Listed(pages)} if pages else listed,  # a fact from before pages were kept names none
        unlisted=tuple(n for n in state.unlisted if n.id != notice.id),
        heard={**state.heard, notice.id: _heard(state.heard.get(notice.id), fact, b)},
        notices=others if notice.status in NOTICE_OVER else (notice, *others)[:MOST_STANDING],
        words=state.words + 1,
        seen=_seen(state.seen, {notice.id: (notice.update,)}),
        told_at=state.told_at if b.late else (*state.told_at, fact.at)[-MOST_AN_HOUR:],
    )
    return _standing(after)


def _standing(state: ProviderState) -> ProviderState:
    """Know where a notice is listed for as long as it stands."""
    ids = {notice.id for notice in state.notices}
    return replace(state, listed={id: listed for id, listed in state.listed.items() if id in ids})


def _listing(state: ProviderState, b: f.ListingChanged, at: datetime) -> ProviderState:
    listed = dict(state.listed)
    for id in b.listed:
        pages = listed.get(id, Listed()).pages
        listed[id] = Listed(pages if b.page in pages else (*pages, b.page)[-MOST_PAGES:])
    for id in b.missing:
        listed[id] = replace(listed.get(id, Listed()), missing_since=at)
    return _standing(replace(state, listed=listed))


def _unread(state: ProviderState, at: datetime) -> Mapping[str, Listed]:
    """The time in which the page could not be read counts for nothing that is missing."""
    if state.feed is FeedState.FRESH or state.feed_at is None:
        return state.listed
    unread = at - state.feed_at
    return {
        id: replace(listed, missing_since=listed.missing_since + unread) if listed.missing_since else listed
        for id, listed in state.listed.items()
    }


def _heard(before: NoticeHeard | None, fact: f.Fact, b: f.NoticeSeen) -> NoticeHeard:
    notice = b.notice
    before = before or NoticeHeard("", notice.at, notice.at)
    first, last = min(before.first_at, notice.at), max(before.last_at, notice.at)
    return NoticeHeard(notice.update, first, last, before.quiet or (fact.incident is None and not b.late))


def _seen(seen: Mapping[str, tuple[str, ...]], more: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {**seen, **{id: (*seen.get(id, ()), *updates) for id, updates in more.items()}}


def _forgotten(state: ProviderState, gone: Mapping[str, tuple[str, ...]]) -> ProviderState:
    """Without these ids; a notice of which none is left is forgotten as a whole."""
    dropped = {id: frozenset(updates) for id, updates in gone.items()}
    left = {id: tuple(u for u in updates if u not in dropped.get(id, ())) for id, updates in state.seen.items()}
    seen = {id: updates for id, updates in left.items() if updates}
    heard = {id: heard for id, heard in state.heard.items() if id in seen or id not in gone}
    unlisted = tuple(n for n in state.unlisted if n.id in heard)
    standing = tuple(n for n in state.notices if n.id in heard)
    return _standing(replace(state, seen=seen, heard=heard, notices=standing, unlisted=unlisted))


def incident(state: Incident | None, fact: f.Fact) -> Incident:
    if isinstance(fact.body, f.Declared):
        return _declared(fact.body, fact)
    if state is None:
        raise ValueError(f"{fact.stream} has a {fact.kind} before it was declared")
    incident = state
    match fact.body:
        case f.ComponentJoined() as b:
            joined = Affected(b.component, b.level, b.reason, b.began_at or fact.at)
            return _settle(replace(incident, affected={**incident.affected, b.component: joined}), fact)
        case f.ComponentMoved() as b:
            return _settle(_moved(incident, b, fact), fact)
        case f.PhaseChanged() as b:
            return _phase(incident, b, fact)
        case f.SeverityChanged(severity=severity):
            return replace(
                incident, severity=severity, severity_by_person=fact.actor.kind is not ActorKind.RULE, severity_at=fact.at
            )
        case f.ResponderJoined():
            responders = (*incident.people.responders, fact.actor)
            return replace(incident, people=replace(incident.people, responders=responders))
        case f.Acknowledged():
            people = replace(incident.people, acknowledged_at=fact.at, acknowledged_by=fact.actor)
            return replace(incident, people=people)
        case f.UpdateWritten(slot=slot):
            return replace(incident, updates=slot, last_update_at=fact.at)
        case f.ResolveAsked():
            return replace(incident, ending=replace(incident.ending, asked_at=fact.at))
        case f.ChannelNamed() as b:
            return _in_room(incident, name=b.name, attempt=b.attempt)
        case f.ChannelOpened() as b:
            return _in_room(incident, channel=b.channel, name=b.name, refused="")
        case f.ChannelRefused(reason=reason):
            return _in_room(incident, channel="", refused=reason)
        case f.Posted(what=PostAlert.KIND) as b:
            return _in_room(incident, alert=replace(incident.room.alert, ts=b.ts, channel=b.channel))
        case f.Posted(what=PostCard.KIND) as b:
            return _in_room(incident, card=replace(incident.room.card, ts=b.ts, channel=b.channel))
        case f.PostGone(what=PostAlert.KIND):
            return _in_room(incident, alert=replace(incident.room.alert, ts="", gone=incident.room.alert.gone + 1))
        case f.PostGone(what=PostCard.KIND):
            return _in_room(incident, card=replace(incident.room.card, ts="", gone=incident.room.card.gone + 1))
    after: Incident = fact.body.onto(incident, fact)
    return after


def _declared(b: f.Declared, fact: f.Fact) -> Incident:
    return Incident(
        number=b.number, title=b.title, severity=b.severity, provider=b.provider, dedup=b.dedup, began_at=b.began_at,
        declared_at=fact.at, declared_by=fact.actor, reason=b.reason, last_update_at=fact.at,
        severity_by_person=fact.actor.kind is not ActorKind.RULE, room=Room(b.alerts_channel),
        vendor=VendorWords(b.vendor_first_at, 0, b.outage_began_at, b.outage_known_at),
    )  # fmt: skip


def _in_room(incident: Incident, **changes: Any) -> Incident:
    return replace(incident, room=replace(incident.room, **changes))


def _moved(incident: Incident, b: f.ComponentMoved, fact: f.Fact) -> Incident:
    before = incident.affected[b.component]
    recovered = b.began_at if b.level is Level.OPERATIONAL else None
    after = replace(before, level=b.level, reason=b.reason, recovered_at=recovered)
    return replace(incident, affected={**incident.affected, b.component: after})


def _settle(incident: Incident, fact: f.Fact) -> Incident:
    """Keep `well_since`: it starts when the last component is well and ends when any is not."""
    if not incident.well:
        return replace(incident, well_since=None, ending=replace(incident.ending, asked_at=None))
    return incident if incident.well_since else replace(incident, well_since=fact.at)


def _phase(incident: Incident, b: f.PhaseChanged, fact: f.Fact) -> Incident:
    incident = replace(incident, phase=b.phase)
    if b.move in ("relapse", "reopen"):
        # Somebody doubts that it is over: the time of health is counted anew.
        asked_again = replace(incident.ending, asked_at=None)
        incident = replace(incident, well_since=fact.at if incident.well else None, ending=asked_again)
    match b.move:
        case "relapse":
            return replace(incident, relapses=incident.relapses + 1)
        case "reopen":
            # The clock of updates starts afresh: an hour that passed while it was over is not a missed update.
            return replace(incident, reopened=incident.reopened + 1, ending=Ending(), last_update_at=fact.at)
    if b.phase is Phase.MITIGATED:
        return replace(incident, mitigated_at=incident.mitigated_at or fact.at)
    if b.phase in (Phase.RESOLVED, Phase.CANCELED):
        return replace(incident, ending=Ending(incident.ending.asked_at, fact.at, fact.actor, b.reason))
    return incident


def flag(state: FlagState, fact: f.Fact) -> FlagState:
    changed = replace(state, changed_at=fact.at, held="")
    match fact.body:
        case f.EngageProposed() as b:
            return replace(state, proposal=Proposal(b.variant, b.reason, fact.at, fact.incident), held="")
        case f.ProposalDropped():
            return replace(state, proposal=None)
        case f.Engaged() as b:
            engagement = Engagement(
                id=b.engagement, variant=b.variant, reason=b.reason, mode=b.mode, actor=fact.actor, at=fact.at,
                expires_at=b.expires_at, incident=fact.incident, because=b.because,
            )  # fmt: skip
            return replace(changed, engagement=engagement, proposal=None, engagements=state.engagements + 1)
        case f.Held(reason=reason):
            return replace(state, held=reason)
        case f.Released():
            return replace(changed, engagement=None, proposal=None, released_at=fact.at)
    if state.engagement is None:
        return state
    match fact.body:
        case f.HandBackAsked():
            return replace(state, engagement=replace(state.engagement, asked_at=fact.at))
        case f.HandBackStepped(share=share):
            moved = replace(state.engagement, share_back=share, stepped_at=fact.at, asked_at=None)
            return replace(changed, engagement=moved)
        case f.HandBackReverted():
            back = replace(state.engagement, share_back=0, stepped_at=None, asked_at=None)
            return replace(changed, engagement=back)
        case f.CarriedOver():
            return replace(state, engagement=replace(state.engagement, incident=fact.incident))
        case f.ExpiryReached(expires_at=expires_at):
            return replace(state, engagement=replace(state.engagement, expires_at=expires_at))
    return state
