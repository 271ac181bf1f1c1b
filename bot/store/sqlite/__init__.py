"""What only SQLite has: files, locks, pragmas, and how a file is brought up to date."""
