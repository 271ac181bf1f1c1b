"""What people do to flags besides switching them, as facts."""
