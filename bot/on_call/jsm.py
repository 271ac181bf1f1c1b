"""Who is on call in a schedule of Jira Service Management Operations, the successor of Opsgenie's schedules.

`GET /v1/schedules/ID/on-calls?flat=true`, see
https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-schedule-on-calls/.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.core.lazy_dataclass import dataclass
from bot.on_call.shifts import Shift, SourceError
from bot.on_call.web import Asker


@dataclass(frozen=True)
class Jsm:
    """A schedule of a site (its cloud id). `users` maps Atlassian account ids to people."""

    asker: Asker
    api_url: str
    cloud: str
    schedule: str
    email: str
    token: str
    users: Mapping[str, str]

    async def shifts(self, now: datetime) -> Sequence[Shift]:
        """Who is on call now; Jira does not say until when. Raises SourceError."""
        if not self.token:
            raise SourceError("its token is empty")
        login = b64encode(f"{self.email}:{self.token}".encode()).decode()
        path = f"{quote(self.cloud, safe='')}/v1/schedules/{quote(self.schedule, safe='')}/on-calls"
        headers = {"authorization": f"Basic {login}", "accept": "application/json"}
        answer = await self.asker.get(f"{self.api_url.rstrip('/')}/{path}", headers, {"flat": "true"})
        return (read(answer.body, self.users, now),)


def read(body: bytes, users: Mapping[str, str], now: datetime) -> Shift:
    """The shift in an answer, flat or not. Raises SourceError if it is not one."""
    try:
        said = json.loads(body)
        flat = said.get("onCallUsers")
        ids = list(map(str, flat)) if flat is not None else list(_accounts(said["onCallParticipants"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"the answer is not in Jira's format ({type(error).__name__})") from None
    people = tuple(dict.fromkeys(users[id] for id in ids if id in users))
    return Shift(people, now, None, tuple(id for id in ids if id not in users))


def _accounts(participants: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Users, including those inside teams and escalations."""
    for one in participants:
        if one.get("type") == "user":
            yield str(one["id"])
        yield from _accounts(one.get("onCallParticipants") or ())
