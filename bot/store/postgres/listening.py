"""Notices what others commit, and whether the database is reachable: one connection, waiting on a thread of its own."""

import os
import select
import threading
from collections.abc import Callable
from concurrent.futures import Future

import psycopg
import structlog

from bot.ports import StoreError
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.errors import explained
from bot.store.postgres.place import Place

log = structlog.get_logger(__name__)

POLL_S = 1.0  # a notification is lost with its connection, so the newest fact is also polled


class Listener:
    """Calls `changed` on its own thread when there may be new facts, and `stands` with why the database is away, or None.

    Commits by the process `mine` are this replica's own and are ignored.
    """

    def __init__(
        self, place: Place, connect: Callable[[], PostgresConnection], mine: Callable[[], int],
        changed: Callable[[], None], stands: Callable[[StoreError | None], None],
    ) -> None:  # fmt: skip
        self._place = place
        self._connect = connect
        self._mine = mine
        self._changed = changed
        self._stands = stands
        self._wake, self._waker = os.pipe()
        self._ended = False
        self._first: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=f"listener to {place}", daemon=True)

    def start(self) -> None:
        """Start; raises StoreError if the first connection cannot be made, or breaks at once."""
        self._thread.start()
        try:
            self._first.result()
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Stop, and wait for the thread."""
        self._ended = True
        os.write(self._waker, b"x")
        self._thread.join()
        os.close(self._wake)
        os.close(self._waker)

    def _run(self) -> None:
        while not self._ended:
            try:
                conn = self._connect()
                try:
                    self._listen(conn)
                finally:
                    conn.close()
            except Exception as error:  # noqa: BLE001 # the root of a thread: report it and try again
                if not self._first.done():
                    self._first.set_exception(_trouble(error, self._place))
                    return
                self._stands(_trouble(error, self._place))
                select.select([self._wake], [], [], POLL_S)

    def _listen(self, conn: PostgresConnection) -> None:
        conn.listen(self._place.schema)
        newest = -1
        if not self._first.done():
            self._first.set_result(None)
        while not self._ended:
            [(position,)] = conn.execute("SELECT value FROM counters WHERE name = 'facts'").fetchall()
            self._stands(None)
            if position != newest:
                newest = position
                self._changed()
            if conn.wait_for_notice(self._wake, POLL_S, self._mine()):
                self._changed()


def _trouble(error: Exception, place: Place) -> StoreError:
    if isinstance(error, StoreError):
        return error
    if not isinstance(error, psycopg.Error):
        log.error("the database's notifications are not being received", exc_info=error)
    return explained(error, place)
