"""A disk that is slow to flush, as Understudy meets it: each commit of its ledger takes so long, and others wait for it."""

import psycopg

TABLES = ("facts", "states", "outbox", "settings", "replicas", "leases", "passed_on")
MADE = """
CREATE TABLE IF NOT EXISTS public.disk (seconds double precision NOT NULL, ended boolean NOT NULL);
CREATE OR REPLACE FUNCTION public.flush_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE flushed text := txid_current();
BEGIN
    IF current_setting('disk.flushed', true) IS DISTINCT FROM flushed AND current_setting('synchronous_commit') <> 'off' THEN
        PERFORM set_config('disk.flushed', flushed, true);
        PERFORM pg_sleep(seconds) FROM public.disk;
        IF (SELECT ended FROM public.disk) THEN
            RAISE query_canceled USING MESSAGE = 'canceling statement due to statement timeout';
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""
ON_TABLE = """
CREATE CONSTRAINT TRIGGER flush_slowly AFTER INSERT OR UPDATE ON understudy.{table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.flush_slowly();
"""


class SlowDisk:
    """Of the database at this address, whose tables are there already."""

    def __init__(self, address: str) -> None:
        self._address = address
        with psycopg.connect(address, autocommit=True) as conn:
            conn.execute(MADE + "".join(ON_TABLE.format(table=table) for table in TABLES))

    def takes(self, seconds: float) -> None:
        """How long a commit takes from now on; 0 for a disk that is well."""
        self._is(seconds, ended=False)

    def ends_after(self, seconds: float) -> None:
        """From now on the server ends each commit after so long, as it does with a statement that takes more than it may."""
        self._is(seconds, ended=True)

    def _is(self, seconds: float, *, ended: bool) -> None:
        with psycopg.connect(self._address) as conn:
            conn.execute("DELETE FROM public.disk")
            conn.execute("INSERT INTO public.disk VALUES (%s, %s)", (seconds, ended))
