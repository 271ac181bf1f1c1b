"""Samples: many, cheap and short-lived; and their roll-ups."""
