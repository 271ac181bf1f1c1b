"""Atlassian Statuspage v2 (`/api/v2/summary.json`, `incidents.json`), and incident.io's pages, which use the same format.

Pages change without notice: keys come and go, components are renamed, new words appear. So everything understood is used, and
anything else is skipped alone.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, islice
from types import MappingProxyType
from typing import Any

from bot.core.model import FeedReport, FeedState, Level, Listing, Notice
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

# Limits for one page. Real ones are far below: the longest known list has about 500 components and 50 incidents.
MOST_COMPONENTS = 5_000
MOST_INCIDENTS = 500
MOST_UPDATES = 2_000
LONGEST_BODY = 10_000  # characters
LONGEST_LINE = 500
LONGEST_WORD = 60
LONGEST_ID = 100
VALUE_MARKS = (b",", b":", b"[", b"{")
MOST_MARKS = 200_000  # parsed in 70 ms at worst; a page of 2 MiB that lists only components has 170,000


def parse(payload: Mapping[str, Any] | bytes, *, provider: str, component_ids: Mapping[str, str], at: datetime) -> FeedReport:
    """What a page says at `at`: the levels of our components that it lists, and every update of every incident it shows.

    `component_ids` maps our component ids to the page's ids (or exact names). A component that the page does not list is
    absent from `levels`. `under_maintenance` is UNKNOWN: the vendor says that it may be unavailable, but neither that it works
    nor that it fails, so only our own checks can tell; it is in `maintenance`. Unknown words are UNKNOWN too, and named in
    `reason`. Notices are in order of time, equal times in the page's own order (it lists the newest first); a time in the
    future becomes `at`. Anything over the limits is left out and named in `reason`; long texts are cut. Raises FeedError if
    the payload is not a page at all, or too large.
    """
    page = _page(payload)
    remarks: list[str] = []
    rows = _some(page.get("components"), MOST_COMPONENTS, "components", remarks)
    levels, unknown = _levels(rows, component_ids)
    ours = _ours(rows, component_ids)
    incidents = [
        *_some(page.get("incidents"), MOST_INCIDENTS, "incidents", remarks),
        *_some(page.get("scheduled_maintenances"), MOST_INCIDENTS, "maintenances", remarks),
    ]
    notices = list(
        islice(chain.from_iterable(_notices(i, provider, _url(page), ours, at) for i in incidents), MOST_UPDATES + 1)
    )
    whole = len(notices) <= MOST_UPDATES
    if not whole:
        notices.pop()
        remarks.append(f"the page shows more than {MOST_UPDATES:,} updates; the others were not read")
    notices.reverse()  # pages list the newest first
    notices.sort(key=lambda notice: (notice.at, notice.status in OVER))
    return FeedReport(
        provider=provider,
        at=at,
        state=FeedState.FRESH,
        reason="; ".join([*unknown, *remarks]),
        levels=levels,
        notices=tuple(notices),
        maintenance=_maintained(rows, component_ids),
        incidents=_listing(page.get("incidents"), at) if whole else None,
        maintenances=_listing(page.get("scheduled_maintenances"), at) if whole else None,
    )


def _page(payload: Mapping[str, Any] | bytes) -> Mapping[str, Any]:
    page: Any = payload
    if isinstance(payload, bytes):
        if payload.lstrip()[:1] == b"<":
            raise FeedError("the page answered with HTML instead of JSON")
        if sum(map(payload.count, VALUE_MARKS)) > MOST_MARKS:
            raise FeedError("the page's answer holds more values than any status page")
        try:
            page = json.loads(payload, parse_int=str)  # parsing a 4,000-digit number takes long, and no number is needed
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
    """Our component ids by the page's id, even if the configuration gives the page's name."""
    ours: dict[str, list[str]] = {}
    for our, vendor in component_ids.items():
        ours.setdefault(vendor, []).append(our)
    by_name = {vendor: tuple(known) for vendor, known in ours.items()}
    for row in rows:
        id_, known = _text(row.get("id")), by_name.get(_text(row.get("name")), ())
        if known:
            ours[id_] = list(dict.fromkeys((*ours.get(id_, ()), *known)))
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
    """Our components that the page shows under maintenance."""
    away = [row for row in rows if _text(row.get("status")) == "under_maintenance"]
    named = {_text(row.get(key)) for row in away for key in ("id", "name")}
    return tuple(our for our, vendor in component_ids.items() if vendor in named)


def _notices(
    incident: Mapping[str, Any], provider: str, page_url: str, ours: Mapping[str, list[str]], at: datetime
) -> Iterator[Notice]:
    id_ = _id(incident.get("id"))
    if not id_:
        return
    named = _named(incident.get("components"), "id", ours)
    updates = _rows(incident.get("incident_updates"))[: MOST_UPDATES + 1]  # one more than the limit, to notice an excess
    ended_at, began_at = _ended_at(incident, updates, at), _began_at(incident, updates, at)
    for update, name in zip(updates, reversed(_names(id_, incident, updates)), strict=True):
        status = _status(incident, update)
        affected, mapped = _named(update.get("affected_components"), "code", ours) or named or (0, ())
        yield Notice(
            provider=provider,
            id=id_,
            update=name,
            title=_text(incident.get("name"), LONGEST_LINE),
            body=_text(update.get("body"), LONGEST_BODY),
            status=status,
            impact=_text(incident.get("impact"), LONGEST_WORD) or "none",
            at=min(_said_at(update, at), ended_at),
            url=_text(incident.get("shortlink"), LONGEST_LINE) or (f"{page_url}/incidents/{id_}" if page_url else ""),
            components=mapped,
            elsewhere=bool(affected) and bool(ours) and not mapped,
            starts_at=_time(incident.get("scheduled_for")),
            ends_at=_time(incident.get("scheduled_until")),
            began_at=began_at,
        )


def _listing(value: Any, at: datetime) -> Listing | None:
    """The incidents in a list, with or without updates; None if it cannot be read completely."""
    rows = _rows(value)
    if not isinstance(value, list) or len(rows) < len(value) or len(rows) > MOST_INCIDENTS:
        return None
    began = {_id(row.get("id")): _began_at(row, _rows(row.get("incident_updates")), at) for row in rows}
    return None if "" in began else Listing(began, any(_text(row.get("status")) in OVER for row in rows))


def _began_at(incident: Mapping[str, Any], updates: list[Mapping[str, Any]], at: datetime) -> datetime:
    """When the vendor opened it; without that time, its first update."""
    stamp = _time(incident.get("created_at"))
    if stamp is not None and stamp <= at:
        return stamp
    return min((_said_at(update, at) for update in updates[:MOST_UPDATES]), default=at)


def _named(value: Any, key: str, ours: Mapping[str, list[str]]) -> tuple[int, tuple[str, ...]] | None:
    """How many components a list names, and which of them are ours; None if it names none."""
    rows = _rows(value)
    return (len(rows), tuple(dict.fromkeys(our for row in rows for our in ours.get(_text(row.get(key)), ())))) if rows else None


def _said_at(update: Mapping[str, Any], at: datetime) -> datetime:
    """When it was posted, by the vendor's clock unless that is ahead of ours."""
    stamps = (_time(update.get("display_at")), _time(update.get("created_at")))
    return next((stamp for stamp in stamps if stamp is not None and stamp <= at), at)


def _ended_at(incident: Mapping[str, Any], updates: list[Mapping[str, Any]], at: datetime) -> datetime:
    """When the vendor closed it, since nothing is posted after that; `at` if it is still open."""
    if _text(incident.get("status")) not in OVER:
        return at
    return max((_said_at(update, at) for update in updates if _status(incident, update) in OVER), default=at)


def _names(id_: str, incident: Mapping[str, Any], updates: list[Mapping[str, Any]]) -> list[str]:
    """The updates' ids, oldest first; an update without one gets an id from its content, which does not move."""
    names: list[str] = []
    met: Counter[str] = Counter()
    for update in reversed(updates):
        name = _id(update.get("id")) or f"{id_}/{_status(incident, update)}/{_text(update.get('created_at'), LONGEST_WORD)}"
        if met[name] and not update.get("id"):
            name += f"/{_digest(_text(update.get('body')))}"
        met[name] += 1
        again = met[name] > 1 and not update.get("id")  # the same text posted again: "we continue to investigate"
        names.append(f"{name}/{met[name]}" if again else name)
    return names


def _status(incident: Mapping[str, Any], update: Mapping[str, Any]) -> str:
    return _text(update.get("status"), LONGEST_WORD) or _text(incident.get("status"), LONGEST_WORD)


def _url(page: Mapping[str, Any]) -> str:
    about = page.get("page")
    url = _text(about.get("url")).rstrip("/") if isinstance(about, Mapping) else ""
    return url if url.startswith(("https://", "http://")) else ""


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _some(value: Any, most: int, what: str, remarks: list[str]) -> list[Mapping[str, Any]]:
    rows = _rows(value)
    if len(rows) > most:
        remarks.append(f"the page lists {len(rows):,} {what}; the first {most:,} were read")
    return rows[:most]


def _id(value: Any) -> str:
    """An id to remember; if longer than any real one, its digest."""
    id_ = _text(value)
    return id_ if len(id_) <= LONGEST_ID else _digest(id_)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _text(value: Any, most: int | None = None) -> str:
    text = value if isinstance(value, str) else "" if value is None else str(value)
    if most is not None and len(text) > most:
        text = f"{text[: most - 1]}…"
    # A lone surrogate is legal in JSON, but in no encoding that a database or socket accepts.
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _time(value: Any) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(value) if isinstance(value, str) else None
        return stamp and (stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC))
    except (ValueError, OverflowError):
        return None
