"""Who is on call in a schedule of PagerDuty: `GET /oncalls` of its REST API, https://developer.pagerduty.com/api-reference."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.on_call.shifts import AHEAD, Shift, SourceError, moment
from bot.on_call.web import Asker

PAGE, MOST_PAGES = 100, 5


@dataclass(frozen=True)
class PagerDuty:
    """A schedule. `users` maps addresses, names or PagerDuty ids to people."""

    asker: Asker
    api_url: str
    schedule: str
    token: str
    users: Mapping[str, str]

    async def shifts(self, now: datetime) -> Sequence[Shift]:
        """The shifts from now to two weeks ahead, including overrides. Raises SourceError."""
        if not self.token:
            raise SourceError("its token is empty")
        headers = {"authorization": f"Token token={self.token}", "accept": "application/vnd.pagerduty+json;version=2"}
        shifts: list[Shift] = []
        for page in range(MOST_PAGES):
            params = {
                "schedule_ids[]": self.schedule, "include[]": "users", "since": now.isoformat(),
                "until": (now + AHEAD).isoformat(), "limit": str(PAGE), "offset": str(page * PAGE),
            }  # fmt: skip
            answer = await self.asker.get(f"{self.api_url.rstrip('/')}/oncalls", headers, params)
            found, more = read(answer.body, self.users)
            shifts += found
            if not more:
                break
        return tuple(dict.fromkeys(shifts))  # a schedule may be part of several escalation policies


def read(body: bytes, users: Mapping[str, str]) -> tuple[list[Shift], bool]:
    """The shifts in one answer, and whether there are more. Raises SourceError if it is not one."""
    try:
        said = json.loads(body)
        return list(_shifts(said["oncalls"], users)), bool(said.get("more"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"the answer is not in PagerDuty's format ({type(error).__name__})") from None


def _shifts(entries: Sequence[Mapping[str, Any]], users: Mapping[str, str]) -> Iterator[Shift]:
    known = {key.casefold(): id for key, id in users.items()}
    for entry in entries:
        user = entry["user"]
        names = [str(user[key]) for key in ("email", "id", "summary", "name") if user.get(key)]
        person = next((known[name.casefold()] for name in names if name.casefold() in known), None)
        # Without `start` and `end`, somebody is always on call.
        starts, ends = (moment(entry[key]) if entry.get(key) else None for key in ("start", "end"))
        yield Shift((person,) if person else (), starts, ends, () if person else (names[0],))
