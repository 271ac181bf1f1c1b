"""What became of a signal, for whoever sent it."""
