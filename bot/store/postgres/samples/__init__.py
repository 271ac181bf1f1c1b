"""Samples in PostgreSQL: a partition per day, written with COPY and dropped when old; hourly roll-ups."""
