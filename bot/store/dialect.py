"""Where the ledger's SQL differs between SQLite and PostgreSQL: one set of expressions and statements for each."""

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Dialect:
    """Statements with named values; SQL that both understand is written where it is used."""

    newest_incident: str  # -> the highest number, or NULL
    ended: str  # :since -> component, number, end time; of incidents that ended since then, in that order
    open_tasks: str  # -> the numbers of incidents with an open task
    with_text: str  # :text (JSON), :field -> the number of the newest incident whose field is that text
    closed: str  # -> each incident's last phase change and its `phase`, if the incident's state agrees
    numbered: str  # -> the last number given to a fact
    missing: str  # -> the number of fact numbers without a fact
    fact_bytes: str  # :stream, :after, :until -> the content of these facts, as bytes
    affected: str  # -> the components in the states of incidents, each as stream, with 1
    clock: str  # :now -> the time used for leases, in microseconds since 1970
    heads: str  # -> each lane's oldest unfinished row: when it is due, and its id
