"""The parts of the ledger's SQL that are specific to PostgreSQL.

JSON is stored as text, since facts are hashed as written. `readable(body)` parses it: NULL if it is not JSON, and with
characters replaced that PostgreSQL cannot store (NUL, surrogates), none of which occurs in what is queried here.
"""

from bot.store.dialect import Dialect
from bot.store.incidents import ALL
from bot.store.outbox import SET, UNFINISHED

NUMBER = "CASE WHEN substr(stream, 10) ~ '^[0-9]{1,15}$' THEN CAST(substr(stream, 10) AS bigint) ELSE 0 END"
AFFECTED = "json_each(CASE json_typeof(affected) WHEN 'object' THEN affected ELSE '{}' END)"

ENDED = f"""
WITH over AS MATERIALIZED (
    SELECT {NUMBER} AS number, readable(body) AS held FROM states WHERE {ALL} AND dedup = ''
), ended AS MATERIALIZED (
    SELECT number, held #>> '{{ending,at}}' COLLATE "C" AS ended_at, held -> 'affected' AS affected FROM over
)
SELECT touched.key, number, ended_at FROM ended, {AFFECTED} AS touched
WHERE ended_at >= :since ORDER BY ended_at, number
"""  # noqa: S608 # constants
OPEN_TASKS = f"""
SELECT {NUMBER} FROM states WHERE {ALL} AND CASE WHEN strpos(body, '"state":"open"') > 0 THEN EXISTS (
    SELECT 1 FROM (SELECT readable(body) -> 'tasks' AS tasks) AS held,
        json_each(CASE json_typeof(tasks) WHEN 'object' THEN tasks ELSE '{{}}' END) AS task
    WHERE task.value ->> 'state' = 'open'
) END
"""  # noqa: S608 # constants
WITH_TEXT = f"""
SELECT {NUMBER} FROM states WHERE {ALL} AND CASE WHEN strpos(body, :text) > 0
THEN readable(body) #>> string_to_array(:field, '.') = readable(:text) #>> '{{}}' END
ORDER BY 1 DESC LIMIT 1
"""  # noqa: S608 # constants
# JSON has no bare quotes inside texts, so a key can be searched as text.
CLOSED = f"""
SELECT facts.*, said.phase FROM (
    SELECT body AS held, (
        SELECT id FROM facts WHERE facts.stream = states.stream AND kind = 'incident.phase_changed' ORDER BY seq DESC LIMIT 1
    ) AS last FROM states WHERE {ALL} AND dedup = ''
) AS over JOIN facts ON facts.id = over.last,
LATERAL (SELECT substring(facts.body FROM '"phase":"([a-z_]+)"') AS phase) AS said
WHERE strpos(held, '"phase":"' || said.phase || '"') > 0
"""  # noqa: S608 # constants
NUMBERED = "SELECT value FROM counters WHERE name = 'facts'"
MISSING = """
SELECT greatest(coalesce(max(id), 0), (SELECT value FROM counters WHERE name = 'facts')) - count(*) FROM facts
"""
FACT_BYTES = """
SELECT convert_to(string_agg(
    seq || chr(31) || at || chr(31) || kind || chr(31) || version || chr(31) || actor || chr(31)
        || coalesce(CAST(incident AS text), '') || chr(31) || body || chr(31) || prev_hash || chr(31) || hash,
    chr(30) ORDER BY seq
), 'UTF8')
FROM facts WHERE stream = :stream AND seq > :after AND seq <= :until
"""
SPOKEN_OF = f"""
SELECT DISTINCT 'component/' || touched.key, 1
FROM (SELECT readable(body) -> 'affected' AS affected FROM states WHERE kind = 'incident') AS held, {AFFECTED} AS touched
"""  # noqa: S608 # constants

CLOCK = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"

POSTGRES = Dialect(
    newest_incident=f"SELECT max({NUMBER}) FROM states WHERE {ALL}",  # noqa: S608 # constants
    ended=ENDED,
    open_tasks=OPEN_TASKS,
    with_text=WITH_TEXT,
    closed=CLOSED,
    numbered=NUMBERED,
    missing=MISSING,
    fact_bytes=FACT_BYTES,
    affected=SPOKEN_OF,
    clock=CLOCK,
    heads=f"SELECT DISTINCT ON (lane) {SET}, id FROM outbox WHERE {UNFINISHED} ORDER BY lane, id",  # noqa: S608 # constants
)
