"""The ledger and the samples in PostgreSQL, shared by replicas."""
