"""Socket Mode: one connection, and the watch that keeps it open."""
