"""Answers to signals, for their senders."""
