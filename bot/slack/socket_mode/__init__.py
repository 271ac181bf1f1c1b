"""Socket Mode: one connection, and who watches it."""
