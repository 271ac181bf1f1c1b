"""Looks after the ledger: opens it, detects edits, and notices when it refuses writes."""
