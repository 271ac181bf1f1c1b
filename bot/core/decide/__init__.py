"""What follows from a signal: the one decision, the phases of an incident, and one family of rules per folder."""
