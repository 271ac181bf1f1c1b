"""A database on a disk that is slow to flush: each commit of the ledger takes long, and others wait for it."""

import psycopg

TABLES = ("facts", "states", "outbox", "settings", "replicas", "leases", "passed_on")
CREATE = """
CREATE TABLE IF NOT EXISTS public.disk (seconds double precision NOT NULL, canceled boolean NOT NULL);
CREATE OR REPLACE FUNCTION public.flush_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE flushed text := txid_current();
BEGIN
    IF current_setting('disk.flushed', true) IS DISTINCT FROM flushed AND current_setting('synchronous_commit') <> 'off' THEN
        PERFORM set_config('disk.flushed', flushed, true);
        PERFORM pg_sleep(seconds) FROM public.disk;
        IF (SELECT canceled FROM public.disk) THEN
            RAISE query_canceled USING MESSAGE = 'canceling statement due to statement timeout';
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""
CREATE_TRIGGER = """
CREATE CONSTRAINT TRIGGER flush_slowly AFTER INSERT OR UPDATE ON understudy.{table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.flush_slowly();
"""


class SlowDisk:
    """Slows down commits of the database at this address, whose tables must exist."""

    def __init__(self, address: str) -> None:
        self._address = address
        with psycopg.connect(address, autocommit=True) as conn:
            conn.execute(CREATE + "".join(CREATE_TRIGGER.format(table=table) for table in TABLES))

    def slow_commits(self, seconds: float) -> None:
        """From now on a commit takes so long; 0 = the disk is fast again."""
        self._set(seconds, canceled=False)

    def time_out_commits(self, seconds: float) -> None:
        """From now on the server cancels each commit after so long, as a statement timeout does."""
        self._set(seconds, canceled=True)

    def _set(self, seconds: float, *, canceled: bool) -> None:
        with psycopg.connect(self._address) as conn:
            conn.execute("DELETE FROM public.disk")
            conn.execute("INSERT INTO public.disk VALUES (%s, %s)", (seconds, canceled))
