"""The shell around the core: one entry for signals, effects carried out once and in order, and the tick."""
