"""What people type or call on each face: slash commands in Slack, commands in a terminal, requests to the API.

`answers` words each result once, and asks the face for anything to type. A face also says how it names a channel.
"""

import json
import shlex
from datetime import datetime
from typing import Protocol

from bot.core.answers.incident import RoomRef
from bot.core.lazy_dataclass import dataclass
from bot.core.scope import scope_of, typed, whole
from bot.views.text import clock, local, utc


class Face(Protocol):
    """What wordings need from a face."""

    def declare(self, title: str) -> str:
        """How to declare an incident."""

    def update(self, text: str) -> str:
        """How to tell everybody."""

    def note(self, text: str) -> str:
        """How to add a line to the timeline."""

    def task(self, text: str) -> str:
        """How to say what is to be done."""

    def engage(self, flag: str, variant: str, share: int = 100, *, force: bool = False) -> str:
        """How to switch a flag, or a share of its readers."""

    def flags(self, verb: str, flag: str = "", *, share: int = 0, force: bool = False) -> str:
        """How to do something else to a flag, or to all of them."""

    def release(self, flag: str, *, force: bool = False) -> str:
        """How to switch it back."""

    def stop_drill(self, name: str) -> str:
        """How to end a drill."""

    def flag(self, key: str, name: str) -> str:
        """How a flag is named there, in a sentence."""

    def channel(self, place: RoomRef) -> str:
        """How a channel is named there."""

    def time(self, at: datetime, now: datetime | None = None) -> str:
        """A time in the face's zone, with the date if `now` is on another day."""


@dataclass(frozen=True)
class Slack:
    """Slash commands, to which `bot/slack/wording.py` adds the workspace's prefix.

    `linked` = channels as links, and times in each reader's zone.
    """

    linked: bool = True

    def declare(self, title: str) -> str:
        return f"`/incident declare {title}`"

    def update(self, text: str) -> str:
        return f"`/incident update {text}`"

    def note(self, text: str) -> str:
        return f"`/incident note {text}`"

    def task(self, text: str) -> str:
        return f"`/incident task {text} @ana in 30m`"

    def engage(self, flag: str, variant: str, share: int = 100, *, force: bool = False) -> str:
        return f"`/fallback engage {typed(flag)} {variant}{_percent(share)}{' force' if force else ''} REASON`"

    def flags(self, verb: str, flag: str = "", *, share: int = 0, force: bool = False) -> str:
        words = f"/fallback {verb} {typed(flag)}{f' {share}%' if share else ''}{' force' if force else ''}"
        return f"`{words.strip()}`"

    def release(self, flag: str, *, force: bool = False) -> str:
        return f"`/fallback release {typed(flag)}{' force' if force else ''}`"

    def stop_drill(self, name: str) -> str:
        return f"`/drill stop {name}`"

    def flag(self, key: str, name: str) -> str:
        return name or key

    def channel(self, place: RoomRef) -> str:
        return f"<#{place.channel}>" if self.linked else f"#{place.channel_name}"

    def time(self, at: datetime, now: datetime | None = None) -> str:
        return clock(at, now or at) if self.linked else utc(at, now)


@dataclass(frozen=True)
class Terminal:
    """`understudy ...`, ready to copy; times in a zone."""

    zone: str = "UTC"

    def declare(self, title: str) -> str:
        return f'understudy incident declare "{title}"'

    def update(self, text: str) -> str:
        return f'understudy incident update INC-7 "{text}"'

    def note(self, text: str) -> str:
        return f'understudy incident note INC-7 "{text}"'

    def task(self, text: str) -> str:
        return f'understudy incident task INC-7 "{text}" me 30m'

    def engage(self, flag: str, variant: str, share: int = 100, *, force: bool = False) -> str:
        part = f" --share {share}" if share < 100 else ""
        return f"understudy flags engage {_options(flag)} {variant}{part} --reason REASON{' --force' if force else ''}"

    def flags(self, verb: str, flag: str = "", *, share: int = 0, force: bool = False) -> str:
        return f"understudy flags {verb} {_options(flag)}{f' {share}' if share else ''}{' --force' if force else ''}".strip()

    def release(self, flag: str, *, force: bool = False) -> str:
        return f"understudy flags release {_options(flag)} --reason REASON{' --force' if force else ''}"

    def stop_drill(self, name: str) -> str:
        return f"understudy drill stop {name}"

    def flag(self, key: str, name: str) -> str:
        return _key(key)

    def channel(self, place: RoomRef) -> str:
        return f"#{place.channel_name}"

    def time(self, at: datetime, now: datetime | None = None) -> str:
        return local(at, self.zone, now)


@dataclass(frozen=True)
class Api:
    """Requests as in docs/http-api.md; times in a zone."""

    zone: str = "UTC"

    def declare(self, title: str) -> str:
        return _post("incidents", title=title)

    def update(self, text: str) -> str:
        return _post("incidents/INC-7/update", text=text)

    def note(self, text: str) -> str:
        return _post("incidents/INC-7/note", text=text)

    def task(self, text: str) -> str:
        return _post("incidents/INC-7/task", text=text, owner="me", due="30m")

    def engage(self, flag: str, variant: str, share: int = 100, *, force: bool = False) -> str:
        part = {"share": share} if share < 100 else {}
        more = {"force": True} if force else {}
        return _post(f"flags/{whole(flag)}/engage", variant=variant, **_scope(flag), **part, reason="REASON", **more)

    def flags(self, verb: str, flag: str = "", *, share: int = 0, force: bool = False) -> str:
        body = {**_scope(flag), **({"share": share} if share else {}), **({"force": True} if force else {})}
        return _post(f"flags/{whole(flag)}/{verb}" if flag else f"automation/{verb}", **body)

    def release(self, flag: str, *, force: bool = False) -> str:
        body = {"reason": "REASON", "force": True} if force else {"reason": "REASON"}
        return _post(f"flags/{whole(flag)}/release", **_scope(flag), **body)

    def stop_drill(self, name: str) -> str:
        return _post(f"drills/{name}/stop")

    def flag(self, key: str, name: str) -> str:
        return _key(key)

    def channel(self, place: RoomRef) -> str:
        return f"#{place.channel_name}"

    def time(self, at: datetime, now: datetime | None = None) -> str:
        return local(at, self.zone, now)


def _key(key: str) -> str:
    """A flag or a scope of it: `support-chat.llm (env=eu)`."""
    part = scope_of(key)
    return f"{whole(key)} ({part})" if part else key


def _options(key: str) -> str:
    part = scope_of(key)
    return f"{whole(key)} --scope {shlex.quote(str(part))}" if part else key


def _scope(key: str) -> dict[str, object]:
    part = scope_of(key)
    return {"scope": str(part)} if part else {}


def _percent(share: int) -> str:
    return f" {share}%" if share < 100 else ""


def _post(path: str, **body: object) -> str:
    return f"POST /api/v1/{path} {json.dumps(body, ensure_ascii=False)}"
