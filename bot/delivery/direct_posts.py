"""Posts in the alerts channel without the outbox: what must be said while nothing can be committed.

The desired posts are kept in memory until the channel shows them. Each is searched by its key before it is posted, so that a
restarted bot finds its own. While Slack is away, only these posts wait.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime, timedelta

import structlog

from bot.core.lazy_dataclass import dataclass
from bot.delivery.ops_channel import OpsChannel
from bot.ports import ChannelGone, ChatError, Message, MessageGone, PostedAt

log = structlog.get_logger(__name__)

FIRST_WAIT_S = 1.0  # real seconds, like all of these
LONGEST_WAIT_S = 60.0
RIVALS_FOR = timedelta(hours=1)  # how long another replica's post counts as ours; its author may be gone and never close it
OVER = "/over"  # suffix of the key of a closing post
SETTLE_FOR_S = 30.0  # a post whose response was lost may still arrive; search for it after this


@dataclass(frozen=True)
class Note:
    """A post as it should read now. It is searched from `since` on, and not posted unless the note `follows` is there.

    With `may_post` False it only edits what an earlier process may have posted. The newest post with a key that `rivals`
    accepts replaces this one, unless that post closed the matter (`OVER`); `settled` is called with the resulting key. With
    `without_search` False it is not posted while Slack does not let us search.
    """

    key: str
    message: Message
    since: datetime
    follows: str = ""
    may_post: bool = True
    rivals: Callable[[str], bool] | None = field(default=None, compare=False)
    settled: Callable[[str], None] = field(default=lambda key: None, compare=False)
    without_search: bool = True


class DirectPosts:
    """Posts and edits until the channel shows what was asked for; retries as long as necessary."""

    def __init__(self, ops: OpsChannel) -> None:
        self._ops = ops
        self._wanted: dict[str, Note] = {}
        self._shown: dict[str, Message] = {}
        self._at: dict[str, PostedAt] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    def start(self) -> None:
        """Start posting."""
        self._task = asyncio.create_task(self._run(), name="direct posts")

    async def close(self) -> None:
        """Stop; what was not posted yet is posted by the next start, if it still applies."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def show(self, note: Note) -> None:
        """Show it in the channel, replacing an earlier one with the same key; new ones are posted in the order of the calls."""
        self._wanted[note.key] = note
        self._wake.set()

    async def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            self._wake.clear()
            try:
                await self._round(list(self._wanted.values()))
            except ChatError as error:
                if self._trouble != str(error):
                    log.error("the alerts channel could not be reached; trying again", why=str(error))
                self._trouble = str(error)
                asked_s = error.retry_after.total_seconds() if error.retry_after else 0.0
                await asyncio.sleep(max(asked_s, SETTLE_FOR_S if error.unclear else wait_s))
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            except Exception:  # the root of a task: the next round may succeed
                log.exception("a direct post crashed: this is a bug in Understudy")
                await asyncio.sleep(LONGEST_WAIT_S)
            else:
                self._trouble, wait_s = "", FIRST_WAIT_S
                await self._wake.wait()

    async def _round(self, notes: Sequence[Note]) -> None:
        absent: set[str] = set()  # so that many notes about one missing post ask Slack only once
        for note in notes:
            if self._shown.get(note.key) == note.message:
                continue
            if note.follows in absent or (note.follows and await self._find(note.follows, note.since) is None):
                absent.add(note.follows)
                self._drop(note)
                continue
            at = await self._find(note.key, note.since)
            if at is None and not note.may_post:
                self._drop(note)
                continue
            if at is None and note.rivals and (other := await self._replacement(note)) is not None:
                self._drop(note)
                note.settled(other)
                continue
            if at is None:
                self._at[note.key] = await self._ops.post(note.message, note.key)
            else:
                await self._edit(at, note)
            self._shown[note.key] = note.message
            note.settled(note.key)

    async def _find(self, key: str, since: datetime) -> PostedAt | None:
        """Where the post is. If Slack does not let us search, posting twice is better than not at all."""
        if key in self._at:
            return self._at[key]
        try:
            found = await self._ops.find_post(key, since)
        except ChatError as error:
            if not error.permanent or isinstance(error, ChannelGone):
                raise
            log.warning("the alerts channel cannot be searched for an earlier post", why=str(error))
            return None
        if found:
            log.info("the alerts channel already has this post", key=key)
            self._at[key] = found
        return found

    async def _replacement(self, note: Note) -> str | None:
        """The key of the post that replaces this one; empty if this must not be posted although none is known."""
        assert note.rivals is not None  # noqa: S101 # the caller checked
        try:
            newest = await self._ops.newest_key(note.rivals, note.since - RIVALS_FOR)
        except ChatError as error:
            if not error.permanent or isinstance(error, ChannelGone):
                raise
            return None if note.without_search else ""
        return None if newest is None or newest.endswith(OVER) else newest

    async def _edit(self, at: PostedAt, note: Note) -> None:
        try:
            await self._ops.edit(at, note.message)
        except MessageGone:
            log.info("a post of ours was deleted in Slack and is not posted again", key=note.key)
        except ChatError as error:
            if not error.permanent:
                raise
            log.warning("a post of ours cannot be updated", key=note.key, why=str(error))

    def _drop(self, note: Note) -> None:
        if self._wanted.get(note.key) is note:
            del self._wanted[note.key]
