"""Parses what people type: words, mentions, times, due times and arguments."""
