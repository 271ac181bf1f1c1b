"""What survives: the ledger (facts, states, outbox) and the samples, in SQLite or PostgreSQL."""
