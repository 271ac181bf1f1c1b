"""Mistakes in a configuration, by section; each row: what is written, its line, key, part of the message and of the remedy."""
