"""Atlassian Statuspage v2 (`/api/v2/summary.json`, `incidents.json`), and incident.io's pages, which speak the same dialect.

Pages change without notice: keys come and go, components are renamed, new words appear. So whatever is understood is taken,
and what is not costs itself alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from bot.core.model import FeedReport, FeedState, Level, Notice
from bot.feeds.errors import FeedError

LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "operational": Level.OPERATIONAL,
        "degraded_performance": Level.DEGRADED,
        "partial_outage": Level.DEGRADED,
        "major_outage": Level.DOWN,
        "full_outage": Level.DOWN,  # incident.io's word
        "under_maintenance": Level.UNKNOWN,
    }
)
OVER = frozenset({"resolved", "postmortem", "completed"})
OVER_FOR = timedelta(days=1)  # incidents.json lists the newest fifty, however old; older endings are history, not news


def parse(payload: Mapping[str, Any] | bytes, *, provider: str, component_ids: Mapping[str, str], at: datetime) -> FeedReport:
    """What a page says at `at`: a level per component of ours that it lists, and every update of every incident it shows.

    `component_ids` maps our component ids to the page's ids (or exact names). A component that the page does not list is
    absent from `levels`. `under_maintenance` is UNKNOWN: the vendor announces that it may be away and says neither that it is
    well nor that it fails, so only our own checks can tell; it stands in `maintenance`. A word that nobody knew is UNKNOWN too,
    and named in `reason`.
    Resolved incidents vanish from a summary, so an incident that is gone is over. Notices are in the order of their time;
    their texts are whole. Raises FeedError when the payload is not a page at all.
    """
    page = _page(payload)
    rows = _rows(page.get("components"))
    levels, remarks = _levels(rows, component_ids)
    ours = _ours(rows, component_ids)
    incidents = [*_rows(page.get("incidents")), *_rows(page.get("scheduled_maintenances"))]
    notices = [notice for incident in incidents for notice in _notices(incident, provider, _url(page), ours, at)]
    notices.sort(key=lambda notice: notice.at)
    return FeedReport(
        provider=provider,
        at=at,
        state=FeedState.FRESH,
        reason="; ".join(remarks),
        levels=levels,
        notices=tuple(notices),
        maintenance=_maintained(rows, component_ids),
    )


def _page(payload: Mapping[str, Any] | bytes) -> Mapping[str, Any]:
    page: Any = payload
    if isinstance(payload, bytes):
        if payload.lstrip()[:1] == b"<":
            raise FeedError("the page answered with HTML instead of JSON")
        try:
            page = json.loads(payload)
        except (ValueError, RecursionError):
            raise FeedError("the page's answer is not JSON") from None
    if not isinstance(page, Mapping):
        raise FeedError(f"the page's answer is a JSON {type(page).__name__}, not an object")
    if not any(isinstance(page.get(key), list) for key in ("components", "incidents")) and "status" not in page:
        raise FeedError(
            "the page's answer has no components, no incidents and no status: another dialect, or not a status page"
        )
    return page


def _ours(rows: Iterable[Mapping[str, Any]], component_ids: Mapping[str, str]) -> dict[str, list[str]]:
    """Our component ids by the page's id, also where configuration gave the page's name."""
    ours: dict[str, list[str]] = {}
    for row in rows:
        names = (_text(row.get("id")), _text(row.get("name")))
        ours[names[0]] = [our for our, vendor in component_ids.items() if vendor in names]
    for our, vendor in component_ids.items():
        if our not in ours.setdefault(vendor, []):
            ours[vendor].append(our)
    return ours


def _levels(rows: Iterable[Mapping[str, Any]], component_ids: Mapping[str, str]) -> tuple[dict[str, Level], list[str]]:
    by_name = {str(row.get("name")): row for row in rows}
    by_id = {str(row.get("id")): row for row in rows}
    levels: dict[str, Level] = {}
    remarks: list[str] = []
    for our, vendor in component_ids.items():
        row = by_id.get(vendor) or by_name.get(vendor)
        if row is None:
            continue
        word = _text(row.get("status"))
        levels[our] = LEVELS.get(word, Level.UNKNOWN)
        if word not in LEVELS:
            remarks.append(f"the page calls {our} {word!r}, a word that is not known here")
    return levels, remarks


def _maintained(rows: Iterable[Mapping[str, Any]], component_ids: Mapping[str, str]) -> tuple[str, ...]:
    """Our components that the page calls under maintenance."""
    away = [row for row in rows if _text(row.get("status")) == "under_maintenance"]
    named = {_text(row.get(key)) for row in away for key in ("id", "name")}
    return tuple(our for our, vendor in component_ids.items() if vendor in named)


def _notices(
    incident: Mapping[str, Any], provider: str, page_url: str, ours: Mapping[str, list[str]], at: datetime
) -> Iterator[Notice]:
    id_ = _text(incident.get("id"))
    updates = _rows(incident.get("incident_updates"))
    if not id_ or _is_history(incident, updates, at):
        return
    named = [_text(component.get("id")) for component in _rows(incident.get("components"))]
    for update in updates:
        said_at = _time(update.get("display_at")) or _time(update.get("created_at")) or at
        status = _text(update.get("status")) or _text(incident.get("status"))
        affected = [_text(component.get("code")) for component in _rows(update.get("affected_components"))] or named
        mapped = tuple(dict.fromkeys(our for code in affected for our in ours.get(code, ())))
        yield Notice(
            provider=provider,
            id=id_,
            update=_text(update.get("id")) or f"{id_}/{status}/{_text(update.get('created_at'))}",
            title=_text(incident.get("name")),
            body=_text(update.get("body")),
            status=status,
            impact=_text(incident.get("impact")) or "none",
            at=said_at,
            url=_text(incident.get("shortlink")) or (f"{page_url}/incidents/{id_}" if page_url else ""),
            components=mapped,
            elsewhere=bool(affected) and bool(ours) and not mapped,
            starts_at=_time(incident.get("scheduled_for")),
            ends_at=_time(incident.get("scheduled_until")),
        )


def _is_history(incident: Mapping[str, Any], updates: list[Mapping[str, Any]], at: datetime) -> bool:
    if _text(incident.get("status")) not in OVER:
        return False
    stamps = [incident.get("resolved_at"), *(update.get("display_at") for update in updates), incident.get("created_at")]
    last = max((stamp for stamp in map(_time, stamps) if stamp is not None), default=at)
    return at - last > OVER_FOR


def _url(page: Mapping[str, Any]) -> str:
    about = page.get("page")
    url = _text(about.get("url")).rstrip("/") if isinstance(about, Mapping) else ""
    return url if url.startswith(("https://", "http://")) else ""


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return "" if value is None else str(value)
    # Half a surrogate pair is legal in JSON and in no encoding that a database or a socket takes.
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _time(value: Any) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(value) if isinstance(value, str) else None
        return stamp and (stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC))
    except (ValueError, OverflowError):
        return None
