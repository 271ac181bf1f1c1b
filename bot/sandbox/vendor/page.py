"""What a scripted provider's status page answers: Statuspage v2, with the keys of real pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.vendor.scenario import PageEvent, Post, ScriptedProvider

CREATED = "2024-01-15T09:00:00.000Z"
OVER = ("resolved", "postmortem", "completed")
RANK = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
INDICATORS = {
    "operational": ("none", "Everything works"),
    "under_maintenance": ("maintenance", "Maintenance in progress"),
    "degraded_performance": ("minor", "Some things are slow"),
    "partial_outage": ("major", "Some things are out"),
    "major_outage": ("critical", "Important things are out"),
}


@dataclass
class _Told:
    """One incident as published so far: its posts with their times, and the component changes in each."""

    posts: list[tuple[datetime, Post, list[dict[str, str]]]] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """The status page at one moment. Its content changes only with its events, so its ETag stays the same between them."""

    provider: ScriptedProvider
    events: Sequence[PageEvent]  # those that have happened, in order
    began_at: datetime  # minute 0
    url: str

    def summary(self) -> dict[str, Any]:
        """`/api/v2/summary.json`: components, open incidents, maintenances that are not over."""
        told = self._told()
        return {
            "page": self._about(),
            "components": self._components(),
            "incidents": [self._incident(id_, one) for id_, one in told if not _over(one) and not _maintenance(one)],
            "scheduled_maintenances": [self._incident(id_, one) for id_, one in told if not _over(one) and _maintenance(one)],
            "status": self._status(),
        }

    def status(self) -> dict[str, Any]:
        """`/api/v2/status.json`: the overall state in one word."""
        return {"page": self._about(), "status": self._status()}

    def incidents(self) -> dict[str, Any]:
        """`/api/v2/incidents.json`: all incidents, newest first, resolved ones too."""
        told = [self._incident(id_, one) for id_, one in self._told() if not _maintenance(one)]
        return {"page": self._about(), "incidents": told[:50]}

    def _at(self, event: PageEvent) -> datetime:
        return self.began_at + timedelta(minutes=event.at)

    def _about(self) -> dict[str, Any]:
        changed_at = self._at(self.events[-1]) if self.events else self.began_at
        return {
            "id": self._page_id,
            "name": self.provider.name,
            "url": self.url,
            "time_zone": "Etc/UTC",
            "updated_at": _stamp(changed_at),
        }

    @property
    def _page_id(self) -> str:
        return f"sim-{self.provider.id}"

    def _statuses(self) -> dict[str, tuple[str, str]]:
        """Status and time of its last change, for each component listed."""
        found = dict.fromkeys(self.provider.listed, ("operational", CREATED))
        for event in self.events:
            for key, status in event.statuses.items():
                if status != found[key][0]:
                    found[key] = (status, _stamp(self._at(event)))
        return found

    def _components(self) -> list[dict[str, Any]]:
        return [self._component(key, index) for index, key in enumerate(self.provider.listed, 1)]

    def _component(self, key: str, position: int) -> dict[str, Any]:
        status, updated_at = self._statuses()[key]
        return {
            "id": self.provider.listed[key].id,
            "name": self.provider.listed[key].name,
            "status": status,
            "created_at": CREATED,
            "updated_at": updated_at,
            "position": position,
            "description": None,
            "showcase": True,
            "start_date": CREATED[:10],
            "group_id": None,
            "page_id": self._page_id,
            "group": False,
            "only_show_if_degraded": False,
        }

    def _status(self) -> dict[str, str]:
        worst = max((status for status, _ in self._statuses().values()), key=RANK.index)
        indicator, description = INDICATORS[worst]
        return {"indicator": indicator, "description": description}

    def _told(self) -> list[tuple[str, _Told]]:
        """Incidents by id, newest first."""
        found: dict[str, _Told] = {}
        statuses = dict.fromkeys(self.provider.listed, "operational")
        for event in self.events:
            before = dict(statuses)
            statuses.update(event.statuses)
            if event.post is None:
                continue
            affected = [
                {
                    "code": self.provider.listed[key].id,
                    "name": self.provider.listed[key].name,
                    "old_status": before[key],
                    "new_status": statuses[key],
                }
                for key in dict.fromkeys((*event.post.surfaces, *event.statuses))
            ]
            found.setdefault(event.post.incident, _Told()).posts.append((self._at(event), event.post, affected))
        return list(reversed(found.items()))

    def _incident(self, id_: str, told: _Told) -> dict[str, Any]:
        began_at, first, _ = told.posts[0]
        last_at, last, _ = told.posts[-1]
        named = {change["code"] for _, _, changes in told.posts for change in changes}
        components = [component for component in self._components() if component["id"] in named]
        incident = {
            "id": id_,
            "name": last.name,
            "status": last.status,
            "created_at": _stamp(began_at),
            "updated_at": _stamp(last_at),
            "monitoring_at": _first(told, "monitoring"),
            "resolved_at": _first(told, "resolved"),
            "impact": last.impact,
            "shortlink": f"{self.url}/incidents/{id_}",
            "started_at": _stamp(began_at),
            "page_id": self._page_id,
            "reminder_intervals": "[]",
            "incident_updates": [self._update(id_, number, told) for number in range(len(told.posts), 0, -1)],
            "components": components,
        }
        if first.maintenance:
            incident |= {"scheduled_for": _stamp(began_at), "scheduled_until": _stamp(began_at + timedelta(hours=1))}
        return incident

    def _update(self, incident: str, number: int, told: _Told) -> dict[str, Any]:
        at, post, affected = told.posts[number - 1]
        return {
            "id": f"{incident}-{number}",
            "status": post.status,
            "body": post.body,
            "incident_id": incident,
            "created_at": _stamp(at),
            "updated_at": _stamp(at),
            "display_at": _stamp(at),
            "affected_components": affected or None,
            "deliver_notifications": True,
            "custom_tweet": None,
            "tweet_id": None,
        }


def _over(told: _Told) -> bool:
    return told.posts[-1][1].status in OVER


def _maintenance(told: _Told) -> bool:
    return told.posts[0][1].maintenance


def _first(told: _Told, status: str) -> str | None:
    return next((_stamp(at) for at, post, _ in told.posts if post.status == status), None)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
