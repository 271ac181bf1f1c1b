"""From what somebody typed to values: words, mentions, times, due times and arguments."""
