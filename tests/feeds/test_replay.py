"""Real incidents, played to the page reader and the decisions as a poll a minute would have seen them."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core import signals as s
from bot.core.model import Actor
from bot.core.record.provider_facts import NoticeSeen
from bot.feeds.statuspage import parse
from tests.desk import Table
from tests.truth import truth_dir

EVERY = timedelta(minutes=1)
LISTED = 50  # what incidents.json lists


def recordings() -> dict[str, list[dict[str, Any]]]:
    """Real incidents by provider, each with its updates, the oldest first, and an id for each."""
    truth = truth_dir()
    if truth is None:
        pytest.skip("recorded incidents are not in this checkout (UNDERSTUDY_TRUTH names their folder)")
    found: dict[str, list[dict[str, Any]]] = {}
    for line in (truth / "feeds" / "incidents_to_2023.jsonl").read_text().splitlines():
        incident = json.loads(line)
        updates = sorted(incident["updates"], key=lambda update: str(update["at"]))
        incident["updates"] = [{**u, "id": f"{incident['id']}-{n}", "display_at": u["at"]} for n, u in enumerate(updates)]
        found.setdefault(incident["provider"], []).append(incident)
    return found


def polls(incidents: list[dict[str, Any]]) -> Iterator[tuple[datetime, bytes]]:
    """What the page shows at each minute that has something new, the newest first; the first look is before it all."""
    stamps = sorted({datetime.fromisoformat(u["at"]).astimezone(UTC) for i in incidents for u in i["updates"]})
    yield stamps[0] - EVERY, json.dumps({"incidents": []}).encode()
    for at in dict.fromkeys(stamp.replace(second=0, microsecond=0) + EVERY for stamp in stamps):
        shown = []
        for incident in incidents:
            said = [u for u in reversed(incident["updates"]) if datetime.fromisoformat(u["at"]) < at]
            if said:
                name = {"id": incident["id"], "name": incident["title"], "impact": incident["impact"]}
                shown.append({**name, "status": said[0]["status"], "incident_updates": said})
        shown.sort(key=lambda incident: str(incident["incident_updates"][-1]["at"]), reverse=True)
        yield at, json.dumps({"incidents": shown[:LISTED]}).encode()


def test_no_update_of_a_real_incident_is_lost() -> None:
    """Each of them is recorded once, those that were posted in one minute included."""
    lost: Counter[str] = Counter()
    for provider, incidents in recordings().items():
        table = Table()
        for at, body in polls(incidents):
            table.now = at
            report = parse(body, provider=provider, component_ids={}, at=at)
            table.send(s.FeedRead(actor=Actor.vendor(provider), report=report))
        recorded = Counter(x.body.notice.update for x in table.facts if isinstance(x.body, NoticeSeen))
        assert not [update for update, times in recorded.items() if times != 1]
        lost[provider] = sum(update["id"] not in recorded for incident in incidents for update in incident["updates"])

    assert 0 == lost.total(), lost
