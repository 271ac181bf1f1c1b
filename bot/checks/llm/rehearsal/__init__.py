"""Rehearsing a fallback: its contract asked over the wire, and what the answers are worth."""
