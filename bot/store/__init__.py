"""What survives: the ledger (facts, states, outbox) and the samples, in two SQLite files under one lock."""
