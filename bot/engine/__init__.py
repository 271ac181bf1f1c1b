"""The shell around the core: one door for signals, effects in order and once, and the beat."""
