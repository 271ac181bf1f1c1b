"""Where SQLite and PostgreSQL differ in the SQL of the ledger: one set of expressions and statements for each."""

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Dialect:
    """Statements with the values that they take by name; what both understand stands where it is used."""

    newest_incident: str  # -> the highest number, or NULL
    ended: str  # :since -> component, number, time of the end; of incidents that ended since then, in that order
    open_tasks: str  # -> the numbers of incidents with a task that is open
    with_text: str  # :text (JSON), :field -> the number of the newest incident whose field is that text
    closed: str  # -> the last change of phase, and the `phase` in it, of each incident whose state says the same
    numbered: str  # -> the last number that a fact was given
    missing: str  # -> how many numbers of facts there are without a fact
    fact_bytes: str  # :stream, :after, :until -> all that these facts say, as bytes
    affected: str  # -> the components in the states of incidents, each as stream, with 1
    clock: str  # :now -> the time that leases go by, in microseconds since 1970
    heads: str  # -> when the oldest unfinished row of each lane is due, and its id
