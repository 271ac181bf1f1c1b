"""Services of the process itself: time, logs without secrets, private files."""
