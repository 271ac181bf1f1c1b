"""The state of other systems that a flag's variant is written to."""
