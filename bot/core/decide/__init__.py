"""What follows from a signal: the one decision, the phases of an incident, and the rules by family."""
