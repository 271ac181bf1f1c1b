"""Check results in PostgreSQL: a partition for each day, written by COPY, forgotten by dropping days; roll-ups by hour."""
