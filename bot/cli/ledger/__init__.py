"""Verbs that only read the ledger, beside a running bot or without one."""
