"""Verbs for a bot that runs."""
