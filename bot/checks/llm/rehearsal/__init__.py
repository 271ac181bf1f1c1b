"""Rehearsing a fallback: its contract is tested over the wire, and the answers are judged."""
