"""The parts of the ledger's SQL that are specific to SQLite. Frequent queries were measured with a million facts."""

from bot.store.dialect import Dialect
from bot.store.incidents import ALL
from bot.store.outbox import SET, UNFINISHED

NUMBER = "CAST(substr(stream, 10) AS INTEGER)"

ENDED = f"""
SELECT touched.key, {NUMBER}, json_extract(body, '$.ending.at') AS ended_at
FROM states, json_each(body, '$.affected') AS touched
WHERE {ALL} AND dedup = '' AND ended_at >= :since ORDER BY ended_at, {NUMBER}
"""  # noqa: S608 # constants
OPEN_TASKS = f"""
SELECT {NUMBER} FROM states WHERE {ALL} AND instr(body, '"state":"open"') AND CASE WHEN json_valid(body) THEN
EXISTS (SELECT 1 FROM json_each(body, '$.tasks') AS task WHERE json_extract(task.value, '$.state') = 'open') END
"""  # noqa: S608 # constants
# A state that does not contain the text anywhere need not be parsed.
WITH_TEXT = f"""
SELECT {NUMBER} FROM states WHERE {ALL}
AND CASE WHEN instr(body, :text) AND json_valid(body) THEN json_extract(body, '$.' || :field) = json_extract(:text, '$') END
ORDER BY 1 DESC LIMIT 1
"""  # noqa: S608 # constants
# Incidents whose state holds no key and agrees with its last phase change. Searched as text: JSON has no bare quotes inside
# texts, and parsing ten thousand states would take longer than the rest of a start.
CLOSED = f"""
SELECT facts.*, json_extract(facts.body, '$.phase') AS phase FROM (
    SELECT body AS held, (
        SELECT id FROM facts WHERE facts.stream = states.stream AND kind = 'incident.phase_changed' ORDER BY seq DESC LIMIT 1
    ) AS last FROM states WHERE {ALL} AND dedup = ''
) JOIN facts ON facts.id = last
WHERE CASE WHEN json_valid(facts.body) THEN instr(held, '"phase":"' || json_extract(facts.body, '$.phase') || '"') END
"""  # noqa: S608 # constants
NUMBERED = "SELECT max(coalesce(max(id), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'facts'), 0)) FROM facts"
MISSING = """
SELECT max(coalesce(max(id), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'facts'), 0)) - count(*) FROM facts
"""
# Concatenated by SQLite: a start reads a hundred thousand of them, and fetching each row would take half as long again.
FACT_BYTES = """
SELECT CAST(group_concat(fact, x'1e') AS BLOB) FROM (
    SELECT seq || x'1f' || at || x'1f' || kind || x'1f' || version || x'1f' || actor || x'1f' || ifnull(incident, '')
        || x'1f' || body || x'1f' || prev_hash || x'1f' || hash AS fact
    FROM facts WHERE stream = :stream AND seq > :after AND seq <= :until ORDER BY seq
)
"""
AFFECTED = """
SELECT DISTINCT 'component/' || affected.key, 1
FROM (SELECT CASE WHEN json_valid(body) THEN body ELSE '{}' END AS body FROM states WHERE kind = 'incident') AS held,
json_each(held.body, '$.affected') AS affected
"""

SQLITE = Dialect(
    newest_incident=f"SELECT max({NUMBER}) FROM states WHERE {ALL}",  # noqa: S608 # constants
    ended=ENDED,
    open_tasks=OPEN_TASKS,
    with_text=WITH_TEXT,
    closed=CLOSED,
    numbered=NUMBERED,
    missing=MISSING,
    fact_bytes=FACT_BYTES,
    affected=AFFECTED,
    clock=":now",
    # In a single pass over the index of lanes: with min(), SQLite takes the other columns from the row that has it.
    heads=f"SELECT {SET}, min(id) FROM outbox WHERE {UNFINISHED} GROUP BY lane",  # noqa: S608 # constants
)
