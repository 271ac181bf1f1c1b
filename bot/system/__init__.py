"""What the process has of its own: time, logs without secrets, private files."""
