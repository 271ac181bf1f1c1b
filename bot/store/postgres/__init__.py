"""The ledger and the samples in PostgreSQL, which several replicas share."""
