"""What is specific to SQLite: files, locks, pragmas, and upgrades of a file."""
