"""The meaning of an answer: its error class, what was expected of it, and what a sample shows of it."""
