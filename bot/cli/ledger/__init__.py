"""Commands that only read the ledger, whether or not a bot is running."""
